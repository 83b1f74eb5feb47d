"""The public worker."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, cast

from .._chaos import Chaos, WorkerLost
from .._run.run import RunOptions
from .._run.watchdog import DEFAULT_SECONDS
from ..converter import DataConverter
from ._functions import Functions
from ._interceptor import Interceptor, WorkflowInterceptorClassInput
from ._processes import SharedStateManager
from ._runners import SandboxedWorkflowRunner, WorkflowRunner
from ._tasks import TaskOptions, TaskWorker

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("holdfast.worker")
SANDBOXED = SandboxedWorkflowRunner()
ATTACH_SECONDS = 2.0

# Of Temporal's workers: they tune what is not done here. Tasks are pushed, not polled; workflows
# run on the worker's loop.
_WITHOUT_EFFECT = frozenset(
    (
        "activity_task_poller_behavior",
        "default_heartbeat_throttle_interval",
        "disable_safe_workflow_eviction",
        "max_activity_task_polls",
        "max_concurrent_activity_task_polls",
        "max_concurrent_workflow_task_polls",
        "max_heartbeat_throttle_interval",
        "nonsticky_to_sticky_poll_ratio",
        "sticky_queue_schedule_to_start_timeout",
        "unsandboxed_workflow_runner",
        "workflow_task_executor",
        "workflow_task_poller_behavior",
    )
)


# Of Temporal's workers, too; here a rate belongs to a queue, not to who serves it.
_RATES = frozenset(("max_activities_per_second", "max_task_queue_activities_per_second"))


class WorkerClient(Protocol):
    """What a worker needs of a client: it makes a connection of its own from it."""

    @property
    def socket_path(self) -> str | None:
        """Of the engine; None: the default."""

    @property
    def namespace(self) -> str:
        """The worker's too."""

    @property
    def identity(self) -> str:
        """The worker's too, unless it is given one; empty: process and host."""

    @property
    def data_converter(self) -> DataConverter:
        """The worker's too."""

    @property
    def interceptors(self) -> Sequence[Any]:
        """Those that are a worker's interceptors too come before the worker's own."""


class WorkerConfig(TypedDict, total=False):
    """What a worker was made of: `Worker(**{**worker.config(), "task_queue": "other"})`.

    With those options of Temporal's workers that were given and change nothing.
    """

    client: WorkerClient
    task_queue: str
    activities: Sequence[Callable[..., Any]]
    workflows: Sequence[type]
    interceptors: Sequence[Interceptor]
    activity_executor: concurrent.futures.Executor | None
    shared_state_manager: SharedStateManager | None
    dynamic_activity_types: Sequence[str]
    no_remote_activities: bool
    identity: str | None
    build_id: str | None
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int | None
    max_concurrent_activities: int | None
    max_concurrent_local_activities: int | None
    graceful_shutdown_timeout: timedelta
    workflow_failure_exception_types: Sequence[type[BaseException]]
    on_fatal_error: Callable[[BaseException], Awaitable[None]] | None
    workflow_runner: WorkflowRunner
    debug_mode: bool
    disable_eager_activity_execution: bool


_CONFIG = frozenset(WorkerConfig.__annotations__)


class Worker:
    """Serves workflows and activities of one task queue.

    `await worker.run()` serves until shutdown(), or until run() is cancelled; so does
    `async with worker:` until the end of its block, which begins when the engine has it. Either
    raises what ends the worker otherwise; a lost connection is none of it, the worker comes back.
    Signals of the process are left to the program. Once per worker.
    """

    def __init__(
        self,
        client: WorkerClient,
        *,
        task_queue: str,
        activities: Sequence[Callable[..., Any]] = (),
        workflows: Sequence[type] = (),
        interceptors: Sequence[Interceptor] = (),
        activity_executor: concurrent.futures.Executor | None = None,
        shared_state_manager: SharedStateManager | None = None,
        dynamic_activity_types: Sequence[str] = (),
        no_remote_activities: bool = False,
        identity: str | None = None,
        build_id: str | None = None,
        max_cached_workflows: int = 1_000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        graceful_shutdown_timeout: timedelta = timedelta(),
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        workflow_runner: WorkflowRunner = SANDBOXED,
        debug_mode: bool = False,
        disable_eager_activity_execution: bool = False,
        **without_effect: Any,
    ) -> None:
        """Makes a worker; it connects when it is run.

        activity_executor: where activities run that are not async; threads of the worker's own if
        None. One that is no ThreadPoolExecutor is taken for one of processes, and needs a
        shared_state_manager. dynamic_activity_types: what a dynamic activity serves of the engine's
        tasks. no_remote_activities: activities are local ones of this worker's workflows only. The
        max_concurrent_… are 100 if None. max_cached_workflows: runs whose state is kept between
        their tasks; with 0 each task is run from the history. graceful_shutdown_timeout: how long
        activities may go on after a shutdown before they are cancelled.
        workflow_failure_exception_types: errors that fail a workflow beside FailureError.
        on_fatal_error: is awaited with what ends the worker. workflow_runner: whether calls that
        would not be the same when the code is run again are refused. debug_mode: they are not, and
        code may hold its thread as long as it likes. disable_eager_activity_execution is taken, and
        changes nothing; so are options of Temporal's workers about polling.
        """
        # What was given, before anything else has a name here.
        given = {key: value for key, value in locals().items() if key in _CONFIG}
        self._config = cast(WorkerConfig, {**given, **without_effect})
        _check_unknown(without_effect)
        if not activities and not workflows:
            raise ValueError("a worker needs at least one activity or workflow")
        functions = Functions(activities)
        if dynamic_activity_types and functions.dynamic is None:
            raise ValueError("dynamic_activity_types are for a dynamic activity")
        activities_max = _maximum("activities", max_concurrent_activities)
        _check_executor(functions, activity_executor, shared_state_manager, activities_max)
        types = [] if no_remote_activities else [*functions.names, *dynamic_activity_types]
        self._client = client
        self._task_queue = task_queue
        self._on_fatal_error = on_fatal_error
        around = [*_inherited(client), *interceptors]
        chaos: Chaos | None = getattr(client, "_chaos", None)
        self._options = TaskOptions(
            task_queue=task_queue,
            workflows=workflows,
            functions=functions,
            activity_types=types,
            socket_path=client.socket_path,
            namespace=client.namespace,
            identity=identity or client.identity,
            build_id=build_id or "",
            run=run_options(
                client.data_converter,
                around,
                workflow_runner,
                tuple(workflow_failure_exception_types),
                debug_mode=debug_mode,
            ),
            interceptors=around,
            client=client,
            executor=activity_executor,
            shared_state=shared_state_manager if activity_executor is not None else None,
            cached_runs_max=max_cached_workflows or 1_000,
            keeps_runs=max_cached_workflows > 0 and chaos is None,
            chaos=chaos,
            workflow_tasks_max=_maximum("workflow_tasks", max_concurrent_workflow_tasks),
            activities_max=activities_max,
            locals_max=_maximum("local_activities", max_concurrent_local_activities),
            grace_seconds=graceful_shutdown_timeout.total_seconds(),
        )
        self._tasks = TaskWorker(self._options)
        self._is_started = False
        self._serving: asyncio.Task[None] | None = None
        # Of `async with`: the block's task, and the one that runs the worker for it.
        self._block: asyncio.Task[Any] | None = None
        self._run_task: asyncio.Task[None] | None = None

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """What this worker was made with, defaults too; a copy, whose values are the same objects.

        active_config is taken, and changes nothing: there are no plugins that would change it.
        """
        return self._config.copy()

    @property
    def client(self) -> WorkerClient:
        """The client that it was made with."""
        return self._client

    @property
    def task_queue(self) -> str:
        """Where its tasks come from."""
        return self._task_queue

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended; so it is while it shuts down."""
        return self._is_started and not self.is_shutdown

    @property
    def is_shutdown(self) -> bool:
        """Whether it was run, and has ended."""
        return self._serving is not None and self._serving.done()

    async def run(self) -> None:
        """Serves until shutdown(); raises what ends the worker otherwise.

        When it is cancelled it shuts down first, gracefully; cancelled again, without grace.
        """
        if self._is_started:
            raise RuntimeError("Already started")
        self._is_started = True
        serving = self._serving = asyncio.get_running_loop().create_task(self._serve())
        was_cancelled: asyncio.CancelledError | None = None
        while not serving.done():
            try:
                await asyncio.wait([serving])
            except asyncio.CancelledError as cancelled:
                if was_cancelled is None:
                    self._tasks.stop_once()
                else:
                    self._tasks.stop()
                was_cancelled = cancelled
        error = serving.exception()
        if error is not None:
            logger.error("the worker of task queue %s has ended", self._task_queue, exc_info=error)
            if self._on_fatal_error is not None:
                await self._on_fatal_error(error)
            raise error
        if was_cancelled is not None:
            raise was_cancelled

    async def _serve(self) -> None:
        while True:
            try:
                return await self._tasks.run()
            except WorkerLost:
                # In a chaos environment only: as if another process began where this one has ended.
                assert self._options.chaos is not None
                await self._options.chaos.worker_lost()
                was_stopped = self._tasks.is_stopping
                self._tasks = TaskWorker(self._options)
                if was_stopped:
                    return

    async def shutdown(self) -> None:
        """Takes no new tasks, and returns when the worker has ended.

        Activities have the graceful_shutdown_timeout to end by themselves.
        """
        if self._serving is None:
            raise RuntimeError("Never started")
        if not self._serving.done():
            self._tasks.stop_once()
            await asyncio.wait([self._serving])

    async def __aenter__(self) -> Self:
        """Serves while the block runs, which is cancelled when the worker ends by an error.

        The block begins when the engine has the worker, so that a query finds it; where there is
        no engine, ATTACH_SECONDS later: the worker goes on trying.
        """
        self._block = asyncio.current_task()
        loop = asyncio.get_running_loop()
        run = self._run_task = loop.create_task(self.run())
        attached = loop.create_task(self._tasks.attached())
        try:
            await asyncio.wait(
                [run, attached], timeout=ATTACH_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            run.cancel()
            await asyncio.wait([run])
            raise
        finally:
            attached.cancel()
        if run.done():
            run.result()
        run.add_done_callback(self._ended)
        return self

    def _ended(self, run: asyncio.Task[None]) -> None:
        if self._block is not None and not run.cancelled() and run.exception() is not None:
            self._block.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        run, block = self._run_task, self._block
        assert run is not None and block is not None
        has_failed = run.done()
        self._block = None
        if not has_failed:
            await self.shutdown()
        await asyncio.wait([run])
        if has_failed and isinstance(error, asyncio.CancelledError) and hasattr(block, "uncancel"):
            block.uncancel()
        if error is None or has_failed:
            run.result()


def _check_unknown(options: Iterable[str]) -> None:
    unknown = sorted(set(options) - _WITHOUT_EFFECT)
    if not unknown:
        return
    instead = ""
    if unknown[0] in _RATES:
        instead = (
            ": limit what the queue gives out with `holdfast task-queue limits`, or how many run at"
            " once with max_concurrent_activities"
        )
    raise TypeError(f"a worker has no option {unknown[0]!r}{instead}")


def _maximum(what: str, given: int | None) -> int:
    if given is not None and given < 1:
        raise ValueError(f"max_concurrent_{what} must be at least 1")
    return 100 if given is None else given


def run_options(
    converter: DataConverter,
    interceptors: Sequence[Interceptor],
    runner: WorkflowRunner,
    failure_types: tuple[type[BaseException], ...],
    *,
    debug_mode: bool,
) -> RunOptions:
    extern: dict[str, Callable[..., Any]] = {}
    asked = WorkflowInterceptorClassInput(unsafe_extern_functions=extern)
    classes = [one.workflow_interceptor_class(asked) for one in interceptors]
    return RunOptions(
        converter,
        failure_types,
        guarded=runner.is_guarded and not debug_mode,
        interceptors=tuple(one for one in classes if one is not None),
        extern_functions=extern,
        passthrough_modules=runner.passthrough_modules,
        deadlock_timeout=None if debug_mode else DEFAULT_SECONDS,
    )


def _inherited(client: WorkerClient) -> list[Interceptor]:
    return [one for one in client.interceptors if isinstance(one, Interceptor)]


def _check_executor(
    functions: Functions,
    executor: concurrent.futures.Executor | None,
    shared: SharedStateManager | None,
    activities_max: int,
) -> None:
    if executor is None or all(one.is_async for one in functions.all):
        return
    if not isinstance(executor, concurrent.futures.ThreadPoolExecutor) and shared is None:
        raise ValueError(
            "an activity_executor that is no ThreadPoolExecutor needs a shared_state_manager"
        )
    places = getattr(executor, "_max_workers", None)
    if isinstance(places, int) and places < activities_max:
        warnings.warn(
            f"the activity_executor runs {places} at once, fewer than max_concurrent_activities:"
            " further activities wait for a place while their time runs",
            stacklevel=3,
        )
