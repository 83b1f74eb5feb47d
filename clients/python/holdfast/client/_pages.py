"""Lists that come page by page, as they are taken."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

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
