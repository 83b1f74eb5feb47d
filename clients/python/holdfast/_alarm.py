"""When libholdfast next wants a turn, whatever its descriptor says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Alarm:
    """Calls `ring` on its loop at the latest when it is due; it may do so earlier."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def set(self, loop: asyncio.AbstractEventLoop, due_ms: int) -> None:
        """In so many milliseconds; never, where that is negative. To be set anew by each turn."""
        if due_ms < 0:
            return self.forget()
        when = loop.time() + due_ms / 1000
        # Most turns only put off what is due: to let a timer come too early costs less than theirs.
        if self._timer is None or when < self._timer.when():
            self.forget()
            self._timer = loop.call_at(when, self._come)

    def forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _come(self) -> None:
        self._timer = None
        self._ring()
