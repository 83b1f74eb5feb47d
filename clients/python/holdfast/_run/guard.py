"""Keeps workflow code from what would come out differently when it is run again.

A guarded function asks whether the thread's event loop is that of a guarded run, which is all that
it costs everybody else. If it is, the frames say who has called: workflow code is refused.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..converter import (
    EncodingPayloadConverter,
    FailureConverter,
    JSONTypeConverter,
    PayloadConverter,
)
from ..workflow._runtime import RestrictedWorkflowAccessError

if TYPE_CHECKING:
    from .loop import WorkflowLoop

_PACKAGE = __name__.split(".", maxsplit=1)[0]
_LOOP = f"{_PACKAGE}._run.loop"
_LIBRARY = sysconfig.get_path("stdlib") + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

# Whatever is called through these may do what it likes: they bring the same in each replay, or
# write down what happens, or are somebody who looks for a fault.
PASSED_THROUGH = frozenset(
    (
        *("logging", "loguru", "structlog", "warnings", "traceback", "linecache", "tokenize"),
        *("importlib", "pkgutil", "inspect", "encodings", "locale", "gettext"),
        *("zoneinfo", "tzdata", "pytz", "dateutil"),
        *("bdb", "pdb", "pydevd", "debugpy", "coverage"),
    )
)
# Their methods are the worker's, also where user's code defines them.
_CONVERTERS = (PayloadConverter, EncodingPayloadConverter, FailureConverter, JSONTypeConverter)

_unrestricted: ContextVar[bool] = ContextVar("holdfast_unrestricted", default=False)


@dataclass(frozen=True)
class Guard:
    """What a run's loop has while its code is guarded: whose calls are let through."""

    passed_through: frozenset[str]

    def passes(self, module: str) -> bool:
        return any(module == name or module.startswith(name + ".") for name in self.passed_through)


@contextmanager
def unrestricted() -> Iterator[None]:
    """Within, this task of the workflow may do everything."""
    token = _unrestricted.set(True)
    try:
        yield
    finally:
        _unrestricted.reset(token)


def freely(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which may do everything also where workflow code calls it."""

    @functools.wraps(function)
    def free(*args: Any, **kwargs: Any) -> Any:
        with unrestricted():
            return function(*args, **kwargs)

    return free


def is_unrestricted() -> bool:
    return _unrestricted.get()


# MARK: A call that may be refused


def is_library(path: str) -> bool:
    """Of Python's own modules."""
    return path.startswith((_LIBRARY, "<frozen ")) and not is_installed(path)


def is_installed(path: str) -> bool:
    return any(part in path for part in _INSTALLED)


def _module(frame: FrameType) -> str:
    return frame.f_globals.get("__name__") or ""


def where(frame: FrameType) -> str:
    """`orders.py:41 in Order.run`."""
    return f"{frame.f_code.co_filename.rsplit(os.sep, 1)[-1]}:{frame.f_lineno} in {_name(frame)}"


def _name(frame: FrameType) -> str:
    code = frame.f_code
    name: str | None = getattr(code, "co_qualname", None)  # since Python 3.11
    if name is None and code.co_argcount and code.co_varnames[0] == "self":
        name = f"{type(frame.f_locals.get('self')).__name__}.{code.co_name}"
    return name or code.co_name


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, else that of a package of somebody's."""
    installed = None
    while frame is not None:
        if frame.f_code.co_name == "drive" and _module(frame) == _LOOP:
            break  # whoever runs the worker is not in the workflow
        if _module(frame).split(".", 1)[0] != _PACKAGE:
            path = frame.f_code.co_filename
            if is_installed(path):
                installed = installed or frame
            elif not is_library(path):
                return frame
        frame = frame.f_back
    return installed


def _is_converter(frame: FrameType) -> bool:
    code = frame.f_code
    if not code.co_argcount:
        return False
    return isinstance(frame.f_locals.get(code.co_varnames[0]), _CONVERTERS)


def _may(guard: Guard, frame: FrameType | None) -> bool:
    """Goes outward to the SDK, which calls workflow code and does things of its own."""
    seen = False
    while frame is not None:
        module = _module(frame)
        root = module.split(".", 1)[0]
        if root == _PACKAGE:
            return not seen
        if root in PASSED_THROUGH or guard.passes(module):
            return True
        if not is_library(frame.f_code.co_filename):
            if _is_converter(frame):
                return True
            seen = True
        frame = frame.f_back
    return True


def check(loop: WorkflowLoop, guard: Guard, name: str, advice: str, caller: FrameType) -> None:
    """Raises if it was workflow code whose frame, or that of what it has called, is the caller."""
    if _unrestricted.get() or _may(guard, caller):
        return
    user = users_frame(caller)
    inner: FrameType | None = caller
    while inner is not None and inner.f_back is not user:
        inner = inner.f_back
    if inner is not None and caller is not user:
        name = f"{_module(inner)}.{_name(inner)}".replace("random.Random.", "random.")
    line = f" at {where(user)}" if user is not None else ""
    error = RestrictedWorkflowAccessError(
        name,
        override_message=f"{name}() was called in workflow code{line}: it would not be the same"
        f" when the code is run again. Use {advice} instead; workflow.unsafe has what lets it pass",
    )
    loop.refused(error)
    raise error


def guarding(
    function: Callable[..., Any], name: str, advice: str, most: int | None = None
) -> Callable[..., Any]:
    """The function, refused in workflow code; `most`: with at most so many values."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        loop: Any = _get_running_loop()
        if loop is not None:
            guard = getattr(loop, "guard", None)
            if guard is not None and (most is None or len(args) <= most):
                check(loop, guard, name, advice, sys._getframe(1))
        return function(*args, **kwargs)

    return guarded
