"""Faulty code against an engine: its task fails, and mended code goes on from there."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Any, ClassVar

import pytest
from conftest import Engine
from test_worker_loop import (
    QUEUE,
    Caller,
    engine,  # noqa: F401
)

from holdfast import workflow
from holdfast._run.run import RunOptions
from holdfast._worker import tasks


@workflow.defn
class Faulty:
    """Does what it must not until somebody mends it."""

    faults: ClassVar[list[str]] = []

    @workflow.run
    async def run(self, fault: str) -> list[str]:
        await asyncio.sleep(0.001)
        if fault not in self.faults:
            self.faults.append(fault)
            if fault == "clock":
                return [str(time.time())]
            while True:
                pass
        return [fault, workflow.now().tzname() or ""]


@pytest.mark.parametrize("fault", ["clock", "deadlock"])
def test_a_workflow_goes_on_when_its_code_is_mended(
    engine: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr(Faulty, "faults", [])
    short = functools.partial(RunOptions, deadlock_timeout=0.2)
    monkeypatch.setattr(tasks, "RunOptions", short)

    async def serve() -> Any:
        worker = tasks.TaskWorker(
            task_queue=QUEUE, socket_path=engine.socket, workflows=[Faulty], activities=[]
        )
        serving = asyncio.create_task(worker.run())
        try:
            return await asyncio.to_thread(call)
        finally:
            worker.stop()
            await asyncio.wait_for(serving, 15)

    def call() -> Any:
        caller = Caller(engine)
        caller.start("Faulty", "f", fault)
        return caller.result("f")

    assert asyncio.run(serve()) == [fault, "UTC"]
    assert Faulty.faults == [fault]
