"""One cached run: its code, what the code awaits, and the commands that it has given."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from .. import _messages as proto
from ..common import RawValue
from ..converter import DataConverter
from ..exceptions import FailureError, is_cancelled_exception
from ..workflow._definition import WorkflowDefinition
from ..workflow._runtime import NondeterminismError, ReadOnlyContextError
from .guard import Guard, unrestricted
from .handlers import Handlers
from .headers import headers_of
from .interceptor_chain import chain
from .interceptors import (
    ExecuteWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from .loop import WorkflowLoop, WorkflowTask
from .markers import Markers
from .notes import Notes
from .requests import Requests
from .watchdog import DEFAULT_SECONDS, DeadlockError

logger = logging.getLogger("holdfast.workflow")

# Callbacks that an evicted run's code may still run before it is let go.
CALLBACKS_AFTER_EVICTION = 1_000

_PACKAGE = __name__.split(".", maxsplit=1)[0] + "."


class Evicted(BaseException):
    """The run has left the worker's memory: nothing that its code does counts any more."""


class ContinueAsNew(BaseException):
    """The code goes on as a new run."""

    def __init__(self, command: proto.ContinueAsNew, location: str) -> None:
        super().__init__("Workflow continued as new")
        self.command = command
        self.location = location


class RunIdentity(NamedTuple):
    """Which run it is."""

    run_id: str
    workflow_id: str
    workflow_type: str
    namespace: str
    task_queue: str
    task_timeout_ms: int


@dataclass(frozen=True)
class RunOptions:
    """What the worker says of all its runs."""

    converter: DataConverter
    failure_exception_types: tuple[type[BaseException], ...] = ()
    # Code may not do what would not be the same when it is run again.
    guarded: bool = True
    # Put around the code of each run; the first is the outermost.
    interceptors: tuple[type[WorkflowInboundInterceptor], ...] = ()
    # What `workflow.extern_functions()` gives.
    extern_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    # Modules, with those inside them, whose calls are not guarded.
    passthrough_modules: frozenset[str] = frozenset()
    # Seconds for which code may hold its thread; None, in a debugger: as long as it likes.
    deadlock_timeout: float | None = DEFAULT_SECONDS

    @functools.cached_property
    def guard(self) -> Guard | None:
        """Of all runs whose code is guarded."""
        return Guard(self.passthrough_modules) if self.guarded else None


_NO_BEGINNING = proto.InitializeWorkflow()


class WorkflowRun(Requests):
    """Touched only by the thread that drives it."""

    # Without, there would be more of them than Python has its quick way for.
    __slots__ = (
        *("_arguments", "_closing", "_failure_types", "_last_seq", "_options", "_primary"),
        *("_random", "_task_failure", "beginning", "cancellation_reason", "commands"),
        *("continue_as_new_suggested", "converter", "definition", "extern_functions"),
        *("failures", "handlers", "history_length", "history_size", "identity", "inbound"),
        *("instance", "is_cancel_requested", "is_evicted", "is_replaying", "loop", "markers"),
        *("notes", "outbound", "payloads", "random_seed", "read_only", "rejections"),
        *("seed_callbacks", "tasks", "time_ms"),
    )

    def __init__(
        self, definition: WorkflowDefinition, identity: RunIdentity, options: RunOptions
    ) -> None:
        self.definition = definition
        self.identity = identity
        self.converter = options.converter
        self.payloads = options.converter.payload_converter
        self.failures = options.converter.failure_converter
        self._options = options
        # As its definition says, or its dynamic configuration.
        self._failure_types: Sequence[type[BaseException]] = definition.failure_exception_types
        self.extern_functions = options.extern_functions
        # None where there are no interceptors: nothing is in between then.
        self.inbound: WorkflowInboundInterceptor | None = None
        self.outbound: WorkflowOutboundInterceptor | None = None
        guard = options.guard if definition.sandboxed else None
        self.loop = WorkflowLoop(self, guard, options.deadlock_timeout)  # type: ignore[abstract]
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.instance: Any = None
        self.beginning = _NO_BEGINNING
        self.notes = Notes()
        self.markers = Markers()
        self.handlers = Handlers(self)
        self._random: Random | None = None
        self.random_seed = 0
        self.seed_callbacks: list[Callable[[int], None]] = []
        self.time_ms = 0
        self.history_length = 0
        self.history_size = 0
        self.continue_as_new_suggested = False
        self.is_replaying = False
        self.is_cancel_requested = False
        self.cancellation_reason: str | None = None
        self.is_evicted = False
        self.read_only: str | None = None
        self.commands: list[proto.Command] = []
        self.rejections: list[proto.UpdateRejection] = []
        self._last_seq = 0
        self._primary: asyncio.Task[Any] | None = None
        self._closing: proto.Command | None = None
        self._task_failure: BaseException | None = None
        super().__init__()

    # MARK: Activations

    def activate(self, activation: proto.Activation) -> list[proto.Command]:
        """Shows the code the jobs and runs it until it waits; the commands that it gave."""
        self.is_replaying = False
        self.markers.begin(None)
        return self._show(activation, activation.jobs)

    def replay(self, past: proto.PastActivation) -> list[proto.Command]:
        """The same with what the code has been shown before."""
        self.is_replaying = True
        self.markers.begin(past.markers)
        return self._show(past, past.jobs)

    def _show(
        self, shown: proto.Activation | proto.PastActivation, jobs: Sequence[proto.Job]
    ) -> list[proto.Command]:
        self.time_ms = shown.activation_time_ms
        self.history_length = shown.history_length
        self.history_size = shown.history_size_bytes
        self.continue_as_new_suggested = shown.continue_as_new_suggested
        self.commands = []
        self.rejections = []
        self.loop.drive(lambda: self._take(jobs))
        if self._task_failure is not None:
            raise self._task_failure
        if self._closing is not None:
            self.handlers.warn_of_unfinished()
            self.commands.append(self._closing)
        return self.commands

    def _take(self, jobs: Sequence[proto.Job]) -> None:
        """Handlers of signals and updates come before other code."""
        begin, rest, is_asked = False, [], False
        for job in jobs:
            match job.kind:
                case "initialize_workflow":
                    assert job.initialize_workflow is not None
                    self._initialize(job.initialize_workflow)
                    begin = True
                case "update_random_seed":
                    assert job.update_random_seed is not None
                    self._seed(job.update_random_seed.random_seed)
                case "signal_workflow":
                    assert job.signal_workflow is not None
                    self.handlers.signal(job.signal_workflow)
                    is_asked = True
                case "do_update":
                    assert job.do_update is not None
                    self.handlers.update(job.do_update)
                    is_asked = True
                case _:
                    rest.append(job)
        if is_asked:
            self._drive()
        if begin and self._task_failure is None:
            self._primary = self.loop.create_task(self._main())
        for job in rest:
            self._resolve(job)
        self._drive()

    def _initialize(self, initialize: proto.InitializeWorkflow) -> None:
        self.beginning = initialize
        self.loop.begin_places(initialize.random_seed)
        self._seed(initialize.random_seed)
        self.notes.begin(initialize)
        definition = self.definition
        try:
            self._arguments = self._decode(
                initialize.input, definition.hints.arguments, definition.name is None
            )
            if self._options.interceptors:
                self.inbound, self.outbound = chain(self, self._options.interceptors)
            if definition.takes_input_at_init:
                self.instance = definition.cls(*self._arguments)
            else:
                self.instance = definition.cls()
            if definition.dynamic_config is not None:
                types = definition.dynamic_config(self.instance).failure_exception_types
                if types is not None:
                    self._failure_types = types
        except Exception as error:
            self._task_failure = error

    def _seed(self, seed: int) -> None:
        self.random_seed = seed
        if self._random is not None:
            self._random.seed(seed)
        for callback in self.seed_callbacks:
            callback(seed)

    @property
    def random(self) -> Random:
        # Made when it is first asked for: most runs never ask, and it takes its time.
        if self._random is None:
            self._random = Random(self.random_seed)
        return self._random

    def _decode(
        self, payloads: Sequence[proto.Payload], hints: list[type] | None, is_dynamic: bool
    ) -> list[Any]:
        if is_dynamic:
            return [[RawValue(payload) for payload in payloads]]
        return self.payloads.from_payloads(payloads, hints)

    def _resolve(self, job: proto.Job) -> None:
        match job.kind:
            case "fire_timer":
                assert job.fire_timer is not None
                self.fire(job.fire_timer.seq)
            case "cancel_workflow":
                assert job.cancel_workflow is not None
                self.is_cancel_requested = True
                self.cancellation_reason = job.cancel_workflow.reason
                if self._primary is not None:
                    # Its code has to begin before it can be cancelled.
                    self.loop.call_soon(self._primary.cancel)
            case _:
                self.resolve(job)

    def _drive(self) -> None:
        """Runs callbacks, and wakes those whose condition has come to hold, until nothing moves."""
        while True:
            self.loop.drain()
            if self._task_failure is not None or self.loop.overdue or not self.wake():
                return

    # MARK: Its code

    async def _main(self) -> None:
        try:
            result = await self._code()
            payloads = self.payloads.to_payloads([result])
            self.close(proto.Command(complete_workflow=proto.CompleteWorkflow(result=payloads)))
        except (Exception, asyncio.CancelledError, ContinueAsNew) as error:
            self.end_with(error)

    def _code(self) -> Awaitable[Any]:
        definition = self.definition
        if self.inbound is None:
            return definition.run(self.instance, *self._arguments)
        headers = headers_of(self.beginning.header)
        return self.inbound.execute_workflow(
            ExecuteWorkflowInput(definition.cls, definition.run, self._arguments, headers)
        )

    def close(self, command: proto.Command) -> None:
        """The first end counts."""
        if self._closing is None and not self.is_evicted:
            self._closing = command

    def end_with(self, error: BaseException) -> None:
        """Typed failures end the workflow; anything else is a fault of the code: the task fails."""
        if self.is_evicted:
            return
        if isinstance(error, ContinueAsNew):
            self.close(proto.Command(continue_as_new=error.command, location=error.location))
        elif self.is_cancel_requested and is_cancelled_exception(error):
            self.close(proto.Command(cancelled_workflow=proto.CancelledWorkflow()))
        elif self.is_failure(error):
            failure = self.failures.to_failure(error, self.payloads)
            self.close(proto.Command(fail_workflow=proto.FailWorkflow(failure=failure)))
        else:
            self.fail_task(error)

    def is_failure(self, error: BaseException) -> bool:
        """It ends a workflow, or the handler of an update, as failed."""
        always = (FailureError, asyncio.TimeoutError)
        types = (*always, *self._options.failure_exception_types, *self._failure_types)
        return isinstance(error, types)

    def fail_task(self, error: BaseException) -> None:
        if self._task_failure is None and not self.is_evicted:
            self._task_failure = error

    def refused(self, error: BaseException) -> None:
        """The code has called what it must not: that counts also where it catches the error."""
        if self.read_only is None and not self.is_failure(error):
            self.fail_task(error)

    def unknown(self, seq: int) -> None:
        self.fail_task(
            NondeterminismError(f"the history resolves command {seq}, which the code never gave")
        )

    def forget_task(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)

    def report(self, context: dict[str, Any]) -> None:
        """Of errors in callbacks and of those that nobody has asked for."""
        if not self.is_evicted:
            logger.error(
                "workflow %s: %s",
                self.identity.workflow_id,
                context.get("message"),
                exc_info=context.get("exception"),
            )

    # MARK: What the code asks for

    def check_may_change(self, what: str) -> None:
        if self.is_evicted:
            raise Evicted
        if self.read_only is not None:
            raise ReadOnlyContextError(f"{self.read_only} must not {what}")

    def next_seq(self) -> int:
        self._last_seq += 1
        return self._last_seq

    def emit(self, command: proto.Command, what: str) -> None:
        self.check_may_change(what)
        self.commands.append(command)

    @staticmethod
    def metadata(summary: str | None, details: str | None = None) -> proto.UserMetadata | None:
        if not summary and not details:
            return None
        return proto.UserMetadata(summary=summary or "", details=details or "")

    @staticmethod
    def location() -> str:
        """Where in the user's code, as `file:line`."""
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code is WorkflowLoop.drive.__code__:
                break  # whoever runs the worker is not in the workflow
            module = frame.f_globals.get("__name__", "")
            if not module.startswith((_PACKAGE, "asyncio.")) and module != "asyncio":
                return f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno}"
            frame = frame.f_back  # type: ignore[assignment]
        return ""

    def patched(self, patch_id: str, *, deprecated: bool) -> bool:
        self.check_may_change("use patches")
        is_patched, is_first = self.markers.answer(patch_id)
        if is_first:
            marker = proto.RecordMarker(
                marker_name=Markers.PATCH, marker_id=patch_id, deprecated=deprecated
            )
            self.commands.append(proto.Command(record_marker=marker, location=self.location()))
        return is_patched

    def side_effect(self, make: Callable[[], Any], hint: Any) -> Any:
        self.check_may_change("record a value")
        seq = self.next_seq()
        if self.markers.is_past:
            payload = self.markers.value(seq)
            if payload is None:
                error = NondeterminismError(
                    f"the history holds no value of the side effect that is command {seq}"
                )
                self.fail_task(error)
                raise error
        else:
            with unrestricted():
                payload = self.payloads.to_payload(make())
        marker = proto.RecordMarker(
            marker_name=Markers.SIDE_EFFECT,
            seq=seq,
            details=[proto.PayloadEntry(key="value", value=payload)],
        )
        self.commands.append(proto.Command(record_marker=marker, location=self.location()))
        return self.payloads.from_payload(payload, hint)

    def continue_as_new(self, command: proto.ContinueAsNew) -> ContinueAsNew:
        self.check_may_change("continue as new")
        return ContinueAsNew(command, self.location())

    # MARK: Eviction

    def evict(self) -> None:
        """Ends everything that the code awaits; what it does from now on is discarded."""
        self.is_evicted = True
        self.commands = []
        if not self.tasks and self.loop.is_idle:
            return
        with contextlib.suppress(DeadlockError):  # the watchdog has said it
            self.loop.drive(self._cancel_all)

    def _cancel_all(self) -> None:
        for task in list(self.tasks):
            WorkflowTask.cancel(task)
        self.loop.drain(CALLBACKS_AFTER_EVICTION)

    def stack(self) -> str:
        """Where each of its tasks waits."""
        parts = []
        for task in self.tasks:
            frames = task.get_stack()
            where = [
                f"  {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
                for frame in frames
            ]
            parts.append("\n".join([f"{task.get_name()}:", *where]))
        return "\n\n".join(parts)
