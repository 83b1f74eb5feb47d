"""Workflows that the tests of the client talk to, and a worker that serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conftest import Engine

from holdfast import activity, workflow
from holdfast.client import Client
from holdfast.common import RetryPolicy
from holdfast.exceptions import ApplicationError
from holdfast.worker import Worker

QUEUE = "python"
SHORT = timedelta(seconds=20)


@dataclass
class Item:
    name: str
    count: int = 1


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@activity.defn
async def fail(message: str) -> None:
    raise ApplicationError(message, {"code": 7}, type="Broken", non_retryable=True)


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=SHORT)


@workflow.defn
class Failing:
    @workflow.run
    async def run(self, message: str) -> None:
        await workflow.execute_activity(
            fail,
            message,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )


@workflow.defn
class Cart:
    """Collects items until it is told to end, or cancelled."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.is_done = False

    @workflow.run
    async def run(self) -> list[Item]:
        await workflow.wait_condition(lambda: self.is_done)
        return self.items

    @workflow.signal
    def add(self, item: Item) -> None:
        self.items.append(item)

    @workflow.signal
    def close(self) -> None:
        self.is_done = True

    @workflow.query
    def contents(self) -> list[Item]:
        return self.items

    @workflow.query
    def broken(self) -> None:
        raise ValueError("no such shelf")

    @workflow.update
    def put(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items)

    @put.validator
    def check_put(self, item: Item) -> None:
        if item.count <= 0:
            raise ApplicationError("nothing to put", type="Empty")

    @workflow.update
    async def put_later(self, item: Item) -> int:
        await workflow.wait_condition(lambda: self.is_done)
        self.items.append(item)
        return len(self.items)

    @workflow.update
    async def put_badly(self, item: Item) -> int:
        raise ApplicationError("the shelf is full", type="Full")


@workflow.defn
class Chain:
    """Goes on as new until its number is 0."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left > 0:
            workflow.continue_as_new(left - 1)
        return workflow.info().run_id


@workflow.defn
class Noted:
    """Says of itself what it was started with."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        workflow.set_current_details("half way")
        return {"memo": dict(workflow.memo()), "id": workflow.info().workflow_id}


WORKFLOWS: Sequence[type] = (Greeting, Failing, Cart, Chain, Noted)


@asynccontextmanager
async def served(
    client: Client, workflows: Sequence[type] = WORKFLOWS, **options: Any
) -> AsyncIterator[Client]:
    """While it goes on, a worker serves these workflows."""
    async with Worker(
        client, task_queue=QUEUE, workflows=workflows, activities=[greet, fail], **options
    ):
        yield client


@asynccontextmanager
async def serving(engine: Engine, **options: Any) -> AsyncIterator[Client]:
    """A client, while a worker serves the workflows of this file."""
    async with await Client.connect(engine.socket) as client, served(client, **options):
        yield client
