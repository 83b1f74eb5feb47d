"""The worker: takes activity tasks from the engine and runs their functions."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from . import activity
from ._attempt import Attempt
from ._failures import check, milliseconds
from ._library import Arena, ffi, lib, to_bytes
from ._pool import Pool
from .client import Client
from .errors import ClosedError

# After the grace, functions that saw their cancellation may end so long; then they are left behind.
FAREWELL_SECONDS = 1.0


class Worker:
    """Serves activities of one task queue until it is stopped.

    client_or_socket: a Client, whose socket and namespace are used, or the socket's path, or None
    for the default. max_concurrent_activities: how many run at once, each synchronous one in a
    thread. graceful_shutdown_timeout: how long activities may go on after a stop; None: forever.
    """

    def __init__(
        self,
        client_or_socket: Client | str | None,
        task_queue: str,
        *,
        activities: Sequence[Callable[..., Any]],
        max_concurrent_activities: int = 100,
        graceful_shutdown_timeout: timedelta | float | None = 10.0,
        namespace: str = "default",
        identity: str = "",
        build_id: str = "",
    ) -> None:
        if max_concurrent_activities < 1:
            raise ValueError("max_concurrent_activities must be at least 1")
        if not activities:
            raise ValueError("a worker needs at least one activity")
        socket: str | None
        if isinstance(client_or_socket, Client):
            socket, namespace = client_or_socket.socket, client_or_socket.namespace
        else:
            socket = client_or_socket
        grace = graceful_shutdown_timeout
        arena = Arena()
        options = arena.struct(
            "holdfast_worker_options",
            socket_path=socket or "",
            name_space=namespace,
            task_queue=task_queue,
            identity=identity,
            build_id=build_id,
            sdk_name="holdfast-python",
            language="python",
            max_concurrent_activities=max_concurrent_activities,
            grace_ms=-1 if grace is None else max(milliseconds(grace), 1),
        )
        worker, error = ffi.new("holdfast_worker **"), ffi.new("holdfast_error **")
        check(lib.holdfast_worker_create(options, worker, error), error)
        self._pointer = ffi.gc(worker[0], lib.holdfast_worker_free)
        self._functions: dict[str, Callable[..., Any]] = {}
        for function in activities:
            self._register(function)
        self._pool = Pool(max_concurrent_activities, f"holdfast-{task_queue}")
        # Reentrant, because stop() also runs in a signal handler.
        self._lock = threading.Condition(threading.RLock())
        self._running: dict[bytes, Attempt] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._puller = threading.Thread(
            target=self._pull, name=f"holdfast-{task_queue}-tasks", daemon=True
        )
        self._failure: BaseException | None = None
        self._over = threading.Event()

    def run(self) -> None:
        """Serves until stop(), or until SIGTERM or SIGINT when called in the main thread.

        Returns when the activities have ended or their grace is over. Raises HoldfastError when
        the engine refuses the worker for good; a lost connection is none, the worker comes back.
        Once per worker.
        """
        with self._stopping_on_signals():
            self._puller.start()
            # Not in next_task: Python would run the signal handlers only after it.
            self._over.wait()
            self._puller.join()
        self._leave()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Takes no new tasks, and lets run() return once the activities have ended.

        A second stop ends their grace; after run() it does nothing. Returns at once; from any
        thread.
        """
        with self._lock:
            lib.holdfast_worker_stop(self._pointer)

    def _register(self, function: Callable[..., Any]) -> None:
        name = activity.name_of(function)
        if name in self._functions:
            raise ValueError(f"two activities are named {name!r}")
        # NULL: the tasks of this type are pulled.
        check(
            lib.holdfast_worker_register_activity(self._pointer, name.encode(), ffi.NULL, ffi.NULL)
        )
        self._functions[name] = function

    @contextlib.contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, lambda *_: self.stop())
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pull(self) -> None:
        """The puller's thread: all I/O happens inside next_task."""
        task, error = ffi.new("holdfast_task **"), ffi.new("holdfast_error **")
        try:
            while True:
                check(lib.holdfast_worker_next_task(self._pointer, -1, task, error), error)
                try:
                    self._take(task[0])
                finally:
                    lib.holdfast_task_free(task[0])
        except ClosedError:
            pass
        except BaseException as failure:
            self._failure = failure
        finally:
            self._over.set()

    def _take(self, task: Any) -> None:
        if task.kind == lib.HOLDFAST_TASK_ACTIVITY:
            self._start(task.activity)
        elif task.kind == lib.HOLDFAST_TASK_ACTIVITY_CANCEL:
            with self._lock:
                attempt = self._running.get(to_bytes(task.token))
            if attempt is not None:
                self._cancel(attempt)

    def _start(self, handle: Any) -> None:
        name = to_bytes(lib.holdfast_activity_type(handle)).decode()
        function = self._functions[name]
        is_async = inspect.iscoroutinefunction(function)
        attempt = Attempt(handle, function, is_async=is_async)
        with self._lock:
            self._running[attempt.token] = attempt
        if is_async:
            asyncio.run_coroutine_threadsafe(self._run_async(attempt), self._event_loop())
        else:
            self._pool.submit(lambda: self._run(attempt))

    def _run(self, attempt: Attempt) -> None:
        try:
            attempt.run()
        finally:
            self._forget(attempt)

    async def _run_async(self, attempt: Attempt) -> None:
        try:
            await attempt.run_async()
        finally:
            self._forget(attempt)

    def _forget(self, attempt: Attempt) -> None:
        with self._lock:
            # After a lost lease the same token may not come back, so it is this attempt's.
            self._running.pop(attempt.token, None)
            if not self._running:
                self._lock.notify_all()

    def _cancel(self, attempt: Attempt) -> None:
        attempt.cancelled.set()

        def cancel_task() -> None:
            # Not yet there: the coroutine looks at `cancelled` before it begins.
            if attempt.task is not None:
                attempt.task.cancel()

        if attempt.is_async:
            self._event_loop().call_soon_threadsafe(cancel_task)

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the asynchronous activities; only the puller's thread and, after it has
        ended, the one of run() call this."""
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()

            def serve() -> None:
                loop.run_forever()
                loop.close()

            threading.Thread(target=serve, name="holdfast-asyncio", daemon=True).start()
        return self._loop

    def _leave(self) -> None:
        """Cancels what outlived the grace, and frees the worker if nothing is left inside it."""
        with self._lock:
            left = list(self._running.values())
        for attempt in left:
            self._cancel(attempt)
        with self._lock:
            ended = self._lock.wait_for(lambda: not self._running, FAREWELL_SECONDS)
        self._pool.close()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
        with self._lock:
            pointer, self._pointer = self._pointer, ffi.NULL
        if ended:
            ffi.release(pointer)
        else:
            # Functions are still inside the worker: it ends with the process.
            ffi.gc(pointer, None)
