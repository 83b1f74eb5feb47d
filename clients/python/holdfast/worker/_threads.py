"""Activities in threads: where they run, and how a cancellation gets into them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ..exceptions import CancelledError


class DaemonThreads(concurrent.futures.Executor):
    """Runs up to `threads_max` functions at once, in threads that are made when first needed.

    Daemon threads, unlike ThreadPoolExecutor's: an activity that never returns must not keep the
    process of a stopped worker alive.
    """

    def __init__(self, threads_max: int, name: str) -> None:
        self._threads_max = threads_max
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_shut = False
        self._threads = 0
        self._waiting = 0  # threads that wait for a job, less the jobs that wait for a thread

    def submit(
        self, function: Callable[..., Any], /, *args: Any, **options: Any
    ) -> concurrent.futures.Future[Any]:
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()

        def job() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **options))
            except BaseException as error:
                future.set_exception(error)

        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot submit after shutdown")
            self._jobs.put(job)
            self._waiting -= 1
            if self._waiting >= 0 or self._threads == self._threads_max:
                return future
            self._threads += 1
            self._waiting += 1
            name = f"{self._name}-{self._threads}"
        threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """Lets every thread end after the jobs that were submitted before; waits for none."""
        with self._lock:
            if not self._is_shut:
                self._is_shut = True
                for _ in range(self._threads):
                    self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            # Kept, it would keep its activity until the next job.
            del job
            with self._lock:
                self._waiting += 1


class ThreadCancellation:
    """Raises CancelledError, once, in the thread that runs a function."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._shields = 0
        self._is_due = False
        self._is_raised = False

    def cancel(self) -> None:
        """From any thread; what has not begun yet is cancelled when it does."""
        with self._lock:
            self._is_due = True
            self._raise_there()

    def begin(self) -> None:
        """In the function's thread, before it runs."""
        with self._lock:
            self._thread = threading.get_ident()
        self._raise_here()

    def end(self) -> None:
        """In the function's thread, after it: nothing is raised there from now on.

        It may be raised in here, as in the function's last instruction.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is not None:
                # One that is on its way is for nobody.
                _set_exception(thread, None)

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        """Within, nothing is raised; what came meanwhile is raised at the end."""
        with self._lock:
            self._shields += 1
        try:
            yield
        except BaseException:
            with self._lock:
                self._shields -= 1
                if self._is_due:
                    # After the error that is on its way, should that be caught.
                    self._raise_there()
            raise
        with self._lock:
            self._shields -= 1
        self._raise_here()

    def _raise_there(self) -> None:
        if self._thread is not None and self._shields == 0 and not self._is_raised:
            self._is_raised = True
            _set_exception(self._thread, CancelledError)

    def _raise_here(self) -> None:
        with self._lock:
            if not self._is_due or self._is_raised or self._shields > 0:
                return
            self._is_raised = True
        raise CancelledError


def _set_exception(thread: int, error: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
