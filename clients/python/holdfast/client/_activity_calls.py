"""The calls about activities without a workflow, behind the interceptors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from ..common import to_instant_ms, to_ms
from ..exceptions import ActivityAlreadyStartedError
from ..service import RPCError
from . import _interceptor as inputs
from ._activity_executions import (
    ActivityExecutionAsyncIterator,
    ActivityExecutionCount,
    ActivityExecutionDescription,
)
from ._activity_handle import ActivityHandle, execution
from ._options import header, memo, search_attributes, user_metadata

if TYPE_CHECKING:
    from ._client import Client

_Service = proto.ActivityService


class StandaloneCalls(inputs.OutboundInterceptor):
    """The calls of a Client and of ActivityHandle."""

    _client: Client

    async def start_activity(self, input: inputs.StartActivityInput) -> ActivityHandle[Any]:
        request = await self._start_request(input)
        try:
            response = await self._client.service_client.call(
                _Service.StartActivity, request, timeout=input.rpc_timeout
            )
        except RPCError as error:
            if error.reason != "ACTIVITY_ALREADY_STARTED":
                raise
            raise ActivityAlreadyStartedError(
                input.id, input.activity_type, run_id=error.run_id or None
            ) from error.__cause__
        return ActivityHandle(
            self._client, input.id, run_id=response.run_id, result_type=input.result_type
        )

    async def _start_request(self, input: inputs.StartActivityInput) -> proto.StartActivityRequest:
        converter = self._client.data_converter
        options = proto.ActivityTaskOptions(
            task_queue=input.task_queue,
            schedule_to_close_timeout_ms=to_ms(input.schedule_to_close_timeout),
            schedule_to_start_timeout_ms=to_ms(input.schedule_to_start_timeout),
            start_to_close_timeout_ms=to_ms(input.start_to_close_timeout),
            heartbeat_timeout_ms=to_ms(input.heartbeat_timeout),
        )
        if input.retry_policy is not None:
            options.retry_policy = input.retry_policy._to_proto()
        request = proto.StartActivityRequest(
            namespace=self._client.namespace,
            activity_id=input.id,
            activity_type=input.activity_type,
            options=options,
            input=await converter.encode(input.args),
            header=header(input.headers),
            on_exhausted=proto.ActivityExhaustion.PAUSE if input.hold_when_exhausted else 0,
            id_reuse_policy=input.id_reuse_policy,
            id_conflict_policy=input.id_conflict_policy,
            request_id=input.request_id,
            user_metadata=user_metadata(input.summary, input.static_details),
            start_delay_ms=to_ms(input.start_delay),
            memo=await memo(input.memo, converter),
            search_attributes=search_attributes(input.search_attributes),
            priority=input.priority._to_proto(),
        )
        if input.start_at is not None:
            request.start_at_time_ms = to_instant_ms(input.start_at)
        return request

    async def describe_activity(
        self, input: inputs.DescribeActivityInput
    ) -> ActivityExecutionDescription:
        client = self._client
        request = proto.DescribeActivityRequest(
            namespace=client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
        )
        response = await client.service_client.call(
            _Service.DescribeActivity, request, timeout=input.rpc_timeout
        )
        outcome, found = None, response.activity
        if input.include_outcome and found is not None and found.close_time_ms:
            # It is there already: this does not wait.
            asked = proto.GetActivityResultRequest(
                namespace=client.namespace, activity_id=found.activity_id, run_id=found.run_id
            )
            outcome = await client.service_client.call(
                _Service.GetActivityResult, asked, timeout=input.rpc_timeout
            )
        return ActivityExecutionDescription._of(
            response, outcome, client.namespace, client.data_converter
        )

    async def cancel_activity(self, input: inputs.CancelActivityInput) -> None:
        request = proto.RequestCancelActivityRequest(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            reason=input.reason or "",
        )
        await self._client.service_client.call(
            _Service.RequestCancelActivity, request, timeout=input.rpc_timeout
        )

    async def terminate_activity(self, input: inputs.TerminateActivityInput) -> None:
        request = proto.TerminateActivityRequest(
            namespace=self._client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            reason=input.reason or "",
        )
        await self._client.service_client.call(
            _Service.TerminateActivity, request, timeout=input.rpc_timeout
        )

    async def pause_activity(self, input: inputs.PauseActivityInput) -> None:
        request = proto.PauseActivityRequest(
            namespace=self._client.namespace,
            execution=execution(input.activity_run_id),
            activities=proto.ActivitySelection(activity_id=input.activity_id),
            reason=input.reason or "",
        )
        await self._client.service_client.call(
            _Service.PauseActivity, request, timeout=input.rpc_timeout
        )

    async def unpause_activity(self, input: inputs.UnpauseActivityInput) -> None:
        request = proto.UnpauseActivityRequest(
            namespace=self._client.namespace,
            execution=execution(input.activity_run_id),
            activities=proto.ActivitySelection(activity_id=input.activity_id),
            reason=input.reason or "",
            reset_attempts=input.reset_attempts,
            reset_heartbeat=input.reset_heartbeat,
        )
        await self._client.service_client.call(
            _Service.UnpauseActivity, request, timeout=input.rpc_timeout
        )

    def list_activities(self, input: inputs.ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        request = proto.ListActivitiesRequest(
            namespace=self._client.namespace,
            query=input.query or "",
            limit=input.limit or 0,
            page_size=input.page_size,
            next_page_token=input.next_page_token or b"",
        )
        return ActivityExecutionAsyncIterator(self._client, request, input.rpc_timeout)

    async def count_activities(self, input: inputs.CountActivitiesInput) -> ActivityExecutionCount:
        request = proto.CountActivitiesRequest(
            namespace=self._client.namespace, query=input.query or ""
        )
        response = await self._client.service_client.call(
            _Service.CountActivities, request, timeout=input.rpc_timeout
        )
        return ActivityExecutionCount._of(response)
