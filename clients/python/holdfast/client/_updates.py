"""Updates, as a client waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .. import _messages as proto
from .._run.requests import NO_VALUE
from ..common import WorkflowIDConflictPolicy
from ..service import FOREVER, NO_METADATA, RPCError, RPCMetadata, RPCStatusCode
from ..workflow._activities import arguments
from ._errors import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from ._options import WithStartOptions, start_input

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._client import Client
    from ._handle import WorkflowHandle

R = TypeVar("R")


class WorkflowUpdateStage(IntEnum):
    """How far an update has come."""

    ADMITTED = 1
    ACCEPTED = 2
    COMPLETED = 3


def wait_for(stage: WorkflowUpdateStage) -> proto.UpdateStage:
    if stage == WorkflowUpdateStage.ADMITTED:
        raise ValueError("an update is known to nobody before it is accepted: wait for ACCEPTED")
    accepted = stage == WorkflowUpdateStage.ACCEPTED
    return proto.UpdateStage.ACCEPTED if accepted else proto.UpdateStage.COMPLETED


def waiting_error(error: RPCError) -> BaseException:
    """What is raised where an update was waited for: of timeouts one of its own."""
    if error.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
        made = WorkflowUpdateRPCTimeoutOrCancelledError()
        made.__cause__ = error
        return made
    return error


class WorkflowUpdateHandle(Generic[R]):
    """An update that was sent; made by start_update and get_update_handle."""

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: type | None = None,
        known: proto.UpdateOutcome | None = None,
    ) -> None:
        self._client = client
        self._id = id
        self._workflow_id = workflow_id
        self._workflow_run_id = workflow_run_id
        self._result_type = result_type
        self._known = known

    @property
    def id(self) -> str:
        return self._id

    @property
    def workflow_id(self) -> str:
        return self._workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        return self._workflow_run_id

    async def result(
        self,
        *,
        timeout: timedelta | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> R:
        """Waits for what the handler returns.

        WorkflowUpdateFailedError: the update was rejected or has failed.
        WorkflowUpdateRPCTimeoutOrCancelledError: the time of the wait is over.
        """
        if self._known is None:
            self._known = await self._poll(timeout or rpc_timeout or FOREVER)
        converter, known = self._client.data_converter, self._known
        if known.failed is not None:
            raise WorkflowUpdateFailedError(await converter.decode_failure(known.failed))
        payloads = known.succeeded.payloads if known.succeeded is not None else ()
        if not payloads:
            return None  # type: ignore[return-value]
        hints = [self._result_type] if self._result_type else None
        return (await converter.decode(payloads, hints))[0]  # type: ignore[no-any-return]

    async def _poll(self, timeout: timedelta) -> proto.UpdateOutcome:
        request = proto.PollUpdateRequest(
            namespace=self._client.namespace,
            execution=proto.WorkflowExecution(
                workflow_id=self._workflow_id, run_id=self._workflow_run_id or ""
            ),
            update_id=self._id,
            wait_for=proto.UpdateStage.COMPLETED,
        )
        try:
            response = await self._client.service_client.call(
                proto.WorkflowService.PollUpdate, request, timeout=timeout
            )
        except RPCError as error:
            raise waiting_error(error) from error.__cause__
        return response.outcome or proto.UpdateOutcome()


class WithStartWorkflowOperation(Generic[R]):
    """The start that an update-with-start makes if the workflow is not open."""

    def __init__(
        self,
        workflow: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        **options: Unpack[WithStartOptions],
    ) -> None:
        """As of Client.start_workflow."""
        given = {**options, "id_conflict_policy": id_conflict_policy}
        self._input = start_input(workflow, arguments(arg, args), id, task_queue, given)
        self._handle: asyncio.Future[WorkflowHandle[Any, R]] | None = None

    async def workflow_handle(self) -> WorkflowHandle[Any, R]:
        """The handle of the workflow, once it is known to have started; raises what its start did.

        RuntimeError: the operation was given to no call.
        """
        if self._handle is None:
            raise RuntimeError("the operation was given to no call of update-with-start")
        return await asyncio.shield(self._handle)

    def _begin(
        self, client: Client
    ) -> tuple[Callable[[proto.UpdateWorkflowResponse], None], Callable[[BaseException], None]]:
        """What is to be called when the start is known to have happened, or not to."""
        from ._handle import WorkflowHandle  # noqa: PLC0415

        if self._handle is not None:
            raise RuntimeError("a WithStartWorkflowOperation is for one call")
        future = self._handle = asyncio.get_running_loop().create_future()
        # Who wants to know asks for it; nobody is told that nobody asked.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

        def begun(response: proto.UpdateWorkflowResponse) -> None:
            handle: WorkflowHandle[Any, R] = WorkflowHandle(
                client,
                self._input.id,
                result_run_id=response.run_id,
                first_execution_run_id=response.run_id if response.started else None,
                result_type=self._input.ret_type,
            )
            future.set_result(handle)

        return begun, future.set_exception
