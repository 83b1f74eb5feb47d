"""The functions that are guarded: those that give the time, chance or anything from outside.

They are replaced where they are found (`time.time` in `time`) by ones that refuse in workflow code.
Those that cost little are so only while a run is driven: nobody else pays for it. What a module has
taken by `from time import time` is replaced there, when its workflow is registered
(`guarded_modules.py`).
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
import threading
import time
import uuid
from asyncio.events import _get_running_loop
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, NamedTuple

from .guard import check, guarding

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
    # The others call these of the object that they are methods of: see _GuardedRandom.
    _Rule(random, ("random", "getrandbits"), _CHANCE),
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


class _Space(NamedTuple):
    """The names of one module that are replaced while runs are driven."""

    names: dict[str, Any]
    read: Callable[[Any], Any]
    free: dict[str, Any]
    guarded: dict[str, Any]
    # What `read` gives of these.
    all_free: Any
    all_guarded: Any

    @staticmethod
    def of(module: ModuleType, guarded: dict[str, Any]) -> _Space:
        names = module.__dict__
        free = {name: names[name] for name in guarded}
        read: Callable[[Any], Any] = operator.itemgetter(*guarded)
        return _Space(names, read, free, guarded, read(free), read(guarded))


def _guard(spaces: Sequence[_Space]) -> None:
    """Twice for each task of a workflow: all of it in one place."""
    for names, read, free, guarded, all_free, _ in spaces:
        if read(names) == all_free:
            names.update(guarded)
        else:
            _change(names, free, guarded)


def _free(spaces: Sequence[_Space]) -> None:
    for names, read, free, guarded, _, all_guarded in spaces:
        if read(names) == all_guarded:
            names.update(free)
        else:
            _change(names, guarded, free)


def _change(names: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> None:
    """Leaves alone what somebody else has replaced, a test for example."""
    for name, function in old.items():
        if names[name] is function:
            names[name] = new[name]


class _GuardedRandom(random.Random):
    """The class of the object behind `random.randint` and the like, while runs are driven."""

    def random(self) -> float:
        self._check("random.random", sys._getframe(1))
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        self._check("random.getrandbits", sys._getframe(1))
        return super().getrandbits(k)

    @staticmethod
    def _check(name: str, caller: FrameType) -> None:
        loop: Any = _get_running_loop()
        guard = getattr(loop, "guard", None)
        if guard is not None:
            check(loop, guard, name, _CHANCE, caller)


_generator: random.Random = random._inst


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
        self._quick = [_Space.of(module, guards) for module, guards in quick.items()]

    def begin_anew(self) -> None:
        """In a forked child, in which nothing is driven."""
        self._lock = threading.Lock()
        self._driven = 0
        _generator.__class__ = random.Random
        _free(self._quick)

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
        self._quick.append(_Space.of(module, {name: function}))

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
                _guard(self._quick)
                _generator.__class__ = _GuardedRandom

    def leave(self) -> None:
        with self._lock:
            self._driven -= 1
            if self._driven == 0:
                _generator.__class__ = random.Random
                _free(self._quick)


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
