"""The calls about schedules, at the end of a client's chain of interceptors."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from .. import _messages as proto
from ..common import to_instant_ms
from ..service import RPCError
from . import _interceptor as inputs
from ._errors import ScheduleAlreadyRunningError
from ._schedule_handle import ScheduleAsyncIterator, ScheduleHandle
from ._schedules import ScheduleDescription, ScheduleUpdateInput

if TYPE_CHECKING:
    from ._client import Client

_Service = proto.ScheduleService


class ScheduleCalls(inputs.OutboundInterceptor):
    """The calls of ScheduleHandle."""

    _client: Client

    async def create_schedule(self, input: inputs.CreateScheduleInput) -> ScheduleHandle:
        client = self._client
        request = proto.CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=input.id,
            schedule=await input.schedule._to_proto(client.data_converter),
            trigger_immediately=input.trigger_immediately,
        )
        try:
            await client.service_client.call(
                _Service.CreateSchedule, request, timeout=input.rpc_timeout
            )
        except RPCError as error:
            if error.reason == "SCHEDULE_ALREADY_EXISTS":
                raise ScheduleAlreadyRunningError from error
            raise
        handle = ScheduleHandle(client, input.id)
        if input.backfill:
            await handle.backfill(*input.backfill, rpc_timeout=input.rpc_timeout)
        return handle

    def list_schedules(self, input: inputs.ListSchedulesInput) -> ScheduleAsyncIterator:
        return ScheduleAsyncIterator(self._client, input)

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        for one in input.backfills:
            request = proto.BackfillScheduleRequest(
                namespace=self._client.namespace,
                schedule_id=input.id,
                start_at_ms=to_instant_ms(one.start_at),
                end_at_ms=to_instant_ms(one.end_at),
                overlap_policy=one.overlap or 0,
            )
            await self._client.service_client.call(
                _Service.BackfillSchedule, request, timeout=input.rpc_timeout
            )

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        request = proto.DeleteScheduleRequest(
            namespace=self._client.namespace, schedule_id=input.id
        )
        await self._client.service_client.call(
            _Service.DeleteSchedule, request, timeout=input.rpc_timeout
        )

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> ScheduleDescription:
        request = proto.DescribeScheduleRequest(
            namespace=self._client.namespace, schedule_id=input.id
        )
        response = await self._client.service_client.call(
            _Service.DescribeSchedule, request, timeout=input.rpc_timeout
        )
        return ScheduleDescription._of(input.id, response)

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        request = proto.PauseScheduleRequest(
            namespace=self._client.namespace, schedule_id=input.id, note=input.note or ""
        )
        await self._client.service_client.call(
            _Service.PauseSchedule, request, timeout=input.rpc_timeout
        )

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        request = proto.UnpauseScheduleRequest(
            namespace=self._client.namespace, schedule_id=input.id, note=input.note or ""
        )
        await self._client.service_client.call(
            _Service.UnpauseSchedule, request, timeout=input.rpc_timeout
        )

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        request = proto.TriggerScheduleRequest(
            namespace=self._client.namespace,
            schedule_id=input.id,
            overlap_policy=input.overlap or 0,
        )
        await self._client.service_client.call(
            _Service.TriggerSchedule, request, timeout=input.rpc_timeout
        )

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        client = self._client
        while True:
            described = await self.describe_schedule(
                inputs.DescribeScheduleInput(input.id, input.rpc_metadata, input.rpc_timeout)
            )
            update = input.updater(ScheduleUpdateInput(described))
            if inspect.isawaitable(update):
                update = await update
            if update is None:
                return
            request = proto.UpdateScheduleRequest(
                namespace=client.namespace,
                schedule_id=input.id,
                schedule=await update.schedule._to_proto(client.data_converter),
                conflict_token=described.raw_description.conflict_token,
            )
            try:
                await client.service_client.call(
                    _Service.UpdateSchedule, request, timeout=input.rpc_timeout
                )
            except RPCError as error:
                if error.reason != "SCHEDULE_CHANGED":
                    raise
            else:
                return
