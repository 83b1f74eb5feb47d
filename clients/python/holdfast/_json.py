"""Messages as JSON, as the `holdfast` command writes and reads them.

Names are those of proto3's JSON (`startToCloseTimeoutMs`), enumerations by their short names, bytes
as base64, 64-bit integers as numbers. Reading is strict: what it does not know is refused.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
from typing import Any, TypeVar

from ._core import Message
from ._proto.services import ENUMS

M = TypeVar("M", bound=Message)

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bytes": (str,),
    "bool": (bool,),
    "double": (float, int),
    "message": (dict,),
}
_NOUNS = {
    "string": "a text",
    "bytes": "a text",
    "bool": "a boolean",
    "double": "a number",
    "message": "an object",
}


def to_json(message: Message) -> str:
    return json.dumps(_value_of(message), ensure_ascii=False, separators=(",", ":"))


def from_json(kind: type[M], text: str) -> M:
    """ValueError: it is no JSON, or no such message."""
    # Once through its coding: numbers that do not fit are found, and oneofs know their member.
    message = _message(kind, json.loads(text))
    try:
        return kind.decode(message.encode())
    except OverflowError as error:
        raise ValueError(str(error)) from None


def json_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


@functools.cache
def _fields(kind: type[Message]) -> dict[str, tuple[str, str, bool, type[Message] | None]]:
    """By either name: the field's own, its kind, whether it is repeated, and its class."""
    found = {}
    for _, name, field_kind, repeated, message, _oneof in kind._fields_:
        found[name] = found[json_name(name)] = (name, field_kind, repeated, message)
    return found


# MARK: Writing


def _value_of(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _, name, kind, repeated, _class, oneof in message._fields_:
        value = getattr(message, name)
        is_member = oneof is not None and getattr(message, oneof) == name
        if value is None or (not is_member and value == getattr(type(message), name)):
            continue
        enum = ENUMS.get((type(message), name)) if kind == "enum" else None
        if repeated:
            made[json_name(name)] = [_plain(one, kind, enum) for one in value]
        else:
            made[json_name(name)] = _plain(value, kind, enum)
    return made


def _plain(value: Any, kind: str, enum: Any) -> Any:
    if kind == "message":
        return _value_of(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "double":
        if not math.isfinite(value):
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        # Whole ones without a point, as the command has them.
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if enum is not None:
        return next((one.name for one in enum if one == value), int(value))
    return value


# MARK: Reading


def _message(kind: type[M], value: Any) -> M:
    if not isinstance(value, dict):
        raise ValueError(f"{kind.__name__} is an object, this is {value!r:.40}")
    fields = _fields(kind)  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for key, content in value.items():
        if key not in fields:
            raise ValueError(f"{kind.__name__} has no field {key!r}")
        name, field_kind, repeated, message = fields[key]
        if content is None:
            continue
        if name in given:
            raise ValueError(f"{kind.__name__}.{key} stands here twice")
        if repeated and not isinstance(content, list):
            raise ValueError(f"{kind.__name__}.{key} is a list, this is {content!r:.40}")
        read = functools.partial(_content, kind, name, field_kind, message)
        given[name] = [read(one) for one in content] if repeated else read(content)
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{kind.__name__}: {error}") from None


def _content(
    owner: type[Message], name: str, kind: str, message: type[Message] | None, value: Any
) -> Any:
    where = f"{owner.__name__}.{json_name(name)}"
    types = _TYPES.get(kind)
    if types is not None and (
        not isinstance(value, types) or (isinstance(value, bool) and kind != "bool")
    ):
        if kind == "double" and value in ("NaN", "Infinity", "-Infinity"):
            return float(value)
        raise ValueError(f"{where} is {_NOUNS[kind]}, this is {value!r:.40}")
    if message is not None:
        return _message(message, value)
    if kind == "bytes":
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError(f"{where} is not base64") from None
    if kind == "double":
        return float(value)
    if kind in ("string", "bool"):
        return value
    return _integer(owner, name, where, value)


def _integer(owner: type[Message], name: str, where: str, value: Any) -> int:
    enum = ENUMS.get((owner, name))
    if enum is not None and isinstance(value, str) and value in enum.__members__:
        return int(enum[value])
    # 64-bit integers may be texts, as in proto3's own JSON.
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        known = f", one of {', '.join(enum.__members__)}" if enum is not None else ""
        raise ValueError(f"{where} is a whole number{known}; this is {value!r:.40}")
    return value
