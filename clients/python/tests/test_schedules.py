"""Schedules, from a client."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import Engine
from serving import QUEUE, Greeting, serving

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

PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


def daily(**options: object) -> Schedule:
    action = ScheduleActionStartWorkflow(
        Greeting.run,
        "Ada",
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


async def test_a_schedule_is_described_as_it_was_made(engine: Engine) -> None:
    async with serving(engine) as client:
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
        assert (action.workflow, action.id, action.task_queue) == ("Greeting", "daily", QUEUE)
        assert action.retry_policy is not None and action.retry_policy.maximum_attempts == 2
        assert action.run_timeout == timedelta(minutes=5)
        assert action.priority == Priority(priority_key=2)
        assert await client.data_converter.decode(action.args) == ["Ada"]
        assert described.info.next_action_times
        with pytest.raises(ScheduleAlreadyRunningError):
            await created(client, "s", daily())


async def test_trigger_and_backfill_start_workflows(engine: Engine) -> None:
    async with serving(engine) as client:
        hourly = Schedule(
            action=ScheduleActionStartWorkflow(Greeting.run, "Bo", id="hourly", task_queue=QUEUE),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(timedelta(hours=1))]),
            state=ScheduleState(paused=True),
        )
        handle = await client.create_schedule(
            "s",
            hourly,
            trigger_immediately=True,
            backfill=[
                ScheduleBackfill(PAST, PAST + timedelta(hours=2), ScheduleOverlapPolicy.ALLOW_ALL)
            ],
        )
        await handle.trigger(overlap=ScheduleOverlapPolicy.ALLOW_ALL)
        query = "WorkflowType = 'Greeting' AND ExecutionStatus = 'Completed'"
        while (await client.count_workflows(query)).count < 5:
            pass
        info = (await handle.describe()).info
        assert info.num_actions == 5
        started = {result.action for result in info.recent_actions}
        for action in started:
            assert isinstance(action, ScheduleActionExecutionStartWorkflow)
            assert action.workflow_id.startswith("hourly")
            assert await client.get_workflow_handle(action.workflow_id).result() == "Hello, Bo!"
        with pytest.raises(ValueError, match="at least one"):
            await handle.backfill()


async def test_a_schedule_is_paused_changed_listed_and_deleted(engine: Engine) -> None:
    async with serving(engine) as client:
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
        assert await client.data_converter.decode(found.action.args) == ["Ada"]
        await first.update(lambda _: None)

        listed = [one.id async for one in await client.list_schedules(page_size=2)]
        assert listed == ["s-0", "s-1", "s-2"]
        await handles[1].delete()
        listed = [one.id async for one in await client.list_schedules()]
        assert listed == ["s-0", "s-2"]
        with pytest.raises(RPCError) as raised:
            await handles[1].describe()
        assert raised.value.status == RPCStatusCode.NOT_FOUND


async def test_the_times_of_a_schedule_are_told(engine: Engine) -> None:
    async with serving(engine) as client:
        office = Schedule(
            action=ScheduleActionStartWorkflow("Greeting", id="o", task_queue=QUEUE),
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
