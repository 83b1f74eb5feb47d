"""Workers and engines that are stopped and killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from conftest import Engine
from served import Caller, serve, worker_of

from holdfast import activity
from holdfast.client import Client

PROGRAM = Path(__file__).with_name("worker_process.py")
T = TypeVar("T")


class Processes:
    """Workers of their own processes, which write one log."""

    def __init__(self, engine: Engine, log: Path) -> None:
        self.engine = engine
        self._log = log
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, PROGRAM, self.engine.socket, self._log, *words]
        process = subprocess.Popen(command)
        self._started.append(process)
        return process

    def words(self) -> list[list[str]]:
        text = self._log.read_text() if self._log.exists() else ""
        return [line.split() for line in text.splitlines()]

    async def await_line(self, *words: str) -> list[str]:
        deadline = time.monotonic() + 20
        while True:
            for line in self.words():
                if line[: len(words)] == list(words):
                    return line
            assert time.monotonic() < deadline, f"no line {words} in {self.words()}"
            await asyncio.sleep(0.005)

    def kill_all(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def processes(engine: Engine, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(engine, tmp_path / "worker.log")
    try:
        yield made
    finally:
        made.kill_all()


async def with_workflows(processes: Processes, body: Callable[[Caller], Awaitable[T]]) -> T:
    """The workflow is served here, its activities by the processes."""
    return await serve(processes.engine, body)


async def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert await asyncio.to_thread(process.wait, 20) == 0


async def test_sigterm_lets_an_activity_end(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        worker = processes.start()
        called = await caller.start_call("nap", 0, 0.5)
        await processes.await_line("start", "1")
        worker.send_signal(signal.SIGTERM)
        assert await caller.result(called) == "attempt 1"
        assert await asyncio.to_thread(worker.wait, 20) == 0
        assert processes.words()[-2:] == [["end", "1"], ["stopped"]]

    await with_workflows(processes, body)


async def test_a_second_signal_does_not_wait(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        worker = processes.start()
        called = await caller.start_call("nap", 0, 60)
        await processes.await_line("start", "1")
        worker.send_signal(signal.SIGINT)
        # Two signals at once could be one.
        await asyncio.sleep(0.2)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
        second = processes.start()
        assert await caller.result(called) == "attempt 2"
        await end(second)

    await with_workflows(processes, body)


async def test_a_killed_worker_is_replaced_at_once(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        first = processes.start()
        called = await caller.start_call("nap", 0, 60)
        await processes.await_line("start", "1")
        second = processes.start()
        await asyncio.sleep(0.5)  # until it has attached: what is measured is the dispatch
        first.kill()
        killed = time.monotonic()
        await processes.await_line("start", "2")
        assert time.monotonic() - killed < 1.0
        assert await caller.result(called) == "attempt 2"
        keys = {line[2] for line in processes.words() if line[0] == "start"}
        assert len(keys) == 1
        await end(second)

    await with_workflows(processes, body)


async def test_an_activity_outlives_its_engine(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        worker = processes.start()
        called = await caller.start_call("nap", 0, 1.0)
        await processes.await_line("start", "1")
        processes.engine.kill_and_restart()
        assert await caller.result(called) == "attempt 1"
        assert [line[:2] for line in processes.words()] == [["start", "1"], ["end", "1"]]
        await end(worker)

    await with_workflows(processes, body)


async def test_a_worker_that_died_with_its_engine_is_not_waited_for(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        first = processes.start()
        called = await caller.start_call("nap", 0, 60)
        await processes.await_line("start", "1")
        processes.engine.kill()
        first.kill()
        first.wait()
        second = processes.start()
        processes.engine.kill_and_restart()
        restarted = time.monotonic()
        await processes.await_line("start", "2")
        assert time.monotonic() - restarted < 5.0, "the resume window is ten seconds"
        assert await caller.result(called) == "attempt 2"
        await end(second)

    await with_workflows(processes, body)


async def test_a_result_without_an_engine_is_kept_and_told_once(processes: Processes) -> None:
    async def body(caller: Caller) -> None:
        worker = processes.start()
        called = await caller.start_call("nap", 0, 0.2)
        await processes.await_line("start", "1")
        processes.engine.kill()
        await processes.await_line("end", "1")
        processes.engine.kill_and_restart()
        assert await caller.result(called) == "attempt 1"
        assert [line[:2] for line in processes.words()] == [["start", "1"], ["end", "1"]]
        await end(worker)

    await with_workflows(processes, body)


async def test_a_killed_worker_is_replaced_although_the_children_of_its_pool_live_on(
    processes: Processes,
) -> None:
    async def body(caller: Caller) -> None:
        first = processes.start("processes")
        called = await caller.start_call("nap", 0, 60)
        line = await processes.await_line("start", "1")
        child, connections = int(line[3]), int(line[4])
        # The engine may learn of the parent's end by its process too, but not everywhere.
        assert connections == 0, "a child holds the worker's connection"
        second = processes.start()
        await asyncio.sleep(0.5)  # until it has attached: what is measured is the dispatch
        try:
            first.kill()
            killed = time.monotonic()
            first.wait()
            await processes.await_line("start", "2")
            assert time.monotonic() - killed < 1.0
            assert int((await processes.await_line("start", "2"))[4]) == 1
            assert child != first.pid
            os.kill(child, 0)  # it lives on
            assert await caller.result(called) == "attempt 2"
        finally:
            os.kill(child, signal.SIGKILL)
        await end(second)

    await with_workflows(processes, body)


async def test_a_stuck_activity_does_not_hold_a_worker_that_is_shut_down(engine: Engine) -> None:
    started = threading.Event()

    @activity.defn
    def stuck() -> None:
        started.set()
        time.sleep(30)

    async def run() -> float:
        grace = timedelta(seconds=0.1)
        client = await Client.connect(engine.socket)
        worker = worker_of(client, activities=[stuck], graceful_shutdown_timeout=grace)
        serving = asyncio.create_task(worker.run())
        await Caller(client).start_call("stuck")
        assert await asyncio.to_thread(started.wait, 20)
        begin = time.monotonic()
        await worker.shutdown()
        await serving
        return time.monotonic() - begin

    assert 0.1 <= await run() < 5.0


async def test_activities_are_told_of_the_shutdown_and_have_their_grace(engine: Engine) -> None:
    started, seen = threading.Semaphore(0), []

    @activity.defn
    async def ends_by_itself() -> str:
        started.release()
        await activity.wait_for_worker_shutdown()
        seen.append((activity.is_worker_shutdown(), activity.is_cancelled()))
        return "ended"

    @activity.defn
    async def is_cancelled() -> str:
        if activity.info().attempt > 1:
            return "by the next worker"
        started.release()
        try:
            await asyncio.sleep(30)
        finally:
            details = activity.cancellation_details()
            assert details is not None
            seen.append(details.worker_shutdown)
        return "never"

    activities = [ends_by_itself, is_cancelled]

    async def run() -> list[str]:
        client = await Client.connect(engine.socket)
        caller = Caller(client)
        worker = worker_of(
            client,
            activities=activities,
            graceful_shutdown_timeout=timedelta(seconds=0.2),
        )
        async with worker:
            assert worker.is_running and not worker.is_shutdown
            ids = [await caller.start_call(name) for name in ("ends_by_itself", "is_cancelled")]
            for _ in ids:
                assert await asyncio.to_thread(started.acquire, timeout=20)
        assert worker.is_shutdown and not worker.is_running
        return ids

    ids = await run()
    assert seen == [(True, False), True]
    results = await serve(
        engine, lambda caller: asyncio.gather(*map(caller.result, ids)), activities=activities
    )
    assert results == ["ended", "by the next worker"]


async def test_a_worker_that_the_engine_refuses_ends_the_block_with_the_error(
    engine: Engine,
) -> None:
    told: list[BaseException] = []

    @activity.defn
    def nothing() -> None: ...

    async def on_fatal_error(error: BaseException) -> None:
        told.append(error)

    async def run() -> None:
        client = await Client.connect(engine.socket, namespace="no such namespace")
        async with worker_of(client, activities=[nothing], on_fatal_error=on_fatal_error):
            await asyncio.sleep(20)

    with pytest.raises(Exception) as raised:
        await run()
    assert told == [raised.value]
    assert getattr(raised.value, "code", None) in ("NOT_FOUND", "INVALID_ARGUMENT")
