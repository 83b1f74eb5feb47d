"""Activities without a workflow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from holdfast import activity
from holdfast.client import (
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    ActivityOptionsUpdate,
    PendingActivityState,
)
from holdfast.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from holdfast.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    RetryState,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from semantics.programs import LONG, ONCE, Failing, Holder, gaps, greet, seconds
from semantics.world import QUEUE, World

Status = ActivityExecutionStatus
State = PendingActivityState
CUSTOMER = SearchAttributeKey.for_keyword("Customer")
WITH_CUSTOMER = pytest.mark.world(search_attributes=[CUSTOMER])
ATTEMPTS = pytest.mark.no_chaos("a lost worker costs an attempt")


async def start(
    world: World, called: Any, *args: Any, id: str = "a", **options: Any
) -> ActivityHandle[Any]:
    if "schedule_to_close_timeout" not in options:
        options.setdefault("start_to_close_timeout", LONG)
    return await world.client.start_activity(
        called, args=args, id=id, task_queue=options.pop("task_queue", QUEUE), **options
    )


async def result(world: World, handle: ActivityHandle[Any]) -> Any:
    """While it is waited for, time skips: what it waits for itself comes at once."""
    waiting = asyncio.create_task(handle.result())
    while not waiting.done():
        await world.sleep(60)
        await asyncio.sleep(0.001)
    return await waiting


async def failure(result: Awaitable[Any]) -> ActivityFailureError:
    with pytest.raises(ActivityFailureError) as raised:
        await result
    return raised.value


async def is_in(world: World, handle: ActivityHandle[Any], state: State) -> None:
    async def holds() -> bool:
        return (await handle.describe()).run_state == state

    await world.until(holds)


# MARK: Starts and ends


async def test_an_activity_is_started_without_a_workflow(world: World) -> None:
    async with world.worker(greet):
        handle = await start(world, greet, "Ada")
        assert await handle.result() == "Hello, Ada!"
        again = await start(world, greet, "Bob")
        assert await again.result() == "Hello, Bob!"
        # The newest run, where none is named.
        newest = world.client.get_activity_handle("a", result_type=str)
        assert (await newest.result(), newest.run_id) == ("Hello, Bob!", None)
        # The one that is named.
        assert handle.run_id != again.run_id
        assert await handle.result() == "Hello, Ada!"


async def test_it_knows_that_it_has_no_workflow(world: World) -> None:
    @activity.defn
    async def look() -> list[Any]:
        info = activity.info()
        of_workflow = [info.workflow_id, info.workflow_run_id, info.workflow_type]
        return [info.activity_id, info.activity_run_id, info.in_workflow, *of_workflow]

    async with world.worker(look):
        handle = await start(world, look)
        assert await handle.result() == ["a", handle.run_id, False, "", "", ""]


@WITH_CUSTOMER
async def test_its_options_are_told(world: World) -> None:
    policy = RetryPolicy(seconds(2), 3.0, seconds(20), 4, ["Broken"])
    attributes = TypedSearchAttributes([SearchAttributePair(CUSTOMER, "c-1")])
    handle = await start(
        world,
        "nobody",
        schedule_to_close_timeout=seconds(600),
        schedule_to_start_timeout=seconds(500),
        start_to_close_timeout=seconds(400),
        heartbeat_timeout=seconds(30),
        retry_policy=policy,
        search_attributes=attributes,
        summary="in a line",
        static_details="at length",
        memo={"order": 7},
        priority=Priority(2, "tenant", 1.5),
    )
    found = await handle.describe()
    assert (found.activity_id, found.activity_run_id) == ("a", handle.run_id)
    assert (found.activity_type, found.task_queue, found.namespace) == ("nobody", QUEUE, "default")
    assert (found.status, found.run_state, found.attempt) == (Status.RUNNING, State.SCHEDULED, 1)
    assert (found.close_time, found.execution_duration, found.no_worker) == (None, None, True)
    assert any("nobody" in one for one in found.problems)
    assert found.schedule_to_close_timeout == seconds(600)
    assert found.schedule_to_start_timeout == seconds(500)
    assert found.start_to_close_timeout == seconds(400)
    assert found.heartbeat_timeout == seconds(30)
    assert (found.retry_policy, found.priority) == (policy, Priority(2, "tenant", 1.5))
    assert found.typed_search_attributes == attributes
    assert (found.summary, found.static_details) == ("in a line", "at length")
    assert await found.memo_value("order") == 7
    assert (found.last_worker_identity, found.last_started_time) == (None, None)
    assert (found.has_heartbeat_details(), found.has_last_failure()) == (False, False)
    assert (await found.heartbeat_details(), await found.last_failure()) == (None, None)


async def test_what_is_missing_in_a_start_is_told(world: World) -> None:
    client = world.client
    with pytest.raises(ValueError, match="needs start_to_close_timeout or schedule_to_close"):
        await client.start_activity("any", id="a", task_queue=QUEUE)
    no_queue = client.start_activity("any", id="a", task_queue="", start_to_close_timeout=LONG)
    assert await world.refusal(no_queue) == "FIELD_MISSING"


async def test_its_start_may_be_delayed(world: World) -> None:
    async with world.worker(greet):
        before = await world.now()
        handle = await start(world, greet, "Ada", start_delay=seconds(3_600))
        found = await handle.describe()
        assert (found.run_state, found.attempt) == (State.BACKING_OFF, 1)
        assert found.next_attempt_schedule_time == found.schedule_time + seconds(3_600)
        assert await result(world, handle) == "Hello, Ada!"
        at = await start(world, greet, "Bob", start_at=before + seconds(7_200))
        assert await result(world, at) == "Hello, Bob!"
        assert gaps([before, await world.now()], unit=3_600) == [7_200]


# MARK: Ids


@pytest.mark.parametrize(
    ("policy", "is_used"),
    [(ActivityIDConflictPolicy.USE_EXISTING, True), (ActivityIDConflictPolicy.FAIL, False)],
)
async def test_an_open_ones_id(
    world: World, policy: ActivityIDConflictPolicy, is_used: bool
) -> None:
    first = await start(world, "nobody")
    if is_used:
        assert (await start(world, "nobody", id_conflict_policy=policy)).run_id == first.run_id
        return
    with pytest.raises(ActivityAlreadyStartedError, match="already started") as raised:
        await start(world, "other", id_conflict_policy=policy)
    error = raised.value
    assert (error.activity_id, error.activity_type, error.run_id) == ("a", "other", first.run_id)


async def test_an_open_one_makes_room_for_another(world: World) -> None:
    first = await start(world, "nobody")
    policy = ActivityIDConflictPolicy.TERMINATE_EXISTING
    second = await start(world, "nobody", id_conflict_policy=policy)
    assert (await second.describe()).status == Status.RUNNING
    assert isinstance((await failure(first.result())).cause, TerminatedError)


@pytest.mark.parametrize("was_well", [True, False])
async def test_a_closed_ones_id_by_the_reuse_policy(world: World, was_well: bool) -> None:
    reuse = ActivityIDReusePolicy
    failing = Failing(0 if was_well else 1)
    async with world.worker(failing.fails):
        # A lost worker fails it for good, too.
        first = await start(world, failing.fails, retry_policy=None if was_well else ONCE)
        if was_well:
            await first.result()
        else:
            await failure(first.result())
    for policy, is_free in [
        (reuse.REJECT_DUPLICATE, False),
        (reuse.ALLOW_DUPLICATE_FAILED_ONLY, not was_well),
        (reuse.ALLOW_DUPLICATE, True),
    ]:
        if not is_free:
            with pytest.raises(ActivityAlreadyStartedError):
                await start(world, "nobody", id_reuse_policy=policy)
            continue
        again = await start(world, "nobody", id_reuse_policy=policy)
        assert again.run_id != first.run_id
        await again.terminate()


async def test_the_same_request_starts_one(world: World) -> None:
    first = await start(world, "nobody", request_id="r-1")
    assert (await start(world, "nobody", request_id="r-1")).run_id == first.run_id
    await first.terminate()
    assert (await start(world, "nobody", request_id="r-1")).run_id == first.run_id
    assert await world.refusal(start(world, "other", request_id="r-1")) == "REQUEST_ID_REUSED"


async def test_a_workflow_may_have_the_same_id(world: World) -> None:
    handle = await start(world, "nobody", id="both")
    await world.start("any", id="both")
    assert [one.activity_id async for one in world.client.list_activities()] == ["both"]
    assert [one.workflow_type async for one in world.client.list_workflows()] == ["any"]
    await handle.terminate()
    workflow = world.client.get_workflow_handle("both")
    assert (await workflow.describe()).close_time is None


# MARK: Without a result


@ATTEMPTS
async def test_it_fails_when_its_attempts_are_used_up(world: World) -> None:
    error = ApplicationError("no", {"code": 7}, type="Broken")
    failing = Failing(9, error)
    policy = RetryPolicy(seconds(100), maximum_attempts=3)
    async with world.worker(failing.fails):
        handle = await start(world, failing.fails, retry_policy=policy)
        raised = await failure(result(world, handle))
    cause = raised.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("no", "Broken", [{"code": 7}])
    assert raised.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert gaps(failing.began) == [100, 200]
    found = await handle.describe(include_outcome=True)
    assert (found.status, found.attempt, found.run_state) == (Status.FAILED, 3, None)
    assert (found.last_started_time, found.last_worker_identity) == (failing.began[-1], "worker-1")
    assert found.last_attempt_complete_time == found.close_time
    outcome, before = await found.outcome_failure(), await found.last_failure()
    assert isinstance(outcome, ApplicationError) and isinstance(before, ApplicationError)
    assert (outcome.type, before.type) == ("Broken", "Broken")
    assert (found.has_result(), await found.result()) == (False, None)


@ATTEMPTS
async def test_the_outcome_is_told_with_the_description(world: World) -> None:
    async with world.worker(greet):
        handle = await start(world, greet, "Ada", task_queue="none")
        open_one = await handle.describe(include_outcome=True)
        assert (open_one.raw_outcome, open_one.has_outcome_failure()) == (None, False)
        await handle.terminate()
        handle = await start(world, greet, "Ada")
        await handle.result()
    assert (await handle.describe()).raw_outcome is None
    found = await handle.describe(include_outcome=True)
    assert (found.has_result(), await found.result(str)) == (True, "Hello, Ada!")
    assert (found.has_outcome_failure(), await found.outcome_failure()) == (False, None)
    assert (found.status, found.attempt) == (Status.COMPLETED, 1)
    assert found.close_time is not None
    assert found.execution_duration == found.close_time - found.schedule_time


async def test_it_times_out_without_a_worker(world: World) -> None:
    handle = await start(world, "nobody", schedule_to_start_timeout=seconds(60))
    await world.env.advance_time(seconds(61))
    raised = await failure(handle.result())
    assert isinstance(raised.cause, TimeoutError)
    assert raised.cause.type == TimeoutType.SCHEDULE_TO_START
    found = await handle.describe()
    assert (found.status, found.attempt) == (Status.TIMED_OUT, 0)


@ATTEMPTS
async def test_a_silent_one_times_out_with_its_last_details(world: World) -> None:
    holder = Holder()

    @activity.defn
    async def beats() -> None:
        activity.heartbeat("half", 5)
        await holder.hold()

    async with world.worker(beats):
        handle = await start(world, beats, retry_policy=ONCE, heartbeat_timeout=seconds(100))

        async def has_beaten() -> bool:
            return (await handle.describe()).has_heartbeat_details()

        await world.until(has_beaten)
        found = await handle.describe()
        assert await found.heartbeat_details([str, int]) == ["half", 5]
        assert found.last_heartbeat_time is not None
        await world.env.advance_time(seconds(201))
        raised = await failure(handle.result())
    assert isinstance(raised.cause, TimeoutError) and raised.cause.type == TimeoutType.HEARTBEAT
    assert list(raised.cause.last_heartbeat_details) == ["half", 5]


async def test_a_cancel_ends_at_once_what_has_not_started(world: World) -> None:
    handle = await start(world, "nobody")
    await handle.cancel(reason="not needed")
    raised = await failure(handle.result())
    assert isinstance(raised.cause, CancelledError) and raised.retry_state is None
    assert (await handle.describe()).status == Status.CANCELED
    # A repetition changes nothing.
    await handle.cancel()
    assert await world.refusal(handle.terminate()) == "ACTIVITY_CLOSED"


@ATTEMPTS
async def test_a_cancel_is_told_to_the_code_that_runs(world: World) -> None:
    holder = Holder()
    async with world.worker(holder.hold):
        handle = await start(world, holder.hold)
        await holder.begun.wait()
        await handle.cancel()
        raised = await failure(handle.result())
    (told,) = holder.told
    assert told is not None and told.cancel_requested
    assert isinstance(raised.cause, CancelledError)
    assert list(raised.cause.details) == ["cleaned up"]


@ATTEMPTS
async def test_a_terminated_one_ends_whatever_its_code_does(world: World) -> None:
    holder = Holder()
    async with world.worker(holder.hold):
        handle = await start(world, holder.hold)
        await holder.begun.wait()
        await handle.terminate(reason="enough")
        raised = await failure(handle.result())
        assert isinstance(raised.cause, TerminatedError) and "enough" in str(raised.cause)
        await holder.free.wait()
    (told,) = holder.told
    assert told is not None and told.not_found
    assert (await handle.describe()).status == Status.TERMINATED


async def test_unknown_and_closed_ones_are_told_apart(world: World) -> None:
    nobody = world.client.get_activity_handle("nobody")
    for call in (nobody.result(), nobody.describe(), nobody.cancel(), nobody.pause()):
        assert await world.refusal(call) == "ACTIVITY_NOT_FOUND"
    closed = await start(world, "any")
    await closed.terminate()
    for call in (closed.terminate(), closed.cancel(), closed.pause()):
        assert await world.refusal(call) == "ACTIVITY_CLOSED"


async def test_a_removed_one_is_gone(world: World) -> None:
    first = await start(world, "any")
    await first.terminate()
    second = await start(world, "any")
    await first.delete()
    assert [one.activity_run_id async for one in world.client.list_activities()] == [second.run_id]
    await second.delete(reason="tidying")
    assert (await world.client.count_activities()).count == 0
    assert await world.refusal(second.describe()) == "ACTIVITY_NOT_FOUND"


# MARK: Looked after


@ATTEMPTS
async def test_a_paused_one_starts_no_attempt(world: World) -> None:
    async with world.worker(greet):
        handle = await start(world, greet, "Ada", start_delay=seconds(100))
        await handle.pause(reason="the bank is down")
        found = await handle.describe()
        assert (found.run_state, found.status) == (State.PAUSED, Status.RUNNING)
        pause = found.raw_description.pending.pause  # type: ignore[union-attr]
        assert pause is not None and pause.reason == "the bank is down"
        await world.sleep(200)
        assert (await handle.describe()).run_state == State.PAUSED
        await handle.unpause()
        assert await result(world, handle) == "Hello, Ada!"


@ATTEMPTS
async def test_used_up_attempts_hold_it(world: World) -> None:
    failing = Failing(2)
    policy = RetryPolicy(maximum_attempts=1)
    async with world.worker(failing.fails):
        handle = await start(world, failing.fails, retry_policy=policy, hold_when_exhausted=True)
        await world.until(lambda: is_held_for(handle, 2))
        await handle.unpause()
        await world.until(lambda: is_held_for(handle, 3))
        await handle.unpause()
        assert await result(world, handle) == 3


async def is_held_for(handle: ActivityHandle[Any], attempt: int) -> bool:
    """It is held, and this one would be its next attempt."""
    found = await handle.describe()
    return found.run_state == State.PAUSED and found.attempt == attempt


@ATTEMPTS
async def test_a_reset_one_begins_with_its_first_attempt(world: World) -> None:
    attempts: list[int] = []

    @activity.defn
    async def third() -> str:
        attempts.append(activity.info().attempt)
        if len(attempts) < 3:
            raise ValueError("not yet")
        return "done"

    async with world.worker(third):
        handle = await start(world, third, retry_policy=RetryPolicy(timedelta(days=1), 1))
        await is_in(world, handle, State.BACKING_OFF)
        found = await handle.describe()
        assert (found.attempt, found.has_last_failure()) == (2, True)
        assert isinstance(await found.last_failure(), ApplicationError)
        await handle.reset()
        await world.until(lambda: has_begun(attempts, 2))
        await is_in(world, handle, State.BACKING_OFF)
        await handle.update_options(
            ActivityOptionsUpdate(retry_policy=RetryPolicy(seconds(5), 1, maximum_attempts=9))
        )
        changed = (await handle.describe()).retry_policy
        assert changed is not None and changed.maximum_attempts == 9
        assert await result(world, handle) == "done"
    assert attempts == [1, 1, 2]


async def has_begun(attempts: list[int], count: int) -> bool:
    return len(attempts) == count


async def test_changed_options_can_be_restored(world: World) -> None:
    handle = await start(world, "nobody")
    await handle.update_options(
        ActivityOptionsUpdate(task_queue="other", start_to_close_timeout=seconds(7))
    )
    found = await handle.describe()
    assert (found.task_queue, found.start_to_close_timeout) == ("other", seconds(7))
    await handle.update_options(restore_original=True)
    found = await handle.describe()
    assert (found.task_queue, found.start_to_close_timeout) == (QUEUE, LONG)


@ATTEMPTS
async def test_it_is_ended_elsewhere_by_its_id(world: World) -> None:
    @activity.defn
    async def leaves() -> str:
        activity.raise_complete_async()

    async with world.worker(leaves):
        handle = await start(world, leaves)
        elsewhere = world.client.get_async_activity_handle(activity_id="a", run_id=handle.run_id)
        await is_in(world, handle, State.STARTED)
        await elsewhere.heartbeat("alive")
        await elsewhere.complete("from elsewhere")
        assert await handle.result() == "from elsewhere"
        assert await world.refusal(elsewhere.complete()) == "ACTIVITY_NOT_FOUND"


# MARK: Lists


@WITH_CUSTOMER
async def test_lists_and_counts_find_them(world: World) -> None:
    for number in range(5):
        attributes = TypedSearchAttributes([SearchAttributePair(CUSTOMER, f"c-{number % 2}")])
        handle = await start(
            world,
            "charge" if number < 3 else "ship",
            id=f"a-{number}",
            search_attributes=attributes,
            static_summary=f"number {number}",
        )
        if number == 0:
            await handle.terminate()

    async def ids(query: str | None = None, **options: Any) -> list[str]:
        return [one.activity_id async for one in world.client.list_activities(query, **options)]

    assert await ids() == ["a-4", "a-3", "a-2", "a-1", "a-0"]
    assert await ids(limit=2) == ["a-4", "a-3"]
    assert await ids(page_size=2) == await ids()
    assert await ids("ActivityType = 'charge' AND ExecutionStatus = 'Running'") == ["a-2", "a-1"]
    assert await ids("Customer = 'c-1' ORDER BY ActivityId ASC", limit=10) == ["a-1", "a-3"]
    (first,) = [one async for one in world.client.list_activities("ActivityId = 'a-0'")]
    assert (first.status, first.summary) == (Status.TERMINATED, "number 0")
    assert first.close_time is not None and first.activity_type == "charge"
    assert (await world.client.count_activities("ActivityType = 'ship'")).count == 2
    counted = await world.client.count_activities("GROUP BY ActivityType, ExecutionStatus")
    assert counted.count == 5
    assert sorted((group.count, *group.group_values) for group in counted.groups) == [
        (1, "charge", "TERMINATED"),
        (2, "charge", "RUNNING"),
        (2, "ship", "RUNNING"),
    ]
    assert await world.refusal(world.client.count_activities("Nobody = 1")) == "FILTER_INVALID"
