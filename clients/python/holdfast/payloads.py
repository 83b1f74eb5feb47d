"""Values as payloads: JSON and bytes by themselves, anything else as a Payload."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._library import Arena, ffi, to_bytes, to_str

JSON = "json/plain"
BINARY = "binary/plain"
NULL = "binary/null"  # what some other clients send for no value


@dataclass(frozen=True)
class Payload:
    """A value in an encoding of its own. Give one to send other encodings than JSON and bytes;
    values that arrive in an encoding unknown here come as one."""

    encoding: str
    data: bytes
    metadata: Mapping[str, bytes] = field(default_factory=dict)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def encode(value: Any) -> Payload:
    """Bytes and Payload as they are; everything else, None and dataclasses too, as JSON."""
    if isinstance(value, Payload):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Payload(BINARY, bytes(value))
    # NaN and Infinity are no JSON; other languages could not read them.
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
    )
    return Payload(JSON, text.encode())


def decode(payload: Payload) -> Any:
    if payload.encoding == JSON:
        return json.loads(payload.data)
    if payload.encoding == BINARY:
        return payload.data
    if payload.encoding == NULL:
        return None
    return payload


def to_c(values: Iterable[Any], arena: Arena) -> Any:
    """A holdfast_payloads whose memory the arena owns."""
    payloads = [encode(value) for value in values]
    items = arena.keep(ffi.new("holdfast_payload[]", len(payloads)))
    for item, payload in zip(items, payloads, strict=True):
        item.encoding = arena.string(payload.encoding)
        item.data = arena.bytes(payload.data)
        metadata = arena.keep(ffi.new("holdfast_metadata[]", len(payload.metadata)))
        for entry, (key, value) in zip(metadata, payload.metadata.items(), strict=True):
            entry.key = arena.string(key)
            entry.value = arena.bytes(value)
        item.metadata = metadata
        item.metadata_count = len(payload.metadata)
    return arena.struct("holdfast_payloads", items=items, count=len(payloads))[0]


def from_c(payloads: Any) -> list[Any]:
    """Decodes a holdfast_payloads into values that own their memory."""
    values = []
    for index in range(payloads.count):
        item = payloads.items[index]
        metadata = {
            to_str(item.metadata[i].key): to_bytes(item.metadata[i].value)
            for i in range(item.metadata_count)
        }
        values.append(decode(Payload(to_str(item.encoding), to_bytes(item.data), metadata)))
    return values
