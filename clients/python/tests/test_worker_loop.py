"""Workflows and activities in Python against an engine, on one asyncio loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from conftest import Engine
from served import Caller, WorkflowFailed, serve, worker_of

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast._proto.workflow_service import WorkflowService
from holdfast.client import Client
from holdfast.exceptions import ApplicationError
from holdfast.worker import Worker, _worker

T = TypeVar("T")
SHORT = timedelta(seconds=10)


async def with_worker(engine: Engine, body: Callable[[Caller], Awaitable[T]], **options: Any) -> T:
    return await serve(
        engine,
        body,
        workflows=[Greeting, Counter, Untellable],
        activities=[compose, shout, flaky],
        **options,
    )


@activity.defn
async def compose(name: str) -> str:
    await asyncio.sleep(0)
    return f"Hello, {name}"


@activity.defn
def shout(text: str) -> str:
    return text.upper() + "!"


@activity.defn
def flaky(failures: int) -> int:
    attempt = activity.info().attempt
    if attempt <= failures:
        raise ApplicationError("not yet", type="NotYet", next_retry_delay=timedelta(milliseconds=1))
    return attempt


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        greeting = await workflow.execute_activity(compose, name, start_to_close_timeout=SHORT)
        await asyncio.sleep(0.01)
        attempts = await workflow.execute_activity(flaky, 2, start_to_close_timeout=SHORT)
        loud = await workflow.execute_activity(shout, greeting, start_to_close_timeout=SHORT)
        return f"{loud} ({attempts})"


@workflow.defn
class Untellable:
    """Gives a command with an id that is no text, until it is repaired."""

    def __init__(self) -> None:
        self.id: Any = 5

    @workflow.signal
    def repair(self) -> None:
        self.id = "5"

    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            compose, "Bob", start_to_close_timeout=SHORT, activity_id=self.id
        )


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.sum = 0
        self.count = 0

    @workflow.run
    async def run(self, wanted: int) -> int:
        await workflow.wait_condition(lambda: self.count >= wanted)
        return self.sum

    @workflow.signal
    async def add(self, number: int) -> None:
        await asyncio.sleep(0.001)
        self.sum += number
        self.count += 1

    @workflow.query
    def total(self) -> int:
        return self.sum


@pytest.mark.parametrize("cached", [1_000, 1])
async def test_workflows_and_activities_work_with_and_without_a_cache(
    engine: Engine, cached: int
) -> None:
    async def body(caller: Caller) -> list[str]:
        for number in range(20):
            await caller.start("Greeting", f"g-{number}", f"n{number}")
        return [await caller.result(f"g-{number}") for number in range(20)]

    results = await with_worker(engine, body, max_cached_workflows=cached)
    assert results == [f"HELLO, N{number}! (3)" for number in range(20)]


async def test_signals_and_queries_reach_the_code_over_a_kill_of_the_engine(engine: Engine) -> None:
    async def body(caller: Caller) -> int:
        # A query without a worker is refused: this one's answer says that it is there.
        await caller.start("Counter", "there", 0)
        await caller.result("there")
        await caller.start("Counter", "c", 20)
        for number in range(10):
            await caller.signal("c", "add", number)
        assert await caller.query("c", "total") <= sum(range(10))
        engine.kill_and_restart()
        for number in range(10, 20):
            await caller.signal("c", "add", number)
        total: int = await caller.result("c")
        return total

    assert await with_worker(engine, body) == sum(range(20))


@workflow.defn
class Raises:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("sku")


async def test_the_worker_says_which_errors_fail_workflows(engine: Engine) -> None:
    async def body(caller: Caller) -> list[Any]:
        await caller.start("Raises", "r")
        with pytest.raises(WorkflowFailed) as raised:
            await caller.result("r")
        return raised.value.chain

    (error,) = await serve(
        engine, body, workflows=[Raises], workflow_failure_exception_types=[LookupError]
    )
    assert (error.type, error.message) == ("KeyError", "'sku'")


async def test_a_worker_runs_once_and_is_cancelled_gracefully(engine: Engine) -> None:
    begun = asyncio.Event()

    @activity.defn
    async def ends() -> str:
        begun.set()
        await activity.wait_for_worker_shutdown()
        return "ended"

    async def run() -> str:
        client = await Client.connect(engine.socket)
        caller = Caller(client)
        worker = worker_of(client, activities=[ends], graceful_shutdown_timeout=SHORT)
        with pytest.raises(RuntimeError, match="Never started"):
            await worker.shutdown()
        serving = asyncio.create_task(worker.run())
        called = await caller.start_call("ends")
        await begun.wait()
        with pytest.raises(RuntimeError, match="Already started"):
            await worker.run()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert (worker.is_running, worker.is_shutdown) == (False, True)
        await worker.shutdown()
        return called

    called = await run()
    assert await serve(engine, lambda caller: caller.result(called)) == "ended"


async def test_a_command_that_cannot_be_told_fails_the_task_and_nothing_else(
    engine: Engine,
) -> None:
    async def body(caller: Caller) -> str:
        await caller.start("Untellable", "u")
        execution = proto.WorkflowExecution(workflow_id="u")
        describe = proto.DescribeWorkflowRequest(execution=execution)
        while "activity_id" not in str(
            await caller.call(WorkflowService.DescribeWorkflow, describe)
        ):
            pass
        await caller.start("Greeting", "g", "Ann")
        assert await caller.result("g") == "HELLO, ANN! (3)"
        await caller.signal("u", "repair")
        result: str = await caller.result("u")
        return result

    assert await with_worker(engine, body) == "Hello, Bob"


async def test_a_worker_that_has_nothing_to_do_costs_no_time(engine: Engine) -> None:
    async def body(caller: Caller) -> float:
        await caller.start("Greeting", "g", "Ann")
        await caller.result("g")
        before = time.process_time()
        time.sleep(1)
        return time.process_time() - before

    assert await with_worker(engine, body) < 0.1


async def test_the_block_of_a_worker_begins_when_queries_find_it(engine: Engine) -> None:
    async with await Client.connect(engine.socket) as client:
        for number in range(10):
            queue = f"q-{number}"
            async with Worker(client, task_queue=queue, workflows=[Counter]):
                handle = await client.start_workflow(Counter.run, 1, id=queue, task_queue=queue)
                assert await handle.query(Counter.total) == 0


async def test_the_block_of_a_worker_begins_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await Client.connect(str(tmp_path / "none.sock"), lazy=True)
    monkeypatch.setattr(_worker, "ATTACH_SECONDS", 0.01)
    async with Worker(client, task_queue="q", workflows=[Counter]) as worker:
        assert worker.is_running
    assert worker.is_shutdown
    # One that is given up meanwhile ends as well.
    monkeypatch.setattr(_worker, "ATTACH_SECONDS", 60)
    worker = Worker(client, task_queue="q", workflows=[Counter])
    entering = asyncio.create_task(worker.__aenter__())
    await asyncio.sleep(0)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert worker.is_shutdown
