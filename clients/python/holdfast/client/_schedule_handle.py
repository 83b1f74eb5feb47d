"""A schedule, as a client holds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .. import _messages as proto
from ..common import from_instant_ms, to_instant_ms
from ..service import NO_METADATA, RPCMetadata
from . import _interceptor as inputs
from ._pages import Pages
from ._schedules import (
    ScheduleBackfill,
    ScheduleDescription,
    ScheduleListDescription,
    ScheduleOverlapPolicy,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

if TYPE_CHECKING:
    from ._client import Client

Updater = Callable[[ScheduleUpdateInput], ScheduleUpdate | Awaitable[ScheduleUpdate | None] | None]


class ScheduleHandle:
    """A schedule by its id. Each call raises RPCError with NOT_FOUND where there is none."""

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self.id = id

    async def backfill(
        self,
        *backfill: ScheduleBackfill,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes the actions of times that are over."""
        if not backfill:
            raise ValueError("a backfill needs at least one ScheduleBackfill")
        await self._client._root.backfill_schedule(
            inputs.BackfillScheduleInput(self.id, backfill, rpc_metadata, rpc_timeout)
        )

    async def delete(
        self, *, rpc_metadata: RPCMetadata = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> None:
        """Removes the schedule; the workflows that it has started go on."""
        await self._client._root.delete_schedule(
            inputs.DeleteScheduleInput(self.id, rpc_metadata, rpc_timeout)
        )

    async def describe(
        self, *, rpc_metadata: RPCMetadata = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> ScheduleDescription:
        """Tells what the schedule is, has done, and does next."""
        return await self._client._root.describe_schedule(
            inputs.DescribeScheduleInput(self.id, rpc_metadata, rpc_timeout)
        )

    async def pause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes no more actions until it is unpaused."""
        await self._client._root.pause_schedule(
            inputs.PauseScheduleInput(self.id, note, rpc_metadata, rpc_timeout)
        )

    async def unpause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes actions again."""
        await self._client._root.unpause_schedule(
            inputs.UnpauseScheduleInput(self.id, note, rpc_metadata, rpc_timeout)
        )

    async def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Takes an action now."""
        await self._client._root.trigger_schedule(
            inputs.TriggerScheduleInput(self.id, overlap, rpc_metadata, rpc_timeout)
        )

    async def update(
        self,
        updater: Updater,
        *,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes the schedule to what `updater` makes of it; None leaves it.

        The function may be async. Where somebody else changes the schedule meanwhile, it is called
        again with what it is then.
        """
        await self._client._root.update_schedule(
            inputs.UpdateScheduleInput(self.id, updater, rpc_metadata, rpc_timeout)
        )

    async def matching_times(
        self, start_at: datetime, end_at: datetime, *, rpc_timeout: timedelta | None = None
    ) -> Sequence[datetime]:
        """The times of the schedule between two others."""
        request = proto.ListScheduleMatchingTimesRequest(
            namespace=self._client.namespace,
            schedule_id=self.id,
            start_at_ms=to_instant_ms(start_at),
            end_at_ms=to_instant_ms(end_at),
        )
        response = await self._client.service_client.call(
            proto.ScheduleService.ListScheduleMatchingTimes, request, timeout=rpc_timeout
        )
        return [from_instant_ms(one) for one in response.matching_time_ms]


class ScheduleAsyncIterator(Pages[ScheduleListDescription]):
    """The schedules of a namespace, by their ids."""

    def __init__(self, client: Client, input: inputs.ListSchedulesInput) -> None:
        super().__init__(input.page_size, input.next_page_token)
        self._client = client
        self._timeout = input.rpc_timeout

    async def _fetch(
        self, size: int, token: bytes | None
    ) -> tuple[list[ScheduleListDescription], bytes | None]:
        request = proto.ListSchedulesRequest(
            namespace=self._client.namespace,
            after_schedule_id=(token or b"").decode(),
            limit=size,
        )
        response = await self._client.service_client.call(
            proto.ScheduleService.ListSchedules, request, timeout=self._timeout
        )
        page = [ScheduleListDescription._of(entry) for entry in response.schedules]
        return page, page[-1].id.encode() if response.more and page else None
