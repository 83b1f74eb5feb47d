"""Payloads, as codecs and converters of encodings have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .... import _messages as proto

ENCODING = "encoding"


class Payload:
    """A value as it travels: bytes, and metadata of which `encoding` says how to read them.

    SerializeToString() is the wire form of Temporal's message of this name.
    """

    __slots__ = ("data", "metadata")

    def __init__(self, *, metadata: Mapping[str, bytes] | None = None, data: bytes = b"") -> None:
        self.metadata: dict[str, bytes] = dict(metadata or {})
        self.data = data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Payload):
            return NotImplemented
        return self.metadata == other.metadata and self.data == other.data

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Payload(metadata={self.metadata!r}, data={self.data!r})"

    def CopyFrom(self, other: Payload) -> None:
        self.metadata, self.data = dict(other.metadata), other.data

    def SerializeToString(self) -> bytes:
        parts = [
            _bytes(1, _bytes(1, key.encode()) + _bytes(2, value))
            for key, value in sorted(self.metadata.items())
        ]
        return b"".join(parts) + (_bytes(2, self.data) if self.data else b"")

    def ParseFromString(self, data: bytes) -> int:
        """Takes on what SerializeToString() has written. ValueError: it is no such thing."""
        self.metadata, self.data = {}, b""
        for number, value in _fields(data):
            if number == 1:
                entry = dict(_fields(value))
                self.metadata[entry.get(1, b"").decode()] = entry.get(2, b"")
            elif number == 2:
                self.data = value
        return len(data)

    @staticmethod
    def FromString(data: bytes) -> Payload:
        made = Payload()
        made.ParseFromString(data)
        return made

    def _to_proto(self) -> proto.Payload:
        others = [
            proto.MetadataEntry(key=key, value=value)
            for key, value in sorted(self.metadata.items())
            if key != ENCODING
        ]
        encoding = self.metadata.get(ENCODING, b"").decode()
        return proto.Payload(encoding=encoding, data=self.data, metadata=others)

    @staticmethod
    def _of(payload: proto.Payload) -> Payload:
        metadata = {entry.key: entry.value for entry in payload.metadata}
        if payload.encoding:
            metadata[ENCODING] = payload.encoding.encode()
        return Payload(metadata=metadata, data=payload.data)


class Payloads:
    """Several payloads."""

    __slots__ = ("payloads",)

    def __init__(self, *, payloads: Sequence[Payload] = ()) -> None:
        self.payloads = list(payloads)


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while at < len(data) and shift < 64:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise ValueError(f"no payload: a number does not end at byte {at}")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields that hold bytes, which are all that a payload has."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        if tag & 7 != 2:
            raise ValueError(f"no payload: field {tag >> 3} holds no bytes, at byte {at}")
        length, at = _read_varint(data, at)
        if at + length > len(data):
            raise ValueError(f"no payload: field {tag >> 3} is cut off at byte {at}")
        yield tag >> 3, data[at : at + length]
        at += length
