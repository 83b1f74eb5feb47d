"""Chaos environments: what stands them, and what is told of the rest."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta

import pytest

from holdfast import _chaos, activity, workflow
from holdfast._chaos import Chaos, Fate
from holdfast.testing import ChaosError, WorkflowEnvironment
from holdfast.worker import Worker

QUEUE = "chaos"
SHORT = timedelta(seconds=30)

pytestmark = pytest.mark.usefixtures("binary")
counter = itertools.count()


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@activity.defn
async def count() -> int:
    """Gives another number each time."""
    return next(counter)


@workflow.defn
class Steady:
    """Sleeps, calls and listens, for so many hours."""

    def __init__(self) -> None:
        self.signals: list[int] = []

    @workflow.signal
    def note(self, number: int) -> None:
        self.signals.append(number)

    @workflow.run
    async def run(self, hours: int) -> list[int]:
        total = 0
        for hour in range(hours):
            await asyncio.sleep(3_600)
            total += await workflow.execute_activity(double, hour, start_to_close_timeout=SHORT)
        await workflow.wait_condition(lambda: len(self.signals) == 3)
        return [total, *self.signals]


@workflow.defn(sandboxed=False)
class Moody:
    """Waits for another time each time that it is run."""

    @workflow.run
    async def run(self) -> None:
        if random.random() < 0.5:
            await workflow.execute_activity(double, 1, start_to_close_timeout=SHORT)
        await asyncio.sleep(60)
        await asyncio.sleep(60)


@workflow.defn
class Counting:
    @workflow.run
    async def run(self, times: int) -> None:
        for _ in range(times):
            await workflow.execute_activity(count, start_to_close_timeout=SHORT)


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_written_well_stands_it(seed: int) -> None:
    async with await WorkflowEnvironment.start_chaos(seed) as env:
        client = env.client
        async with Worker(client, task_queue=QUEUE, workflows=[Steady], activities=[double]):
            handles = [
                await client.start_workflow(Steady.run, 24, id=f"w-{number}", task_queue=QUEUE)
                for number in range(10)
            ]
            for number in range(3):
                await asyncio.gather(*(handle.signal(Steady.note, number) for handle in handles))
            results = await asyncio.gather(*(handle.result() for handle in handles))
        assert results == [[2 * sum(range(24)), 0, 1, 2]] * 10
        report = env.chaos_report
        report.check()
        assert report.evictions > 10 * 24
        assert report.activities_run_twice > 10
        assert report.workers_lost > 0
        assert report.engine_restarts > 0


async def test_a_workflow_that_is_not_deterministic_is_told() -> None:
    async with await WorkflowEnvironment.start_chaos(1) as env:
        client = env.client
        async with Worker(client, task_queue=QUEUE, workflows=[Moody], activities=[double]):
            for number in range(10):
                await client.start_workflow(Moody.run, id=f"w-{number}", task_queue=QUEUE)
            found = env.chaos_report.nondeterministic
            while not found:
                await asyncio.sleep(0.01)
        assert found and {one.workflow_type for one in found} == {"Moody"}
        with pytest.raises(ChaosError, match=r"Moody is not deterministic: .*START_TIMER"):
            env.chaos_report.check()


async def test_an_activity_that_is_not_idempotent_is_told() -> None:
    async with await WorkflowEnvironment.start_chaos(3) as env:
        client = env.client
        async with Worker(client, task_queue=QUEUE, workflows=[Counting], activities=[count]):
            await client.execute_workflow(Counting.run, 50, id="w", task_queue=QUEUE)
        found = env.chaos_report.not_idempotent
        assert found and {one.activity_type for one in found} == {"count"}
        with pytest.raises(ChaosError, match=r"count is not idempotent: \d+, and then \d+"):
            env.chaos_report.check()


@workflow.defn
class Crowd:
    @workflow.run
    async def run(self, size: int) -> int:
        calls = [
            workflow.execute_activity(double, one, start_to_close_timeout=SHORT)
            for one in range(size)
        ]
        return sum(await asyncio.gather(*calls))


async def test_many_activities_at_once_come_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_chaos, "LOST_AFTER", (3, 9))
    async with await WorkflowEnvironment.start_chaos(1) as env:
        client = env.client
        async with Worker(client, task_queue=QUEUE, workflows=[Crowd], activities=[double]):
            whole = client.execute_workflow(Crowd.run, 50, id="w", task_queue=QUEUE)
            assert await asyncio.wait_for(whole, 20) == 50 * 49
        assert env.chaos_report.workers_lost > 0


async def test_a_worker_may_be_stopped_while_it_is_lost() -> None:
    class Losing(Chaos):
        def fate(self) -> Fate:
            return Fate.LOST

    is_lost, goes_on = asyncio.Event(), asyncio.Event()

    async def pass_time() -> None:
        is_lost.set()
        await goes_on.wait()

    async with await WorkflowEnvironment.start_time_skipping() as env:
        env._begin_chaos(Losing(1))
        assert env.client._chaos is not None
        env.client._chaos.pass_worker_lost = pass_time
        async with Worker(env.client, task_queue=QUEUE, workflows=[Crowd], activities=[double]):
            await env.client.start_workflow(Crowd.run, 1, id="w", task_queue=QUEUE)
            await is_lost.wait()
            asyncio.get_running_loop().call_soon(goes_on.set)
    assert env.chaos_report.workers_lost == 1


async def test_other_environments_have_no_report() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        with pytest.raises(RuntimeError, match="start_chaos"):
            _ = env.chaos_report
