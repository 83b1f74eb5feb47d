"""Schedules."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from holdfast.client import (
    Client,
    RPCError,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from holdfast.common import Priority, RetryPolicy
from holdfast.service import RPCStatusCode
from semantics.programs import Sleeper, Waiter, seconds
from semantics.world import QUEUE, World

RESTARTS = pytest.mark.no_chaos("a sleep that a restart of the engine cuts off begins anew")
PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


def daily(**options: object) -> Schedule:
    action = ScheduleActionStartWorkflow(
        Sleeper.run,
        1,
        id="daily",
        task_queue=QUEUE,
        memo={"by": "schedule"},
        retry_policy=RetryPolicy(maximum_attempts=2),
        run_timeout=timedelta(minutes=5),
        static_summary="each day",
        priority=Priority(priority_key=2),
    )
    spec = ScheduleSpec(
        calendars=[ScheduleCalendarSpec(hour=(ScheduleRange(9, 17, 4),), comment="office")],
        cron_expressions=["30 12 * * MON-FRI"],
        intervals=[ScheduleIntervalSpec(timedelta(days=30), timedelta(hours=1))],
        skip=[ScheduleCalendarSpec(month=(ScheduleRange(8),), hour=(ScheduleRange(0, 23),))],
        time_zone_name="Europe/Berlin",
        jitter=timedelta(seconds=10),
        start_at=PAST,
    )
    return Schedule(action=action, spec=spec, **options)  # type: ignore[arg-type]


async def created(client: Client, id: str, schedule: Schedule) -> ScheduleHandle:
    return await client.create_schedule(id, schedule)


async def test_a_schedule_is_described_as_it_was_made(world: World) -> None:
    client = world.client
    made = daily(
        policy=SchedulePolicy(
            ScheduleOverlapPolicy.BUFFER_ONE, timedelta(hours=1), pause_on_failure=True
        ),
        state=ScheduleState("not yet", paused=True, limited_actions=True, remaining_actions=3),
    )
    handle = await created(client, "s", made)
    described = await handle.describe()
    assert described.id == "s"
    found = described.schedule
    assert (found.policy, found.state) == (made.policy, made.state)
    assert found.spec.calendars == made.spec.calendars
    assert found.spec.skip == made.spec.skip
    assert found.spec.intervals == made.spec.intervals
    assert found.spec.cron_expressions == made.spec.cron_expressions
    assert found.spec.time_zone_name == "Europe/Berlin"
    assert (found.spec.start_at, found.spec.jitter) == (PAST, timedelta(seconds=10))
    action = found.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.id, action.task_queue) == ("Sleeper", "daily", QUEUE)
    assert action.retry_policy is not None and action.retry_policy.maximum_attempts == 2
    assert action.run_timeout == timedelta(minutes=5)
    assert action.priority == Priority(priority_key=2)
    assert await client.data_converter.decode(action.args) == [1]
    assert described.info.next_action_times
    with pytest.raises(ScheduleAlreadyRunningError):
        await created(client, "s", daily())


async def test_trigger_and_backfill_start_workflows(world: World) -> None:
    client = world.client
    hourly = Schedule(
        action=ScheduleActionStartWorkflow(Sleeper.run, 0, id="hourly", task_queue=QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(hours=1))]),
        state=ScheduleState(paused=True),
    )
    async with world.worker(Sleeper):
        handle = await client.create_schedule(
            "s",
            hourly,
            trigger_immediately=True,
            backfill=[
                ScheduleBackfill(PAST, PAST + timedelta(hours=2), ScheduleOverlapPolicy.ALLOW_ALL)
            ],
        )
        await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        query = "WorkflowType = 'Sleeper' AND ExecutionStatus = 'Completed'"

        async def are_done() -> bool:
            return (await client.count_workflows(query)).count == 5

        await world.until(are_done)
        info = (await handle.describe()).info
        assert info.num_actions == 5
        started = {result.action for result in info.recent_actions}
        for action in started:
            assert isinstance(action, ScheduleActionExecutionStartWorkflow)
            assert action.workflow_id.startswith("hourly")
            assert await client.get_workflow_handle(action.workflow_id).result() == "awake"
    with pytest.raises(ValueError, match="at least one"):
        await handle.backfill()


async def test_a_schedule_is_paused_changed_listed_and_deleted(world: World) -> None:
    client = world.client
    handles = [await created(client, f"s-{number}", daily()) for number in range(3)]
    first = handles[0]
    await first.pause(note="holidays")
    assert (await first.describe()).schedule.state == ScheduleState("holidays", paused=True)
    await first.unpause(note="back")
    assert (await first.describe()).schedule.state == ScheduleState("back")

    seen = []

    async def change(input: ScheduleUpdateInput) -> ScheduleUpdate:
        seen.append(input.description.schedule.policy.overlap)
        if len(seen) == 1:
            # Somebody else is faster: the change is made anew.
            await first.update(quick)
        schedule = input.description.schedule
        schedule.state.note = "changed"
        return ScheduleUpdate(schedule)

    def quick(input: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = input.description.schedule
        schedule.policy.overlap = ScheduleOverlapPolicy.ALLOW_ALL
        return ScheduleUpdate(schedule)

    await first.update(change)
    assert seen == [ScheduleOverlapPolicy.SKIP, ScheduleOverlapPolicy.ALLOW_ALL]
    found = (await first.describe()).schedule
    assert found.policy.overlap == ScheduleOverlapPolicy.ALLOW_ALL
    assert found.state.note == "changed"
    assert isinstance(found.action, ScheduleActionStartWorkflow)
    assert await client.data_converter.decode(found.action.args) == [1]
    await first.update(lambda _: None)

    listed = [one.id async for one in await client.list_schedules(page_size=2)]
    assert listed == ["s-0", "s-1", "s-2"]
    await handles[1].delete()
    listed = [one.id async for one in await client.list_schedules()]
    assert listed == ["s-0", "s-2"]
    with pytest.raises(RPCError) as raised:
        await handles[1].describe()
    assert raised.value.status == RPCStatusCode.NOT_FOUND


async def test_the_times_of_a_schedule_are_told(world: World) -> None:
    client = world.client
    office = Schedule(
        action=ScheduleActionStartWorkflow("Sleeper", id="o", task_queue=QUEUE),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(9)])],
            time_zone_name="Europe/Berlin",
        ),
    )
    handle = await created(client, "s", office)
    # Summer time begins on the 29th.
    times = await handle.matching_times(
        datetime(2026, 3, 28, tzinfo=timezone.utc), datetime(2026, 3, 30, tzinfo=timezone.utc)
    )
    assert [time.hour for time in times] == [8, 7]


# MARK: What an action does while an earlier one's workflow is open


def hourly(overlap: ScheduleOverlapPolicy, **policy: Any) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(Waiter.run, id="h", task_queue=QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(hours=1))]),
        policy=SchedulePolicy(overlap, **policy),
    )


async def statuses(world: World) -> list[str]:
    """Of the workflows that have been started, the oldest first."""
    listed = [one async for one in world.client.list_workflows()]
    listed.sort(key=lambda one: one.id)
    return [one.status.name for one in listed if one.status is not None]


@RESTARTS
@pytest.mark.parametrize(
    ("overlap", "after_three"),
    [
        (ScheduleOverlapPolicy.SKIP, ["RUNNING"]),
        (ScheduleOverlapPolicy.BUFFER_ONE, ["RUNNING"]),
        (ScheduleOverlapPolicy.BUFFER_ALL, ["RUNNING"]),
        (ScheduleOverlapPolicy.ALLOW_ALL, ["RUNNING"] * 3),
        (ScheduleOverlapPolicy.TERMINATE_OTHER, ["TERMINATED", "TERMINATED", "RUNNING"]),
        (ScheduleOverlapPolicy.CANCEL_OTHER, ["CANCELED", "CANCELED", "RUNNING"]),
    ],
)
async def test_actions_overlap_by_the_policy(
    world: World, overlap: ScheduleOverlapPolicy, after_three: list[str]
) -> None:
    async with world.worker(Waiter):
        handle = await world.client.create_schedule("s", hourly(overlap))
        await world.sleep(3 * 3_600)

        async def is_so() -> bool:
            return await statuses(world) == after_three

        await world.until(is_so)
        await handle.pause()
        first = [one async for one in world.client.list_workflows("ExecutionStatus = 'Running'")]
        await asyncio.gather(
            *(world.client.get_workflow_handle(one.id).signal(Waiter.end) for one in first)
        )
        # One more has waited, or two.
        waited = {ScheduleOverlapPolicy.BUFFER_ONE: 1, ScheduleOverlapPolicy.BUFFER_ALL: 1}

        async def next_one() -> bool:
            running = (await statuses(world)).count("RUNNING")
            return running == waited.get(overlap, 0)

        await world.until(next_one)


@RESTARTS
async def test_actions_come_at_their_times(world: World) -> None:
    async with world.worker(Sleeper):
        schedule = hourly(ScheduleOverlapPolicy.ALLOW_ALL)
        schedule.action = ScheduleActionStartWorkflow(Sleeper.run, 1, id="a", task_queue=QUEUE)
        await world.client.create_schedule("s", schedule)
        await world.sleep(3 * 3_600)
    listed = [one async for one in world.client.list_workflows()]
    times = sorted(one.start_time for one in listed)
    assert len(times) == 3
    assert all(time.minute == time.second == 0 for time in times)
    named = sorted(one.id for one in listed)
    assert named == [f"a-{time:%Y-%m-%dT%H:00:00Z}" for time in times]


@RESTARTS
async def test_limited_actions_are_used_up(world: World) -> None:
    async with world.worker(Waiter):
        schedule = hourly(ScheduleOverlapPolicy.ALLOW_ALL)
        schedule.state = ScheduleState(limited_actions=True, remaining_actions=2)
        handle = await world.client.create_schedule("s", schedule)
        await world.sleep(10 * 3_600)
        described = await handle.describe()
        assert described.info.num_actions == 2
        assert described.schedule.state.remaining_actions == 0
        assert (await world.client.count_workflows()).count == 2


async def test_a_failure_pauses_the_schedule(world: World) -> None:
    async with world.worker(Waiter):
        schedule = hourly(ScheduleOverlapPolicy.SKIP, pause_on_failure=True)
        schedule.action = ScheduleActionStartWorkflow(
            Waiter.run, id="f", task_queue=QUEUE, run_timeout=seconds(60)
        )
        handle = await world.client.create_schedule("s", schedule)
        await world.sleep(5 * 3_600)
        described = await handle.describe()
        assert described.schedule.state.paused
        assert described.info.num_actions == 1


@RESTARTS
async def test_a_paused_schedule_takes_no_actions(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.client.create_schedule("s", hourly(ScheduleOverlapPolicy.ALLOW_ALL))
        await handle.pause(note="holidays")
        await world.sleep(5 * 3_600)
        assert (await world.client.count_workflows()).count == 0
        await handle.unpause()
        await world.sleep(2 * 3_600)
        assert (await world.client.count_workflows()).count == 2


async def test_a_single_instant_is_an_action(world: World) -> None:
    async with world.worker(Waiter):
        when = await world.now() + timedelta(days=2)
        schedule = hourly(ScheduleOverlapPolicy.SKIP)
        schedule.spec = ScheduleSpec(instants=[when])
        handle = await world.client.create_schedule("s", schedule)
        await world.sleep(3 * 86_400)
        assert (await handle.describe()).info.num_actions == 1


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@daily", ["2026-01-01T00:00", "2026-01-02T00:00"]),
        ("30 6 * * *", ["2026-01-01T06:30", "2026-01-02T06:30"]),
        ("0 30 6 1 * * *", ["2026-01-01T06:30"]),
        ("30 6 1 * * 2026", ["2026-01-01T06:30"]),
        ("0 12 * * FRI", ["2026-01-02T12:00"]),
    ],
)
async def test_cron_expressions_name_times(world: World, cron: str, expected: list[str]) -> None:
    schedule = hourly(ScheduleOverlapPolicy.SKIP)
    schedule.spec = ScheduleSpec(cron_expressions=[cron])
    handle = await world.client.create_schedule("s", schedule)
    times = await handle.matching_times(
        datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 1, 2, 23, tzinfo=timezone.utc)
    )
    assert [f"{time:%Y-%m-%dT%H:%M}" for time in times] == expected


async def test_summer_time_skips_no_action_and_doubles_none(world: World) -> None:
    schedule = hourly(ScheduleOverlapPolicy.SKIP)
    schedule.spec = ScheduleSpec(cron_expressions=["30 2 * * *"], time_zone_name="Europe/Berlin")
    handle = await world.client.create_schedule("s", schedule)
    spring = await handle.matching_times(
        datetime(2026, 3, 28, tzinfo=timezone.utc), datetime(2026, 3, 30, 3, tzinfo=timezone.utc)
    )
    # 02:30 does not exist on the 29th: the next time that does is 03:00, which is 01:00 UTC.
    assert [f"{time:%d %H:%M}" for time in spring] == ["28 01:30", "29 01:00", "30 00:30"]
    autumn = await handle.matching_times(
        datetime(2026, 10, 24, tzinfo=timezone.utc), datetime(2026, 10, 26, 3, tzinfo=timezone.utc)
    )
    # 02:30 comes twice on the 25th.
    assert [f"{time:%d %H:%M}" for time in autumn] == ["24 00:30", "25 00:30", "26 01:30"]


async def test_what_cannot_be_is_refused(world: World) -> None:
    schedule = hourly(ScheduleOverlapPolicy.SKIP)
    schedule.spec = ScheduleSpec(cron_expressions=["99 * * * *"])
    assert await world.refusal(world.client.create_schedule("s", schedule)) == "FIELD_INVALID"
    nobody = world.client.get_schedule_handle("nobody")
    assert await world.refusal(nobody.describe()) == "SCHEDULE_NOT_FOUND"
