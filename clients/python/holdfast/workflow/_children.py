"""Children, and other workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypedDict, TypeVar

from .. import _messages as proto
from .._run.headers import header_of
from .._run.interceptors import (
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartChildWorkflowInput,
)
from .._run.requests import NO_VALUE, Target
from .._run.requests import ChildFuture as ChildWorkflowHandle
from ..common import (
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
    to_ms,
)
from ._activities import VersioningIntent, arguments, check_options, input_of
from ._definition import SIGNAL, Hints, WorkflowDefinition
from ._runtime import current

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._run.headers import Headers
    from .._run.run import WorkflowRun

P = ParamSpec("P")
R = TypeVar("R")


class ParentClosePolicy(IntEnum):
    """What becomes of a child when this run has closed."""

    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildWorkflowCancellationType(IntEnum):
    """What a cancel of a child waits for."""

    ABANDON = 1
    TRY_CANCEL = 2
    WAIT_CANCELLATION_COMPLETED = 3
    WAIT_CANCELLATION_REQUESTED = 4


class ChildWorkflowConfig(TypedDict, total=False):
    """The options of a child."""

    id: str | None
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | None
    static_summary: str | None
    static_details: str | None
    priority: Priority
    concurrency_key: str | None
    result_type: type | None
    # Refused: a child runs once. A schedule, or continue_as_new, does what it did.
    cron_schedule: str
    # Without effect.
    versioning_intent: VersioningIntent | None


_OPTIONS = frozenset(ChildWorkflowConfig.__annotations__)


def signal_name(signal: str | Callable[..., Any]) -> str:
    if isinstance(signal, str):
        return signal
    definition = getattr(signal, SIGNAL, None)
    if definition is None or definition.name is None:
        raise ValueError("a signal is a name or a method with @workflow.signal and a name")
    return str(definition.name)


async def signal_child(
    child: ChildWorkflowHandle[Any],
    signal: str | Callable[..., Any],
    arg: Any,
    args: Sequence[Any],
) -> None:
    """Of `ChildWorkflowHandle.signal`."""
    run, name, values = current(), signal_name(signal), arguments(arg, args)
    if run.outbound is None:
        await run.signal_other(Target(child.id, is_child=True), name, values)
    else:
        await run.outbound.signal_child_workflow(SignalChildWorkflowInput(name, values, child.id))


def workflow_named(workflow: Any) -> tuple[str, Hints]:
    """The type's name, and the hints of its signature."""
    if isinstance(workflow, str):
        return workflow, Hints(None, None)
    definition = WorkflowDefinition.of_run(workflow)
    if definition is None and isinstance(workflow, type):
        definition = WorkflowDefinition.must_be_of(workflow)
    if definition is None or definition.name is None:
        raise TypeError("a workflow is a name or a class's method with @workflow.run")
    return definition.name, definition.hints


async def start_child_workflow(
    workflow: str | Callable[Concatenate[Any, P], Awaitable[Any]],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any]:
    """Starts a child and returns when it runs.

    WorkflowAlreadyStartedError: its id is taken. ChildWorkflowError: anything else is in the way.
    workflow: a class's run method, or a name. Its id is this run's and a number if None. The handle
    is awaited for the child's result, or raises ChildWorkflowError; cancelled, it asks the child to
    end, by its cancellation type.
    """
    run = current()
    check_options(options, _OPTIONS, "a child")
    name, hints = workflow_named(workflow)
    hint = options.get("result_type") or hints.result
    values = arguments(arg, args)
    if run.outbound is None:
        return await start(run, name, values, options, hint=hint)
    return await run.outbound.start_child_workflow(
        input_of(
            StartChildWorkflowInput,
            options,
            workflow=name,
            args=values,
            arg_types=hints.arguments,
            ret_type=hint,
        )
    )


def memo_of(run: WorkflowRun, memo: Mapping[str, Any]) -> proto.Memo:
    """As it is sent."""
    return proto.Memo(
        fields=[
            proto.PayloadEntry(key=key, value=run.payloads.to_payload(value))
            for key, value in sorted(memo.items())
        ]
    )


def attributes_of(attributes: TypedSearchAttributes) -> proto.SearchAttributes:
    """As they are sent."""
    if not isinstance(attributes, TypedSearchAttributes):
        raise TypeError("search attributes are TypedSearchAttributes, whose keys name the types")
    return attributes._to_proto()


async def start(
    run: WorkflowRun,
    name: str,
    values: Sequence[Any],
    options: Mapping[str, Any],
    *,
    hint: Any,
    headers: Headers | None = None,
) -> ChildWorkflowHandle[Any]:
    """Behind the interceptors."""
    if options.get("cron_schedule"):
        raise ValueError("a child has no cron_schedule: make a schedule, or continue as new")
    memo, policy = options.get("memo"), options.get("retry_policy")
    attributes = options.get("search_attributes")
    cancellation = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    command = proto.StartChild(
        workflow_id=options.get("id") or "",
        workflow_type=name,
        task_queue=options.get("task_queue") or "",
        header=header_of(headers),
        input=run.payloads.to_payloads(values),
        execution_timeout_ms=to_ms(options.get("execution_timeout")),
        run_timeout_ms=to_ms(options.get("run_timeout")),
        task_timeout_ms=to_ms(options.get("task_timeout")),
        id_reuse_policy=options.get("id_reuse_policy") or WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        parent_close_policy=options.get("parent_close_policy") or ParentClosePolicy.TERMINATE,
        cancellation_type=options.get("cancellation_type") or cancellation,
        priority=options.get("priority", Priority.default)._to_proto(),
        concurrency_key=options.get("concurrency_key") or "",
    )
    if policy is not None:
        command.retry_policy = policy._to_proto()
    if memo:
        command.memo = memo_of(run, memo)
    if attributes:
        command.search_attributes = attributes_of(attributes)
    return await run.start_child(
        command, hint, options.get("static_summary"), options.get("static_details")
    )


async def execute_child_workflow(
    workflow: str | Callable[Concatenate[Any, P], Awaitable[R]],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ChildWorkflowConfig],
) -> Any:
    """Starts a child and waits for its result."""
    return await (await start_child_workflow(workflow, arg, args=args, **options))


class ExternalWorkflowHandle(Generic[R]):
    """Another workflow, to signal or to cancel it."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def id(self) -> str:
        """Its workflow id."""
        return self._target.workflow_id

    @property
    def run_id(self) -> str | None:
        """The run that was named; None: the newest."""
        return self._target.run_id or None

    async def signal(
        self, signal: str | Callable[..., Any], arg: Any = NO_VALUE, *, args: Sequence[Any] = ()
    ) -> None:
        """Returns when the signal has arrived; raises ApplicationError when it cannot."""
        run, name, values = current(), signal_name(signal), arguments(arg, args)
        if run.outbound is None:
            await run.signal_other(self._target, name, values)
            return
        await run.outbound.signal_external_workflow(
            SignalExternalWorkflowInput(name, values, run.identity.namespace, self.id, self.run_id)
        )

    async def cancel(self, *, reason: str | None = None) -> None:
        """Returns when the request has arrived; raises ApplicationError when it cannot."""
        await current().cancel_other(self._target, reason or "")


def get_external_workflow_handle(
    workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[Any]:
    """Of a workflow by its id: of its newest run if no run is named."""
    current()
    return ExternalWorkflowHandle(Target(workflow_id, run_id or ""))


def get_external_workflow_handle_for(
    workflow: Callable[..., Any], workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[Any]:
    """The same, typed by the workflow's run method."""
    return get_external_workflow_handle(workflow_id, run_id=run_id)
