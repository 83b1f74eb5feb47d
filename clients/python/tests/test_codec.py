"""Payload codecs in a worker: what the engine stores is encoded, what the code sees is not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Engine
from served import Caller, WorkflowFailed, serve

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast._proto.workflow_service import WorkflowService
from holdfast.api.common.v1 import Payload
from holdfast.common import SearchAttributeKey
from holdfast.converter import DataConverter, PayloadCodec
from holdfast.exceptions import ApplicationError
from holdfast.worker._codec import recode

SHORT = timedelta(seconds=10)
COLOUR = SearchAttributeKey.for_keyword("Colour")


class Shift(PayloadCodec):
    """Shifts every byte, and counts; `gate` holds payloads with a marked value up."""

    def __init__(self) -> None:
        self.fails = False
        self.held: asyncio.Event | None = None
        self.is_holding = threading.Event()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return [
            Payload(
                metadata={"encoding": b"binary/shifted"},
                data=bytes((byte + 1) % 256 for byte in one.SerializeToString()),
            )
            for one in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if self.fails:
            raise RuntimeError("the key is not here")
        made = []
        for one in payloads:
            assert one.metadata["encoding"] == b"binary/shifted", one
            plain = Payload.FromString(bytes((byte - 1) % 256 for byte in one.data))
            if b"held" in plain.data:
                self.held = self.held or asyncio.Event()
                self.is_holding.set()
                await self.held.wait()
            made.append(plain)
        await asyncio.sleep(0)
        return made


@pytest.fixture
def codec() -> Shift:
    return Shift()


@activity.defn
async def echo(value: Any) -> Any:
    attempt = activity.info().attempt
    if attempt == 1:
        activity.heartbeat("first", value)
        activity.heartbeat("last", value)
        raise ApplicationError("again", {"the": "details"})
    return [attempt, activity.info().heartbeat_details, value]


@activity.defn
def twice(value: str) -> str:
    return value * 2


@activity.defn
def fails(value: str) -> None:
    raise ApplicationError("no", value, non_retryable=True)


@workflow.defn
class Everything:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.signal
    def add(self, value: str) -> None:
        self.signals.append(value)

    @workflow.query
    def seen(self) -> list[str]:
        return self.signals

    @workflow.run
    async def run(self, value: str) -> list[Any]:
        workflow.upsert_memo({"kept": value, "gone": "x"})
        workflow.upsert_search_attributes([COLOUR.value_set("red")])
        effect = workflow.side_effect(lambda: "effect")
        echoed = await workflow.execute_activity(echo, value, start_to_close_timeout=SHORT)
        workflow.upsert_memo({"gone": None})
        local = await workflow.execute_local_activity(twice, value, start_to_close_timeout=SHORT)
        try:
            await workflow.execute_activity(fails, value, start_to_close_timeout=SHORT)
        except Exception as error:
            details = list(error.__cause__.details)  # type: ignore[union-attr]
        await workflow.wait_condition(lambda: len(self.signals) == 2)
        return [effect, echoed, local, details, self.signals, workflow.memo()]


def converter_of(codec: Shift) -> DataConverter:
    return DataConverter(payload_codec=codec)


@pytest.mark.parametrize("cached", [1_000, 1])
async def test_all_values_of_workflows_and_activities_go_through_it(
    engine: Engine, codec: Shift, cached: int
) -> None:
    async def body(caller: Caller) -> list[list[Any]]:
        # A query without a worker is refused.
        await caller.start("Sums", "there", 0)
        await caller.result("there")
        names = [f"w{number}" for number in range(6)]
        for name in names:
            await caller.start("Everything", name, name)
        for name in names:
            await caller.signal(name, "add", "a")
            assert await caller.query(name, "seen") == ["a"]
            await caller.signal(name, "add", "b")
        return [await caller.result(name) for name in names]

    results = await serve(
        engine,
        body,
        converter=converter_of(codec),
        workflows=[Everything, Sums],
        activities=[echo, twice, fails],
        max_cached_workflows=cached,
    )
    for number, (effect, echoed, local, details, signals, memo) in enumerate(results):
        name = f"w{number}"
        assert effect == "effect"
        assert echoed == [2, ["last", name], name]
        assert (local, details) == (name * 2, [name])
        assert (signals, memo) == (["a", "b"], {"kept": name})


async def test_the_engine_stores_what_is_encoded_but_search_attributes(
    engine: Engine, codec: Shift
) -> None:
    async def body(caller: Caller) -> Any:
        await caller.start("Everything", "w", "SECRET")
        await caller.signal("w", "add", "SECRET")
        await caller.signal("w", "add", "SECRET")
        await caller.result("w")
        execution = proto.WorkflowExecution(workflow_id="w")
        describe = proto.DescribeWorkflowRequest(execution=execution)
        return await caller.call(WorkflowService.DescribeWorkflow, describe)

    described = await serve(
        engine,
        body,
        converter=converter_of(codec),
        workflows=[Everything],
        activities=[echo, twice, fails],
    )
    (attribute,) = described.info.search_attributes.fields
    assert (attribute.name, attribute.keyword) == ("Colour", "red")
    (entry,) = described.info.memo.fields
    assert (entry.key, entry.value.encoding) == ("kept", "binary/shifted")
    stored = b"".join(path.read_bytes() for path in Path(engine.socket).parent.glob("hf.db*"))
    assert b"Everything" in stored
    assert b"SECRET" not in stored
    assert b'{"the":"details"}' not in stored


@workflow.defn
class Sums:
    def __init__(self) -> None:
        self.signals: list[str] = []

    @workflow.signal
    def add(self, value: str) -> None:
        self.signals.append(value)

    @workflow.run
    async def run(self, count: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self.signals) == count)
        return self.signals


async def test_a_run_keeps_its_order_and_others_go_on_meanwhile(
    engine: Engine, codec: Shift
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    @activity.defn
    async def here() -> None:
        loops.append(asyncio.get_running_loop())

    async def body(caller: Caller) -> Any:
        await caller.do("here")
        await caller.start("Sums", "slow", 3)
        await caller.signal("slow", "add", "held")
        assert await asyncio.to_thread(codec.is_holding.wait, 20)
        await caller.signal("slow", "add", "2")
        await caller.signal("slow", "add", "3")
        await caller.start("Sums", "quick", 1)
        await caller.signal("quick", "add", "1")
        quick = await caller.result("quick")
        assert codec.held is not None and not codec.held.is_set()
        loops[0].call_soon_threadsafe(codec.held.set)
        return [quick, await caller.result("slow")]

    results = await serve(
        engine, body, converter=converter_of(codec), workflows=[Sums], activities=[here]
    )
    assert results == [["1"], ["held", "2", "3"]]


async def test_a_codec_that_fails_fails_the_task_and_it_is_tried_again(
    engine: Engine, codec: Shift
) -> None:
    async def body(caller: Caller) -> Any:
        await caller.start("Sums", "s", 1)
        await caller.signal("s", "add", "1")
        execution = proto.WorkflowExecution(workflow_id="s")
        request = proto.DescribeWorkflowRequest(execution=execution)
        while True:
            described = await caller.call(WorkflowService.DescribeWorkflow, request)
            if "the key is not here" in str(described):
                break
        codec.fails = False
        return await caller.result("s")

    codec.fails = True
    encoding = Shift()  # the caller's

    class OneWay(Shift):
        encode = encoding.encode

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return await codec.decode(payloads)

    assert await serve(engine, body, converter=converter_of(OneWay()), workflows=[Sums]) == ["1"]


async def test_an_activity_whose_values_cannot_be_decoded_fails(
    engine: Engine, codec: Shift
) -> None:
    class WorkflowsOnly(Shift):
        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            made = await codec.decode(payloads)
            if any(one.data.strip(b'"') == b"BAD" for one in made):
                raise RuntimeError("the key is not here")
            return made

    async def body(caller: Caller) -> None:
        with pytest.raises(WorkflowFailed) as raised:
            await caller.do("twice", "BAD", attempts=1)
        assert raised.value.chain[1].message == "the key is not here"

    await serve(engine, body, converter=converter_of(WorkflowsOnly()), activities=[twice])


def test_the_walk_leaves_headers_and_what_a_memo_takes_away() -> None:
    def payload(text: str) -> proto.Payload:
        return proto.Payload(encoding="json/plain", data=text.encode())

    entry = proto.PayloadEntry
    start = proto.StartChild(
        seq=1,
        input=[payload("1"), payload("2")],
        header=proto.Header(fields=[entry(key="h", value=payload("h"))]),
        memo=proto.Memo(
            fields=[
                entry(key="m", value=payload("m")),
                entry(key="gone", value=proto.Payload(encoding="binary/null")),
            ]
        ),
    )
    failure = proto.Failure(
        info=proto.FailureInfo(
            encoded_attributes=payload("hidden"),
            application=proto.ApplicationFailure(details=[payload("d")]),
        ),
        causes=[proto.FailureInfo(timeout=proto.TimeoutFailure(last_heartbeat_details=[]))],
    )
    answer = proto.WorkflowTaskCompleted(
        token=b"t",
        commands=[
            proto.Command(start_child=start),
            proto.Command(fail_workflow=proto.FailWorkflow(failure=failure)),
        ],
    )
    seen: list[list[bytes]] = []

    async def code(payloads: Sequence[proto.Payload]) -> list[proto.Payload]:
        seen.append([one.data for one in payloads])
        return [proto.Payload(encoding="x", data=one.data + b"!") for one in payloads]

    asyncio.run(recode(answer, code))
    assert sorted(seen) == [[b"1", b"2"], [b"d"], [b"hidden"], [b"m"]]
    assert [one.data for one in start.input] == [b"1!", b"2!"]
    assert start.header is not None and start.header.fields[0].value == payload("h")
    assert start.memo is not None
    assert [one.value and one.value.data for one in start.memo.fields] == [b"m!", b""]
    assert failure.info is not None and failure.info.application is not None
    assert failure.info.application.details[0].data == b"d!"
