"""The order workflow again, in Python: the steps and the history of OrderWorkflow.swift.

order.py [--socket PATH] serves the task queue `orders`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from holdfast import workflow
from holdfast.client import Client
from holdfast.common import RetryPolicy
from holdfast.exceptions import FailureError
from holdfast.worker import Worker

TASK_QUEUE = "orders"
OPTIONS = workflow.ActivityConfig(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2)
    ),
)


@dataclass
class Order:
    """One order of the CSV file; the names are those that travel."""

    orderID: str
    sku: str
    quantity: int
    card: str
    amountCents: int
    approvalTimeoutMs: int


class Outcome(str, Enum):
    """How an order ended."""

    COMPLETED = "completed"
    # Something failed; what had been done was undone.
    COMPENSATED = "compensated"
    # Nobody approved it in time; what had been done was undone.
    TIMED_OUT = "timed_out"


@workflow.defn(name="order")
class OrderWorkflow:
    """Reserve stock, charge, wait for the approval, ship. Before each step its compensation is
    noted; when a step fails they run in reverse."""

    def __init__(self) -> None:
        self.state = "new"
        self.is_approved = False

    @workflow.signal
    def approve(self) -> None:
        self.is_approved = True

    @workflow.query
    def status(self) -> str:
        return self.state

    @workflow.run
    async def run(self, order: Order) -> Outcome:
        compensations: list[Callable[[], Awaitable[Any]]] = []
        try:
            return await self.forward(order, compensations)
        except (FailureError, asyncio.TimeoutError, asyncio.CancelledError) as error:
            self.state = "compensating"
            await asyncio.shield(self.back(compensations))
            self.state = "compensated"
            is_late = isinstance(error, asyncio.TimeoutError)
            return Outcome.TIMED_OUT if is_late else Outcome.COMPENSATED

    async def forward(
        self, order: Order, compensations: list[Callable[[], Awaitable[Any]]]
    ) -> Outcome:
        self.state = "reserving"
        stock = {"order_id": order.orderID, "sku": order.sku, "quantity": order.quantity}
        compensations.append(lambda: call("release", stock, "inventory"))
        await call("reserve", stock, "inventory")

        self.state = "charging"
        payment = {
            "order_id": order.orderID,
            "card": order.card,
            "amount_cents": order.amountCents,
        }
        compensations.append(lambda: call("refund", payment, "payments"))
        await call("charge", payment, "payments")

        self.state = "waiting for approval"
        await workflow.wait_condition(
            lambda: self.is_approved, timeout=timedelta(milliseconds=order.approvalTimeoutMs)
        )

        self.state = "shipping"
        await call("ship", {"order_id": order.orderID}, "inventory")
        self.state = "completed"
        return Outcome.COMPLETED

    async def back(self, compensations: list[Callable[[], Awaitable[Any]]]) -> None:
        for compensate in reversed(compensations):
            await compensate()


async def call(activity: str, input: dict[str, Any], task_queue: str) -> Any:
    return await workflow.execute_activity(activity, input, task_queue=task_queue, **OPTIONS)


async def main(socket: str | None) -> None:
    client = await Client.connect(socket)
    await Worker(client, task_queue=TASK_QUEUE, workflows=[OrderWorkflow]).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the order workflow's worker")
    parser.add_argument("--socket", help="the engine's socket")
    asyncio.run(main(parser.parse_args().socket))
