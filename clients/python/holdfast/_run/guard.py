"""Keeps workflow code from what would come out differently when it is run again.

The functions that give the time, chance or anything from outside are replaced where they are found
(`time.time` in `time`) by ones that refuse in workflow code, and only while a run is driven: nobody
else pays for it. What a module has taken by `from time import time` is replaced there once, when
its workflow is registered (`guarded_modules.py`).
"""

from __future__ import annotations

import _posixsubprocess
import builtins
import functools
import io
import operator
import os
import pathlib
import random
import socket
import subprocess
import sys
import sysconfig
import threading
import time
import uuid
from asyncio.events import _get_running_loop
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType, ModuleType
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
    code = frame.f_code
    function = getattr(code, "co_qualname", code.co_name)  # since Python 3.11
    return f"{code.co_filename.rsplit(os.sep, 1)[-1]}:{frame.f_lineno} in {function}"


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, else that of a package of somebody's."""
    installed = None
    while frame is not None:
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
        code = inner.f_code
        function = getattr(code, "co_qualname", code.co_name)
        name = f"{_module(inner)}.{function}"
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


# MARK: What is guarded

_TIME = "workflow.now() or workflow.time()"
_CHANCE = "workflow.random()"
_UUID = "workflow.uuid4()"
_SLEEP = "`await workflow.sleep()`"
_OUTSIDE = "an activity"


@dataclass(frozen=True)
class _Rule:
    module: ModuleType
    names: Sequence[str]
    advice: str
    # Refused with at most so many values.
    most: int | None = None
    # How it is called in messages, else by module and name.
    shown: str | None = None


_CLOCKS = "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time"
_THREADS = ("_start_new_thread", "_start_joinable_thread")

# These cost so little that one more call would be felt: they are replaced while runs are driven.
_QUICK = (
    _Rule(time, _CLOCKS.split(), _TIME),
    _Rule(time, ("localtime", "gmtime", "ctime"), _TIME, most=0),
    _Rule(time, ("strftime",), _TIME, most=1),
    _Rule(random, [name for name in random.__all__ if name[0].islower()], _CHANCE),
    # Of SystemRandom, and so of `secrets`.
    _Rule(random, ("_urandom",), _CHANCE, shown="os.urandom"),
    # Also of uuid4.
    _Rule(os, ("urandom",), _CHANCE),
)
# And these for good, by the first worker that has workflows to guard.
_SLOW = (
    _Rule(time, ("sleep",), _SLEEP),
    _Rule(os, ("getrandom",), _CHANCE),
    _Rule(os, ("open",), _OUTSIDE),
    _Rule(os, ("system", "fork", "forkpty", "posix_spawn", "posix_spawnp"), _OUTSIDE),
    _Rule(uuid, ("uuid1",), _UUID),
    _Rule(builtins, ("open", "input"), _OUTSIDE),
    _Rule(io, ("open",), _OUTSIDE, shown="open"),
    _Rule(socket, ("getaddrinfo", "gethostbyname"), _OUTSIDE),
    # By the first name since Python 3.11.
    _Rule(subprocess, ("_fork_exec",), _OUTSIDE, shown="subprocess.Popen"),
    _Rule(_posixsubprocess, ("fork_exec",), _OUTSIDE, shown="subprocess.Popen"),
    _Rule(
        threading, _THREADS, "an activity or asyncio.create_task()", shown="threading.Thread.start"
    ),
)


class _Space:
    """The names of one module that are replaced while runs are driven."""

    def __init__(self, module: ModuleType, guards: dict[str, Any]) -> None:
        self._names = module.__dict__
        self._originals = {name: self._names[name] for name in guards}
        self._guards = guards
        self._read: Callable[[Any], Any] = operator.itemgetter(*guards)
        # What it reads, as it was and while runs are driven.
        self._free = self._read(self._originals)
        self._guarded = self._read(guards)

    def guard(self) -> None:
        if self._read(self._names) == self._free:
            self._names.update(self._guards)
        else:
            self._change(self._originals, self._guards)

    def free(self) -> None:
        if self._read(self._names) == self._guarded:
            self._names.update(self._originals)
        else:
            self._change(self._guards, self._originals)

    def _change(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Leaves alone what somebody else has replaced, a test for example."""
        for name, function in old.items():
            if self._names[name] is function:
                self._names[name] = new[name]


class _Spaces:
    """What is replaced is what there was when this module was imported."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._driven = 0
        self._is_installed = False
        # By the original's id.
        self.replacements: dict[int, tuple[Any, Any]] = {}
        self._slow = [(rule.module, self._guards_of(rule)) for rule in _SLOW]
        quick: dict[ModuleType, dict[str, Any]] = {}
        for rule in _QUICK:
            quick.setdefault(rule.module, {}).update(self._guards_of(rule))
        self._quick = [_Space(module, guards) for module, guards in quick.items()]

    def begin_anew(self) -> None:
        """In a forked child, in which nothing is driven."""
        self._lock = threading.Lock()
        self._driven = 0
        for space in self._quick:
            space.free()

    def _guards_of(self, rule: _Rule) -> dict[str, Any]:
        guards: dict[str, Any] = {}
        for name in rule.names:
            original = getattr(rule.module, name, None)
            if original is None:  # of another version or system
                continue
            shown = rule.shown or f"{rule.module.__name__}.{name}".removeprefix("builtins.")
            known = self.replacements.get(id(original))
            made = known[1] if known else guarding(original, shown, rule.advice, rule.most)
            guards[name] = made
            self.replacements[id(original)] = (original, made)
        return guards

    def replace_also(self, module: ModuleType, name: str, function: Callable[..., Any]) -> None:
        """While runs are driven."""
        self._quick.append(_Space(module, {name: function}))

    def install(self) -> None:
        """Once in the process, before the first guarded run."""
        with self._lock:
            if self._is_installed:
                return
            self._is_installed = True
            for module, guards in self._slow:
                names = vars(module)
                for name, made in guards.items():
                    # A test may have replaced it.
                    if names[name] is made.__wrapped__:
                        names[name] = made
            # What a function can do is asked by looking for it in these.
            for kind in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
                kind.update(
                    made for original, made in self.replacements.values() if original in kind
                )
            _guard_classes()

    def enter(self) -> None:
        with self._lock:
            self._driven += 1
            if self._driven == 1:
                for space in self._quick:
                    space.guard()

    def leave(self) -> None:
        with self._lock:
            self._driven -= 1
            if self._driven == 0:
                for space in self._quick:
                    space.free()


def _guard_classes() -> None:
    """Of classes, which others may have taken by name."""
    original = random.Random.__init__

    @functools.wraps(original)
    def seeded(self: random.Random, x: Any = None) -> None:
        loop: Any = _get_running_loop()
        guard = getattr(loop, "guard", None)
        if guard is not None and x is None and not isinstance(self, random.SystemRandom):
            advice = "workflow.new_random() or a seed"
            check(loop, guard, "random.Random", advice, sys._getframe(1))
        original(self, x)

    random.Random.__init__ = seeded  # type: ignore[method-assign]
    made = guarding(socket.socket.__init__, "socket.socket", _OUTSIDE)
    socket.socket.__init__ = made  # type: ignore[method-assign]
    # Python 3.10 keeps `open` there.
    accessor = getattr(pathlib, "_NormalAccessor", None)
    if accessor is not None:
        accessor.open = staticmethod(guarding(accessor.open, "open", _OUTSIDE))


_spaces = _Spaces()
os.register_at_fork(after_in_child=_spaces.begin_anew)
install, enter, leave = _spaces.install, _spaces.enter, _spaces.leave
replace_also = _spaces.replace_also
replacements = _spaces.replacements
