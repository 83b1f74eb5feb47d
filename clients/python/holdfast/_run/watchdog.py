"""Ends workflow code that holds its thread for too long: nothing else of the worker could go on.

One thread for the process looks at what is driven, a few times within the time that code has; it
sleeps while nothing has been driven for a while. It interrupts the code by an exception, which is
given to a thread when it next runs a line of Python: a call into C comes to its end before.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from ..exceptions import HoldfastError
from .guard import users_frame, where

if TYPE_CHECKING:
    from .loop import WorkflowLoop

# As it is outside of workflow code, in which the guard would look at each call.
_monotonic = time.monotonic

T = TypeVar("T")

logger = logging.getLogger("holdfast.workflow")

DEFAULT_SECONDS = 2.0
# How often a drive is looked at before its time is over.
LOOKS = 8
# After so many looks that saw nothing driven the watchdog sleeps until something is.
IDLE_LOOKS = 16
# Frames of these are a stop in a debugger: somebody is looking at the code.
_DEBUGGERS = ("bdb", "pdb", "pydevd", "_pydevd_bundle", "debugpy")


class Interrupt(BaseException):
    """Ends workflow code that has held its thread for too long; nobody should catch it."""


class DeadlockError(HoldfastError):
    """Workflow code has held its worker's thread for too long."""


class _Drive:
    """One call of workflow code. Both threads write it, each its own fields, and take no lock.

    A lock would not do: an interrupt that comes when it has just been taken would leave it taken.
    """

    __slots__ = (
        *("begun", "begun_at", "has_ended", "is_interrupting", "loop", "seconds", "thread"),
    )

    def __init__(self, loop: WorkflowLoop, seconds: float, clock: float) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.seconds = seconds
        # By the watchdog's clock, as of its last look, which may be a while ago; and by the wall.
        self.begun = clock
        self.begun_at = _monotonic()
        # Of the thread that is watched: no interrupt may come any more.
        self.has_ended = False
        # Of the watchdog: it is about to see whether the drive has ended, and else to interrupt it.
        self.is_interrupting = False


class Watchdog:
    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self._changed = threading.Condition()
        # By thread.
        self._drives: dict[int, _Drive] = {}
        self._thread: threading.Thread | None = None
        self._sleeps = True
        # Of all drives since it was woken.
        self._shortest = 0.0
        # Seconds in which code could run: without those in which the process was stopped.
        self._clock = 0.0

    # MARK: The thread that is watched

    def call(self, loop: WorkflowLoop, seconds: float, code: Callable[[], T]) -> T:
        """What the code returns; DeadlockError when it did not return in time.

        None is on its way to the thread any more when `_end` has returned: an interrupt that comes
        while that is done is caught here.
        """
        loop.overdue = None
        drive = _Drive(loop, seconds, self._clock)
        outer = self._drives.get(drive.thread)
        self._drives[drive.thread] = drive
        if self._sleeps or seconds < self._shortest:
            self._wake(seconds)
        try:
            try:
                result = code()
            finally:
                self._end(drive, outer)
        except BaseException:
            self._end(drive, outer)
            if loop.overdue is None:
                raise
        if loop.overdue is not None:
            raise DeadlockError(loop.overdue)
        return result

    def _end(self, drive: _Drive, outer: _Drive | None) -> None:
        """May be called again: the first time may have been interrupted."""
        drive.has_ended = True
        if outer is not None:
            self._drives[drive.thread] = outer
        else:
            self._drives.pop(drive.thread, None)
        while drive.is_interrupting:
            time.sleep(0)
        if drive.loop.overdue is not None:
            _interrupt(drive.thread, None)

    def _wake(self, seconds: float) -> None:
        with self._changed:
            self._shortest = seconds if self._sleeps else min(seconds, self._shortest)
            self._sleeps = False
            if self._thread is not None:
                self._changed.notify()
                return
            self._thread = threading.Thread(
                target=self._watch, name="holdfast-watchdog", daemon=True
            )
            self._thread.start()

    # MARK: The thread that watches

    def _watch(self) -> None:
        idle, wall, cpu = 0, _monotonic(), time.process_time()
        while True:
            idle = 0 if self._drives else idle + 1
            if idle > IDLE_LOOKS:
                self._sleep()
                idle, wall, cpu = 0, _monotonic(), time.process_time()
            with self._changed:
                look = self._shortest / LOOKS
                self._changed.wait(look)
            before, wall = wall, _monotonic()
            used, cpu = time.process_time() - cpu, time.process_time()
            # A process that was stopped has used no time of a processor; one that was kept from
            # looking by a long call into C has.
            self._clock += min(wall - before, max(look, used))
            try:
                self._look(wall)
            except Exception:  # of odd frames; there is no other watchdog
                logger.exception("the watchdog of workflows could not look at what is driven")

    def _sleep(self) -> None:
        with self._changed:
            # In this order: whoever begins a drive writes that down before it looks at this.
            self._sleeps = True
            if self._drives:
                self._sleeps = False
            while self._sleeps:
                self._changed.wait()

    def _look(self, now: float) -> None:
        frames: dict[int, FrameType] = {}
        for drive in list(self._drives.values()):
            if min(now - drive.begun_at, self._clock - drive.begun) < drive.seconds:
                continue
            frames = frames or sys._current_frames()
            frame = frames.get(drive.thread)
            if _is_in_debugger(frame):
                drive.begun, drive.begun_at = self._clock, now
            else:
                self._stop(drive, frame)

    def _stop(self, drive: _Drive, frame: FrameType | None) -> None:
        """Again at each look, in case that the code catches what interrupts it."""
        loop, user = drive.loop, users_frame(frame)
        place = f" at {where(user)}" if user is not None else ""
        message = (
            f"Potential deadlock: workflow code held the worker for {drive.seconds:g} s{place}"
        )
        stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
        is_first = loop.overdue is None
        drive.is_interrupting = True
        if not drive.has_ended:
            loop.overdue = loop.overdue or message
            _interrupt(drive.thread, Interrupt)
        drive.is_interrupting = False
        if is_first and loop.overdue is not None:
            logger.error("workflow %s: %s\n%s", loop.workflow_id, message, stack)


def _is_in_debugger(frame: FrameType | None) -> bool:
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        if module.split(".", 1)[0] in _DEBUGGERS:
            return True
        frame = frame.f_back
    return False


def _interrupt(thread: int, error: type[Interrupt] | None) -> None:
    """None: takes back what has not arrived."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )


watchdog = Watchdog()
# A forked child has no watchdog's thread, and maybe a lock that nobody gives back.
os.register_at_fork(after_in_child=watchdog.begin_anew)
