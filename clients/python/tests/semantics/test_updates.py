"""Updates."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from holdfast import workflow
from holdfast.client import (
    RPCError,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from holdfast.common import WorkflowIDConflictPolicy
from holdfast.exceptions import ApplicationError, WorkflowAlreadyStartedError
from holdfast.service import RPCStatusCode
from semantics.programs import LONG, Sleeper, Waiter, greet
from semantics.world import World

ACCEPTED = "workflow_execution_update_accepted"
COMPLETED = "workflow_execution_update_completed"
Stage = WorkflowUpdateStage


@workflow.defn
class Shelf:
    """Takes updates until it is closed."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.is_open = True
        self.is_free = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: not self.is_open)
        return self.items

    @workflow.signal
    def close(self) -> None:
        self.is_open = False

    @workflow.update
    def put(self, item: str) -> int:
        self.items.append(item)
        return len(self.items)

    @put.validator
    def check_put(self, item: str) -> None:
        if not item:
            raise ApplicationError("nothing to put", type="Empty")

    @workflow.update
    async def put_later(self, item: str) -> int:
        await workflow.wait_condition(lambda: self.is_free or not self.is_open)
        self.items.append(item)
        return len(self.items)

    @workflow.signal
    def free(self) -> None:
        self.is_free = True

    @workflow.update
    async def greet(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=LONG)

    @workflow.update
    def refuse(self) -> None:
        raise ApplicationError("the shelf is full", {"left": 0}, type="Full")


async def start_later(handle: WorkflowHandle[Any, Any], id: str, **options: Any) -> Any:
    return await handle.start_update(
        Shelf.put_later, "tea", wait_for_stage=Stage.ACCEPTED, id=id, **options
    )


async def test_an_update_answers_with_its_handlers_result(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        assert await handle.execute_update(Shelf.put, "tea") == 1
        assert await handle.execute_update("put", "nut") == 2
        events = await world.events(handle)
        assert (events.count(ACCEPTED), events.count(COMPLETED)) == (2, 2)


async def test_the_request_is_in_the_history_with_the_acceptance(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        await start_later(handle, "u-1")
        accepted = await world.event(handle, ACCEPTED)
        assert (accepted.update_id, accepted.update_name) == ("u-1", "put_later")
        assert not await world.has_event(handle, COMPLETED)


async def test_a_rejected_update_leaves_no_trace(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        await handle.execute_update(Shelf.put, "tea")
        before = len(await world.events(handle))
        for _ in range(3):
            with pytest.raises(WorkflowUpdateFailedError) as raised:
                await handle.execute_update(Shelf.put, "")
            assert isinstance(raised.value.cause, ApplicationError)
            assert raised.value.cause.message == "nothing to put"
        assert len(await world.events(handle)) == before


async def test_an_update_without_a_handler_is_rejected(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update("nothing")
        assert isinstance(raised.value.cause, ApplicationError)
        assert "Update handler for 'nothing' expected but not found" in raised.value.cause.message


async def test_an_updates_failure_comes_whole(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update(Shelf.refuse)
        cause = raised.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.type, list(cause.details)) == ("Full", [{"left": 0}])
        # It was accepted: the workflow goes on.
        assert await world.has_event(handle, ACCEPTED)
        assert await handle.execute_update(Shelf.put, "tea") == 1


async def test_a_handler_may_call_activities(world: World) -> None:
    async with world.worker(Shelf, greet):
        handle = await world.start(Shelf)
        assert await handle.execute_update(Shelf.greet, "Ada") == "Hello, Ada!"


async def test_an_accepted_update_is_waited_for_by_its_handle(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        update = await start_later(handle, "u-1")
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await update.result(timeout=timedelta(milliseconds=20))
        await handle.signal(Shelf.close)
        assert await update.result() == 1
        again = handle.get_update_handle_for(Shelf.put_later, "u-1")
        assert await again.result() == 1
        assert update.workflow_run_id == handle.first_execution_run_id
        with pytest.raises(ValueError, match="ACCEPTED"):
            await handle.start_update(Shelf.put, "x", wait_for_stage=Stage.ADMITTED)


async def test_the_same_id_has_the_same_outcome_after_the_close_too(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        assert await handle.execute_update(Shelf.put, "tea", id="u-1") == 1
        assert await handle.execute_update(Shelf.put, "tea", id="u-1") == 1
        await handle.signal(Shelf.close)
        assert await handle.result() == ["tea"]
        assert await handle.execute_update(Shelf.put, "tea", id="u-1") == 1


async def test_an_unknown_update_is_told(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        poll = handle.get_update_handle("nobody").result(timeout=timedelta(seconds=5))
        assert await world.refusal(poll) == "UPDATE_NOT_FOUND"


async def test_an_accepted_update_fails_when_the_run_closes_first(world: World) -> None:
    @workflow.defn
    class Closing:
        def __init__(self) -> None:
            self.is_over = False

        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: self.is_over)

        @workflow.signal
        def end(self) -> None:
            self.is_over = True

        @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
        async def never(self) -> None:
            await workflow.wait_condition(lambda: False)

    async with world.worker(Closing):
        handle = await world.start(Closing)
        update = await handle.start_update("never", wait_for_stage=Stage.ACCEPTED)
        await handle.signal("end")
        await handle.result()
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await update.result()
        assert "closed" in str(raised.value.cause)


async def test_an_update_of_a_closed_workflow_is_refused(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 0)
        await handle.result()
        assert await world.refusal(handle.execute_update("put", 1)) == "WORKFLOW_CLOSED"


async def test_an_update_of_nobody_is_refused(world: World) -> None:
    nobody = world.client.get_workflow_handle("nobody")
    assert await world.refusal(nobody.execute_update("put", 1)) == "WORKFLOW_NOT_FOUND"


async def test_validators_run_before_other_code_and_not_on_replay(world: World) -> None:
    seen: list[str] = []

    @workflow.defn
    class Checked:
        def __init__(self) -> None:
            self.count = 0

        @workflow.run
        async def run(self) -> int:
            await workflow.wait_condition(lambda: self.count == 2)
            return self.count

        @workflow.update
        def add(self) -> None:
            self.count += 1

        @add.validator
        def check_add(self) -> None:
            seen.append("replay" if workflow.unsafe.is_replaying() else "now")

    async with world.worker(Checked):
        handle = await world.start(Checked)
        for _ in range(2):
            await handle.execute_update("add")
        assert await handle.result() == 2
    assert set(seen) == {"now"} and len(seen) >= 2


async def test_a_validator_may_not_change_the_workflow(world: World) -> None:
    @workflow.defn
    class Sneaky:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.update
        def add(self) -> None: ...

        @add.validator
        def check_add(self) -> None:
            workflow.start_activity(greet, "x", start_to_close_timeout=LONG)

    async with world.worker(Sneaky):
        handle = await world.start(Sneaky)
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await handle.execute_update("add")
        assert "must not start an activity" in str(raised.value.cause)


async def test_ten_updates_are_in_flight_and_the_next_waits(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf)
        for number in range(10):
            await start_later(handle, f"u-{number}")
        # It is asked again until there is room, or its time is over.
        late = start_later(handle, "u-10", rpc_timeout=timedelta(milliseconds=50))
        assert await world.refusal(late) == "LIMIT_REACHED"
        await handle.signal(Shelf.free)
        await start_later(handle, "u-10")
        await handle.signal(Shelf.close)
        assert await handle.result() == ["tea"] * 11


async def test_the_code_knows_which_update_it_serves(world: World) -> None:
    @workflow.defn
    class Knowing:
        @workflow.run
        async def run(self) -> None:
            assert workflow.current_update_info() is None
            await workflow.wait_condition(lambda: False)

        @workflow.update
        async def who(self) -> list[str]:
            await workflow.sleep(1)
            info = workflow.current_update_info()
            assert info is not None
            return [info.id, info.name]

    async with world.worker(Knowing):
        handle = await world.start(Knowing)
        assert await handle.execute_update("who", id="u-7") == ["u-7", "who"]


# MARK: Update with start


def starting(id: str, policy: WorkflowIDConflictPolicy) -> WithStartWorkflowOperation[Any]:
    return WithStartWorkflowOperation(
        Shelf.run, id=id, task_queue="semantics", id_conflict_policy=policy
    )


async def test_update_with_start_starts_once(world: World) -> None:
    execute = world.client.execute_update_with_start_workflow
    async with world.worker(Shelf):
        runs = set()
        for count in (1, 2):
            start = starting("w", WorkflowIDConflictPolicy.USE_EXISTING)
            with pytest.raises(RuntimeError, match="no call"):
                await start.workflow_handle()
            assert await execute(Shelf.put, "tea", start_workflow_operation=start) == count
            runs.add((await start.workflow_handle()).result_run_id)
            with pytest.raises(RuntimeError, match="one call"):
                await execute(Shelf.put, "tea", start_workflow_operation=start)
        assert len(runs) == 1


async def test_update_with_start_of_a_taken_id_does_neither(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf, id="w")
        taken = starting("w", WorkflowIDConflictPolicy.FAIL)
        with pytest.raises(WorkflowAlreadyStartedError):
            await world.client.execute_update_with_start_workflow(
                Shelf.put, "tea", start_workflow_operation=taken
            )
        with pytest.raises(WorkflowAlreadyStartedError):
            await taken.workflow_handle()
        await handle.signal(Shelf.close)
        assert await handle.result() == []


async def test_an_update_with_start_that_is_rejected_has_started_the_workflow(
    world: World,
) -> None:
    async with world.worker(Shelf):
        start = starting("w", WorkflowIDConflictPolicy.FAIL)
        with pytest.raises(WorkflowUpdateFailedError):
            await world.client.execute_update_with_start_workflow(
                Shelf.put, "", start_workflow_operation=start
            )
        handle = await start.workflow_handle()
        assert await handle.execute_update(Shelf.put, "tea") == 1


async def test_updates_and_signals_keep_their_order(world: World) -> None:
    handle = await world.start(Waiter)
    await handle.signal(Waiter.add, "first")
    update = asyncio.create_task(handle.execute_update(Waiter.put, "second"))
    async with world.worker(Waiter):
        assert await update == 2
        await handle.signal(Waiter.end)
        assert await handle.result() == ["first", "second"]


async def test_an_update_without_a_worker_may_be_given_up(world: World) -> None:
    handle = await world.start("nobody")
    with pytest.raises((RPCError, WorkflowUpdateRPCTimeoutOrCancelledError)) as raised:
        await handle.execute_update("put", rpc_timeout=timedelta(milliseconds=50))
    if isinstance(raised.value, RPCError):
        assert raised.value.status == RPCStatusCode.UNAVAILABLE
