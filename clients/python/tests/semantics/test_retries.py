"""When an activity is tried again, and when no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast.client import PendingActivityState
from holdfast.common import RetryPolicy
from holdfast.exceptions import ActivityError, ApplicationError, RetryState
from semantics.programs import LONG, ONCE, Failing, calls, gaps, seconds
from semantics.world import World

ATTEMPTS = pytest.mark.no_chaos("a lost worker is an attempt of its own")
TEN = RetryPolicy(initial_interval=seconds(10))


async def attempts(world: World, failing: Failing, **options: object) -> list[int]:
    """The times between the attempts, in tens of seconds."""
    calling = calls(failing.fails, **options)
    async with world.worker(calling, failing.fails):
        await world.execute(calling)
    return gaps(failing.began)


async def error_of(world: World, failing: Failing, **options: object) -> ActivityError:
    """With which the activity ends."""
    calling = calls(failing.fails, **options)
    async with world.worker(calling, failing.fails):
        error = await world.why(calling)
    assert isinstance(error, ActivityError)
    return error


@ATTEMPTS
async def test_intervals_double_by_default(world: World) -> None:
    assert await attempts(world, Failing(4), retry_policy=TEN) == [10, 20, 40, 80]


@ATTEMPTS
async def test_the_coefficient_says_how_intervals_grow(world: World) -> None:
    policy = RetryPolicy(seconds(10), backoff_coefficient=3)
    assert await attempts(world, Failing(3), retry_policy=policy) == [10, 30, 90]
    policy = RetryPolicy(seconds(10), backoff_coefficient=1)
    assert await attempts(world, Failing(3), retry_policy=policy) == [10, 10, 10]


@ATTEMPTS
async def test_intervals_grow_to_their_maximum(world: World) -> None:
    policy = RetryPolicy(seconds(10), maximum_interval=seconds(30))
    assert await attempts(world, Failing(4), retry_policy=policy) == [10, 20, 30, 30]


@ATTEMPTS
async def test_the_maximum_is_a_hundred_times_the_first_by_default(world: World) -> None:
    # 1, 2, 4, 8, 16, 32, 64, 100, 100 seconds.
    assert await attempts(world, Failing(9)) == [0, 0, 0, 0, 10, 30, 60, 100, 100]


@ATTEMPTS
async def test_intervals_saturate(world: World) -> None:
    policy = RetryPolicy(seconds(10), backoff_coefficient=1e200, maximum_interval=seconds(50))
    assert await attempts(world, Failing(4), retry_policy=policy) == [10, 50, 50, 50]


@ATTEMPTS
async def test_the_next_attempt_is_known_to_the_millisecond(world: World) -> None:
    failing = Failing(1)
    calling = calls(failing.fails, retry_policy=RetryPolicy(timedelta(milliseconds=12_345)))
    async with world.worker(calling, failing.fails):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            found = await world.pending(handle, lambda one: one.failed_attempts_count == 1)
        (attempt,) = found.failed_attempts
        assert found.state == PendingActivityState.BACKING_OFF
        assert found.next_attempt_time_ms - attempt.ended_time_ms == 12_345
        assert found.last_failure is not None and found.last_failure.info is not None
        assert found.last_failure.info.message == "not yet"
        assert await handle.result() == 2


@ATTEMPTS
async def test_an_error_says_when_the_next_attempt_comes(world: World) -> None:
    error = ApplicationError("later", next_retry_delay=seconds(500))
    policy = RetryPolicy(seconds(10), maximum_interval=seconds(20))
    assert await attempts(world, Failing(2, error), retry_policy=policy) == [500, 500]


@ATTEMPTS
async def test_attempts_are_limited_and_the_first_counts(world: World) -> None:
    failing = Failing(9)
    policy = RetryPolicy(seconds(10), maximum_attempts=3)
    error = await error_of(world, failing, retry_policy=policy)
    assert error.retry_state == RetryState.MAXIMUM_ATTEMPTS_REACHED
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "ValueError"
    assert gaps(failing.began) == [10, 20]


async def test_a_failure_that_is_not_retryable_ends_it(world: World) -> None:
    failing = Failing(10**6, ApplicationError("no", type="Never", non_retryable=True))
    error = await error_of(world, failing)
    assert error.retry_state == RetryState.NON_RETRYABLE_FAILURE
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.non_retryable) == ("Never", True)


async def test_a_policy_names_errors_that_are_not_retryable(world: World) -> None:
    policy = RetryPolicy(non_retryable_error_types=["KeyError", "ValueError"])
    error = await error_of(world, Failing(10**6), retry_policy=policy)
    assert error.retry_state == RetryState.NON_RETRYABLE_FAILURE


@ATTEMPTS
async def test_it_is_given_up_when_the_next_attempt_would_be_too_late(world: World) -> None:
    failing = Failing(9)
    began = await world.now()
    error = await error_of(world, failing, retry_policy=TEN, schedule_to_close_timeout=seconds(60))
    # At 0, 10 and 30 seconds; the next would be at 70, so it ends at 30.
    assert gaps(failing.began) == [10, 20]
    assert error.retry_state == RetryState.TIMEOUT
    assert isinstance(error.cause, ApplicationError) and error.cause.type == "ValueError"
    assert gaps([began, await world.now()]) == [30]


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (RetryPolicy(timedelta(0)), "initial_interval"),
        (RetryPolicy(backoff_coefficient=0.5), "backoff_coefficient"),
        (RetryPolicy(maximum_interval=timedelta(milliseconds=1)), "maximum_interval"),
        (RetryPolicy(maximum_attempts=-1), "maximum_attempts"),
    ],
)
async def test_a_policy_that_cannot_be_is_refused(
    world: World, policy: RetryPolicy, field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        await world.start("any", retry_policy=policy)

    @workflow.defn
    class Refused:
        @workflow.run
        async def run(self) -> str:
            try:
                workflow.start_activity("x", start_to_close_timeout=LONG, retry_policy=policy)
            except ValueError as error:
                return str(error)
            return "taken"

    async with world.worker(Refused):
        assert field in await world.execute(Refused)


async def test_a_command_with_a_bad_option_fails_the_task_and_names_it(world: World) -> None:
    calling = calls("x", activity_id="i" * 2_000)
    async with world.worker(calling):
        handle = await world.start(calling)
        await world.until(lambda: world.has_problem(handle, "activity_id"))


# MARK: What is known of failed attempts


@ATTEMPTS
async def test_the_first_5_and_the_last_20_attempts_are_kept(world: World) -> None:
    failing = Failing(40)
    calling = calls(
        failing.fails,
        retry_policy=RetryPolicy(seconds(1), backoff_coefficient=1, maximum_attempts=30),
        hold_when_exhausted=True,
    )
    async with world.worker(calling, failing.fails):
        handle = await world.start(calling)
        await world.sleep(100)
        found = await world.pending(handle, lambda one: one.failed_attempts_count == 30)
        kept = [one.attempt for one in found.failed_attempts]
        assert kept == [*range(1, 6), *range(11, 31)]
        # Attempts are not in the history, and nobody was woken by them.
        assert await world.events(handle) == [
            "workflow_execution_started",
            "workflow_task_completed",
            "activity_task_scheduled",
        ]


@ATTEMPTS
async def test_a_kept_failure_is_cut_to_4_KiB(world: World) -> None:
    failing = Failing(1, ValueError("x" * 100_000))
    calling = calls(failing.fails, retry_policy=TEN)
    async with world.worker(calling, failing.fails):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(calling)
            found = await world.pending(handle, lambda one: one.failed_attempts_count == 1)
        failure = found.failed_attempts[0].failure
        assert failure is not None and 2_000 < len(failure.encode()) <= 4 << 10


@ATTEMPTS
async def test_history_gets_one_start_with_the_attempt_and_the_last_failure(world: World) -> None:
    failing = Failing(3)
    calling = calls(failing.fails, retry_policy=TEN)
    async with world.worker(calling, failing.fails):
        handle = await world.start(calling)
        assert await handle.result() == 4
        events = await world.events(handle)
        assert events.count("activity_task_started") == 1
        started = await world.event(handle, "activity_task_started")
        assert started.attempt == 4
        assert started.last_failure.info.message == "not yet"


@ATTEMPTS
async def test_attempts_keep_their_key_and_their_id(world: World) -> None:
    seen = []

    @activity.defn
    async def keyed() -> None:
        info = activity.info()
        seen.append((info.idempotency_key, info.activity_id, info.attempt))
        if info.attempt < 3:
            raise ValueError("again")

    calling = calls(keyed, retry_policy=TEN)
    async with world.worker(calling, keyed):
        await world.execute(calling)
    assert len({key for key, _, _ in seen}) == 1
    assert [(id, attempt) for _, id, attempt in seen] == [("1", 1), ("1", 2), ("1", 3)]


@ATTEMPTS
async def test_used_up_attempts_hold_an_activity_for_a_person(world: World) -> None:
    failing = Failing(2)
    calling = calls(failing.fails, retry_policy=ONCE, hold_when_exhausted=True)
    async with world.worker(calling, failing.fails):
        handle = await world.start(calling)
        paused = PendingActivityState.PAUSED
        found = await world.pending(handle, lambda one: one.state == paused)
        assert found.pause is not None and found.pause.exhausted
        await handle.unpause_activities(reset_attempts=True)
        await world.pending(handle, lambda one: one.failed_attempts_count == 2)
        # Each time it is let go on it has one attempt more.
        await world.pending(handle, lambda one: one.state == paused)
        failing.times = 0
        await handle.unpause_activities(reset_attempts=True)
        assert await handle.result() >= 1
    assert len(failing.began) == 3


async def test_the_policy_in_force_is_told_to_the_activity(world: World) -> None:
    @activity.defn
    async def policy() -> list[float]:
        found = activity.info().retry_policy
        assert found is not None and found.maximum_interval is not None
        return [
            found.initial_interval.total_seconds(),
            found.backoff_coefficient,
            found.maximum_interval.total_seconds(),
            found.maximum_attempts,
        ]

    calling = calls(policy)
    async with world.worker(calling, policy):
        assert await world.execute(calling) == [1, 2, 100, 0]
    calling = calls(policy, retry_policy=RetryPolicy(seconds(3), 1.5, seconds(4), 7))
    async with world.worker(calling, policy):
        assert await world.execute(calling) == [3, 1.5, 4, 7]


def test_a_policy_is_told_as_it_is_meant() -> None:
    policy = RetryPolicy(seconds(3), 1.5, seconds(4), 7, ["A"])
    assert policy._to_proto() == proto.RetryPolicy(
        initial_interval_ms=3_000,
        backoff_coefficient=1.5,
        maximum_interval_ms=4_000,
        maximum_attempts=7,
        non_retryable_error_types=["A"],
    )
