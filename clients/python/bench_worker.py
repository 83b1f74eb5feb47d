"""What a worker in Python does: workflows of one activity, per second and in milliseconds.

    HOLDFAST_BIN=…/holdfast bench_worker.py [--count 10000] [--in-flight 64] [--profile FILE]

Engine, worker and driver are three processes on this machine; the store is on its disk. The driver
starts a workflow and waits for its result, so many at a time. --profile: of the worker.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from holdfast import activity, workflow
from holdfast._engine import LocalEngine
from holdfast.client import Client
from holdfast.worker import Worker

QUEUE = "bench"
LIMIT = timedelta(seconds=30)


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return await workflow.execute_activity(greet, name, start_to_close_timeout=LIMIT)


async def work(socket: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(socket)
    async with Worker(client, task_queue=QUEUE, workflows=[Greeting], activities=[greet]):
        await stop.wait()


async def drive(client: Client, count: int, in_flight: int) -> tuple[float, list[float]]:
    """Workflows per second, and how long each took in milliseconds."""
    times: list[float] = []
    numbers = iter(range(count))

    async def one_after_the_other() -> None:
        for number in numbers:
            began = time.perf_counter()
            result = await client.execute_workflow(
                Greeting.run, "Ada", id=f"{began}-{number}", task_queue=QUEUE
            )
            assert result == "Hello, Ada!"
            times.append((time.perf_counter() - began) * 1_000)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return count / (time.perf_counter() - began), times


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(arguments: argparse.Namespace) -> None:
    directory = tempfile.mkdtemp(prefix="holdfast-bench-", dir=arguments.directory)
    engine = LocalEngine(database=f"{directory}/bench.db")
    await engine.start()
    assert engine.process_id is not None
    command = [sys.executable, __file__, "--work", engine.socket_path]
    if arguments.profile:
        command += ["--profile", arguments.profile]
    worker = subprocess.Popen(command)
    try:
        client = await Client.connect(engine.socket_path)
        await drive(client, 200, 8)
        pids = {"engine": engine.process_id, "worker": worker.pid, "driver": os.getpid()}
        for in_flight, count in (
            (1, arguments.count // 10),
            (arguments.in_flight, arguments.count),
        ):
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            rate, times = await drive(client, count, in_flight)
            spent = {
                name: round((cpu_seconds(pid) - before[name]) / count * 1e6)
                for name, pid in pids.items()
            }
            times.sort()
            p50, p99 = statistics.median(times), times[len(times) * 99 // 100]
            print(
                f"{in_flight} in flight: {rate:,.0f} workflows/s, p50 {p50:.2f} ms,"
                f" p99 {p99:.2f} ms; CPU us per workflow: {spent}"
            )
        await client.close()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait()
        engine.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=10_000, help="workflows")
    parser.add_argument("--in-flight", type=int, default=64, help="at a time")
    parser.add_argument("--directory", help="where the store is; the temporary one by default")
    parser.add_argument("--profile", help="a file for the worker's profile")
    parser.add_argument("--work", metavar="SOCKET", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is None:
        asyncio.run(measure(arguments))
    elif arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(asyncio.run, work(arguments.work))
        profile.dump_stats(arguments.profile)
    else:
        asyncio.run(work(arguments.work))


if __name__ == "__main__":
    main()
