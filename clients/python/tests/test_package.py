"""The library's declarations, the decorator, the worker's own checks; no engine."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from holdfast import Client, UnavailableError, Worker, activity
from holdfast._library import HEADER_VERSION, lib
from holdfast._pool import Pool

HERE = Path(__file__).parents[1]


@activity.defn
def plain() -> None:
    pass


@activity.defn(name="its-name")
async def named() -> None:
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
    with pytest.raises(TypeError, match=r"@activity\.defn"):
        activity.name_of(print)


def test_outside_of_an_activity_there_is_none() -> None:
    for ask in (activity.info, activity.heartbeat, activity.is_cancelled):
        with pytest.raises(RuntimeError, match="not inside an activity"):
            ask()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activities": []}, "at least one activity"),
        ({"activities": [plain, plain]}, "two activities are named 'plain'"),
        ({"activities": [plain], "max_concurrent_activities": 0}, "max_concurrent_activities"),
    ],
)
def test_a_worker_refuses_what_cannot_work(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Worker(None, "queue", **options)


def test_no_engine_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises((UnavailableError, TimeoutError)) as raised:
        Client.connect(str(tmp_path / "nobody.sock"), connect_timeout=0.05)
    assert "nobody.sock" in str(raised.value)


def test_the_pool_makes_no_more_threads_than_it_needs_or_may() -> None:
    pool = Pool(3, "test")
    started, go, ended = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def job() -> None:
        started.release()
        go.wait(10)
        ended.release()

    for _ in range(5):
        pool.submit(job)
    for _ in range(3):
        assert started.acquire(timeout=10)
    assert not started.acquire(timeout=0.05)
    go.set()
    for _ in range(5):
        assert ended.acquire(timeout=10)
    assert pool._threads == 3
    pool.close()
