"""Starting workflows: ids and their policies, delays, results and how they fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from holdfast import activity, workflow
from holdfast.client import (
    RPCError,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from holdfast.common import RetryPolicy, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from holdfast.exceptions import (
    ActivityError,
    ApplicationError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from holdfast.service import RPCStatusCode
from semantics.programs import LONG, Sleeper, Waiter, calls, gaps, greet, seconds
from semantics.world import World

Conflict = WorkflowIDConflictPolicy
Reuse = WorkflowIDReusePolicy
Status = WorkflowExecutionStatus
MS = timedelta(milliseconds=1)


@dataclass
class Item:
    name: str
    count: int = 1


@workflow.defn
class Shelf:
    @workflow.run
    async def run(self, items: list[Item]) -> list[Item]:
        return [Item(one.name, one.count + 1) for one in items]


async def test_values_have_the_types_of_the_run_method(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start(Shelf.run, [Item("tea"), Item("nut", 4)])
        assert await handle.result() == [Item("tea", 2), Item("nut", 5)]
        by_id = world.client.get_workflow_handle(handle.id)
        assert await by_id.result() == [{"name": "tea", "count": 2}, {"name": "nut", "count": 5}]
        typed = world.client.get_workflow_handle_for(Shelf.run, handle.id)
        assert await typed.result() == [Item("tea", 2), Item("nut", 5)]


async def test_a_workflow_is_named_by_a_string_too(world: World) -> None:
    async with world.worker(Shelf):
        handle = await world.start("Shelf", [{"name": "tea"}], result_type=list[Item])
        assert await handle.result() == [Item("tea", 2)]


async def test_a_result_may_be_waited_for_again(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        with pytest.raises(RPCError) as raised:
            await handle.result(rpc_timeout=timedelta(milliseconds=20))
        assert raised.value.status == RPCStatusCode.DEADLINE_EXCEEDED
        await handle.signal(Waiter.end)
        assert [await handle.result() for _ in range(2)] == [[], []]


# MARK: Ids


async def test_the_same_request_starts_once_whatever_the_policy(world: World) -> None:
    async with world.worker(Sleeper):
        runs = []
        for _ in range(2):
            handle = await world.start(
                Sleeper,
                0,
                id="w",
                request_id="r-1",
                id_reuse_policy=Reuse.REJECT_DUPLICATE,
                id_conflict_policy=Conflict.FAIL,
            )
            assert await handle.result() == "awake"
            runs.append(handle.first_execution_run_id)
        assert runs[0] == runs[1]


async def test_an_open_workflow_keeps_its_id_by_default(world: World) -> None:
    first = await world.start("any", id="w")
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        await world.start("any", id="w")
    assert raised.value.run_id == first.first_execution_run_id
    assert (raised.value.workflow_id, raised.value.workflow_type) == ("w", "any")


async def test_an_open_workflow_is_used_where_that_is_asked_for(world: World) -> None:
    first = await world.start("any", id="w")
    second = await world.start("other", id="w", id_conflict_policy=Conflict.USE_EXISTING)
    assert second.first_execution_run_id == first.first_execution_run_id
    assert (await second.describe()).workflow_type == "any"


@pytest.mark.parametrize(
    "policy",
    [
        {"id_conflict_policy": Conflict.TERMINATE_EXISTING},
        {"id_reuse_policy": Reuse.TERMINATE_IF_RUNNING},
    ],
)
async def test_an_open_workflow_is_terminated_where_that_is_asked_for(
    world: World, policy: dict[str, Any]
) -> None:
    first = await world.start("any", id="w")
    second = await world.start("any", id="w", **policy)
    assert second.first_execution_run_id != first.first_execution_run_id
    old = world.client.get_workflow_handle("w", run_id=first.first_execution_run_id)
    assert isinstance(await world.failure(old), TerminatedError)
    assert (await second.describe()).status == Status.RUNNING


async def test_a_closed_workflows_id_is_free_by_default(world: World) -> None:
    async with world.worker(Sleeper):
        runs = []
        for _ in range(2):
            handle = await world.start(Sleeper, 0, id="w")
            await handle.result()
            runs.append(handle.first_execution_run_id)
        assert runs[0] != runs[1]


async def test_an_id_is_never_used_again_where_that_is_asked_for(world: World) -> None:
    first = await world.start("any", id="w")
    await first.terminate()
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        await world.start("any", id="w", id_reuse_policy=Reuse.REJECT_DUPLICATE)
    assert raised.value.run_id == first.first_execution_run_id


async def closed(world: World, how: str) -> WorkflowHandle[Any, Any]:
    @workflow.defn
    class Ends:
        @workflow.run
        async def run(self, how: str) -> None:
            if how == "failed":
                raise ApplicationError("no")
            if how != "completed":
                await workflow.wait_condition(lambda: False)

    async with world.worker(Ends):
        limit = seconds(100) if how == "timed out" else None
        handle = await world.start(Ends, how, id="w", run_timeout=limit)
        if how == "cancelled":
            await handle.cancel()
        if how == "terminated":
            await handle.terminate()
        if how == "completed":
            await handle.result()
        else:
            await world.failure(handle)
    return handle


@pytest.mark.parametrize("how", ["failed", "cancelled", "terminated", "timed out"])
async def test_an_id_is_free_after_a_failure_where_that_is_asked_for(
    world: World, how: str
) -> None:
    await closed(world, how)
    again = await world.start("any", id="w", id_reuse_policy=Reuse.ALLOW_DUPLICATE_FAILED_ONLY)
    assert (await again.describe()).status == Status.RUNNING


async def test_an_id_is_not_free_after_success_where_failure_is_asked_for(world: World) -> None:
    await closed(world, "completed")
    with pytest.raises(WorkflowAlreadyStartedError):
        await world.start("any", id="w", id_reuse_policy=Reuse.ALLOW_DUPLICATE_FAILED_ONLY)


async def test_a_removed_run_never_answers_for_a_new_one(world: World) -> None:
    first = await world.start("any", id="w", request_id="r-1")
    await first.delete()
    assert await world.refusal(first.describe()) == "WORKFLOW_NOT_FOUND"
    second = await world.start("any", id="w", request_id="r-1")
    assert second.first_execution_run_id != first.first_execution_run_id
    old = world.client.get_workflow_handle("w", run_id=first.first_execution_run_id)
    assert await world.refusal(old.describe()) == "WORKFLOW_NOT_FOUND"


# MARK: When the code begins


async def test_a_start_may_be_delayed(world: World) -> None:
    async with world.worker(Sleeper):
        before = await world.now()
        assert await world.execute(Sleeper, 0, start_delay=seconds(3_600)) == "awake"
        assert gaps([before, await world.now()]) == [3_600]


async def test_a_start_may_be_for_an_instant(world: World) -> None:
    async with world.worker(Sleeper):
        when = await world.now() + timedelta(days=3)
        handle = await world.start(Sleeper, 0, start_at=when)
        assert await handle.result() == "awake"
        closed = (await handle.describe()).close_time
        assert closed is not None and timedelta(0) <= closed - when < seconds(10)


async def test_a_signal_ends_the_delay_of_a_start(world: World) -> None:
    async with world.worker(Waiter):
        before = await world.now()
        handle = await world.start(Waiter, start_delay=timedelta(days=1))
        await handle.signal(Waiter.end)
        assert await handle.result() == []
        assert gaps([before, await world.now()]) == [0]


async def test_a_delay_and_an_instant_exclude_each_other(world: World) -> None:
    both = world.start("any", start_delay=seconds(1), start_at=await world.now())
    assert await world.refusal(both) == "FIELD_INVALID"


# MARK: Retries and cron


async def test_a_workflow_is_retried_by_its_policy(world: World) -> None:
    began = {}

    @workflow.defn
    class Flaky:
        @workflow.run
        async def run(self) -> int:
            attempt = workflow.info().attempt
            began[attempt] = workflow.now()
            if attempt < 4:
                raise ApplicationError(f"attempt {attempt}")
            return attempt

    async with world.worker(Flaky):
        handle = await world.start(Flaky, retry_policy=RetryPolicy(seconds(100)))
        assert await handle.result() == 4
        assert gaps(list(began.values())) == [100, 200, 400]
        first = world.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        assert (await first.describe()).status == Status.FAILED


async def test_a_workflow_without_a_policy_is_not_retried(world: World) -> None:
    @workflow.defn
    class Fails:
        @workflow.run
        async def run(self) -> None:
            raise ApplicationError("no", {"code": 7}, type="Broken")

    async with world.worker(Fails):
        cause = await world.why(Fails)
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("no", "Broken", [{"code": 7}])


async def test_a_failure_that_is_not_retryable_ends_the_workflow(world: World) -> None:
    @workflow.defn
    class Fails:
        @workflow.run
        async def run(self) -> None:
            attempt = workflow.info().attempt
            raise ApplicationError(f"attempt {attempt}", non_retryable=attempt == 2)

    async with world.worker(Fails):
        cause = await world.why(Fails, retry_policy=RetryPolicy(seconds(10)))
    assert isinstance(cause, ApplicationError) and cause.message == "attempt 2"


async def test_a_cron_workflow_runs_at_its_times_with_the_last_result(world: World) -> None:
    @workflow.defn
    class Hourly:
        @workflow.run
        async def run(self) -> int:
            times.append(workflow.now())
            last = workflow.get_last_completion_result(int)
            return (last or 0) + 1

    times: list[Any] = []
    async with world.worker(Hourly):
        handle = await world.start(Hourly, cron_schedule="30 * * * *")
        newest = world.client.get_workflow_handle(handle.id)
        await world.sleep(4 * 3_600 + 60)
        await newest.terminate()
    starts = sorted({time.replace(second=0, microsecond=0) for time in times})
    # The minute over four hours may hold one more.
    assert len(starts) in (4, 5)
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(hours=1)}
    assert starts[0].minute == 30
    described = await handle.describe()
    assert described.raw_description.cron_schedule == "30 * * * *"


async def test_a_cron_string_that_cannot_be_is_refused(world: World) -> None:
    with pytest.raises(RPCError) as raised:
        await world.start("any", cron_schedule="61 * * * *")
    assert (raised.value.reason, raised.value.field) == ("FIELD_INVALID", "cron_schedule")


# MARK: Failures


async def test_a_failure_comes_with_its_causes(world: World) -> None:
    @activity.defn
    async def fail() -> None:
        try:
            {}["sku"]
        except KeyError as error:
            raise ApplicationError("no", {"code": 7}, type="B", non_retryable=True) from error

    calling = calls(fail)
    async with world.worker(calling, fail):
        error = await world.why(calling)
    assert isinstance(error, ActivityError) and error.activity_type == "fail"
    cause = error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("no", "B", [{"code": 7}])
    assert isinstance(cause.cause, ApplicationError)
    assert (cause.cause.type, cause.cause.message) == ("KeyError", "'sku'")


async def test_terminate_needs_no_worker_and_says_why_and_who(world: World) -> None:
    handle = await world.start("nobody")
    await handle.terminate({"by": "me"}, reason="enough")
    cause = await world.failure(handle)
    assert isinstance(cause, TerminatedError)
    assert str(cause) == "the workflow was terminated: enough"
    event = await world.event(handle, "workflow_execution_terminated")
    assert (event.reason, event.identity) == ("enough", world.client.identity)
    assert await world.client.data_converter.decode(event.details) == [{"by": "me"}]
    assert await world.refusal(handle.terminate()) == "WORKFLOW_CLOSED"


async def test_what_is_missing_in_a_start_is_named(world: World) -> None:
    with pytest.raises(RPCError) as raised:
        await world.start("")
    assert raised.value.status == RPCStatusCode.INVALID_ARGUMENT
    assert (raised.value.field, raised.value.reason) == ("workflow_type", "FIELD_MISSING")
    with pytest.raises(TypeError, match="run_timeuot"):
        await world.start(Waiter, run_timeuot=LONG)


async def test_an_unknown_workflow_is_told(world: World) -> None:
    nobody = world.client.get_workflow_handle("nobody")
    with pytest.raises(RPCError) as raised:
        await nobody.describe()
    assert raised.value.status == RPCStatusCode.NOT_FOUND
    assert raised.value.reason == "WORKFLOW_NOT_FOUND"
    assert "nobody" in str(raised.value)


async def test_a_payload_over_the_limit_is_refused(world: World) -> None:
    too_large = world.start("any", "x" * (2 << 20))
    assert await world.refusal(too_large) == "PAYLOAD_TOO_LARGE"
    fits = await world.start("any", "x" * ((2 << 20) - 100))
    assert (await fits.describe()).status == Status.RUNNING


# MARK: Tasks of workflows


async def test_an_error_that_is_no_failure_fails_the_task_until_it_is_mended(
    world: World,
) -> None:
    tries = []

    @workflow.defn
    class Buggy:
        @workflow.run
        async def run(self) -> str:
            tries.append(1)
            if len(tries) < 3:
                raise KeyError("sku")
            return "mended"

    async with world.worker(Buggy):
        before = await world.now()
        handle = await world.start(Buggy)
        await world.until(lambda: world.has_problem(handle, "the workflow task is failing"))
        assert await world.has_problem(handle, "sku")
        while (await handle.describe()).status == Status.RUNNING:
            await world.env.advance_time(seconds(1))
        assert await handle.result() == "mended"
        # The tries come after 1 and 2 seconds.
        assert await world.now() - before >= seconds(3)


async def test_the_worker_says_which_errors_fail_a_workflow(world: World) -> None:
    @workflow.defn
    class Raises:
        @workflow.run
        async def run(self) -> None:
            raise KeyError("sku")

    async with world.worker(Raises, workflow_failure_exception_types=[LookupError]):
        cause = await world.why(Raises)
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == ("KeyError", "'sku'")


async def test_the_workflow_says_which_errors_fail_it(world: World) -> None:
    @workflow.defn(failure_exception_types=[LookupError])
    class Raises:
        @workflow.run
        async def run(self) -> None:
            raise KeyError("sku")

    async with world.worker(Raises):
        cause = await world.why(Raises)
    assert isinstance(cause, ApplicationError) and cause.type == "KeyError"


async def test_many_workflows_at_once(world: World) -> None:
    calling = calls(greet, "Ada")
    async with world.worker(calling, greet):
        handles = [await world.start(calling) for _ in range(30)]
        results = await asyncio.gather(*(handle.result() for handle in handles))
    assert results == ["Hello, Ada!"] * 30
