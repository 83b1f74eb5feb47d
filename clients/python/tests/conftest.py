"""An engine, started from $HOLDFAST_BIN on a fresh file, with the scripted workflow's worker."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
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
        self._workers: list[tuple[Worker, threading.Thread]] = []

    def serve(self, *activities: Callable[..., Any], **options: Any) -> Worker:
        worker = Worker(self.client, scripted.ACTIVITY_QUEUE, activities=activities, **options)
        thread = threading.Thread(target=worker.run)
        thread.start()
        self._workers.append((worker, thread))
        return worker

    def start(self, activity: str, *args: Any, **options: Any) -> WorkflowHandle:
        call = {"activity": activity, "args": args, **options}
        return self.client.start_workflow(
            "call", call, id=f"{activity}-{uuid.uuid4()}", task_queue=scripted.WORKFLOW_QUEUE
        )

    def call(self, activity: str, *args: Any, **options: Any) -> Any:
        return self.start(activity, *args, **options).result(timeout=30)

    def close(self) -> None:
        for worker, _ in self._workers:
            worker.stop()
        for worker, thread in self._workers:
            thread.join(15)
            assert not thread.is_alive(), f"{worker} does not stop"
        self._stop_workflows()
        self.client.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if "HOLDFAST_BIN" not in os.environ:
        pytest.skip("HOLDFAST_BIN names no engine: set it to the holdfast binary")
    engine = Engine(tmp_path)
    try:
        made = World(engine)
        try:
            yield made
        finally:
            made.close()
    finally:
        engine.kill()
