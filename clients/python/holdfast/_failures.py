"""Exceptions to C failures and back, and the errors of calls."""

from __future__ import annotations

import traceback
from datetime import timedelta
from typing import Any

from . import errors
from ._library import Arena, ffi, lib, to_bytes, to_str
from ._wire import Message
from .payloads import from_c, to_c

CAUSES_MAX = 10  # of one failure; a longer chain says nothing more
STACK_TRACE_CHARACTERS_MAX = 16_384  # the last of it: where the exception was raised
SOURCE = "holdfast-python"

TIMEOUT_KINDS = ("", "START_TO_CLOSE", "SCHEDULE_TO_START", "SCHEDULE_TO_CLOSE", "HEARTBEAT")


def milliseconds(span: timedelta | float | None) -> int:
    """Whole milliseconds of seconds or a timedelta, rounded up: never shorter than asked."""
    if span is None:
        return 0
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    return -int(-seconds * 1000 // 1)


def check(status: int, error: Any = None) -> None:
    """Raises what a call's status and holdfast_error (a cdata holdfast_error **) say."""
    if status == 0:
        return
    code = errors.Code(status)
    if error is None or error[0] == ffi.NULL:
        message = ffi.string(lib.holdfast_strerror(status)).decode()
        raise errors.error_class(code)(message, code=code)
    details = error[0]
    try:
        raise errors.error_class(code)(
            to_str(details.message),
            code=code,
            reason=ffi.string(details.reason_name).decode(),
            field=to_str(details.field),
            retryable=bool(details.retryable),
            run_id=to_str(details.run_id),
        )
    finally:
        lib.holdfast_error_free(details)


def _members(exception: BaseException) -> dict[str, Any]:
    if isinstance(exception, errors.ApplicationError):
        return {
            "type": exception.type,
            "non_retryable": exception.non_retryable,
            "next_retry_delay_ms": milliseconds(exception.next_retry_delay),
        }
    return {"type": type(exception).__name__}


def _stack_trace(exception: BaseException) -> str:
    """Of this exception alone: its causes bring their own."""
    lines = traceback.format_exception(
        type(exception), exception, exception.__traceback__, chain=False
    )
    return "".join(lines)[-STACK_TRACE_CHARACTERS_MAX:]


def _chain(exception: BaseException) -> list[BaseException]:
    """What caused the exception, outermost first."""
    causes: list[BaseException] = []
    at: BaseException | None = exception
    while at is not None and len(causes) < CAUSES_MAX:
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
        if at is None or at in causes or at is exception:
            break
        causes.append(at)
    return causes


def _clean(text: str) -> str:
    """UTF-8 without NUL, whatever an exception's text holds."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def _failure(exception: BaseException, arena: Arena) -> Any:
    members = _members(exception)
    members["type"] = _clean(members["type"])
    details = exception.details if isinstance(exception, errors.ApplicationError) else []
    return arena.struct(
        "holdfast_failure",
        message=_clean(str(exception)),
        source=SOURCE,
        stack_trace=_clean(_stack_trace(exception)),
        details=to_c(details, arena),
        **members,
    )


def to_failure(exception: BaseException, arena: Arena) -> Any:
    """A holdfast_failure * of an exception and its causes, whose memory the arena owns."""
    failure = _failure(exception, arena)
    causes = _chain(exception)
    array = arena.keep(ffi.new("holdfast_failure[]", len(causes)))
    for index, cause in enumerate(causes):
        array[index] = _failure(cause, arena)[0]
    failure.causes = array
    failure.causes_count = len(causes)
    return failure


def _timeout_kind(info: Message) -> str:
    kind = info.message(6).number(1)
    return TIMEOUT_KINDS[kind] if kind < len(TIMEOUT_KINDS) else ""


def _exception(failure: Any, info: Message) -> errors.FailureError:
    """One failure, without its causes; `info` is the same as a holdfast.v1.FailureInfo."""
    message = to_str(failure.message)
    trace = to_str(failure.stack_trace)
    match failure.kind:
        case lib.HOLDFAST_FAILURE_APPLICATION:
            delay = failure.next_retry_delay_ms
            return errors.ApplicationError(
                message,
                *from_c(failure.details),
                type=to_str(failure.type),
                non_retryable=bool(failure.non_retryable),
                next_retry_delay=timedelta(milliseconds=delay) if delay else None,
                stack_trace=trace,
            )
        case lib.HOLDFAST_FAILURE_CANCELED:
            return errors.CancelledError(message, *from_c(failure.details), stack_trace=trace)
        case lib.HOLDFAST_FAILURE_TIMEOUT:
            return errors.TimeoutFailureError(message, kind=_timeout_kind(info), stack_trace=trace)
        case lib.HOLDFAST_FAILURE_ACTIVITY:
            attributes = info.message(10)
            return errors.ActivityError(
                message,
                activity_id=attributes.text(2),
                activity_type=attributes.text(3),
                attempt=attributes.number(6),
                stack_trace=trace,
            )
        case lib.HOLDFAST_FAILURE_TERMINATED:
            return errors.TerminatedError(message, stack_trace=trace)
        case lib.HOLDFAST_FAILURE_WORKER_LOST:
            return errors.WorkerLostError(message, stack_trace=trace)
        case _:
            return errors.ServerError(message, stack_trace=trace)


def from_failure(failure: Any) -> errors.FailureError | None:
    """The exception of a holdfast_failure *, its causes chained; None for NULL."""
    if failure == ffi.NULL:
        return None
    whole = Message(to_bytes(failure.serialized))
    outermost = at = _exception(failure, whole.message(1))
    for index, info in enumerate(whole.messages(2)[: failure.causes_count]):
        at.__cause__ = _exception(failure.causes[index], info)
        at = at.__cause__
    return outermost
