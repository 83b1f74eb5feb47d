#!/usr/bin/env python3
"""Records histories of the order workflow, one for each way in which an order can end.

    record_histories.py PATH/TO/order-worker

The argument is the worker in Swift. Needs the Python SDK and an engine (HOLDFAST_BIN). Writes
`histories/*.jsonl`; order.py must replay them.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from order import TASK_QUEUE, Order

from holdfast import activity
from holdfast.client import Client
from holdfast.exceptions import ApplicationError
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Worker

HERE = Path(__file__).parent
LONG_MS = int(timedelta(days=3).total_seconds()) * 1_000


@activity.defn
async def reserve(stock: dict[str, Any]) -> None:
    if stock["quantity"] > 10:
        raise ApplicationError("fewer on hand", type="OutOfStock", non_retryable=True)


@activity.defn
async def charge(payment: dict[str, Any]) -> None:
    if payment["card"].startswith("declined"):
        raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)


@activity.defn
async def release(stock: dict[str, Any]) -> None:
    pass


@activity.defn
async def refund(payment: dict[str, Any]) -> None:
    pass


@activity.defn
async def ship(shipment: dict[str, Any]) -> None:
    pass


# The first ones wait for the worker; those that are asked how far they are come then.
ORDERS = {
    "out_of_stock": Order("o-2", "barometer", 11, "card-2", 1_200, LONG_MS),
    "declined": Order("o-3", "barometer", 1, "declined-3", 1_200, LONG_MS),
    "timed_out": Order("o-4", "barometer", 1, "card-4", 1_200, LONG_MS),
    "approved": Order("o-1", "barometer", 1, "card-1", 1_200, LONG_MS),
    "cancelled": Order("o-5", "barometer", 1, "card-5", 1_200, LONG_MS),
}


async def record(client: Client, name: str, order: Order) -> None:
    handle = await client.start_workflow("order", asdict(order), id=name, task_queue=TASK_QUEUE)
    if name in ("approved", "cancelled"):
        while await handle.query("status") != "waiting for approval":
            await asyncio.sleep(0.01)
        await (handle.signal("approve") if name == "approved" else handle.cancel())
    outcome = await handle.result()
    history = await handle.fetch_history()
    # Names and paths of the machine that records say nothing.
    text = re.sub(r',"stackTrace":"(?:[^"\\]|\\.)*"', "", history.to_json())
    text = re.sub(r'"\d+@[\w.-]+"', '"1@example"', text)
    (HERE / "histories" / f"{name}.jsonl").write_text(text)
    print(f"{name}: {outcome}, {len(history.events)} events")


async def main(order_worker: str) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue="inventory",
            activities=[reserve, release, ship],
            identity="inventory",
        ),
        Worker(env.client, task_queue="payments", activities=[charge, refund], identity="payments"),
    ):
        socket = env.client.socket_path
        assert socket is not None
        worker = subprocess.Popen([order_worker, socket])
        try:
            for name, order in ORDERS.items():
                await record(env.client, name, order)
        finally:
            worker.terminate()
            worker.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
