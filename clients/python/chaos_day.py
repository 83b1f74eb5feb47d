"""A day of virtual time for many workflows under chaos: none is stuck, no signal lost.

    HOLDFAST_BIN=…/holdfast chaos_day.py [--seeds 10] [--workflows 1000] [--hours 24]

Each workflow sleeps an hour, calls an activity, and so on, while signals come. At the end each has
heard all its signals, in their order; the report of the environment is clean; and the process, with
the worker in it, has as much memory as after the first tenth of the day, but for --growth.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from pathlib import Path

from holdfast import activity, workflow
from holdfast.client import Client, WorkflowHandle
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Worker

QUEUE = "day"
LIMIT = timedelta(minutes=1)
AT_ONCE = 100
SIGNAL_EACH_HOURS = 4


@activity.defn
async def double(number: int) -> int:
    return 2 * number


@workflow.defn
class Day:
    def __init__(self) -> None:
        self.heard: list[int] = []

    @workflow.signal
    def tell(self, number: int) -> None:
        self.heard.append(number)

    @workflow.run
    async def run(self, hours: int, signals: int) -> list[int]:
        for hour in range(hours):
            await asyncio.sleep(3_600)
            doubled = await workflow.execute_activity(double, hour, start_to_close_timeout=LIMIT)
            assert doubled == 2 * hour
        await workflow.wait_condition(lambda: len(self.heard) >= signals)
        return self.heard


Handle = WorkflowHandle[Day, list[int]]


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 2**20


async def by_hundreds(calls: Iterable[asyncio.Future[object]]) -> None:
    waiting = iter(calls)
    while some := list(islice(waiting, AT_ONCE)):
        await asyncio.gather(*some)


async def start(client: Client, count: int, hours: int, signals: int) -> list[Handle]:
    handles: list[Handle] = []

    async def one(number: int) -> None:
        handles.append(
            await client.start_workflow(
                Day.run, args=[hours, signals], id=f"day-{number}", task_queue=QUEUE
            )
        )

    await by_hundreds(asyncio.ensure_future(one(number)) for number in range(count))
    return handles


async def day(seed: int, arguments: argparse.Namespace) -> bool:
    began, hours = time.monotonic(), arguments.hours
    signals = hours // SIGNAL_EACH_HOURS
    async with await WorkflowEnvironment.start_chaos(seed) as env:
        worker = Worker(env.client, task_queue=QUEUE, workflows=[Day], activities=[double])
        async with worker:
            handles = await start(env.client, arguments.workflows, hours, signals)
            memory: list[float] = []
            for hour in range(hours):
                if hour % SIGNAL_EACH_HOURS == 0:
                    number = hour // SIGNAL_EACH_HOURS
                    await by_hundreds(
                        asyncio.ensure_future(handle.signal(Day.tell, number)) for handle in handles
                    )
                await env.sleep(timedelta(hours=1))
                memory.append(resident_mib())
                if sys.stderr.isatty():
                    print(f"seed {seed}: hour {hour + 1} of {hours}", end="\r", file=sys.stderr)
            results = await asyncio.gather(*(handle.result() for handle in handles))
        lost = sum(heard != list(range(signals)) for heard in results)
        first = memory[max(hours // 10 - 1, 0)]
        growth = memory[-1] / first - 1
        print(env.chaos_report)
        print(
            f"seed {seed}: {len(results)} workflows, {lost} with lost or doubled signals;"
            f" {first:.0f} MiB after a tenth, {memory[-1]:.0f} MiB at the end ({growth:+.1%});"
            f" {time.monotonic() - began:.0f} s",
            flush=True,
        )
        return lost == 0 and env.chaos_report.is_clean and growth <= arguments.growth


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=10, help="how many days")
    parser.add_argument("--seed", type=int, default=1, help="of the first")
    parser.add_argument("--workflows", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24, help="of virtual time")
    parser.add_argument("--growth", type=float, default=0.05, help="of memory that is allowed")
    arguments = parser.parse_args()
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    failed = [seed for seed in seeds if not asyncio.run(day(seed, arguments))]
    print(f"failed: {failed}" if failed else f"{len(seeds)} seeds, all well")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
