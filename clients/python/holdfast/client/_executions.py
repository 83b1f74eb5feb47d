"""What the engine tells about workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from .._json import from_json, to_json
from ..common import TypedSearchAttributes, from_instant_ms, from_ms
from ..converter import DataConverter
from ._pages import StreamedPages

if TYPE_CHECKING:
    from ._client import Client

NO_DEFAULT: Any = object()


class WorkflowExecutionStatus(IntEnum):
    """Whether a run goes on, or how it has ended."""

    RUNNING = proto.WorkflowStatus.RUNNING
    COMPLETED = proto.WorkflowStatus.COMPLETED
    FAILED = proto.WorkflowStatus.FAILED
    CANCELED = proto.WorkflowStatus.CANCELED
    TERMINATED = proto.WorkflowStatus.TERMINATED
    CONTINUED_AS_NEW = proto.WorkflowStatus.CONTINUED_AS_NEW
    TIMED_OUT = proto.WorkflowStatus.TIMED_OUT
    PAUSED = proto.WorkflowStatus.PAUSED


class PendingActivityState(IntEnum):
    """Where an activity stands that has not ended."""

    SCHEDULED = proto.PendingActivityState.SCHEDULED
    STARTED = proto.PendingActivityState.STARTED
    BACKING_OFF = proto.PendingActivityState.BACKING_OFF
    CANCEL_REQUESTED = proto.PendingActivityState.CANCEL_REQUESTED
    PAUSED = proto.PendingActivityState.PAUSED
    PAUSE_REQUESTED = proto.PendingActivityState.PAUSE_REQUESTED


@dataclass(frozen=True)
class PendingActivity:
    """An activity that a workflow waits for."""

    activity_id: str
    activity_type: str
    task_queue: str
    state: PendingActivityState
    attempt: int
    next_attempt_time: datetime | None
    last_worker_identity: str
    last_failure: str
    """Its message; empty when no attempt has failed yet."""
    no_worker: bool
    """No attached worker serves this type on this queue."""
    is_local: bool

    @staticmethod
    def _of(pending: proto.PendingActivity) -> PendingActivity:
        failure = pending.last_failure
        return PendingActivity(
            activity_id=pending.activity_id,
            activity_type=pending.activity_type,
            task_queue=pending.task_queue,
            state=PendingActivityState(pending.state),
            attempt=pending.attempt,
            next_attempt_time=instant(pending.next_attempt_time_ms),
            last_worker_identity=pending.last_worker_identity,
            last_failure=failure.info.message if failure and failure.info else "",
            no_worker=pending.no_worker,
            is_local=pending.local,
        )


def instant(milliseconds: int) -> datetime | None:
    return from_instant_ms(milliseconds) if milliseconds else None


def status_of(status: int) -> WorkflowExecutionStatus | None:
    try:
        return WorkflowExecutionStatus(status)
    except ValueError:
        return None


class WithMemo:
    """What has a memo, which is decoded when it is asked for."""

    data_converter: DataConverter
    _memo: proto.Memo | None

    async def memo(self) -> Mapping[str, Any]:
        """All values of the memo."""
        return {key: await self._value(payload, None) for key, payload in self._fields().items()}

    async def memo_value(
        self, key: str, default: Any = NO_DEFAULT, *, type_hint: type | None = None
    ) -> Any:
        """One value; KeyError where there is none and no default."""
        payload = self._fields().get(key)
        if payload is not None:
            return await self._value(payload, type_hint)
        if default is NO_DEFAULT:
            raise KeyError(f"the memo has no value for {key!r}")
        return default

    def _fields(self) -> dict[str, proto.Payload]:
        entries = self._memo.fields if self._memo is not None else ()
        return {entry.key: entry.value for entry in entries if entry.value is not None}

    async def _value(self, payload: proto.Payload, hint: type | None) -> Any:
        return (await self.data_converter.decode([payload], [hint] if hint else None))[0]


@dataclass(frozen=True)
class WorkflowExecution(WithMemo):
    """A run, as lists tell of it."""

    id: str
    run_id: str
    workflow_type: str
    task_queue: str
    namespace: str
    status: WorkflowExecutionStatus | None
    start_time: datetime
    close_time: datetime | None
    history_length: int
    typed_search_attributes: TypedSearchAttributes
    problems: Sequence[str]
    """What keeps the run from going on, in words."""
    raw_info: proto.WorkflowInfo
    data_converter: DataConverter

    @property
    def execution_time(self) -> datetime:
        return self.start_time

    @property
    def _memo(self) -> proto.Memo | None:  # type: ignore[override]
        return self.raw_info.memo

    @classmethod
    def _fields_of(
        cls, info: proto.WorkflowInfo, namespace: str, converter: DataConverter
    ) -> dict[str, Any]:
        execution = info.execution or proto.WorkflowExecution()
        return {
            "id": execution.workflow_id,
            "run_id": execution.run_id,
            "workflow_type": info.workflow_type,
            "task_queue": info.task_queue,
            "namespace": namespace,
            "status": status_of(info.status),
            "start_time": from_instant_ms(info.start_time_ms),
            "close_time": instant(info.close_time_ms),
            "history_length": info.history_length,
            "typed_search_attributes": TypedSearchAttributes._from_proto(info.search_attributes),
            "problems": list(info.problems),
            "raw_info": info,
            "data_converter": converter,
        }


@dataclass(frozen=True)
class WorkflowExecutionDescription(WorkflowExecution):
    """A run, with what it waits for."""

    raw_description: proto.DescribeWorkflowResponse = field(
        default_factory=proto.DescribeWorkflowResponse
    )

    @staticmethod
    def _of(
        response: proto.DescribeWorkflowResponse, namespace: str, converter: DataConverter
    ) -> WorkflowExecutionDescription:
        info = response.info or proto.WorkflowInfo()
        fields = WorkflowExecution._fields_of(info, namespace, converter)
        return WorkflowExecutionDescription(**fields, raw_description=response)

    @property
    def pending_activities(self) -> list[PendingActivity]:
        return [PendingActivity._of(one) for one in self.raw_description.pending_activities]

    @property
    def parent_id(self) -> str | None:
        parent = self.raw_description.parent
        return parent.workflow_id if parent is not None else None

    @property
    def parent_run_id(self) -> str | None:
        parent = self.raw_description.parent
        return parent.run_id if parent is not None else None

    @property
    def root_id(self) -> str | None:
        root = self.raw_description.root
        return root.workflow_id if root is not None else self.id

    @property
    def root_run_id(self) -> str | None:
        root = self.raw_description.root
        return root.run_id if root is not None else self.run_id

    @property
    def cancel_requested(self) -> bool:
        return self.raw_description.cancel_requested

    @property
    def current_details(self) -> str:
        """What the workflow's code has last said of itself."""
        return self.raw_description.current_details

    @property
    def run_timeout(self) -> timedelta | None:
        return from_ms(self.raw_description.run_timeout_ms)

    @property
    def execution_timeout(self) -> timedelta | None:
        return from_ms(self.raw_description.execution_timeout_ms)

    async def static_summary(self) -> str | None:
        """What the start has said of the workflow, in a line."""
        metadata = self.raw_info.user_metadata
        return (metadata.summary or None) if metadata is not None else None

    async def static_details(self) -> str | None:
        """What the start has said of the workflow, at length."""
        metadata = self.raw_info.user_metadata
        return (metadata.details or None) if metadata is not None else None


@dataclass(frozen=True)
class WorkflowExecutionCountAggregationGroup:
    """The workflows of one group: the values that they share, and how many they are."""

    count: int
    group_values: Sequence[str]


@dataclass(frozen=True)
class WorkflowExecutionCount:
    """How many workflows a filter selects."""

    count: int
    groups: Sequence[WorkflowExecutionCountAggregationGroup]

    @staticmethod
    def _of(response: proto.CountWorkflowsResponse) -> WorkflowExecutionCount:
        groups = [
            WorkflowExecutionCountAggregationGroup(group.count, list(group.group_values))
            for group in response.groups
        ]
        return WorkflowExecutionCount(response.count, groups)


class WorkflowExecutionAsyncIterator(StreamedPages[WorkflowExecution]):
    """The workflows that a filter selects, newest first unless it says otherwise."""

    def __init__(self, client: Client, request: proto.ListWorkflowsRequest, timeout: Any) -> None:
        super().__init__(client, proto.WorkflowService.ListWorkflows, request, timeout)

    def _rows(self, response: proto.ListWorkflowsResponse) -> list[WorkflowExecution]:
        client = self._client
        return [
            WorkflowExecution(
                **WorkflowExecution._fields_of(info, client.namespace, client.data_converter)
            )
            for info in response.workflows
        ]

    async def map_histories(self) -> AsyncIterator[WorkflowHistory]:
        """The history of each of these workflows."""
        async for execution in self:
            handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
            yield await handle.fetch_history()


def run_told_by(event: proto.HistoryEvent) -> str:
    """The run that this event says the history is of; empty: it says nothing of that."""
    if event.workflow_execution_started is not None:
        return event.workflow_execution_started.run_id
    failed = event.workflow_task_failed
    if failed is not None and failed.copy is not None and failed.copy.execution is not None:
        return failed.copy.execution.run_id
    return ""


@dataclass(frozen=True)
class WorkflowHistory:
    """All events of a run, in order."""

    workflow_id: str
    events: Sequence[proto.HistoryEvent]

    @property
    def run_id(self) -> str:
        """The run's own id: what is copied begins with the events of another run."""
        found = ""
        for event in self.events:
            found = run_told_by(event) or found
        return found

    def to_json(self) -> str:
        """One event a line, as `holdfast workflow show -o json` prints them."""
        return "".join(to_json(event) + "\n" for event in self.events)

    @staticmethod
    def from_json(workflow_id: str, history: str) -> WorkflowHistory:
        """Of what `to_json` or `holdfast workflow show -o json` has written.

        ValueError: it is no history; it says in which line.
        """
        events = []
        for number, line in enumerate(history.splitlines(), 1):
            if line.strip():
                try:
                    events.append(from_json(proto.HistoryEvent, line))
                except ValueError as error:
                    raise ValueError(f"line {number}: {error}") from None
        return WorkflowHistory(workflow_id, events)
