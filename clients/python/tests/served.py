"""Workflows that tests of workers and of the client talk to, and workers that serve them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from conftest import Engine

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast.client import Client, WorkflowFailureError
from holdfast.common import RetryPolicy
from holdfast.converter import DataConverter
from holdfast.exceptions import ApplicationError, CancelledError
from holdfast.worker import Worker

T = TypeVar("T")
QUEUE = "served"
WAIT = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


@dataclass(frozen=True)
class WorkerOf:
    """A client, as far as a worker needs one."""

    socket_path: str | None
    namespace: str = "default"
    identity: str = ""
    data_converter: DataConverter = DataConverter.default
    interceptors: Sequence[Any] = ()


@workflow.defn(name="call")
class Call:
    """Calls the activity that its input names: {"activity", "args", and options}."""

    @workflow.run
    async def run(self, call: dict[str, Any]) -> Any:
        def span(name: str, default: int | None = None) -> timedelta | None:
            milliseconds = call.get(name, default)
            return timedelta(milliseconds=milliseconds) if milliseconds else None

        initial = span("initial_ms", 10)
        assert initial is not None
        return await workflow.execute_activity(
            call["activity"],
            args=call.get("args", []),
            start_to_close_timeout=span("start_to_close_ms", 60_000),
            heartbeat_timeout=span("heartbeat_ms"),
            retry_policy=RetryPolicy(
                initial_interval=initial, maximum_attempts=call.get("attempts", 0)
            ),
            cancellation_type=WAIT,
            task_queue=call.get("queue"),
        )


class WorkflowFailed(Exception):
    """A workflow has ended without a result; the chain of causes says why."""

    def __init__(self, error: WorkflowFailureError) -> None:
        super().__init__(str(error.cause))
        is_cancelled = isinstance(error.cause, CancelledError)
        kind = proto.WorkflowStatus
        self.status = kind.CANCELED if is_cancelled else kind.FAILED
        self.chain: list[Any] = []
        at: BaseException | None = error.cause
        while at is not None:
            self.chain.append(at)
            at = at.__cause__


class Caller:
    """A client, in the words of these tests: workflows are named by their ids."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, method: Any, request: Any) -> Any:
        return await self.client.service_client.call(method, request)

    async def start(self, workflow_type: str, workflow_id: str, *values: Any) -> None:
        await self.client.start_workflow(
            workflow_type, args=values, id=workflow_id, task_queue=QUEUE
        )

    async def start_call(self, activity: str, *args: Any, **options: Any) -> str:
        """Has the workflow `call` call an activity; its id."""
        workflow_id = f"{activity}-{uuid.uuid4()}"
        await self.start("call", workflow_id, {"activity": activity, "args": args, **options})
        return workflow_id

    async def signal(self, workflow_id: str, name: str, *values: Any) -> None:
        await self.client.get_workflow_handle(workflow_id).signal(name, args=values)

    async def cancel(self, workflow_id: str) -> None:
        await self.client.get_workflow_handle(workflow_id).cancel()

    async def query(self, workflow_id: str, name: str) -> Any:
        return await self.client.get_workflow_handle(workflow_id).query(name)

    async def result(self, workflow_id: str, seconds: float = 20) -> Any:
        handle = self.client.get_workflow_handle(workflow_id)
        try:
            return await handle.result(rpc_timeout=timedelta(seconds=seconds))
        except WorkflowFailureError as error:
            raise WorkflowFailed(error) from None

    async def do(self, activity: str, *args: Any, **options: Any) -> Any:
        return await self.result(await self.start_call(activity, *args, **options))

    async def await_pending(
        self, workflow_id: str, holds: Callable[[proto.PendingActivity], bool]
    ) -> None:
        """Asks until the one pending activity is as it should be."""
        handle = self.client.get_workflow_handle(workflow_id)

        async def asking() -> None:
            while True:
                pending = (await handle.describe()).raw_description.pending_activities
                if pending and holds(pending[0]):
                    return
                await asyncio.sleep(0.005)

        await asyncio.wait_for(asking(), 20)

    async def complete_activity(self, token: bytes, value: Any) -> None:
        await self.client.get_async_activity_handle(task_token=token).complete(value)

    async def complete_until(self, workflow_id: str, value: Any) -> Any:
        """Completes the workflow's activity by its ids, when its worker has given it away."""
        handle = self.client.get_async_activity_handle(
            workflow_id=workflow_id, run_id=None, activity_id="1"
        )
        await handle.complete(value)
        return await self.result(workflow_id)

    async def fail_activity(self, token: bytes, error: Exception) -> None:
        await self.client.get_async_activity_handle(task_token=token).fail(error)


async def serve(
    engine: Engine,
    body: Callable[[Caller], Awaitable[T]],
    *,
    converter: DataConverter = DataConverter.default,
    **options: Any,
) -> T:
    """What the body gives while a worker serves; the workflow `call` is there, too."""
    async with (
        await Client.connect(engine.socket, data_converter=converter) as client,
        worker_of(client, **options),
    ):
        return await body(Caller(client))


def worker_of(client: Any, **options: Any) -> Worker:
    workflows = [Call, *options.pop("workflows", ())]
    return Worker(client, task_queue=QUEUE, workflows=workflows, **options)


# MARK: Workflows that the client's tests talk to

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
