"""Activities: what they keep, who may end them, and what a client can do to them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from holdfast import activity, workflow
from holdfast._chaos import Chaos, Fate
from holdfast.client import (
    ActivityOptionsUpdate,
    AsyncActivityCancelledError,
    PendingActivityState,
    WorkflowHandle,
)
from holdfast.common import RetryPolicy
from holdfast.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    RetryState,
    WorkerLostError,
)
from semantics.programs import LONG, ONCE, Failing, Holder, Waiter, calls, gaps, greet, seconds
from semantics.world import World

STARTED = PendingActivityState.STARTED
PAUSED = PendingActivityState.PAUSED
ATTEMPTS = pytest.mark.no_chaos("a lost worker is an attempt of its own")


# MARK: What an attempt leaves to the next one


@ATTEMPTS
async def test_the_last_heartbeat_is_handed_to_every_later_attempt(world: World) -> None:
    seen = []

    @activity.defn
    async def beats() -> None:
        attempt = activity.info().attempt
        seen.append(list(activity.info().heartbeat_details))
        if attempt == 1:
            activity.heartbeat("first", 1)
            activity.heartbeat("last", 2)
        if attempt < 3:
            raise ValueError("again")

    calling = calls(beats)
    async with world.worker(calling, beats):
        await world.execute(calling)
    assert seen == [[], ["last", 2], ["last", 2]]


@pytest.mark.no_chaos("a lost worker leaves events of its own")
async def test_exactly_one_terminal_event(world: World) -> None:
    calling = calls(greet, "Ada")
    async with world.worker(calling, greet):
        handle = await world.start(calling)
        assert await handle.result() == "Hello, Ada!"
        assert await world.events(handle) == [
            "workflow_execution_started",
            "workflow_task_completed",
            "activity_task_scheduled",
            "activity_task_started",
            "activity_task_completed",
            "workflow_task_completed",
            "workflow_execution_completed",
        ]


@ATTEMPTS
async def test_no_retries_follow_a_cancel(world: World) -> None:
    @activity.defn
    async def stubborn() -> None:
        begun.append(activity.info().attempt)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("not like this") from None

    @workflow.defn
    class Cancels:
        @workflow.run
        async def run(self) -> str:
            kind = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
            try:
                await workflow.execute_activity(
                    stubborn, start_to_close_timeout=LONG, cancellation_type=kind
                )
            except ActivityError as error:
                assert isinstance(error.cause, ApplicationError)
                return f"{error.retry_state!r} {error.cause.message}"
            return "never"

    begun: list[int] = []
    async with world.worker(Cancels, stubborn):
        handle = await world.start(Cancels)
        await world.pending(handle, lambda one: one.state == STARTED)
        await handle.cancel()
        state = RetryState.CANCEL_REQUESTED
        assert await handle.result() == f"{state!r} not like this"
    assert begun == [1]


@ATTEMPTS
async def test_a_cancel_ends_what_backs_off(world: World) -> None:
    failing = Failing(10**6)
    calling = calls(failing.fails)
    async with world.worker(calling, failing.fails):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            await world.pending(handle, lambda one: one.failed_attempts_count == 1)
            await handle.cancel()
            assert isinstance(await world.failure(handle), CancelledError)
    assert len(failing.began) == 1


# MARK: Ended elsewhere


class Given:
    """An activity that somebody else is to end."""

    def __init__(self) -> None:
        self.token = b""
        self.given = asyncio.Event()

    @activity.defn
    async def give(self) -> str:
        self.token = activity.info().task_token
        self.given.set()
        activity.raise_complete_async()


async def given(world: World, handle: WorkflowHandle[Any, Any], giving: Given) -> None:
    await giving.given.wait()
    await world.pending(handle, lambda one: one.state == STARTED)


@ATTEMPTS
async def test_an_activity_is_completed_by_its_token(world: World) -> None:
    giving = Given()
    calling = calls(giving.give)
    async with world.worker(calling, giving.give):
        handle = await world.start(calling)
        await giving.given.wait()
        elsewhere = world.client.get_async_activity_handle(task_token=giving.token)
        await elsewhere.heartbeat("half")
        await elsewhere.complete("by token")
        assert await handle.result() == "by token"
        # It has ended: there is nothing more to complete.
        assert await world.refusal(elsewhere.complete("again")) in (
            "STALE_LEASE",
            "ACTIVITY_NOT_FOUND",
            "WORKFLOW_CLOSED",
        )


async def test_an_activity_is_completed_by_its_ids(world: World) -> None:
    giving = Given()
    calling = calls(giving.give, activity_id="mine")
    async with world.worker(calling, giving.give):
        handle = await world.start(calling)
        await given(world, handle, giving)
        elsewhere = world.client.get_async_activity_handle(
            workflow_id=handle.id, run_id=None, activity_id="mine"
        )
        await elsewhere.complete("by ids")
        assert await handle.result() == "by ids"


@ATTEMPTS
async def test_an_activity_is_failed_from_elsewhere_and_retried(world: World) -> None:
    giving = Given()
    calling = calls(giving.give, retry_policy=RetryPolicy(seconds(10), maximum_attempts=2))
    async with world.worker(calling, giving.give):
        handle = await world.start(calling)
        await giving.given.wait()
        first = giving.token
        giving.given.clear()
        elsewhere = world.client.get_async_activity_handle(task_token=first)
        await elsewhere.fail(ApplicationError("not this time", type="Late"))
        result = asyncio.create_task(world.failure(handle))
        await giving.given.wait()
        # The token of the first attempt no longer counts.
        assert await world.refusal(elsewhere.complete("late")) == "STALE_LEASE"
        second = world.client.get_async_activity_handle(task_token=giving.token)
        await second.fail(ApplicationError("never", type="Over"))
        error = await result
    assert isinstance(error, ActivityError) and isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == ("Over", "never")


@ATTEMPTS
async def test_a_cancel_is_told_to_who_ends_it_elsewhere(world: World) -> None:
    giving = Given()
    kind = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
    calling = calls(giving.give, cancellation_type=kind)
    async with world.worker(calling, giving.give):
        handle = await world.start(calling)
        await giving.given.wait()
        elsewhere = world.client.get_async_activity_handle(task_token=giving.token)
        await elsewhere.heartbeat()
        await handle.cancel()
        asked = PendingActivityState.CANCEL_REQUESTED
        await world.pending(handle, lambda one: one.state == asked)
        with pytest.raises(AsyncActivityCancelledError) as raised:
            await elsewhere.heartbeat()
        assert raised.value.details == activity.ActivityCancellationDetails(cancel_requested=True)
        await elsewhere.report_cancellation("cleaned up")
        assert isinstance(await world.failure(handle), CancelledError)


async def test_an_activity_that_is_not_there_cannot_be_ended(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        elsewhere = world.client.get_async_activity_handle(
            workflow_id=handle.id, run_id=None, activity_id="none"
        )
        assert await world.refusal(elsewhere.complete()) == "ACTIVITY_NOT_FOUND"
        nobody = world.client.get_async_activity_handle(
            workflow_id="nobody", run_id=None, activity_id="none"
        )
        assert await world.refusal(nobody.complete()) == "WORKFLOW_NOT_FOUND"


# MARK: Control


@ATTEMPTS
async def test_a_paused_activity_starts_no_attempt(world: World) -> None:
    failing = Failing(1)
    calling = calls(failing.fails)
    async with world.worker(calling, failing.fails):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            await world.pending(handle, lambda one: one.failed_attempts_count == 1)
            await handle.pause_activities(activity_type="fails", reason="looking")
        found = await world.pending(handle, lambda one: one.state == PAUSED)
        assert found.pause is not None
        assert (found.pause.reason, found.pause.identity) == ("looking", world.client.identity)
        await world.sleep(1_000)
        assert len(failing.began) == 1
        await handle.unpause_activities(activity_id="1")
        assert await handle.result() == 2


@ATTEMPTS
async def test_a_running_attempt_is_told_of_the_pause(world: World) -> None:
    holder = Holder()
    calling = calls(holder.hold)
    async with world.worker(calling, holder.hold):
        handle = await world.start(calling)
        await holder.begun.wait()
        await handle.pause_activities()
        await world.pending(handle, lambda one: one.state == PAUSED)
        assert holder.told == [activity.ActivityCancellationDetails(paused=True)]
        await handle.unpause_activities()
        assert await handle.result() == "free"


@ATTEMPTS
async def test_a_reset_activity_begins_with_its_first_attempt(world: World) -> None:
    seen = []

    @activity.defn
    async def counts() -> int:
        info = activity.info()
        seen.append((info.attempt, list(info.heartbeat_details)))
        activity.heartbeat("beat")
        if len(seen) < 4:
            raise ValueError("again")
        return info.attempt

    calling = calls(counts, retry_policy=RetryPolicy(seconds(1_000), 1))
    async with world.worker(calling, counts):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            await world.pending(handle, lambda one: one.failed_attempts_count == 1)
            await handle.reset_activities(activity_id="1")
            await world.pending(handle, lambda one: one.failed_attempts_count == 2)
            await handle.reset_activities(activity_id="1", reset_heartbeat=True)
            await world.pending(handle, lambda one: one.failed_attempts_count == 3)
        assert await handle.result() == 2
    assert seen == [(1, []), (1, ["beat"]), (1, []), (2, ["beat"])]


@ATTEMPTS
async def test_changed_options_count_for_the_next_attempt_and_can_be_restored(
    world: World,
) -> None:
    failing = Failing(10**6)
    calling = calls(failing.fails, retry_policy=RetryPolicy(seconds(1_000), 1))
    async with world.worker(calling, failing.fails):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            await world.pending(handle, lambda one: one.failed_attempts_count == 1)
            update = ActivityOptionsUpdate(
                retry_policy=RetryPolicy(seconds(5), maximum_attempts=2),
                heartbeat_timeout=seconds(7),
            )
            await handle.update_activity_options(update, activity_type="fails")
            found = await world.pending(handle, lambda one: one.options_changed)
            assert found.options is not None
            assert found.options.heartbeat_timeout_ms == 7_000
            await handle.update_activity_options(restore_original=True)
            found = await world.pending(handle, lambda one: not one.options_changed)
            assert found.options is not None and found.options.retry_policy is not None
            assert found.options.retry_policy.initial_interval_ms == 1_000_000
            await handle.update_activity_options(update, activity_id="1")
        error = await world.failure(handle)
    assert isinstance(error, ActivityError)
    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert len(failing.began) == 2


async def test_options_send_an_activity_to_another_queue(world: World) -> None:
    calling = calls(greet, "Ada", task_queue="nobody")
    async with world.worker(calling), world.worker(greet, task_queue="somebody"):
        handle = await world.start(calling)
        found = await world.pending(handle)
        assert found.no_worker
        await handle.update_activity_options(ActivityOptionsUpdate(task_queue="somebody"))
        assert await handle.result() == "Hello, Ada!"


async def test_an_activity_is_named_by_one_of_id_and_type(world: World) -> None:
    handle = world.client.get_workflow_handle("any")
    with pytest.raises(ValueError, match="not by both"):
        await handle.pause_activities(activity_id="1", activity_type="a")


async def test_what_nobody_serves_is_told(world: World) -> None:
    calling = calls("missing")
    async with world.worker(calling):
        handle = await world.start(calling)
        found = await world.pending(handle)
        assert (found.activity_type, found.no_worker) == ("missing", True)
        await world.until(lambda: world.has_problem(handle, "missing"))


# MARK: Lost workers


class Losing(Chaos):
    """Loses the worker with each of the first attempts."""

    def __init__(self, times: int) -> None:
        super().__init__(1)
        self.times = times

    def fate(self) -> Fate:
        self.times -= 1
        return Fate.LOST if self.times >= 0 else Fate.ONCE

    def workflow_task_ended(self, *, evicts: bool) -> None:
        pass


@ATTEMPTS
async def test_the_first_lost_worker_costs_no_time_and_the_next_the_interval(
    world: World,
) -> None:
    failing = Failing(0)
    calling = calls(failing.fails, retry_policy=RetryPolicy(seconds(100), 1))
    world.env._begin_chaos(Losing(3))
    async with world.worker(calling, failing.fails):
        assert await world.execute(calling) == 4
    # The engine waits 10 seconds for a worker to come back.
    assert gaps(failing.began) == [10, 110, 110]


@ATTEMPTS
async def test_with_one_attempt_a_lost_worker_is_the_end(world: World) -> None:
    failing = Failing(0)
    calling = calls(failing.fails, retry_policy=ONCE)
    world.env._begin_chaos(Losing(1))
    async with world.worker(calling, failing.fails):
        error = await world.why(calling)
    assert isinstance(error, ActivityError) and isinstance(error.cause, WorkerLostError)
    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert len(failing.began) == 1


async def held_by_crashes(world: World, failing: Failing) -> WorkflowHandle[Any, Any]:
    """A workflow whose activity has crashed three workers; `calls` of it are served."""
    policy = RetryPolicy(seconds(100), 1, maximum_attempts=3)
    calling = calls(failing.fails, retry_policy=policy, hold_when_exhausted=True)
    world.env._begin_chaos(Losing(3))
    async with world.worker(calling, failing.fails):
        handle = await world.start(calling)
        held = asyncio.create_task(world.pending(handle, lambda one: one.state == PAUSED))
        while not held.done():
            await world.sleep(10)
        assert (await held).crashes_worker
    return handle


@ATTEMPTS
async def test_who_crashes_three_workers_is_told_and_held(world: World) -> None:
    failing = Failing(0)
    handle = await held_by_crashes(world, failing)
    assert await world.has_problem(handle, "CRASHES_WORKER: 3 workers in a row were lost")
    await handle.unpause_activities()
    async with world.worker(calls(failing.fails), failing.fails):
        assert await handle.result() >= 1


@ATTEMPTS
async def test_lists_tell_who_crashes_workers(world: World) -> None:
    await held_by_crashes(world, Failing(0))
    await world.sleep(60)
    (listed,) = [one async for one in world.client.list_workflows()]
    assert any("CRASHES_WORKER" in one for one in listed.problems)
