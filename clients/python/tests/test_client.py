"""The client's calls against an engine."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from conftest import Engine
from serving import QUEUE, Cart, Chain, Failing, Greeting, Item, Noted, serving

from holdfast import _messages as proto
from holdfast.client import (
    Client,
    RPCError,
    WithStartWorkflowOperation,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
    WorkflowPoint,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from holdfast.common import (
    QueryRejectCondition,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from holdfast.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from holdfast.service import RPCStatusCode


def new_id() -> str:
    return f"w-{uuid.uuid4()}"


async def cart(client: Client, **options: Any) -> WorkflowHandle[Cart, list[Item]]:
    return await client.start_workflow(Cart.run, id=new_id(), task_queue=QUEUE, **options)


# MARK: Starts and results


async def test_a_result_has_the_type_of_the_run_method(engine: Engine) -> None:
    async with serving(engine) as client:
        greeting = await client.execute_workflow(Greeting.run, "Ada", id=new_id(), task_queue=QUEUE)
        assert greeting == "Hello, Ada!"
        handle = await cart(client, start_signal="add", start_signal_args=[Item("tea")])
        await handle.signal(Cart.close)
        assert await handle.result() == [Item("tea")]
        by_name = client.get_workflow_handle(handle.id)
        assert await by_name.result() == [{"name": "tea", "count": 1}]
        typed = client.get_workflow_handle_for(Cart.run, handle.id)
        assert await typed.result() == [Item("tea")]


async def test_a_workflow_is_named_by_a_string_too(engine: Engine) -> None:
    async with serving(engine) as client:
        result = await client.execute_workflow("Greeting", "Bo", id=new_id(), task_queue=QUEUE)
        assert result == "Hello, Bo!"


async def test_a_failure_comes_with_its_causes(engine: Engine) -> None:
    async with serving(engine) as client:
        with pytest.raises(WorkflowFailureError) as raised:
            await client.execute_workflow(Failing.run, "no", id=new_id(), task_queue=QUEUE)
        activity_error = raised.value.cause
        assert isinstance(activity_error, ActivityError)
        assert activity_error.activity_type == "fail"
        error = activity_error.cause
        assert isinstance(error, ApplicationError)
        assert (error.message, error.type, error.non_retryable) == ("no", "Broken", True)
        assert list(error.details) == [{"code": 7}]


async def test_cancel_terminate_and_time_out_are_told_apart(engine: Engine) -> None:
    async with serving(engine) as client:
        cancelled, terminated = await cart(client), await cart(client)
        late = await cart(client, run_timeout=timedelta(milliseconds=50))
        await cancelled.cancel(reason="not wanted")
        await terminated.terminate({"by": "me"}, reason="enough")
        causes = []
        for handle in (cancelled, terminated, late):
            with pytest.raises(WorkflowFailureError) as raised:
                await handle.result()
            causes.append(raised.value.cause)
        assert [type(cause) for cause in causes] == [CancelledError, TerminatedError, TimeoutError]
        assert str(causes[1]) == "the workflow was terminated: enough"


async def test_a_taken_id_is_refused_or_shared_as_asked(engine: Engine) -> None:
    async with serving(engine) as client:
        first = await cart(client)
        options: dict[str, Any] = {"id": first.id, "task_queue": QUEUE}
        with pytest.raises(WorkflowAlreadyStartedError) as raised:
            await client.start_workflow(Cart.run, **options)
        assert raised.value.run_id == first.first_execution_run_id
        shared = await client.start_workflow(
            Cart.run, **options, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        assert shared.first_execution_run_id == first.first_execution_run_id
        taken = await client.start_workflow(
            Cart.run, **options, id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING
        )
        assert taken.first_execution_run_id != first.first_execution_run_id
        await taken.signal(Cart.close)
        await taken.result()
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.start_workflow(
                Cart.run, **options, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE
            )


async def test_the_same_request_id_starts_once(engine: Engine) -> None:
    async with serving(engine) as client:
        id = new_id()
        runs = [
            await client.start_workflow(Cart.run, id=id, task_queue=QUEUE, request_id="r-1")
            for _ in range(2)
        ]
        assert runs[0].first_execution_run_id == runs[1].first_execution_run_id


async def test_a_chain_is_followed_or_not(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await client.start_workflow(Chain.run, 2, id=new_id(), task_queue=QUEUE)
        last = await handle.result()
        assert last != handle.first_execution_run_id
        with pytest.raises(WorkflowContinuedAsNewError) as raised:
            await handle.result(follow_runs=False)
        second = client.get_workflow_handle(handle.id, run_id=raised.value.new_execution_run_id)
        with pytest.raises(WorkflowContinuedAsNewError) as raised:
            await second.result(follow_runs=False)
        assert raised.value.new_execution_run_id == last


async def test_what_a_start_says_is_described(engine: Engine) -> None:
    async with serving(engine) as client:
        customer = SearchAttributeKey.for_keyword("Customer")
        await client.service_client.call(
            proto.OperatorService.AddSearchAttribute,
            proto.AddSearchAttributeRequest(
                namespace="default", name="Customer", type=proto.SearchAttributeType.KEYWORD
            ),
        )
        handle = await client.start_workflow(
            Noted.run,
            id=new_id(),
            task_queue=QUEUE,
            memo={"for": "tests", "count": 2},
            search_attributes=TypedSearchAttributes([SearchAttributePair(customer, "c-1")]),
            static_summary="a summary",
            static_details="and *details*",
        )
        assert await handle.result() == {"memo": {"for": "tests", "count": 2}, "id": handle.id}
        described = await handle.describe()
        assert described.status == WorkflowExecutionStatus.COMPLETED
        assert (described.id, described.workflow_type) == (handle.id, "Noted")
        assert described.run_id == handle.first_execution_run_id
        assert await described.memo() == {"for": "tests", "count": 2}
        assert await described.memo_value("count", type_hint=int) == 2
        assert await described.memo_value("none", default=5) == 5
        with pytest.raises(KeyError, match="none"):
            await described.memo_value("none")
        assert described.typed_search_attributes[customer] == "c-1"
        assert await described.static_summary() == "a summary"
        assert await described.static_details() == "and *details*"
        assert described.current_details == "half way"
        assert described.close_time is not None
        assert described.close_time >= described.start_time


async def test_an_option_that_there_is_not_is_refused(engine: Engine) -> None:
    async with serving(engine) as client:
        with pytest.raises(TypeError, match="run_timeuot"):
            await client.start_workflow(  # type: ignore[call-overload]
                Cart.run, id="x", task_queue=QUEUE, run_timeuot=timedelta(seconds=1)
            )


# MARK: Signals, queries, updates


async def test_signals_arrive_in_order(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        for number in range(5):
            await handle.signal(Cart.add, Item("nut", number))
        await handle.signal("close")
        assert [item.count for item in await handle.result()] == [0, 1, 2, 3, 4]


async def test_a_query_has_the_type_of_its_method(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        await handle.signal(Cart.add, Item("tea"))
        assert await handle.query(Cart.contents) == [Item("tea")]
        assert await handle.query("contents") == [{"name": "tea", "count": 1}]
        assert await handle.query("contents", result_type=list[Item]) == [Item("tea")]
        with pytest.raises(WorkflowQueryFailedError, match="no such shelf"):
            await handle.query(Cart.broken)
        with pytest.raises(WorkflowQueryFailedError, match="nothing"):
            await handle.query("nothing")


async def test_a_query_is_rejected_by_its_condition(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        condition = QueryRejectCondition.NOT_OPEN
        assert await handle.query(Cart.contents, reject_condition=condition) == []
        await handle.signal(Cart.close)
        await handle.result()
        assert await handle.query(Cart.contents) == []
        clean = QueryRejectCondition.NOT_COMPLETED_CLEANLY
        assert await handle.query(Cart.contents, reject_condition=clean) == []
        with pytest.raises(WorkflowQueryRejectedError) as raised:
            await handle.query(Cart.contents, reject_condition=condition)
        assert raised.value.status == WorkflowExecutionStatus.COMPLETED


async def test_an_update_answers_rejects_or_fails(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        assert await handle.execute_update(Cart.put, Item("tea")) == 1
        for update, item, message in (
            (Cart.put, Item("air", 0), "nothing to put"),
            (Cart.put_badly, Item("tea"), "the shelf is full"),
        ):
            with pytest.raises(WorkflowUpdateFailedError) as raised:
                await handle.execute_update(update, item)
            assert isinstance(raised.value.cause, ApplicationError)
            assert raised.value.cause.message == message
        events = [event.attributes async for event in handle.fetch_history_events()]
        assert events.count("workflow_execution_update_accepted") == 2


async def test_an_update_is_waited_for_by_its_handle(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        update = await handle.start_update(
            Cart.put_later,
            Item("tea"),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            id="u-1",
        )
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await update.result(timeout=timedelta(milliseconds=20))
        await handle.signal(Cart.close)
        assert await update.result() == 1
        again = handle.get_update_handle_for(Cart.put_later, "u-1")
        assert await again.result() == 1
        assert update.workflow_run_id == handle.first_execution_run_id
        with pytest.raises(ValueError, match="ACCEPTED"):
            await handle.start_update(
                Cart.put, Item("tea"), wait_for_stage=WorkflowUpdateStage.ADMITTED
            )


async def test_update_with_start_starts_once(engine: Engine) -> None:
    async with serving(engine) as client:
        id, runs = new_id(), set()
        for count in (1, 2):
            start = WithStartWorkflowOperation(
                Cart.run,
                id=id,
                task_queue=QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            with pytest.raises(RuntimeError, match="no call"):
                await start.workflow_handle()
            result = await client.execute_update_with_start_workflow(
                Cart.put, Item("tea"), start_workflow_operation=start
            )
            assert result == count
            runs.add((await start.workflow_handle()).result_run_id)
            with pytest.raises(RuntimeError, match="one call"):
                await client.execute_update_with_start_workflow(
                    Cart.put, Item("tea"), start_workflow_operation=start
                )
        assert len(runs) == 1
        taken = WithStartWorkflowOperation(
            Cart.run,
            id=id,
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.execute_update_with_start_workflow(
                Cart.put, Item("tea"), start_workflow_operation=taken
            )
        with pytest.raises(WorkflowAlreadyStartedError):
            await taken.workflow_handle()


# MARK: What is known of workflows


async def test_lists_counts_and_pages(engine: Engine) -> None:
    async with serving(engine) as client:
        ids = [(await cart(client)).id for _ in range(5)]
        found = [one.id async for one in client.list_workflows("WorkflowType = 'Cart'")]
        assert sorted(found) == sorted(ids)
        paged = client.list_workflows(page_size=2)
        assert [one.id async for one in paged] == found
        limited = [one.id async for one in client.list_workflows(page_size=2, limit=3)]
        assert limited == found[:3]
        pages = client.list_workflows(page_size=2)
        await pages.fetch_next_page()
        rest = client.list_workflows(page_size=2, next_page_token=pages.next_page_token)
        assert [one.id async for one in rest] == found[2:]
        await client.get_workflow_handle(ids[0]).terminate()
        counted = await client.count_workflows("GROUP BY ExecutionStatus")
        groups = {group.group_values[0]: group.count for group in counted.groups}
        assert (counted.count, groups) == (5, {"RUNNING": 4, "TERMINATED": 1})
        with pytest.raises(RPCError) as raised:
            await client.count_workflows("WorkflowType = ")
        assert raised.value.reason == "FILTER_INVALID"


async def test_a_history_is_read_and_followed(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await client.start_workflow(Greeting.run, "Ada", id=new_id(), task_queue=QUEUE)
        followed = [
            event.attributes async for event in handle.fetch_history_events(wait_new_event=True)
        ]
        assert followed[0] == "workflow_execution_started"
        assert followed[-1] == "workflow_execution_completed"
        history = await handle.fetch_history()
        assert [event.attributes for event in history.events] == followed
        assert history.run_id == handle.first_execution_run_id
        closing = await handle.fetch_history(
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
        )
        assert [event.attributes for event in closing.events] == followed[-1:]


async def test_pending_activities_say_what_they_wait_for(engine: Engine) -> None:
    async with await Client.connect(engine.socket) as client, serving(engine) as served:
        handle = await served.start_workflow("Greeting", "Ada", id=new_id(), task_queue="nobody")
        described = await client.get_workflow_handle(handle.id).describe()
        assert described.status == WorkflowExecutionStatus.RUNNING
        assert described.pending_activities == []
        assert described.problems or described.raw_description.warnings


# MARK: Holdfast's own


async def test_pause_reset_fork_and_delete(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        assert await handle.execute_update(Cart.put, Item("tea")) == 1
        await handle.pause(reason="stock-taking")
        assert (await handle.describe()).status == WorkflowExecutionStatus.PAUSED
        await handle.unpause()
        forked = await handle.fork(WorkflowPoint.last_workflow_task(), id=new_id())
        assert await forked.query(Cart.contents) == [Item("tea")]
        reset = await handle.reset(WorkflowPoint.first_workflow_task(), reason="again")
        assert reset.first_execution_run_id != handle.first_execution_run_id
        await reset.signal(Cart.close)
        assert await reset.result() == [Item("tea")]
        await forked.delete()
        with pytest.raises(RPCError) as raised:
            await forked.describe()
        assert raised.value.status == RPCStatusCode.NOT_FOUND


# MARK: Errors


async def test_errors_say_what_is_wrong(engine: Engine) -> None:
    async with serving(engine) as client:
        nobody = client.get_workflow_handle("nobody")
        with pytest.raises(RPCError) as raised:
            await nobody.describe()
        assert raised.value.status == RPCStatusCode.NOT_FOUND
        assert raised.value.reason == "WORKFLOW_NOT_FOUND"
        assert "nobody" in str(raised.value)
        with pytest.raises(RPCError) as raised:
            await client.start_workflow("", id="x", task_queue=QUEUE)
        assert raised.value.status == RPCStatusCode.INVALID_ARGUMENT
        assert raised.value.field == "workflow_type"


async def test_a_result_may_be_waited_for_again(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await cart(client)
        with pytest.raises(RPCError) as raised:
            await handle.result(rpc_timeout=timedelta(milliseconds=20))
        assert raised.value.status == RPCStatusCode.DEADLINE_EXCEEDED
        await handle.signal(Cart.close)
        assert await handle.result() == []
