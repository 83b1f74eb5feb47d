"""One operation for all workflows that a filter selects."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from holdfast.client import (
    ActivityOptionsUpdate,
    BatchDescription,
    BatchOperation,
    BatchStatus,
    PendingActivityState,
    RPCError,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowPoint,
)
from holdfast.common import RetryPolicy
from holdfast.exceptions import CancelledError, TerminatedError
from holdfast.service import RPCStatusCode
from semantics.programs import Failing, Waiter, calls, greet, seconds
from semantics.world import World

Status = WorkflowExecutionStatus
State = PendingActivityState
WAITERS = "WorkflowType = 'Waiter'"
Handles = list[WorkflowHandle[Any, Any]]


async def batch(
    world: World, query: str, operation: BatchOperation, id: str = "b", **options: Any
) -> BatchDescription:
    """How it ends."""
    handle = await world.client.start_batch(query, operation, id=id, **options)
    assert handle.id == id
    return await handle.result()


async def done(world: World, query: str, operation: BatchOperation, count: int) -> None:
    """It is done for so many, and refused for none."""
    found = await batch(world, query, operation, id=f"b-{uuid.uuid4()}")
    assert (found.status, found.succeeded, found.failed) == (BatchStatus.COMPLETED, count, 0)


async def started(world: World, workflow: Any, count: int) -> Handles:
    return [await world.start(workflow, id=f"w-{number}") for number in range(count)]


async def statuses(handles: Handles) -> list[WorkflowExecutionStatus | None]:
    return [(await one.describe()).status for one in handles]


async def test_all_that_a_filter_selects_is_signalled(world: World) -> None:
    async with world.worker(Waiter):
        handles = await started(world, Waiter, 5)
        await done(world, WAITERS, BatchOperation.signal(Waiter.add, {"sku": 1}), 5)
        await done(world, WAITERS, BatchOperation.signal("end"), 5)
        assert [await one.result() for one in handles] == [[{"sku": 1}]] * 5


async def test_all_that_a_filter_selects_is_terminated(world: World) -> None:
    handles = await started(world, "any", 5)
    query = "WorkflowId IN ('w-1', 'w-3')"
    found = await batch(
        world, query, BatchOperation.terminate({"by": "me"}), reason="over", rate_per_second=200
    )
    assert (found.succeeded, found.failed, found.progress) == (2, 0, 1.0)
    assert (found.id, found.query, found.operation) == ("b", query, "terminate_workflow")
    assert (found.reason, found.identity) == ("over", world.client.identity)
    assert (found.rate_per_second, found.failures) == (200.0, [])
    assert found.close_time is not None and found.close_time >= found.start_time
    ended = [one == Status.TERMINATED for one in await statuses(handles)]
    assert ended == [False, True, False, True, False]
    cause = await world.failure(handles[1])
    assert isinstance(cause, TerminatedError) and "over" in str(cause)
    event = await world.event(handles[1], "workflow_execution_terminated")
    assert await world.client.data_converter.decode(event.details) == [{"by": "me"}]


async def test_all_that_a_filter_selects_is_cancelled(world: World) -> None:
    async with world.worker(Waiter):
        handles = await started(world, Waiter, 3)
        await done(world, WAITERS, BatchOperation.cancel(), 3)
        for handle in handles:
            assert isinstance(await world.failure(handle), CancelledError)


async def test_all_that_a_filter_selects_is_paused_and_goes_on(world: World) -> None:
    handles = await started(world, "any", 3)
    await done(world, "", BatchOperation.pause(), 3)
    assert await statuses(handles) == [Status.PAUSED] * 3
    await done(world, "", BatchOperation.unpause(), 3)
    assert await statuses(handles) == [Status.RUNNING] * 3


async def test_all_that_a_filter_selects_is_removed(world: World) -> None:
    handles = await started(world, "any", 3)
    await handles[0].terminate()
    await done(world, "", BatchOperation.delete(), 3)
    assert (await world.client.count_workflows()).count == 0


async def test_all_that_a_filter_selects_is_reset(world: World) -> None:
    calling = calls(greet, "Ada")
    async with world.worker(calling, greet):
        handles = await started(world, calling, 3)
        firsts = [(await one.result(), one.first_execution_run_id) for one in handles]
        point = WorkflowPoint.before_activity("greet")
        await done(world, "WorkflowType = 'Calls'", BatchOperation.reset(point), 3)
        for handle, (result, first_run) in zip(handles, firsts, strict=True):
            newest = world.client.get_workflow_handle(handle.id)
            assert await newest.result() == result == "Hello, Ada!"
            assert (await newest.describe()).run_id != first_run


@pytest.mark.no_chaos("a lost worker costs an attempt")
async def test_activities_of_all_that_a_filter_selects_are_looked_after(world: World) -> None:
    failing = Failing(1)
    calling = calls(failing.fails, retry_policy=RetryPolicy(timedelta(days=9), 1))
    async with world.worker(calling, failing.fails):
        handles = await started(world, calling, 2)
        for handle in handles:
            await world.pending(handle, lambda one: one.state == State.BACKING_OFF)

        operation = BatchOperation
        await done(world, "", operation.pause_activities(activity_type="fails"), 2)
        update = ActivityOptionsUpdate(start_to_close_timeout=seconds(7))
        await done(world, "", operation.update_activity_options(update, activity_id="1"), 2)
        for handle in handles:
            (found,) = (await handle.describe()).raw_description.pending_activities
            assert found.options is not None and found.options.start_to_close_timeout_ms == 7_000
            assert (found.state, found.options_changed) == (State.PAUSED, True)
        await done(world, "", operation.update_activity_options(restore_original=True), 2)
        await done(world, "", operation.reset_activities(keep_paused=True), 2)
        for handle in handles:
            (found,) = (await handle.describe()).raw_description.pending_activities
            assert (found.state, found.attempt, found.options_changed) == (State.PAUSED, 1, False)
        # The first attempt fails, and the second one is 9 days later.
        await done(world, "", operation.unpause_activities(), 2)
        assert [await one.result() for one in handles] == [2, 2]
    assert len(failing.began) == 6


async def test_what_is_refused_is_told(world: World) -> None:
    (handle,) = await started(world, "any", 1)
    found = await batch(world, "", BatchOperation.pause_activities(activity_id="none"))
    assert (found.status, found.succeeded, found.failed) == (BatchStatus.COMPLETED, 0, 1)
    (failure,) = found.failures
    assert (failure.workflow_id, failure.run_id) == (handle.id, handle.first_execution_run_id)
    assert isinstance(failure.error, RPCError)
    assert (failure.error.status, failure.error.reason) == (
        RPCStatusCode.NOT_FOUND,
        "ACTIVITY_NOT_FOUND",
    )


async def test_an_operation_that_is_wrong_for_all_fails_the_batch(world: World) -> None:
    await started(world, "any", 3)
    found = await batch(world, "", BatchOperation.signal(""))
    assert (found.status, found.succeeded) == (BatchStatus.FAILED, 0)
    assert found.failures[0].error.status == RPCStatusCode.INVALID_ARGUMENT
    assert found.failures[0].error.field.endswith("signal_name")


async def test_the_same_call_is_no_second_batch(world: World) -> None:
    (handle,) = await started(world, "any", 1)
    for _ in range(2):
        found = await batch(world, "", BatchOperation.signal("add", 7))
        assert found.succeeded == 1
    events = await world.events(handle)
    assert events.count("workflow_execution_signaled") == 1
    other = world.client.start_batch("", BatchOperation.cancel(), id="b")
    assert await world.refusal(other) == "BATCH_ALREADY_EXISTS"


async def test_a_batch_is_stopped_and_listed(world: World) -> None:
    await started(world, "any", 3)
    await done(world, "WorkflowId = 'w-0'", BatchOperation.signal("add", 1), 1)
    # The first has its turn at once, and the next one 1,000 seconds later.
    slow = await world.client.start_batch(
        "", BatchOperation.terminate(), id="slow", rate_per_second=0.001
    )

    async def has_begun() -> bool:
        return (await slow.describe()).succeeded == 1

    await world.until(has_begun)
    assert (await slow.describe()).status == BatchStatus.RUNNING
    await world.client.get_batch_handle("slow").stop(reason="too slow")
    found = await slow.result()
    assert (found.status, found.succeeded) == (BatchStatus.STOPPED, 1)
    assert (found.stop_reason, found.stop_identity) == ("too slow", world.client.identity)
    newest, oldest = await world.client.list_batches()
    assert (newest.id, newest.status) == ("slow", BatchStatus.STOPPED)
    assert (oldest.status, oldest.operation) == (BatchStatus.COMPLETED, "signal_workflow")
    nobody = world.client.get_batch_handle("nobody")
    assert await world.refusal(nobody.describe()) == "BATCH_NOT_FOUND"
    assert await world.refusal(nobody.stop()) == "BATCH_NOT_FOUND"


async def test_a_filter_or_an_operation_that_cannot_be_is_refused(world: World) -> None:
    start = world.client.start_batch
    assert await world.refusal(start("Nobody = 1", BatchOperation.cancel(), id="b")) == (
        "FILTER_INVALID"
    )
    with pytest.raises(ValueError, match="not by both"):
        BatchOperation.pause_activities(activity_id="1", activity_type="a")
    with pytest.raises(ValueError, match="a signal is a name"):
        BatchOperation.signal(len)
