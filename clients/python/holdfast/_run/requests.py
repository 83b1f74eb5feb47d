"""What a run asks of the engine and waits for: activities, children, other workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _messages as proto
from ..exceptions import ApplicationError, ChildWorkflowError, WorkflowAlreadyStartedError
from .headers import Headers, header_of
from .loop import _Future
from .waits import Waits

if TYPE_CHECKING:
    from .run import WorkflowRun


T = TypeVar("T")

# Of an argument that was not given: None is a value.
NO_VALUE: Any = object()
# The engine's type of the error.
_ALREADY_STARTED = "WorkflowAlreadyStarted"


class Ending(_Future[T]):
    """The end of what the run has begun. A cancel asks the engine, and waits for its word."""

    def __init__(self, run: WorkflowRun, seq: int, hint: Any, location: str) -> None:
        super().__init__(run.loop)
        self._run = run
        self._hint = hint
        self._is_cancelling = False
        self.seq = seq
        self.location = location

    def cancel(self, msg: Any | None = None) -> bool:
        """Asks for the end, by the cancellation type; awaited, it shows what became of that."""
        if self.done():
            return False
        if self._run.is_evicted:
            return super().cancel(msg)
        self.ask_to_cancel("" if msg is None else str(msg))
        return True

    def ask_to_cancel(self, reason: str) -> None:
        """Once, however often it is called."""
        if not self._is_cancelling:
            self._is_cancelling = True
            command = self._cancel(reason)
            command.location = self.location
            self._run.emit(command, "cancel what it has begun")

    def _cancel(self, reason: str) -> proto.Command:
        raise NotImplementedError

    def resolve(self, resolved: proto.ResolveActivity | proto.ResolveChild) -> None:
        run = self._run
        try:
            match resolved.result:
                case "completed":
                    assert resolved.completed is not None
                    self.set_result(value_of(run, resolved.completed.payloads, self._hint))
                case "failed":
                    assert resolved.failed is not None
                    self._fail(resolved.failed)
                case "canceled":
                    assert resolved.canceled is not None
                    self._fail(self._cancelled(resolved.canceled))
                case _:
                    run.fail_task(RuntimeError(f"command {self.seq} ended in an unknown way"))
        except Exception as error:  # the value is not of the hinted type
            self.set_exception(error)

    def _fail(self, failure: proto.Failure) -> None:
        self.set_exception(self._run.failures.from_failure(failure, self._run.payloads))

    def _cancelled(self, failure: proto.Failure) -> proto.Failure:
        """As the code is to see it."""
        return failure


class ActivityFuture(Ending[T]):
    """The end of an activity, local or not."""

    def __init__(
        self,
        run: WorkflowRun,
        command: proto.ScheduleActivity | proto.ScheduleLocalActivity,
        hint: Any,
        location: str,
    ) -> None:
        super().__init__(run, command.seq, hint, location)
        self._activity_id = command.activity_id or str(command.seq)
        self._activity_type = command.activity_type

    def _cancelled(self, failure: proto.Failure) -> proto.Failure:
        """The engine says only that it was cancelled; here it is told of which activity."""
        inner = failure.info or proto.FailureInfo()
        if inner.kind == "activity":
            return failure
        activity = proto.ActivityFailure(
            activity_id=self._activity_id,
            activity_type=self._activity_type,
            retry_state=proto.RetryState.CANCEL_REQUESTED,
        )
        message = f"activity '{self._activity_type}' was canceled"
        outer = proto.FailureInfo(message=message, activity=activity)
        return proto.Failure(info=outer, causes=[inner, *failure.causes])

    def _cancel(self, reason: str) -> proto.Command:
        return proto.Command(request_cancel_activity=proto.RequestCancelActivity(seq=self.seq))


class ChildFuture(Ending[T]):
    """The end of a child that was started."""

    workflow_id = ""
    first_run_id = ""

    @property
    def id(self) -> str:
        """The child's workflow id."""
        return self.workflow_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The run id of the child's first run."""
        return self.first_run_id or None

    async def signal(
        self, signal: str | Callable[..., Any], arg: Any = NO_VALUE, *, args: Sequence[Any] = ()
    ) -> None:
        """Signals the child, whichever run of it is the newest; returns when it has arrived."""
        from ..workflow._children import signal_child  # noqa: PLC0415

        await signal_child(self, signal, arg, args)

    def _cancel(self, reason: str) -> proto.Command:
        return proto.Command(cancel_child=proto.CancelChild(seq=self.seq, reason=reason))


class ChildStart(_Future[ChildFuture[Any]]):
    """The start of a child. A cancel asks for the child's."""

    def __init__(self, child: ChildFuture[Any], run: WorkflowRun) -> None:
        super().__init__(run.loop)
        self._run = run
        self.child = child

    def cancel(self, msg: Any | None = None) -> bool:
        if self.done():
            return False
        if self._run.is_evicted:
            return super().cancel(msg)
        self.child.ask_to_cancel("" if msg is None else str(msg))
        return True


@dataclass(frozen=True)
class Target:
    """Another workflow, or a child of this run."""

    workflow_id: str
    run_id: str = ""
    is_child: bool = False


def value_of(run: WorkflowRun, payloads: Sequence[proto.Payload], hint: Any) -> Any:
    """What a call has given: its one value, None where it has none."""
    if not payloads:
        return None
    return run.payloads.from_payload(payloads[0], hint)


def _not_started(error: BaseException) -> BaseException:
    """That a child's id is taken is an error of its own, which travels as what it comes of."""
    cause = error.__cause__
    if not isinstance(error, ChildWorkflowError) or not isinstance(cause, ApplicationError):
        return error
    if cause.type != _ALREADY_STARTED:
        return error
    taken = WorkflowAlreadyStartedError(error.workflow_id, error.workflow_type)
    taken._failure = error.failure
    taken.__cause__ = error
    return taken


class Requests(Waits):
    """The part of a run that keeps what it waits for, by the seq of the command."""

    __slots__ = ("_activities", "_children", "_externals", "_starts", "locals")

    def __init__(self) -> None:
        super().__init__()
        self._activities: dict[int, ActivityFuture[Any]] = {}
        # Local activities that have not ended: the worker runs them.
        self.locals: dict[int, proto.ScheduleLocalActivity] = {}
        self._starts: dict[int, ChildStart] = {}
        self._children: dict[int, ChildFuture[Any]] = {}
        self._externals: dict[int, asyncio.Future[None]] = {}

    def resolve(self, job: proto.Job) -> None:
        match job.kind:
            case "resolve_activity":
                assert job.resolve_activity is not None
                self._end_activity(job.resolve_activity)
            case "resolve_child_start":
                assert job.resolve_child_start is not None
                self._begin_child(job.resolve_child_start)
            case "resolve_child":
                assert job.resolve_child is not None
                child = self._children.pop(job.resolve_child.seq, None)
                if child is None:
                    return self._me.unknown(job.resolve_child.seq)
                child.resolve(job.resolve_child)
            case "resolve_signal_external":
                assert job.resolve_signal_external is not None
                one = job.resolve_signal_external
                self._arrived(one.seq, one.failure)
            case "resolve_cancel_external":
                assert job.resolve_cancel_external is not None
                other = job.resolve_cancel_external
                self._arrived(other.seq, other.failure)
            case _:
                self._me.fail_task(RuntimeError(f"a job that this SDK does not know: {job.kind}"))
        return None

    # MARK: Activities

    def start_activity(
        self, command: proto.ScheduleActivity, hint: Any, summary: str | None
    ) -> ActivityFuture[Any]:
        run = self._me
        run.check_may_change("start an activity")
        command.seq = run.next_seq()
        future: ActivityFuture[Any] = ActivityFuture(run, command, hint, run.location())
        self._activities[command.seq] = future
        run.commands.append(
            proto.Command(
                schedule_activity=command,
                location=future.location,
                user_metadata=run.metadata(summary),
            )
        )
        return future

    def start_local_activity(
        self, command: proto.ScheduleLocalActivity, hint: Any, summary: str | None
    ) -> ActivityFuture[Any]:
        run = self._me
        run.check_may_change("start an activity")
        command.seq = run.next_seq()
        future: ActivityFuture[Any] = ActivityFuture(run, command, hint, run.location())
        self._activities[command.seq] = future
        self.locals[command.seq] = command
        run.commands.append(
            proto.Command(
                schedule_local_activity=command,
                location=future.location,
                user_metadata=run.metadata(summary),
            )
        )
        return future

    def _end_activity(self, resolved: proto.ResolveActivity) -> None:
        future = self._activities.pop(resolved.seq, None)
        if future is None:
            return self._me.unknown(resolved.seq)
        self.locals.pop(resolved.seq, None)
        return future.resolve(resolved)

    # MARK: Children

    async def start_child(
        self,
        command: proto.StartChild,
        hint: Any,
        summary: str | None,
        details: str | None,
    ) -> ChildFuture[Any]:
        run = self._me
        run.check_may_change("start a child")
        command.seq = run.next_seq()
        child: ChildFuture[Any] = ChildFuture(run, command.seq, hint, run.location())
        child.workflow_id = command.workflow_id or f"{run.identity.run_id}/{command.seq}"
        start = ChildStart(child, run)
        self._starts[command.seq] = start
        self._children[command.seq] = child
        run.commands.append(
            proto.Command(
                start_child=command,
                location=child.location,
                user_metadata=run.metadata(summary, details),
            )
        )
        return await start

    def _begin_child(self, resolved: proto.ResolveChildStart) -> None:
        run = self._me
        start = self._starts.pop(resolved.seq, None)
        if start is None:
            return run.unknown(resolved.seq)
        if resolved.result == "started":
            assert resolved.started is not None
            start.child.workflow_id = resolved.started.workflow_id
            start.child.first_run_id = resolved.started.run_id
            start.set_result(start.child)
            return None
        failure = resolved.failed or resolved.canceled
        assert failure is not None
        del self._children[resolved.seq]
        start.set_exception(_not_started(run.failures.from_failure(failure, run.payloads)))
        return None

    # MARK: Other workflows

    async def signal_other(
        self, target: Target, name: str, values: Sequence[Any], headers: Headers | None = None
    ) -> None:
        run = self._me
        run.check_may_change("signal a workflow")
        seq = run.next_seq()
        signal = proto.SignalExternal(
            seq=seq,
            execution=proto.WorkflowExecution(workflow_id=target.workflow_id, run_id=target.run_id),
            child_workflow_only=target.is_child,
            signal_name=name,
            header=header_of(headers),
            input=run.payloads.to_payloads(values),
        )
        await self._ask(proto.Command(signal_external=signal, location=run.location()), seq)

    async def cancel_other(self, target: Target, reason: str) -> None:
        run = self._me
        run.check_may_change("cancel a workflow")
        seq = run.next_seq()
        cancel = proto.CancelExternal(
            seq=seq,
            execution=proto.WorkflowExecution(workflow_id=target.workflow_id, run_id=target.run_id),
            reason=reason,
        )
        await self._ask(proto.Command(cancel_external=cancel, location=run.location()), seq)

    async def _ask(self, command: proto.Command, seq: int) -> None:
        run = self._me
        future: asyncio.Future[None] = run.loop.create_future()
        self._externals[seq] = future
        run.commands.append(command)
        await future

    def _arrived(self, seq: int, failure: proto.Failure | None) -> None:
        run = self._me
        future = self._externals.pop(seq, None)
        if future is None:
            return run.unknown(seq)
        if future.done():  # nobody waits for it any more
            return None
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(run.failures.from_failure(failure, run.payloads))
        return None
