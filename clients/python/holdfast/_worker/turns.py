"""Drives libholdfast's worker on an asyncio loop: the loop waits on its descriptor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .. import _core


class Turns:
    """Hands each task (its kind, message, token and run id) to `take`, until the worker is over."""

    def __init__(self, core: _core.Worker, take: Callable[[int, bytes, bytes, str], None]) -> None:
        self._core = core
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None

    async def run(self) -> None:
        """Returns when the worker was stopped and is drained; raises what ends it otherwise."""
        descriptor = self._core.fileno()
        self._loop.add_reader(descriptor, self._turn)
        self._turn()
        try:
            await self._over
        finally:
            self._loop.remove_reader(descriptor)
            self._forget_timer()

    def answered(self) -> None:
        """An answer was given beside a turn: it leaves with the others of this pass."""
        if self._soon is None and not self._over.done():
            self._soon = self._loop.call_soon(self._flush)

    def look(self) -> None:
        """The worker was told to stop, or the like: its next turn may be due now."""
        self._loop.call_soon(self._turn)

    def _flush(self) -> None:
        self._soon = None
        if not self._over.done():
            self._core.flush()
            self._plan()

    def _turn(self) -> None:
        if self._over.done():
            return
        try:
            self._core.process()
            while (task := self._core.next_task()) is not None:
                self._take(*task)
            self._core.flush()
        except _core.Closed:
            self._over.set_result(None)
        except BaseException as error:
            self._over.set_exception(error)
        else:
            self._plan()

    def _plan(self) -> None:
        self._forget_timer()
        due = self._core.timeout_ms()
        if due >= 0:
            self._timer = self._loop.call_later(due / 1000, self._turn)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
