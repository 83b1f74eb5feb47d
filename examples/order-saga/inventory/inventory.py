#!/usr/bin/env python3
"""The inventory and shipping worker of the order saga, on the task queue `inventory`.

    inventory.py --db FILE [--stock stock.csv] [--socket PATH]

INVENTORY_DELAY_MS makes every activity slow, half of it before the transaction and half of it
between the transaction and the answer, so that a worker can be killed in either half.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from store import Refused, Result, Store

from holdfast import activity
from holdfast.client import Client
from holdfast.exceptions import ApplicationError
from holdfast.worker import Worker

MAX_CONCURRENT = 16
DELAY_SECONDS = int(os.environ.get("INVENTORY_DELAY_MS", "0")) / 1000


def step(function: Callable[..., Result]) -> Callable[[Any, dict[str, Any]], Result]:
    """Makes an activity wait as configured, and turns what was refused into failures for good."""

    @functools.wraps(function)
    def run(self: Any, order: dict[str, Any]) -> Result:
        time.sleep(DELAY_SECONDS / 2)
        try:
            result = function(self, order)
        except Refused as refused:
            raise ApplicationError(str(refused), type=refused.type, non_retryable=True) from refused
        except KeyError as missing:
            raise ApplicationError(
                f"the input has no field {missing}", type="InvalidInput", non_retryable=True
            ) from missing
        time.sleep(DELAY_SECONDS / 2)
        return result

    return run


class Inventory:
    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn(name="reserve")
    @step
    def reserve(self, order: dict[str, Any]) -> Result:
        key = activity.info().idempotency_key
        return self._store.reserve(key, order["order_id"], order["sku"], order["quantity"])

    @activity.defn(name="release")
    @step
    def release(self, order: dict[str, Any]) -> Result:
        key = activity.info().idempotency_key
        return self._store.release(key, order["order_id"], order["sku"])

    @activity.defn(name="ship")
    @step
    def ship(self, order: dict[str, Any]) -> Result:
        return self._store.ship(activity.info().idempotency_key, order["order_id"])


async def serve(socket: str | None, inventory: Inventory) -> None:
    """Until SIGTERM; the steps that are under way may end then."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    client = await Client.connect(socket, lazy=True)
    with ThreadPoolExecutor(MAX_CONCURRENT) as threads:
        worker = Worker(
            client,
            task_queue="inventory",
            activities=[inventory.reserve, inventory.release, inventory.ship],
            activity_executor=threads,
            max_concurrent_activities=MAX_CONCURRENT,
            graceful_shutdown_timeout=timedelta(seconds=10),
        )
        async with worker:
            await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="inventory and shipping worker")
    parser.add_argument("--db", required=True, help="the SQLite file")
    parser.add_argument("--stock", type=Path, help="CSV file with what is on hand at first")
    parser.add_argument("--socket", help="the engine's socket")
    arguments = parser.parse_args()

    store = Store(arguments.db)
    if arguments.stock is not None:
        store.fill(arguments.stock)
    asyncio.run(serve(arguments.socket, Inventory(store)))


if __name__ == "__main__":
    main()
