"""Cancelling activities, children, timers and whole workflows, as the code sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from holdfast import activity, workflow
from holdfast.client import WorkflowExecutionStatus
from holdfast.exceptions import (
    ActivityError,
    CancelledError,
    ChildWorkflowError,
    RetryState,
    is_cancelled_exception,
)
from holdfast.workflow import ActivityCancellationType as Kind
from holdfast.workflow import ChildWorkflowCancellationType as ChildKind
from semantics.programs import LONG, Holder, Sleeper, Waiter, calls, greet
from semantics.world import World

ASKED = activity.ActivityCancellationDetails(cancel_requested=True)


def cancels(holder: Holder, kind: Kind, task_queue: str | None = None) -> type:
    """A workflow that cancels an activity when it is told to, and says what it got of it."""

    @workflow.defn
    class Cancels:
        def __init__(self) -> None:
            self.is_told = False

        @workflow.signal
        def cancel(self) -> None:
            self.is_told = True

        @workflow.run
        async def run(self) -> list[Any]:
            handle = workflow.start_activity(
                holder.hold,
                start_to_close_timeout=LONG,
                cancellation_type=kind,
                task_queue=task_queue,
            )
            await workflow.wait_condition(lambda: self.is_told)
            handle.cancel()
            try:
                return ["ended", await handle]
            except ActivityError as error:
                assert isinstance(error.cause, CancelledError)
                assert (error.activity_type, error.activity_id) == ("hold", "1")
                assert error.retry_state == RetryState.CANCEL_REQUESTED
                return [is_cancelled_exception(error), *error.cause.details]

    return Cancels


async def test_try_cancel_resolves_at_once_and_asks_the_activity(world: World) -> None:
    holder = Holder()
    cancelling = cancels(holder, Kind.TRY_CANCEL)
    async with world.worker(cancelling, holder.hold):
        handle = await world.start(cancelling)
        await holder.begun.wait()
        await handle.signal("cancel")
        assert await handle.result() == [True]
        await holder.free.wait()
    assert holder.told[0] in (ASKED, activity.ActivityCancellationDetails(not_found=True))


async def test_wait_cancellation_completed_gives_the_details_of_the_end(world: World) -> None:
    holder = Holder()
    cancelling = cancels(holder, Kind.WAIT_CANCELLATION_COMPLETED)
    async with world.worker(cancelling, holder.hold):
        handle = await world.start(cancelling)
        await holder.begun.wait()
        await handle.signal("cancel")
        assert await handle.result() == [True, "cleaned up"]
    assert holder.told[0] == ASKED


async def test_wait_cancellation_completed_lets_an_activity_end_well(world: World) -> None:
    @activity.defn
    async def hold() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    begun, holder = asyncio.Event(), Holder()
    cancelling = cancels(holder, Kind.WAIT_CANCELLATION_COMPLETED)
    async with world.worker(cancelling, hold):
        handle = await world.start(cancelling)
        await begun.wait()
        await handle.signal("cancel")
        assert await handle.result() == ["ended", "done all the same"]


async def test_abandon_resolves_at_once_and_asks_nobody(world: World) -> None:
    holder = Holder()
    cancelling = cancels(holder, Kind.ABANDON)
    async with world.worker(cancelling, holder.hold):
        handle = await world.start(cancelling)
        await holder.begun.wait()
        await handle.signal("cancel")
        assert await handle.result() == [True]
        assert ASKED not in holder.told
        holder.free.set()


@pytest.mark.parametrize("kind", list(Kind))
async def test_what_has_not_started_is_cancelled_at_once(world: World, kind: Kind) -> None:
    holder = Holder()
    cancelling = cancels(holder, kind, task_queue="nobody serves it")
    async with world.worker(cancelling):
        handle = await world.start(cancelling)
        await handle.signal("cancel")
        assert await handle.result() == [True]
        assert not holder.begun.is_set()


# MARK: The workflow is cancelled


async def test_a_cancel_of_the_workflow_reaches_its_activity(world: World) -> None:
    holder = Holder()
    calling = calls(holder.hold, cancellation_type=Kind.WAIT_CANCELLATION_COMPLETED)
    async with world.worker(calling, holder.hold):
        handle = await world.start(calling)
        await holder.begun.wait()
        await handle.cancel()
        assert isinstance(await world.failure(handle), CancelledError)
        assert (await handle.describe()).status == WorkflowExecutionStatus.CANCELED
    assert holder.told[0] == ASKED


async def test_the_code_may_clean_up_and_then_let_it_pass_or_not(world: World) -> None:
    @workflow.defn
    class Careful:
        @workflow.run
        async def run(self, passes: bool) -> str:
            try:
                await workflow.execute_activity(holder.hold, start_to_close_timeout=LONG)
            except ActivityError as error:
                assert is_cancelled_exception(error)
                undone = await workflow.execute_activity(greet, "undo", start_to_close_timeout=LONG)
                if passes:
                    raise
                return undone
            return "never"

    holder = Holder()
    async with world.worker(Careful, holder.hold, greet):
        for passes in (True, False):
            holder.begun.clear()
            holder.free.clear()
            handle = await world.start(Careful, passes)
            await holder.begun.wait()
            await handle.cancel()
            if passes:
                assert isinstance(await world.failure(handle), CancelledError)
            else:
                assert await handle.result() == "Hello, undo!"


async def test_a_timer_is_cancelled_by_asyncios_error(world: World) -> None:
    @workflow.defn
    class Sleeping:
        @workflow.run
        async def run(self) -> str:
            try:
                await asyncio.sleep(1_000)
            except asyncio.CancelledError:
                return f"cancelled: {workflow.cancellation_reason()}"
            return "never"

    async with world.worker(Sleeping):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(Sleeping)
            await world.until(lambda: world.has_event(handle, "timer_started"))
            await handle.cancel(reason="too late")
            assert await handle.result() == "cancelled: too late"
        assert "timer_canceled" in await world.events(handle)


async def test_a_condition_is_cancelled_by_asyncios_error(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await handle.cancel(reason="enough")
        assert isinstance(await world.failure(handle), CancelledError)
        asked = await world.event(handle, "workflow_execution_cancel_requested")
        assert (asked.reason, asked.identity) == ("enough", world.client.identity)


async def test_a_cancel_before_the_first_task_lets_the_code_begin(world: World) -> None:
    begun: list[bool] = []

    @workflow.defn
    class Beginning:
        @workflow.run
        async def run(self) -> None:
            begun.append(True)
            await asyncio.sleep(1)

    handle = await world.start(Beginning)
    await handle.cancel()
    async with world.worker(Beginning):
        assert isinstance(await world.failure(handle), CancelledError)
    assert begun


async def test_a_cancel_is_delivered_once(world: World) -> None:
    @workflow.defn
    class Counting:
        def __init__(self) -> None:
            self.cancels = 0
            self.is_over = False

        @workflow.run
        async def run(self) -> int:
            while not self.is_over:
                try:
                    await workflow.wait_condition(lambda: self.is_over)
                except asyncio.CancelledError:
                    self.cancels += 1
            return self.cancels

        @workflow.signal
        def end(self) -> None:
            self.is_over = True

    async with world.worker(Counting):
        handle = await world.start(Counting)
        await world.until(lambda: world.has_event(handle, "workflow_task_completed"))
        for _ in range(3):
            await handle.cancel()
        await handle.signal("end")
        assert await handle.result() == 1
        assert (await world.events(handle)).count("workflow_execution_cancel_requested") == 1


async def test_a_shield_keeps_the_cancel_from_the_activity(world: World) -> None:
    @workflow.defn
    class Shielding:
        @workflow.run
        async def run(self) -> list[str]:
            handle = workflow.start_activity(holder.hold, start_to_close_timeout=LONG)
            try:
                await asyncio.shield(handle)
            except asyncio.CancelledError:
                return ["shielded", await handle]
            return ["never"]

    holder = Holder()
    async with world.worker(Shielding, holder.hold):
        handle = await world.start(Shielding)
        await holder.begun.wait()
        await handle.cancel()
        await world.until(lambda: world.has_event(handle, "workflow_execution_cancel_requested"))
        holder.free.set()
        assert await handle.result() == ["shielded", "free"]
    assert holder.told == []


async def test_all_that_is_gathered_is_cancelled(world: World) -> None:
    holders = [Holder(), Holder()]

    def named(index: int) -> Any:
        @activity.defn(name=f"hold-{index}")
        async def hold() -> str:
            return await holders[index].hold()

        return hold

    activities = [named(0), named(1)]

    @workflow.defn
    class Gathering:
        @workflow.run
        async def run(self) -> list[str]:
            ends = await asyncio.gather(
                *(
                    workflow.execute_activity(one, start_to_close_timeout=LONG)
                    for one in activities
                ),
                return_exceptions=True,
            )
            return [type(end).__name__ for end in ends]

    async with world.worker(Gathering, *activities):
        handle = await world.start(Gathering)
        for holder in holders:
            await holder.begun.wait()
        await handle.cancel()
        # The gathering itself is cancelled, too.
        assert isinstance(await world.failure(handle), CancelledError)
        for holder in holders:
            await holder.free.wait()


async def test_handlers_are_not_cancelled_with_the_workflow(world: World) -> None:
    @workflow.defn
    class Handling:
        def __init__(self) -> None:
            self.is_free = False

        @workflow.run
        async def run(self) -> str:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return "all are finished"

        @workflow.update
        async def hold(self) -> str:
            await workflow.wait_condition(lambda: self.is_free)
            return "held"

        @workflow.signal
        def free(self) -> None:
            self.is_free = True

    async with world.worker(Handling):
        handle = await world.start(Handling)
        update = asyncio.create_task(handle.execute_update("hold"))
        accepted = "workflow_execution_update_accepted"
        await world.until(lambda: world.has_event(handle, accepted))
        await handle.cancel()
        await handle.signal("free")
        assert await update == "held"
        assert await handle.result() == "all are finished"


async def test_a_cancelled_activity_without_a_request_fails_the_workflow(world: World) -> None:
    @workflow.defn
    class Own:
        @workflow.run
        async def run(self) -> None:
            handle = workflow.start_activity(holder.hold, start_to_close_timeout=LONG)
            await workflow.wait_condition(lambda: True)
            handle.cancel()
            await handle

    holder = Holder()
    async with world.worker(Own, holder.hold):
        handle = await world.start(Own)
        cause = await world.failure(handle)
        assert isinstance(cause, ActivityError) and isinstance(cause.cause, CancelledError)
        assert (await handle.describe()).status == WorkflowExecutionStatus.FAILED


# MARK: Children


def parent(kind: ChildKind, child: Any = Waiter) -> type:
    @workflow.defn
    class Parent:
        @workflow.run
        async def run(self, id: str) -> str:
            try:
                await workflow.execute_child_workflow(
                    child,
                    id=id,
                    cancellation_type=kind,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                )
            except ChildWorkflowError as error:
                assert is_cancelled_exception(error) and error.workflow_id == id
                await workflow.execute_activity(greet, "bye", start_to_close_timeout=LONG)
                raise
            return "never"

    return Parent


@pytest.mark.parametrize("kind", list(ChildKind))
async def test_a_cancel_of_the_workflow_reaches_its_child_by_the_type(
    world: World, kind: ChildKind
) -> None:
    status = WorkflowExecutionStatus
    cancelling = parent(kind)
    async with world.worker(cancelling, Waiter, greet):
        handle = await world.start(cancelling, "child")
        await world.until(lambda: world.has_event(handle, "child_workflow_execution_started"))
        await handle.cancel()
        assert isinstance(await world.failure(handle), CancelledError)
        child = world.client.get_workflow_handle("child")
        if kind == ChildKind.ABANDON:
            described = await child.describe()
            assert (described.status, described.cancel_requested) == (status.RUNNING, False)
            return
        if kind == ChildKind.WAIT_CANCELLATION_COMPLETED:
            assert (await child.describe()).status == status.CANCELED
        if kind == ChildKind.WAIT_CANCELLATION_REQUESTED:
            described = await child.describe()
            assert described.cancel_requested or described.status == status.CANCELED
        assert isinstance(await world.failure(child), CancelledError)


async def test_a_childs_handle_is_cancelled_by_itself(world: World) -> None:
    @workflow.defn
    class Parent:
        @workflow.run
        async def run(self) -> str:
            child = await workflow.start_child_workflow(Waiter, id="child")
            child.cancel()
            try:
                await child
            except ChildWorkflowError as error:
                assert isinstance(error.cause, CancelledError)
                return error.workflow_type
            return "never"

    async with world.worker(Parent, Waiter):
        assert await world.execute(Parent) == "Waiter"


async def test_a_child_may_refuse_to_be_cancelled(world: World) -> None:
    @workflow.defn
    class Stubborn:
        @workflow.run
        async def run(self) -> str:
            try:
                await asyncio.sleep(1_000)
            except asyncio.CancelledError:
                return "done all the same"
            return "never"

    @workflow.defn
    class Parent:
        @workflow.run
        async def run(self) -> str:
            child = await workflow.start_child_workflow(Stubborn, id="child")
            child.cancel()
            return str(await child)

    async with world.worker(Parent, Stubborn):
        assert await world.execute(Parent) == "done all the same"


async def test_cancel_of_a_closed_workflow_is_refused_and_of_a_cancelled_one_is_not(
    world: World,
) -> None:
    async with world.worker(Waiter, Sleeper):
        handle = await world.start(Waiter)
        await handle.cancel()
        await world.failure(handle)
        await handle.cancel()
        done = await world.start(Sleeper, 0)
        await done.result()
        assert await world.refusal(done.cancel()) == "WORKFLOW_CLOSED"
