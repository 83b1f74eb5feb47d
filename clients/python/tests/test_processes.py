"""Workers and engines that are stopped and killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import World

from holdfast import activity

PROGRAM = Path(__file__).with_name("worker_process.py")


class WorkerProcess:
    def __init__(self, world: World, log: Path) -> None:
        self._log = log
        self.process = subprocess.Popen([sys.executable, PROGRAM, world.engine.socket, log])

    def words(self) -> list[list[str]]:
        text = self._log.read_text() if self._log.exists() else ""
        return [line.split() for line in text.splitlines()]

    def await_line(self, *words: str) -> None:
        deadline = time.monotonic() + 20
        while not any(line[: len(words)] == list(words) for line in self.words()):
            assert time.monotonic() < deadline, f"no line {words} in {self.words()}"
            time.sleep(0.005)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


def test_sigterm_lets_an_activity_end(world: World, log: Path) -> None:
    worker = WorkerProcess(world, log)
    handle = world.start("nap", 0, 0.5)
    worker.await_line("start", "1")
    worker.process.send_signal(signal.SIGTERM)
    assert handle.result(20) == "attempt 1"
    assert worker.process.wait(20) == 0
    assert worker.words()[-2:] == [["end", "1"], ["stopped"]]


def test_a_second_signal_does_not_wait(world: World, log: Path) -> None:
    worker = WorkerProcess(world, log)
    handle = world.start("nap", 0, 60)
    worker.await_line("start", "1")
    worker.process.send_signal(signal.SIGINT)
    # Two signals at once could be one.
    time.sleep(0.2)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == 0
    second = WorkerProcess(world, log)
    assert handle.result(20) == "attempt 2"
    second.process.terminate()
    assert second.process.wait(20) == 0


def test_a_killed_worker_is_replaced_at_once(world: World, log: Path) -> None:
    first = WorkerProcess(world, log)
    handle = world.start("nap", 0, 60)
    first.await_line("start", "1")
    second = WorkerProcess(world, log)
    time.sleep(0.5)  # until it has attached: what is measured is the dispatch
    first.process.kill()
    killed = time.monotonic()
    second.await_line("start", "2")
    assert time.monotonic() - killed < 1.0
    assert handle.result(20) == "attempt 2"
    keys = {line[2] for line in second.words() if line[0] == "start"}
    assert len(keys) == 1
    first.process.wait()
    second.process.terminate()
    assert second.process.wait(20) == 0


def test_an_activity_outlives_its_engine(world: World, log: Path) -> None:
    worker = WorkerProcess(world, log)
    handle = world.start("nap", 0, 1.0)
    worker.await_line("start", "1")
    world.engine.kill_and_restart()
    assert handle.result(20) == "attempt 1"
    assert [line[:2] for line in worker.words()] == [["start", "1"], ["end", "1"]]
    worker.process.terminate()
    assert worker.process.wait(20) == 0


def test_a_worker_that_died_with_its_engine_is_not_waited_for(world: World, log: Path) -> None:
    first = WorkerProcess(world, log)
    handle = world.start("nap", 0, 60)
    first.await_line("start", "1")
    world.engine.kill()
    first.process.kill()
    first.process.wait()
    second = WorkerProcess(world, log)
    world.engine.kill_and_restart()
    restarted = time.monotonic()
    second.await_line("start", "2")
    assert time.monotonic() - restarted < 5.0, "the resume window is ten seconds"
    assert handle.result(20) == "attempt 2"
    second.process.terminate()
    assert second.process.wait(20) == 0


def test_a_result_without_an_engine_is_kept_and_told_once(world: World, log: Path) -> None:
    worker = WorkerProcess(world, log)
    handle = world.start("nap", 0, 0.2)
    worker.await_line("start", "1")
    world.engine.kill()
    worker.await_line("end", "1")
    world.engine.kill_and_restart()
    assert handle.result(20) == "attempt 1"
    assert [line[:2] for line in worker.words()] == [["start", "1"], ["end", "1"]]
    worker.process.terminate()
    assert worker.process.wait(20) == 0


def test_a_stuck_activity_does_not_hold_run(world: World) -> None:
    started: list[float] = []

    @activity.defn
    def stuck() -> None:
        started.append(time.monotonic())
        time.sleep(30)

    worker = world.serve(stuck, graceful_shutdown_timeout=0.1)
    world.start("stuck")
    while not started:
        time.sleep(0.005)
    worker.stop()
    _, thread = world._workers[-1]
    thread.join(5)
    assert not thread.is_alive()
