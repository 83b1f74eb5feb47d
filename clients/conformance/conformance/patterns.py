"""What is expected of a message: values, and the marks of the text form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Anything:
    """`_`: there is a value, and it is not the empty one."""


@dataclass(frozen=True)
class Absent:
    """`absent`: the field is not there, or empty."""


@dataclass(frozen=True)
class Capture:
    """`?name`: any value but the empty one, kept for later steps as `$name`."""

    name: str


@dataclass(frozen=True)
class Regex:
    """`~"text"`: the expression is found in the value."""

    text: str


@dataclass(frozen=True)
class Compare:
    """`>= 5`, `!= "a"`."""

    sign: str
    value: Any


@dataclass(frozen=True)
class Rest:
    """`...` in a list: any number of further values."""


EMPTY: tuple[Any, ...] = (None, 0, "", b"", [], {}, False, 0.0)


def difference(pattern: Any, value: Any, kept: dict[str, Any], path: str = "") -> str:
    """Where the value is not what the pattern says; empty when it is. `kept` gets the captures."""
    if isinstance(pattern, dict):
        return _message(pattern, value, kept, path)
    if isinstance(pattern, list):
        values = value if isinstance(value, list) else [] if value is None else [value]
        return _list(pattern, values, kept, path)
    if _fits(pattern, value, kept):
        return ""
    return f"{path or 'it'} is {shown(value)}, not {shown(pattern)}"


def _message(pattern: dict[str, Any], value: Any, kept: dict[str, Any], path: str) -> str:
    if not isinstance(value, dict):
        return f"{path or 'it'} is {shown(value)}, not a message"
    for name, inner in pattern.items():
        place = f"{path}.{name}" if path else name
        if isinstance(inner, dict) and name not in value:
            return f"{place} is missing in {shown(value)}"
        if fault := difference(inner, value.get(name), kept, place):
            return fault
    return ""


def _list(pattern: list[Any], values: list[Any], kept: dict[str, Any], path: str) -> str:
    if not pattern:
        return f"{path} goes on with {shown(values[0])}" if values else ""
    if isinstance(pattern[0], Rest):
        faults = []
        for skipped in range(len(values) + 1):
            trial = dict(kept)
            fault = _list(pattern[1:], values[skipped:], trial, path)
            if not fault:
                kept.update(trial)
                return ""
            faults.append(fault)
        return faults[-1]
    if not values:
        return f"{path} ends before {shown(pattern[0])}"
    fault = difference(pattern[0], values[0], kept, f"{path}[]")
    return fault or _list(pattern[1:], values[1:], kept, path)


def _fits(pattern: Any, value: Any, kept: dict[str, Any]) -> bool:
    if isinstance(pattern, Anything):
        # A message that is there counts though it is empty: presence is what it says.
        return isinstance(value, dict) or value not in EMPTY
    if isinstance(pattern, Absent):
        return value in EMPTY and not isinstance(value, dict)
    if isinstance(pattern, Capture):
        if value in EMPTY:
            return False
        kept[pattern.name] = value
        return True
    if isinstance(pattern, Regex):
        return isinstance(value, str) and re.search(pattern.text, value) is not None
    if isinstance(pattern, Compare):
        return _compares(pattern, value)
    if pattern in EMPTY:
        return value in EMPTY and not isinstance(value, dict)
    return _same(pattern, value)


def _same(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, str) and isinstance(value, bytes):
        return pattern.encode() == value
    return bool(pattern == value)


def _compares(pattern: Compare, value: Any) -> bool:
    other = pattern.value
    if pattern.sign == "!=":
        return not _same(other, value)
    number = 0 if value is None else value
    if not isinstance(number, (int, float)):
        return False
    signs = {
        ">": number > other,
        "<": number < other,
        ">=": number >= other,
        "<=": number <= other,
    }
    return bool(signs[pattern.sign])


def shown(value: Any, width: int = 300) -> str:
    text = repr(value)
    return text if len(text) <= width else text[:width] + "…"
