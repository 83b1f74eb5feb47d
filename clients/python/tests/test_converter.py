"""Payloads as users' converters and codecs have them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest

from holdfast import _messages as proto
from holdfast.api.common.v1 import Payload
from holdfast.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)
from holdfast.exceptions import ApplicationError


class Turned(PayloadCodec):
    """Turns each bit over; what it has made says so."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": b"binary/turned"},
                data=bytes(255 - byte for byte in payload.SerializeToString()),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload.FromString(bytes(255 - byte for byte in payload.data))
            if payload.metadata.get("encoding") == b"binary/turned"
            else payload
            for payload in payloads
        ]


@dataclass
class Celsius:
    degrees: float


class CelsiusConverter(EncodingPayloadConverter):
    @property
    def encoding(self) -> str:
        return "text/celsius"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Celsius):
            return None
        metadata = {"encoding": self.encoding.encode(), "unit": b"C"}
        return Payload(metadata=metadata, data=str(value.degrees).encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        assert payload.metadata["unit"] == b"C"
        return Celsius(float(payload.data))


class Loud(JSONPlainPayloadConverter):
    def from_payload(self, payload: Any, type_hint: Any = None) -> Any:
        assert payload.metadata["encoding"] == b"json/plain"
        value = super().from_payload(payload, type_hint)
        return value.upper() if isinstance(value, str) else value


class WithCelsius(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            CelsiusConverter(),
            *DefaultPayloadConverter.default_encoding_payload_converters[:-1],
            Loud(),
        )


def test_a_codec_changes_values_and_failures() -> None:
    converter = dataclasses.replace(DataConverter.default, payload_codec=Turned())

    async def both() -> None:
        payloads = await converter.encode(["tea", 2])
        assert [payload.encoding for payload in payloads] == ["binary/turned"] * 2
        assert b"tea" not in payloads[0].data
        assert await converter.decode(payloads, [str, int]) == ["tea", 2]
        plain = await DataConverter.default.encode(["tea"])
        assert await converter.decode(plain) == ["tea"]
        failure = await converter.encode_failure(ApplicationError("no", "tea", type="T"))
        assert failure.info is not None and failure.info.application is not None
        assert failure.info.application.details[0].encoding == "binary/turned"
        error = await converter.decode_failure(failure)
        assert isinstance(error, ApplicationError)
        assert (error.message, list(error.details)) == ("no", ["tea"])

    asyncio.run(both())


def test_an_encoding_of_ones_own() -> None:
    converter = WithCelsius()
    payloads = converter.to_payloads([Celsius(21.5), "tea", None, b"\0"])
    assert all(isinstance(payload, proto.Payload) for payload in payloads)
    assert [payload.encoding for payload in payloads] == [
        "text/celsius",
        "json/plain",
        "binary/null",
        "binary/plain",
    ]
    assert converter.from_payloads(payloads) == [Celsius(21.5), "TEA", None, b"\0"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 1, 31), b'"2026-01-31"'),
        (datetime(2026, 1, 31, 7, tzinfo=timezone.utc), b'"2026-01-31T07:00:00+00:00"'),
        (UUID(int=7), b'"00000000-0000-0000-0000-000000000007"'),
        (Decimal("4.20"), b'"4.20"'),
        (PurePosixPath("/tmp/a"), b'"/tmp/a"'),
    ],
)
def test_what_json_does_not_have_travels_as_text(value: object, text: bytes) -> None:
    converter = DefaultPayloadConverter()
    (payload,) = converter.to_payloads([value])
    assert (payload.encoding, payload.data) == ("json/plain", text)
    assert converter.from_payload(payload, type(value)) == value


def test_a_payload_is_written_as_temporals_message_is() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b'"x"')
    # Field 1: an entry of key (1) and value (2); field 2: the data.
    wire = b"\x0a\x16\x0a\x08encoding\x12\x0ajson/plain" + b'\x12\x03"x"'
    assert payload.SerializeToString() == wire
    assert Payload.FromString(wire) == payload
    copy = Payload()
    copy.CopyFrom(payload)
    assert copy == payload and copy != Payload(data=b"x" * 300)
    assert Payload.FromString(Payload(data=b"x" * 300).SerializeToString()).data == b"x" * 300


@pytest.mark.parametrize("wire", [b"\x12\x05ab", b"\x08\x01", b"\xff" * 11, b"\x12"])
def test_what_is_no_payload_is_refused(wire: bytes) -> None:
    with pytest.raises(ValueError, match="no payload"):
        Payload.FromString(wire)
