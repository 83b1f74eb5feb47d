"""The guard, the watchdog and interceptors of a worker, against an engine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pytest
from conftest import Engine
from shown import payloads, value
from test_worker_loop import (
    QUEUE,
    Caller,
    engine,  # noqa: F401
)

from holdfast import workflow
from holdfast._run.interceptors import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    SignalChildWorkflowInput,
    StartChildWorkflowInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
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


class Tracing(WorkflowInboundInterceptor):
    """Hands on what its workflow was given, or begins with it."""

    seen: ClassVar[list[tuple[str, str]]] = []

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(Handing(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        trace = input.headers.get("trace")
        self.seen.append((workflow.info().workflow_type, "" if trace is None else value([trace])))
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        self.seen.append((input.signal, value([input.headers["trace"]])))
        await super().handle_signal(input)


class Handing(WorkflowOutboundInterceptor):
    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any]:
        headers = {"trace": payloads("t-1")[0]}
        return await super().start_child_workflow(replace(input, headers=headers))

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        headers = {"trace": payloads("t-2")[0]}
        await super().signal_child_workflow(replace(input, headers=headers))


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Child.run, id="c")
        await child.signal(Child.go, "went")
        return str(await child)


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: bool(self.word))
        return self.word

    @workflow.signal
    def go(self, word: str) -> None:
        self.word = word


async def serve(engine: Engine, workflow_type: str, *values: Any) -> Any:  # noqa: F811
    """The result of a workflow, by a worker that is there as long."""
    worker = tasks.TaskWorker(
        task_queue=QUEUE, socket_path=engine.socket, workflows=[Faulty, Parent, Child]
    )
    serving = asyncio.create_task(worker.run())

    def call() -> Any:
        caller = Caller(engine)
        caller.start(workflow_type, "w", *values)
        return caller.result("w")

    try:
        return await asyncio.to_thread(call)
    finally:
        worker.stop()
        await asyncio.wait_for(serving, 15)


@pytest.mark.parametrize("fault", ["clock", "deadlock"])
def test_a_workflow_goes_on_when_its_code_is_mended(
    engine: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    monkeypatch.setattr(Faulty, "faults", [])
    monkeypatch.setattr(tasks, "RunOptions", partial(RunOptions, deadlock_timeout=0.2))
    assert asyncio.run(serve(engine, "Faulty", fault)) == [fault, "UTC"]
    assert Faulty.faults == [fault]


def test_headers_that_an_interceptor_sets_reach_the_interceptor_of_the_other_side(
    engine: Engine,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Tracing, "seen", [])
    monkeypatch.setattr(tasks, "RunOptions", partial(RunOptions, interceptors=(Tracing,)))
    assert asyncio.run(serve(engine, "Parent")) == "went"
    assert Tracing.seen == [("Parent", ""), ("Child", "t-1"), ("go", "t-2")]
