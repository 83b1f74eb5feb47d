"""Continuing as new, and chains."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from holdfast import workflow
from holdfast.client import WorkflowContinuedAsNewError, WorkflowExecutionStatus
from holdfast.common import RetryPolicy, SearchAttributeKey
from holdfast.exceptions import TerminatedError
from semantics.programs import gaps, seconds
from semantics.world import World

COLOUR = SearchAttributeKey.for_keyword("Colour")


@workflow.defn
class Chain:
    """Goes on as new until its number is 0."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left > 0:
            workflow.continue_as_new(left - 1)
        return workflow.info().run_id


async def test_a_chain_is_followed_to_its_end_or_not(world: World) -> None:
    async with world.worker(Chain):
        handle = await world.start(Chain, 2)
        last = await handle.result()
        assert last != handle.first_execution_run_id
        first = world.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        with pytest.raises(WorkflowContinuedAsNewError) as raised:
            await first.result(follow_runs=False)
        second = world.client.get_workflow_handle(
            handle.id, run_id=raised.value.new_execution_run_id
        )
        with pytest.raises(WorkflowContinuedAsNewError) as raised:
            await second.result(follow_runs=False)
        assert raised.value.new_execution_run_id == last
        described = await first.describe()
        assert described.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
        assert described.raw_description.new_run_id == second.run_id


async def test_the_runs_of_a_chain_know_the_first_and_the_one_before(world: World) -> None:
    @workflow.defn
    class Knowing:
        @workflow.run
        async def run(self, seen: list[list[Any]]) -> list[list[Any]]:
            info = workflow.info()
            seen.append([info.run_id, info.first_execution_run_id, info.continued_run_id])
            if len(seen) < 3:
                workflow.continue_as_new(seen)
            return seen

    async with world.worker(Knowing):
        runs = await world.execute(Knowing, [])
    ids = [run[0] for run in runs]
    assert len(set(ids)) == 3
    assert [run[1:] for run in runs] == [[ids[0], None], [ids[0], ids[0]], [ids[0], ids[1]]]


@pytest.mark.no_chaos("a task that is lost is made later, and the second counts from the run")
async def test_between_the_runs_of_a_tight_loop_is_a_second(world: World) -> None:
    times: dict[int, Any] = {}

    @workflow.defn
    class Tight:
        @workflow.run
        async def run(self, left: int) -> None:
            times[left] = workflow.now()
            if left > 0:
                workflow.continue_as_new(left - 1)

    async with world.worker(Tight):
        await world.execute(Tight, 5)
    ordered = [times[left] for left in sorted(times, reverse=True)]
    assert all(gap >= 1 for gap in gaps(ordered, unit=1))


async def test_memo_and_search_attributes_go_along_unless_they_are_changed(world: World) -> None:
    @workflow.defn
    class Noted:
        @workflow.run
        async def run(self, number: int) -> list[Any]:
            if number == 0:
                workflow.upsert_memo({"kept": 1, "changed": 1})
                workflow.upsert_search_attributes([COLOUR.value_set("red")])
                workflow.continue_as_new(1)
            if number == 1:
                workflow.continue_as_new(2, memo={"changed": 2})
            return [workflow.memo(), workflow.info().typed_search_attributes.get(COLOUR)]

    async with world.worker(Noted):
        memo, colour = await world.execute(Noted, 0)
    assert (memo, colour) == ({"changed": 2}, "red")


async def test_type_queue_timeouts_and_policy_may_change(world: World) -> None:
    @workflow.defn
    class First:
        @workflow.run
        async def run(self) -> Any:
            workflow.continue_as_new(
                "arg",
                workflow=Second.run,
                task_queue="other",
                run_timeout=seconds(500),
                task_timeout=seconds(5),
                retry_policy=RetryPolicy(seconds(7), maximum_attempts=3),
            )

    @workflow.defn
    class Second:
        @workflow.run
        async def run(self, arg: str) -> list[Any]:
            info = workflow.info()
            assert info.run_timeout is not None and info.retry_policy is not None
            return [
                arg,
                info.workflow_type,
                info.task_queue,
                info.run_timeout.total_seconds(),
                info.task_timeout.total_seconds(),
                info.retry_policy.maximum_attempts,
            ]

    async with world.worker(First), world.worker(Second, task_queue="other"):
        found = await world.execute(First)
    assert found == ["arg", "Second", "other", 500, 5, 3]


async def test_a_signal_handler_may_continue_as_new(world: World) -> None:
    @workflow.defn
    class Renewed:
        @workflow.run
        async def run(self, number: int) -> int:
            await workflow.wait_condition(lambda: number > 0)
            return number

        @workflow.signal
        def renew(self) -> None:
            workflow.continue_as_new(7)

    async with world.worker(Renewed):
        handle = await world.start(Renewed, 0)
        await handle.signal("renew")
        assert await handle.result() == 7


async def test_it_is_suggested_at_4096_events(world: World) -> None:
    @workflow.defn
    class Long:
        def __init__(self) -> None:
            self.signals = 0

        @workflow.run
        async def run(self) -> list[Any]:
            info = workflow.info()
            was_suggested = info.is_continue_as_new_suggested()
            await workflow.wait_condition(info.is_continue_as_new_suggested)
            return [was_suggested, info.get_current_history_length()]

        @workflow.signal
        def add(self) -> None:
            self.signals += 1

    async with world.worker(Long):
        handle = await world.start(Long)
        for _ in range(9):
            await asyncio.gather(
                *(handle.signal("add") for _ in range(500)), return_exceptions=True
            )
        was_suggested, length = await handle.result()
    assert not was_suggested and length >= 4_096


async def test_a_chain_is_terminated_by_its_newest_run(world: World) -> None:
    @workflow.defn
    class Endless:
        @workflow.run
        async def run(self, number: int) -> None:
            await workflow.sleep(100)
            workflow.continue_as_new(number + 1)

    async with world.worker(Endless):
        handle = await world.start(Endless, 0)
        await world.sleep(450)
        newest = world.client.get_workflow_handle(handle.id)
        await newest.terminate(reason="enough")
        assert isinstance(await world.failure(handle), TerminatedError)
