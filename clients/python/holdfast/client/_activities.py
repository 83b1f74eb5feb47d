"""Activities that somebody else than their worker completes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from ..activity import ActivityCancellationDetails
from ..converter import DataConverter
from ..service import NO_METADATA, RPCMetadata
from . import _interceptor as inputs
from ._errors import AsyncActivityCancelledError

if TYPE_CHECKING:
    from ._client import Client


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """An activity by its own id and its workflow's; without that it is one without a workflow."""

    workflow_id: str | None
    run_id: str | None
    activity_id: str


class AsyncActivityHandle:
    """An activity that was left to be completed elsewhere; made by get_async_activity_handle.

    Each call raises RPCError with NOT_FOUND when the activity is over or never was, and with
    FAILED_PRECONDITION when the token is of an attempt that no longer counts.
    """

    def __init__(
        self,
        client: Client,
        id_or_token: AsyncActivityIDReference | bytes,
        data_converter_override: DataConverter | None = None,
    ) -> None:
        self._client = client
        self._id_or_token = id_or_token
        self._converter = data_converter_override

    async def heartbeat(
        self,
        *details: Any,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Says that the activity is alive. AsyncActivityCancelledError: it should stop."""
        await self._client._root.heartbeat_async_activity(
            inputs.HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._converter,
            )
        )

    async def complete(
        self,
        result: Any | None = None,
        *,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity with its result."""
        await self._client._root.complete_async_activity(
            inputs.CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._converter,
            )
        )

    async def fail(
        self,
        error: BaseException,
        *,
        last_heartbeat_details: Any = (),
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Fails the attempt as if the activity had raised the error."""
        await self._client._root.fail_async_activity(
            inputs.FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._converter,
            )
        )

    async def report_cancellation(
        self,
        *details: Any,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity as cancelled, where a cancel was asked for."""
        await self._client._root.report_cancellation_async_activity(
            inputs.ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._converter,
            )
        )


class ActivityCalls(inputs.OutboundInterceptor):
    """The calls of AsyncActivityHandle."""

    _client: Client

    @staticmethod
    def _reference(id_or_token: AsyncActivityIDReference | bytes) -> proto.ActivityReference:
        if isinstance(id_or_token, bytes):
            return proto.ActivityReference(token=id_or_token)
        execution = proto.WorkflowExecution(
            workflow_id=id_or_token.workflow_id or "", run_id=id_or_token.run_id or ""
        )
        return proto.ActivityReference(execution=execution, activity_id=id_or_token.activity_id)

    async def heartbeat_async_activity(self, input: inputs.HeartbeatAsyncActivityInput) -> None:
        converter = input.data_converter_override or self._client.data_converter
        request = proto.HeartbeatActivityRequest(
            namespace=self._client.namespace,
            activity=self._reference(input.id_or_token),
            details=await converter.encode(input.details),
        )
        response = await self._client.service_client.call(
            proto.ActivityService.HeartbeatActivity, request, timeout=input.rpc_timeout
        )
        if response.cancel_requested or response.paused or response.reset:
            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=response.cancel_requested,
                    paused=response.paused,
                    reset=response.reset,
                )
            )

    async def complete_async_activity(self, input: inputs.CompleteAsyncActivityInput) -> None:
        converter = input.data_converter_override or self._client.data_converter
        request = proto.CompleteActivityRequest(
            namespace=self._client.namespace,
            activity=self._reference(input.id_or_token),
            result=await converter.encode([input.result]),
        )
        await self._client.service_client.call(
            proto.ActivityService.CompleteActivity, request, timeout=input.rpc_timeout
        )

    async def fail_async_activity(self, input: inputs.FailAsyncActivityInput) -> None:
        converter = input.data_converter_override or self._client.data_converter
        request = proto.FailActivityRequest(
            namespace=self._client.namespace,
            activity=self._reference(input.id_or_token),
            failure=await converter.encode_failure(input.error),
            last_heartbeat_details=await converter.encode(input.last_heartbeat_details),
        )
        await self._client.service_client.call(
            proto.ActivityService.FailActivity, request, timeout=input.rpc_timeout
        )

    async def report_cancellation_async_activity(
        self, input: inputs.ReportCancellationAsyncActivityInput
    ) -> None:
        converter = input.data_converter_override or self._client.data_converter
        request = proto.ReportActivityCancelledRequest(
            namespace=self._client.namespace,
            activity=self._reference(input.id_or_token),
            details=await converter.encode(input.details),
        )
        await self._client.service_client.call(
            proto.ActivityService.ReportActivityCancelled, request, timeout=input.rpc_timeout
        )
