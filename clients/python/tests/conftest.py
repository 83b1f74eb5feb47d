"""An engine, started from $HOLDFAST_BIN on a fresh file."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import scripted

from holdfast import Client, Worker, WorkflowHandle


class Engine:
    def __init__(self, directory: Path) -> None:
        self.socket = str(directory / "hf.sock")
        self._command = [
            os.environ["HOLDFAST_BIN"],
            "serve",
            "--db",
            str(directory / "hf.db"),
            "--socket",
            self.socket,
        ]
        self._log = directory / "engine.log"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stderr=log)

    def kill_and_restart(self) -> None:
        self.kill()
        self._process = self._start()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class World:
    """An engine, a client, and workers that end with the test."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.client = Client.connect(engine.socket)
        self._stop_workflows = scripted.start(engine.socket)
        self._workers: list[tuple[Callable[[], object], threading.Thread]] = []

    def serve(self, *activities: Callable[..., Any]) -> None:
        from served import WorkerOf  # noqa: PLC0415

        worker = Worker(
            WorkerOf(self.engine.socket),
            task_queue=scripted.ACTIVITY_QUEUE,
            activities=activities,
        )
        ready: Future[Callable[[], object]] = Future()

        async def run() -> None:
            loop, stop = asyncio.get_running_loop(), asyncio.Event()
            async with worker:
                ready.set_result(lambda: loop.call_soon_threadsafe(stop.set))
                await stop.wait()

        thread = threading.Thread(target=lambda: asyncio.run(run()))
        thread.start()
        self._workers.append((ready.result(20), thread))

    def start(self, activity: str, *args: Any, **options: Any) -> WorkflowHandle:
        call = {"activity": activity, "args": args, **options}
        return self.client.start_workflow(
            "call", call, id=f"{activity}-{uuid.uuid4()}", task_queue=scripted.WORKFLOW_QUEUE
        )

    def call(self, activity: str, *args: Any, **options: Any) -> Any:
        return self.start(activity, *args, **options).result(timeout=30)

    def close(self) -> None:
        for stop, thread in self._workers:
            stop()
            thread.join(15)
            assert not thread.is_alive(), "the worker does not stop"
        self._stop_workflows()
        self.client.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if "HOLDFAST_BIN" not in os.environ:
        pytest.skip("HOLDFAST_BIN names no engine: set it to the holdfast binary")
    made = Engine(tmp_path)
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def world(engine: Engine) -> Iterator[World]:
    made = World(engine)
    try:
        yield made
    finally:
        made.close()
