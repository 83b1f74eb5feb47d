"""Threads for synchronous activities."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable


class Pool:
    """Up to `threads_max` threads, made when first needed.

    Daemon threads, unlike concurrent.futures': an activity that never returns must not keep the
    process of a stopped worker alive.
    """

    def __init__(self, threads_max: int, name: str) -> None:
        self._threads_max = threads_max
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0  # threads that wait for a job, less the jobs that wait for a thread

    def submit(self, job: Callable[[], None]) -> None:
        """Runs a job, which must not raise, in its own context."""
        self._jobs.put(job)
        with self._lock:
            self._waiting -= 1
            if self._waiting >= 0 or self._threads == self._threads_max:
                return
            self._threads += 1
            self._waiting += 1
            name = f"{self._name}-{self._threads}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def close(self) -> None:
        """Lets every thread end after the jobs that were submitted before."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            contextvars.Context().run(job)
            # Kept, it would keep its activity until the next job.
            del job
            with self._lock:
                self._waiting += 1
