"""Passes all payloads of a message through a codec."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from .. import _messages as proto
from .._core import Message

Code = Callable[[Sequence[proto.Payload]], Awaitable[list[proto.Payload]]]

# Headers are the interceptors': what writes one reads it elsewhere, maybe without the codec.
_LEFT_ALONE = (proto.Header,)


# Per class its fields with payloads somewhere inside: the name, whether it is repeated, whether it
# holds payloads itself.
_known: dict[type[Message], tuple[tuple[str, bool, bool], ...]] = {}


def _fields(message: type[Message]) -> tuple[tuple[str, bool, bool], ...]:
    if message not in _known:
        _known[message] = tuple(
            (name, is_repeated, inner is proto.Payload)
            for _, name, _, is_repeated, inner, _ in message._fields_
            if inner is not None and inner not in _LEFT_ALONE
            if inner is proto.Payload or _fields(inner)
        )
    return _known[message]


def _places(message: Message) -> Iterator[tuple[Message, str, bool]]:
    """The fields that hold payloads: the message, the field's name, whether it is repeated."""
    for name, is_repeated, is_payload in _fields(type(message)):
        value = getattr(message, name)
        if not value:
            continue
        if is_payload:
            yield message, name, is_repeated
        elif isinstance(message, proto.Memo):
            # A value without data takes the name out of the memo.
            for entry in message.fields:
                if entry.value is not None and entry.value.data:
                    yield entry, "value", False
        else:
            for inner in value if is_repeated else (value,):
                yield from _places(inner)


async def recode(message: Message, code: Code) -> None:
    """Puts what `code` makes of each list of payloads in its place, one after the other."""
    for holder, name, is_repeated in list(_places(message)):
        found = getattr(holder, name)
        if is_repeated:
            setattr(holder, name, list(await code(found)))
        else:
            (made,) = await code([found])
            setattr(holder, name, made)
