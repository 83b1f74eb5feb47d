"""The end of a client's chain of interceptors: the calls themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from ..common import QueryRejectCondition
from ..exceptions import WorkflowAlreadyStartedError
from ..service import FOREVER, RPCError
from . import _interceptor as inputs
from ._activities import ActivityCalls
from ._activity_calls import StandaloneCalls
from ._errors import WorkflowQueryFailedError, WorkflowQueryRejectedError
from ._executions import (
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    run_told_by,
    status_of,
)
from ._handle import WorkflowHandle
from ._options import header, start_request
from ._schedule_calls import ScheduleCalls
from ._updates import WorkflowUpdateHandle, wait_for, waiting_error

if TYPE_CHECKING:
    from ._client import Client

_Service = proto.WorkflowService


class Root(ActivityCalls, StandaloneCalls, ScheduleCalls):
    """Turns what it is given into requests, and answers into what the caller is given."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _execution(self, id: str, run_id: str | None) -> proto.WorkflowExecution:
        return proto.WorkflowExecution(workflow_id=id, run_id=run_id or "")

    # MARK: Starts

    async def start_workflow(self, input: inputs.StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        client = self._client
        request = await start_request(input, client.namespace, client.data_converter)
        try:
            if input.start_signal is None:
                response = await client.service_client.call(
                    _Service.StartWorkflow, request, timeout=input.rpc_timeout
                )
            else:
                signalled = proto.SignalWithStartWorkflowRequest(
                    start=request,
                    signal_name=input.start_signal,
                    signal_input=await client.data_converter.encode(input.start_signal_args),
                    signal_header=header(input.headers),
                )
                response = await client.service_client.call(
                    _Service.SignalWithStartWorkflow, signalled, timeout=input.rpc_timeout
                )
        except RPCError as error:
            raise _start_error(error, input) from error.__cause__
        return self._handle(input, response.run_id)

    def _handle(self, input: inputs.StartWorkflowInput, run_id: str) -> WorkflowHandle[Any, Any]:
        return WorkflowHandle(
            self._client,
            input.id,
            result_run_id=run_id,
            first_execution_run_id=run_id,
            result_type=input.ret_type,
        )

    # MARK: Calls about a workflow

    async def cancel_workflow(self, input: inputs.CancelWorkflowInput) -> None:
        request = proto.CancelWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution(input.id, input.run_id),
            reason=input.reason,
        )
        await self._client.service_client.call(
            _Service.CancelWorkflow, request, timeout=input.rpc_timeout
        )

    async def terminate_workflow(self, input: inputs.TerminateWorkflowInput) -> None:
        request = proto.TerminateWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution(input.id, input.run_id),
            reason=input.reason or "",
            details=await self._client.data_converter.encode(input.args),
        )
        await self._client.service_client.call(
            _Service.TerminateWorkflow, request, timeout=input.rpc_timeout
        )

    async def signal_workflow(self, input: inputs.SignalWorkflowInput) -> None:
        request = proto.SignalWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution(input.id, input.run_id),
            signal_name=input.signal,
            input=await self._client.data_converter.encode(input.args),
            header=header(input.headers),
        )
        await self._client.service_client.call(
            _Service.SignalWorkflow, request, timeout=input.rpc_timeout
        )

    async def describe_workflow(
        self, input: inputs.DescribeWorkflowInput
    ) -> WorkflowExecutionDescription:
        client = self._client
        response = await self._describe(input.id, input.run_id, input.rpc_timeout)
        return WorkflowExecutionDescription._of(response, client.namespace, client.data_converter)

    async def _describe(
        self, id: str, run_id: str | None, timeout: timedelta | None
    ) -> proto.DescribeWorkflowResponse:
        request = proto.DescribeWorkflowRequest(
            namespace=self._client.namespace, execution=self._execution(id, run_id)
        )
        return await self._client.service_client.call(
            _Service.DescribeWorkflow, request, timeout=timeout
        )

    async def query_workflow(self, input: inputs.QueryWorkflowInput) -> Any:
        client = self._client
        await self._check_may_query(input)
        request = proto.QueryWorkflowRequest(
            namespace=client.namespace,
            execution=self._execution(input.id, input.run_id),
            query_type=input.query,
            args=await client.data_converter.encode(input.args),
            header=header(input.headers),
        )
        try:
            response = await client.service_client.call(
                _Service.QueryWorkflow, request, timeout=input.rpc_timeout
            )
        except RPCError as error:
            if error.reason == "QUERY_FAILED":
                raise WorkflowQueryFailedError(error.message) from None
            raise
        if not response.result:
            return None
        hints = [input.ret_type] if input.ret_type else None
        return (await client.data_converter.decode(response.result, hints))[0]

    async def _check_may_query(self, input: inputs.QueryWorkflowInput) -> None:
        condition = input.reject_condition
        if condition in (None, QueryRejectCondition.NONE):
            return
        assert condition is not None
        described = await self._describe(input.id, input.run_id, input.rpc_timeout)
        status = status_of(described.info.status) if described.info is not None else None
        kinds = WorkflowExecutionStatus
        allowed = [kinds.RUNNING, kinds.PAUSED]
        if condition == QueryRejectCondition.NOT_COMPLETED_CLEANLY:
            allowed.append(kinds.COMPLETED)
        if status not in allowed:
            raise WorkflowQueryRejectedError(status, condition)

    async def fetch_workflow_history_events(
        self, input: inputs.FetchWorkflowHistoryEventsInput
    ) -> AsyncIterator[proto.HistoryEvent]:
        """Goes on behind the last event when the connection is lost."""
        request = proto.GetHistoryRequest(
            namespace=self._client.namespace,
            execution=self._execution(input.id, input.run_id),
            follow=input.wait_new_event,
        )
        service, run_id = self._client.service_client, input.run_id
        while True:
            stream = service.stream(_Service.GetHistory, request, timeout=input.rpc_timeout)
            try:
                async for batch in stream:
                    for event in batch.events:
                        request.first_event_id = event.event_id + 1
                        run_id = run_told_by(event) or run_id
                        yield event
                return
            except RPCError as error:
                await service.come_back(error, FOREVER if request.follow else input.rpc_timeout)
                # Whatever run is the newest by now.
                request.execution = self._execution(input.id, run_id)
            finally:
                await stream.aclose()

    # MARK: Lists

    def list_workflows(self, input: inputs.ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        request = proto.ListWorkflowsRequest(
            namespace=self._client.namespace,
            query=input.query or "",
            limit=input.limit or 0,
            page_size=input.page_size,
            next_page_token=input.next_page_token or b"",
        )
        return WorkflowExecutionAsyncIterator(self._client, request, input.rpc_timeout)

    async def count_workflows(self, input: inputs.CountWorkflowsInput) -> WorkflowExecutionCount:
        request = proto.CountWorkflowsRequest(
            namespace=self._client.namespace, query=input.query or ""
        )
        response = await self._client.service_client.call(
            _Service.CountWorkflows, request, timeout=input.rpc_timeout
        )
        return WorkflowExecutionCount._of(response)

    # MARK: Updates

    async def _update_request(
        self, input: inputs.StartWorkflowUpdateInput
    ) -> proto.UpdateWorkflowRequest:
        return proto.UpdateWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution(input.id, input.run_id),
            update_id=input.update_id or "",
            update_name=input.update,
            args=await self._client.data_converter.encode(input.args),
            header=header(input.headers),
            wait_for=wait_for(input.wait_for_stage),
        )

    async def start_workflow_update(
        self, input: inputs.StartWorkflowUpdateInput
    ) -> WorkflowUpdateHandle[Any]:
        request = await self._update_request(input)
        try:
            response = await self._client.service_client.call(
                _Service.UpdateWorkflow, request, timeout=input.rpc_timeout or FOREVER
            )
        except RPCError as error:
            raise waiting_error(error) from error.__cause__
        return self._update_handle(input, response)

    def _update_handle(
        self, input: inputs.StartWorkflowUpdateInput, response: proto.UpdateWorkflowResponse
    ) -> WorkflowUpdateHandle[Any]:
        return WorkflowUpdateHandle(
            self._client,
            input.update_id or "",
            input.id,
            workflow_run_id=response.run_id,
            result_type=input.ret_type,
            known=response.outcome,
        )

    async def start_update_with_start_workflow(
        self, input: inputs.StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        client = self._client
        asked = await self._update_request(update)
        # The start says which workflow is meant.
        asked.execution, asked.namespace = None, ""
        request = proto.UpdateWithStartWorkflowRequest(
            start=await start_request(start, client.namespace, client.data_converter), update=asked
        )
        try:
            response = await client.service_client.call(
                _Service.UpdateWithStartWorkflow, request, timeout=update.rpc_timeout or FOREVER
            )
        except RPCError as error:
            raised = _start_error(error, start)
            input._on_start_error(raised)
            raise (raised if raised is not error else waiting_error(error)) from error.__cause__
        input._on_start(response)
        return self._update_handle(update, response)


def _start_error(error: RPCError, input: inputs.StartWorkflowInput) -> BaseException:
    if error.reason != "WORKFLOW_ALREADY_STARTED":
        return error
    return WorkflowAlreadyStartedError(input.id, input.workflow, run_id=error.run_id or None)
