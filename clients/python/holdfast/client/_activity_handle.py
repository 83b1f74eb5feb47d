"""An activity without a workflow, as a client holds it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from .. import _messages as proto
from ..service import FOREVER, NO_METADATA, RPCMetadata
from ._activity_executions import ActivityExecutionDescription, failure_of
from ._control import ActivityOptionsUpdate
from ._interceptor import (
    CancelActivityInput,
    DescribeActivityInput,
    PauseActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
)

if TYPE_CHECKING:
    from ._client import Client

ReturnType = TypeVar("ReturnType")


class ActivityHandle(Generic[ReturnType]):
    """An activity without a workflow; made by start_activity and get_activity_handle.

    Calls are about the run `run_id`, and without one about the newest run at that time. Each call
    raises RPCError with NOT_FOUND where there is no such activity, and with FAILED_PRECONDITION
    (ACTIVITY_CLOSED) where it has ended and the call is for an open one.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_type: type | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._run_id = run_id
        self._result_type = result_type

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        """None: whichever run is the newest."""
        return self._run_id

    async def result(
        self,
        *,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Waits for the activity to end (rpc_timeout None: for ever) and gives its result.

        ActivityFailureError: it ended otherwise. RPCError with DEADLINE_EXCEEDED: it is still
        open, and may be waited for again.
        """
        outcome = await self._client.service_client.call(
            proto.ActivityService.GetActivityResult,
            proto.GetActivityResultRequest(
                namespace=self._client.namespace,
                activity_id=self._id,
                run_id=self._run_id or "",
            ),
            timeout=rpc_timeout or FOREVER,
        )
        converter = self._client.data_converter
        if outcome.status != proto.WorkflowStatus.COMPLETED:
            raise await failure_of(outcome, converter)
        if not outcome.result:
            return None  # type: ignore[return-value]
        hints = [self._result_type] if self._result_type else None
        (value,) = await converter.decode(outcome.result[:1], hints)
        return value  # type: ignore[no-any-return]

    async def describe(
        self,
        *,
        include_outcome: bool = False,
        include_heartbeat_details: bool = True,
        include_last_failure: bool = True,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """Tells how the activity does.

        include_outcome: its result or failure, too, once it has closed; by a second call. The
        others change nothing: the engine tells what there is.
        """
        return await self._client._root.describe_activity(
            DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_outcome=include_outcome,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends it as cancelled: at once where no worker has it, else its code is told.

        What the code makes of it counts; no further attempt follows.
        """
        await self._client._root.cancel_activity(
            CancelActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends it at once; what a worker still brings counts for nothing."""
        await self._client._root.terminate_activity(
            TerminateActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Starts no further attempt; one that runs is told that it should stop, and counts."""
        await self._client._root.pause_activity(
            PauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        reset_attempts: bool = False,
        reset_heartbeat: bool = False,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Lets it go on; held since its attempts are used up, it has one more.

        reset_attempts: they are counted from one again. reset_heartbeat: the next one is given no
        heartbeat details.
        """
        await self._client._root.unpause_activity(
            UnpauseActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                reason=reason,
                reset_attempts=reset_attempts,
                reset_heartbeat=reset_heartbeat,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    # MARK: Holdfast's own

    async def reset(
        self,
        *,
        reset_heartbeat: bool = False,
        keep_paused: bool = False,
        restore_original_options: bool = False,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Begins it again with its first attempt, at once; one that runs may end first."""
        request = proto.ResetActivityRequest(
            namespace=self._client.namespace,
            execution=execution(self._run_id),
            activities=proto.ActivitySelection(activity_id=self._id),
            reset_heartbeat=reset_heartbeat,
            keep_paused=keep_paused,
            restore_original_options=restore_original_options,
            reason=reason,
        )
        await self._client.service_client.call(
            proto.ActivityService.ResetActivity, request, timeout=rpc_timeout
        )

    async def update_options(
        self,
        update: ActivityOptionsUpdate | None = None,
        *,
        restore_original: bool = False,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes its options, or restores those that it was started with."""
        request = proto.UpdateActivityOptionsRequest(
            namespace=self._client.namespace,
            execution=execution(self._run_id),
            activities=proto.ActivitySelection(activity_id=self._id),
            restore_original=restore_original,
            reason=reason,
        )
        if update is not None:
            request.options, request.update_mask = update._to_proto()
        await self._client.service_client.call(
            proto.ActivityService.UpdateActivityOptions, request, timeout=rpc_timeout
        )

    async def delete(self, *, reason: str = "", rpc_timeout: timedelta | None = None) -> None:
        """Removes a run; an open one is terminated first."""
        request = proto.DeleteActivityRequest(
            namespace=self._client.namespace,
            activity_id=self._id,
            run_id=self._run_id or "",
            reason=reason,
        )
        await self._client.service_client.call(
            proto.ActivityService.DeleteActivity, request, timeout=rpc_timeout
        )


def execution(run_id: str | None) -> proto.WorkflowExecution:
    """Without a workflow's id: the run is the activity's own."""
    return proto.WorkflowExecution(run_id=run_id or "")
