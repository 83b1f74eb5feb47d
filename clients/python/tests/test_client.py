"""What a client does when its connection is lost. All else of it: semantics/."""

from __future__ import annotations

import asyncio

from conftest import Engine
from served import QUEUE, Cart, serving

from holdfast.client import Client, WorkflowExecution


async def test_a_history_is_followed_over_a_restart_of_the_engine(engine: Engine) -> None:
    async with serving(engine) as client:
        handle = await client.start_workflow(Cart.run, id="c", task_queue=QUEUE)
        following = handle.fetch_history_events(wait_new_event=True)
        first = await following.__anext__()
        engine.kill_and_restart()
        await handle.signal(Cart.close)
        rest = [event async for event in following]
        events = [first, *rest]
        assert [one.event_id for one in events] == list(range(1, len(events) + 1))
        assert events[-1].attributes == "workflow_execution_completed"


async def test_a_list_is_asked_for_again_when_the_connection_is_lost(engine: Engine) -> None:
    async with await Client.connect(engine.socket) as client:
        handle = await client.start_workflow(Cart.run, id="c", task_queue=QUEUE)
        engine.kill()
        listing = asyncio.create_task(first(client))
        await asyncio.sleep(0)
        engine.kill_and_restart()
        assert (await listing).id == handle.id


async def first(client: Client) -> WorkflowExecution:
    return await client.list_workflows().__anext__()
