"""The library's declarations, the decorator, the worker's own checks; no engine."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served import WorkerOf

from holdfast import Client, UnavailableError, Worker, activity
from holdfast._library import HEADER_VERSION, lib
from holdfast.common import RawValue
from holdfast.worker._threads import DaemonThreads

HERE = Path(__file__).parents[1]


@activity.defn
def plain() -> None:
    pass


@activity.defn(name="its-name")
async def named() -> None:
    pass


class Charge:
    @activity.defn
    def refund(self) -> None:
        pass

    @activity.defn
    async def __call__(self) -> None:
        pass


@activity.defn(dynamic=True)
def anything(args: Sequence[RawValue]) -> None:
    pass


def test_the_declarations_are_those_of_the_header(tmp_path: Path) -> None:
    made = tmp_path / "libholdfast.py"
    subprocess.run([sys.executable, HERE / "generate.py", made], check=True, capture_output=True)
    committed = HERE / "holdfast" / "_generated" / "libholdfast.py"
    assert made.read_text() == committed.read_text(), "run make generate and commit the result"


def test_the_version_is_the_headers() -> None:
    header = (HERE.parent / "c" / "include" / "holdfast.h").read_text()
    major, minor, patch = (
        int(re.findall(rf"HOLDFAST_VERSION_{part} (\d+)", header)[0])
        for part in ("MAJOR", "MINOR", "PATCH")
    )
    assert major * 1_000_000 + minor * 1_000 + patch == HEADER_VERSION
    assert lib.holdfast_version_number() >= HEADER_VERSION


def test_the_decorator_gives_a_name() -> None:
    assert activity.name_of(plain) == "plain"
    assert activity.name_of(named) == "its-name"
    assert activity.name_of(Charge.refund) == activity.name_of(Charge().refund) == "refund"
    assert activity.name_of(Charge) == activity.name_of(Charge()) == "Charge"
    with pytest.raises(TypeError, match=r"@activity\.defn"):
        activity.name_of(print)
    with pytest.raises(TypeError, match="dynamic activity has no name"):
        activity.name_of(anything)


def test_outside_of_an_activity_there_is_none() -> None:
    assert not activity.in_activity()
    for ask in (activity.info, activity.heartbeat, activity.is_cancelled):
        with pytest.raises(RuntimeError, match="Not in activity context"):
            ask()


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"activities": []}, ValueError, "at least one activity"),
        ({"activities": [plain, plain]}, ValueError, "two activities are named 'plain'"),
        ({"activities": [anything, anything]}, ValueError, "two activities are dynamic"),
        ({"activities": [Charge]}, TypeError, "needs an instance"),
        ({"activities": [print]}, TypeError, r"@activity\.defn"),
        ({"max_concurrent_activities": 0}, ValueError, "max_concurrent_activities"),
        ({"max_pollers": 3}, TypeError, "no option 'max_pollers'"),
        ({"dynamic_activity_types": ["a"]}, ValueError, "a dynamic activity"),
        ({"activity_executor": ProcessPoolExecutor(1)}, ValueError, "shared_state_manager"),
    ],
)
def test_a_worker_refuses_what_cannot_work(
    options: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Worker(WorkerOf("nobody.sock"), task_queue="queue", **{"activities": [plain], **options})


def test_an_executor_with_too_few_places_is_warned_of() -> None:
    client, few = WorkerOf("nobody.sock"), ThreadPoolExecutor(2)
    with pytest.warns(UserWarning, match="runs 2 at once"):
        Worker(client, task_queue="queue", activities=[plain], activity_executor=few)
    Worker(
        client,
        task_queue="queue",
        activities=[plain],
        activity_executor=few,
        max_concurrent_activities=2,
        workflow_runner=None,
    )


def test_no_engine_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises((UnavailableError, TimeoutError)) as raised:
        Client.connect(str(tmp_path / "nobody.sock"), connect_timeout=0.05)
    assert "nobody.sock" in str(raised.value)


def test_the_threads_are_no_more_than_needed_or_allowed() -> None:
    threads = DaemonThreads(3, "test-daemon")
    started, go, ended = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def job(number: int) -> int:
        started.release()
        go.wait(10)
        ended.release()
        return number

    futures = [threads.submit(job, number) for number in range(5)]
    for _ in range(3):
        assert started.acquire(timeout=10)
    assert not started.acquire(timeout=0.05)
    go.set()
    assert [future.result(10) for future in futures] == list(range(5))
    assert threads._threads == 3
    threads.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        threads.submit(job, 6)
