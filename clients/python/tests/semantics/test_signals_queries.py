"""Signals and queries."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from holdfast import _core, workflow
from holdfast import _messages as proto
from holdfast.client import (
    RPCError,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from holdfast.common import QueryRejectCondition, RawValue, WorkflowIDConflictPolicy
from holdfast.exceptions import ApplicationError
from holdfast.service import RPCStatusCode
from semantics.programs import LONG, Sleeper, Waiter, greet, seconds
from semantics.world import World


async def test_signals_arrive_in_order(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        for number in range(20):
            await handle.signal(Waiter.add, number)
        await handle.signal("end")
        assert await handle.result() == list(range(20))


async def test_signals_are_delivered_before_other_code(world: World) -> None:
    handle = await world.start(Waiter)
    await handle.signal(Waiter.add, "early")
    await handle.signal(Waiter.end)
    async with world.worker(Waiter):
        assert await handle.result() == ["early"]
        # In one activation: the code never waited.
        assert (await world.events(handle)).count("workflow_task_completed") == 1


async def signal(world: World, id: str, request_id: str, value: Any) -> None:
    request = proto.SignalWorkflowRequest(
        namespace="default",
        execution=proto.WorkflowExecution(workflow_id=id),
        signal_name="add",
        input=await world.client.data_converter.encode([value]),
        request_id=request_id,
    )
    await world.client.service_client.call(proto.WorkflowService.SignalWorkflow, request)


async def test_a_repeated_signal_counts_once(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        for _ in range(2):
            await signal(world, handle.id, "r-1", "once")
        await handle.signal(Waiter.end)
        assert await handle.result() == ["once"]
        reused = signal(world, handle.id, "r-1", "something else")
        assert await world.refusal(reused) in ("REQUEST_ID_REUSED", "WORKFLOW_CLOSED")


async def test_a_repeated_signal_counts_once_over_continue_as_new(world: World) -> None:
    @workflow.defn
    class Renewing:
        def __init__(self) -> None:
            self.values: list[str] = []
            self.is_over = False

        @workflow.run
        async def run(self, values: list[str]) -> list[str]:
            await workflow.wait_condition(lambda: self.is_over or bool(self.values))
            if self.is_over:
                return [*values, *self.values]
            workflow.continue_as_new([*values, *self.values])

        @workflow.signal
        def add(self, value: str) -> None:
            self.values.append(value)

        @workflow.signal
        def end(self) -> None:
            self.is_over = True

    async with world.worker(Renewing):
        handle = await world.start(Renewing, [])
        newest = world.client.get_workflow_handle(handle.id)
        await signal(world, handle.id, "r-1", "once")
        first = handle.first_execution_run_id
        await world.until(lambda: has_moved_on(newest, first))
        await signal(world, handle.id, "r-1", "once")
        await newest.signal("end")
        assert await newest.result() == ["once"]


async def has_moved_on(handle: Any, run_id: str | None) -> bool:
    return bool((await handle.describe()).run_id != run_id)


@pytest.mark.no_chaos("a task that is lost is made again, with the signal in it")
async def test_a_signal_that_the_closing_run_has_not_seen_goes_to_the_next(world: World) -> None:
    def signal_now(id: str) -> None:
        """From within a task, so that this one cannot be given it."""
        core = _core.Client.connect(socket_path=world.client.socket_path)
        request = proto.SignalWorkflowRequest(
            namespace="default",
            execution=proto.WorkflowExecution(workflow_id=id),
            signal_name="add",
            request_id="r-1",
        )
        core.call(proto.WorkflowService.SignalWorkflow.name, request.encode(), 5_000)

    @workflow.defn
    class Blind:
        def __init__(self) -> None:
            self.seen = 0

        @workflow.run
        async def run(self, number: int) -> list[int]:
            if number == 0:
                signal_now(workflow.info().workflow_id)
                workflow.continue_as_new(1)
            await workflow.wait_condition(lambda: self.seen > 0)
            return [number, self.seen]

        @workflow.signal
        def add(self) -> None:
            self.seen += 1

    async with world.worker(Blind):
        assert await world.execute(Blind, 0) == [1, 1]


async def test_unknown_and_closed_workflows_refuse_signals_by_different_errors(
    world: World,
) -> None:
    nobody = world.client.get_workflow_handle("nobody")
    assert await world.refusal(nobody.signal("add", 1)) == "WORKFLOW_NOT_FOUND"
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 0)
        await handle.result()
        assert await world.refusal(handle.signal("add", 1)) == "WORKFLOW_CLOSED"


async def test_signal_with_start_starts_once_and_signals_each_time(world: World) -> None:
    async with world.worker(Waiter):
        runs = set()
        for number in range(3):
            handle = await world.start(
                Waiter,
                id="w",
                start_signal="add",
                start_signal_args=[number],
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            runs.add(handle.first_execution_run_id)
        await handle.signal(Waiter.end)
        assert await handle.result() == [0, 1, 2]
        assert len(runs) == 1


async def test_signal_with_start_uses_an_open_workflow_by_default(world: World) -> None:
    first = await world.start(Waiter, id="w")
    second = await world.start(Waiter, id="w", start_signal="add", start_signal_args=[1])
    assert second.first_execution_run_id == first.first_execution_run_id
    await second.signal(Waiter.end)
    async with world.worker(Waiter):
        assert await first.result() == [1]


async def test_signals_that_came_before_their_handler_are_given_to_it(world: World) -> None:
    @workflow.defn
    class Late:
        @workflow.run
        async def run(self) -> list[int]:
            seen: list[int] = []
            await workflow.execute_activity(greet, "x", start_to_close_timeout=LONG)
            workflow.set_signal_handler("add", seen.append)
            await workflow.wait_condition(lambda: len(seen) == 3)
            return seen

    handle = await world.start(Late)
    for number in range(3):
        await handle.signal("add", number)
    async with world.worker(Late, greet):
        assert await handle.result() == [0, 1, 2]


async def test_a_dynamic_handler_takes_signals_that_have_none(world: World) -> None:
    @workflow.defn
    class Dynamic:
        def __init__(self) -> None:
            self.seen: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            await workflow.wait_condition(lambda: len(self.seen) == 2)
            return self.seen

        @workflow.signal(dynamic=True)
        def any(self, name: str, args: list[RawValue]) -> None:
            value = workflow.payload_converter().from_payload(args[0].payload, str)
            self.seen.append(f"{name} {value}")

    async with world.worker(Dynamic):
        handle = await world.start(Dynamic)
        await handle.signal("a", "1")
        await handle.signal("b", "2")
        assert await handle.result() == ["a 1", "b 2"]


async def test_a_handler_may_fail_the_workflow(world: World) -> None:
    @workflow.defn
    class Strict:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal
        async def break_it(self) -> None:
            raise ApplicationError("broken", type="Broken")

    async with world.worker(Strict):
        handle = await world.start(Strict)
        await handle.signal("break_it")
        cause = await world.failure(handle)
    assert isinstance(cause, ApplicationError) and cause.type == "Broken"


async def test_handlers_run_side_by_side_with_the_workflow(world: World) -> None:
    @workflow.defn
    class Parallel:
        def __init__(self) -> None:
            self.greetings: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            await workflow.wait_condition(lambda: len(self.greetings) == 3)
            await workflow.wait_condition(workflow.all_handlers_finished)
            return sorted(self.greetings)

        @workflow.signal
        async def meet(self, name: str) -> None:
            self.greetings.append(
                await workflow.execute_activity(greet, name, start_to_close_timeout=LONG)
            )

    async with world.worker(Parallel, greet):
        handle = await world.start(Parallel)
        for name in "abc":
            await handle.signal("meet", name)
        assert await handle.result() == ["Hello, a!", "Hello, b!", "Hello, c!"]


async def test_ten_thousand_signals_and_no_more(world: World) -> None:
    handle = await world.start("nobody")
    client = world.client
    for _ in range(20):
        await asyncio.gather(*(handle.signal("add") for _ in range(500)))
    with pytest.raises(RPCError) as raised:
        await client.get_workflow_handle(handle.id).signal("add")
    assert raised.value.reason == "LIMIT_REACHED"


# MARK: Queries


async def test_a_query_sees_what_was_acknowledged_before(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        for number in range(10):
            await handle.signal(Waiter.add, number)
            assert await world.query(handle, Waiter.seen) == list(range(number + 1))


@pytest.mark.no_chaos("exact numbers of events")
async def test_a_query_leaves_no_trace(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await world.until(lambda: world.has_event(handle, "workflow_task_completed"))
        before = await world.events(handle)
        for _ in range(3):
            await world.query(handle, Waiter.seen)
        assert await world.events(handle) == before


async def test_a_query_may_emit_no_command(world: World) -> None:
    @workflow.defn
    class Sneaky:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.query
        def start_one(self) -> None:
            workflow.start_activity(greet, "x", start_to_close_timeout=LONG)

        @workflow.query
        def broken(self) -> None:
            raise ValueError("no such shelf")

    async with world.worker(Sneaky):
        handle = await world.start(Sneaky)
        with pytest.raises(WorkflowQueryFailedError, match="must not start an activity"):
            await world.query(handle, "start_one")
        with pytest.raises(WorkflowQueryFailedError, match="no such shelf"):
            await world.query(handle, "broken")
        with pytest.raises(WorkflowQueryFailedError, match="nothing"):
            await world.query(handle, "nothing")


async def test_a_query_has_the_type_of_its_method(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await handle.signal(Waiter.add, 1)
        assert await world.query(handle, Waiter.seen) == [1]
        assert await world.query(handle, "seen", result_type=tuple[int, ...]) == (1,)


async def test_a_closed_workflow_answers_queries(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await handle.signal(Waiter.add, "last")
        await handle.signal(Waiter.end)
        await handle.result()
    async with world.worker(Waiter):
        assert await world.query(handle, Waiter.seen) == ["last"]


async def test_many_queries_wait_at_once(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        await handle.signal(Waiter.add, 1)
        answers = await asyncio.gather(*(world.query(handle, Waiter.seen) for _ in range(100)))
        assert answers == [[1]] * 100


async def test_a_query_without_a_worker_says_at_once_what_is_missing(world: World) -> None:
    handle = await world.start("Missing", task_queue="nowhere")
    with pytest.raises(RPCError) as raised:
        await handle.query("any")
    assert (raised.value.status, raised.value.reason) == (
        RPCStatusCode.UNAVAILABLE,
        "NO_WORKER",
    )
    assert "Missing" in str(raised.value) and "nowhere" in str(raised.value)


async def test_a_query_of_a_failing_workflow_says_so(world: World) -> None:
    @workflow.defn
    class Buggy:
        @workflow.run
        async def run(self) -> None:
            raise KeyError("sku")

        @workflow.query
        def any(self) -> int:
            return 1

    async with world.worker(Buggy):
        handle = await world.start(Buggy)
        await world.until(lambda: world.has_problem(handle, "sku"))
        with pytest.raises(RPCError) as raised:
            await world.query(handle, "any", rpc_timeout=timedelta(seconds=20))
        assert raised.value.reason == "WORKFLOW_TASK_FAILING"


async def test_a_query_is_rejected_by_its_condition(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        condition = QueryRejectCondition.NOT_OPEN
        assert await world.query(handle, Waiter.seen, reject_condition=condition) == []
        await handle.signal(Waiter.end)
        await handle.result()
        assert await world.query(handle, Waiter.seen) == []
        clean = QueryRejectCondition.NOT_COMPLETED_CLEANLY
        assert await world.query(handle, Waiter.seen, reject_condition=clean) == []
        with pytest.raises(WorkflowQueryRejectedError) as raised:
            await world.query(handle, Waiter.seen, reject_condition=condition)
        assert raised.value.status == WorkflowExecutionStatus.COMPLETED


async def test_current_details_need_no_worker(world: World) -> None:
    @workflow.defn
    class Telling:
        @workflow.run
        async def run(self) -> None:
            workflow.set_current_details("half way")
            await workflow.sleep(seconds(1_000))
            workflow.set_current_details("all the way")

    async with world.worker(Telling):
        with world.env.auto_time_skipping_disabled():
            handle = await world.start(Telling)
            await world.until(lambda: world.has_event(handle, "timer_started"))
            assert (await handle.describe()).current_details == "half way"
        await handle.result()
    assert (await handle.describe()).current_details == "all the way"
