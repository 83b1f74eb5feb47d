"""Calls of the engine's methods with the protocol's messages, and how they fail."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Generic, NoReturn, TypeVar

from . import _core
from . import _messages as proto
from ._channel import Channel, Stream
from ._method import Method
from .common import to_ms
from .exceptions import HoldfastError

Request = TypeVar("Request", bound=_core.Message)
Response = TypeVar("Response", bound=_core.Message)

RPCMetadata = Mapping[str, str | bytes]
"""Taken for programs that have it; a Unix socket has nobody to give it to."""
NO_METADATA: RPCMetadata = MappingProxyType({})

FOREVER = timedelta.max
"""As the timeout of a call: it waits until the engine answers."""


RPCStatusCode = proto.StatusCode
"""What a call came to: gRPC's codes."""

# What the library itself says, in the terms of the engine.
_OF_THE_LIBRARY = {
    "DISCONNECTED": RPCStatusCode.UNAVAILABLE,
    "TIMEOUT": RPCStatusCode.DEADLINE_EXCEEDED,
    "CLOSED": RPCStatusCode.CANCELLED,
    "FORKED": RPCStatusCode.FAILED_PRECONDITION,
    "BAD_ARGUMENT": RPCStatusCode.INVALID_ARGUMENT,
    "OUT_OF_MEMORY": RPCStatusCode.RESOURCE_EXHAUSTED,
    "PROTOCOL_ERROR": RPCStatusCode.INTERNAL,
    "TOO_LARGE": RPCStatusCode.RESOURCE_EXHAUSTED,
    "SYSTEM_ERROR": RPCStatusCode.INTERNAL,
}


class RPCError(HoldfastError):
    """A call that failed, by the engine or on the way to it."""

    def __init__(
        self,
        message: str,
        status: RPCStatusCode,
        *,
        code: str = "",
        reason: str = "",
        field: str = "",
        is_retryable: bool = False,
        run_id: str = "",
    ) -> None:
        super().__init__(message)
        self._message = message
        self._status = status
        self.code = code or status.name
        """The status by name, or what the library itself says: "DISCONNECTED", "TIMEOUT"."""
        self.reason = reason
        """The engine's reason, such as "WORKFLOW_NOT_FOUND"; empty: it gave none."""
        self.field = field
        """The field of the request that is at fault, as a path, or empty."""
        self.is_retryable = is_retryable
        """The same call may succeed later."""
        self.run_id = run_id
        """The run that the error speaks of, or empty."""

    @property
    def message(self) -> str:
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        return self._status

    @staticmethod
    def _of(error: _core.Error) -> RPCError:
        status = _OF_THE_LIBRARY.get(error.code)
        if status is None:
            status = RPCStatusCode(error.status) if error.status <= 16 else RPCStatusCode.UNKNOWN
        return RPCError(
            str(error),
            status,
            code=error.code,
            reason=error.reason,
            field=error.field,
            is_retryable=error.retryable,
            run_id=error.run_id,
        )


def _raise(error: _core.Error) -> NoReturn:
    raise RPCError._of(error) from None


class ServiceClient:
    """Calls the engine's methods from any number of event loops.

    Each loop that calls has a connection of its own, which is made at its first call, comes back
    by itself when it is lost, and repeats what may not have arrived.
    """

    def __init__(
        self,
        socket_path: str | None = None,
        *,
        namespace: str = "default",
        identity: str | None = None,
        call_timeout: timedelta | None = None,
    ) -> None:
        """call_timeout: of calls that name none; None: 10 s."""
        self.socket_path = socket_path
        self.namespace = namespace
        self.identity = identity or f"{os.getpid()}@{socket.gethostname()}"
        self._options: dict[str, Any] = {
            "socket_path": socket_path,
            "namespace": namespace,
            "identity": self.identity,
            "client_name": "holdfast-python",
            "language": "python",
            "call_timeout_ms": _timeout_ms(call_timeout),
        }
        self._channels: dict[asyncio.AbstractEventLoop, Channel] = {}
        self._is_closed = False

    async def connect(self, timeout: timedelta) -> None:
        """Connects now, trying again within the timeout, and not with the first call."""
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[_core.Client] = loop.create_future()

        def tell(tell_it: Callable[[Any], None], what: Any) -> None:
            if not connected.done():
                tell_it(what)

        def connect() -> None:
            try:
                made = _core.Client.connect(
                    **self._options, connect_timeout_ms=_timeout_ms(timeout)
                )
            except _core.Error as error:
                outcome: tuple[Any, Any] = connected.set_exception, error
            else:
                outcome = connected.set_result, made
            # Where the loop is gone, so is the client with this thread.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, *outcome)

        # The library waits in connect(); the loop is not to, nor the end of the program.
        threading.Thread(target=connect, daemon=True, name="holdfast-connect").start()
        try:
            core = await connected
        except _core.Error as error:
            _raise(error)
        self._channels[loop] = Channel(core, loop)

    async def call(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: timedelta | None = None,
    ) -> Response:
        """Calls a unary method. timeout: None is the client's own. Raises RPCError."""
        data = request.encode()
        try:
            answer = await self._channel().call(method.name, data, _timeout_ms(timeout))
        except _core.Error as error:
            _raise(error)
        return method.response.decode(answer)

    async def come_back(self, error: RPCError, timeout: timedelta | None) -> None:
        """Of what a stream has raised: returns with a new connection when the one before was lost.

        Else it raises the error. timeout: as of call().
        """
        if error.code != "DISCONNECTED":
            raise error
        await self.call(proto.OperatorService.Health, proto.HealthRequest(), timeout=timeout)

    def stream(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: timedelta | None = None,
    ) -> MessageStream[Response]:
        """Opens a call that is answered by messages. timeout: of all of it; None: no end."""
        try:
            opened = self._channel().open(method.name, request.encode(), _timeout_ms(timeout))
        except _core.Error as error:
            _raise(error)
        return MessageStream(opened, method.response)

    def two_way(
        self,
        method: Method[Request, Response],
        request: Request,
        *,
        timeout: timedelta | None = None,
    ) -> TwoWayStream[Request, Response]:
        """Opens a call on which both sides take turns; `request` is the first message."""
        data = request.encode()
        try:
            opened = self._channel().open_two_way(method.name, data, _timeout_ms(timeout))
        except _core.Error as error:
            _raise(error)
        return TwoWayStream(opened, method.response)

    def close(self) -> None:
        """Ends every call of this event loop with CANCELLED, and refuses more of them."""
        self._is_closed = True
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            if channel.loop.is_closed() or channel.loop is _running_loop():
                channel.close()
            else:
                channel.loop.call_soon_threadsafe(channel.close)

    def _channel(self) -> Channel:
        loop = asyncio.get_running_loop()
        channel = self._channels.get(loop)
        if channel is None:
            if self._is_closed:
                raise RPCError("the client was closed", RPCStatusCode.CANCELLED)
            for other in [known for known in self._channels if known.is_closed()]:
                self._channels.pop(other).close()
            core = _core.Client.create(**self._options)
            channel = self._channels[loop] = Channel(core, loop)
        return channel


class MessageStream(Generic[Response], AsyncIterator[Response]):
    """The messages of a call, in order. One task at a time takes them."""

    def __init__(self, stream: Stream, response: type[Response]) -> None:
        self._stream = stream
        self._response = response

    def __aiter__(self) -> MessageStream[Response]:
        return self

    async def __anext__(self) -> Response:
        try:
            message = await self._stream.next()
        except _core.StreamEnd:
            raise StopAsyncIteration from None
        except _core.Error as error:
            _raise(error)
        return self._response.decode(message)

    async def aclose(self) -> None:
        """Gives the call up if it goes on."""
        self._stream.close()


class TwoWayStream(MessageStream[Response], Generic[Request, Response]):
    """The same, where the caller answers the messages that it has taken."""

    def send(self, request: Request) -> None:
        try:
            self._stream.send(request.encode())
        except _core.Error as error:
            _raise(error)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _timeout_ms(timeout: timedelta | None) -> int:
    """As libholdfast has it: 0 is the default, less is forever."""
    if timeout is None:
        return 0
    return -1 if timeout == FOREVER else max(to_ms(timeout), 1)
