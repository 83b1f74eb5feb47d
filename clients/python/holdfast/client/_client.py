"""The client."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypedDict, TypeVar, overload

from .._run.requests import NO_VALUE
from ..common import QueryRejectCondition
from ..converter import DataConverter
from ..service import NO_METADATA, RPCError, RPCMetadata, RPCStatusCode, ServiceClient
from ..workflow._activities import arguments
from ..workflow._children import workflow_named
from ._activities import AsyncActivityHandle, AsyncActivityIDReference
from ._activity_starts import ActivityStarts
from ._batches import Batches
from ._executions import WorkflowExecutionAsyncIterator, WorkflowExecutionCount
from ._handle import WorkflowHandle
from ._interceptor import (
    CountWorkflowsInput,
    CreateScheduleInput,
    Interceptor,
    ListSchedulesInput,
    ListWorkflowsInput,
    OutboundInterceptor,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
)
from ._options import StartWorkflowOptions, start_input, update_name
from ._root import Root
from ._schedule_handle import ScheduleAsyncIterator, ScheduleHandle
from ._schedules import Schedule, ScheduleBackfill
from ._updates import WithStartWorkflowOperation, WorkflowUpdateHandle, WorkflowUpdateStage

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._chaos import Chaos

Self = TypeVar("Self")
A = TypeVar("A")
P = ParamSpec("P")
R = TypeVar("R")
_CONNECT_TIMEOUT = timedelta(seconds=5)
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class ClientConfig(TypedDict, total=False):
    """What a client was made of: `Client(**{**client.config(), "namespace": "other"})`."""

    service_client: ServiceClient
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None


class Client(ActivityStarts, Batches):
    """Starts workflows and activities, and talks to them; for any number of tasks and loops.

    Calls raise RPCError. `rpc_timeout` of a call is for that call alone; None is 10 s for those
    that the engine answers at once, and no end for those that wait for a workflow. They are
    repeated within it when the connection is lost, and what they ask for happens once.
    `rpc_metadata` is taken for programs that have it, and changes nothing.
    """

    def __init__(
        self,
        service_client: ServiceClient,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
    ) -> None:
        """Use Client.connect."""
        self.service_client = service_client
        self.namespace = namespace
        self.data_converter = data_converter
        self.interceptors = list(interceptors)
        self.default_workflow_query_reject_condition = default_workflow_query_reject_condition
        # Of a chaos environment, for the workers that are made with this client.
        self._chaos: Chaos | None = None
        root: OutboundInterceptor = Root(self)
        for interceptor in reversed(self.interceptors):
            root = interceptor.intercept_client(root)
        self._root = root

    @staticmethod
    async def connect(
        target_host: str | None = None,
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        identity: str | None = None,
        lazy: bool = False,
        connect_timeout: timedelta = _CONNECT_TIMEOUT,
        rpc_metadata: RPCMetadata = NO_METADATA,
    ) -> Client:
        """Connects to an engine.

        target_host: the path of its socket. None, and any port of localhost: the engine of this
        machine, that is $HOLDFAST_SOCKET, else $XDG_RUNTIME_DIR/holdfast/holdfast.sock, else
        /run/holdfast/holdfast.sock. lazy: it connects with its first call. Raises RPCError with
        UNAVAILABLE when there is none within connect_timeout.
        """
        service = ServiceClient(_socket_path(target_host), namespace=namespace, identity=identity)
        if not lazy:
            try:
                await service.connect(connect_timeout)
            except RPCError as error:
                service.close()
                raise _connect_error(error) from error.__cause__
        return Client(
            service,
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
        )

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """What this client was made of, to make another one that shares the connection.

        active_config is taken, and changes nothing: there are no plugins that would change it.
        """
        return ClientConfig(
            service_client=self.service_client,
            namespace=self.namespace,
            data_converter=self.data_converter,
            interceptors=self.interceptors,
            default_workflow_query_reject_condition=self.default_workflow_query_reject_condition,
        )

    @property
    def identity(self) -> str:
        """Who calls, as histories name it."""
        return self.service_client.identity

    @property
    def socket_path(self) -> str | None:
        """Of the engine; None: the default."""
        return self.service_client.socket_path

    async def close(self) -> None:
        """Ends the connection, and every call under way; else it ends with its event loop."""
        self.service_client.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # MARK: Workflows

    @overload
    async def start_workflow(
        self,
        workflow: Callable[[Self], Awaitable[R]],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Self, R]: ...

    @overload
    async def start_workflow(
        self,
        workflow: Callable[[Self, A], Awaitable[R]],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Self, R]: ...

    @overload
    async def start_workflow(
        self,
        workflow: Callable[Concatenate[Self, P], Awaitable[R]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Self, R]: ...

    @overload
    async def start_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> WorkflowHandle[Any, Any]: ...

    async def start_workflow(
        self,
        workflow: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> WorkflowHandle[Any, Any]:
        """Starts a workflow; when this returns, the start is durable.

        workflow: its run method, or a name. options: StartWorkflowOptions says what they mean.
        WorkflowAlreadyStartedError: the id is taken, and the policies do not allow another one.
        """
        input = start_input(workflow, arguments(arg, args), id, task_queue, options)
        return await self._root.start_workflow(input)

    @overload
    async def execute_workflow(
        self,
        workflow: Callable[[Self], Awaitable[R]],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> R: ...

    @overload
    async def execute_workflow(
        self,
        workflow: Callable[[Self, A], Awaitable[R]],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> R: ...

    @overload
    async def execute_workflow(
        self,
        workflow: Callable[Concatenate[Self, P], Awaitable[R]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> R: ...

    @overload
    async def execute_workflow(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartWorkflowOptions],
    ) -> Any: ...

    async def execute_workflow(
        self,
        workflow: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> Any:
        """Starts a workflow as start_workflow does, and waits for its result."""
        input = start_input(workflow, arguments(arg, args), id, task_queue, options)
        handle = await self._root.start_workflow(input)
        return await handle.result()

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """A handle of a workflow that may or may not exist; no call is made.

        run_id: calls are about this run; None: at each call about the newest.
        """
        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
        )

    def get_workflow_handle_for(
        self,
        workflow: Callable[Concatenate[Self, P], Awaitable[R]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
    ) -> WorkflowHandle[Self, R]:
        """The same, with the types of the workflow's run method."""
        _, hints = workflow_named(workflow)
        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=hints.result,
        )

    async def execute_update_with_start_workflow(
        self,
        update: Any,
        arg: Any = NO_VALUE,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any],
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Starts the workflow if it is not open, updates it in the same step, and waits."""
        handle = await self.start_update_with_start_workflow(
            update,
            arg,
            args=args,
            start_workflow_operation=start_workflow_operation,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
            id=id,
            result_type=result_type,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result()

    async def start_update_with_start_workflow(
        self,
        update: Any,
        arg: Any = NO_VALUE,
        *,
        start_workflow_operation: WithStartWorkflowOperation[Any],
        wait_for_stage: WorkflowUpdateStage,
        args: Sequence[Any] = (),
        id: str | None = None,
        result_type: type | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowUpdateHandle[Any]:
        """Starts the workflow if it is not open, and updates it in the same step.

        id: of the update; the same one has the same outcome, also of the start.
        """
        name, hint = update_name(update)
        start = start_workflow_operation._input
        input = StartWorkflowUpdateInput(
            id=start.id,
            run_id=None,
            first_execution_run_id=None,
            update_id=id or str(uuid.uuid4()),
            update=name,
            args=arguments(arg, args),
            wait_for_stage=wait_for_stage,
            headers={},
            ret_type=result_type or hint,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        begun, fail = start_workflow_operation._begin(self)
        return await self._root.start_update_with_start_workflow(
            StartWorkflowUpdateWithStartInput(start, input, begun, fail)
        )

    def list_workflows(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1_000,
        next_page_token: bytes | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionAsyncIterator:
        """The workflows that a filter selects; None: all. It is asked for as it is taken.

        query: such as `WorkflowType = 'Order' AND ExecutionStatus = 'Running'`.
        """
        return self._root.list_workflows(
            ListWorkflowsInput(query, page_size, next_page_token, rpc_metadata, rpc_timeout, limit)
        )

    async def count_workflows(
        self,
        query: str | None = None,
        *,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowExecutionCount:
        """How many workflows a filter selects; with GROUP BY also of each group."""
        return await self._root.count_workflows(
            CountWorkflowsInput(query, rpc_metadata, rpc_timeout)
        )

    # MARK: Activities

    @overload
    def get_async_activity_handle(
        self, *, workflow_id: str | None = ..., run_id: str | None = ..., activity_id: str
    ) -> AsyncActivityHandle: ...

    @overload
    def get_async_activity_handle(self, *, task_token: bytes) -> AsyncActivityHandle: ...

    def get_async_activity_handle(
        self,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        activity_id: str | None = None,
        task_token: bytes | None = None,
    ) -> AsyncActivityHandle:
        """A handle of an activity that was left to be completed elsewhere; no call is made.

        Without workflow_id: an activity without a workflow, and run_id is its own run.
        """
        if task_token is not None:
            if workflow_id is not None or run_id is not None or activity_id is not None:
                raise ValueError("name the activity by its token or by its ids, not by both")
            return AsyncActivityHandle(self, task_token)
        if activity_id is None:
            raise ValueError("name the activity by task_token, or by activity_id and workflow_id")
        return AsyncActivityHandle(self, AsyncActivityIDReference(workflow_id, run_id, activity_id))

    # MARK: Schedules

    async def create_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        trigger_immediately: bool = False,
        backfill: Sequence[ScheduleBackfill] = (),
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleHandle:
        """Makes a schedule. ScheduleAlreadyRunningError: there is one with this id.

        trigger_immediately: it takes an action at once. backfill: it takes those of these times.
        """
        return await self._root.create_schedule(
            CreateScheduleInput(
                id, schedule, trigger_immediately, backfill, rpc_metadata, rpc_timeout
            )
        )

    def get_schedule_handle(self, id: str) -> ScheduleHandle:
        """A handle of a schedule that may or may not exist; no call is made."""
        return ScheduleHandle(self, id)

    async def list_schedules(
        self,
        *,
        page_size: int = 1_000,
        next_page_token: bytes | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleAsyncIterator:
        """All schedules of the namespace, by their ids."""
        return self._root.list_schedules(
            ListSchedulesInput(page_size, next_page_token, rpc_metadata, rpc_timeout)
        )


def _socket_path(target: str | None) -> str | None:
    if not target:
        return None
    host, colon, port = target.rpartition(":")
    if colon and port.isdigit() and "/" not in target:
        if host in _LOCAL_HOSTS:
            return None
        raise ValueError(
            f"{target}: the engine of another machine cannot be reached; it listens on a Unix"
            " socket: give that one's path, or nothing for the engine of this machine"
        )
    return target


def _connect_error(error: RPCError) -> RPCError:
    if error.status != RPCStatusCode.UNAVAILABLE:
        return error
    return RPCError(
        f"{error.message}; start one with `holdfast serve`, or name its socket with"
        " Client.connect(path) or $HOLDFAST_SOCKET",
        error.status,
        code=error.code,
        reason=error.reason,
        is_retryable=error.is_retryable,
    )
