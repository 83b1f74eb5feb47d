"""What a worker puts around workflow code: what comes in to it, and what goes out of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from ..common import Priority, RetryPolicy, TypedSearchAttributes, WorkflowIDReusePolicy
from .headers import Headers

if TYPE_CHECKING:
    from ..workflow import (
        ActivityCancellationType,
        ActivityHandle,
        ChildWorkflowCancellationType,
        ChildWorkflowHandle,
        Info,
        ParentClosePolicy,
        VersioningIntent,
    )


@dataclass
class ExecuteWorkflowInput:
    """The workflow's code: `run_fn` takes the object of the class, and the args."""

    type: type
    run_fn: Callable[..., Awaitable[Any]]
    args: Sequence[Any]
    headers: Headers


@dataclass
class HandleSignalInput:
    """A signal that has come."""

    signal: str
    args: Sequence[Any]
    headers: Headers


@dataclass
class HandleQueryInput:
    """A query that has come."""

    id: str
    query: str
    args: Sequence[Any]
    headers: Headers


@dataclass
class HandleUpdateInput:
    """An update that has come, for its validator and then for its handler."""

    id: str
    update: str
    args: Sequence[Any]
    headers: Headers


@dataclass
class ContinueAsNewInput:
    """The next run of the chain; what is None is as in this one."""

    workflow: str | None
    args: Sequence[Any]
    task_queue: str | None = None
    run_timeout: timedelta | None = None
    task_timeout: timedelta | None = None
    retry_policy: RetryPolicy | None = None
    memo: Mapping[str, Any] | None = None
    search_attributes: TypedSearchAttributes | None = None
    headers: Headers = field(default_factory=dict)
    versioning_intent: VersioningIntent | None = None
    arg_types: list[type] | None = None


@dataclass
class SignalChildWorkflowInput:
    """A signal to a child of this run."""

    signal: str
    args: Sequence[Any]
    child_workflow_id: str
    headers: Headers = field(default_factory=dict)


@dataclass
class SignalExternalWorkflowInput:
    """A signal to any workflow."""

    signal: str
    args: Sequence[Any]
    namespace: str
    workflow_id: str
    workflow_run_id: str | None
    headers: Headers = field(default_factory=dict)


@dataclass
class StartActivityInput:
    """An activity that is to be scheduled."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None = None
    task_queue: str | None = None
    schedule_to_close_timeout: timedelta | None = None
    schedule_to_start_timeout: timedelta | None = None
    start_to_close_timeout: timedelta | None = None
    heartbeat_timeout: timedelta | None = None
    retry_policy: RetryPolicy | None = None
    cancellation_type: ActivityCancellationType | None = None
    headers: Headers = field(default_factory=dict)
    disable_eager_execution: bool = False
    versioning_intent: VersioningIntent | None = None
    summary: str | None = None
    priority: Priority = Priority.default
    hold_when_exhausted: bool = False
    arg_types: list[type] | None = None
    ret_type: type | None = None


@dataclass
class StartLocalActivityInput:
    """An activity that this worker is to run."""

    activity: str
    args: Sequence[Any]
    activity_id: str | None = None
    schedule_to_close_timeout: timedelta | None = None
    schedule_to_start_timeout: timedelta | None = None
    start_to_close_timeout: timedelta | None = None
    retry_policy: RetryPolicy | None = None
    local_retry_threshold: timedelta | None = None
    cancellation_type: ActivityCancellationType | None = None
    headers: Headers = field(default_factory=dict)
    summary: str | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


@dataclass
class StartChildWorkflowInput:
    """A child that is to be started. Without an id it is named by this run's and a number."""

    workflow: str
    args: Sequence[Any]
    id: str | None = None
    task_queue: str | None = None
    cancellation_type: ChildWorkflowCancellationType | None = None
    parent_close_policy: ParentClosePolicy | None = None
    execution_timeout: timedelta | None = None
    run_timeout: timedelta | None = None
    task_timeout: timedelta | None = None
    id_reuse_policy: WorkflowIDReusePolicy | None = None
    retry_policy: RetryPolicy | None = None
    cron_schedule: str = ""
    memo: Mapping[str, Any] | None = None
    search_attributes: TypedSearchAttributes | None = None
    headers: Headers = field(default_factory=dict)
    versioning_intent: VersioningIntent | None = None
    static_summary: str | None = None
    static_details: str | None = None
    priority: Priority = Priority.default
    concurrency_key: str | None = None
    arg_types: list[type] | None = None
    ret_type: type | None = None


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """What a worker's interceptor may fill before it names its class for workflows."""

    # What `workflow.extern_functions()` gives: functions that the guard lets do everything.
    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]


class WorkflowInboundInterceptor:
    """Put around what comes in to workflow code: one is made for each run, the first is outermost.

    Its methods are workflow code: they do the same in each replay. One that is not overridden
    calls the next.
    """

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """To put something around what goes out: `super().init(Mine(outbound))`."""
        self.next.init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Runs the workflow's code; what it returns or raises is the workflow's end."""
        return await self.next.execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Calls the handler of a signal."""
        await self.next.handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Calls the handler of a query; it must not wait."""
        return await self.next.handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Calls the validator of an update that has one; an error rejects the update."""
        self.next.handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Calls the handler of an update."""
        return await self.next.handle_update_handler(input)


class WorkflowOutboundInterceptor:
    """Put around what workflow code asks for; one that is not overridden calls the next."""

    def __init__(self, next: WorkflowOutboundInterceptor) -> None:
        self.next = next

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        """Of `workflow.continue_as_new`."""
        self.next.continue_as_new(input)

    def info(self) -> Info:
        """Of `workflow.info`."""
        return self.next.info()

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        """Of `ChildWorkflowHandle.signal`."""
        await self.next.signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        """Of `ExternalWorkflowHandle.signal`."""
        await self.next.signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Of `workflow.start_activity` and `workflow.execute_activity`."""
        return self.next.start_activity(input)

    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> ChildWorkflowHandle[Any]:
        """Of `workflow.start_child_workflow` and `workflow.execute_child_workflow`."""
        return await self.next.start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        """Of `workflow.start_local_activity` and `workflow.execute_local_activity`."""
        return self.next.start_local_activity(input)
