"""Writing activities: the decorator, and what an activity may ask and say while it runs."""

from __future__ import annotations

import enum
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Any, NoReturn, Protocol, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])

NAME_ATTRIBUTE = "__holdfast_activity__"


class CancelReason(enum.IntEnum):
    """Why an activity should stop."""

    NONE = 0
    REQUESTED = 1
    TIMED_OUT = 2
    NOT_FOUND = 3
    WORKFLOW_CLOSED = 4
    PAUSED = 5
    """This and the next: the attempt still counts, and another one comes later, or at once."""
    RESET = 6
    WORKER_STOPPING = 100


@dataclass(frozen=True)
class Info:
    """What is known about the activity that runs."""

    activity_id: str
    activity_type: str
    workflow_id: str
    """Empty for an activity without a workflow."""
    workflow_run_id: str
    workflow_type: str
    namespace: str
    task_queue: str
    attempt: int
    """From 1."""
    idempotency_key: str
    """The same for every attempt of this activity, and for no other activity."""
    task_token: bytes
    """Names this attempt to Client.get_activity_handle."""
    heartbeat_details: list[Any]
    """Of the last heartbeat of any earlier attempt."""
    scheduled_time: datetime
    started_time: datetime
    start_to_close_timeout: timedelta | None
    schedule_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None


class CompleteElsewhere(BaseException):
    """Raised by complete_elsewhere; no Exception, so that no handler takes it for an error."""


class Attempt(Protocol):
    """The attempt that runs, as its worker has it."""

    cancelled: Event

    @property
    def info(self) -> Info: ...

    @property
    def cancel_reason(self) -> CancelReason: ...

    def heartbeat(self, details: tuple[Any, ...]) -> None: ...


current: ContextVar[Attempt] = ContextVar("holdfast_activity")


@overload
def defn(function: Function) -> Function: ...
@overload
def defn(*, name: str | None = None) -> Callable[[Function], Function]: ...
def defn(function: Any = None, *, name: str | None = None) -> Any:
    """Marks a function or coroutine function as an activity: @activity.defn, or with its name.

    The type is `name`, or the function's own name. The function takes the activity's values as
    its positional arguments. A synchronous one runs in a thread of the worker's, a coroutine
    function on the worker's event loop, which it must not block.
    """

    def mark(function: Function) -> Function:
        setattr(function, NAME_ATTRIBUTE, name or function.__name__)
        return function

    return mark if function is None else mark(function)


def info() -> Info:
    """About the activity that runs here. RuntimeError outside of one."""
    return _attempt().info


def heartbeat(*details: Any) -> None:
    """Says that the activity is alive, with details for the next attempt.

    Costs little and may be called often: what really leaves is throttled. In a synchronous
    activity it raises CancelledError when the activity should stop; in an asynchronous one the
    cancellation arrives at the next await.
    """
    _attempt().heartbeat(details)


def is_cancelled() -> bool:
    """Whether the activity should stop."""
    return cancel_reason() != CancelReason.NONE


def cancel_reason() -> CancelReason:
    return _attempt().cancel_reason


def wait_for_cancelled(timeout: float | None = None) -> bool:
    """Sleeps until the activity should stop, or for `timeout` seconds; True: it should stop.

    For synchronous activities, as a sleep that a cancellation ends.
    """
    return _attempt().cancelled.wait(timeout)


def complete_elsewhere() -> NoReturn:
    """Leaves the activity without ending it: somebody ends it later with
    Client.get_activity_handle(activity.info().task_token), whatever becomes of this worker."""
    _attempt()
    raise CompleteElsewhere


def name_of(function: Callable[..., Any]) -> str:
    """The type that a decorated function serves."""
    name = getattr(function, NAME_ATTRIBUTE, None)
    if not isinstance(name, str):
        raise TypeError(f"{function!r} is no activity: decorate it with @activity.defn")
    return name


def _attempt() -> Attempt:
    attempt = current.get(None)
    if attempt is None:
        raise RuntimeError("not inside an activity")
    return attempt
