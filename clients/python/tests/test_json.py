"""Histories as JSON, as the `holdfast` command writes and reads them."""

from __future__ import annotations

import os
import subprocess

import pytest
from conftest import Engine
from served import QUEUE, Cart, Failing, Item, serving

from holdfast import _messages as proto
from holdfast._json import from_json, to_json
from holdfast.client import WorkflowFailureError, WorkflowHistory


def shown(engine: Engine, workflow_id: str) -> str:
    command = [os.environ["HOLDFAST_BIN"], "workflow", "show", "--id", workflow_id, "-o", "json"]
    ran = subprocess.run(
        [*command, "--socket", engine.socket], check=True, capture_output=True, text=True
    )
    return ran.stdout


async def test_a_history_is_written_as_the_command_writes_it(engine: Engine) -> None:
    async with serving(engine) as client:
        cart = await client.start_workflow(Cart.run, id="cart", task_queue=QUEUE)
        await cart.execute_update(Cart.put, Item("süßer Tee"))
        await cart.signal(Cart.close)
        await cart.result()
        failing = await client.start_workflow(Failing.run, "no", id="failing", task_queue=QUEUE)
        with pytest.raises(WorkflowFailureError):
            await failing.result()
        for handle in (cart, failing):
            history = await handle.fetch_history()
            text = shown(engine, handle.id)
            assert history.to_json() == text
            assert WorkflowHistory.from_json(handle.id, text) == history


def test_enumerations_bytes_and_whole_numbers() -> None:
    message = proto.WorkflowTaskFailed(
        cause=proto.WorkflowTaskFailedCause.NONDETERMINISM, identity="w"
    )
    assert to_json(message) == '{"cause":"NONDETERMINISM","identity":"w"}'
    assert from_json(proto.WorkflowTaskFailed, to_json(message)) == message
    payload = proto.Payload(encoding="binary/plain", data=b"\0\xff")
    assert to_json(payload) == '{"encoding":"binary/plain","data":"AP8="}'
    assert from_json(proto.Payload, to_json(payload)) == payload
    attribute = proto.SearchAttribute(name="n", int_value=0)
    assert to_json(attribute) == '{"name":"n","intValue":0}'
    assert from_json(proto.SearchAttribute, '{"name":"n","int_value":"0"}') == attribute


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("[]", "PayloadList is an object"),
        ('{"paylods":[]}', "no field 'paylods'"),
        ('{"payloads":{}}', "is a list"),
        ('{"payloads":[{"data":"?"}]}', "Payload.data is not base64"),
        ('{"payloads":[{"data":7}]}', "Payload.data is a text"),
    ],
)
def test_what_is_no_such_message_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(proto.PayloadList, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"cause":"NO_SUCH"}', "one of UNSPECIFIED"),
        ('{"cause":1e3}', "whole number"),
        ('{"cause":99999999999}', "cause"),
        ('{"identity":true}', "identity is a text"),
        ('{"workflowTaskCompletedEventId":1,"workflow_task_completed_event_id":1}', "field"),
    ],
)
def test_numbers_and_names_are_checked(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(proto.WorkflowTaskFailed, text)


def test_the_line_of_a_fault_is_told() -> None:
    with pytest.raises(ValueError, match="line 3: HistoryEvent has no field 'x'"):
        WorkflowHistory.from_json("w", '{"eventId":1}\n\n{"x":1}\n')
