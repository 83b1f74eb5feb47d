"""One attempt of an activity in the hands of a worker, from the task to its end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import _messages as proto
from .. import activity
from ..common import Priority, RawValue, RetryPolicy, from_instant_ms, from_ms
from ..converter import DataConverter
from ..exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from ._codec import recode
from ._functions import Function, is_async
from ._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)
from ._processes import Elsewhere, SharedStateManager, run_in_process
from ._threads import ThreadCancellation

T = TypeVar("T")
logger = logging.getLogger("holdfast.activity")


@dataclass(frozen=True)
class Completed:
    """The function has given a value."""

    payloads: Sequence[proto.Payload]


@dataclass(frozen=True)
class Failed:
    """It has raised an error."""

    failure: proto.Failure


@dataclass(frozen=True)
class Cancelled:
    """It was told to stop, and has."""

    details: Sequence[proto.Payload]


@dataclass(frozen=True)
class GivenAway:
    """Somebody else completes it later."""


Outcome = Completed | Failed | Cancelled | GivenAway


@dataclass(frozen=True)
class Surroundings:
    """What all attempts of a worker share."""

    converter: DataConverter
    interceptors: Sequence[Interceptor]
    executor: concurrent.futures.Executor
    # Set: `executor` runs functions in other processes.
    shared_state: SharedStateManager | None
    client: Any
    worker_shutdown: activity.Signal
    # The same for other processes.
    shutdown_elsewhere: Any
    # For what waits for the manager of other processes.
    helpers: concurrent.futures.Executor
    # Is called when `executor` can run nothing any more.
    broken: Callable[[BaseException], None]

    async def help(self, function: Callable[..., T], *args: Any) -> T:
        """Calls a function that waits, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.helpers, function, *args)


class Attempt:
    """Touched only on the worker's loop, but for what its function calls through its context.

    beat: takes the details of a heartbeat, in whichever thread it is given; None: a local activity.
    """

    def __init__(
        self,
        task: proto.ActivityTask,
        function: Function,
        around: Surroundings,
        beat: Callable[[list[proto.Payload]], None] | None,
    ) -> None:
        self.task = task
        self.cancellation: activity.ActivityCancellationDetails | None = None
        self._function = function
        self._around = around
        self._beat = beat
        self._cancelled = activity.Signal.on_loop()
        self._thread = ThreadCancellation()
        # Where its function runs in another process, and the task that awaits its coroutine.
        self._elsewhere: Elsewhere | None = None
        self._awaiting: asyncio.Task[Any] | None = None
        self._info: activity.Info | None = None

    def cancel(self, details: activity.ActivityCancellationDetails) -> None:
        """The function is told that it should stop; the first reason stays."""
        if self.cancellation is not None:
            return
        self.cancellation = details
        self._cancelled.set()
        if self._awaiting is not None:
            self._awaiting.cancel()
        if not self._function.no_thread_cancel_exception:
            self._thread.cancel()
        if self._elsewhere is not None:
            # It speaks to another process, and waits for its answer.
            self._around.helpers.submit(self._elsewhere.cancel, details)

    # MARK: What the function asks for

    def info(self) -> activity.Info:
        if self._info is None:
            self._info = self._read_info()
        return self._info

    def _read_info(self) -> activity.Info:
        task = self.task
        details = self._around.converter.payload_converter.from_payloads(task.heartbeat_details)
        policy = task.retry_policy
        return activity.Info(
            activity_id=task.activity_id,
            activity_type=task.activity_type,
            attempt=task.attempt,
            current_attempt_scheduled_time=from_instant_ms(task.current_attempt_scheduled_time_ms),
            heartbeat_details=details,
            heartbeat_timeout=from_ms(task.heartbeat_timeout_ms),
            idempotency_key=task.idempotency_key,
            is_local=self._beat is None,
            namespace=task.namespace,
            priority=Priority._from_proto(task.priority),
            retry_policy=RetryPolicy._from_proto(policy) if policy is not None else None,
            schedule_to_close_timeout=from_ms(task.schedule_to_close_timeout_ms),
            scheduled_time=from_instant_ms(task.scheduled_time_ms),
            start_to_close_timeout=from_ms(task.start_to_close_timeout_ms),
            started_time=from_instant_ms(task.started_time_ms),
            task_queue=task.task_queue,
            task_token=task.token,
            workflow_id=task.workflow_id,
            workflow_namespace=task.namespace if task.workflow_id else "",
            workflow_run_id=task.run_id if task.workflow_id else "",
            workflow_type=task.workflow_type,
            activity_run_id=None if task.workflow_id else task.run_id,
        )

    def heartbeat(self, *details: Any) -> None:
        if self._beat is not None:
            self._beat(self._around.converter.payload_converter.to_payloads(details))

    # MARK: Running

    async def run(self) -> Outcome:
        """Runs the function; whatever happens in it is an outcome."""
        try:
            return Completed(await self._around.converter.encode([await self._result()]))
        except GeneratorExit:
            # The loop is gone, and nobody hears of it.
            raise
        except BaseException as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None:
                # What follows may be awaited as ever.
                getattr(task, "uncancel", lambda: 0)()
            return await self._ending(error)

    async def _result(self) -> Any:
        around, task = self._around, self.task
        if around.converter._codec is not None and self._beat is not None:
            # A local activity has its values from the workflow's code itself.
            await recode(task, around.converter._codec.decode)
        inbound: ActivityInboundInterceptor | None = None
        if around.interceptors:
            inbound = _Inbound(self)
            for interceptor in reversed(around.interceptors):
                inbound = interceptor.intercept_activity(inbound)
            inbound.init(_Outbound(self))
        else:
            self.set_context(self)
        header = task.header.fields if task.header is not None else ()
        input = ExecuteActivityInput(
            fn=self._function.call,
            args=self._arguments(),
            executor=None if self._function.is_async else around.executor,
            headers={entry.key: entry.value for entry in header if entry.value is not None},
        )
        return await (self.call(input) if inbound is None else inbound.execute_activity(input))

    def _arguments(self) -> list[Any]:
        if self._function.is_dynamic:
            return [[RawValue(payload) for payload in self.task.input]]
        converter = self._around.converter.payload_converter
        return converter.from_payloads(self.task.input, self._function.argument_hints)

    def set_context(self, outbound: ActivityOutboundInterceptor | Attempt) -> None:
        """What the functions of `holdfast.activity` speak to in this task."""
        around, is_async = self._around, self._function.is_async
        cancelled, shutdown = self._cancelled, around.worker_shutdown
        in_thread = not is_async and around.shared_state is None
        activity.current.set(
            activity.Context(
                info=outbound.info,
                heartbeat=outbound.heartbeat,
                cancelled=cancelled if is_async else activity.Signal(cancelled.thread),
                worker_shutdown=shutdown if is_async else activity.Signal(shutdown.thread),
                payload_converter=around.converter.payload_converter,
                cancellation_details=lambda: self.cancellation,
                client=around.client if is_async else None,
                shield=self._thread.shield if in_thread else contextlib.nullcontext,
            )
        )

    async def call(self, input: ExecuteActivityInput) -> Any:
        """After all interceptors: the function itself, where it belongs."""
        function = self._function
        # An interceptor may have put another in its place.
        if function.is_async if input.fn is function.call else is_async(input.fn):
            return await self._call_async(input)
        executor = input.executor or self._around.executor
        if self._around.shared_state is not None:
            try:
                return await self._call_elsewhere(self._around.shared_state, executor, input)
            except concurrent.futures.BrokenExecutor as error:
                if executor is self._around.executor:
                    self._around.broken(error)
                raise
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(executor, context.run, self._call_in_thread, input)

    async def _call_async(self, input: ExecuteActivityInput) -> Any:
        if self.cancellation is not None:
            raise CancelledError
        self._awaiting = asyncio.current_task()
        try:
            return await input.fn(*input.args)
        finally:
            self._awaiting = None

    def _call_in_thread(self, input: ExecuteActivityInput) -> Any:
        if self._function.no_thread_cancel_exception:
            return input.fn(*input.args)
        self._thread.begin()
        try:
            return input.fn(*input.args)
        finally:
            self._thread.end()

    async def _call_elsewhere(
        self,
        shared: SharedStateManager,
        executor: concurrent.futures.Executor,
        input: ExecuteActivityInput,
    ) -> Any:
        around, context = self._around, contextvars.copy_context()
        beat = activity.current.get().heartbeat
        elsewhere = self._elsewhere = await around.help(
            Elsewhere,
            shared,
            activity.current.get().info(),
            lambda *details: context.run(beat, *details),
            around.shutdown_elsewhere,
            around.converter.payload_converter_class,
        )
        if self.cancellation is not None:
            await around.help(elsewhere.cancel, self.cancellation)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                executor, run_in_process, elsewhere.told, input.fn, input.args
            )
        finally:
            self._elsewhere = None
            # What it has sent arrives before its end does.
            await around.help(elsewhere.end)

    # MARK: Its end

    async def _ending(self, error: BaseException) -> Outcome:
        converter = self._around.converter
        if isinstance(error, activity.CompleteAsyncError):
            if self._beat is not None:
                return GivenAway()
            error = ApplicationError(
                "a local activity cannot be completed from elsewhere", non_retryable=True
            )
        elif self.cancellation is not None and isinstance(
            error, (CancelledError, asyncio.CancelledError)
        ):
            if not self.cancellation.worker_shutdown:
                details = error.details if isinstance(error, CancelledError) else ()
                return Cancelled(await converter.encode(details))
            error = ApplicationError("the worker was stopped", type="WorkerShutdown")
        self._log(error)
        try:
            return Failed(await self.failure(error))
        except Exception as one:
            # No converter takes its details, or the codec has raised an error: that is told alone.
            unwritable = one
        unwritable.__context__ = unwritable.__cause__ = None
        plain = DataConverter.default
        return Failed(plain.failure_converter.to_failure(unwritable, plain.payload_converter))

    async def failure(self, error: BaseException) -> proto.Failure:
        converter = self._around.converter
        failure = converter.failure_converter.to_failure(error, converter.payload_converter)
        if converter._codec is not None:
            # One that was received belongs to its error.
            failure = proto.Failure.decode(failure.encode())
            await recode(failure, converter._codec.encode)
        return failure

    def _log(self, error: BaseException) -> None:
        is_benign = (
            isinstance(error, ApplicationError)
            and error.category == ApplicationErrorCategory.BENIGN
        )
        logger.log(
            logging.DEBUG if is_benign else logging.WARNING,
            "activity %s (%s), attempt %s, has failed",
            self.task.activity_type,
            self.task.activity_id,
            self.task.attempt,
            exc_info=error,
        )


class _Inbound(ActivityInboundInterceptor):
    """Behind all interceptors."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._attempt.set_context(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self._attempt.call(input)


class _Outbound(ActivityOutboundInterceptor):
    """Behind all interceptors."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def info(self) -> activity.Info:
        return self._attempt.info()

    def heartbeat(self, *details: Any) -> None:
        self._attempt.heartbeat(*details)
