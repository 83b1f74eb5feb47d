"""The part of a run that keeps what it waits for by itself: timers and conditions."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import _messages as proto

if TYPE_CHECKING:
    from .run import WorkflowRun


class Waits:
    __slots__ = ("_conditions", "_timer_seqs", "_timers")

    def __init__(self) -> None:
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._timer_seqs: dict[int, int] = {}
        self._conditions: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @property
    def _me(self) -> WorkflowRun:
        return self  # type: ignore[return-value]

    # MARK: Timers

    def start_timer(
        self, delay: float, handle: asyncio.TimerHandle, summary: str | None = None
    ) -> None:
        run = self._me
        run.check_may_change("start a timer")
        seq = run.next_seq()
        # A little less than a whole number is what is left of it in binary.
        milliseconds = max(1, math.ceil(delay * 1000 - 1e-6))
        self._timers[seq] = handle
        self._timer_seqs[id(handle)] = seq
        run.commands.append(
            proto.Command(
                start_timer=proto.StartTimer(seq=seq, start_to_fire_timeout_ms=milliseconds),
                location=run.location(),
                user_metadata=run.metadata(summary),
            )
        )

    def timer_cancelled(self, handle: asyncio.TimerHandle) -> None:
        run = self._me
        seq = self._timer_seqs.pop(id(handle), None)
        if seq is None:
            return
        del self._timers[seq]
        if not run.is_evicted:
            run.emit(proto.Command(cancel_timer=proto.CancelTimer(seq=seq)), "cancel a timer")

    def fire(self, seq: int) -> None:
        run = self._me
        handle = self._timers.pop(seq, None)
        if handle is None:
            return run.unknown(seq)
        del self._timer_seqs[id(handle)]
        return run.loop.make_ready(handle)

    async def sleep(self, seconds: float, summary: str | None) -> None:
        run = self._me
        if summary is None or seconds <= 0:
            await asyncio.sleep(seconds)
            return
        future = run.loop.create_future()
        handle = asyncio.TimerHandle(run.loop.time() + seconds, _set_result, (future,), run.loop)
        self.start_timer(seconds, handle, summary)
        try:
            await future
        finally:
            handle.cancel()

    # MARK: Conditions

    async def wait_condition(
        self, condition: Callable[[], bool], timeout: float | None, summary: str | None = None
    ) -> None:
        run = self._me
        run.check_may_change("wait")
        if condition():
            return
        future: asyncio.Future[None] = run.loop.create_future()
        self._conditions.append((condition, future))
        if timeout is None:
            await future
            return
        if timeout <= 0:
            future.cancel()
            raise asyncio.TimeoutError
        when = run.loop.time() + timeout
        handle = asyncio.TimerHandle(when, _time_out, (future,), run.loop)
        self.start_timer(timeout, handle, summary)
        try:
            await future
        finally:
            handle.cancel()

    def wake(self) -> bool:
        """Wakes those whose condition has come to hold; whether there were any."""
        has_woken, waiting = False, []
        for condition, future in self._conditions:
            if future.done():
                continue
            try:
                holds = condition()
            except BaseException as error:
                future.set_exception(error)
                has_woken = True
                continue
            if holds:
                future.set_result(None)
                has_woken = True
            else:
                waiting.append((condition, future))
        self._conditions = waiting
        return has_woken


def _set_result(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _time_out(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(asyncio.TimeoutError())
