"""Memo, search attributes, summaries and details; lists and counts."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from holdfast import workflow
from holdfast.client import WorkflowExecutionStatus, WorkflowHistoryEventFilterType
from holdfast.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from semantics.programs import Sleeper, Waiter, seconds
from semantics.world import World

Key = SearchAttributeKey
NOTE = Key.for_text("Note")
CUSTOMER = Key.for_keyword("Customer")
TAGS = Key.for_keyword_list("Tags")
AMOUNT = Key.for_int("Amount")
SCORE = Key.for_float("Score")
PAID = Key.for_bool("Paid")
DUE = Key.for_datetime("Due")
KEYS = [NOTE, CUSTOMER, TAGS, AMOUNT, SCORE, PAID, DUE]
DAY = datetime(2026, 5, 1, tzinfo=timezone.utc)
VALUES: list[Any] = ["red apples", "c-1", ["a", "b"], 7, 2.5, True, DAY]
WITH_KEYS = pytest.mark.world(search_attributes=KEYS)


def attributes(**values: Any) -> TypedSearchAttributes:
    """By name: `Customer="c-1"`."""
    keys = {key.name: key for key in KEYS}
    return TypedSearchAttributes(
        [SearchAttributePair(keys[name], value) for name, value in values.items()]
    )


ALL = TypedSearchAttributes(
    [SearchAttributePair(key, value) for key, value in zip(KEYS, VALUES, strict=True)]
)


@WITH_KEYS
async def test_search_attributes_of_all_types_come_back_as_they_were(world: World) -> None:
    handle = await world.start("any", search_attributes=ALL)
    assert (await handle.describe()).typed_search_attributes == ALL
    (listed,) = [one async for one in world.client.list_workflows()]
    assert listed.typed_search_attributes == ALL


@WITH_KEYS
@pytest.mark.parametrize(
    "query",
    [
        "Customer = 'c-1'",
        "Customer != 'c-2'",
        "Customer IN ('c-0', 'c-1')",
        "Customer STARTS_WITH 'c-1'",
        "NOT Customer = 'c-2'",
        "Amount > 6 AND Amount <= 7",
        "Amount BETWEEN 7 AND 9",
        "Score < 3",
        "Score >= 2.5",
        "Paid = true",
        "Due = '2026-05-01T00:00:00Z'",
        "Due < '2026-06-01T00:00:00Z'",
        "Tags = 'b'",
        "Note = 'apples'",
        "Amount IS NOT NULL",
        "(Customer = 'x' OR Amount = 7) AND Paid = true",
        "WorkflowId = 'there' AND WorkflowType = 'any'",
    ],
)
async def test_a_filter_finds(world: World, query: str) -> None:
    await world.start("any", id="there", search_attributes=ALL)
    await world.start("any", id="other", search_attributes=attributes(Customer="c-2"))
    found = [one.id async for one in world.client.list_workflows(query)]
    assert "there" in found
    assert (await world.client.count_workflows(query)).count == len(found)
    if "WorkflowType" not in query:
        assert found == ["there"]


@WITH_KEYS
async def test_what_has_no_value_is_null(world: World) -> None:
    await world.start("any", id="there", search_attributes=attributes(Customer="c-1"))
    await world.start("any", id="bare")
    found = [one.id async for one in world.client.list_workflows("Customer IS NULL")]
    assert found == ["bare"]


@WITH_KEYS
async def test_lists_are_ordered_and_limited(world: World) -> None:
    for number in (3, 1, 2):
        await world.start("any", id=f"w-{number}", search_attributes=attributes(Amount=number))
    ordered = world.client.list_workflows("ORDER BY Amount DESC LIMIT 2")
    assert [one.id async for one in ordered] == ["w-3", "w-2"]


async def test_lists_are_paged_the_newest_first(world: World) -> None:
    ids = [(await world.start("any", id=f"w-{number}")).id for number in range(5)]
    client = world.client
    assert sorted([one.id async for one in client.list_workflows()]) == ids
    newest_first = [one.id async for one in client.list_workflows(page_size=2)]
    assert sorted(newest_first) == ids
    limited = client.list_workflows(page_size=2, limit=3)
    assert [one.id async for one in limited] == newest_first[:3]
    pages = client.list_workflows(page_size=2)
    await pages.fetch_next_page()
    rest = client.list_workflows(page_size=2, next_page_token=pages.next_page_token)
    assert [one.id async for one in rest] == newest_first[2:]


async def test_lists_know_what_was_acknowledged(world: World) -> None:
    for number in range(10):
        handle = await world.start("any", id=f"w-{number}")
        assert (await world.client.count_workflows("ExecutionStatus = 'Running'")).count == 1
        await handle.terminate()
        assert (await world.client.count_workflows("ExecutionStatus = 'Running'")).count == 0


async def test_counts_are_grouped(world: World) -> None:
    handles = [await world.start("any") for _ in range(5)]
    await handles[0].terminate()
    counted = await world.client.count_workflows("GROUP BY ExecutionStatus")
    groups = {group.group_values[0]: group.count for group in counted.groups}
    assert (counted.count, groups) == (5, {"RUNNING": 4, "TERMINATED": 1})


async def test_a_filter_that_cannot_be_is_refused(world: World) -> None:
    client = world.client
    for query in ("WorkflowType = ", "Nobody = 'x'", "Amount >", "((((" * 20):
        assert await world.refusal(client.count_workflows(query)) == "FILTER_INVALID"


async def test_histories_of_a_list_are_read(world: World) -> None:
    async with world.worker(Sleeper):
        for number in range(3):
            await world.execute(Sleeper, 0, id=f"w-{number}")
    histories = world.client.list_workflows().map_histories()
    found = [history async for history in histories]
    assert sorted(one.workflow_id for one in found) == ["w-0", "w-1", "w-2"]
    assert {one.events[-1].attributes for one in found} == {"workflow_execution_completed"}


# MARK: Notes


@WITH_KEYS
async def test_code_changes_attributes_and_sees_them(world: World) -> None:
    @workflow.defn
    class Changing:
        @workflow.run
        async def run(self) -> list[Any]:
            workflow.upsert_search_attributes([CUSTOMER.value_set("c-2"), AMOUNT.value_unset()])
            found = workflow.info().typed_search_attributes
            return [found.get(CUSTOMER), found.get(AMOUNT), found.get(PAID)]

    async with world.worker(Changing):
        started = attributes(Customer="c-1", Amount=3, Paid=True)
        handle = await world.start(Changing, search_attributes=started)
        assert await handle.result() == ["c-2", None, True]
    expected = attributes(Customer="c-2", Paid=True)
    assert (await handle.describe()).typed_search_attributes == expected


@WITH_KEYS
async def test_a_name_has_one_type(world: World) -> None:
    wrong = TypedSearchAttributes([SearchAttributePair(Key.for_int("Customer"), 1)])
    assert await world.refusal(world.start("any", search_attributes=wrong)) == "FIELD_INVALID"


async def test_the_memo_is_kept_changed_and_read(world: World) -> None:
    @workflow.defn
    class Noted:
        @workflow.run
        async def run(self) -> list[Any]:
            before = dict(workflow.memo())
            workflow.upsert_memo({"count": 3, "for": None, "new": ["x"]})
            return [before, workflow.memo_value("count"), workflow.memo_value("none", 5)]

    async with world.worker(Noted):
        handle = await world.start(Noted, memo={"for": "tests", "count": 2})
        assert await handle.result() == [{"for": "tests", "count": 2}, 3, 5]
        described = await handle.describe()
        assert await described.memo() == {"count": 3, "new": ["x"]}
        assert await described.memo_value("count", type_hint=int) == 3
        with pytest.raises(KeyError, match="none"):
            await described.memo_value("none")
        (listed,) = [one async for one in world.client.list_workflows()]
        assert await listed.memo() == {"count": 3, "new": ["x"]}


async def test_summaries_and_details_are_told(world: World) -> None:
    @workflow.defn
    class Told:
        @workflow.run
        async def run(self) -> None:
            workflow.set_current_details("all is *well*")
            assert workflow.get_current_details() == "all is *well*"
            await workflow.sleep(1, summary="a nap")

    async with world.worker(Told):
        handle = await world.start(Told, static_summary="a line", static_details="more of it")
        await handle.result()
        described = await handle.describe()
        assert await described.static_summary() == "a line"
        assert await described.static_details() == "more of it"
        assert described.current_details == "all is *well*"
        timers = [
            one.user_metadata
            for one in (await handle.fetch_history()).events
            if one.attributes == "timer_started"
        ]
        assert [one.summary for one in timers if one is not None] == ["a nap"]


async def test_a_description_says_what_a_workflow_is(world: World) -> None:
    async with world.worker(Sleeper):
        handle = await world.start(Sleeper, 100, run_timeout=seconds(5_000))
        await handle.result()
        described = await handle.describe()
    assert (described.id, described.workflow_type) == (handle.id, "Sleeper")
    assert described.run_id == handle.first_execution_run_id
    assert described.status == WorkflowExecutionStatus.COMPLETED
    assert described.run_timeout == seconds(5_000)
    assert described.close_time is not None
    assert described.close_time - described.start_time >= seconds(100)
    assert described.history_length == len(await world.events(handle))


async def test_a_workflow_without_a_worker_says_so(world: World) -> None:
    handle = await world.start("Missing", task_queue="nowhere")
    assert await world.has_problem(handle, "no worker for workflow type 'Missing'")
    (listed,) = [one async for one in world.client.list_workflows()]
    assert any("Missing" in one for one in listed.problems)


async def test_a_history_is_read_and_followed(world: World) -> None:
    async with world.worker(Waiter):
        handle = await world.start(Waiter)
        following = handle.fetch_history_events(wait_new_event=True)
        first = await following.__anext__()
        assert first.attributes == "workflow_execution_started"
        await handle.signal(Waiter.end)
        followed = [first, *[event async for event in following]]
        assert followed[-1].attributes == "workflow_execution_completed"
        assert [one.event_id for one in followed] == list(range(1, len(followed) + 1))
        history = await handle.fetch_history()
        assert list(history.events) == followed
        assert history.run_id == handle.first_execution_run_id
        closing = await handle.fetch_history(
            event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
        )
        assert list(closing.events) == followed[-1:]
