"""A worker of its own process: worker_process.py SOCKET LOG [threads|processes].

Every attempt leaves a line in LOG. A signal stops the worker; a second one ends its grace.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from served import QUEUE, WorkerOf

from holdfast import activity
from holdfast.worker import SharedStateManager, Worker

SOCKET, LOG = sys.argv[1], Path(sys.argv[2])


def note(*words: object) -> None:
    with LOG.open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def connections() -> int:
    """How many descriptors of this process are connected to the engine."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            with socket.socket(fileno=os.dup(int(name))) as one:
                count += one.getpeername() == SOCKET
        except OSError:  # no socket, or none that is connected
            continue
    return count


@activity.defn
def nap(seconds: float, first_seconds: float) -> str:
    """The first attempt takes first_seconds, the others seconds."""
    info = activity.info()
    note("start", info.attempt, info.idempotency_key, os.getpid(), connections())
    time.sleep(first_seconds if info.attempt == 1 else seconds)
    note("end", info.attempt)
    return f"attempt {info.attempt}"


async def serve(**options: Any) -> None:
    worker = Worker(
        WorkerOf(SOCKET),
        task_queue=QUEUE,
        activities=[nap],
        graceful_shutdown_timeout=timedelta(seconds=10),
        **options,
    )
    task, loop = asyncio.create_task(worker.run()), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        note("stopped")


def main() -> None:
    if sys.argv[3:] != ["processes"]:
        asyncio.run(serve())
        return
    # fork: the children have copies of every descriptor that the worker has open by then.
    context = multiprocessing.get_context("fork")
    with context.Manager() as manager, ProcessPoolExecutor(2, mp_context=context) as pool:
        shared = SharedStateManager.create_from_multiprocessing(manager)
        options = {"activity_executor": pool, "shared_state_manager": shared}
        asyncio.run(serve(**options, max_concurrent_activities=2))


if __name__ == "__main__":
    main()
