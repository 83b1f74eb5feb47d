"""Activities without an engine and without a worker."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, ParamSpec, TypeVar, overload

from .. import activity
from ..client import Client
from ..common import Priority, RetryPolicy
from ..converter import PayloadConverter
from ..exceptions import CancelledError
from ..worker._functions import is_async
from ..worker._threads import ThreadCancellation

P = ParamSpec("P")
R = TypeVar("R")

_TIME = datetime(2000, 1, 1, tzinfo=timezone.utc)
_DETAILS = activity.ActivityCancellationDetails(cancel_requested=True)


class ActivityEnvironment:
    """Runs activities as a worker does, with the surroundings that a test gives them.

        env = ActivityEnvironment()
        env.info = dataclasses.replace(env.info, attempt=3)
        env.on_heartbeat = lambda *details: seen.append(details)
        assert await env.run(copy_files, ["a", "b"]) == 2

    What an activity raises, `run` raises. A function that is not async runs in the thread that
    calls `run`, and a cancellation is raised in it there.
    """

    def __init__(self, client: Client | None = None) -> None:
        """client: what activity.client() gives to async activities."""
        self.info = ActivityEnvironment.default_info()
        self.on_heartbeat: Callable[..., None] = lambda *details: None
        """Is called with the details of each heartbeat, where the activity runs."""
        self.payload_converter = PayloadConverter.default
        self._client = client
        self._details: activity.ActivityCancellationDetails | None = None
        self._is_shutdown = False
        self._lock = threading.RLock()
        self._running: list[_Running] = []

    @staticmethod
    def default_info() -> activity.Info:
        """What `info` is at first."""
        return activity.Info(
            activity_id="test",
            activity_type="unknown",
            attempt=1,
            current_attempt_scheduled_time=_TIME,
            heartbeat_details=[],
            heartbeat_timeout=None,
            idempotency_key="test-run/test",
            is_local=False,
            namespace="default",
            priority=Priority.default,
            retry_policy=RetryPolicy(),
            schedule_to_close_timeout=timedelta(seconds=1),
            scheduled_time=_TIME,
            start_to_close_timeout=timedelta(seconds=1),
            started_time=_TIME,
            task_queue="test",
            task_token=b"test",
            workflow_id="test",
            workflow_namespace="default",
            workflow_run_id="test-run",
            workflow_type="test",
        )

    def _beat(self, *details: Any) -> None:
        self.on_heartbeat(*details)

    def cancel(self, cancellation_details: activity.ActivityCancellationDetails = _DETAILS) -> None:
        """Tells the activities that run, and those run later, to stop; the first reason stays.

        From any thread.
        """
        with self._lock:
            if self._details is not None:
                return
            self._details = cancellation_details
            for running in self._running:
                running.cancel()

    def worker_shutdown(self) -> None:
        """Tells activities that the worker is stopping. From any thread."""
        with self._lock:
            self._is_shutdown = True
            for running in self._running:
                running.say_shutdown()

    @overload
    def run(
        self, fn: Callable[P, Coroutine[Any, Any, R]], *args: P.args, **kwargs: P.kwargs
    ) -> Coroutine[Any, Any, R]: ...

    @overload
    def run(self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...

    def run(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls an activity: what it returns, of an async one to be awaited.

        fn: decorated or not; a method, or an object that is called, as well.
        """
        if is_async(fn):
            return self._run_async(fn, args, kwargs)
        running = _InThread(self, fn)
        return contextvars.copy_context().run(self._call, running, fn, args, kwargs)

    def _call(self, running: _InThread, fn: Any, args: Any, kwargs: Any) -> Any:
        activity.current.set(running.context)
        with self._tracked(running), running:
            return fn(*args, **kwargs)

    async def _run_async(self, fn: Any, args: Any, kwargs: Any) -> Any:
        # In a task of its own, with a context of its own: a cancellation is the activity's.
        return await asyncio.create_task(self._call_async(fn, args, kwargs))

    async def _call_async(self, fn: Any, args: Any, kwargs: Any) -> Any:
        running = _OnLoop(self)
        activity.current.set(running.context)
        with self._tracked(running):
            if self._details is not None:
                # As in a worker: what is cancelled before it begins does not begin.
                raise CancelledError
            return await fn(*args, **kwargs)

    @contextlib.contextmanager
    def _tracked(self, running: _Running) -> Iterator[None]:
        with self._lock:
            self._running.append(running)
            if self._is_shutdown:
                running.worker_shutdown.set()
            if self._details is not None:
                running.cancelled.set()
                running.stop()
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(running)


class _Running:
    """A call that is under way, and what it speaks to."""

    def __init__(self, env: ActivityEnvironment, make: Callable[[], activity.Signal]) -> None:
        self.cancelled, self.worker_shutdown = make(), make()
        self.context = activity.Context(
            info=lambda: env.info,
            heartbeat=env._beat,
            cancelled=self.cancelled,
            worker_shutdown=self.worker_shutdown,
            payload_converter=env.payload_converter,
            cancellation_details=lambda: env._details,
        )

    def stop(self) -> None:
        """Ends the function. From any thread, as what follows."""

    def cancel(self) -> None:
        self.cancelled.set()
        self.stop()

    def say_shutdown(self) -> None:
        self.worker_shutdown.set()


class _OnLoop(_Running):
    """Of an async function."""

    def __init__(self, env: ActivityEnvironment) -> None:
        super().__init__(env, activity.Signal.on_loop)
        self.context.client = env._client
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

    def cancel(self) -> None:
        self._do(super().cancel)

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def say_shutdown(self) -> None:
        self._do(super().say_shutdown)

    def _do(self, what: Callable[[], None]) -> None:
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            what()
        else:
            self._loop.call_soon_threadsafe(what)


class _InThread(_Running):
    """Of a function that is not async: within `with`, a cancellation is raised in its thread."""

    def __init__(self, env: ActivityEnvironment, fn: Any) -> None:
        super().__init__(env, lambda: activity.Signal(threading.Event()))
        definition = activity.Definition.of(fn)
        self._is_raised = definition is None or not definition.no_thread_cancel_exception
        self._thread = ThreadCancellation()
        self.context.shield = self._thread.shield

    def stop(self) -> None:
        if self._is_raised:
            self._thread.cancel()

    def __enter__(self) -> None:
        self._thread.begin()

    def __exit__(self, *error: object) -> None:
        self._thread.end()
