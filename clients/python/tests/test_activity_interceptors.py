"""What is put around the activities of a worker."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest
from conftest import Engine
from served import QUEUE, worker_of

from holdfast import _messages as proto
from holdfast import activity
from holdfast._proto.activity_service import ActivityService
from holdfast.client import Client
from holdfast.exceptions import ApplicationError
from holdfast.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)


class Traces(Interceptor):
    """Writes down what goes through it, under its name."""

    def __init__(self, name: str, seen: list[Any]) -> None:
        self.name = name
        self.seen = seen

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Inbound(self, next)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, traces: Traces, next: ActivityInboundInterceptor) -> None:
        super().__init__(next)
        self._traces = traces

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(_Outbound(self._traces, outbound))

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name, seen = self._traces.name, self._traces.seen
        await asyncio.sleep(0)
        headers = {key: value.data for key, value in input.headers.items()}
        seen.append((name, "execute", list(input.args), headers, input.executor is None))
        input.args = [*input.args[:-1], f"{input.args[-1]} {name}"]
        try:
            return f"{await super().execute_activity(input)} {name}"
        except ApplicationError:
            seen.append((name, "failed"))
            raise


class _Outbound(ActivityOutboundInterceptor):
    def __init__(self, traces: Traces, next: ActivityOutboundInterceptor) -> None:
        super().__init__(next)
        self._traces = traces

    def info(self) -> activity.Info:
        found = super().info()
        return dataclasses.replace(
            found, activity_type=f"{found.activity_type} {self._traces.name}"
        )

    def heartbeat(self, *details: Any) -> None:
        self._traces.seen.append((self._traces.name, "heartbeat", details))
        super().heartbeat(*details, self._traces.name)


@activity.defn
def in_thread(value: str) -> str:
    info = activity.info()
    if info.attempt == 1:
        activity.heartbeat("beat")
        raise ApplicationError("again")
    return f"{value} | {info.activity_type} | {list(info.heartbeat_details)} |"


@activity.defn
async def on_loop(value: str) -> str:
    return f"{value} | {activity.info().activity_type} |"


@pytest.mark.parametrize("where", ["in_thread", "on_loop"])
async def test_the_first_one_is_the_outermost(engine: Engine, where: str) -> None:
    seen: list[Any] = []

    async def body(client: Client) -> Any:
        call, converter = client.service_client.call, client.data_converter
        (of_header,) = await converter.encode(["of h"])
        start = proto.StartActivityRequest(
            activity_id="a",
            activity_type=where,
            input=await converter.encode(["value"]),
            header=proto.Header(fields=[proto.PayloadEntry(key="h", value=of_header)]),
            options=proto.ActivityTaskOptions(
                task_queue=QUEUE,
                start_to_close_timeout_ms=10_000,
                retry_policy=proto.RetryPolicy(initial_interval_ms=1),
            ),
        )
        await call(ActivityService.StartActivity, start)
        request = proto.GetActivityResultRequest(activity_id="a")
        response = await call(ActivityService.GetActivityResult, request)
        (result,) = await converter.decode(response.result)
        return result

    # The client's that are a worker's too come first; the others are none of its.
    client = await Client.connect(engine.socket)
    client.interceptors = [Traces("client's", seen), object()]  # type: ignore[list-item]
    activities = [in_thread, on_loop]
    async with client, worker_of(client, activities=activities, interceptors=[Traces("own", seen)]):
        result = await body(client)
    headers = {"h": b'"of h"'}
    if where == "on_loop":
        assert result == "value client's own | on_loop client's own | own client's"
        assert seen == [
            ("client's", "execute", ["value"], headers, True),
            ("own", "execute", ["value client's"], headers, True),
        ]
        return
    beat = ["beat", "own", "client's"]
    assert result == f"value client's own | in_thread client's own | {beat} | own client's"
    attempt = [
        ("client's", "execute", ["value"], headers, False),
        ("own", "execute", ["value client's"], headers, False),
    ]
    assert seen == [
        *attempt,
        ("own", "heartbeat", ("beat",)),
        ("client's", "heartbeat", ("beat", "own")),
        ("own", "failed"),
        ("client's", "failed"),
        *attempt,
    ]
