"""Lists that come page by page, as they are taken."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..service import RPCError

if TYPE_CHECKING:
    from .._method import Method
    from ._client import Client

T = TypeVar("T")


class Pages(AsyncIterator[T]):
    """One after the other; the next page is asked for when this one is taken."""

    def __init__(self, page_size: int, token: bytes | None) -> None:
        self._page_size = page_size
        self._page: list[T] | None = None
        self._at = 0
        self._token = token

    @property
    def current_page(self) -> Sequence[T] | None:
        """None: none was asked for yet."""
        return self._page

    @property
    def current_page_index(self) -> int:
        """How many of the page were taken."""
        return self._at

    @property
    def next_page_token(self) -> bytes | None:
        """Names the page after this one, also to another client; None: there is none."""
        return self._token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Takes the next page in place of this one."""
        size = self._page_size if page_size is None else page_size
        self._page, self._token = await self._fetch(size, self._token)
        self._at = 0

    @abstractmethod
    async def _fetch(self, size: int, token: bytes | None) -> tuple[list[T], bytes | None]:
        """A page, and the token of the next one."""

    async def __anext__(self) -> T:
        while self._page is None or self._at >= len(self._page):
            if self._page is not None and self._token is None:
                raise StopAsyncIteration
            await self.fetch_next_page()
        self._at += 1
        return self._page[self._at - 1]


class StreamedPages(Pages[T]):
    """Of a method whose request has page_size, next_page_token and limit, and that streams."""

    def __init__(
        self, client: Client, method: Method[Any, Any], request: Any, timeout: Any
    ) -> None:
        super().__init__(request.page_size, request.next_page_token or None)
        self._client = client
        self._method = method
        self._request = request
        self._timeout = timeout
        # How many more may be given.
        self._left = request.limit or None
        request.limit = 0

    @abstractmethod
    def _rows(self, response: Any) -> Sequence[T]:
        """What one message of the answer tells of."""

    async def _fetch(self, size: int, token: bytes | None) -> tuple[list[T], bytes | None]:
        request = self._request
        request.page_size = size if self._left is None else max(min(size, self._left), 1)
        request.next_page_token = token or b""
        service = self._client.service_client
        while True:
            page: list[T] = []
            following: bytes | None = None
            try:
                async for response in service.stream(self._method, request, timeout=self._timeout):
                    page += self._rows(response)
                    following = response.next_page_token or None
                return page, following
            except RPCError as error:
                await service.come_back(error, self._timeout)

    async def __anext__(self) -> T:
        if self._left == 0:
            raise StopAsyncIteration
        found = await super().__anext__()
        if self._left is not None:
            self._left -= 1
        return found
