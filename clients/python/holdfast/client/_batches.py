"""One operation for all workflows that a filter selects, which the engine carries out by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

from .. import _messages as proto
from .._run.requests import NO_VALUE
from ..common import from_instant_ms
from ..converter import DataConverter
from ..service import RPCError, RPCStatusCode
from ..workflow._activities import arguments
from ..workflow._children import signal_name
from ._control import ActivityOptionsUpdate, selection
from ._executions import instant
from ._handle import ResetReapplyExclude, WorkflowPoint

if TYPE_CHECKING:
    from ._client import Client

_Service = proto.BatchService
# How long `result` waits until it asks again, at first and at most.
_PAUSE_SECONDS, _PAUSE_SECONDS_MAX = 0.01, 0.2


class BatchOperation:
    """What a batch does with each of its workflows.

    Open ones only, but for `delete` and `reset`. Each does what the method of WorkflowHandle with
    its name does.
    """

    def __init__(self, make: Callable[[DataConverter], Awaitable[proto.BatchOperation]]) -> None:
        """Use one of the functions below."""
        self._make = make

    @staticmethod
    def _of(operation: proto.BatchOperation) -> BatchOperation:
        async def make(_: DataConverter) -> proto.BatchOperation:
            return operation

        return BatchOperation(make)

    # MARK: Workflows

    @staticmethod
    def signal(signal: Any, arg: Any = NO_VALUE, *, args: Sequence[Any] = ()) -> BatchOperation:
        """Sends each a signal. signal: a name or the method."""
        name, values = signal_name(signal), arguments(arg, args)

        async def make(converter: DataConverter) -> proto.BatchOperation:
            request = proto.SignalWorkflowRequest(
                signal_name=name, input=await converter.encode(values)
            )
            return proto.BatchOperation(signal_workflow=request)

        return BatchOperation(make)

    @staticmethod
    def cancel() -> BatchOperation:
        """Asks each to cancel itself."""
        return BatchOperation._of(
            proto.BatchOperation(cancel_workflow=proto.CancelWorkflowRequest())
        )

    @staticmethod
    def terminate(*args: Any) -> BatchOperation:
        """Ends each at once. args: details of why."""

        async def make(converter: DataConverter) -> proto.BatchOperation:
            request = proto.TerminateWorkflowRequest(details=await converter.encode(args))
            return proto.BatchOperation(terminate_workflow=request)

        return BatchOperation(make)

    @staticmethod
    def delete() -> BatchOperation:
        """Removes each run with its history, closed ones too."""
        return BatchOperation._of(
            proto.BatchOperation(delete_workflow=proto.DeleteWorkflowRequest())
        )

    @staticmethod
    def reset(
        point: WorkflowPoint, *, reapply_exclude: Sequence[ResetReapplyExclude] = ()
    ) -> BatchOperation:
        """Begins each anew from a point of its history, closed ones too."""
        request = proto.ResetWorkflowRequest(
            point=point._point, reapply_exclude=list(reapply_exclude)
        )
        return BatchOperation._of(proto.BatchOperation(reset_workflow=request))

    @staticmethod
    def pause() -> BatchOperation:
        """Gives the code of each nothing more to do until it is unpaused."""
        return BatchOperation._of(proto.BatchOperation(pause_workflow=proto.PauseWorkflowRequest()))

    @staticmethod
    def unpause() -> BatchOperation:
        """Lets each go on."""
        return BatchOperation._of(
            proto.BatchOperation(unpause_workflow=proto.UnpauseWorkflowRequest())
        )

    # MARK: Their activities: by activity_id or activity_type; without both all of a workflow

    @staticmethod
    def pause_activities(
        *, activity_id: str | None = None, activity_type: str | None = None
    ) -> BatchOperation:
        """Starts no further attempt of them."""
        request = proto.PauseActivityRequest(activities=selection(activity_id, activity_type))
        return BatchOperation._of(proto.BatchOperation(pause_activity=request))

    @staticmethod
    def unpause_activities(
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        reset_attempts: bool = False,
        reset_heartbeat: bool = False,
    ) -> BatchOperation:
        """Lets paused ones go on; also those that are held since their attempts are used up."""
        request = proto.UnpauseActivityRequest(
            activities=selection(activity_id, activity_type),
            reset_attempts=reset_attempts,
            reset_heartbeat=reset_heartbeat,
        )
        return BatchOperation._of(proto.BatchOperation(unpause_activity=request))

    @staticmethod
    def reset_activities(
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        reset_heartbeat: bool = False,
        keep_paused: bool = False,
        restore_original_options: bool = False,
    ) -> BatchOperation:
        """Begins them again with their first attempt."""
        request = proto.ResetActivityRequest(
            activities=selection(activity_id, activity_type),
            reset_heartbeat=reset_heartbeat,
            keep_paused=keep_paused,
            restore_original_options=restore_original_options,
        )
        return BatchOperation._of(proto.BatchOperation(reset_activity=request))

    @staticmethod
    def update_activity_options(
        update: ActivityOptionsUpdate | None = None,
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        restore_original: bool = False,
    ) -> BatchOperation:
        """Changes their options, or restores those that the workflow gave them."""
        request = proto.UpdateActivityOptionsRequest(
            activities=selection(activity_id, activity_type), restore_original=restore_original
        )
        if update is not None:
            request.options, request.update_mask = update._to_proto()
        return BatchOperation._of(proto.BatchOperation(update_activity_options=request))


class BatchStatus(IntEnum):
    """Whether a batch goes on, or how it has ended."""

    RUNNING = proto.BatchStatus.RUNNING
    # It has come through all workflows; for some the operation may have been refused.
    COMPLETED = proto.BatchStatus.COMPLETED
    STOPPED = proto.BatchStatus.STOPPED
    # The operation is wrong for every workflow: the first failure says why.
    FAILED = proto.BatchStatus.FAILED


@dataclass(frozen=True)
class BatchFailure:
    """A run for which the operation was refused, and what it was answered."""

    workflow_id: str
    run_id: str
    error: RPCError

    @staticmethod
    def _of(failure: proto.BatchFailure) -> BatchFailure:
        execution = failure.execution or proto.WorkflowExecution()
        status = failure.status or proto.Status()
        error = RPCError(
            status.message,
            RPCStatusCode(status.code) if status.code <= 16 else RPCStatusCode.UNKNOWN,
            reason=_reason(status.reason),
            field=status.field,
            is_retryable=status.retry_after_ms > 0,
            run_id=status.run_id,
        )
        return BatchFailure(execution.workflow_id, execution.run_id, error)


def _reason(number: int) -> str:
    try:
        return proto.Reason(number).name if number else ""
    except ValueError:
        return f"REASON_{number}"


@dataclass(frozen=True)
class BatchDescription:
    """How far a batch has come."""

    id: str
    query: str
    operation: str
    """Such as "signal_workflow"."""
    status: BatchStatus
    start_time: datetime
    close_time: datetime | None
    """None: it runs."""
    succeeded: int
    """Runs for which the operation was done."""
    failed: int
    """Runs for which it was refused."""
    progress: float
    """Through the runs that were there when it started, from 0 to 1."""
    rate_per_second: float
    reason: str
    identity: str
    stop_reason: str
    stop_identity: str
    failures: Sequence[BatchFailure]
    """The first 100; none in a list."""

    @staticmethod
    def _of(info: proto.BatchInfo, failures: Sequence[proto.BatchFailure] = ()) -> BatchDescription:
        return BatchDescription(
            id=info.batch_id,
            query=info.query,
            operation=info.operation,
            status=BatchStatus(info.status or BatchStatus.RUNNING),
            start_time=from_instant_ms(info.start_time_ms),
            close_time=instant(info.close_time_ms),
            succeeded=info.succeeded,
            failed=info.failed,
            progress=info.progress,
            rate_per_second=info.rate_per_second,
            reason=info.reason,
            identity=info.identity,
            stop_reason=info.stop_reason,
            stop_identity=info.stop_identity,
            failures=[BatchFailure._of(one) for one in failures],
        )


class BatchHandle:
    """A batch by its id; made by start_batch and get_batch_handle.

    Each call raises RPCError with NOT_FOUND where there is no such batch.
    """

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    async def describe(self, *, rpc_timeout: timedelta | None = None) -> BatchDescription:
        """Tells how far it has come, and for which workflows it was refused."""
        response = await self._client.service_client.call(
            _Service.DescribeBatch,
            proto.DescribeBatchRequest(namespace=self._client.namespace, batch_id=self._id),
            timeout=rpc_timeout,
        )
        return BatchDescription._of(response.info or proto.BatchInfo(), response.failures)

    async def stop(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """No further workflow has its turn; what was done stays done."""
        request = proto.StopBatchRequest(
            namespace=self._client.namespace, batch_id=self._id, reason=reason
        )
        await self._client.service_client.call(_Service.StopBatch, request, timeout=rpc_timeout)

    async def result(self) -> BatchDescription:
        """Waits until it has ended, one way or the other, and tells how."""
        pause = _PAUSE_SECONDS
        while True:
            found = await self.describe()
            if found.status != BatchStatus.RUNNING:
                return found
            # The protocol has no call that waits for it.
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS_MAX)


class Batches:
    """What a Client does about batches."""

    async def start_batch(
        self,
        query: str,
        operation: BatchOperation,
        *,
        id: str,
        rate_per_second: float | None = None,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> BatchHandle:
        """Does one thing with all workflows that a filter selects and that are there now.

        query: as of list_workflows, without ORDER BY and LIMIT; empty: all. The newest have their
        turn first, at most rate_per_second of them in a second (None: 50). The engine goes on by
        itself. The same call again is no second batch; another one with the id raises RPCError with
        the reason BATCH_ALREADY_EXISTS.
        """
        client = cast("Client", self)
        request = proto.StartBatchRequest(
            namespace=client.namespace,
            batch_id=id,
            query=query,
            operation=await operation._make(client.data_converter),
            rate_per_second=float(rate_per_second or 0),
            reason=reason,
        )
        await client.service_client.call(_Service.StartBatch, request, timeout=rpc_timeout)
        return BatchHandle(client, id)

    def get_batch_handle(self, id: str) -> BatchHandle:
        """A handle of a batch that may or may not exist; no call is made."""
        return BatchHandle(cast("Client", self), id)

    async def list_batches(
        self, *, rpc_timeout: timedelta | None = None
    ) -> Sequence[BatchDescription]:
        """The batches of the namespace, the newest first."""
        client = cast("Client", self)
        response = await client.service_client.call(
            _Service.ListBatches,
            proto.ListBatchesRequest(namespace=client.namespace),
            timeout=rpc_timeout,
        )
        return [BatchDescription._of(one) for one in response.batches]
