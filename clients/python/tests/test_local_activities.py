"""Local activities: run by the worker that has the workflow's run."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from conftest import Engine
from served import Caller, WorkflowFailed, serve, worker_of

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.common import RawValue, RetryPolicy
from holdfast.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TimeoutError,
    TimeoutType,
    WorkerLostError,
)
from holdfast.worker import _locals
from holdfast.workflow import ActivityCancellationType

T = TypeVar("T")
LONG = timedelta(seconds=60)
Options = dict[str, Any]


def options_of(call: Options) -> Any:
    policy = RetryPolicy(
        initial_interval=timedelta(milliseconds=call.get("initial_ms", 1)),
        maximum_attempts=call.get("attempts", 0),
    )
    limit = call.get("start_to_close_ms")
    return {
        "schedule_to_close_timeout": LONG,
        "start_to_close_timeout": timedelta(milliseconds=limit) if limit else None,
        "retry_policy": policy,
    }


@workflow.defn
class Local:
    """Calls one local activity."""

    @workflow.run
    async def run(self, call: Options) -> Any:
        return await workflow.execute_local_activity(
            call["activity"], args=call.get("args", []), **options_of(call)
        )


@workflow.defn
class Many:
    """Calls a local activity so many times at once."""

    @workflow.run
    async def run(self, name: str, count: int) -> list[Any]:
        calls = [
            workflow.execute_local_activity(name, number, start_to_close_timeout=LONG)
            for number in range(count)
        ]
        return await asyncio.gather(*calls)


@workflow.defn
class Cancels:
    """Calls a local activity and cancels it when it is told to."""

    def __init__(self) -> None:
        self.is_told = False

    @workflow.signal
    def cancel(self) -> None:
        self.is_told = True

    @workflow.run
    async def run(self, name: str, type: int) -> list[str]:
        handle = workflow.start_local_activity(
            name,
            start_to_close_timeout=LONG,
            cancellation_type=ActivityCancellationType(type),
        )
        await workflow.wait_condition(lambda: self.is_told)
        handle.cancel()
        try:
            return ["completed", await handle]
        except (ActivityError, CancelledError) as error:
            cause = error.cause or error
            details = cause.details if isinstance(cause, CancelledError) else ()
            return [type_name(cause), *details]


def type_name(error: BaseException | None) -> str:
    return type(error).__name__


async def with_locals(engine: Engine, body: Callable[[Caller], Awaitable[T]], **options: Any) -> T:
    return await serve(engine, body, workflows=[Local, Many, Cancels], **options)


async def call(caller: Caller, activity_type: str, *args: Any, **options: Any) -> Any:
    workflow_id = f"l-{activity_type}"
    await caller.start("Local", workflow_id, {"activity": activity_type, "args": args, **options})
    return await caller.result(workflow_id)


async def test_it_runs_here_with_no_heartbeats(engine: Engine) -> None:
    infos: list[activity.Info] = []

    @activity.defn
    async def look(text: str) -> str:
        infos.append(activity.info())
        activity.heartbeat("nobody hears it")
        return text.upper()

    result = await with_locals(
        engine, lambda caller: call(caller, "look", "abc"), activities=[look]
    )
    assert result == "ABC"
    (info,) = infos
    assert (info.is_local, info.task_token, info.attempt) == (True, b"", 1)
    assert (info.workflow_id, info.workflow_type) == ("l-look", "Local")
    assert (info.activity_type, info.activity_id) == ("look", "1")
    assert (info.task_queue, info.heartbeat_timeout) == ("served", None)
    assert info.idempotency_key == f"{info.workflow_run_id}/local/1"


async def test_no_more_than_the_maximum_run_at_once(engine: Engine) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    @activity.defn
    def counted(number: int) -> int:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1
        return number

    async def body(caller: Caller) -> list[Any]:
        for number in range(5):
            await caller.start("Many", f"m-{number}", "counted", 8)
        return [await caller.result(f"m-{number}") for number in range(5)]

    results = await with_locals(
        engine, body, activities=[counted], max_concurrent_local_activities=3
    )
    assert results == [list(range(8))] * 5
    assert most == [3]


async def test_a_cache_of_one_run_keeps_those_with_local_activities(engine: Engine) -> None:
    attempts: list[int] = []

    @activity.defn
    async def slowly(number: int) -> int:
        attempts.append(activity.info().attempt)
        await asyncio.sleep(0.05)
        return number

    async def body(caller: Caller) -> list[Any]:
        for number in range(10):
            await caller.start("Many", f"m-{number}", "slowly", 2)
        return [await caller.result(f"m-{number}") for number in range(10)]

    results = await with_locals(engine, body, activities=[slowly], max_cached_workflows=1)
    assert results == [[0, 1]] * 10
    assert attempts == [1] * 20


@pytest.mark.parametrize("where", ["worker", "engine"])
async def test_it_is_tried_again_by_its_policy(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The worker makes the next attempt itself, or when it is late the engine's timer does."""
    if where == "engine":
        monkeypatch.setattr(_locals, "WAIT_MAX_MS", 0)
    seen: list[tuple[int, str]] = []

    @activity.defn
    def thrice() -> int:
        info = activity.info()
        seen.append((info.attempt, info.idempotency_key))
        if info.attempt < 3:
            raise ApplicationError("not yet", next_retry_delay=timedelta(milliseconds=20))
        return info.attempt

    assert (
        await with_locals(engine, lambda caller: call(caller, "thrice"), activities=[thrice]) == 3
    )
    assert [attempt for attempt, _ in seen] == [1, 2, 3]
    assert len({key for _, key in seen}) == 1


async def test_the_last_failure_is_the_workflows(engine: Engine) -> None:
    attempts: list[int] = []

    @activity.defn
    def fails(non_retryable: bool) -> None:
        attempts.append(activity.info().attempt)
        raise ApplicationError("no", {"a": 1}, type="No", non_retryable=non_retryable)

    async def body(caller: Caller) -> None:
        for count, non_retryable, name in ((3, False, "a"), (0, True, "b")):
            input = {"activity": "fails", "args": [non_retryable], "attempts": count}
            await caller.start("Local", name, input)
            with pytest.raises(WorkflowFailed) as raised:
                await caller.result(name)
            outer, error = raised.value.chain
            assert isinstance(outer, ActivityError) and outer.activity_type == "fails"
            assert (error.type, list(error.details)) == ("No", [{"a": 1}])

    await with_locals(engine, body, activities=[fails])
    assert attempts == [1, 2, 3, 1]


async def test_a_dynamic_function_serves_all_types_and_no_others_tasks(engine: Engine) -> None:
    @activity.defn(dynamic=True)
    async def anything(args: Sequence[RawValue]) -> list[Any]:
        values = [activity.payload_converter().from_payload(arg.payload) for arg in args]
        return [activity.info().activity_type, *values]

    async def body(caller: Caller) -> Any:
        result = await call(caller, "whatever", 1, "b")
        # Its worker has named no types: nobody serves this one.
        elsewhere = await caller.start_call("whatever")
        await caller.await_pending(elsewhere, lambda one: one.no_worker)
        return result

    result = await with_locals(engine, body, activities=[anything])
    assert result == ["whatever", 1, "b"]


async def test_a_worker_without_remote_activities_has_only_local_ones(engine: Engine) -> None:
    @activity.defn
    async def here() -> str:
        return "here"

    async def body(caller: Caller) -> Any:
        elsewhere = await caller.start_call("here")
        await caller.await_pending(elsewhere, lambda one: one.no_worker)
        return await call(caller, "here")

    assert await with_locals(engine, body, activities=[here], no_remote_activities=True) == "here"


async def test_an_unknown_type_fails_with_the_names_of_the_others(engine: Engine) -> None:
    @activity.defn
    def known() -> None: ...

    async def body(caller: Caller) -> None:
        with pytest.raises(WorkflowFailed) as raised:
            await call(caller, "unknown", attempts=1)
        error = raised.value.chain[1]
        assert error.type == "NotFoundError"
        assert error.message == "this worker has no activity 'unknown'; it has: known"

    await with_locals(engine, body, activities=[known])


async def test_it_cannot_be_completed_elsewhere(engine: Engine) -> None:
    @activity.defn
    async def leaves() -> None:
        activity.raise_complete_async()

    async def body(caller: Caller) -> None:
        with pytest.raises(WorkflowFailed) as raised:
            await call(caller, "leaves")
        assert raised.value.chain[1].non_retryable

    await with_locals(engine, body, activities=[leaves])


async def test_an_attempt_that_takes_too_long_is_left_and_told(engine: Engine) -> None:
    seen: list[Any] = []
    ended = threading.Event()

    @activity.defn
    def slow() -> str:
        if activity.info().attempt > 1:
            return "second"
        with activity.shield_thread_cancel_exception():
            activity.wait_for_cancelled_sync(20)
            seen.append(activity.cancellation_details())
        ended.set()
        return "late"

    @activity.defn
    async def slower() -> None:
        await asyncio.sleep(30)

    async def body(caller: Caller) -> None:
        assert await call(caller, "slow", start_to_close_ms=100) == "second"
        with pytest.raises(WorkflowFailed) as raised:
            await call(caller, "slower", start_to_close_ms=50, attempts=2)
        timeout = raised.value.chain[-1]
        assert isinstance(timeout, TimeoutError) and timeout.type == TimeoutType.START_TO_CLOSE

    await with_locals(engine, body, activities=[slow, slower])
    assert seen == [activity.ActivityCancellationDetails(timed_out=True)]


# MARK: Cancellation


class Waiting:
    """A local activity that waits until it is cancelled or let go."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.go = threading.Event()
        self.seen: list[Any] = []
        self.ended = threading.Event()

    @activity.defn
    async def wait(self) -> str:
        self.started.set()
        try:
            while not self.go.is_set():
                await asyncio.sleep(0.005)
            return "to its end"
        except asyncio.CancelledError:
            self.seen.append(activity.cancellation_details())
            raise CancelledError("stopped", "cleaned up") from None
        finally:
            self.ended.set()


async def cancelled(engine: Engine, waiting: Waiting, type: ActivityCancellationType) -> Any:
    async def body(caller: Caller) -> Any:
        await caller.start("Cancels", "c", "wait", int(type))
        assert await asyncio.to_thread(waiting.started.wait, 20)
        await caller.signal("c", "cancel")
        result = await caller.result("c")
        if type == ActivityCancellationType.ABANDON:
            assert not waiting.ended.is_set()
            waiting.go.set()
        assert await asyncio.to_thread(waiting.ended.wait, 20)
        return result

    return await with_locals(engine, body, activities=[waiting.wait])


async def test_a_cancel_can_be_tried(engine: Engine) -> None:
    waiting = Waiting()
    assert await cancelled(engine, waiting, ActivityCancellationType.TRY_CANCEL) == [
        "CancelledError"
    ]
    assert waiting.seen == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_a_cancel_can_wait_for_the_end(engine: Engine) -> None:
    waiting = Waiting()
    type = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    assert await cancelled(engine, waiting, type) == ["CancelledError", "cleaned up"]
    assert waiting.seen == [activity.ActivityCancellationDetails(cancel_requested=True)]


async def test_a_cancel_can_abandon(engine: Engine) -> None:
    waiting = Waiting()
    assert await cancelled(engine, waiting, ActivityCancellationType.ABANDON) == ["CancelledError"]
    assert waiting.seen == []


async def test_what_waits_for_a_place_never_begins_when_it_is_cancelled(engine: Engine) -> None:
    waiting, begun = Waiting(), []

    @activity.defn
    async def second() -> None:
        begun.append(1)

    async def body(caller: Caller) -> list[Any]:
        wait = int(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
        await caller.start("Cancels", "first", "wait", wait)
        assert await asyncio.to_thread(waiting.started.wait, 20)
        await caller.start("Cancels", "second", "second", wait)
        await caller.signal("second", "cancel")
        await caller.signal("first", "cancel")
        return [await caller.result("second"), await caller.result("first")]

    results = await with_locals(
        engine, body, activities=[waiting.wait, second], max_concurrent_local_activities=1
    )
    assert results == [["CancelledError"], ["CancelledError", "cleaned up"]]
    assert begun == []


# MARK: What is lost


async def test_a_killed_engine_has_the_attempt_made_again(engine: Engine) -> None:
    started, seen = threading.Semaphore(0), []

    @activity.defn
    async def waits() -> int:
        attempt = activity.info().attempt
        started.release()
        try:
            if attempt == 1:
                await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append(activity.cancellation_details())
            raise
        return attempt

    async def body(caller: Caller) -> Any:
        await caller.start("Local", "l", {"activity": "waits"})
        assert await asyncio.to_thread(started.acquire, timeout=20)
        engine.kill_and_restart()
        assert await asyncio.to_thread(started.acquire, timeout=20)
        return await caller.result("l")

    assert await with_locals(engine, body, activities=[waits]) == 2
    assert seen == [activity.ActivityCancellationDetails(not_found=True)]


async def test_with_one_attempt_it_runs_once_at_most(engine: Engine) -> None:
    started, count = threading.Event(), [0]

    @activity.defn
    async def once() -> None:
        count[0] += 1
        started.set()
        await asyncio.sleep(30)

    async def body(caller: Caller) -> None:
        await caller.start("Local", "l", {"activity": "once", "attempts": 1})
        assert await asyncio.to_thread(started.wait, 20)
        engine.kill_and_restart()
        with pytest.raises(WorkflowFailed) as raised:
            await caller.result("l")
        assert isinstance(raised.value.chain[-1], WorkerLostError)

    await with_locals(engine, body, activities=[once])
    assert count == [1]


async def test_a_stop_lets_it_end_and_leaves_the_next_attempt_to_others(engine: Engine) -> None:
    started = threading.Semaphore(0)
    attempts: list[tuple[str, int]] = []

    @activity.defn
    async def ends() -> str:
        attempts.append(("ends", activity.info().attempt))
        started.release()
        await activity.wait_for_worker_shutdown()
        return "ended"

    @activity.defn
    async def fails_first() -> str:
        attempts.append(("fails_first", activity.info().attempt))
        started.release()
        if activity.info().attempt == 1:
            raise ValueError("first")
        return "second"

    activities, names = [ends, fails_first], ["ends", "fails_first"]

    async def run() -> None:
        client = await Client.connect(engine.socket)
        caller = Caller(client)
        worker = worker_of(
            client,
            workflows=[Local],
            activities=activities,
            graceful_shutdown_timeout=timedelta(seconds=10),
        )
        async with worker:
            for name in names:
                call = {"activity": name, "initial_ms": 500}
                await caller.start("Local", name, call)
            for _ in names:
                assert await asyncio.to_thread(started.acquire, timeout=20)

    begin = time.monotonic()
    await run()
    assert time.monotonic() - begin < 5
    results = await with_locals(
        engine, lambda caller: asyncio.gather(*map(caller.result, names)), activities=activities
    )
    assert results == ["ended", "second"]
    assert sorted(attempts) == [("ends", 1), ("fails_first", 1), ("fails_first", 2)]
