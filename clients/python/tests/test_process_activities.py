"""Activities in other processes."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from conftest import Engine
from served import Caller, WorkflowFailed, serve, worker_of

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.exceptions import ApplicationError, CancelledError
from holdfast.worker import SharedStateManager

T = TypeVar("T")


@pytest.fixture(scope="module", params=["fork", "spawn"])
def pool(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    context = multiprocessing.get_context(request.param)
    with context.Manager() as manager, ProcessPoolExecutor(4, mp_context=context) as executor:
        shared = SharedStateManager.create_from_multiprocessing(manager)
        yield {
            "activity_executor": executor,
            "shared_state_manager": shared,
            "max_concurrent_activities": 4,
        }


async def with_pool(
    engine: Engine, pool: dict[str, Any], body: Callable[[Caller], Awaitable[T]], *activities: Any
) -> T:
    return await serve(engine, body, activities=activities, workflows=[Local], **pool)


@workflow.defn(name="local")
class Local:
    @workflow.run
    async def run(self, name: str, value: Any) -> Any:
        limit = timedelta(seconds=20)
        return await workflow.execute_local_activity(name, value, start_to_close_timeout=limit)


@activity.defn
def where(value: str) -> list[Any]:
    info = activity.info()
    activity.heartbeat("of no effect where it is local")
    with activity.shield_thread_cancel_exception():
        cancelled = activity.is_cancelled()
    payload = activity.payload_converter().to_payload(value)
    return [os.getpid(), value, info.activity_type, info.is_local, cancelled, payload.encoding]


class Scale:
    """An object whose method is pickled with it."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    @activity.defn
    def scale(self, number: int) -> int:
        return number * self.factor


async def test_functions_and_methods_run_elsewhere(engine: Engine, pool: dict[str, Any]) -> None:
    async def body(caller: Caller) -> list[Any]:
        await caller.start("local", "l", "where", "b")
        return [
            await caller.do("where", "a"),
            await caller.result("l"),
            await caller.do("scale", 7),
        ]

    remote, local, scaled = await with_pool(engine, pool, body, where, Scale(6).scale)
    assert remote[0] != os.getpid() and local[0] != os.getpid()
    assert remote[1:] == ["a", "where", False, False, "json/plain"]
    assert local[1:] == ["b", "where", True, False, "json/plain"]
    assert scaled == 42


@activity.defn
def beats() -> list[Any]:
    info = activity.info()
    if info.attempt == 1:
        for number in range(100):
            activity.heartbeat(number, "of the first")
        raise ApplicationError("again", "detail", type="Again")
    return [info.attempt, info.heartbeat_details]


async def test_heartbeats_arrive_before_the_end(engine: Engine, pool: dict[str, Any]) -> None:
    result = await with_pool(engine, pool, lambda caller: caller.do("beats"), beats)
    assert result == [2, [99, "of the first"]]


@activity.defn
def fails() -> None:
    raise ApplicationError("no", {"left": 0}, type="No", non_retryable=True)


async def test_errors_arrive_whole(engine: Engine, pool: dict[str, Any]) -> None:
    async def body(caller: Caller) -> None:
        with pytest.raises(WorkflowFailed) as raised:
            await caller.do("fails")
        error = raised.value.chain[1]
        assert (error.message, error.type, list(error.details)) == ("no", "No", [{"left": 0}])

    await with_pool(engine, pool, body, fails)


@activity.defn
def leaves() -> None:
    activity.raise_complete_async()


async def test_an_activity_is_completed_elsewhere(engine: Engine, pool: dict[str, Any]) -> None:
    async def body(caller: Caller) -> Any:
        called = await caller.start_call("leaves")
        await caller.await_pending(
            called, lambda one: one.state == proto.PendingActivityState.STARTED
        )
        return await caller.complete_until(called, "from outside")

    assert await with_pool(engine, pool, body, leaves) == "from outside"


@activity.defn
def waits(path: str) -> str:
    """Says in a file why it should stop, and how."""
    Path(path).write_text("started")
    assert activity.cancellation_details() is None
    activity.wait_for_cancelled_sync(20)
    details = activity.cancellation_details()
    Path(path).write_text(f"{activity.is_cancelled()} {details}")
    raise CancelledError("stopped")


async def await_text(path: Path, text: str) -> None:
    deadline = time.monotonic() + 20
    while not path.exists() or path.read_text() != text:
        assert time.monotonic() < deadline, path.exists() and path.read_text()
        await asyncio.sleep(0.005)


async def test_a_cancellation_arrives(engine: Engine, pool: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "seen"

    async def body(caller: Caller) -> None:
        called = await caller.start_call("waits", str(path))
        await await_text(path, "started")
        await caller.cancel(called)
        with pytest.raises(WorkflowFailed) as raised:
            await caller.result(called)
        assert raised.value.status == proto.WorkflowStatus.CANCELED

    await with_pool(engine, pool, body, waits)
    details = activity.ActivityCancellationDetails(cancel_requested=True)
    assert path.read_text() == f"True {details}"


@activity.defn
def waits_for_the_end(path: str) -> str:
    Path(path).write_text("started")
    activity.wait_for_worker_shutdown_sync(timedelta(seconds=20))
    return f"shutdown {activity.is_worker_shutdown()}, cancelled {activity.is_cancelled()}"


async def test_a_shutdown_is_told(engine: Engine, pool: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "seen"

    async def run() -> str:
        client = await Client.connect(engine.socket)
        caller = Caller(client)
        worker = worker_of(
            client,
            activities=[waits_for_the_end],
            graceful_shutdown_timeout=timedelta(seconds=20),
            **pool,
        )
        async with worker:
            called = await caller.start_call("waits_for_the_end", str(path))
            await await_text(path, "started")
        return called

    called = await run()
    result = await with_pool(engine, pool, lambda caller: caller.result(called), where)
    assert result == "shutdown True, cancelled False"


@activity.defn
def kills_its_process() -> str:
    if activity.info().attempt == 1:
        os._exit(3)
    return f"attempt {activity.info().attempt}"


async def test_a_broken_pool_ends_the_worker_and_another_one_goes_on(engine: Engine) -> None:
    context = multiprocessing.get_context("fork")
    told: list[BaseException] = []

    async def on_fatal_error(error: BaseException) -> None:
        told.append(error)

    async def run(shared: SharedStateManager, executor: ProcessPoolExecutor) -> str:
        client = await Client.connect(engine.socket)
        caller = Caller(client)
        worker = worker_of(
            client,
            activities=[kills_its_process],
            activity_executor=executor,
            shared_state_manager=shared,
            max_concurrent_activities=1,
            on_fatal_error=on_fatal_error,
        )
        serving = asyncio.create_task(worker.run())
        called = await caller.start_call("kills_its_process", initial_ms=500)
        with pytest.raises(BrokenProcessPool):
            await serving
        return called

    with context.Manager() as manager, ProcessPoolExecutor(1, mp_context=context) as executor:
        shared = SharedStateManager.create_from_multiprocessing(manager)
        called = await run(shared, executor)
    assert [type(error) for error in told] == [BrokenProcessPool]
    result = await serve(
        engine, lambda caller: caller.result(called), activities=[kills_its_process]
    )
    assert result == "attempt 2"
