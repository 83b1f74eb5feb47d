"""Payloads, failures and the small readers; no engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from holdfast import ApplicationError, CancelledError, Payload
from holdfast._failures import from_failure, milliseconds, to_failure
from holdfast._library import Arena, ffi
from holdfast._wire import Message
from holdfast.payloads import decode, encode, from_c, to_c


@dataclass
class Order:
    id: str
    cents: int


@pytest.mark.parametrize(
    "value", [None, True, 0, -(2**60), 1.5, "", 'süß "quoted" \0', [1, [2]], {"a": {"b": None}}]
)
def test_json_values_come_back_as_they_were(value: Any) -> None:
    assert encode(value).encoding == "json/plain"
    assert decode(encode(value)) == value


def test_bytes_and_payloads_travel_as_they_are() -> None:
    own = Payload("my/own", b"\x00\xff", {"k": b"v"})
    arena = Arena()
    assert from_c(to_c([b"\0\1", own, b""], arena)) == [b"\0\1", own, b""]
    assert decode(Payload("binary/null", b"")) is None


def test_a_dataclass_is_an_object() -> None:
    assert decode(encode([Order("o", 5)])) == [{"id": "o", "cents": 5}]


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, Order])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        encode(value)


def test_an_exception_becomes_a_failure_with_its_causes() -> None:
    def fails() -> None:
        try:
            {}["missing"]
        except KeyError as error:
            raise ApplicationError(
                "no stock",
                {"sku": "x"},
                type="OutOfStock",
                non_retryable=True,
                next_retry_delay=1.5,
            ) from error

    arena = Arena()
    with pytest.raises(ApplicationError) as raised:
        fails()
    failure = to_failure(raised.value, arena)
    again = from_failure(failure)
    # Given to the library it is always an application failure, whose kind is not set.
    assert ffi.string(failure.message.ptr, failure.message.len) == b"no stock"
    assert failure.non_retryable
    assert failure.next_retry_delay_ms == 1500
    assert from_c(failure.details) == [{"sku": "x"}]
    assert failure.causes_count == 1
    assert ffi.string(failure.causes[0].type.ptr, failure.causes[0].type.len) == b"KeyError"
    trace = ffi.string(failure.stack_trace.ptr, failure.stack_trace.len).decode()
    assert "in fails" in trace and "KeyError" not in trace
    assert again is not None and str(again) == "no stock"


def test_a_failure_survives_hostile_texts_and_cycles() -> None:
    error = ValueError("nul \0 and surrogate \ud800")
    other = ValueError("x" * 100_000)
    error.__cause__, other.__cause__ = other, error
    arena = Arena()
    failure = to_failure(error, arena)
    assert ffi.string(failure.message.ptr, failure.message.len) == b"nul \\0 and surrogate \\ud800"
    assert failure.causes_count == 1
    assert failure.causes[0].stack_trace.len <= 16_384


def test_the_type_is_the_class_name_unless_given() -> None:
    class CardDeclined(ApplicationError):
        pass

    assert CardDeclined("no").type == "CardDeclined"
    assert ApplicationError("no").type == "ApplicationError"
    assert ApplicationError("no", type="").type == ""
    assert CancelledError("stop", 1).details == [1]


@pytest.mark.parametrize(
    ("span", "expected"),
    [(None, 0), (0, 0), (1, 1000), (0.0001, 1), (timedelta(minutes=1), 60_000), (-1, -1000)],
)
def test_spans_are_whole_milliseconds_never_shorter(span: Any, expected: int) -> None:
    assert milliseconds(span) == expected


def test_a_message_is_read_by_field_number() -> None:
    # 1: 300, 2: "hi" and "ho", 3: -1 as int64, 4: fixed64, 5: fixed32, 6: message {1: 7}
    data = bytes.fromhex(
        "08ac02120268691202686f18ffffffffffffffffff012101000000000000002d0200000032020807"
    )
    message = Message(data)
    assert (message.number(1), message.number(3)) == (300, -1)
    assert (message.text(2), message.texts(2)) == ("ho", ["hi", "ho"])
    assert (message.number(4), message.number(5)) == (1, 2)
    assert message.message(6).number(1) == 7
    assert (message.number(9), message.text(9), message.messages(9)) == (0, "", [])
    assert message.message(9).message(1).text(1) == ""
