"""Drives libholdfast's worker on an asyncio loop: the loop waits on its descriptor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from .. import _core
from .._alarm import Alarm


class Answered(Protocol):
    """Turns.answered, for those who answer."""

    def __call__(self, *, is_last: bool = ...) -> None: ...


class Turns:
    """Hands each task (its kind, message, token and run id) to `take`, until the worker is over."""

    def __init__(self, core: _core.Worker, take: Callable[[int, bytes, bytes, str], None]) -> None:
        self._core = core
        self._take = take
        # Set when the engine first has the worker.
        self.attached = asyncio.Event()
        # Done: the worker is over. Of the loop that run() is called on.
        self._over: asyncio.Future[None] | None = None
        self._alarm = Alarm(self._turn)
        self._soon: asyncio.Handle | None = None

    @property
    def _is_on(self) -> bool:
        return self._over is not None and not self._over.done()

    async def run(self) -> None:
        """Returns when the worker was stopped and is drained; raises what ends it otherwise."""
        loop, descriptor = asyncio.get_running_loop(), self._core.fileno()
        self._over = loop.create_future()
        loop.add_reader(descriptor, self._turn)
        self._turn()
        try:
            await self._over
        finally:
            loop.remove_reader(descriptor)
            self._alarm.forget()

    def answered(self, *, is_last: bool = False) -> None:
        """An answer was given beside a turn: it leaves with the others of this pass; at once, where
        no other can come."""
        if is_last:
            self._flush()
        elif self._soon is None and self._is_on:
            self._soon = asyncio.get_running_loop().call_soon(self._flush)

    def look(self) -> None:
        """The worker was told to stop, or the like: its next turn may be due now."""
        asyncio.get_running_loop().call_soon(self._turn)

    def fail(self, error: BaseException) -> None:
        """The worker is over by this."""
        if self._over is not None and not self._over.done():
            self._over.set_exception(error)

    def _flush(self) -> None:
        self._soon = None
        if self._is_on:
            try:
                self._core.flush()
            except _core.Closed:
                self._turn()
            else:
                self._plan()

    def _turn(self) -> None:
        if not self._is_on:
            return
        assert self._over is not None
        try:
            self._core.process()
            if not self.attached.is_set() and self._core.state() == _core.STATE_ATTACHED:
                self.attached.set()
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
        self._alarm.set(asyncio.get_running_loop(), self._core.timeout_ms())
