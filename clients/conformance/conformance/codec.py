"""Messages as dictionaries, to bytes and back."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from .schema import Field, Schema

MASK = (1 << 64) - 1
SIGNED = {"int32", "int64"}
NUMBERS = SIGNED | {"uint32", "uint64", "bool"}


class Malformed(Exception):
    """Bytes that are not the message they should be."""


def varint(value: int) -> bytes:
    out = bytearray()
    value &= MASK
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


class Codec:
    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    # Encoding

    def encode(self, kind: str, value: dict[str, Any]) -> bytes:
        message = self.schema.messages[kind]
        out = bytearray()
        for name, given in value.items():
            field = message.fields.get(name)
            if field is None:
                raise ValueError(f"{kind} has no field {name}")
            out += self._field(field, given)
        return bytes(out)

    def _field(self, field: Field, value: Any) -> bytes:
        values = value if isinstance(value, list) else [value]
        if len(values) != 1 and not field.is_repeated:
            raise ValueError(f"{field.name} is not repeated")
        if field.is_repeated and self._is_number(field.type):
            packed = b"".join(varint(self._number(field.type, v)) for v in values)
            return delimited(field.number, packed)
        return b"".join(self._single(field, v) for v in values)

    def _is_number(self, kind: str) -> bool:
        return kind in NUMBERS or kind in self.schema.enums

    def _number(self, kind: str, value: Any) -> int:
        if kind in self.schema.enums and isinstance(value, str):
            return self.schema.enum_number(kind, value)
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is no {kind}")
        return int(value)

    def _single(self, field: Field, value: Any) -> bytes:
        kind = field.type
        if self._is_number(kind):
            return varint(field.number << 3) + varint(self._number(kind, value))
        if kind == "double":
            return varint(field.number << 3 | 1) + struct.pack("<d", float(value))
        if kind in ("string", "bytes"):
            data = value.encode() if isinstance(value, str) else value
            if not isinstance(data, bytes):
                raise ValueError(f"{field.name}: {value!r} is no {kind}")
            return delimited(field.number, data)
        data = value if isinstance(value, bytes) else self.encode(kind, value)
        return delimited(field.number, data)

    # Decoding

    def decode(self, kind: str, data: bytes) -> dict[str, Any]:
        message = self.schema.messages[kind]
        result: dict[str, Any] = {}
        reader = _Reader(data)
        while reader.place < len(data):
            tag = reader.varint()
            number, wire = tag >> 3, tag & 7
            value = reader.value(wire)
            field = message.by_number.get(number)
            if field is None:
                raise Malformed(f"{kind} holds field {number}, which the schema does not know")
            self._put(result, field, wire, value)
        return result

    def _put(self, result: dict[str, Any], field: Field, wire: int, value: Any) -> None:
        if field.is_repeated and wire == 2 and self._is_number(field.type):
            packed = _Reader(value)
            while packed.place < len(value):
                number = self._scalar(field.type, packed.varint())
                result.setdefault(field.name, []).append(number)
            return
        decoded = self._decoded(field, wire, value)
        if field.is_repeated:
            result.setdefault(field.name, []).append(decoded)
        else:
            result[field.name] = decoded

    def _decoded(self, field: Field, wire: int, value: Any) -> Any:
        kind = field.type
        expected = 0 if self._is_number(kind) else 1 if kind == "double" else 2
        if wire != expected:
            raise Malformed(f"{field.name} has wire type {wire}")
        if self._is_number(kind):
            return self._scalar(kind, value)
        if kind == "double":
            return struct.unpack("<d", value)[0]
        if kind == "bytes":
            return value
        if kind == "string":
            return _text(field.name, value)
        return self.decode(kind, value)

    def _scalar(self, kind: str, value: int) -> Any:
        if kind in SIGNED and value >= 1 << 63:
            return value - (1 << 64)
        if kind in self.schema.enums:
            return self.schema.enum_name(kind, value)
        return bool(value) if kind == "bool" else value


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{name} is not UTF-8") from error
    if "\0" in text:
        raise Malformed(f"{name} holds NUL")
    return text


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def varint(self) -> int:
        result = 0
        for shift in range(0, 70, 7):
            if self.place >= len(self.data):
                raise Malformed("a number is cut off")
            byte = self.data[self.place]
            self.place += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result & MASK
        raise Malformed("a number has more than ten bytes")

    def take(self, count: int) -> bytes:
        if len(self.data) - self.place < count:
            raise Malformed("a field is cut off")
        self.place += count
        return self.data[self.place - count : self.place]

    def value(self, wire: int) -> Any:
        readers: dict[int, Callable[[], Any]] = {
            0: self.varint,
            1: lambda: self.take(8),
            2: lambda: self.take(self.varint()),
            5: lambda: self.take(4),
        }
        if wire not in readers:
            raise Malformed(f"wire type {wire} is never used")
        return readers[wire]()
