"""An engine, a client and workers for a test of a behaviour, in the mode that pytest was given."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from holdfast import _chaos
from holdfast import _messages as proto
from holdfast.client import Client, RPCError, WorkflowFailureError, WorkflowHandle
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Worker

QUEUE = "semantics"
# Real time: a test that takes longer hangs.
TEST_SECONDS_MAX = 30

# Tests are short: in chaos something happens all the time.
CHAOS = {"RESTART_AFTER": (4, 12), "LOST_AFTER": (3, 9), "TWICE_AFTER": (1, 3)}


class World:
    """`mode` is cached, uncached (workers keep no run between its tasks) or chaos."""

    env: WorkflowEnvironment

    def __init__(self, mode: str, seed: int, options: dict[str, Any]) -> None:
        self.mode = mode
        self.seed = seed
        self._options = options
        self._workers = 0

    @property
    def client(self) -> Client:
        return self.env.client

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        if self.mode == "chaos":
            print(f"chaos with the seed {self.seed}")
            with pytest.MonkeyPatch.context() as patch:
                for name, span in CHAOS.items():
                    patch.setattr(_chaos, name, span)
                self.env = await WorkflowEnvironment.start_chaos(self.seed, **self._options)
                async with self.env:
                    yield
                    print(self.env.chaos_report)
                    self.env.chaos_report.check()
        else:
            self.env = await WorkflowEnvironment.start_time_skipping(**self._options)
            async with self.env:
                yield

    # MARK: Workers

    @asynccontextmanager
    async def worker(self, *served: Any, **options: Any) -> AsyncIterator[Worker]:
        """Of workflows, which are classes, and of activities, which are not; it is there."""
        if self.mode == "uncached":
            options.setdefault("max_cached_workflows", 0)
        queue = options.pop("task_queue", QUEUE)
        self._workers += 1
        made = Worker(
            options.pop("client", self.client),
            task_queue=queue,
            workflows=[one for one in served if isinstance(one, type)],
            activities=[one for one in served if not isinstance(one, type)],
            identity=f"worker-{self._workers}",
            **options,
        )
        async with made:
            await self.until(lambda: self._is_there(made, f"worker-{self._workers}"))
            yield made

    async def _is_there(self, worker: Worker, identity: str) -> bool:
        found = await self.client.service_client.call(
            proto.OperatorService.DescribeTaskQueue,
            proto.DescribeTaskQueueRequest(
                namespace=self.client.namespace, task_queue=worker.task_queue
            ),
        )
        return any(one.identity == identity for one in found.workers)

    # MARK: Workflows

    async def start(
        self, workflow: Any, *args: Any, id: str | None = None, **options: Any
    ) -> WorkflowHandle[Any, Any]:
        return await self.client.start_workflow(
            workflow,
            args=args,
            id=id or f"w-{uuid.uuid4()}",
            task_queue=options.pop("task_queue", QUEUE),
            **options,
        )

    async def execute(self, workflow: Any, *args: Any, **options: Any) -> Any:
        """Starts it, and waits for its result."""
        return await (await self.start(workflow, *args, **options)).result()

    async def failure(self, handle: WorkflowHandle[Any, Any]) -> BaseException:
        """How a workflow ends that has no result."""
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()
        return raised.value.cause

    async def failure_of_run(self, handle: WorkflowHandle[Any, Any]) -> BaseException:
        """The same of one run, whatever came after it."""
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result(follow_runs=False)
        return raised.value.cause

    async def why(self, workflow: Any, *args: Any, **options: Any) -> BaseException:
        """Starts it; how it ends that has no result."""
        return await self.failure(await self.start(workflow, *args, **options))

    async def query(self, handle: WorkflowHandle[Any, Any], query: Any, **options: Any) -> Any:
        """Asks again where it is the chaos that has taken the worker away."""
        while True:
            try:
                return await handle.query(query, **options)
            except RPCError as error:
                if self.mode != "chaos" or error.reason != "NO_WORKER":
                    raise

    async def refusal(self, call: Awaitable[Any]) -> str:
        """The reason why the engine refuses a call."""
        with pytest.raises(RPCError) as raised:
            await call
        return raised.value.reason

    # MARK: What is known

    async def events(self, handle: WorkflowHandle[Any, Any]) -> list[str]:
        """The kinds of the events so far."""
        return [str(one.attributes) for one in (await handle.fetch_history()).events]

    async def has_event(self, handle: WorkflowHandle[Any, Any], kind: str) -> bool:
        return kind in await self.events(handle)

    async def has_problem(self, handle: WorkflowHandle[Any, Any], text: str) -> bool:
        """What keeps the workflow from going on says this."""
        described = (await handle.describe()).raw_description
        return any(text in one for one in described.warnings)

    async def event(self, handle: WorkflowHandle[Any, Any], kind: str) -> Any:
        """What the first event of this kind says."""
        for one in (await handle.fetch_history()).events:
            if one.attributes == kind:
                return getattr(one, kind)
        raise AssertionError(f"no event {kind}: {await self.events(handle)}")

    async def pending(
        self,
        handle: WorkflowHandle[Any, Any],
        holds: Callable[[proto.PendingActivity], bool] = lambda _: True,
    ) -> proto.PendingActivity:
        """The one activity that the workflow waits for, once it is as it should be."""
        found: list[proto.PendingActivity] = []

        async def holding() -> bool:
            found[:] = (await handle.describe()).raw_description.pending_activities
            return len(found) == 1 and holds(found[0])

        await self.until(holding)
        return found[0]

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Asks, while others go on, until it is so. A test that waits in vain ends by its time."""
        while not await holds():
            await asyncio.sleep(0.002)

    # MARK: Time

    async def now(self) -> datetime:
        """The engine's time."""
        return await self.env.get_current_time()

    async def sleep(self, seconds: float) -> None:
        """Of the engine's time; what is due meanwhile happens."""
        await self.env.sleep(timedelta(seconds=seconds))
