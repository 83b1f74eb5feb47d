"""The activities that a worker serves, by type."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..activity import Definition
from ..workflow._definition import Hints


def is_async(function: Any) -> bool:
    """Of a function or an object that is called like one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


@dataclass(frozen=True)
class Function:
    """An activity's function, as a worker sees it."""

    call: Callable[..., Any]
    is_dynamic: bool
    is_async: bool
    no_thread_cancel_exception: bool
    argument_hints: list[type] | None

    @staticmethod
    def of(activity: Any) -> Function:
        definition = Definition.must_be_of(activity)
        if isinstance(activity, type):
            raise TypeError(f"{activity!r} is a class: a worker needs an instance of it")
        if not callable(activity):
            raise TypeError(f"{activity!r} cannot be called")
        is_plain = inspect.isroutine(activity)
        call = activity if is_plain else activity.__call__
        is_dynamic = definition.name is None
        hints = Hints.of(call)
        return Function(
            # The object itself: its method may be one that cannot be pickled by name.
            activity,
            is_dynamic,
            is_async(activity),
            definition.no_thread_cancel_exception,
            None if is_dynamic else hints.arguments,
        )


class Functions:
    """Looks functions up by type; the dynamic one is for those that no other has."""

    def __init__(self, activities: Sequence[Any]) -> None:
        self._by_name: dict[str, Function] = {}
        self.dynamic: Function | None = None
        for activity in activities:
            name = Definition.must_be_of(activity).name
            if name is None and self.dynamic is not None:
                raise ValueError("two activities are dynamic")
            if name in self._by_name:
                raise ValueError(f"two activities are named {name!r}")
            function = Function.of(activity)
            if name is None:
                self.dynamic = function
            else:
                self._by_name[name] = function

    @property
    def names(self) -> list[str]:
        return list(self._by_name)

    @property
    def all(self) -> list[Function]:
        found = list(self._by_name.values())
        return found if self.dynamic is None else [*found, self.dynamic]

    def get(self, name: str) -> Function | None:
        return self._by_name.get(name, self.dynamic)
