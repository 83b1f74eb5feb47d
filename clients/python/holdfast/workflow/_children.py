"""Children, and other workflows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypedDict, TypeVar

from .. import _messages as proto
from .._run.requests import ChildFuture, Target
from ..common import (
    Priority,
    RetryPolicy,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
    to_ms,
)
from ._activities import _NO_VALUE, arguments
from ._definition import SIGNAL, WorkflowDefinition
from ._runtime import current

if TYPE_CHECKING:
    from typing_extensions import Unpack

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


class ChildWorkflowHandle(Generic[R]):
    """A child that runs. Awaited it gives the child's result, or raises ChildWorkflowError."""

    def __init__(self, child: ChildFuture) -> None:
        self._child = child

    @property
    def id(self) -> str:
        return self._child.workflow_id

    @property
    def first_execution_run_id(self) -> str | None:
        return self._child.first_run_id or None

    def __await__(self) -> Any:
        return self._child.__await__()

    def result(self) -> R:
        """Of a child that has ended."""
        return self._child.result()  # type: ignore[no-any-return]

    def done(self) -> bool:
        return self._child.done()

    def cancel(self, msg: Any | None = None) -> bool:
        """Asks the child to end, by its cancellation type."""
        return self._child.cancel(msg)

    async def signal(
        self, signal: str | Callable[..., Any], arg: Any = _NO_VALUE, *, args: Sequence[Any] = ()
    ) -> None:
        """Signals the child, whichever run of it is the newest; returns when it has arrived."""
        await current().signal_other(
            Target(self._child.workflow_id, is_child=True),
            signal_name(signal),
            arguments(arg, args),
        )


def signal_name(signal: str | Callable[..., Any]) -> str:
    if isinstance(signal, str):
        return signal
    definition = getattr(signal, SIGNAL, None)
    if definition is None or definition.name is None:
        raise ValueError("a signal is a name or a method with @workflow.signal and a name")
    return str(definition.name)


def workflow_named(workflow: Any) -> tuple[str, Any]:
    """The type's name, and the hint of its result."""
    if isinstance(workflow, str):
        return workflow, None
    definition = WorkflowDefinition.of_run(workflow)
    if definition is None and isinstance(workflow, type):
        definition = WorkflowDefinition.must_be_of(workflow)
    if definition is None or definition.name is None:
        raise TypeError("a workflow is a name or a class's method with @workflow.run")
    return definition.name, definition.hints.result


async def start_child_workflow(
    workflow: str | Callable[Concatenate[Any, P], Awaitable[Any]],
    arg: Any = _NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any]:
    """Starts a child and returns when it runs; raises ChildWorkflowError if it cannot be started.

    workflow: a class's run method, or a name. Its id is this run's and a number if None.
    """
    run = current()
    name, hint = workflow_named(workflow)
    memo, policy = options.get("memo"), options.get("retry_policy")
    attributes = options.get("search_attributes")
    cancellation = ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED
    command = proto.StartChild(
        workflow_id=options.get("id") or "",
        workflow_type=name,
        task_queue=options.get("task_queue") or "",
        input=run.payloads.to_payloads(arguments(arg, args)),
        execution_timeout_ms=to_ms(options.get("execution_timeout")),
        run_timeout_ms=to_ms(options.get("run_timeout")),
        task_timeout_ms=to_ms(options.get("task_timeout")),
        id_reuse_policy=options.get("id_reuse_policy", WorkflowIDReusePolicy.ALLOW_DUPLICATE),
        parent_close_policy=options.get("parent_close_policy", ParentClosePolicy.TERMINATE),
        cancellation_type=options.get("cancellation_type", cancellation),
        priority=options.get("priority", Priority.default)._to_proto(),
        concurrency_key=options.get("concurrency_key") or "",
    )
    if policy is not None:
        command.retry_policy = policy._to_proto()
    if memo:
        entries = [
            proto.PayloadEntry(key=key, value=run.payloads.to_payload(value))
            for key, value in sorted(memo.items())
        ]
        command.memo = proto.Memo(fields=entries)
    if attributes:
        command.search_attributes = attributes._to_proto()
    child = await run.start_child(
        command,
        options.get("result_type") or hint,
        options.get("static_summary"),
        options.get("static_details"),
    )
    return ChildWorkflowHandle(child)


async def execute_child_workflow(
    workflow: str | Callable[Concatenate[Any, P], Awaitable[R]],
    arg: Any = _NO_VALUE,
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
        return self._target.workflow_id

    @property
    def run_id(self) -> str | None:
        return self._target.run_id or None

    async def signal(
        self, signal: str | Callable[..., Any], arg: Any = _NO_VALUE, *, args: Sequence[Any] = ()
    ) -> None:
        """Returns when the signal has arrived; raises ApplicationError when it cannot."""
        await current().signal_other(self._target, signal_name(signal), arguments(arg, args))

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
