"""The messages of batch_service.proto.

Made by generate_messages.py from proto/holdfast/v1/batch_service.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from .._core import Message
from .._method import Method
from .activity_service import (
    PauseActivityRequest,
    ResetActivityRequest,
    UnpauseActivityRequest,
    UpdateActivityOptionsRequest,
)
from .common import (
    WorkflowExecution,
)
from .frame import (
    Status,
)
from .workflow_service import (
    CancelWorkflowRequest,
    DeleteWorkflowRequest,
    PauseWorkflowRequest,
    ResetWorkflowRequest,
    SignalWorkflowRequest,
    TerminateWorkflowRequest,
    UnpauseWorkflowRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class BatchStatus(IntEnum):
    UNSPECIFIED = 0
    RUNNING = 1
    # It has come through all runs; some operations may have failed.
    COMPLETED = 2
    STOPPED = 3
    # The operation is wrong for every run (INVALID_ARGUMENT): the first failure says why.
    FAILED = 4


class BatchOperation(Message):
    """The request that is made for each run. Its `namespace`, `execution` and `request_id` are left
    empty: the engine names the run. An empty `identity` or `reason` becomes that of the batch.
    """

    signal_workflow: SignalWorkflowRequest | None = None
    cancel_workflow: CancelWorkflowRequest | None = None
    terminate_workflow: TerminateWorkflowRequest | None = None
    delete_workflow: DeleteWorkflowRequest | None = None
    reset_workflow: ResetWorkflowRequest | None = None
    pause_workflow: PauseWorkflowRequest | None = None
    unpause_workflow: UnpauseWorkflowRequest | None = None
    pause_activity: PauseActivityRequest | None = None
    unpause_activity: UnpauseActivityRequest | None = None
    reset_activity: ResetActivityRequest | None = None
    update_activity_options: UpdateActivityOptionsRequest | None = None
    # Which of its members is set.
    operation: Literal["signal_workflow", "cancel_workflow", "terminate_workflow", "delete_workflow", "reset_workflow", "pause_workflow", "unpause_workflow", "pause_activity", "unpause_activity", "reset_activity", "update_activity_options"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            signal_workflow: SignalWorkflowRequest | None = None,
            cancel_workflow: CancelWorkflowRequest | None = None,
            terminate_workflow: TerminateWorkflowRequest | None = None,
            delete_workflow: DeleteWorkflowRequest | None = None,
            reset_workflow: ResetWorkflowRequest | None = None,
            pause_workflow: PauseWorkflowRequest | None = None,
            unpause_workflow: UnpauseWorkflowRequest | None = None,
            pause_activity: PauseActivityRequest | None = None,
            unpause_activity: UnpauseActivityRequest | None = None,
            reset_activity: ResetActivityRequest | None = None,
            update_activity_options: UpdateActivityOptionsRequest | None = None,
        ) -> None: ...


class StartBatchRequest(Message):
    namespace: str = ""
    # The client's choice, and what makes a repetition one: the same request again has no effect.
    batch_id: str = ""
    # A filter as of ListWorkflows, without ORDER BY and LIMIT; empty: all runs.
    query: str = ""
    operation: BatchOperation | None = None
    # Runs in a second; 0: 50. At most 10,000.
    rate_per_second: float = 0.0
    reason: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            batch_id: str = "",
            query: str = "",
            operation: BatchOperation | None = None,
            rate_per_second: float = 0.0,
            reason: str = "",
            identity: str = "",
        ) -> None: ...


class StartBatchResponse(Message):
    # False: this was a repetition.
    started: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            started: bool = False,
        ) -> None: ...


class BatchInfo(Message):
    batch_id: str = ""
    query: str = ""
    # The field of BatchOperation that is set.
    operation: str = ""
    status: int = 0
    start_time_ms: int = 0
    # 0: it runs.
    close_time_ms: int = 0
    # Runs for which the operation was done, and for which it was refused.
    succeeded: int = 0
    failed: int = 0
    # How far it has come through the runs that were there when it started, from 0 to 1.
    progress: float = 0.0
    rate_per_second: float = 0.0
    reason: str = ""
    identity: str = ""
    # Of StopBatch.
    stop_reason: str = ""
    stop_identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            batch_id: str = "",
            query: str = "",
            operation: str = "",
            status: int = 0,
            start_time_ms: int = 0,
            close_time_ms: int = 0,
            succeeded: int = 0,
            failed: int = 0,
            progress: float = 0.0,
            rate_per_second: float = 0.0,
            reason: str = "",
            identity: str = "",
            stop_reason: str = "",
            stop_identity: str = "",
        ) -> None: ...


class BatchFailure(Message):
    execution: WorkflowExecution | None = None
    # What the operation was answered.
    status: Status | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            execution: WorkflowExecution | None = None,
            status: Status | None = None,
        ) -> None: ...


class DescribeBatchRequest(Message):
    namespace: str = ""
    batch_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            batch_id: str = "",
        ) -> None: ...


class DescribeBatchResponse(Message):
    info: BatchInfo | None = None
    operation: BatchOperation | None = None
    # The first 100.
    failures: Sequence[BatchFailure] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: BatchInfo | None = None,
            operation: BatchOperation | None = None,
            failures: Sequence[BatchFailure] = (),
        ) -> None: ...


class ListBatchesRequest(Message):
    namespace: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
        ) -> None: ...


class ListBatchesResponse(Message):
    # The newest first.
    batches: Sequence[BatchInfo] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            batches: Sequence[BatchInfo] = (),
        ) -> None: ...


class StopBatchRequest(Message):
    namespace: str = ""
    batch_id: str = ""
    reason: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            batch_id: str = "",
            reason: str = "",
            identity: str = "",
        ) -> None: ...


class StopBatchResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


BatchOperation._fields_ = (
    (1, "signal_workflow", "message", False, SignalWorkflowRequest, "operation"),
    (2, "cancel_workflow", "message", False, CancelWorkflowRequest, "operation"),
    (3, "terminate_workflow", "message", False, TerminateWorkflowRequest, "operation"),
    (4, "delete_workflow", "message", False, DeleteWorkflowRequest, "operation"),
    (5, "reset_workflow", "message", False, ResetWorkflowRequest, "operation"),
    (6, "pause_workflow", "message", False, PauseWorkflowRequest, "operation"),
    (7, "unpause_workflow", "message", False, UnpauseWorkflowRequest, "operation"),
    (8, "pause_activity", "message", False, PauseActivityRequest, "operation"),
    (9, "unpause_activity", "message", False, UnpauseActivityRequest, "operation"),
    (10, "reset_activity", "message", False, ResetActivityRequest, "operation"),
    (11, "update_activity_options", "message", False, UpdateActivityOptionsRequest, "operation"),
)

StartBatchRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "batch_id", "string", False, None, None),
    (3, "query", "string", False, None, None),
    (4, "operation", "message", False, BatchOperation, None),
    (5, "rate_per_second", "double", False, None, None),
    (6, "reason", "string", False, None, None),
    (7, "identity", "string", False, None, None),
)

StartBatchResponse._fields_ = (
    (1, "started", "bool", False, None, None),
)

BatchInfo._fields_ = (
    (1, "batch_id", "string", False, None, None),
    (2, "query", "string", False, None, None),
    (3, "operation", "string", False, None, None),
    (4, "status", "enum", False, None, None),
    (5, "start_time_ms", "int64", False, None, None),
    (6, "close_time_ms", "int64", False, None, None),
    (7, "succeeded", "int64", False, None, None),
    (8, "failed", "int64", False, None, None),
    (9, "progress", "double", False, None, None),
    (10, "rate_per_second", "double", False, None, None),
    (11, "reason", "string", False, None, None),
    (12, "identity", "string", False, None, None),
    (13, "stop_reason", "string", False, None, None),
    (14, "stop_identity", "string", False, None, None),
)

BatchFailure._fields_ = (
    (1, "execution", "message", False, WorkflowExecution, None),
    (2, "status", "message", False, Status, None),
)

DescribeBatchRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "batch_id", "string", False, None, None),
)

DescribeBatchResponse._fields_ = (
    (1, "info", "message", False, BatchInfo, None),
    (2, "operation", "message", False, BatchOperation, None),
    (3, "failures", "message", True, BatchFailure, None),
)

ListBatchesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
)

ListBatchesResponse._fields_ = (
    (1, "batches", "message", True, BatchInfo, None),
)

StopBatchRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "batch_id", "string", False, None, None),
    (3, "reason", "string", False, None, None),
    (4, "identity", "string", False, None, None),
)


class BatchService:
    """One operation for all runs that a filter selects."""

    StartBatch = Method(
        "holdfast.v1.BatchService/StartBatch",
        StartBatchRequest,
        StartBatchResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeBatch = Method(
        "holdfast.v1.BatchService/DescribeBatch",
        DescribeBatchRequest,
        DescribeBatchResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListBatches = Method(
        "holdfast.v1.BatchService/ListBatches",
        ListBatchesRequest,
        ListBatchesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # What has been done stays done.
    StopBatch = Method(
        "holdfast.v1.BatchService/StopBatch",
        StopBatchRequest,
        StopBatchResponse,
        client_streaming=False,
        server_streaming=False,
    )
