"""Messages with random content, of any class."""

from __future__ import annotations

import random
import struct
from typing import Any

from holdfast._core import Message

INT_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "enum": (-(2**31), 2**31 - 1),
    "sint32": (-(2**31), 2**31 - 1),
    "sfixed32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "fixed32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "sint64": (-(2**63), 2**63 - 1),
    "sfixed64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
    "fixed64": (0, 2**64 - 1),
}
DEPTH = 4
REPEATED_MAX = 3


def integer(r: random.Random, kind: str) -> int:
    low, high = INT_RANGES[kind]
    near = [low, high, 0, 1, 127, 128, 2**14, max(low, -1)]
    return r.choice(near) if r.random() < 0.5 else r.randint(low, high)


def text(r: random.Random) -> str:
    letters = "abc/Ωß漢😀 .-_0"
    return "".join(r.choice(letters) for _ in range(r.choice([0, 1, 5, 70, 200])))


def value(r: random.Random, kind: str, of: type[Message] | None, depth: int) -> Any:
    match kind:
        case "message":
            assert of is not None
            return message(r, of, depth + 1)
        case "string":
            return text(r)
        case "bytes":
            return r.randbytes(r.choice([0, 1, 16, 127, 128, 5000]))
        case "bool":
            return r.random() < 0.5
        case "double":
            return r.choice([0.0, -0.0, 1.5, -1e300, float("inf"), r.random()])
        case "float":
            return struct.unpack("<f", struct.pack("<f", r.uniform(-1e9, 1e9)))[0]
        case _:
            return integer(r, kind)


def message(r: random.Random, of: type[Message], depth: int = 0) -> Any:
    """A message in which each field is set or not; of each oneof one member at most is."""
    chosen: dict[str, Any] = {}
    oneofs: set[str] = set()
    specs = list(of._fields_)
    r.shuffle(specs)
    for _, name, kind, repeated, inner, oneof in specs:
        if r.random() < 0.4 or (oneof in oneofs) or (kind == "message" and depth >= DEPTH):
            continue
        if oneof is not None:
            oneofs.add(oneof)
        if repeated:
            count = r.randint(0, REPEATED_MAX)
            chosen[name] = [value(r, kind, inner, depth) for _ in range(count)]
        else:
            chosen[name] = value(r, kind, inner, depth)
    return of(**chosen)
