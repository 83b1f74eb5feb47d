"""What a worker puts around workflow code: what comes in to it, and what goes out of it."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from .. import _messages as proto
from ..common import Priority, RetryPolicy, TypedSearchAttributes, WorkflowIDReusePolicy

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
    from .run import WorkflowRun

Headers = Mapping[str, proto.Payload]


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


# MARK: The ends of the chains


class _InboundRoot(WorkflowInboundInterceptor):
    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self.outbound: WorkflowOutboundInterceptor = _OutboundRoot(run)

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await input.run_fn(self._run.instance, *input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        result = self._run.handlers.call_signal(input.signal, input.args)
        if inspect.isawaitable(result):
            await result

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return self._run.handlers.call_query(input.query, input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self._run.handlers.call_validator(input.update, input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        result = self._run.handlers.call_update(input.update, input.args)
        return await result if inspect.isawaitable(result) else result


# Of an input: what is not an option of the call.
_NO_OPTIONS = ("activity", "workflow", "args", "headers", "arg_types", "ret_type")


def _options(input: Any) -> dict[str, Any]:
    return {
        one.name: getattr(input, one.name)
        for one in dataclasses.fields(input)
        if one.name not in _NO_OPTIONS
    }


class _OutboundRoot(WorkflowOutboundInterceptor):
    """What the functions of `holdfast.workflow` do where there are no interceptors."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        from ..workflow._context import next_run  # noqa: PLC0415

        command = next_run(self._run, input.workflow, input.args, _options(input), input.headers)
        raise self._run.continue_as_new(command)

    def info(self) -> Info:
        from ..workflow._info import info_of  # noqa: PLC0415

        return info_of(self._run)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        from .requests import Target  # noqa: PLC0415

        target = Target(input.child_workflow_id, is_child=True)
        await self._run.signal_other(target, input.signal, input.args, input.headers)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        from .requests import Target  # noqa: PLC0415

        target = Target(input.workflow_id, input.workflow_run_id or "")
        await self._run.signal_other(target, input.signal, input.args, input.headers)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        from ..workflow._activities import schedule  # noqa: PLC0415

        return schedule(
            self._run,
            input.activity,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )

    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> ChildWorkflowHandle[Any]:
        from ..workflow._children import start  # noqa: PLC0415

        return await start(
            self._run,
            input.workflow,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        from ..workflow._activities import schedule_local  # noqa: PLC0415

        return schedule_local(
            self._run,
            input.activity,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )


def chain(
    run: WorkflowRun, classes: Sequence[type[WorkflowInboundInterceptor]]
) -> tuple[WorkflowInboundInterceptor, WorkflowOutboundInterceptor]:
    """The outermost of both kinds."""
    root = _InboundRoot(run)
    inbound: WorkflowInboundInterceptor = root
    for made in reversed(classes):
        inbound = made(inbound)
    inbound.init(root.outbound)
    return inbound, root.outbound


def finish(code: Any) -> Any:
    """The result of a coroutine that must not wait."""
    try:
        code.send(None)
    except StopIteration as end:
        return end.value
    code.close()
    raise RuntimeError("an interceptor must not wait in handle_query")


# MARK: Headers


def headers_of(header: proto.Header | None) -> Headers:
    """Of a job."""
    if header is None:
        return {}
    return {entry.key: entry.value for entry in header.fields if entry.value is not None}


def header_of(headers: Headers | None) -> proto.Header | None:
    """Of a command."""
    if not headers:
        return None
    entries = [proto.PayloadEntry(key=key, value=value) for key, value in sorted(headers.items())]
    return proto.Header(fields=entries)
