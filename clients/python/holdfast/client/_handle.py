"""A workflow, as a client holds it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .. import _messages as proto
from .._run.requests import NO_VALUE
from ..common import QueryRejectCondition, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from ..exceptions import CancelledError, TerminatedError, TimeoutError
from ..service import FOREVER, NO_METADATA, RPCMetadata
from ..workflow._activities import arguments
from ..workflow._children import signal_name
from ._control import ActivityControl
from ._errors import WorkflowContinuedAsNewError, WorkflowFailureError
from ._executions import WorkflowExecutionDescription, WorkflowHistory
from ._interceptor import (
    CancelWorkflowInput,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowUpdateInput,
    TerminateWorkflowInput,
)
from ._options import query_name, update_name
from ._updates import WorkflowUpdateHandle, WorkflowUpdateStage

if TYPE_CHECKING:
    from ._client import Client

SelfType = TypeVar("SelfType")
ReturnType = TypeVar("ReturnType")


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events are wanted."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2


class ResetReapplyExclude(IntEnum):
    """What came after the point of a reset or a fork and is not to come again."""

    SIGNALS = proto.ReapplyExclude.SIGNALS
    UPDATES = proto.ReapplyExclude.UPDATES


class WorkflowPoint:
    """A point of a history, to which a workflow is reset, or from which it is forked."""

    def __init__(self, point: proto.WorkflowPoint) -> None:
        """Use one of the functions below."""
        self._point = point

    @staticmethod
    def first_workflow_task() -> WorkflowPoint:
        """Before anything that the code has done."""
        kind = proto.WorkflowPointKind.FIRST_WORKFLOW_TASK
        return WorkflowPoint(proto.WorkflowPoint(kind=kind))

    @staticmethod
    def last_workflow_task() -> WorkflowPoint:
        """Before the last step of the code."""
        kind = proto.WorkflowPointKind.LAST_WORKFLOW_TASK
        return WorkflowPoint(proto.WorkflowPoint(kind=kind))

    @staticmethod
    def event(event_id: int) -> WorkflowPoint:
        """Before the step of the code that this event came of."""
        kind = proto.WorkflowPointKind.EVENT
        return WorkflowPoint(proto.WorkflowPoint(kind=kind, event_id=event_id))

    @staticmethod
    def before_activity(activity_type: str) -> WorkflowPoint:
        """Before the step of the code that first called the activity."""
        kind = proto.WorkflowPointKind.BEFORE_ACTIVITY
        return WorkflowPoint(proto.WorkflowPoint(kind=kind, activity_type=activity_type))


class WorkflowHandle(ActivityControl, Generic[SelfType, ReturnType]):
    """A workflow by its id; made by start_workflow and get_workflow_handle.

    Calls are about the run `run_id`, and without one about the newest run at that time. Each call
    raises RPCError with NOT_FOUND where there is no such workflow, or where it has closed and the
    call is for an open one.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_run_id = result_run_id
        self._first_execution_run_id = first_execution_run_id
        self._result_type = result_type

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run that `result` begins to wait at; None: the newest one."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """The first run of the chain, where a start has told it."""
        return self._first_execution_run_id

    @property
    def _execution(self) -> proto.WorkflowExecution:
        return proto.WorkflowExecution(workflow_id=self._id, run_id=self._run_id or "")

    # MARK: Its end

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Waits for the workflow to end (rpc_timeout None: for ever) and gives its result.

        follow_runs: also through the runs that it goes on as. WorkflowFailureError: it ended
        otherwise; WorkflowContinuedAsNewError: without follow_runs. RPCError with
        DEADLINE_EXCEEDED: it is still open, and may be waited for again.
        """
        execution = proto.WorkflowExecution(
            workflow_id=self._id, run_id=self._result_run_id or self._run_id or ""
        )
        response = await self._client.service_client.call(
            proto.WorkflowService.GetWorkflowResult,
            proto.GetWorkflowResultRequest(
                namespace=self._client.namespace,
                execution=execution,
                this_run_only=not follow_runs,
            ),
            timeout=rpc_timeout or FOREVER,
        )
        return await self._ending(response)

    async def _ending(self, response: proto.GetWorkflowResultResponse) -> ReturnType:
        converter, status = self._client.data_converter, proto.WorkflowStatus
        if response.status == status.COMPLETED:
            if not response.result:
                return None  # type: ignore[return-value]
            hints = [self._result_type] if self._result_type else None
            (value,) = await converter.decode(response.result[:1], hints)
            return value  # type: ignore[no-any-return]
        if response.status == status.CONTINUED_AS_NEW:
            raise WorkflowContinuedAsNewError(response.new_run_id)
        failure = response.failure
        cause: BaseException
        if response.status == status.TERMINATED:
            message = failure.info.message if failure and failure.info else ""
            cause = TerminatedError(message or "Workflow terminated")
        elif response.status == status.TIMED_OUT and failure is None:
            cause = TimeoutError("Workflow timed out", type=None, last_heartbeat_details=[])
        elif failure is not None:
            cause = await converter.decode_failure(failure)
        else:
            cause = CancelledError(
                "Workflow cancelled", *await converter.decode(list(response.result))
            )
        raise WorkflowFailureError(cause=cause)

    async def cancel(
        self,
        *,
        reason: str = "",
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the workflow to cancel itself; when this returns the request is durable."""
        await self._client._root.cancel_workflow(
            CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the workflow at once; its code runs no more. args: details of why."""
        await self._client._root.terminate_workflow(
            TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                args=args,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    # MARK: What is known of it

    async def describe(
        self, *, rpc_metadata: RPCMetadata = NO_METADATA, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """Tells the workflow's state and what it waits for."""
        return await self._client._root.describe_workflow(
            DescribeWorkflowInput(
                id=self._id, run_id=self._run_id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = (
            WorkflowHistoryEventFilterType.ALL_EVENT
        ),
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """All events so far, as the Replayer takes them."""
        found = self.fetch_history_events(
            event_filter_type=event_filter_type, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
        )
        return WorkflowHistory(self._id, [event async for event in found])

    async def fetch_history_events(
        self,
        *,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = (
            WorkflowHistoryEventFilterType.ALL_EVENT
        ),
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> AsyncIterator[proto.HistoryEvent]:
        """The events one by one; with wait_new_event to the run's end, as they come."""
        events = self._client._root.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=self._id,
                run_id=self._run_id,
                wait_new_event=wait_new_event,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
        last = None
        async for event in events:
            if event_filter_type == WorkflowHistoryEventFilterType.ALL_EVENT:
                yield event
            last = event
        is_close_only = event_filter_type == WorkflowHistoryEventFilterType.CLOSE_EVENT
        if is_close_only and last is not None and _closes(last):
            yield last

    # MARK: Messages

    async def signal(
        self,
        signal: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Sends a signal; when this returns it is durable. signal: a name or the method."""
        await self._client._root.signal_workflow(
            SignalWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                signal=signal_name(signal),
                args=arguments(arg, args),
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def query(
        self,
        query: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Asks the workflow's code; it needs a worker that serves it. query: a name or the method.

        WorkflowQueryFailedError: the handler has failed, or there is none.
        WorkflowQueryRejectedError: by the reject condition.
        """
        name, hint = query_name(query)
        return await self._client._root.query_workflow(
            QueryWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                query=name,
                args=arguments(arg, args),
                reject_condition=(
                    reject_condition or self._client.default_workflow_query_reject_condition
                ),
                headers={},
                ret_type=result_type or hint,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def execute_update(
        self,
        update: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Sends an update, and waits for what its handler returns. update: a name or the method.

        WorkflowUpdateFailedError: it was rejected, or the handler has failed.
        """
        handle: WorkflowUpdateHandle[Any] = await self.start_update(
            update,
            arg,
            args=args,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
            id=id,
            result_type=result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result()

    async def start_update(
        self,
        update: Any,
        arg: Any = NO_VALUE,
        *,
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Sends an update, and waits until it has come as far as `wait_for_stage` says.

        id: an update with the same id has the same outcome; None: one of its own.
        """
        name, hint = update_name(update)
        return await self._client._root.start_workflow_update(
            StartWorkflowUpdateInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                update_id=id or str(uuid.uuid4()),
                update=name,
                args=arguments(arg, args),
                wait_for_stage=wait_for_stage,
                headers={},
                ret_type=result_type or hint,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    def get_update_handle(
        self, id: str, *, workflow_run_id: str | None = None, result_type: type | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """A handle of an update that was sent; no call is made."""
        return WorkflowUpdateHandle(
            self._client,
            id,
            self._id,
            workflow_run_id=workflow_run_id or self._run_id,
            result_type=result_type,
        )

    def get_update_handle_for(
        self, update: Any, id: str, *, workflow_run_id: str | None = None
    ) -> WorkflowUpdateHandle[Any]:
        """The same, with the result type of the update's method."""
        _, hint = update_name(update)
        return self.get_update_handle(id, workflow_run_id=workflow_run_id, result_type=hint)

    # MARK: Holdfast's own

    async def pause(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Gives the workflow's code nothing more to do until it is unpaused."""
        request = proto.PauseWorkflowRequest(
            namespace=self._client.namespace, execution=self._execution, reason=reason
        )
        await self._client.service_client.call(
            proto.WorkflowService.PauseWorkflow, request, timeout=rpc_timeout
        )

    async def unpause(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Lets a paused workflow go on."""
        request = proto.UnpauseWorkflowRequest(
            namespace=self._client.namespace, execution=self._execution, reason=reason
        )
        await self._client.service_client.call(
            proto.WorkflowService.UnpauseWorkflow, request, timeout=rpc_timeout
        )

    async def delete(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Removes a run with its history; an open one is terminated first."""
        request = proto.DeleteWorkflowRequest(
            namespace=self._client.namespace, execution=self._execution, reason=reason
        )
        await self._client.service_client.call(
            proto.WorkflowService.DeleteWorkflow, request, timeout=rpc_timeout
        )

    async def reset(
        self,
        point: WorkflowPoint,
        *,
        reason: str = "",
        reapply_exclude: Sequence[ResetReapplyExclude] = (),
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """Ends the run, and begins another one with its history up to a point."""
        request = proto.ResetWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            point=point._point,
            reason=reason,
            reapply_exclude=list(reapply_exclude),
        )
        response = await self._client.service_client.call(
            proto.WorkflowService.ResetWorkflow, request, timeout=rpc_timeout
        )
        return self._copy(self._id, response.run_id)

    async def fork(
        self,
        point: WorkflowPoint,
        *,
        id: str,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.UNSPECIFIED,
        reason: str = "",
        reapply_exclude: Sequence[ResetReapplyExclude] = (),
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """Begins another workflow with the run's history up to a point; the run goes on."""
        request = proto.ForkWorkflowRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            point=point._point,
            workflow_id=id,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            reason=reason,
            reapply_exclude=list(reapply_exclude),
        )
        response = await self._client.service_client.call(
            proto.WorkflowService.ForkWorkflow, request, timeout=rpc_timeout
        )
        return self._copy(id, response.run_id)

    def _copy(self, id: str, run_id: str) -> WorkflowHandle[SelfType, ReturnType]:
        return WorkflowHandle(
            self._client,
            id,
            result_run_id=run_id,
            first_execution_run_id=run_id,
            result_type=self._result_type,
        )


def _closes(event: proto.HistoryEvent) -> bool:
    return event.attributes in (
        "workflow_execution_completed",
        "workflow_execution_failed",
        "workflow_execution_timed_out",
        "workflow_execution_canceled",
        "workflow_execution_terminated",
        "workflow_execution_continued_as_new",
    )
