"""Activities without a workflow, as this SDK starts them; how they behave: semantics/."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from conftest import Engine
from served import QUEUE, Item
from test_codec import Shift

from holdfast import activity
from holdfast import client as c
from holdfast.client import ActivityFailureError, ActivityHandle, Client
from holdfast.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, Priority, RetryPolicy
from holdfast.converter import DataConverter, PayloadConverter
from holdfast.exceptions import ApplicationError
from holdfast.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    Worker,
)

LIMIT = timedelta(seconds=20)


@activity.defn
async def more_of(item: Item, number: int) -> Item:
    return Item(item.name, item.count + number)


@activity.defn
def in_a_thread(name: str) -> str:
    return f"{name} in a thread"


@activity.defn(name="no-argument")
async def nothing() -> None:
    pass


class Shop:
    @activity.defn
    async def buy(self, item: Item) -> Item:
        return Item(f"bought {item.name}", item.count)

    @activity.defn(name="sell")
    def sell_all(self) -> int:
        return 7


class Counter:
    @activity.defn
    async def __call__(self, items: list[Item]) -> Item:
        return Item("all", sum(item.count for item in items))


@asynccontextmanager
async def served(engine: Engine, **options: Any) -> AsyncIterator[Client]:
    shop = Shop()
    async with (
        await Client.connect(engine.socket, **options) as client,
        Worker(
            client,
            task_queue=QUEUE,
            activities=[more_of, in_a_thread, nothing, shop.buy, shop.sell_all, Counter()],
        ),
    ):
        yield client


async def test_functions_classes_and_methods_are_started_and_executed(engine: Engine) -> None:
    async with served(engine) as client:
        common: Any = {"task_queue": QUEUE, "start_to_close_timeout": LIMIT}
        two = Item("two", 2)

        handle = await client.start_activity(more_of, args=[two, 3], id="a", **common)
        assert await handle.result() == Item("two", 5)
        assert await client.execute_activity(in_a_thread, "Ada", id="b", **common) == (
            "Ada in a thread"
        )
        assert await client.execute_activity(nothing, id="c", **common) is None
        bought = await client.start_activity_method(Shop.buy, two, id="d", **common)
        assert await bought.result() == Item("bought two", 2)
        assert await client.execute_activity_method(Shop.sell_all, id="e", **common) == 7
        counted = await client.start_activity_class(Counter, [two, two], id="f", **common)
        assert await counted.result() == Item("all", 4)
        assert await client.execute_activity_class(Counter, [two], id="g", **common) == (
            Item("all", 2)
        )
        types = {one.activity_id: one.activity_type async for one in client.list_activities()}
        assert types == {
            "a": "more_of",
            "b": "in_a_thread",
            "c": "no-argument",
            "d": "buy",
            "e": "sell",
            "f": "Counter",
            "g": "Counter",
        }


async def test_names_have_the_result_type_that_is_given(engine: Engine) -> None:
    async with served(engine) as client:
        common: Any = {"args": [Item("a"), 1], "id": "a", "task_queue": QUEUE}
        common["schedule_to_close_timeout"] = LIMIT
        plain = {"name": "a", "count": 2}
        assert await client.execute_activity("more_of", **common) == plain
        assert await client.execute_activity("more_of", result_type=Item, **common) == Item("a", 2)
        assert await client.get_activity_handle("a").result() == plain
        typed: ActivityHandle[Item] = client.get_activity_handle("a", result_type=Item)
        assert await typed.result() == Item("a", 2)
        (found,) = [one async for one in client.list_activities(limit=1)]
        of_run = client.get_activity_handle("a", run_id=found.activity_run_id, result_type=Item)
        assert (of_run.id, of_run.run_id) == ("a", found.activity_run_id)
        assert await of_run.result() == Item("a", 2)


async def test_options_that_cannot_be_are_refused(engine: Engine) -> None:
    async with await Client.connect(engine.socket) as client:
        common: Any = {"id": "a", "task_queue": QUEUE}
        with pytest.raises(TypeError, match="no option start_to_close_timeuot"):
            await client.start_activity("any", start_to_close_timeuot=LIMIT, **common)
        with pytest.raises(ValueError, match="needs start_to_close_timeout or schedule_to_close"):
            await client.start_activity("any", heartbeat_timeout=LIMIT, **common)
        with pytest.raises(ValueError, match="give either one value or args"):
            await client.start_activity("any", 1, args=[2], start_to_close_timeout=LIMIT, **common)
        with pytest.raises(ValueError, match="give one of them"):
            await client.start_activity(
                "any", summary="a", static_summary="b", start_to_close_timeout=LIMIT, **common
            )
        with pytest.raises(TypeError, match=r"@activity\.defn"):
            await client.start_activity(len, "a", start_to_close_timeout=LIMIT, **common)
        assert (await client.count_activities()).count == 0


# MARK: Interceptors

TRACE = {"trace": PayloadConverter.default.to_payload("t-1")}


class Tells(c.Interceptor, Interceptor):
    """Of the client's calls, and of the headers that come with an attempt."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def intercept_client(self, next: c.OutboundInterceptor) -> c.OutboundInterceptor:
        return _Calls(self.seen, next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Attempts(self.seen, next)


class _Attempts(ActivityInboundInterceptor):
    def __init__(self, seen: list[Any], next: ActivityInboundInterceptor) -> None:
        super().__init__(next)
        self._seen = seen

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        headers = {key: value.data for key, value in input.headers.items()}
        self._seen.append(("attempt", list(input.args), headers))
        return await super().execute_activity(input)


class _Calls(c.OutboundInterceptor):
    def __init__(self, seen: list[Any], next: c.OutboundInterceptor) -> None:
        super().__init__(next)
        self._seen = seen

    async def start_activity(self, input: c.StartActivityInput) -> ActivityHandle[Any]:
        self._seen.append(input)
        input.headers = TRACE
        input.args = ["changed"]
        return await super().start_activity(input)

    async def describe_activity(
        self, input: c.DescribeActivityInput
    ) -> c.ActivityExecutionDescription:
        self._seen.append(input)
        return await super().describe_activity(input)

    async def cancel_activity(self, input: c.CancelActivityInput) -> None:
        self._seen.append(input)
        await super().cancel_activity(input)

    async def terminate_activity(self, input: c.TerminateActivityInput) -> None:
        self._seen.append(input)
        await super().terminate_activity(input)

    async def pause_activity(self, input: c.PauseActivityInput) -> None:
        self._seen.append(input)
        await super().pause_activity(input)

    async def unpause_activity(self, input: c.UnpauseActivityInput) -> None:
        self._seen.append(input)
        await super().unpause_activity(input)

    def list_activities(self, input: c.ListActivitiesInput) -> c.ActivityExecutionAsyncIterator:
        self._seen.append(input)
        return super().list_activities(input)

    async def count_activities(self, input: c.CountActivitiesInput) -> c.ActivityExecutionCount:
        self._seen.append(input)
        return await super().count_activities(input)


async def test_interceptors_see_a_start_and_change_it(engine: Engine) -> None:
    tells = Tells()
    async with served(engine, interceptors=[tells]) as client:
        handle = await client.start_activity(
            in_a_thread,
            "Ada",
            id="a",
            task_queue=QUEUE,
            start_to_close_timeout=LIMIT,
            static_summary="greets",
            priority=Priority(priority_key=2),
        )
        assert await handle.result() == "changed in a thread"
    start, attempt = tells.seen
    assert start == c.StartActivityInput(
        activity_type="in_a_thread",
        args=["changed"],
        id="a",
        task_queue=QUEUE,
        result_type=str,
        schedule_to_close_timeout=None,
        start_to_close_timeout=LIMIT,
        schedule_to_start_timeout=None,
        heartbeat_timeout=None,
        id_reuse_policy=ActivityIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=ActivityIDConflictPolicy.FAIL,
        retry_policy=None,
        priority=Priority(priority_key=2),
        search_attributes=None,
        summary="greets",
        start_delay=None,
        headers=TRACE,
        rpc_metadata={},
        rpc_timeout=None,
        static_details=None,
        start_at=None,
        memo=None,
        hold_when_exhausted=False,
        request_id="",
    )
    assert attempt == ("attempt", ["changed"], {"trace": b'"t-1"'})


async def test_interceptors_see_the_other_calls(engine: Engine) -> None:
    tells = Tells()
    async with await Client.connect(engine.socket, interceptors=[tells]) as client:
        handle = await client.start_activity(
            "nobody", id="a", task_queue=QUEUE, start_to_close_timeout=LIMIT
        )
        tells.seen.clear()
        run = handle.run_id
        await handle.pause(reason="1")
        await handle.unpause(reason="2", reset_attempts=True)
        await handle.describe(include_outcome=True)
        await handle.cancel(reason="3")
        await client.start_activity(
            "nobody", id="a", task_queue=QUEUE, start_to_close_timeout=LIMIT
        )
        await client.get_activity_handle("a").terminate(rpc_timeout=LIMIT)
        assert len([one async for one in client.list_activities("ActivityId = 'a'", limit=1)]) == 1
        assert (await client.count_activities()).count == 2
    assert tells.seen == [
        c.PauseActivityInput("a", run, "1", {}, None),
        c.UnpauseActivityInput("a", run, "2", True, False, {}, None),
        c.DescribeActivityInput("a", run, True, {}, None),
        c.CancelActivityInput("a", run, "3", {}, None),
        tells.seen[4],
        c.TerminateActivityInput("a", None, None, {}, LIMIT),
        c.ListActivitiesInput("ActivityId = 'a'", 1_000, None, {}, None, 1),
        c.CountActivitiesInput(None, {}, None),
    ]
    assert isinstance(tells.seen[4], c.StartActivityInput)


# MARK: Values and logs


async def test_a_codec_sees_all_values(engine: Engine) -> None:
    @activity.defn
    async def fails(secret: str) -> None:
        activity.heartbeat(secret)
        raise ApplicationError(f"no {activity.info().attempt}", secret)

    converter = DataConverter(payload_codec=Shift())
    async with (
        await Client.connect(engine.socket, data_converter=converter) as client,
        Worker(client, task_queue=QUEUE, activities=[in_a_thread, fails]),
    ):
        common: Any = {"task_queue": QUEUE, "start_to_close_timeout": LIMIT}
        common["memo"] = {"who": "Ada"}
        handle = await client.start_activity(in_a_thread, "Ada", id="a", **common)
        assert await handle.result() == "Ada in a thread"
        found = await handle.describe(include_outcome=True)
        assert (await found.memo(), await found.result()) == ({"who": "Ada"}, "Ada in a thread")
        assert found.raw_outcome is not None
        assert found.raw_outcome.result[0].encoding == "binary/shifted"
        twice = RetryPolicy(timedelta(milliseconds=1), maximum_attempts=2)
        failing = await client.start_activity(fails, "Ada", id="b", retry_policy=twice, **common)
        with pytest.raises(ActivityFailureError) as raised:
            await failing.result()
        told = await (await failing.describe()).last_failure()
        for error in (told, raised.value.cause):
            assert isinstance(error, ApplicationError)
            assert (error.message, list(error.details)) == ("no 2", ["Ada"])


async def test_the_logger_says_which_run_it_is(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    @activity.defn
    async def says() -> None:
        activity.logger.info("here")

    with caplog.at_level(logging.INFO, "holdfast.activity"):
        async with (
            await Client.connect(engine.socket) as client,
            Worker(client, task_queue=QUEUE, activities=[says]),
        ):
            handle = await client.start_activity(
                says, id="a", task_queue=QUEUE, start_to_close_timeout=LIMIT
            )
            await handle.result()
    (record,) = (one for one in caplog.records if one.message.startswith("here"))
    details: Any = record.__dict__["holdfast_activity"]
    assert (details["activity_id"], details["activity_run_id"]) == ("a", handle.run_id)
    assert (details["workflow_id"], details["workflow_run_id"]) == ("", "")


# MARK: Elsewhere


async def test_one_that_was_left_is_named_by_its_token_or_its_id(engine: Engine) -> None:
    left: asyncio.Queue[bytes] = asyncio.Queue()

    @activity.defn
    async def leaves() -> Item:
        left.put_nowait(activity.info().task_token)
        activity.raise_complete_async()

    async with (
        await Client.connect(engine.socket) as client,
        Worker(client, task_queue=QUEUE, activities=[leaves]),
    ):
        common: Any = {"task_queue": QUEUE, "start_to_close_timeout": LIMIT}
        first = await client.start_activity(leaves, id="a", **common)
        token = await left.get()
        await client.get_async_activity_handle(task_token=token).complete(Item("by token"))
        assert await first.result() == Item("by token")
        second = await client.start_activity(leaves, id="b", **common)
        await left.get()
        await client.get_async_activity_handle(activity_id="b").complete(Item("by id"))
        assert await second.result() == Item("by id")
        with pytest.raises(ValueError, match="by task_token, or by activity_id"):
            client.get_async_activity_handle(  # type: ignore[call-overload]
                workflow_id="w", run_id=None
            )


async def test_a_result_is_waited_for_over_a_restart_of_the_engine(engine: Engine) -> None:
    async with await Client.connect(engine.socket) as client:
        handle = await client.start_activity(
            in_a_thread, "Ada", id="a", task_queue=QUEUE, start_to_close_timeout=LIMIT
        )
        waiting = asyncio.create_task(handle.result())
        # On the same connection, behind it.
        await handle.describe()
        engine.kill_and_restart()
        assert [one.activity_id async for one in client.list_activities()] == ["a"]
        async with Worker(client, task_queue=QUEUE, activities=[in_a_thread]):
            assert await waiting == "Ada in a thread"
