"""Writing activities: the decorator, and what an activity may ask and say while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from .common import Priority, RetryPolicy

if TYPE_CHECKING:
    from .converter import PayloadConverter

CallableT = TypeVar("CallableT", bound=Callable[..., Any])

DEFINITION = "__holdfast_activity_definition__"


# MARK: Definitions


@dataclass(frozen=True)
class Definition:
    """What the decorator says of a function; without a name it serves all types."""

    name: str | None
    no_thread_cancel_exception: bool = False

    @staticmethod
    def of(activity: Any) -> Definition | None:
        """Of a function, a method, or an object or class whose `__call__` is decorated."""
        call = activity if isinstance(activity, type) else type(activity)
        for one in (activity, getattr(call, "__call__", None)):  # noqa: B004
            definition = getattr(one, DEFINITION, None)
            if isinstance(definition, Definition):
                return definition
        return None

    @staticmethod
    def must_be_of(activity: Any) -> Definition:
        """TypeError when it is not decorated."""
        definition = Definition.of(activity)
        if definition is None:
            raise TypeError(f"{activity!r} is no activity: decorate it with @activity.defn")
        return definition


@overload
def defn(fn: CallableT) -> CallableT: ...


@overload
def defn(
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> Callable[[CallableT], CallableT]: ...


def defn(
    fn: Any = None,
    *,
    name: str | None = None,
    no_thread_cancel_exception: bool = False,
    dynamic: bool = False,
) -> Any:
    """Makes a function, async or not, an activity: @activity.defn, or with options.

    name: the type; the function's own name if None (of a `__call__`, its class's). An async
    function runs on the worker's event loop, which it must not block; any other one in the
    worker's executor. no_thread_cancel_exception: a cancellation raises nothing in its thread; the
    function asks `is_cancelled` itself. dynamic: it serves all types that no other activity of the
    worker serves, and takes one argument, the sequence of RawValues; of tasks from the engine only
    those types that the worker names as `dynamic_activity_types`.
    """
    if name is not None and dynamic:
        raise ValueError("a dynamic activity has no name")

    def mark(function: CallableT) -> CallableT:
        if dynamic:
            _check_dynamic(function)
        own = name or _own_name(function)
        definition = Definition(None if dynamic else own, no_thread_cancel_exception)
        setattr(function, DEFINITION, definition)
        return function

    return mark if fn is None else mark(fn)


def _own_name(function: Any) -> str:
    name: str = function.__name__
    if name == "__call__":
        return str(function.__qualname__.split(".")[-2])
    return name


def _check_dynamic(function: Any) -> None:
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    if len(names) != 1:
        raise TypeError("a dynamic activity takes one argument: a Sequence[RawValue]")


def name_of(function: Any) -> str:
    """The type that a decorated function serves."""
    definition = Definition.must_be_of(function)
    if definition.name is None:
        raise TypeError("a dynamic activity has no name: call it by the type that is meant")
    return definition.name


# MARK: What an activity is told


@dataclass(frozen=True)
class Info:
    """What is known about the activity that runs."""

    activity_id: str
    activity_type: str
    attempt: int
    """From 1."""
    current_attempt_scheduled_time: datetime
    heartbeat_details: Sequence[Any]
    """Of the last heartbeat of any earlier attempt."""
    heartbeat_timeout: timedelta | None
    idempotency_key: str
    """The same for every attempt of this activity, and for no other activity."""
    is_local: bool
    namespace: str
    priority: Priority
    retry_policy: RetryPolicy | None
    """The policy in force, defaults filled in."""
    schedule_to_close_timeout: timedelta | None
    scheduled_time: datetime
    start_to_close_timeout: timedelta | None
    started_time: datetime
    task_queue: str
    task_token: bytes
    """Names this attempt to Client.get_async_activity_handle; empty for a local activity."""
    workflow_id: str
    """Empty for an activity without a workflow."""
    workflow_namespace: str
    workflow_run_id: str
    """Empty for an activity without a workflow, as the type is."""
    workflow_type: str
    activity_run_id: str | None = None
    """The run of an activity without a workflow; None for one of a workflow."""

    @property
    def in_workflow(self) -> bool:
        """Whether a workflow has called it, and not a client."""
        return bool(self.workflow_id)

    def _logger_details(self) -> Mapping[str, Any]:
        own_run = {} if self.activity_run_id is None else {"activity_run_id": self.activity_run_id}
        return {
            "activity_id": self.activity_id,
            "activity_type": self.activity_type,
            "attempt": self.attempt,
            "namespace": self.namespace,
            "task_queue": self.task_queue,
            "workflow_id": self.workflow_id,
            "workflow_run_id": self.workflow_run_id,
            "workflow_type": self.workflow_type,
            **own_run,
        }


@dataclass(frozen=True)
class ActivityCancellationDetails:
    """Why an activity should stop."""

    not_found: bool = False
    """The engine does not have it any more: its workflow has closed, or somebody has ended it."""
    cancel_requested: bool = False
    """The workflow or a client has asked for it."""
    paused: bool = False
    """This attempt still counts; another one comes when the activity goes on."""
    timed_out: bool = False
    """One of its timeouts is over: nobody waits for its answer."""
    reset: bool = False
    """This attempt still counts; another one, the first again, comes at once."""
    worker_shutdown: bool = False
    """The worker is stopping, and the time that it gives to activities is over."""


class CompleteAsyncError(BaseException):
    """Raised by raise_complete_async; no Exception, so that no handler takes it for an error."""


# MARK: The one that runs


class Signal:
    """Something that happens once, for threads and for coroutines.

    thread: a threading.Event, or a process manager's; without one its own. is_on_loop: coroutines
    of the loop may wait for it, which is then the only one that sets it.
    """

    _thread: Any = None
    # Made for the first who waits, like the threads' one.
    _loop: asyncio.Event | None = None

    def __init__(self, thread: Any = None, *, is_on_loop: bool = False) -> None:
        self._is_on_loop = is_on_loop
        if thread is not None:
            self._thread = thread
        self._was_set = False

    @staticmethod
    def on_loop() -> Signal:
        """For code on the running loop and in threads."""
        return Signal(is_on_loop=True)

    @property
    def thread(self) -> Any:
        """The event for threads."""
        # Its own is made for the first who asks: most never do, and it takes its time.
        if self._thread is None:
            # One step, whichever threads come at once.
            made = self.__dict__.setdefault("_thread", threading.Event())
            # After it can be seen: set() may have looked for it just before.
            if self._was_set:
                made.set()
        return self._thread

    def set(self) -> None:
        """On the loop."""
        self._was_set = True
        if self._thread is not None:
            self._thread.set()
        if self._loop is not None:
            self._loop.set()

    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._was_set or (self._thread is not None and bool(self._thread.is_set()))

    async def wait(self) -> None:
        """In a coroutine of the loop: waits until it happens."""
        if not self._is_on_loop:
            raise RuntimeError("a synchronous activity cannot await: use the _sync function")
        if self._loop is None:
            self._loop = asyncio.Event()
            if self._was_set:
                self._loop.set()
        await self._loop.wait()

    def wait_sync(self, timeout: timedelta | float | None) -> None:
        """In a thread: waits until it happens, or so long."""
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        self.thread.wait(seconds)


@dataclass
class Context:
    """What the functions of this module speak to while an activity's function runs."""

    info: Callable[[], Info]
    heartbeat: Callable[..., None]
    cancelled: Signal
    worker_shutdown: Signal
    payload_converter: PayloadConverter
    cancellation_details: Callable[[], ActivityCancellationDetails | None]
    client: Any = None
    """Of the worker, in async activities only."""
    shield: Callable[[], contextlib.AbstractContextManager[None]] = field(
        default=contextlib.nullcontext
    )


current: ContextVar[Context] = ContextVar("holdfast_activity")


def _context() -> Context:
    context = current.get(None)
    if context is None:
        raise RuntimeError("Not in activity context")
    return context


def in_activity() -> bool:
    """Whether this is called from an activity."""
    return current.get(None) is not None


def info() -> Info:
    """About the activity that runs here; RuntimeError outside of one, as all that follow."""
    return _context().info()


def client() -> Any:
    """The worker's client, in an async activity."""
    found = _context().client
    if found is None:
        raise RuntimeError("No client available: only async activities have the worker's")
    return found


def payload_converter() -> PayloadConverter:
    """The worker's payload converter."""
    return _context().payload_converter


def heartbeat(*details: Any) -> None:
    """Says that the activity is alive, with details for the next attempt.

    Costs little and may be called often: what really leaves is throttled. Local activities have
    no heartbeats: there it does nothing.
    """
    _context().heartbeat(*details)


def is_cancelled() -> bool:
    """Whether the activity should stop."""
    return _context().cancelled.is_set()


def cancellation_details() -> ActivityCancellationDetails | None:
    """Why the activity should stop; None: it may go on."""
    return _context().cancellation_details()


async def wait_for_cancelled() -> None:
    """Waits until the activity should stop; the coroutine is then cancelled, too."""
    await _context().cancelled.wait()


def wait_for_cancelled_sync(timeout: timedelta | float | None = None) -> None:
    """Sleeps until the activity should stop, or so long; ask `is_cancelled` which it was."""
    _context().cancelled.wait_sync(timeout)


def is_worker_shutdown() -> bool:
    """Whether the worker is stopping: activities have its graceful_shutdown_timeout to end."""
    return _context().worker_shutdown.is_set()


async def wait_for_worker_shutdown() -> None:
    """Waits until the worker is stopping."""
    await _context().worker_shutdown.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Sleeps until the worker is stopping, or so long."""
    _context().worker_shutdown.wait_sync(timeout)


def raise_complete_async() -> NoReturn:
    """Leaves the activity without ending it: somebody ends it later by its token or its ids,
    whatever becomes of this worker."""
    _context()
    raise CompleteAsyncError


@contextlib.contextmanager
def shield_thread_cancel_exception() -> Iterator[None]:
    """Within, a cancellation raises nothing in the activity's thread; it does at the end.

    Does nothing in async activities and in those of other processes.
    """
    with _context().shield():
        yield


# MARK: Logging


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Adds to what is logged in an activity which one it is."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.activity_info_on_message = True
        self.activity_info_on_extra = True
        self.full_activity_info_on_extra = False

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """The message and its extra fields, with the activity in them."""
        context = current.get(None)
        if context is None:
            return msg, kwargs
        found = context.info()
        extra: dict[str, Any] = {}
        if self.activity_info_on_extra:
            extra["holdfast_activity"] = found._logger_details()
        if self.full_activity_info_on_extra:
            extra["activity_info"] = dataclasses.replace(found)
        if extra:
            kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        if self.activity_info_on_message:
            msg = f"{msg} ({found._logger_details()})"
        return msg, kwargs

    @property
    def base_logger(self) -> logging.Logger:
        """The one that is written to."""
        base: logging.Logger = self.logger
        return base


logger = LoggerAdapter(logging.getLogger("holdfast.activity"), None)
