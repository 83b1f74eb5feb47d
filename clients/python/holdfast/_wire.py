"""Reads serialized protobuf messages, for the few answers that libholdfast has no accessor for.

The bytes come from libholdfast, which has checked them.
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
                yield tag >> 3, value
            case 1:
                yield tag >> 3, int.from_bytes(data[at : at + 8], "little")
                at += 8
            case 2:
                size, at = _varint(data, at)
                yield tag >> 3, data[at : at + size]
                at += size
            case 5:
                yield tag >> 3, int.from_bytes(data[at : at + 4], "little")
                at += 4
            case other:
                raise ValueError(f"wire type {other}")


class Message:
    """A message by field numbers; what is missing is empty or zero, as in proto3."""

    def __init__(self, data: bytes = b"") -> None:
        self._values: dict[int, list[Value]] = {}
        for number, value in _fields(data):
            self._values.setdefault(number, []).append(value)

    def has(self, number: int) -> bool:
        return number in self._values

    def number(self, number: int) -> int:
        """An int32, int64, uint or enum field."""
        value = self._values.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is no number")
        return value - 2**64 if value >= 2**63 else value

    def raw(self, number: int) -> list[bytes]:
        """All values of a bytes, string or message field, as they are."""
        values = self._values.get(number, [])
        return [value for value in values if isinstance(value, bytes)]

    def text(self, number: int) -> str:
        return self._last(number).decode()

    def texts(self, number: int) -> list[str]:
        return [value.decode() for value in self.raw(number)]

    def message(self, number: int) -> Message:
        return Message(self._last(number))

    def messages(self, number: int) -> list[Message]:
        return [Message(value) for value in self.raw(number)]

    def _last(self, number: int) -> bytes:
        return (self.raw(number) or [b""])[-1]
