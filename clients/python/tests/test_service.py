"""Raw calls of the engine on asyncio loops: their ends, their errors, their connections."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import Engine

from holdfast import _messages as proto
from holdfast.client import Client
from holdfast.service import FOREVER, RPCError, RPCStatusCode, ServiceClient

HEALTH = proto.OperatorService.Health
START = proto.WorkflowService.StartWorkflow
RESULT = proto.WorkflowService.GetWorkflowResult


def start_request(workflow_id: str) -> proto.StartWorkflowRequest:
    return proto.StartWorkflowRequest(
        workflow_id=workflow_id, workflow_type="Any", task_queue="nobody"
    )


def result_request(workflow_id: str) -> proto.GetWorkflowResultRequest:
    return proto.GetWorkflowResultRequest(
        execution=proto.WorkflowExecution(workflow_id=workflow_id)
    )


def terminate_request(workflow_id: str) -> proto.TerminateWorkflowRequest:
    return proto.TerminateWorkflowRequest(
        execution=proto.WorkflowExecution(workflow_id=workflow_id)
    )


async def connections(service: ServiceClient) -> int:
    described = await service.call(proto.OperatorService.Describe, proto.DescribeRequest())
    return next(one.value for one in described.counters if one.name == "connections")


async def test_many_calls_share_a_connection(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    ids = [f"w-{number}" for number in range(100)]
    answers = await asyncio.gather(*(service.call(START, start_request(id)) for id in ids))
    assert len({answer.run_id for answer in answers}) == 100
    waiting = [
        asyncio.create_task(service.call(RESULT, result_request(id), timeout=FOREVER)) for id in ids
    ]
    for id in reversed(ids):
        await service.call(proto.WorkflowService.TerminateWorkflow, terminate_request(id))
    ended = await asyncio.gather(*waiting)
    assert [one.run_id for one in ended] == [one.run_id for one in answers]
    assert await connections(service) == 1


async def test_a_cancelled_task_gives_its_call_up(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    await service.call(START, start_request("w"))
    waiting = asyncio.create_task(service.call(RESULT, result_request("w"), timeout=FOREVER))
    await service.call(HEALTH, proto.HealthRequest())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    # The connection goes on, and knows nothing of the call that was given up.
    await service.call(proto.WorkflowService.TerminateWorkflow, terminate_request("w"))
    assert (
        await service.call(RESULT, result_request("w"))
    ).status == proto.WorkflowStatus.TERMINATED


async def test_close_ends_what_waits(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    await service.call(START, start_request("w"))
    waiting = asyncio.create_task(service.call(RESULT, result_request("w"), timeout=FOREVER))
    stream = service.stream(
        proto.WorkflowService.GetHistory,
        proto.GetHistoryRequest(execution=proto.WorkflowExecution(workflow_id="w"), follow=True),
    )
    await anext(stream)
    following = asyncio.ensure_future(anext(stream))
    await service.call(HEALTH, proto.HealthRequest())
    service.close()
    for ended in (waiting, following):
        with pytest.raises(RPCError) as raised:
            await ended
        assert raised.value.status == RPCStatusCode.CANCELLED
    with pytest.raises(RPCError, match="closed"):
        await service.call(HEALTH, proto.HealthRequest())


async def test_a_stream_is_read_to_its_end_or_given_up(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    await service.call(START, start_request("w"))
    await service.call(proto.WorkflowService.TerminateWorkflow, terminate_request("w"))
    request = proto.GetHistoryRequest(execution=proto.WorkflowExecution(workflow_id="w"))
    batches = [batch async for batch in service.stream(proto.WorkflowService.GetHistory, request)]
    events = [event.attributes for batch in batches for event in batch.events]
    assert events[0] == "workflow_execution_started"
    assert events[-1] == "workflow_execution_terminated"
    stream = service.stream(proto.WorkflowService.GetHistory, request)
    await stream.aclose()
    await service.call(HEALTH, proto.HealthRequest())


async def test_calls_survive_the_engines_death(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    await service.call(START, start_request("w"))
    waiting = asyncio.create_task(service.call(RESULT, result_request("w"), timeout=FOREVER))
    await service.call(HEALTH, proto.HealthRequest())
    engine.kill_and_restart()
    for number in range(20):
        await service.call(START, start_request(f"later-{number}"))
    await service.call(proto.WorkflowService.TerminateWorkflow, terminate_request("w"))
    assert (await waiting).status == proto.WorkflowStatus.TERMINATED


def test_each_event_loop_has_its_own_connection(engine: Engine) -> None:
    service = ServiceClient(engine.socket)
    for _ in range(3):
        assert asyncio.run(service.call(HEALTH, proto.HealthRequest())).state

    async def both() -> int:
        await service.call(HEALTH, proto.HealthRequest())
        in_thread = asyncio.to_thread(asyncio.run, service.call(HEALTH, proto.HealthRequest()))
        await in_thread
        return await connections(service)

    # That of the thread's loop goes with the next call that makes one.
    assert asyncio.run(both()) == 2


async def test_no_engine_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = str(tmp_path / "nobody.sock")
    with pytest.raises(RPCError) as raised:
        await Client.connect(path, connect_timeout=timedelta(milliseconds=50))
    assert raised.value.status == RPCStatusCode.UNAVAILABLE
    assert path in str(raised.value)
    assert "holdfast serve" in str(raised.value)


async def test_a_lazy_client_connects_when_it_is_used(tmp_path: Path) -> None:
    client = await Client.connect(str(tmp_path / "nobody.sock"), lazy=True)
    with pytest.raises(RPCError):
        await client.get_workflow_handle("w").describe(rpc_timeout=timedelta(milliseconds=50))


async def test_another_machine_is_refused_and_localhost_is_this_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="Unix"):
        await Client.connect("engine.example.org:7233")
    monkeypatch.setenv("HOLDFAST_SOCKET", engine.socket)
    for target in ("localhost:7233", None):
        async with await Client.connect(target) as client:
            assert (await client.count_workflows()).count == 0
