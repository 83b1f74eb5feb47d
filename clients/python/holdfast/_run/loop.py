"""The event loop of one workflow run: its time, its order and its timers come from the engine."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from asyncio import events as asyncio_events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from . import guarded_functions, watchdog
from .guard import Guard

if TYPE_CHECKING:
    from .run import WorkflowRun

T = TypeVar("T")

# A hash holds the run's part above the place; in all it has at most 61 bits.
_PLACE_BITS = 24
_SEED_MASK = (1 << 32) - 1


class _Future(asyncio.Future[T]):
    """Sets of these keep one order in every process: they hash by when they were made."""

    def __init__(self, loop: WorkflowLoop) -> None:
        super().__init__(loop=loop)
        self._place = loop.next_place()

    def __hash__(self) -> int:
        return self._place

    def __eq__(self, other: object) -> bool:
        return self is other


class WorkflowTask(asyncio.Task[T]):
    """The same for tasks: TaskGroup, wait and gather go through sets of them."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        loop: WorkflowLoop,
        **options: Any,
    ) -> None:
        # Before the task is made, which puts it into sets.
        self._place = loop.next_place()
        super().__init__(coroutine, loop=loop, **options)

    def __hash__(self) -> int:
        return self._place

    def __eq__(self, other: object) -> bool:
        return self is other


class WorkflowLoop(asyncio.AbstractEventLoop):
    """Runs callbacks in the order in which they came, when the run is driven.

    What workflow code may not do (sockets, processes, threads, signals) is what AbstractEventLoop
    leaves undone; `_refuse` says so in words.
    """

    def __init__(self, run: WorkflowRun, guard: Guard | None, seconds: float | None) -> None:
        """seconds: how long code may hold the thread; None: as long as it likes."""
        self._holdfast_run = run
        self.guard = guard
        self._seconds = seconds
        # Says where code holds the thread for too long: no more of it is run.
        self.overdue: str | None = None
        self._ready: deque[asyncio.Handle] = deque()
        self._places = 0
        self._exception_handler: Callable[..., Any] | None = None

    @property
    def workflow_id(self) -> str:
        return self._holdfast_run.identity.workflow_id

    def begin_places(self, seed: int) -> None:
        """asyncio keeps the tasks of all runs in one set: those of different runs must not hash
        alike. A copy of a run begins with the seed of that one, and so with its order."""
        self._places = (seed & _SEED_MASK) << _PLACE_BITS

    def next_place(self) -> int:
        self._places += 1
        return self._places

    def drive(self, code: Callable[[], T]) -> T:
        """Calls it as code of the run: within, this is the running loop of the thread.

        Garbage is not collected meanwhile: what is left of another run's code would run its
        `finally` blocks here, and be taken for this one's.
        """
        before = asyncio_events._get_running_loop()
        collects = gc.isenabled()
        gc.disable()
        if self.guard is not None:
            guarded_functions.enter()
        asyncio_events._set_running_loop(self)
        try:
            if self._seconds is None:
                return code()
            return watchdog.watchdog.call(self, self._seconds, code)
        finally:
            asyncio_events._set_running_loop(before)
            if self.guard is not None:
                guarded_functions.leave()
            if collects:
                gc.enable()

    def refused(self, error: BaseException) -> None:
        """The guard has refused a call of the code's."""
        self._holdfast_run.refused(error)

    def drain(self, limit: int | None = None) -> int:
        """Runs what is ready, and what that makes ready, up to a limit; how much was run."""
        ready, count = self._ready, 0
        while ready and (limit is None or count < limit) and self.overdue is None:
            handle = ready.popleft()
            count += 1
            if not handle._cancelled:
                handle._run()
        return count

    @property
    def is_idle(self) -> bool:
        return not self._ready

    # MARK: AbstractEventLoop

    def time(self) -> float:
        return self._holdfast_run.time_ms / 1000

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        raise RuntimeError("a workflow's event loop has no debug mode")

    def call_soon(  # type: ignore[override]
        self,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self,
        delay: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)
        if delay <= 0:
            self._ready.append(handle)
        else:
            self._holdfast_run.start_timer(delay, handle)
        return handle

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self.time(), callback, *args, context=context)

    def make_ready(self, handle: asyncio.Handle) -> None:
        """Of a timer that has fired."""
        self._ready.append(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._holdfast_run.timer_cancelled(handle)

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(self)

    def create_task(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, None, T], **options: Any
    ) -> asyncio.Task[T]:
        try:
            self._holdfast_run.check_may_change("start a task")
        except BaseException:
            coro.close()  # or Python would say that nobody has awaited it
            raise
        task = WorkflowTask(coro, self, **options)
        # A run may leave the memory while its code waits.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._holdfast_run.tasks[task] = None
        task.add_done_callback(self._holdfast_run.forget_task)
        return task

    def get_exception_handler(self) -> Callable[..., Any] | None:
        return self._exception_handler

    def set_exception_handler(self, handler: Callable[..., Any] | None) -> None:
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self._holdfast_run.report(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is None:
            self.default_exception_handler(context)
        else:
            self._exception_handler(self, context)

    def _refuse(self, what: str) -> RuntimeError:
        return RuntimeError(
            f"workflow code must not {what}: it is run again to rebuild its state; do it in an"
            " activity"
        )

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        raise self._refuse("use threads or processes")

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> Any:
        raise self._refuse("be called from other threads")

    def stop(self) -> None:
        raise self._refuse("stop its event loop")

    def close(self) -> None:
        raise self._refuse("close its event loop")

    def run_forever(self) -> None:
        raise self._refuse("run event loops")

    def run_until_complete(self, future: Any) -> Any:
        raise self._refuse("run event loops")

    async def getaddrinfo(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("use the network")

    async def create_connection(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("use the network")

    async def create_server(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("use the network")

    async def create_unix_connection(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("use the network")

    async def subprocess_shell(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("start processes")

    async def subprocess_exec(self, *_args: Any, **_options: Any) -> Any:
        raise self._refuse("start processes")

    async def shutdown_asyncgens(self) -> None:
        pass
