"""Activities against an engine."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from conftest import Engine
from served import Caller, WorkflowFailed, serve

from holdfast import _messages as proto
from holdfast import activity
from holdfast._proto.activity_service import ActivityService
from holdfast.client import Client
from holdfast.common import Priority, RawValue
from holdfast.converter import PayloadConverter
from holdfast.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
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


async def failure_of(caller: Caller, activity_type: str, *args: Any, **options: Any) -> list[Any]:
    """The chain of errors by which the workflow fails."""
    with pytest.raises(WorkflowFailed) as raised:
        await caller.do(activity_type, *args, **options)
    assert raised.value.status == proto.WorkflowStatus.FAILED
    return raised.value.chain


async def cancel_when_started(caller: Caller, seen: Seen, activity_type: str) -> str:
    workflow_id = await caller.start_call(activity_type)
    assert await asyncio.to_thread(seen.started.wait, 20)
    await caller.cancel(workflow_id)
    return workflow_id


async def assert_cancelled(caller: Caller, workflow_id: str) -> None:
    with pytest.raises(WorkflowFailed) as raised:
        await caller.result(workflow_id)
    assert raised.value.status == proto.WorkflowStatus.CANCELED


async def test_sync_and_async_functions_answer(engine: Engine) -> None:
    async def body(caller: Caller) -> list[Any]:
        return [await caller.do("add", 2, 3), await caller.do("add-later", 4, 5)]

    assert await serve(engine, body, activities=[add, add_later]) == [5, 9]


async def test_methods_objects_and_dynamic_functions_answer(engine: Engine) -> None:
    class Bank:
        def __init__(self, name: str) -> None:
            self.name = name

        @activity.defn
        async def pay(self, amount: int) -> str:
            return f"{self.name} pays {amount}"

        @activity.defn(name="close")
        def __call__(self) -> str:
            return f"{self.name} closes"

    @activity.defn(dynamic=True)
    def anything(args: Sequence[RawValue]) -> list[Any]:
        values = [activity.payload_converter().from_payload(arg.payload) for arg in args]
        return [activity.info().activity_type, *values]

    async def body(caller: Caller) -> list[Any]:
        return [await caller.do("pay", 3), await caller.do("close"), await caller.do("b", 1, "x")]

    bank = Bank("Ours")
    results = await serve(
        engine,
        body,
        activities=[bank.pay, bank, anything],
        dynamic_activity_types=["a", "b"],
    )
    assert results == ["Ours pays 3", "Ours closes", ["b", 1, "x"]]


async def test_info_says_where_it_runs(engine: Engine, seen: Seen) -> None:
    @activity.defn
    def look() -> None:
        seen.values.append(activity.info())
        assert activity.in_activity()
        assert activity.payload_converter() is PayloadConverter.default or isinstance(
            activity.payload_converter(), type(PayloadConverter.default)
        )
        with pytest.raises(RuntimeError, match="No client"):
            activity.client()

    @activity.defn
    async def look_async() -> None:
        seen.values.append(activity.client())

    async def body(caller: Caller) -> str:
        workflow_id = await caller.start_call("look", heartbeat_ms=5_000)
        await caller.result(workflow_id)
        await caller.do("look_async")
        return workflow_id

    workflow_id = await serve(engine, body, activities=[look, look_async])
    info, client = seen.values
    assert (info.workflow_id, info.activity_id) == (workflow_id, "1")
    assert (info.activity_type, info.task_queue, info.attempt) == ("look", "served", 1)
    assert (info.workflow_type, info.namespace) == ("call", "default")
    assert info.workflow_namespace == "default"
    assert (info.is_local, info.priority, info.heartbeat_details) == (False, Priority.default, [])
    assert info.heartbeat_timeout == timedelta(seconds=5)
    assert info.start_to_close_timeout == timedelta(seconds=60)
    assert info.retry_policy.initial_interval == timedelta(milliseconds=10)
    assert info.started_time >= info.current_attempt_scheduled_time >= info.scheduled_time
    assert info.workflow_run_id in info.idempotency_key
    assert isinstance(client, Client)


async def test_a_retry_keeps_the_key_and_brings_the_heartbeat(engine: Engine, seen: Seen) -> None:
    @activity.defn
    def twice() -> int:
        info = activity.info()
        seen.values.append((info.attempt, info.idempotency_key, info.heartbeat_details))
        if info.attempt == 1:
            activity.heartbeat("half", {"way": 1})
            raise ValueError("first")
        return info.attempt

    assert await serve(engine, lambda caller: caller.do("twice"), activities=[twice]) == 2
    (first, key, nothing), (second, same_key, details) = seen.values
    assert (first, second, key) == (1, 2, same_key)
    assert (nothing, details) == ([], ["half", {"way": 1}])


async def test_an_application_error_arrives_whole(engine: Engine, seen: Seen) -> None:
    @activity.defn
    def fails() -> None:
        seen.values.append(1)
        try:
            {}["sku"]
        except KeyError as error:
            raise ApplicationError(
                "no stock", {"left": 0}, type="OutOfStock", non_retryable=True
            ) from error

    chain = await serve(engine, lambda caller: failure_of(caller, "fails"), activities=[fails])
    outer, error, cause = chain
    assert isinstance(outer, ActivityError)
    assert (outer.activity_type, outer.activity_id) == ("fails", "1")
    assert isinstance(error, ApplicationError) and isinstance(cause, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("no stock", "OutOfStock", True)
    assert list(error.details) == [{"left": 0}]
    assert error.failure is not None and error.failure.info is not None
    assert "in fails" in error.failure.info.stack_trace
    assert (cause.type, cause.message) == ("KeyError", "'sku'")
    assert len(seen.values) == 1


async def test_other_exceptions_fail_by_class_name(engine: Engine) -> None:
    @activity.defn
    async def fails() -> None:
        raise ZeroDivisionError("by 0")

    @activity.defn
    def unwritable() -> Any:
        return object()

    @activity.defn
    def unwritable_details() -> None:
        raise ApplicationError("bad", object())

    @activity.defn
    def exits() -> None:
        raise SystemExit(3)

    @activity.defn
    def cancels_itself() -> None:
        raise CancelledError("nobody asked")

    @activity.defn
    def numbered() -> None:
        raise ApplicationError("bad", type=5)  # type: ignore[arg-type]

    @activity.defn
    def endless() -> str:
        return "x" * 5_000_000

    async def body(caller: Caller) -> list[Any]:
        types = [
            (await failure_of(caller, name, *args, attempts=1))[1].type
            for name, *args in (
                ("fails",),
                ("unwritable",),
                ("unwritable_details",),
                ("exits",),
                ("add", 1),
                ("numbered",),
                ("endless",),
            )
        ]
        return [*types, type((await failure_of(caller, "cancels_itself", attempts=1))[1])]

    activities = [
        fails,
        unwritable,
        unwritable_details,
        exits,
        cancels_itself,
        add,
        numbered,
        endless,
    ]
    assert await serve(engine, body, activities=activities) == [
        "ZeroDivisionError",
        "TypeError",
        "TypeError",
        "SystemExit",
        "TypeError",
        "TypeError",
        "TOO_LARGE",
        CancelledError,
    ]


async def test_next_retry_delay_overrides_the_policy(engine: Engine) -> None:
    @activity.defn
    def hurry() -> int:
        if activity.info().attempt == 1:
            raise ApplicationError("again", next_retry_delay=timedelta(milliseconds=1))
        return activity.info().attempt

    async def body(caller: Caller) -> Any:
        return await caller.do("hurry", initial_ms=600_000)

    assert await serve(engine, body, activities=[hurry]) == 2


# MARK: Cancellation


async def test_cancellation_is_raised_in_a_thread_and_held_off_by_a_shield(
    engine: Engine, seen: Seen
) -> None:
    @activity.defn
    def waits() -> None:
        assert not activity.is_cancelled() and activity.cancellation_details() is None
        try:
            with activity.shield_thread_cancel_exception():
                seen.started.set()
                activity.wait_for_cancelled_sync(timedelta(seconds=20))
                seen.values.append(activity.cancellation_details())
                for _ in range(1_000):
                    time.sleep(0)
                seen.values.append("shielded")
            seen.values.append("never")
        except CancelledError:
            seen.values.append("raised")
            raise

    async def body(caller: Caller) -> None:
        await assert_cancelled(caller, await cancel_when_started(caller, seen, "waits"))

    await serve(engine, body, activities=[waits])
    details = activity.ActivityCancellationDetails(cancel_requested=True)
    assert seen.values == [details, "shielded", "raised"]


async def test_cancellation_ends_a_loop_in_a_thread(engine: Engine, seen: Seen) -> None:
    @activity.defn
    def loops() -> None:
        seen.started.set()
        while True:
            time.sleep(0.001)

    async def body(caller: Caller) -> None:
        await assert_cancelled(caller, await cancel_when_started(caller, seen, "loops"))

    with ThreadPoolExecutor(100) as executor:
        await serve(engine, body, activities=[loops], activity_executor=executor)


async def test_a_function_may_ask_instead_and_end_well_although_cancelled(
    engine: Engine, seen: Seen
) -> None:
    @activity.defn(no_thread_cancel_exception=True)
    def finishes() -> str:
        seen.started.set()
        activity.wait_for_cancelled_sync(20)
        activity.heartbeat("still here")
        return f"done anyway: {activity.is_cancelled()}"

    async def body(caller: Caller) -> Any:
        return await caller.result(await cancel_when_started(caller, seen, "finishes"))

    assert await serve(engine, body, activities=[finishes]) == "done anyway: True"


async def test_what_waits_for_a_place_is_cancelled_when_it_has_one(
    engine: Engine, seen: Seen
) -> None:
    release = threading.Event()

    @activity.defn
    def blocks() -> None:
        seen.started.set()
        release.wait(20)

    @activity.defn
    def begins() -> None:
        seen.values.append("begun")

    async def body(caller: Caller) -> None:
        first = await caller.start_call("blocks")
        assert await asyncio.to_thread(seen.started.wait, 20)
        second = await caller.start_call("begins")
        states = proto.PendingActivityState
        await caller.await_pending(second, lambda one: one.state == states.STARTED)
        await caller.cancel(second)
        await caller.await_pending(second, lambda one: one.state == states.CANCEL_REQUESTED)
        # The worker is told what happens in order: it has heard of the cancellation then.
        assert await caller.do("add-later", 1, 2) == 3
        release.set()
        await caller.result(first)
        await assert_cancelled(caller, second)

    with pytest.warns(UserWarning), ThreadPoolExecutor(1) as executor:
        await serve(
            engine, body, activities=[blocks, begins, add_later], activity_executor=executor
        )
    assert seen.values == []


async def test_cancellation_reaches_an_async_function(engine: Engine, seen: Seen) -> None:
    @activity.defn
    async def waits() -> None:
        try:
            seen.started.set()
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            await activity.wait_for_cancelled()
            seen.values.append(activity.cancellation_details())
            raise CancelledError("cleaned up", {"left": 0}) from None

    async def body(caller: Caller) -> None:
        await assert_cancelled(caller, await cancel_when_started(caller, seen, "waits"))

    await serve(engine, body, activities=[waits])
    assert seen.values == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_a_timeout_tells_the_function_that_nobody_waits(engine: Engine, seen: Seen) -> None:
    @activity.defn
    def slow() -> None:
        with activity.shield_thread_cancel_exception():
            activity.wait_for_cancelled_sync(20)
            seen.values.append(activity.cancellation_details())
            seen.started.set()

    async def body(caller: Caller) -> None:
        timeout = (await failure_of(caller, "slow", start_to_close_ms=200, attempts=1))[-1]
        assert isinstance(timeout, TimeoutError) and timeout.type == TimeoutType.START_TO_CLOSE
        assert await asyncio.to_thread(seen.started.wait, 20)

    await serve(engine, body, activities=[slow])
    assert seen.values == [activity.ActivityCancellationDetails(timed_out=True)]


async def test_a_pause_ends_the_attempt_and_another_one_follows(engine: Engine, seen: Seen) -> None:
    @activity.defn
    async def pausable() -> str:
        if activity.info().attempt > 1:
            return f"attempt {activity.info().attempt}"
        seen.started.set()
        try:
            await asyncio.sleep(20)
        finally:
            seen.values.append(activity.cancellation_details())
        return "never"

    async def body(caller: Caller) -> Any:
        workflow_id = await caller.start_call("pausable")
        assert await asyncio.to_thread(seen.started.wait, 20)
        execution = proto.WorkflowExecution(workflow_id=workflow_id)
        selection = proto.ActivitySelection(activity_id="1")
        await caller.call(
            ActivityService.PauseActivity,
            proto.PauseActivityRequest(execution=execution, activities=selection),
        )
        await caller.await_pending(workflow_id, lambda one: one.failed_attempts_count == 1)
        await caller.call(
            ActivityService.UnpauseActivity,
            proto.UnpauseActivityRequest(execution=execution, activities=selection),
        )
        return await caller.result(workflow_id)

    assert await serve(engine, body, activities=[pausable]) == "attempt 2"
    assert seen.values == [activity.ActivityCancellationDetails(paused=True)]


# MARK: The rest of a life


async def test_heartbeats_keep_an_activity_alive_and_silence_ends_it(engine: Engine) -> None:
    @activity.defn
    def beats(silent: bool) -> str:
        for _ in range(10):
            time.sleep(0.1)
            if not silent:
                activity.heartbeat()
        return "alive"

    async def body(caller: Caller) -> None:
        assert await caller.do("beats", False, heartbeat_ms=500, attempts=1) == "alive"
        timeout = (await failure_of(caller, "beats", True, heartbeat_ms=500, attempts=1))[-1]
        assert isinstance(timeout, TimeoutError) and timeout.type == TimeoutType.HEARTBEAT

    await serve(engine, body, activities=[beats])


async def test_an_activity_is_completed_elsewhere(engine: Engine, seen: Seen) -> None:
    @activity.defn
    async def asks_a_person() -> None:
        seen.values.append(activity.info().task_token)
        seen.started.set()
        activity.raise_complete_async()

    async def body(caller: Caller) -> None:
        good = await caller.start_call("asks_a_person")
        assert await asyncio.to_thread(seen.started.wait, 20)
        await caller.complete_activity(seen.values[0], {"approved": True})
        assert await caller.result(good) == {"approved": True}

        seen.started.clear()
        bad = await caller.start_call("asks_a_person")
        assert await asyncio.to_thread(seen.started.wait, 20)
        denied = ApplicationError("denied", type="Denied", non_retryable=True)
        await caller.fail_activity(seen.values[1], denied)
        with pytest.raises(WorkflowFailed) as raised:
            await caller.result(bad)
        assert raised.value.chain[1].type == "Denied"

    await serve(engine, body, activities=[asks_a_person])


async def test_no_more_than_the_maximum_run_at_once(engine: Engine, seen: Seen) -> None:
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

    async def body(caller: Caller) -> list[Any]:
        ids = [await caller.start_call("counted", number) for number in range(60)]
        return [await caller.result(workflow_id, 60) for workflow_id in ids]

    results = await serve(engine, body, activities=[counted], max_concurrent_activities=4)
    assert results == list(range(60))
    assert max(seen.values) <= 4


async def test_the_logger_says_which_activity_it_is(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    @activity.defn
    def says() -> None:
        activity.logger.info("here")

    with caplog.at_level(logging.INFO, "holdfast.activity"):
        await serve(engine, lambda caller: caller.do("says"), activities=[says])
    (record,) = (one for one in caplog.records if one.message.startswith("here"))
    details: Any = record.__dict__["holdfast_activity"]
    assert (details["activity_type"], details["attempt"]) == ("says", 1)
    assert record.message == f"here ({details})"
