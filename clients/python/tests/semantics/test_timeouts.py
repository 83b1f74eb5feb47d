"""The timeouts of activities and workflows."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from holdfast import activity, workflow
from holdfast.client import WorkflowExecutionStatus
from holdfast.common import RetryPolicy
from holdfast.exceptions import ActivityError, RetryState, TimeoutError, TimeoutType
from semantics.programs import ONCE, Waiter, calls, gaps, seconds
from semantics.world import World

LATE = pytest.mark.no_chaos("time jumps when a worker is lost, and other timeouts come first")


def hanging(began: list[datetime], *beats: str) -> Any:
    """An activity that goes on until it is cancelled."""

    @activity.defn
    async def hangs() -> None:
        began.append(activity.info().started_time)
        for beat in beats:
            activity.heartbeat(beat)
        await asyncio.Event().wait()

    return hangs


async def timeout_of(world: World, called: Any, **options: Any) -> tuple[TimeoutError, RetryState]:
    """With which the activity ends; while it runs time is moved on by hand."""
    calling = calls(called, **options)
    async with world.worker(calling, called):
        handle = await world.start(calling)
        result = asyncio.create_task(world.failure(handle))
        while not result.done():
            if (await handle.describe()).pending_activities:
                await world.env.advance_time(seconds(1))
            await asyncio.sleep(0.001)
        error = await result
    assert isinstance(error, ActivityError) and error.retry_state is not None
    assert isinstance(error.cause, TimeoutError)
    return error.cause, error.retry_state


@LATE
async def test_start_to_close_is_of_each_attempt_and_is_retried(world: World) -> None:
    began: list[datetime] = []
    policy = RetryPolicy(seconds(30), 1, maximum_attempts=3)
    timeout, state = await timeout_of(
        world, hanging(began), start_to_close_timeout=seconds(100), retry_policy=policy
    )
    assert timeout.type == TimeoutType.START_TO_CLOSE
    assert state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert gaps(began) == [130, 130]


@LATE
async def test_heartbeat_is_retried_and_keeps_the_last_details(world: World) -> None:
    began: list[datetime] = []
    policy = RetryPolicy(seconds(30), 1, maximum_attempts=2)
    timeout, state = await timeout_of(
        world,
        hanging(began, "half"),
        start_to_close_timeout=seconds(1_000),
        heartbeat_timeout=seconds(50),
        retry_policy=policy,
    )
    assert timeout.type == TimeoutType.HEARTBEAT
    assert list(timeout.last_heartbeat_details) == ["half"]
    assert state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert gaps(began) == [80]


@LATE
async def test_schedule_to_start_is_never_retried(world: World) -> None:
    calling = calls("nobody", schedule_to_start_timeout=seconds(60), task_queue="none")
    async with world.worker(calling):
        handle = await world.start(calling)
        before = await world.now()
        result = asyncio.create_task(world.failure(handle))
        await world.pending(handle)
        await world.env.advance_time(seconds(60))
        error = await result
        assert gaps([before, await world.now()]) == [60]
    assert isinstance(error, ActivityError) and isinstance(error.cause, TimeoutError)
    assert error.cause.type == TimeoutType.SCHEDULE_TO_START
    assert error.retry_state == RetryState.NON_RETRYABLE_FAILURE


@LATE
async def test_schedule_to_close_is_over_all_attempts(world: World) -> None:
    began: list[datetime] = []
    timeout, state = await timeout_of(
        world,
        hanging(began),
        start_to_close_timeout=seconds(100),
        schedule_to_close_timeout=seconds(250),
        retry_policy=RetryPolicy(seconds(20), 1),
    )
    assert timeout.type == TimeoutType.SCHEDULE_TO_CLOSE
    assert state == RetryState.NON_RETRYABLE_FAILURE
    # At 0, 120 and 240 seconds.
    assert gaps(began) == [120, 120]


@LATE
async def test_one_attempt_ends_with_its_timeout(world: World) -> None:
    began: list[datetime] = []
    before = await world.now()
    timeout, _ = await timeout_of(
        world, hanging(began), start_to_close_timeout=seconds(100), retry_policy=ONCE
    )
    assert timeout.type == TimeoutType.START_TO_CLOSE
    assert gaps([before, await world.now()]) == [100]


async def test_one_of_two_timeouts_is_required(world: World) -> None:
    @workflow.defn
    class Careless:
        @workflow.run
        async def run(self) -> str:
            try:
                workflow.start_activity("x", heartbeat_timeout=seconds(1))
            except ValueError as error:
                return str(error)
            return "taken"

    async with world.worker(Careless):
        found = await world.execute(Careless)
    assert found == "an activity needs start_to_close_timeout or schedule_to_close_timeout"


@activity.defn
async def limits() -> list[float | None]:
    info = activity.info()
    return [
        span.total_seconds() if span else None
        for span in (info.start_to_close_timeout, info.schedule_to_close_timeout)
    ]


async def test_a_missing_start_to_close_is_filled_in(world: World) -> None:
    calling = calls(limits, schedule_to_close_timeout=seconds(100))
    async with world.worker(calling, limits):
        assert await world.execute(calling) == [100, 100]


async def test_timeouts_are_capped_to_the_runs(world: World) -> None:
    calling = calls(limits, start_to_close_timeout=seconds(10_000))
    async with world.worker(calling, limits):
        assert await world.execute(calling, run_timeout=seconds(5_000)) == [5_000, 5_000]


@LATE
async def test_the_answer_of_an_attempt_that_has_timed_out_is_refused(world: World) -> None:
    late, free = asyncio.Event(), asyncio.Event()

    @activity.defn
    async def slow() -> int:
        attempt = activity.info().attempt
        if attempt == 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                late.set()
                return attempt  # too late: it changes nothing
        await free.wait()
        return attempt

    calling = calls(slow, start_to_close_timeout=seconds(100))
    async with world.worker(calling, slow):
        handle = await world.start(calling)
        await world.pending(handle, lambda one: one.state == 2)
        await world.env.advance_time(seconds(100))
        await late.wait()
        free.set()
        assert await handle.result() == 2
        assert (await world.events(handle)).count("activity_task_completed") == 1


# MARK: Workflows


async def status(world: World, handle: Any) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


async def test_a_run_times_out(world: World) -> None:
    async with world.worker(Waiter):
        before = await world.now()
        handle = await world.start(Waiter, run_timeout=seconds(100))
        assert isinstance(await world.failure(handle), TimeoutError)
        assert await status(world, handle) == WorkflowExecutionStatus.TIMED_OUT
        event = await world.event(handle, "workflow_execution_timed_out")
        assert event is not None
        closed = (await handle.describe()).close_time
        assert closed is not None and gaps([before, closed]) == [100]


async def test_a_run_times_out_without_a_worker(world: World) -> None:
    handle = await world.start("nobody", run_timeout=seconds(100))
    await world.env.advance_time(seconds(100))
    assert isinstance(await world.failure(handle), TimeoutError)


async def test_the_execution_timeout_is_of_the_whole_chain(world: World) -> None:
    @workflow.defn
    class Chain:
        @workflow.run
        async def run(self, number: int) -> None:
            await asyncio.sleep(40)
            workflow.continue_as_new(number + 1)

    async with world.worker(Chain):
        before = await world.now()
        handle = await world.start(Chain, 0, execution_timeout=seconds(100))
        assert isinstance(await world.failure(handle), TimeoutError)
        described = await world.client.get_workflow_handle(handle.id).describe()
        assert described.close_time is not None
        assert gaps([before, described.close_time]) == [100]
        assert described.run_id != handle.first_execution_run_id


async def test_a_run_has_no_more_time_than_its_chain(world: World) -> None:
    handle = await world.start("nobody", run_timeout=seconds(500), execution_timeout=seconds(100))
    described = await handle.describe()
    assert (described.run_timeout, described.execution_timeout) == (seconds(100), seconds(100))


async def test_a_task_has_10_seconds_by_default_and_at_most_120(world: World) -> None:
    handle = await world.start("nobody")
    assert (await handle.describe()).raw_description.task_timeout_ms == 10_000
    assert await world.refusal(world.start("nobody", task_timeout=seconds(121))) == "FIELD_INVALID"
    handle = await world.start("nobody", task_timeout=seconds(120))
    assert (await handle.describe()).raw_description.task_timeout_ms == 120_000
