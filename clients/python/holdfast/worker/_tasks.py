"""A worker of workflows and activities on an asyncio loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import _core, activity
from .. import _messages as proto
from .._chaos import Chaos, WorkerLost
from .._run.cache import WorkflowCache
from .._run.run import RunOptions
from ..converter import DataConverter
from ._activities import Activities
from ._attempt import Surroundings
from ._forks import Connection
from ._functions import Functions
from ._interceptor import Interceptor
from ._locals import Locals
from ._processes import SharedStateManager
from ._threads import DaemonThreads
from ._turns import Turns
from ._workflows import Workflows

# Functions that were told to stop may end so long; then they are left behind.
FAREWELL_SECONDS = 1.0
# The answers of those that a broken executor has ended leave within so long.
ANSWER_SECONDS = 0.1


@dataclass(frozen=True)
class TaskOptions:
    """What a worker is to do, and how."""

    task_queue: str
    workflows: Sequence[type] = ()
    functions: Functions = Functions(())  # noqa: RUF009
    # Of the engine's tasks; those of local activities need no name.
    activity_types: Sequence[str] = ()
    socket_path: str | None = None
    namespace: str = "default"
    identity: str = ""
    build_id: str = ""
    # With the converter of activities, too.
    run: RunOptions = RunOptions(DataConverter.default)  # noqa: RUF009
    interceptors: Sequence[Interceptor] = ()
    client: Any = None
    executor: concurrent.futures.Executor | None = None
    shared_state: SharedStateManager | None = None
    cached_runs_max: int = 1_000
    workflow_tasks_max: int = 100
    activities_max: int = 100
    locals_max: int = 100
    grace_seconds: float = 0.0
    # False: a run leaves the memory with the end of each of its tasks.
    keeps_runs: bool = True
    chaos: Chaos | None = None


class TaskWorker:
    """Serves one task queue from run() to stop().

    Workflows run on the loop's own thread, one activation at a time; coroutine functions as tasks
    of the loop; other activities in the executor.
    """

    def __init__(self, options: TaskOptions) -> None:
        cache = WorkflowCache(
            options.workflows,
            options.run,
            runs_max=options.cached_runs_max,
            dropped=self._dropped,
        )
        self._connection = Connection(_core_of(options, cache.types))
        core = self._core = self._connection.core
        for name in options.activity_types:
            core.register_activity(name)
        threads_max = options.activities_max + options.locals_max
        # Makes no thread before it is used.
        self._threads = DaemonThreads(threads_max, f"holdfast-{options.task_queue}")
        shared = options.shared_state
        self._around = Surroundings(
            converter=options.run.converter,
            interceptors=options.interceptors,
            executor=options.executor or self._threads,
            shared_state=shared,
            client=options.client,
            worker_shutdown=activity.Signal.on_loop(),
            shutdown_elsewhere=shared.new_event() if shared is not None else None,
            helpers=self._threads,
            broken=self._broken,
        )
        functions, around, converter = options.functions, self._around, options.run.converter
        turns = self._turns = Turns(core, self._take)
        self._activities = Activities(
            core, functions, around, turns.answered, chaos=options.chaos, lose=self.lose
        )
        self._locals = Locals(
            core, functions, around, turns.answered, running_max=options.locals_max
        )
        self._workflows = Workflows(
            core,
            cache,
            self._locals,
            converter,
            turns.answered,
            keeps_runs=options.keeps_runs,
            chaos=options.chaos,
        )
        self._grace_seconds = options.grace_seconds
        self._is_stopping = False
        self._has_left = False
        # Its connection is closed already.
        self._is_lost = False
        # Ends the grace, and then the farewell.
        self._timer: asyncio.TimerHandle | None = None

    async def attached(self) -> None:
        """Waits until the engine has the worker, for the first time."""
        await self._turns.attached.wait()

    async def run(self) -> None:
        """Returns when it was stopped and is drained; raises what ends it otherwise."""
        try:
            await self._turns.run()
        finally:
            self._forget_timer()
            self._say_shutdown()
            self._workflows.drop_all()
            self._activities.cancel_all()
            tasks = self._activities.tasks | self._locals.tasks
            if tasks and not self._has_left:
                await asyncio.wait(tasks, timeout=FAREWELL_SECONDS)
            self._threads.shutdown()
            self._connection.close()

    def _take(self, kind: int, message: bytes, token: bytes, run_id: str) -> None:
        if kind == _core.TASK_ACTIVATION:
            self._workflows.activate(proto.Activation.decode(message))
        elif kind == _core.TASK_REPLAY_HISTORY:
            self._workflows.replay(proto.ReplayHistory.decode(message))
        elif kind == _core.TASK_EVICT:
            self._workflows.evict(run_id, message)
        elif kind == _core.TASK_DISCONNECTED:
            self._workflows.drop_all()
        elif kind == _core.TASK_RECORDED:
            self._locals.begin(token)
        elif kind == _core.TASK_ACTIVITY:
            self._activities.begin(proto.ActivityTask.decode(message))
        elif kind == _core.TASK_ACTIVITY_CANCEL:
            self._activities.cancel(token, proto.ActivityCancel.decode(message).reason)

    def lose(self) -> None:
        """Ends the worker at once, with all that it has in hand, as a crash would."""
        self._has_left = self._is_lost = True
        self._turns.fail(WorkerLost())
        self._connection.close()

    def _dropped(self, run_id: str) -> None:
        self._core.evicted([run_id])
        self._workflows.dropped(run_id)

    def _broken(self, error: BaseException) -> None:
        """No thread or process can run activities any more: others are to have them."""
        # The attempt that has noticed it is answered before.
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._turns.fail, error)

    # MARK: Stopping

    @property
    def is_stopping(self) -> bool:
        return self._is_stopping

    def stop_once(self) -> None:
        """As stop(), but only the first one counts."""
        if not self._is_stopping:
            self.stop()

    def stop(self) -> None:
        """No new tasks; run() returns when those that are out have ended, within the grace.

        A second stop ends the grace.
        """
        if self._is_stopping:
            self._end_grace()
            return
        self._is_stopping = True
        if not self._is_lost:
            self._core.stop()
        self._locals.stop()
        self._say_shutdown()
        self._turns.look()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._grace_seconds, self._end_grace)

    def _say_shutdown(self) -> None:
        around = self._around
        if not around.worker_shutdown.is_set():
            around.worker_shutdown.set()
            if around.shutdown_elsewhere is not None:
                # It speaks to another process.
                around.helpers.submit(around.shutdown_elsewhere.set)

    def _end_grace(self) -> None:
        """What still runs is told to stop; its answers leave as ever."""
        self._forget_timer()
        self._activities.cancel_all()
        self._locals.cancel_all()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FAREWELL_SECONDS, self._end)

    def _end(self) -> None:
        """What does not stop is left."""
        self._has_left = True
        if not self._is_lost:
            self._core.stop()
        self._turns.look()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _core_of(options: TaskOptions, workflow_types: Sequence[str]) -> _core.Worker:
    return _core.Worker(
        task_queue=options.task_queue,
        socket_path=options.socket_path,
        namespace=options.namespace,
        identity=options.identity,
        build_id=options.build_id,
        workflow_types=workflow_types,
        max_concurrent_activities=options.activities_max,
        max_concurrent_workflow_tasks=options.workflow_tasks_max,
        cached_runs_max=options.cached_runs_max,
        # The grace is TaskWorker's matter: answers that come after it leave, too.
        grace_ms=-1,
        sdk_name="holdfast-python",
        language="python",
    )
