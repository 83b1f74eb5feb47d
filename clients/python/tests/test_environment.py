"""Environments for tests, and the replayer."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from served import QUEUE, Cart, Greeting, Item, served

from holdfast import workflow
from holdfast._engine import EngineError, LocalEngine
from holdfast.client import Client, WorkflowHistory
from holdfast.common import SearchAttributeKey
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Replayer
from holdfast.workflow import NondeterminismError

MONTH = timedelta(days=30)

pytestmark = pytest.mark.usefixtures("binary")


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, days: int) -> str:
        before = workflow.now()
        await asyncio.sleep(timedelta(days=days).total_seconds())
        return str((workflow.now() - before).days)


async def test_a_month_is_over_at_once() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        assert env.supports_time_skipping
        async with served(env.client, workflows=[Sleeper]):
            before, began = await env.get_current_time(), time.monotonic()
            result = await env.client.execute_workflow(Sleeper.run, 30, id="s", task_queue=QUEUE)
            assert result == "30"
            assert time.monotonic() - began < 1
            assert await env.get_current_time() - before >= MONTH


async def test_time_is_slept_held_and_advanced() -> None:
    env = await WorkflowEnvironment.start_time_skipping()
    async with env, served(env.client, workflows=[Sleeper]):
        before = await env.get_current_time()
        await env.sleep(MONTH)
        slept = await env.get_current_time()
        assert MONTH <= slept - before < MONTH + timedelta(minutes=1)
        with env.auto_time_skipping_disabled():
            handle = await env.client.start_workflow(Sleeper.run, 1, id="s", task_queue=QUEUE)
            with pytest.raises(Exception, match=r"time|deadline|over"):
                await handle.result(rpc_timeout=timedelta(milliseconds=100))
        assert await handle.result() == "1"
        await env.advance_time(MONTH)
        assert await env.get_current_time() - slept >= MONTH + timedelta(days=1)


async def test_a_local_engine_has_its_own_namespace_and_attributes() -> None:
    customer = SearchAttributeKey.for_keyword("Customer")
    async with await WorkflowEnvironment.start_local(
        namespace="shop", search_attributes=[customer]
    ) as env:
        assert not env.supports_time_skipping
        found = await env.client.count_workflows("Customer = 'c-1'")
        assert (found.count, env.client.namespace) == (0, "shop")
        async with served(env.client) as client:
            result = await client.execute_workflow(Greeting.run, "Bo", id="g", task_queue=QUEUE)
            assert result == "Hello, Bo!"


async def test_an_engine_that_does_not_start_says_why(tmp_path: object) -> None:
    with pytest.raises(EngineError, match="no-such-option"):
        await WorkflowEnvironment.start_local(arguments=["--no-such-option"])
    with pytest.raises(EngineError, match="cannot be run"):
        await WorkflowEnvironment.start_local(binary=f"{tmp_path}/none")


async def test_an_engine_goes_on_with_its_database(tmp_path: object) -> None:
    engine = LocalEngine(database=f"{tmp_path}/e.db")
    await engine.start()
    env = WorkflowEnvironment(await Client.connect(engine.socket_path), engine, False)
    async with env:
        handle = await env.client.start_workflow(Cart.run, id="c", task_queue=QUEUE)
        engine.kill()
        assert engine.process_id is None
        await engine.start()
        assert (await handle.describe()).run_id == handle.first_execution_run_id
    assert engine.process_id is None


# MARK: Replays


async def history_of_a_cart() -> WorkflowHistory:
    async with await WorkflowEnvironment.start_local() as env, served(env.client) as client:
        handle = await client.start_workflow(Cart.run, id="c", task_queue=QUEUE)
        await handle.execute_update(Cart.put, Item("tea"))
        await handle.signal(Cart.close)
        await handle.result()
        return await handle.fetch_history()


async def test_the_same_code_replays() -> None:
    history = await history_of_a_cart()
    async with Replayer(workflows=[Cart, Sleeper]) as replayer:
        result = await replayer.replay_workflow(history)
        assert result.replay_failure is None
        assert result.events == len(history.events)
        # The update may have come with the start.
        assert result.workflow_tasks in (2, 3)
        again = WorkflowHistory.from_json("c", history.to_json())
        assert (await replayer.replay_workflow(again)).replay_failure is None


async def test_changed_code_is_told_where() -> None:
    history = await history_of_a_cart()

    @workflow.defn(name="Cart")
    class Changed(Cart):
        @workflow.run
        async def run(self) -> list[Item]:
            await asyncio.sleep(10)
            return await super().run()

    async with Replayer(workflows=[Changed]) as replayer:
        with pytest.raises(NondeterminismError, match=r"START_TIMER.*test_environment.py:\d+"):
            await replayer.replay_workflow(history)

        async def twice() -> AsyncIterator[WorkflowHistory]:
            yield history
            yield dataclasses.replace(history)

        results = await replayer.replay_workflows(twice(), raise_on_replay_failure=False)
        assert list(results.replay_failures) == [history.run_id]
        async with replayer.workflow_replay_iterator(twice()) as found:
            failures = [type(result.replay_failure) async for result in found]
        assert failures == [NondeterminismError, NondeterminismError]


async def test_an_unknown_workflow_is_told() -> None:
    history = await history_of_a_cart()
    async with Replayer(workflows=[Sleeper]) as replayer:
        with pytest.raises(NondeterminismError, match="no workflow 'Cart'"):
            await replayer.replay_workflow(history)


async def test_time_that_was_held_to_the_end_is_let_go_quietly() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with env.auto_time_skipping_disabled():
            pass
    del env
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []
