"""Queues, limits, namespaces and the time of tests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast.client import Client, RPCError, WorkflowExecutionStatus
from holdfast.common import Priority
from semantics.programs import LONG, ONCE, Sleeper, Waiter, calls, gaps, greet, seconds
from semantics.world import QUEUE, World

Status = WorkflowExecutionStatus


async def call(world: World, method: Any, request: Any) -> Any:
    """Again, where it is the chaos that has cut it off."""
    while True:
        try:
            return await world.client.service_client.call(method, request)
        except RPCError as error:
            if world.mode != "chaos" or error.code != "DISCONNECTED":
                raise


# MARK: Priorities and limits


@workflow.defn
class Fan:
    """Calls an activity with each of these priorities at once."""

    @workflow.run
    async def run(self, keys: list[int]) -> list[str]:
        return await asyncio.gather(
            *(
                workflow.execute_activity(
                    "note",
                    key,
                    start_to_close_timeout=LONG,
                    priority=Priority(priority_key=key) if key else Priority.default,
                )
                for key in keys
            )
        )


def noting(order: list[int]) -> Any:
    @activity.defn
    async def note(key: int) -> str:
        order.append(key)
        return str(key)

    return note


@pytest.mark.no_chaos("a lost worker's activities come in another order")
async def test_what_waits_goes_out_by_priority(world: World) -> None:
    order: list[int] = []
    keys = [5, 3, 1, 4, 2, 0]  # 0: none, which is 3
    async with world.worker(Fan):
        handle = await world.start(Fan, keys)

        async def all_wait() -> bool:
            return len((await handle.describe()).pending_activities) == len(keys)

        await world.until(all_wait)
        async with world.worker(noting(order), max_concurrent_activities=1):
            await handle.result()
    assert order == [1, 2, 3, 0, 4, 5]


async def test_a_workflows_priority_is_its_activities_too(world: World) -> None:
    @activity.defn
    async def mine() -> list[Any]:
        found = activity.info().priority
        return [found.priority_key, found.fairness_key, found.fairness_weight]

    calling = calls(mine)
    async with world.worker(calling, mine):
        given = Priority(priority_key=2, fairness_key="tenant", fairness_weight=2.5)
        assert await world.execute(calling, priority=given) == [2, "tenant", 2.5]


@pytest.mark.no_chaos("a lost worker's activities come in another order")
async def test_keys_share_a_queue_by_their_weights(world: World) -> None:
    order: list[str] = []

    @activity.defn
    async def tenant() -> None:
        order.append(activity.info().priority.fairness_key or "")

    @workflow.defn
    class Tenants:
        @workflow.run
        async def run(self) -> None:
            keys = ["a"] * 20 + ["b"] * 20
            await asyncio.gather(
                *(
                    workflow.execute_activity(
                        tenant,
                        start_to_close_timeout=LONG,
                        priority=Priority(
                            fairness_key=key, fairness_weight=3.0 if key == "b" else 1.0
                        ),
                    )
                    for key in keys
                )
            )

    async with world.worker(Tenants):
        handle = await world.start(Tenants)

        async def all_wait() -> bool:
            return len((await handle.describe()).pending_activities) == 40

        await world.until(all_wait)
        async with world.worker(tenant, max_concurrent_activities=1):
            await handle.result()
    # Of the first 16, b has three times as many, though all of a came first.
    assert abs(order[:16].count("b") - 12) <= 1


async def test_a_queues_rate_is_limited(world: World) -> None:
    limits = proto.TaskQueueLimits(activities_per_second=0.1)
    request = proto.SetTaskQueueLimitsRequest(namespace="default", task_queue=QUEUE, limits=limits)
    await call(world, proto.OperatorService.SetTaskQueueLimits, request)
    order: list[int] = []
    async with world.worker(Fan, noting(order)):
        handle = await world.start(Fan, [3, 3, 3, 3])

        async def one_is_out() -> bool:
            return len(order) >= 1

        await world.until(one_is_out)
        # What waits for its turn holds time: it is moved on by hand.
        result = asyncio.create_task(handle.result())
        before = await world.now()
        while not result.done():
            await world.env.advance_time(seconds(1))
            await asyncio.sleep(0.001)
        await result
        # The others come 10 seconds after one another.
        assert await world.now() - before >= seconds(20)


async def test_runs_of_a_type_are_limited(world: World) -> None:
    limits = proto.WorkflowTypeLimits(running=1)
    request = proto.SetWorkflowTypeLimitsRequest(
        namespace="default", workflow_type="Waiter", limits=limits
    )
    await call(world, proto.OperatorService.SetWorkflowTypeLimits, request)
    async with world.worker(Waiter):
        first, second = [await world.start(Waiter) for _ in range(2)]
        await world.until(lambda: world.has_event(first, "workflow_task_completed"))
        waiting = (await second.describe()).raw_description
        assert waiting.permit_time_ms == 0 and waiting.info is not None
        assert waiting.info.waiting_since_time_ms > 0
        await first.signal(Waiter.end)
        await first.result()
        await second.signal(Waiter.end)
        assert await second.result() == []


async def test_runs_of_a_key_are_limited(world: World) -> None:
    limits = proto.WorkflowTypeLimits(running_of_key=1)
    request = proto.SetWorkflowTypeLimitsRequest(
        namespace="default", workflow_type="Waiter", limits=limits
    )
    await call(world, proto.OperatorService.SetWorkflowTypeLimits, request)
    runs = [await world.start("Waiter", concurrency_key=key) for key in ("a", "a", "b")]
    permits = [(await one.describe()).raw_description.permit_time_ms > 0 for one in runs]
    assert permits == [True, False, True]


async def test_a_queue_tells_what_waits(world: World) -> None:
    for _ in range(3):
        await world.start("Missing")
    request = proto.DescribeTaskQueueRequest(namespace="default", task_queue=QUEUE)
    found = await call(world, proto.OperatorService.DescribeTaskQueue, request)
    assert found.workflow_tasks.count == 3
    assert list(found.workflow_tasks.types_without_worker) == ["Missing"]
    async with world.worker(greet):
        found = await call(world, proto.OperatorService.DescribeTaskQueue, request)
        assert [list(one.activity_types) for one in found.workers] == [["greet"]]


async def test_pending_activities_are_limited_to_2000(world: World) -> None:
    @workflow.defn
    class Greedy:
        @workflow.run
        async def run(self) -> None:
            for _ in range(2_001):
                workflow.start_activity("any", start_to_close_timeout=LONG, task_queue="none")
            await workflow.wait_condition(lambda: False)

    async with world.worker(Greedy):
        handle = await world.start(Greedy)
        await world.until(lambda: world.has_problem(handle, "more than 2000 pending activities"))


# MARK: Namespaces


@pytest.mark.world(namespace="shop")
async def test_namespaces_know_nothing_of_each_other(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 0, id="w")
        assert await handle.result() == "awake"
    async with await Client.connect(world.client.socket_path) as other:
        assert (await other.count_workflows()).count == 0
        nobody = other.get_workflow_handle("w")
        assert await world.refusal(nobody.describe()) == "WORKFLOW_NOT_FOUND"
    assert (await world.client.count_workflows()).count == 1


# MARK: The time of tests


async def test_time_skips_while_a_result_is_waited_for(world: World) -> None:
    async with world.worker(Sleeper):
        before = await world.now()
        await world.execute(Sleeper, 86_400)
        assert gaps([before, await world.now()], unit=3_600) == [86_400]


async def test_time_skips_while_the_test_sleeps(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 3_600)
        await world.sleep(4_000)
        assert (await handle.describe()).status == Status.COMPLETED


@pytest.mark.no_chaos("time jumps when a worker is lost")
async def test_time_stands_while_an_activity_runs(world: World) -> None:
    free = asyncio.Event()

    @activity.defn
    async def hold() -> None:
        await free.wait()

    @workflow.defn
    class Both:
        @workflow.run
        async def run(self) -> str:
            timer = asyncio.create_task(workflow.sleep(3_600))
            await workflow.execute_activity(hold, start_to_close_timeout=LONG, retry_policy=ONCE)
            was_first = not timer.done()
            await timer
            return "activity first" if was_first else "timer first"

    async with world.worker(Both, hold):
        handle = await world.start(Both)
        result = asyncio.create_task(handle.result())
        await world.pending(handle, lambda one: one.state == 2)
        free.set()
        assert await result == "activity first"


async def test_held_time_passes_as_outside(world: World) -> None:
    async with world.worker(Sleeper):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(Sleeper, 3_600)
            late = handle.result(rpc_timeout=timedelta(milliseconds=50))
            assert await world.refusal(late) == "TIMED_OUT"
        assert await handle.result() == "awake"
