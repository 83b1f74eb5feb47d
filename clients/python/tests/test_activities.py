"""Activities against an engine."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from conftest import World

from holdfast import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutFailureError,
    WorkflowFailedError,
    WorkflowStatus,
    activity,
)


class Seen:
    """What activities tell the test."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.started = threading.Event()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@activity.defn
def add(a: int, b: int) -> int:
    return a + b


@activity.defn(name="add-later")
async def add_later(a: int, b: int) -> int:
    await asyncio.sleep(0.01)
    return a + b


def causes(raised: pytest.ExceptionInfo[WorkflowFailedError]) -> list[BaseException]:
    chain: list[BaseException] = []
    at: BaseException | None = raised.value.__cause__
    while at is not None:
        chain.append(at)
        at = at.__cause__
    return chain


def test_sync_and_async_functions_answer(world: World) -> None:
    world.serve(add, add_later)
    assert world.call("add", 2, 3) == 5
    assert world.call("add-later", "süß ", "x") == "süß x"


def test_info_says_where_it_runs(world: World, seen: Seen) -> None:
    @activity.defn
    def look() -> None:
        seen.values.append(activity.info())

    world.serve(look)
    handle = world.start("look", heartbeat_ms=5_000)
    assert handle.result(30) is None
    (info,) = seen.values
    assert (info.workflow_id, info.workflow_run_id) == (handle.id, handle.first_run_id)
    assert (info.activity_type, info.task_queue, info.attempt) == ("look", "activities", 1)
    assert (info.workflow_type, info.namespace) == ("call", "default")
    assert info.heartbeat_timeout == timedelta(seconds=5)
    assert info.started_time >= info.scheduled_time
    assert handle.first_run_id in info.idempotency_key


def test_a_retry_keeps_the_key_and_brings_the_heartbeat(world: World, seen: Seen) -> None:
    @activity.defn
    def twice() -> int:
        info = activity.info()
        seen.values.append((info.attempt, info.idempotency_key, info.heartbeat_details))
        if info.attempt == 1:
            activity.heartbeat("half", {"way": 1})
            raise ValueError("first")
        return info.attempt

    world.serve(twice)
    assert world.call("twice") == 2
    (first, key, nothing), (second, same_key, details) = seen.values
    assert (first, second, key) == (1, 2, same_key)
    assert (nothing, details) == ([], ["half", {"way": 1}])


def test_an_application_error_arrives_whole(world: World, seen: Seen) -> None:
    @activity.defn
    def fails() -> None:
        seen.values.append(1)
        try:
            {}["sku"]
        except KeyError as error:
            raise ApplicationError(
                "no stock", {"left": 0}, type="OutOfStock", non_retryable=True
            ) from error

    world.serve(fails)
    with pytest.raises(WorkflowFailedError) as raised:
        world.call("fails")
    assert raised.value.status == WorkflowStatus.FAILED
    outer, error, cause = causes(raised)
    assert isinstance(outer, ActivityError)
    assert (outer.activity_type, outer.attempt) == ("fails", 1)
    assert isinstance(error, ApplicationError) and isinstance(cause, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("no stock", "OutOfStock", True)
    assert error.details == [{"left": 0}]
    assert "in fails" in error.stack_trace
    assert (cause.type, cause.message) == ("KeyError", "'sku'")
    assert len(seen.values) == 1


def test_other_exceptions_fail_by_class_name(world: World) -> None:
    @activity.defn
    async def fails() -> None:
        raise ZeroDivisionError("by 0")

    @activity.defn
    def unwritable() -> Any:
        return object()

    world.serve(fails, unwritable, add)
    for name, args, type in (
        ("fails", (), "ZeroDivisionError"),
        ("unwritable", (), "TypeError"),
        ("add", (1,), "TypeError"),
    ):
        with pytest.raises(WorkflowFailedError) as raised:
            world.call(name, *args, attempts=1)
        error = causes(raised)[1]
        assert isinstance(error, ApplicationError) and error.type == type


def test_next_retry_delay_overrides_the_policy(world: World) -> None:
    @activity.defn
    def hurry() -> int:
        if activity.info().attempt == 1:
            raise ApplicationError("again", next_retry_delay=timedelta(milliseconds=1))
        return activity.info().attempt

    world.serve(hurry)
    assert world.call("hurry", initial_ms=600_000) == 2


def test_cancellation_reaches_a_sync_function(world: World, seen: Seen) -> None:
    @activity.defn
    def waits() -> None:
        seen.started.set()
        assert activity.wait_for_cancelled(20)
        seen.values.append(activity.cancel_reason())
        activity.heartbeat()

    world.serve(waits)
    handle = world.start("waits")
    assert seen.started.wait(20)
    handle.cancel("enough")
    with pytest.raises(WorkflowFailedError) as raised:
        handle.result(20)
    assert raised.value.status == WorkflowStatus.CANCELED
    assert isinstance(raised.value.__cause__, CancelledError)
    assert seen.values == [activity.CancelReason.REQUESTED]


def test_cancellation_reaches_an_async_function(world: World, seen: Seen) -> None:
    @activity.defn
    async def waits() -> None:
        seen.started.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            seen.values.append(activity.is_cancelled())
            raise

    world.serve(waits)
    handle = world.start("waits")
    assert seen.started.wait(20)
    handle.cancel()
    with pytest.raises(WorkflowFailedError) as raised:
        handle.result(20)
    assert raised.value.status == WorkflowStatus.CANCELED
    assert seen.values == [True]


def test_a_function_may_end_well_although_cancelled(world: World, seen: Seen) -> None:
    @activity.defn
    def finishes() -> str:
        seen.started.set()
        activity.wait_for_cancelled(20)
        return "done anyway"

    world.serve(finishes)
    handle = world.start("finishes")
    assert seen.started.wait(20)
    handle.cancel()
    assert handle.result(20) == "done anyway"


def test_a_timeout_tells_the_function_that_nobody_waits(world: World, seen: Seen) -> None:
    @activity.defn
    def slow() -> None:
        activity.wait_for_cancelled(20)
        seen.values.append(activity.cancel_reason())
        seen.started.set()

    world.serve(slow)
    with pytest.raises(WorkflowFailedError) as raised:
        world.call("slow", start_to_close_ms=200, attempts=1)
    timeout = causes(raised)[-1]
    assert isinstance(timeout, TimeoutFailureError) and timeout.kind == "START_TO_CLOSE"
    assert seen.started.wait(20)
    assert seen.values == [activity.CancelReason.TIMED_OUT]


def test_heartbeats_keep_an_activity_alive_and_silence_ends_it(world: World) -> None:
    @activity.defn
    def beats(silent: bool) -> str:
        for _ in range(10):
            time.sleep(0.1)
            if not silent:
                activity.heartbeat()
        return "alive"

    world.serve(beats)
    assert world.call("beats", False, heartbeat_ms=500, attempts=1) == "alive"
    with pytest.raises(WorkflowFailedError) as raised:
        world.call("beats", True, heartbeat_ms=500, attempts=1)
    timeout = causes(raised)[-1]
    assert isinstance(timeout, TimeoutFailureError) and timeout.kind == "HEARTBEAT"


def test_an_activity_is_completed_elsewhere(world: World, seen: Seen) -> None:
    @activity.defn
    def asks_a_person() -> None:
        seen.values.append(activity.info().task_token)
        seen.started.set()
        activity.complete_elsewhere()

    worker = world.serve(asks_a_person)
    good, bad = world.start("asks_a_person"), None
    assert seen.started.wait(20)
    elsewhere = world.client.get_activity_handle(seen.values[0])
    assert elsewhere.heartbeat("thinking") is False
    elsewhere.complete({"approved": True})
    assert good.result(20) == {"approved": True}

    seen.started.clear()
    bad = world.start("asks_a_person")
    assert seen.started.wait(20)
    worker.stop()
    denied = ApplicationError("denied", type="Denied", non_retryable=True)
    world.client.get_activity_handle(seen.values[1]).fail(denied)
    with pytest.raises(WorkflowFailedError) as raised:
        bad.result(20)
    assert getattr(causes(raised)[1], "type", None) == "Denied"


def test_no_more_than_the_maximum_run_at_once(world: World, seen: Seen) -> None:
    lock, running = threading.Lock(), [0]

    @activity.defn
    def counted(number: int) -> int:
        with lock:
            running[0] += 1
            seen.values.append(running[0])
        time.sleep(0.005)
        with lock:
            running[0] -= 1
        return number

    world.serve(counted, max_concurrent_activities=4)
    handles = [world.start("counted", number) for number in range(60)]
    assert [handle.result(60) for handle in handles] == list(range(60))
    assert max(seen.values) <= 4
