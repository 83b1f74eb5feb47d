"""One connection to an engine on one asyncio loop, which waits on libholdfast's descriptor."""

from __future__ import annotations

import asyncio
import itertools

from . import _core
from ._alarm import Alarm


class Channel:
    """Calls with serialized messages. All of it belongs to the thread of its loop."""

    def __init__(self, core: _core.Client, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._core = core
        self._tags = itertools.count()
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        # Streams whose next message somebody awaits.
        self._awaited: dict[Stream, asyncio.Future[bytes]] = {}
        self._soon: asyncio.Handle | None = None
        self._alarm = Alarm(self._turn)
        loop.add_reader(core.fileno(), self._turn)

    async def call(self, method: str, request: bytes, timeout_ms: int) -> bytes:
        """Raises _core.Error. When the awaiting task is cancelled, the call is given up.

        It has left when submit returns; if there is more to do, the descriptor is readable.
        """
        tag = next(self._tags)
        future: asyncio.Future[bytes] = self.loop.create_future()
        self._core.submit(method, request, timeout_ms, tag)
        self._calls[tag] = future
        try:
            return await future
        finally:
            if self._calls.pop(tag, None) is not None and not self._core.closed:
                self._core.cancel_call(tag)
                self.look()

    def open(self, method: str, request: bytes, timeout_ms: int) -> Stream:
        stream = Stream(self, self._core.open(method, request, timeout_ms))
        self.look()
        return stream

    def open_two_way(self, method: str, request: bytes, timeout_ms: int) -> Stream:
        stream = Stream(self, self._core.open_two_way(method, request, timeout_ms))
        self.look()
        return stream

    def close(self) -> None:
        """Ends all calls and streams with _core.Closed."""
        if self._core.closed:
            return
        if not self.loop.is_closed():
            self.loop.remove_reader(self._core.fileno())
        self._forget_soon()
        self._alarm.forget()
        self._core.close()
        self._fail_all(_core.Closed("the client was closed"))

    async def next_of(self, stream: Stream) -> bytes:
        message = stream.take()
        if message is not None:
            self.look()
            return message
        future: asyncio.Future[bytes] = self.loop.create_future()
        self._awaited[stream] = future
        self.look()
        try:
            return await future
        finally:
            self._awaited.pop(stream, None)

    # MARK: Turns

    def look(self) -> None:
        """Something was submitted or taken: it leaves with the others of this pass."""
        if self._soon is None:
            self._soon = self.loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._forget_soon()
        try:
            self._core.process()
        except _core.Error as error:
            # Trying again hardly mends it: who waits is told why, and not when time is over.
            self._fail_all(error)
            if isinstance(error, _core.Closed):
                return self._alarm.forget()
        self._take()
        self._alarm.set(self.loop, self._core.timeout_ms())

    def _take(self) -> None:
        while self._calls and (ended := self._core.next_completion(0)) is not None:
            tag, answer = ended
            future = self._calls.pop(tag, None)
            if future is None or future.done():
                continue
            if isinstance(answer, bytes):
                future.set_result(answer)
            else:
                future.set_exception(answer)
        for stream, future in list(self._awaited.items()):
            if future.done():
                continue
            try:
                message = stream.take()
            except (_core.Error, _core.StreamEnd) as error:
                future.set_exception(error)
            else:
                if message is not None:
                    future.set_result(message)

    def _fail_all(self, error: _core.Error) -> None:
        for tag, future in self._calls.items():
            if not self._core.closed:
                self._core.cancel_call(tag)
            if not future.done():
                future.set_exception(error)
        self._calls.clear()
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(error)

    def _forget_soon(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None


class Stream:
    """A call that is answered by messages. One task at a time takes them."""

    def __init__(self, channel: Channel, core: _core.Stream) -> None:
        self._channel = channel
        self._core = core

    async def next(self) -> bytes:
        """The next message. Raises _core.StreamEnd, _core.Error."""
        return await self._channel.next_of(self)

    def take(self) -> bytes | None:
        """The next message if it has come in."""
        return self._core.next(0)

    def send(self, message: bytes) -> None:
        """The next message of a two-way stream, after one of the other side was taken."""
        self._core.send(message)
        self._channel.look()

    def close(self) -> None:
        """Gives the stream up if it goes on; a second time it does nothing."""
        self._core.close()
