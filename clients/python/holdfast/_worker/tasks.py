"""A worker of workflows and activities on an asyncio loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
from collections.abc import Callable, Sequence
from typing import Any

from .. import _core, activity
from .. import _messages as proto
from .._run.cache import WorkflowCache
from .._run.run import RunOptions
from ..converter import DataConverter
from .attempt import Attempt
from .turns import Turns


class TaskWorker:
    """Serves one task queue from run() to stop().

    Workflows run on the loop's own thread, one activation at a time; coroutine functions as tasks
    of the loop; other activities in `executor`.
    """

    def __init__(
        self,
        *,
        task_queue: str,
        socket_path: str | None = None,
        namespace: str = "default",
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        converter: DataConverter = DataConverter.default,
        executor: concurrent.futures.Executor | None = None,
        cached_runs_max: int = 1_000,
        max_concurrent_activities: int = 100,
        failure_exception_types: tuple[type[BaseException], ...] = (),
    ) -> None:
        options = RunOptions(converter, failure_exception_types)
        self._cache = WorkflowCache(
            workflows, options, runs_max=cached_runs_max, dropped=self._dropped
        )
        self._functions = {activity.name_of(function): function for function in activities}
        self._converter = converter
        self._executor = executor or concurrent.futures.ThreadPoolExecutor(
            max_concurrent_activities, thread_name_prefix=f"holdfast-{task_queue}"
        )
        self._attempts: dict[bytes, Attempt] = {}
        self._core = _core.Worker(
            task_queue=task_queue,
            socket_path=socket_path,
            namespace=namespace,
            workflow_types=self._cache.types,
            max_concurrent_activities=max_concurrent_activities,
            cached_runs_max=cached_runs_max,
            sdk_name="holdfast-python",
            language="python",
        )
        for name in self._functions:
            self._core.register_activity(name)
        self._turns: Turns | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turns = Turns(self._core, self._take)
        try:
            await self._turns.run()
        finally:
            self._cache.drop_all()
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._core.close()

    def stop(self) -> None:
        """No new tasks; run() returns when those that are out have ended, within the grace."""
        self._core.stop()
        if self._turns is not None:
            self._turns.look()

    def _take(self, kind: int, message: bytes, token: bytes, run_id: str) -> None:
        if kind == _core.TASK_ACTIVATION:
            answer = self._cache.activate(proto.Activation.decode(message))
            self._core.complete_workflow_task(answer.encode())
        elif kind == _core.TASK_REPLAY_HISTORY:
            replayed = self._cache.replay(proto.ReplayHistory.decode(message))
            self._core.complete_replay(replayed.encode())
        elif kind == _core.TASK_EVICT:
            self._cache.drop(run_id)
        elif kind == _core.TASK_DISCONNECTED:
            self._cache.drop_all()
        elif kind == _core.TASK_ACTIVITY:
            self._begin(proto.ActivityTask.decode(message))
        elif kind == _core.TASK_ACTIVITY_CANCEL:
            attempt = self._attempts.get(token)
            if attempt is not None:
                reason = proto.ActivityCancel.decode(message).reason
                attempt.cancel(activity.CancelReason(reason))

    def _dropped(self, run_id: str) -> None:
        self._core.evicted([run_id])

    # MARK: Activities

    def _begin(self, task: proto.ActivityTask) -> None:
        assert self._loop is not None and self._turns is not None
        turns, loop = self._turns, self._loop
        function = self._functions[task.activity_type]
        is_async = asyncio.iscoroutinefunction(function)
        # Other threads' answers leave by themselves.
        answered = turns.answered if is_async else lambda: None
        attempt = Attempt(self._core, task, function, self._converter, answered)
        self._attempts[task.token] = attempt
        if is_async:
            attempt.task = loop.create_task(attempt.run_async())
            attempt.task.add_done_callback(lambda _: self._attempts.pop(task.token, None))
            return
        context = contextvars.Context()
        future = self._executor.submit(context.run, attempt.run)
        future.add_done_callback(
            lambda _: loop.call_soon_threadsafe(self._attempts.pop, task.token, None)
        )
