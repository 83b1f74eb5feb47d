"""The guard, the watchdog and interceptors of a worker, against an engine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from conftest import Engine
from shown import payloads, value

from holdfast import workflow
from holdfast.client import Client
from holdfast.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    Interceptor,
    SignalChildWorkflowInput,
    StartChildWorkflowInput,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
    _worker,
)
from holdfast.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

QUEUE = "options"


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


class TracingWorkers(Interceptor):
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return Tracing


async def serve(engine: Engine, workflow_type: str, *values: Any, **options: Any) -> Any:
    """The result of a workflow, by a worker that is there as long."""
    async with await Client.connect(engine.socket) as client:
        workflows = [Faulty, Parent, Child]
        async with Worker(client, task_queue=QUEUE, workflows=workflows, **options):
            return await client.execute_workflow(
                workflow_type, args=values, id="w", task_queue=QUEUE
            )


@pytest.mark.parametrize("fault", ["clock", "deadlock"])
async def test_a_workflow_goes_on_when_its_code_is_mended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(Faulty, "faults", [])
    monkeypatch.setattr(_worker, "DEFAULT_SECONDS", 0.2)
    assert await serve(engine, "Faulty", fault) == [fault, "UTC"]
    assert Faulty.faults == [fault]


@pytest.mark.parametrize(
    "options",
    [
        {"debug_mode": True},
        {"workflow_runner": UnsandboxedWorkflowRunner()},
        {
            "workflow_runner": SandboxedWorkflowRunner(
                SandboxRestrictions.default.with_passthrough_modules(__name__)
            )
        },
    ],
)
async def test_a_worker_turns_the_guard_off(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(Faulty, "faults", [])
    (time_of_code,) = await serve(engine, "Faulty", "clock", **options)
    assert float(time_of_code) > 1e9


async def test_headers_that_an_interceptor_sets_reach_the_interceptor_of_the_other_side(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tracing, "seen", [])
    assert await serve(engine, "Parent", interceptors=[TracingWorkers()]) == "went"
    assert Tracing.seen == [("Parent", ""), ("Child", "t-1"), ("go", "t-2")]
