"""One attempt of an activity in the hands of a worker, from the task to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from . import activity
from ._failures import check, to_failure
from ._library import Arena, ffi, lib, to_bytes, to_str
from .errors import ApplicationError, CancelledError, Code, HoldfastError
from .payloads import from_c, to_c


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)


def _span(milliseconds: int) -> timedelta | None:
    return timedelta(milliseconds=milliseconds) if milliseconds else None


def _read_info(handle: Any) -> activity.Info:
    return activity.Info(
        activity_id=to_str(lib.holdfast_activity_id(handle)),
        activity_type=to_str(lib.holdfast_activity_type(handle)),
        workflow_id=to_str(lib.holdfast_activity_workflow_id(handle)),
        workflow_run_id=to_str(lib.holdfast_activity_run_id(handle)),
        workflow_type=to_str(lib.holdfast_activity_workflow_type(handle)),
        namespace=to_str(lib.holdfast_activity_namespace(handle)),
        task_queue=to_str(lib.holdfast_activity_task_queue(handle)),
        attempt=lib.holdfast_activity_attempt(handle),
        idempotency_key=to_str(lib.holdfast_activity_idempotency_key(handle)),
        task_token=to_bytes(lib.holdfast_activity_token(handle)),
        heartbeat_details=from_c(lib.holdfast_activity_heartbeat_details(handle)),
        scheduled_time=_instant(lib.holdfast_activity_scheduled_time_ms(handle)),
        started_time=_instant(lib.holdfast_activity_started_time_ms(handle)),
        start_to_close_timeout=_span(lib.holdfast_activity_start_to_close_timeout_ms(handle)),
        schedule_to_close_timeout=_span(lib.holdfast_activity_schedule_to_close_timeout_ms(handle)),
        heartbeat_timeout=_span(lib.holdfast_activity_heartbeat_timeout_ms(handle)),
    )


class Attempt:
    """Owns a retained holdfast_activity, which is released with this object."""

    def __init__(self, handle: Any, function: Callable[..., Any], *, is_async: bool) -> None:
        self._handle = ffi.gc(lib.holdfast_activity_retain(handle), lib.holdfast_activity_release)
        self.token = to_bytes(lib.holdfast_activity_token(handle))
        self.is_async = is_async
        self.cancelled = threading.Event()
        self.task: asyncio.Task[None] | None = None
        self._function = function
        self._info: activity.Info | None = None

    @property
    def info(self) -> activity.Info:
        if self._info is None:
            self._info = _read_info(self._handle)
        return self._info

    @property
    def cancel_reason(self) -> activity.CancelReason:
        return activity.CancelReason(lib.holdfast_activity_cancel_reason(self._handle))

    def heartbeat(self, details: tuple[Any, ...]) -> None:
        arena = Arena()
        status = lib.holdfast_activity_heartbeat(self._handle, to_c(details, arena))
        if status in (Code.CANCELLED, Code.CLOSED):
            if not self.is_async:
                raise CancelledError(f"cancelled: {self.cancel_reason.name}")
        else:
            check(status)

    def run(self) -> None:
        """Runs a synchronous function, to the end of the attempt."""
        activity.current.set(self)
        try:
            result = self._function(*from_c(lib.holdfast_activity_input(self._handle)))
        except BaseException as error:
            self._end_with(error)
        else:
            self._complete(result)

    async def run_async(self) -> None:
        """Runs a coroutine function, to the end of the attempt."""
        activity.current.set(self)
        self.task = asyncio.current_task()
        try:
            if self.cancelled.is_set():
                raise CancelledError
            result = await self._function(*from_c(lib.holdfast_activity_input(self._handle)))
        except BaseException as error:
            self._end_with(error)
        else:
            self._complete(result)

    def _complete(self, result: Any) -> None:
        arena = Arena()
        try:
            check(lib.holdfast_activity_complete(self._handle, to_c([result], arena)))
        except HoldfastError as error:
            if error.code == Code.TOO_LARGE:
                self._fail(ApplicationError("the result is too large", type="ResultTooLarge"))
            # Else the worker is over or the lease gone: nobody waits for the answer.
        except Exception as error:
            self._fail(error)

    def _end_with(self, error: BaseException) -> None:
        reason = self.cancel_reason
        stopped = isinstance(error, (CancelledError, asyncio.CancelledError))
        if isinstance(error, activity.CompleteElsewhere):
            lib.holdfast_activity_will_complete_elsewhere(self._handle)
        elif not stopped or reason == activity.CancelReason.NONE:
            self._fail(error)
        elif reason == activity.CancelReason.WORKER_STOPPING:
            self._fail(ApplicationError("the worker was stopped", type="WorkerStopping"))
        else:
            self._report_cancelled(error)

    def _report_cancelled(self, error: BaseException) -> None:
        arena = Arena()
        details = error.details if isinstance(error, CancelledError) else []
        try:
            payloads = to_c(details, arena)
        except (TypeError, ValueError) as unwritable:
            self._fail(unwritable)
            return
        lib.holdfast_activity_cancelled(self._handle, payloads)

    def _fail(self, error: BaseException) -> None:
        """The status does not matter: were the failure refused, the attempt would be over."""
        arena = Arena()
        try:
            failure = to_failure(error, arena)
        except (TypeError, ValueError) as unwritable:  # the details of an ApplicationError
            failure = to_failure(unwritable, arena)
        status = lib.holdfast_activity_fail(self._handle, failure)
        if status == Code.TOO_LARGE:
            small = ApplicationError("the failure is too large", type=type(error).__name__)
            lib.holdfast_activity_fail(self._handle, to_failure(small, arena))
