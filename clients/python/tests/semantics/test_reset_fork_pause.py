"""Resetting, forking, pausing and removing workflows."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast.client import ResetReapplyExclude, WorkflowExecutionStatus, WorkflowPoint
from holdfast.exceptions import TerminatedError
from semantics.programs import LONG, Sleeper, Waiter, greet
from semantics.world import World

Point = WorkflowPoint
Status = WorkflowExecutionStatus


@workflow.defn
class Steps:
    """Calls two activities and waits for its end."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.is_over = False

    @workflow.run
    async def run(self) -> list[Any]:
        for called in ("greet", "later"):
            self.values.append(
                await workflow.execute_activity(called, "Ada", start_to_close_timeout=LONG)
            )
        self.values.append(workflow.random().random())
        await workflow.wait_condition(lambda: self.is_over)
        return self.values

    @workflow.signal
    def add(self, value: Any) -> None:
        self.values.append(value)

    @workflow.signal
    def end(self) -> None:
        self.is_over = True

    @workflow.update
    def put(self, value: Any) -> int:
        self.values.append(value)
        return len(self.values)

    @workflow.query
    def seen(self) -> list[Any]:
        return self.values


@activity.defn
async def later(name: str) -> str:
    return f"Bye, {name}!"


async def ready(world: World, handle: Any) -> None:
    async def is_ready() -> bool:
        return len(await world.query(handle, Steps.seen)) >= 3

    await world.until(is_ready)


async def test_a_reset_begins_another_run_and_ends_the_old_one(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        old = world.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        reset = await handle.reset(Point.first_workflow_task(), reason="again")
        assert reset.first_execution_run_id != handle.first_execution_run_id
        assert isinstance(await world.failure_of_run(old), TerminatedError)
        await ready(world, reset)
        await reset.signal(Steps.end)
        assert (await reset.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]
        described = (await reset.describe()).raw_description
        assert described.copy is not None


async def test_what_came_later_comes_again_unless_it_is_excluded(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        await handle.signal(Steps.add, "signal")
        await handle.execute_update(Steps.put, "update")
        for exclude, expected in (
            ([], ["signal", "update"]),
            ([ResetReapplyExclude.SIGNALS], ["update"]),
            ([ResetReapplyExclude.UPDATES], ["signal"]),
        ):
            fork = await handle.fork(
                Point.first_workflow_task(), id="-".join(expected), reapply_exclude=exclude
            )
            await fork.signal(Steps.end)
            result = await fork.result()
            assert [one for one in result if one in ("signal", "update")] == expected


async def test_a_fork_leaves_the_run_alone(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        fork = await handle.fork(Point.last_workflow_task(), id="fork")
        assert (await handle.describe()).status == Status.RUNNING
        await fork.signal(Steps.end)
        assert (await fork.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]
        await handle.signal(Steps.end)
        await handle.result()


async def test_a_copy_has_chance_of_its_own(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        fork = await handle.fork(Point.first_workflow_task(), id="fork")
        results = []
        for one in (handle, fork):
            await ready(world, one)
            await one.signal(Steps.end)
            results.append((await one.result())[2])
        assert results[0] != results[1]


async def test_a_copy_begins_before_the_activity_that_is_named(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        fork = await handle.fork(Point.before_activity("later"), id="fork")
        await fork.signal(Steps.end)
        assert (await fork.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]
        scheduled = [
            one.activity_task_scheduled.activity_type
            async for one in fork.fetch_history_events()
            if one.activity_task_scheduled is not None
        ]
        assert scheduled == ["greet", "later"]
        none = handle.fork(Point.before_activity("none"), id="other")
        assert await world.refusal(none) != ""


async def test_a_copy_begins_at_the_event_that_is_named(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await ready(world, handle)
        first = next(
            one.event_id
            for one in (await handle.fetch_history()).events
            if one.attributes == "workflow_task_completed"
        )
        reset = await handle.reset(Point.event(first))
        await ready(world, reset)
        await reset.signal(Steps.end)
        assert (await reset.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]


async def test_a_closed_run_is_reset(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await handle.signal(Steps.end)
        await handle.result()
        reset = await handle.reset(Point.before_activity("later"))
        await reset.signal(Steps.end)
        assert (await reset.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]


async def test_what_has_not_begun_cannot_be_reset(world: World) -> None:
    handle = await world.start("nobody")
    assert await world.refusal(handle.reset(Point.first_workflow_task())) == "FIELD_INVALID"


# MARK: Pause


async def test_a_paused_run_is_given_nothing_and_loses_nothing(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await world.until(lambda: world.has_event(handle, "workflow_task_completed"))
        await handle.pause(reason="stock-taking")
        described = await handle.describe()
        assert described.status == Status.PAUSED
        assert any("stock-taking" in one for one in described.problems)
        await handle.signal(Waiter.add, "kept")
        await handle.signal(Waiter.end)
        await world.sleep(1_000)
        assert (await handle.describe()).status == Status.PAUSED
        await handle.unpause(reason="done")
        assert await handle.result() == ["kept"]


async def test_a_paused_run_takes_no_updates(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await handle.pause()
        late = handle.execute_update(Waiter.put, 1)
        assert await world.refusal(late) == "WORKFLOW_PAUSED"
        await handle.unpause()
        assert await handle.execute_update(Waiter.put, 1) == 1


async def test_completions_are_kept_for_a_paused_run(world: World) -> None:
    async with world.worker(Steps, greet, later):
        handle = await world.start(Steps)
        await handle.pause()
        await world.sleep(100)
        await handle.unpause()
        await handle.signal(Steps.end)
        assert (await handle.result())[:2] == ["Hello, Ada!", "Bye, Ada!"]


async def test_a_paused_run_may_be_terminated(world: World) -> None:
    handle = await world.start("nobody")
    await handle.pause()
    await handle.terminate()
    assert isinstance(await world.failure(handle), TerminatedError)


# MARK: Removal


async def test_a_removed_workflow_is_gone(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 0)
        await handle.result()
        await handle.delete()
        assert await world.refusal(handle.describe()) == "WORKFLOW_NOT_FOUND"
        assert (await world.client.count_workflows()).count == 0


@pytest.mark.parametrize("hours", [71, 73])
async def test_closed_runs_stay_for_their_retention(world: World, hours: int) -> None:
    # In an engine for tests they stay for ever unless that is said.
    await world.client.service_client.call(
        proto.OperatorService.UpdateNamespace,
        proto.UpdateNamespaceRequest(namespace="default", retention_ms=72 * 3_600_000),
    )
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 0)
        await handle.result()
    await world.sleep(hours * 3_600)
    if hours < 72:
        assert (await handle.describe()).status == Status.COMPLETED
        return

    async def is_gone() -> bool:
        return (await world.client.count_workflows()).count == 0

    await world.until(is_gone)
    assert await world.refusal(handle.describe()) == "WORKFLOW_NOT_FOUND"
