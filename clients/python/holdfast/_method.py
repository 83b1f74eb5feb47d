"""A method of the engine's services."""

from __future__ import annotations

from typing import Generic, TypeVar

from ._core import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Method(Generic[Request, Response]):
    """A method's full name, the classes of its messages, and which sides send several."""

    __slots__ = ("client_streaming", "name", "request", "response", "server_streaming")

    def __init__(
        self,
        name: str,
        request: type[Request],
        response: type[Response],
        *,
        client_streaming: bool = False,
        server_streaming: bool = False,
    ) -> None:
        self.name = name
        self.request = request
        self.response = response
        self.client_streaming = client_streaming
        self.server_streaming = server_streaming

    def __repr__(self) -> str:
        return f"<Method {self.name}>"
