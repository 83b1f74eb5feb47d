"""Makes of a value that JSON has brought one of the type that a signature hints at."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import types
import typing
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

if TYPE_CHECKING:
    from .converter import JSONTypeConverter

_SCALARS = frozenset((bool, int, float, str))
_SEQUENCES = (list, tuple, set, frozenset)


def value_to_type(
    hint: Any, value: Any, custom_converters: Sequence[JSONTypeConverter] = ()
) -> Any:
    """The value as the hinted type; TypeError if it cannot be one."""
    for converter in custom_converters:
        made = converter.to_typed_value(hint, value)
        if made is not converter.Unhandled:
            return made
    # Most values, so before the questions that take longer.
    if type(value) is hint and hint in _SCALARS:
        return value
    if hint is Any or hint is object or hint is inspect.Parameter.empty:
        return value
    if isinstance(hint, TypeVar):
        return value_to_type(hint.__bound__ or Any, value, custom_converters)
    if hint is None or hint is type(None):
        if value is not None:
            raise TypeError(f"expected None, not {type(value).__name__}")
        return None
    supertype = getattr(hint, "__supertype__", None)  # of a NewType
    if supertype is not None:
        return value_to_type(supertype, value, custom_converters)
    origin = get_origin(hint)
    if origin is not None:
        return _generic(hint, origin, value, custom_converters)
    if not inspect.isclass(hint):
        raise TypeError(f"{hint!r} cannot be made of JSON")
    return _plain(hint, value, custom_converters)


def _generic(hint: Any, origin: Any, value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    arguments = get_args(hint)
    if origin is Literal:
        if value not in arguments:
            raise TypeError(f"{value!r} is none of {arguments}")
        return value
    if origin is typing.Annotated:
        return value_to_type(arguments[0], value, custom)
    if origin in (Union, types.UnionType):
        return _union(hint, arguments, value, custom)
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Mapping):
        return _mapping(hint, origin, arguments, value, custom)
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Iterable):
        return _iterable(hint, origin, arguments, value, custom)
    return value_to_type(origin, value, custom)  # a generic class of the user's


def _union(
    hint: Any, choices: Sequence[Any], value: Any, custom: Sequence[JSONTypeConverter]
) -> Any:
    # What has the very type comes before what can be turned into it.
    for choice in choices:
        if (choice is type(None) and value is None) or choice is type(value):
            return value
    for choice in choices:
        try:
            return value_to_type(choice, value, custom)
        except (TypeError, ValueError):
            continue
    raise TypeError(f"{type(value).__name__} is none of {hint}")


def _mapping(
    hint: Any,
    origin: Any,
    arguments: Sequence[Any],
    value: Any,
    custom: Sequence[JSONTypeConverter],
) -> Any:
    if not isinstance(value, collections.abc.Mapping):
        raise TypeError(f"expected {hint}, not {type(value).__name__}")
    key_hint, value_hint = arguments if len(arguments) == 2 else (Any, Any)
    made = {
        _key(key_hint, key, custom): value_to_type(value_hint, member, custom)
        for key, member in value.items()
    }
    return made if inspect.isabstract(origin) or origin is dict else origin(made)


def _key(hint: Any, key: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    """JSON's keys are texts."""
    if hint is int and isinstance(key, str):
        return int(key)
    if hint is float and isinstance(key, str):
        return float(key)
    if hint is bool and key in ("true", "false"):
        return key == "true"
    return value_to_type(hint, key, custom)


def _iterable(
    hint: Any,
    origin: Any,
    arguments: Sequence[Any],
    value: Any,
    custom: Sequence[JSONTypeConverter],
) -> Any:
    if not isinstance(value, collections.abc.Iterable) or isinstance(value, (str, bytes, dict)):
        raise TypeError(f"expected {hint}, not {type(value).__name__}")
    members = list(value)
    if origin is tuple and arguments and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        if len(members) != len(arguments):
            raise TypeError(f"expected {len(arguments)} members, not {len(members)}")
        return tuple(
            value_to_type(member_hint, member, custom)
            for member_hint, member in zip(arguments, members, strict=True)
        )
    member_hint = arguments[0] if arguments else Any
    made = [value_to_type(member_hint, member, custom) for member in members]
    if origin in _SEQUENCES:
        return origin(made)
    if inspect.isabstract(origin):
        if issubclass(origin, collections.abc.Set):
            return set(made)
        return made
    return origin(made)


def _plain(hint: type, value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (isinstance(value, bool) and hint is int):
        return value
    if hint is bytes and isinstance(value, (list, tuple)):
        return bytes(value)
    if issubclass(hint, Enum):
        return hint(value)
    if issubclass(hint, (datetime, date)) and isinstance(value, str):
        text = value.replace("Z", "+00:00") if value.endswith("Z") else value
        return hint.fromisoformat(text)
    if issubclass(hint, (uuid.UUID, Decimal, PurePath)) and isinstance(value, str):
        return hint(value)
    if hint in _SEQUENCES and isinstance(value, list):
        return hint(value)
    if dataclasses.is_dataclass(hint):
        return _dataclass(hint, value, custom)
    if hasattr(hint, "model_validate"):
        return hint.model_validate(value)
    if typing.is_typeddict(hint):
        return _typed_dict(hint, value, custom)
    if issubclass(hint, tuple) and hasattr(hint, "_fields") and isinstance(value, list):
        return hint(*value)
    raise TypeError(f"expected {hint.__name__}, not {type(value).__name__}")


def _fields_of(hint: type, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected a {hint.__name__} as an object, not {type(value).__name__}")
    return typing.get_type_hints(hint)


def _dataclass(hint: type, value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    """Names that it does not have are left out: a later version may have sent them."""
    hints = _fields_of(hint, value)
    members = {}
    for member in dataclasses.fields(hint):
        if member.name in value and member.init:
            try:
                members[member.name] = value_to_type(hints[member.name], value[member.name], custom)
            except (TypeError, ValueError) as error:
                raise TypeError(f"{hint.__name__}.{member.name}: {error}") from error
    return hint(**members)


def _typed_dict(hint: type, value: Any, custom: Sequence[JSONTypeConverter]) -> Any:
    hints = _fields_of(hint, value)
    return {
        name: value_to_type(hints[name], member, custom) if name in hints else member
        for name, member in value.items()
    }
