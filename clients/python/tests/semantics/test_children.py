"""Children, and messages to other workflows."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast import workflow
from holdfast.client import WorkflowExecutionStatus
from holdfast.common import RetryPolicy, WorkflowIDReusePolicy
from holdfast.exceptions import (
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from holdfast.workflow import ParentClosePolicy
from semantics.programs import Sleeper, Waiter, seconds
from semantics.world import World

Status = WorkflowExecutionStatus


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, fails: int) -> int:
        attempt = workflow.info().attempt
        if attempt <= fails:
            raise ApplicationError(f"attempt {attempt}", type="No")
        return attempt


def parent(child: Any, *args: Any, **options: Any) -> type:
    """A workflow that runs a child; its result, or what it is told of its failure."""

    @workflow.defn
    class Parent:
        @workflow.run
        async def run(self) -> Any:
            return await workflow.execute_child_workflow(child, args=args, id="child", **options)

    return Parent


async def test_a_childs_start_resolves_apart_from_its_end(world: World) -> None:
    @workflow.defn
    class Parent:
        @workflow.run
        async def run(self) -> list[Any]:
            child = await workflow.start_child_workflow(Waiter.run, id="child")
            started = [child.id, child.first_execution_run_id, child.done()]
            await child.signal(Waiter.add, "hello")
            await child.signal(Waiter.end)
            return [*started, await child]

    async with world.worker(Parent, Waiter):
        id, run_id, was_done, result = await world.execute(Parent)
        assert (id, was_done, result) == ("child", False, ["hello"])
        assert (await world.client.get_workflow_handle("child").describe()).run_id == run_id


async def test_a_child_knows_its_parent_and_root(world: World) -> None:
    @workflow.defn
    class Grandchild:
        @workflow.run
        async def run(self) -> list[str]:
            info = workflow.info()
            assert info.parent is not None and info.root is not None
            return [info.parent.workflow_id, info.root.workflow_id]

    @workflow.defn
    class Child:
        @workflow.run
        async def run(self) -> Any:
            return await workflow.execute_child_workflow(Grandchild.run, id="grandchild")

    making = parent(Child)
    async with world.worker(making, Child, Grandchild):
        assert await world.execute(making, id="top") == ["child", "top"]
    described = await world.client.get_workflow_handle("grandchild").describe()
    assert (described.parent_id, described.root_id) == ("child", "top")


async def test_a_childs_failure_comes_with_its_causes(world: World) -> None:
    making = parent(Fails, 9)
    async with world.worker(making, Fails):
        error = await world.why(making)
    assert isinstance(error, ChildWorkflowError)
    assert (error.workflow_id, error.workflow_type) == ("child", "Fails")
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == ("No", "attempt 1")


async def test_a_child_that_times_out_or_is_terminated_fails_so(world: World) -> None:
    making = parent(Waiter, run_timeout=seconds(100))
    async with world.worker(making, Waiter):
        error = await world.why(making)
        assert isinstance(error, ChildWorkflowError) and isinstance(error.cause, TimeoutError)
    making = parent(Waiter)
    async with world.worker(making, Waiter):
        handle = await world.start(making)
        child = world.client.get_workflow_handle("child")
        await world.until(lambda: world.has_event(handle, "child_workflow_execution_started"))
        await child.terminate(reason="enough")
        error = await world.failure(handle)
        assert isinstance(error, ChildWorkflowError)
        assert isinstance(error.cause, TerminatedError)


async def test_the_result_is_that_of_the_chains_last_run(world: World) -> None:
    @workflow.defn
    class Chain:
        @workflow.run
        async def run(self, left: int) -> str:
            if left:
                workflow.continue_as_new(left - 1)
            return "the last"

    making = parent(Chain, 3)
    async with world.worker(making, Chain):
        assert await world.execute(making) == "the last"


async def test_a_child_is_retried_by_its_policy(world: World) -> None:
    making = parent(Fails, 2, retry_policy=RetryPolicy(seconds(100)))
    async with world.worker(making, Fails):
        assert await world.execute(making) == 3


@workflow.defn
class Catching:
    @workflow.run
    async def run(self, policy: int) -> list[str]:
        try:
            await workflow.start_child_workflow(
                Waiter.run, id="child", id_reuse_policy=WorkflowIDReusePolicy(policy)
            )
        except WorkflowAlreadyStartedError as error:
            return [error.workflow_id, error.workflow_type]
        return ["started"]


async def test_a_child_whose_id_is_taken_is_not_started(world: World) -> None:
    await world.start("nobody", id="child")
    making = parent(Waiter)
    async with world.worker(Catching, making):
        policy = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        assert await world.execute(Catching, policy) == ["child", "Waiter"]
        error = await world.why(making)
    assert isinstance(error, ChildWorkflowError) and isinstance(error.cause, ApplicationError)
    assert error.cause.type == "WorkflowAlreadyStarted"


async def test_a_child_may_refuse_a_closed_ones_id(world: World) -> None:
    old = await world.start("nobody", id="child")
    await old.terminate()
    async with world.worker(Catching, Waiter):
        policy = WorkflowIDReusePolicy.REJECT_DUPLICATE
        assert await world.execute(Catching, policy) == ["child", "Waiter"]
        assert await world.execute(Catching, WorkflowIDReusePolicy.ALLOW_DUPLICATE) == ["started"]


@pytest.mark.parametrize("policy", [one for one in ParentClosePolicy if one])
async def test_what_becomes_of_a_child_when_its_parent_has_closed(
    world: World, policy: ParentClosePolicy
) -> None:
    @workflow.defn
    class Leaving:
        @workflow.run
        async def run(self) -> None:
            await workflow.start_child_workflow(Waiter.run, id="child", parent_close_policy=policy)

    async with world.worker(Leaving, Waiter):
        await world.execute(Leaving)
        child = world.client.get_workflow_handle("child")
        if policy == ParentClosePolicy.TERMINATE:
            assert isinstance(await world.failure(child), TerminatedError)
        elif policy == ParentClosePolicy.REQUEST_CANCEL:
            assert isinstance(await world.failure(child), CancelledError)
        else:
            assert (await child.describe()).status == Status.RUNNING
            await child.signal(Waiter.end)
            assert await child.result() == []


async def test_children_are_terminated_by_default(world: World) -> None:
    making = parent(Waiter)
    async with world.worker(making, Waiter):
        handle = await world.start(making)
        await world.until(lambda: world.has_event(handle, "child_workflow_execution_started"))
        await handle.terminate()
        child = world.client.get_workflow_handle("child")
        assert isinstance(await world.failure(child), TerminatedError)


async def test_a_pending_child_is_described(world: World) -> None:
    making = parent(Waiter)
    async with world.worker(making, Waiter):
        handle = await world.start(making)
        await world.until(lambda: world.has_event(handle, "child_workflow_execution_started"))
        (pending,) = (await handle.describe()).raw_description.pending_children
        assert pending.execution is not None and pending.execution.workflow_id == "child"


async def test_a_child_has_no_cron(world: World) -> None:
    @workflow.defn
    class Careless:
        @workflow.run
        async def run(self) -> str:
            try:
                await workflow.start_child_workflow(Waiter.run, cron_schedule="* * * * *")
            except ValueError as error:
                return str(error)
            return "taken"

    async with world.worker(Careless):
        assert "no cron_schedule" in await world.execute(Careless)


# MARK: Other workflows


@workflow.defn
class Messenger:
    """Signals or cancels another workflow; what it is told."""

    @workflow.run
    async def run(self, what: str, id: str) -> str:
        other = workflow.get_external_workflow_handle(id)
        try:
            if what == "cancel":
                await other.cancel(reason="from outside")
            else:
                await other.signal(Waiter.add, "from outside")
        except ApplicationError as error:
            return str(error.type)
        return "arrived"


async def test_another_workflow_is_signalled(world: World) -> None:
    async with world.worker(Messenger, Waiter):
        other = await world.start(Waiter)
        assert await world.execute(Messenger, "signal", other.id) == "arrived"
        await other.signal(Waiter.end)
        assert await other.result() == ["from outside"]


async def test_another_workflow_is_cancelled(world: World) -> None:
    async with world.worker(Messenger, Waiter):
        other = await world.start(Waiter)
        assert await world.execute(Messenger, "cancel", other.id) == "arrived"
        assert isinstance(await world.failure(other), CancelledError)
        asked = await world.event(other, "workflow_execution_cancel_requested")
        assert asked.reason == "from outside"


@pytest.mark.parametrize("what", ["signal", "cancel"])
async def test_messages_to_nobody_and_to_closed_workflows_fail_so(world: World, what: str) -> None:
    async with world.worker(Messenger, Sleeper):
        assert await world.execute(Messenger, what, "nobody") == "WorkflowNotFound"
        closed = await world.start(Sleeper, 0)
        await closed.result()
        assert await world.execute(Messenger, what, closed.id) == "WorkflowClosed"
