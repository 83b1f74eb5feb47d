"""Timers and conditions, time and chance, patches and side effects."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from holdfast import activity, workflow
from holdfast.common import RetryPolicy
from semantics.programs import LONG, Sleeper, gaps, greet, seconds
from semantics.world import World


async def test_a_timer_fires_to_the_millisecond(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 12.345)
        assert await handle.result() == "awake"
        history = {one.attributes: one for one in (await handle.fetch_history()).events}
        started, fired = history["timer_started"], history["timer_fired"]
        assert started.timer_started is not None
        assert started.timer_started.start_to_fire_timeout_ms == 12_345
        assert 12_345 <= fired.event_time_ms - started.event_time_ms < 13_345


async def test_a_month_is_over_at_once(world: World) -> None:
    async with world.worker(Sleeper):
        before = await world.now()
        await world.execute(Sleeper, timedelta(days=30).total_seconds())
        assert await world.now() - before >= timedelta(days=30)


async def test_timers_fire_in_the_order_of_their_times(world: World) -> None:
    @workflow.defn
    class Many:
        @workflow.run
        async def run(self) -> list[int]:
            order: list[int] = []

            async def wait(number: int) -> None:
                await asyncio.sleep(number)
                order.append(number)

            await asyncio.gather(*(wait(number) for number in (5, 3, 9, 1)))
            return order

    async with world.worker(Many):
        assert await world.execute(Many) == [1, 3, 5, 9]


async def test_pending_timers_are_described(world: World) -> None:
    async with world.worker(Sleeper):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(Sleeper, 5_000)
            await world.until(lambda: world.has_event(handle, "timer_started"))
            (timer,) = (await handle.describe()).raw_description.pending_timers
            event = [one async for one in handle.fetch_history_events()][-1]
            assert timer.fire_time_ms - event.event_time_ms == 5_000_000
            await handle.terminate()


async def test_a_condition_holds_or_times_out(world: World) -> None:
    @workflow.defn
    class Patient:
        def __init__(self) -> None:
            self.is_told = False

        @workflow.signal
        def tell(self) -> None:
            self.is_told = True

        @workflow.run
        async def run(self) -> str:
            try:
                await workflow.wait_condition(lambda: self.is_told, timeout=seconds(100))
            except asyncio.TimeoutError:
                return "too late"
            return "told"

    async with world.worker(Patient):
        before = await world.now()
        assert await world.execute(Patient) == "too late"
        assert gaps([before, await world.now()]) == [100]
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(Patient)
            await handle.signal("tell")
            assert await handle.result() == "told"
            assert "timer_fired" not in await world.events(handle)


async def test_a_wait_with_a_timeout_cancels_its_timer(world: World) -> None:
    @workflow.defn
    class Hurried:
        @workflow.run
        async def run(self) -> str:
            call = workflow.execute_activity(greet, "Ada", start_to_close_timeout=LONG)
            return await asyncio.wait_for(call, 100)

    async with world.worker(Hurried, greet):
        handle = await world.start(Hurried)
        assert await handle.result() == "Hello, Ada!"
        events = await world.events(handle)
        assert "timer_canceled" in events and "timer_fired" not in events


# MARK: Time and chance


async def test_now_stands_still_within_an_activation_and_never_goes_back(world: World) -> None:
    @workflow.defn
    class Looking:
        @workflow.run
        async def run(self) -> list[list[float]]:
            seen = []
            for _ in range(3):
                seen.append([workflow.time(), workflow.time()])
                await workflow.sleep(100)
            return seen

    async with world.worker(Looking):
        seen = await world.execute(Looking)
    assert all(first == second for first, second in seen)
    assert seen[1][0] - seen[0][0] >= 100 and seen[2][0] - seen[1][0] >= 100


async def test_chance_is_the_same_in_each_replay_and_another_in_each_run(world: World) -> None:
    @workflow.defn
    class Dicing:
        @workflow.run
        async def run(self) -> list[Any]:
            thrown = [workflow.random().random(), str(workflow.uuid4())]
            drawn[workflow.info().run_id].append(list(thrown))
            await workflow.sleep(1)
            await workflow.sleep(1)
            return [*thrown, workflow.random().random()]

    drawn: dict[str, list[Any]] = Drawn()
    async with world.worker(Dicing):
        results = [await world.execute(Dicing) for _ in range(2)]
    assert results[0] != results[1]
    for throws, result in zip(drawn.values(), results, strict=True):
        assert throws == [result[:2]] * len(throws)


class Drawn(dict[str, list[Any]]):
    def __missing__(self, key: str) -> list[Any]:
        return self.setdefault(key, [])


# MARK: Patches


def versioned(version: int) -> type:
    """Code before a change, with a patch for it, and when the old path is gone."""

    @workflow.defn(name="Versioned")
    class Versioned:
        def __init__(self) -> None:
            self.is_over = False

        @workflow.signal
        def end(self) -> None:
            self.is_over = True

        @workflow.run
        async def run(self) -> str:
            path = "old"
            if version == 2 and workflow.patched("change"):
                path = "new"
            if version == 3:
                workflow.deprecate_patch("change")
            if version in (3, 4):
                path = "new"
            if path == "new":
                await workflow.execute_activity(greet, "x", start_to_close_timeout=LONG)
            await workflow.wait_condition(lambda: self.is_over)
            return path

    return Versioned


async def moved(world: World, *versions: int) -> tuple[str, list[str]]:
    """A run that is begun by the first version and ended by the last one."""
    handle = None
    for version in versions:
        async with world.worker(versioned(version), greet):
            handle = handle or await world.start("Versioned")
            await world.until(lambda handle=handle: world.has_event(handle, COMPLETED))
            if version == versions[-1]:
                await handle.signal("end")
                result = await handle.result()
    assert handle is not None
    return result, await world.events(handle)


COMPLETED = "workflow_task_completed"


async def test_a_new_run_takes_the_patched_path_and_records_it_once(world: World) -> None:
    path, events = await moved(world, 2)
    assert (path, events.count("marker_recorded")) == ("new", 1)


async def test_an_old_run_keeps_the_old_path(world: World) -> None:
    path, events = await moved(world, 1, 2)
    assert (path, "marker_recorded" in events) == ("old", False)


async def test_a_patched_run_goes_on_when_the_patch_is_deprecated_and_gone(
    world: World,
) -> None:
    path, _ = await moved(world, 2, 3)
    assert path == "new"
    path, _ = await moved(world, 3, 4)
    assert path == "new"


async def test_other_code_without_a_patch_is_told(world: World) -> None:
    async with world.worker(versioned(1), greet):
        handle = await world.start("Versioned")
        await world.until(lambda: world.has_event(handle, COMPLETED))
    if world.mode == "chaos":
        return await handle.terminate()  # its report would tell of it
    async with world.worker(versioned(4), greet):
        await handle.signal("end")
        await world.until(lambda: world.has_problem(handle, "NONDETERMINISM"))
    # The code of before is put back: the run goes on.
    async with world.worker(versioned(1), greet):
        await world.env.advance_time(LONG)
        assert await handle.result() == "old"


# MARK: Side effects


async def test_a_side_effect_happens_once_and_is_recorded(world: World) -> None:
    made: list[int] = []

    @workflow.defn
    class Effect:
        @workflow.run
        async def run(self) -> list[int]:
            first = workflow.side_effect(lambda: made.append(1) or len(made))
            await workflow.sleep(1)
            second = workflow.side_effect(lambda: made.append(1) or len(made))
            await workflow.sleep(1)
            return [first, second]

    async with world.worker(Effect):
        result = await world.execute(Effect)
    # A task that is lost is made again, and its effect with it: what is recorded counts.
    assert result == sorted(result) and len(result) == 2
    if world.mode != "chaos":
        assert (result, len(made)) == ([1, 2], 2)


async def test_a_side_effect_may_be_what_code_may_not(world: World) -> None:
    @workflow.defn
    class Clock:
        @workflow.run
        async def run(self) -> float:
            return workflow.side_effect(time.time)

    async with world.worker(Clock):
        assert await world.execute(Clock) > 1e9


# MARK: Local activities


@activity.defn
async def local() -> list[Any]:
    info = activity.info()
    return [info.is_local, info.attempt]


async def test_local_activities_run_in_the_worker_of_their_workflow(world: World) -> None:
    @workflow.defn
    class Locally:
        @workflow.run
        async def run(self) -> list[Any]:
            found = await workflow.execute_local_activity(local, start_to_close_timeout=LONG)
            return list(found)

    async with world.worker(Locally, local, no_remote_activities=True):
        handle = await world.start(Locally)
        is_local, attempt = await handle.result()
        assert is_local and attempt >= 1
        assert "activity_task_completed" in await world.events(handle)


@pytest.mark.no_chaos("a lost worker is an attempt of its own")
async def test_a_local_retry_that_is_far_off_is_a_timer_of_the_engine(world: World) -> None:
    @activity.defn
    async def flaky() -> int:
        if activity.info().attempt < 3:
            raise ValueError("again")
        return activity.info().attempt

    @workflow.defn
    class Locally:
        @workflow.run
        async def run(self) -> list[Any]:
            times = [workflow.now()]
            attempt = await workflow.execute_local_activity(
                flaky, start_to_close_timeout=LONG, retry_policy=RetryPolicy(seconds(300))
            )
            times.append(workflow.now())
            return [attempt, *gaps(times, unit=100)]

    async with world.worker(Locally, flaky):
        assert await world.execute(Locally) == [3, 900]
