"""One attempt of an activity in the hands of a worker, from the task to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from .. import _core, activity
from .. import _messages as proto
from ..common import from_instant_ms, from_ms
from ..converter import DataConverter
from ..exceptions import ApplicationError, CancelledError
from ..workflow._definition import Hints

_REASONS = activity.CancelReason


class Attempt:
    """What `holdfast.activity` speaks to while the activity's function runs.

    `answered` is called after each answer, from whichever thread gave it.
    """

    def __init__(
        self,
        core: _core.Worker,
        task: proto.ActivityTask,
        function: Callable[..., Any],
        converter: DataConverter,
        answered: Callable[[], None],
    ) -> None:
        self.token = task.token
        self.is_async = asyncio.iscoroutinefunction(function)
        self.cancelled = threading.Event()
        self.cancel_reason = _REASONS.NONE
        self.task: asyncio.Task[None] | None = None
        self._core = core
        self._task = task
        self._function = function
        self._converter = converter
        self._answered = answered
        self._info: activity.Info | None = None

    @property
    def info(self) -> activity.Info:
        if self._info is None:
            task = self._task
            details = self._converter.payload_converter.from_payloads(task.heartbeat_details)
            self._info = activity.Info(
                activity_id=task.activity_id,
                activity_type=task.activity_type,
                workflow_id=task.workflow_id,
                workflow_run_id=task.run_id,
                workflow_type=task.workflow_type,
                namespace=task.namespace,
                task_queue=task.task_queue,
                attempt=task.attempt,
                idempotency_key=task.idempotency_key,
                task_token=task.token,
                heartbeat_details=details,
                scheduled_time=from_instant_ms(task.scheduled_time_ms),
                started_time=from_instant_ms(task.started_time_ms),
                start_to_close_timeout=from_ms(task.start_to_close_timeout_ms),
                schedule_to_close_timeout=from_ms(task.schedule_to_close_timeout_ms),
                heartbeat_timeout=from_ms(task.heartbeat_timeout_ms),
            )
        return self._info

    def heartbeat(self, details: tuple[Any, ...]) -> None:
        payloads = self._converter.payload_converter.to_payloads(details)
        message = proto.Heartbeat(token=self.token, details=payloads)
        should_stop = self._core.heartbeat(message.encode())
        self._answered()
        if should_stop and not self.is_async:
            raise CancelledError(f"cancelled: {self.cancel_reason.name}")

    def cancel(self, reason: activity.CancelReason) -> None:
        """On the worker's loop: the function is told that it should stop."""
        self.cancel_reason = reason
        self.cancelled.set()
        if self.task is not None:
            self.task.cancel()

    # MARK: Running

    def _arguments(self) -> list[Any]:
        hints = Hints.of(self._function).arguments
        return self._converter.payload_converter.from_payloads(self._task.input, hints)

    def run(self) -> None:
        """Runs a synchronous function, to the end of the attempt."""
        activity.current.set(self)
        try:
            result = self._function(*self._arguments())
            self._complete(result)
        except BaseException as error:
            self._end_with(error)

    async def run_async(self) -> None:
        """Runs a coroutine function, to the end of the attempt."""
        activity.current.set(self)
        try:
            if self.cancelled.is_set():
                raise CancelledError
            result = await self._function(*self._arguments())
            self._complete(result)
        except BaseException as error:
            self._end_with(error)

    def _complete(self, result: Any) -> None:
        payloads = self._converter.payload_converter.to_payloads([result])
        message = proto.ActivityCompleted(token=self.token, result=payloads).encode()
        self._answer(lambda: self._core.complete_activity(message))

    def _answer(self, give: Callable[[], None]) -> None:
        """Without a lease, or with a worker that is over, nobody waits for the answer."""
        try:
            give()
        except _core.Closed:
            return
        except _core.Error as error:
            if error.code != "ALREADY_COMPLETED":
                raise
        self._answered()

    def _end_with(self, error: BaseException) -> None:
        is_stopped = isinstance(error, (CancelledError, asyncio.CancelledError))
        reason = self.cancel_reason
        if isinstance(error, activity.CompleteElsewhere):
            self._answer(lambda: self._core.will_complete_elsewhere(self.token))
        elif not is_stopped or reason == _REASONS.NONE:
            self._fail(error)
        elif reason == _REASONS.WORKER_STOPPING:
            self._fail(ApplicationError("the worker was stopped", type="WorkerStopping"))
        else:
            details = error.details if isinstance(error, CancelledError) else ()
            payloads = self._converter.payload_converter.to_payloads(details)
            message = proto.ReportActivityCancelled(token=self.token, details=payloads).encode()
            self._answer(lambda: self._core.report_activity_cancelled(message))

    def _fail(self, error: BaseException) -> None:
        converter = self._converter
        failure = converter.failure_converter.to_failure(error, converter.payload_converter)
        message = proto.ActivityFailed(token=self.token, failure=failure).encode()
        self._answer(lambda: self._core.fail_activity(message))
