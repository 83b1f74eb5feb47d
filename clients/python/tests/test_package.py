"""The library inside, the decorator, the worker's own checks; no engine."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from served import WorkerOf

import holdfast
from holdfast import _core, activity, workflow
from holdfast.client import Client
from holdfast.common import RawValue
from holdfast.service import ServiceClient
from holdfast.worker import Replayer, Worker
from holdfast.worker._threads import DaemonThreads

HERE = Path(__file__).parents[1]
PARTS = ("MAJOR", "MINOR", "PATCH")


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


def test_the_version_is_the_headers() -> None:
    header = (HERE.parent / "c" / "include" / "holdfast.h").read_text()
    parts = [re.findall(rf"HOLDFAST_VERSION_{part} (\d+)", header)[0] for part in PARTS]
    assert ".".join(parts) == _core.LIBRARY_VERSION == holdfast.__version__


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
        ({"max_activities_per_second": 5.0}, TypeError, "holdfast task-queue limits"),
        ({"dynamic_activity_types": ["a"]}, ValueError, "a dynamic activity"),
        ({"activity_executor": ProcessPoolExecutor(1)}, ValueError, "shared_state_manager"),
    ],
)
def test_a_worker_refuses_what_cannot_work(
    options: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Worker(WorkerOf("nobody.sock"), task_queue="queue", **{"activities": [plain], **options})


def test_a_worker_tells_what_it_was_made_with() -> None:
    client = WorkerOf("nobody.sock")
    given: Any = {"client": client, "task_queue": "queue", "activities": [plain]}
    worker = Worker(client, task_queue="queue", activities=[plain], max_cached_workflows=7)
    config = worker.config()
    options = inspect.signature(Worker.__init__).parameters.values()
    defaults = {
        one.name: one.default
        for one in options
        if one.name != "self" and one.kind != inspect.Parameter.VAR_KEYWORD
    }
    assert config == {**defaults, **given, "max_cached_workflows": 7}
    # A copy: of it others are made, and it stays as it is.
    config["task_queue"] = "other"
    assert Worker(**config).task_queue == "other"
    assert worker.config(active_config=True)["task_queue"] == "queue"
    # With what was given and changes nothing.
    taken = Worker(**worker.config(), max_concurrent_activity_task_polls=3)
    assert taken.config() == {**worker.config(), "max_concurrent_activity_task_polls": 3}


def test_replayers_and_clients_tell_what_they_were_made_with() -> None:
    @workflow.defn
    class Noted:
        @workflow.run
        async def run(self) -> None:
            pass

    replayer = Replayer(workflows=[Noted], debug_mode=True)
    config = replayer.config()
    names = [name for name in inspect.signature(Replayer.__init__).parameters if name != "self"]
    assert list(config) == names
    assert (config["workflows"], config["client"], config["debug_mode"]) == ([Noted], None, True)
    assert Replayer(**config).config() == config

    client = Client(ServiceClient("nobody.sock"), namespace="shop")
    other = Client(**{**client.config(), "namespace": "other"})
    assert (client.config(active_config=True)["namespace"], other.namespace) == ("shop", "other")
    assert other.service_client is client.service_client


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
        workflow_task_executor=None,
    )


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
