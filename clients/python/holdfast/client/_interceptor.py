"""Interceptors of a client: what they are given, and what they may change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from ..common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from ..converter import DataConverter, Payload
from ..service import RPCMetadata

if TYPE_CHECKING:
    from ._activities import AsyncActivityIDReference
    from ._activity_executions import (
        ActivityExecutionAsyncIterator,
        ActivityExecutionCount,
        ActivityExecutionDescription,
    )
    from ._activity_handle import ActivityHandle
    from ._executions import (
        WorkflowExecutionAsyncIterator,
        WorkflowExecutionCount,
        WorkflowExecutionDescription,
    )
    from ._handle import WorkflowHandle
    from ._schedule_handle import ScheduleAsyncIterator, ScheduleHandle, Updater
    from ._schedules import (
        Schedule,
        ScheduleBackfill,
        ScheduleDescription,
        ScheduleOverlapPolicy,
    )
    from ._updates import WorkflowUpdateHandle, WorkflowUpdateStage

Headers = Mapping[str, Payload]


@dataclass
class StartWorkflowInput:
    """What a start is made of."""

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    id_conflict_policy: WorkflowIDConflictPolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    cron_time_zone: str
    memo: Mapping[str, Any] | None
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    start_delay: timedelta | None
    start_at: datetime | None
    headers: Headers
    start_signal: str | None
    start_signal_args: Sequence[Any]
    static_summary: str | None
    static_details: str | None
    ret_type: type | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    priority: Priority
    concurrency_key: str
    request_id: str


@dataclass
class CancelWorkflowInput:
    """A request that a workflow cancel itself."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    reason: str
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class DescribeWorkflowInput:
    """A question for a workflow's state."""

    id: str
    run_id: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class FetchWorkflowHistoryEventsInput:
    """A request for a run's events."""

    id: str
    run_id: str | None
    wait_new_event: bool
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class ListWorkflowsInput:
    """A request for the workflows that a filter selects."""

    query: str | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    limit: int | None


@dataclass
class CountWorkflowsInput:
    """A request for their number."""

    query: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class QueryWorkflowInput:
    """A query of a workflow."""

    id: str
    run_id: str | None
    query: str
    args: Sequence[Any]
    reject_condition: QueryRejectCondition | None
    headers: Headers
    ret_type: type | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class SignalWorkflowInput:
    """A signal to a workflow."""

    id: str
    run_id: str | None
    signal: str
    args: Sequence[Any]
    headers: Headers
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class TerminateWorkflowInput:
    """A request that a workflow end at once."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    args: Sequence[Any]
    reason: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class StartWorkflowUpdateInput:
    """An update of a workflow."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    update_id: str | None
    update: str
    args: Sequence[Any]
    wait_for_stage: WorkflowUpdateStage
    headers: Headers
    ret_type: type | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class StartWorkflowUpdateWithStartInput:
    """An update, with the start of the workflow that it is for if that is not open."""

    start_workflow_input: StartWorkflowInput
    update_workflow_input: StartWorkflowUpdateInput
    _on_start: Callable[[proto.UpdateWorkflowResponse], None]
    _on_start_error: Callable[[BaseException], None]


@dataclass
class StartActivityInput:
    """What the start of an activity without a workflow is made of."""

    activity_type: str
    args: Sequence[Any]
    id: str
    task_queue: str
    result_type: type | None
    schedule_to_close_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    id_reuse_policy: ActivityIDReusePolicy
    id_conflict_policy: ActivityIDConflictPolicy
    retry_policy: RetryPolicy | None
    priority: Priority
    search_attributes: SearchAttributes | TypedSearchAttributes | None
    summary: str | None
    start_delay: timedelta | None
    headers: Headers
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    # Holdfast's own.
    static_details: str | None
    start_at: datetime | None
    memo: Mapping[str, Any] | None
    hold_when_exhausted: bool
    request_id: str


@dataclass
class DescribeActivityInput:
    """A question for the state of an activity without a workflow."""

    activity_id: str
    activity_run_id: str | None
    include_outcome: bool
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class CancelActivityInput:
    """A request that an activity without a workflow end as cancelled."""

    activity_id: str
    activity_run_id: str | None
    reason: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class TerminateActivityInput:
    """A request that it end at once."""

    activity_id: str
    activity_run_id: str | None
    reason: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class PauseActivityInput:
    """A request that no further attempt of it start."""

    activity_id: str
    activity_run_id: str | None
    reason: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class UnpauseActivityInput:
    """A request that its attempts go on."""

    activity_id: str
    activity_run_id: str | None
    reason: str | None
    reset_attempts: bool
    reset_heartbeat: bool
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class ListActivitiesInput:
    """A request for the activities without a workflow that a filter selects."""

    query: str | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    limit: int | None


@dataclass
class CountActivitiesInput:
    """A request for their number."""

    query: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class HeartbeatAsyncActivityInput:
    """A heartbeat of an activity from elsewhere."""

    id_or_token: AsyncActivityIDReference | bytes
    details: Sequence[Any]
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class CompleteAsyncActivityInput:
    """The result of an activity from elsewhere."""

    id_or_token: AsyncActivityIDReference | bytes
    result: Any | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class FailAsyncActivityInput:
    """The failure of an activity from elsewhere."""

    id_or_token: AsyncActivityIDReference | bytes
    error: BaseException
    last_heartbeat_details: Sequence[Any]
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class ReportCancellationAsyncActivityInput:
    """The end of a cancelled activity from elsewhere."""

    id_or_token: AsyncActivityIDReference | bytes
    details: Sequence[Any]
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class CreateScheduleInput:
    """A new schedule."""

    id: str
    schedule: Schedule
    trigger_immediately: bool
    backfill: Sequence[ScheduleBackfill]
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class ListSchedulesInput:
    """A request for the schedules of a namespace."""

    page_size: int
    next_page_token: bytes | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class BackfillScheduleInput:
    """A request for the actions of times that are over."""

    id: str
    backfills: Sequence[ScheduleBackfill]
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class DeleteScheduleInput:
    """A request that a schedule go."""

    id: str
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class DescribeScheduleInput:
    """A question for a schedule's state."""

    id: str
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class PauseScheduleInput:
    """A request that a schedule take no actions."""

    id: str
    note: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class TriggerScheduleInput:
    """A request for an action now."""

    id: str
    overlap: ScheduleOverlapPolicy | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class UnpauseScheduleInput:
    """A request that a schedule take actions again."""

    id: str
    note: str | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


@dataclass
class UpdateScheduleInput:
    """A change of a schedule by a function of what it is."""

    id: str
    updater: Updater
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


class Interceptor:
    """Given to a client, it sees the client's calls."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """What stands before `next` in the chain; `next` itself unless it is overridden."""
        return next


class OutboundInterceptor:
    """One link of the chain that a client's calls go through; each method goes on by default."""

    def __init__(self, next: OutboundInterceptor) -> None:
        self.next = next

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        await self.next.cancel_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> AsyncIterator[proto.HistoryEvent]:
        return self.next.fetch_workflow_history_events(input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        return self.next.list_workflows(input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        return await self.next.count_workflows(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        await self.next.terminate_workflow(input)

    async def start_workflow_update(
        self, input: StartWorkflowUpdateInput
    ) -> WorkflowUpdateHandle[Any]:
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        return await self.next.start_update_with_start_workflow(input)

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        return await self.next.start_activity(input)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        return await self.next.describe_activity(input)

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        await self.next.cancel_activity(input)

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        await self.next.terminate_activity(input)

    async def pause_activity(self, input: PauseActivityInput) -> None:
        await self.next.pause_activity(input)

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        await self.next.unpause_activity(input)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        return self.next.list_activities(input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        return await self.next.count_activities(input)

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        await self.next.heartbeat_async_activity(input)

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        await self.next.complete_async_activity(input)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        await self.next.fail_async_activity(input)

    async def report_cancellation_async_activity(
        self, input: ReportCancellationAsyncActivityInput
    ) -> None:
        await self.next.report_cancellation_async_activity(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        return await self.next.create_schedule(input)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        return self.next.list_schedules(input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        await self.next.backfill_schedule(input)

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        await self.next.delete_schedule(input)

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        return await self.next.describe_schedule(input)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        await self.next.pause_schedule(input)

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        await self.next.trigger_schedule(input)

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        await self.next.unpause_schedule(input)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        await self.next.update_schedule(input)
