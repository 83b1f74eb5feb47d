"""The messages of operator_service.proto.

Made by generate_messages.py from proto/holdfast/v1/operator_service.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from .._core import Message
from .._method import Method

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence


class HealthState(IntEnum):
    UNSPECIFIED = 0
    SERVING = 1
    # Starts are refused until there is space; completions are served.
    DISK_FULL = 2
    DRAINING = 3


class HealthRequest(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class HealthResponse(Message):
    state: int = 0
    # How far the engine's clock runs ahead of the wall clock.
    clock_ahead_ms: int = 0
    uptime_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            state: int = 0,
            clock_ahead_ms: int = 0,
            uptime_ms: int = 0,
        ) -> None: ...


class DescribeRequest(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class DescribeResponse(Message):
    server_version: str = ""
    epoch: int = 0
    start_time_ms: int = 0
    store_path: str = ""
    # Sorted by name.
    counters: Sequence[Counter] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            server_version: str = "",
            epoch: int = 0,
            start_time_ms: int = 0,
            store_path: str = "",
            counters: Sequence[Counter] = (),
        ) -> None: ...


class Counter(Message):
    """A figure since the start of the process (names that end in _total) or as of now."""

    name: str = ""
    value: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str = "",
            value: int = 0,
        ) -> None: ...


class DescribeTaskQueueRequest(Message):
    namespace: str = ""
    task_queue: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            task_queue: str = "",
        ) -> None: ...


class DescribeTaskQueueResponse(Message):
    workers: Sequence[WorkerInfo] = ()
    workflow_tasks: QueueBacklog | None = None
    activity_tasks: QueueBacklog | None = None
    warnings: Sequence[str] = ()
    # Missing: none.
    limits: TaskQueueLimits | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workers: Sequence[WorkerInfo] = (),
            workflow_tasks: QueueBacklog | None = None,
            activity_tasks: QueueBacklog | None = None,
            warnings: Sequence[str] = (),
            limits: TaskQueueLimits | None = None,
        ) -> None: ...


class TaskQueueLimits(Message):
    """A rate is in activities per second: 0.001 to 1,000,000; 0: no limit."""

    # Activities that the queue gives out, and of those the ones of each fairness key.
    activities_per_second: float = 0.0
    activities_per_second_of_key: float = 0.0
    # Keys with a rate of their own, sorted by key; 0: they have no limit.
    key_rates: Sequence[FairnessKeyRate] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            activities_per_second: float = 0.0,
            activities_per_second_of_key: float = 0.0,
            key_rates: Sequence[FairnessKeyRate] = (),
        ) -> None: ...


class FairnessKeyRate(Message):
    fairness_key: str = ""
    activities_per_second: float = 0.0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            fairness_key: str = "",
            activities_per_second: float = 0.0,
        ) -> None: ...


class SetTaskQueueLimitsRequest(Message):
    namespace: str = ""
    task_queue: str = ""
    # Missing: none.
    limits: TaskQueueLimits | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            task_queue: str = "",
            limits: TaskQueueLimits | None = None,
        ) -> None: ...


class SetTaskQueueLimitsResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class WorkerInfo(Message):
    session_id: str = ""
    identity: str = ""
    build_id: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    workflow_types: Sequence[str] = ()
    activity_types: Sequence[str] = ()
    workflow_slots_free: int = 0
    activity_slots_free: int = 0
    workflow_tasks_out: int = 0
    activity_tasks_out: int = 0
    cached_runs: int = 0
    attached_time_ms: int = 0
    draining: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            session_id: str = "",
            identity: str = "",
            build_id: str = "",
            sdk_name: str = "",
            sdk_version: str = "",
            workflow_types: Sequence[str] = (),
            activity_types: Sequence[str] = (),
            workflow_slots_free: int = 0,
            activity_slots_free: int = 0,
            workflow_tasks_out: int = 0,
            activity_tasks_out: int = 0,
            cached_runs: int = 0,
            attached_time_ms: int = 0,
            draining: bool = False,
        ) -> None: ...


class QueueBacklog(Message):
    count: int = 0
    # Age of the oldest task that waits.
    oldest_age_ms: int = 0
    # Types that wait and that no attached worker serves, sorted.
    types_without_worker: Sequence[str] = ()
    # Over the last 30 seconds: tasks that came, and tasks that were given out, per second.
    added_per_second: float = 0.0
    given_per_second: float = 0.0
    # By priority, from 1; those of which nothing waits and nothing has come or gone are left out.
    priorities: Sequence[PriorityBacklog] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            count: int = 0,
            oldest_age_ms: int = 0,
            types_without_worker: Sequence[str] = (),
            added_per_second: float = 0.0,
            given_per_second: float = 0.0,
            priorities: Sequence[PriorityBacklog] = (),
        ) -> None: ...


class PriorityBacklog(Message):
    priority_key: int = 0
    count: int = 0
    oldest_age_ms: int = 0
    added_per_second: float = 0.0
    given_per_second: float = 0.0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            priority_key: int = 0,
            count: int = 0,
            oldest_age_ms: int = 0,
            added_per_second: float = 0.0,
            given_per_second: float = 0.0,
        ) -> None: ...


class WorkflowTypeLimits(Message):
    """How many runs may run at once: 1 to 1,000,000; 0: no limit."""

    # Of the type, and of those the ones of each concurrency key.
    running: int = 0
    running_of_key: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            running: int = 0,
            running_of_key: int = 0,
        ) -> None: ...


class SetWorkflowTypeLimitsRequest(Message):
    namespace: str = ""
    workflow_type: str = ""
    # Missing: none.
    limits: WorkflowTypeLimits | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            workflow_type: str = "",
            limits: WorkflowTypeLimits | None = None,
        ) -> None: ...


class SetWorkflowTypeLimitsResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class DescribeWorkflowTypeRequest(Message):
    namespace: str = ""
    workflow_type: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            workflow_type: str = "",
        ) -> None: ...


class DescribeWorkflowTypeResponse(Message):
    info: WorkflowTypeInfo | None = None
    # The first 100: those of which most wait, then those of which most run, then by key.
    keys: Sequence[ConcurrencyKeyInfo] = ()
    # Keys in all, of which something runs or waits.
    keys_count: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: WorkflowTypeInfo | None = None,
            keys: Sequence[ConcurrencyKeyInfo] = (),
            keys_count: int = 0,
        ) -> None: ...


class WorkflowTypeInfo(Message):
    """What runs and what waits is counted while the type has limits."""

    workflow_type: str = ""
    # Missing: none.
    limits: WorkflowTypeLimits | None = None
    # Runs that have a permit.
    running: int = 0
    waiting: int = 0
    # How long the oldest of them has waited.
    oldest_age_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_type: str = "",
            limits: WorkflowTypeLimits | None = None,
            running: int = 0,
            waiting: int = 0,
            oldest_age_ms: int = 0,
        ) -> None: ...


class ConcurrencyKeyInfo(Message):
    concurrency_key: str = ""
    running: int = 0
    waiting: int = 0
    oldest_age_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            concurrency_key: str = "",
            running: int = 0,
            waiting: int = 0,
            oldest_age_ms: int = 0,
        ) -> None: ...


class ListWorkflowTypesRequest(Message):
    namespace: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
        ) -> None: ...


class ListWorkflowTypesResponse(Message):
    # Sorted by type.
    types: Sequence[WorkflowTypeInfo] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            types: Sequence[WorkflowTypeInfo] = (),
        ) -> None: ...


class AddSearchAttributeRequest(Message):
    namespace: str = ""
    name: str = ""
    type: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            name: str = "",
            type: int = 0,
        ) -> None: ...


class AddSearchAttributeResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ListSearchAttributesRequest(Message):
    namespace: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
        ) -> None: ...


class ListSearchAttributesResponse(Message):
    # Sorted by name.
    attributes: Sequence[SearchAttributeName] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            attributes: Sequence[SearchAttributeName] = (),
        ) -> None: ...


class SearchAttributeName(Message):
    name: str = ""
    type: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str = "",
            type: int = 0,
        ) -> None: ...


class RemoveSearchAttributeRequest(Message):
    namespace: str = ""
    name: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            name: str = "",
        ) -> None: ...


class RemoveSearchAttributeResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class CreateNamespaceRequest(Message):
    # 1 to 100 letters, digits and '_-.', a letter or a digit first.
    namespace: str = ""
    # How long closed workflows are kept: 1,000 (a second) to 3,153,600,000,000 (100 years); 0: as
    # long as the engine says.
    retention_ms: int = 0
    # For people; at most 1,000 bytes.
    description: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            retention_ms: int = 0,
            description: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class CreateNamespaceResponse(Message):
    # False: it was there already, by this request.
    created: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            created: bool = False,
        ) -> None: ...


class NamespaceInfo(Message):
    namespace: str = ""
    # Its own; 0: the engine's holds.
    retention_ms: int = 0
    description: str = ""
    # 0: it was there from the start.
    created_time_ms: int = 0
    # What holds; 0: closed workflows are kept for ever.
    effective_retention_ms: int = 0
    # Activities without a workflow are counted among both.
    open_workflows: int = 0
    closed_workflows: int = 0
    schedules: int = 0
    running_batches: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            retention_ms: int = 0,
            description: str = "",
            created_time_ms: int = 0,
            effective_retention_ms: int = 0,
            open_workflows: int = 0,
            closed_workflows: int = 0,
            schedules: int = 0,
            running_batches: int = 0,
        ) -> None: ...


class DescribeNamespaceRequest(Message):
    namespace: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
        ) -> None: ...


class DescribeNamespaceResponse(Message):
    info: NamespaceInfo | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: NamespaceInfo | None = None,
        ) -> None: ...


class ListNamespacesRequest(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ListNamespacesResponse(Message):
    # Sorted by name.
    namespaces: Sequence[NamespaceInfo] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespaces: Sequence[NamespaceInfo] = (),
        ) -> None: ...


class UpdateNamespaceRequest(Message):
    namespace: str = ""
    retention_ms: int = 0
    description: str = ""
    # Which of these fields count; none: those that are not empty.
    update_mask: Sequence[str] = ()
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            retention_ms: int = 0,
            description: str = "",
            update_mask: Sequence[str] = (),
            identity: str = "",
        ) -> None: ...


class UpdateNamespaceResponse(Message):
    info: NamespaceInfo | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: NamespaceInfo | None = None,
        ) -> None: ...


class DeleteNamespaceRequest(Message):
    namespace: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            identity: str = "",
        ) -> None: ...


class DeleteNamespaceResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class DrainRequest(Message):
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
        ) -> None: ...


class DrainResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class GetTimeRequest(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class GetTimeResponse(Message):
    current_time_ms: int = 0
    # How far it is ahead of the clocks outside because it was skipped.
    skipped_ms: int = 0
    # Workflows that hold time: a task of theirs waits, backs off or is out, or an activity waits or is out.
    busy_workflows: int = 0
    # Connections that hold time by a lock, and those that let it skip now.
    locking_connections: int = 0
    letting_connections: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            current_time_ms: int = 0,
            skipped_ms: int = 0,
            busy_workflows: int = 0,
            locking_connections: int = 0,
            letting_connections: int = 0,
        ) -> None: ...


class LockTimeRequest(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class LockTimeResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class UnlockTimeRequest(Message):
    # From now on time may skip while a request of this connection waits for a workflow
    # (GetWorkflowResult, UpdateWorkflow, UpdateWithStartWorkflow, PollUpdate); no lock is taken back.
    while_waiting: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            while_waiting: bool = False,
        ) -> None: ...


class UnlockTimeResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class SleepRequest(Message):
    duration_ms: int = 0
    # Time may skip meanwhile, also over this connection's own locks.
    unlock: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            duration_ms: int = 0,
            unlock: bool = False,
        ) -> None: ...


class SleepResponse(Message):
    current_time_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            current_time_ms: int = 0,
        ) -> None: ...


class AdvanceTimeRequest(Message):
    duration_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            duration_ms: int = 0,
        ) -> None: ...


class AdvanceTimeResponse(Message):
    current_time_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            current_time_ms: int = 0,
        ) -> None: ...


class BackupRequest(Message):
    # Absolute; its directory must be there.
    path: str = ""
    # A backup of that name is replaced.
    overwrite: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            path: str = "",
            overwrite: bool = False,
        ) -> None: ...


class BackupResponse(Message):
    """Several while pages are copied, and at last one with `done`."""

    pages_done: int = 0
    pages_total: int = 0
    done: BackupDone | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            pages_done: int = 0,
            pages_total: int = 0,
            done: BackupDone | None = None,
        ) -> None: ...


class BackupDone(Message):
    """The file is whole, and durable under its name."""

    path: builtins.str = ""
    bytes: builtins.int = 0
    pages: builtins.int = 0
    # Of the engine whose store it holds.
    epoch: builtins.int = 0
    duration_ms: builtins.int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            path: builtins.str = "",
            bytes: builtins.int = 0,
            pages: builtins.int = 0,
            epoch: builtins.int = 0,
            duration_ms: builtins.int = 0,
        ) -> None: ...


HealthResponse._fields_ = (
    (1, "state", "enum", False, None, None),
    (2, "clock_ahead_ms", "int64", False, None, None),
    (3, "uptime_ms", "int64", False, None, None),
)

DescribeResponse._fields_ = (
    (1, "server_version", "string", False, None, None),
    (2, "epoch", "uint64", False, None, None),
    (3, "start_time_ms", "int64", False, None, None),
    (4, "store_path", "string", False, None, None),
    (5, "counters", "message", True, Counter, None),
)

Counter._fields_ = (
    (1, "name", "string", False, None, None),
    (2, "value", "int64", False, None, None),
)

DescribeTaskQueueRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "task_queue", "string", False, None, None),
)

DescribeTaskQueueResponse._fields_ = (
    (1, "workers", "message", True, WorkerInfo, None),
    (2, "workflow_tasks", "message", False, QueueBacklog, None),
    (3, "activity_tasks", "message", False, QueueBacklog, None),
    (4, "warnings", "string", True, None, None),
    (10, "limits", "message", False, TaskQueueLimits, None),
)

TaskQueueLimits._fields_ = (
    (1, "activities_per_second", "double", False, None, None),
    (2, "activities_per_second_of_key", "double", False, None, None),
    (3, "key_rates", "message", True, FairnessKeyRate, None),
)

FairnessKeyRate._fields_ = (
    (1, "fairness_key", "string", False, None, None),
    (2, "activities_per_second", "double", False, None, None),
)

SetTaskQueueLimitsRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "task_queue", "string", False, None, None),
    (3, "limits", "message", False, TaskQueueLimits, None),
)

WorkerInfo._fields_ = (
    (1, "session_id", "string", False, None, None),
    (2, "identity", "string", False, None, None),
    (3, "build_id", "string", False, None, None),
    (4, "sdk_name", "string", False, None, None),
    (5, "sdk_version", "string", False, None, None),
    (6, "workflow_types", "string", True, None, None),
    (7, "activity_types", "string", True, None, None),
    (8, "workflow_slots_free", "uint32", False, None, None),
    (9, "activity_slots_free", "uint32", False, None, None),
    (10, "workflow_tasks_out", "uint32", False, None, None),
    (11, "activity_tasks_out", "uint32", False, None, None),
    (12, "cached_runs", "uint32", False, None, None),
    (13, "attached_time_ms", "int64", False, None, None),
    (14, "draining", "bool", False, None, None),
)

QueueBacklog._fields_ = (
    (1, "count", "int64", False, None, None),
    (2, "oldest_age_ms", "int64", False, None, None),
    (3, "types_without_worker", "string", True, None, None),
    (10, "added_per_second", "double", False, None, None),
    (11, "given_per_second", "double", False, None, None),
    (12, "priorities", "message", True, PriorityBacklog, None),
)

PriorityBacklog._fields_ = (
    (1, "priority_key", "int32", False, None, None),
    (2, "count", "int64", False, None, None),
    (3, "oldest_age_ms", "int64", False, None, None),
    (4, "added_per_second", "double", False, None, None),
    (5, "given_per_second", "double", False, None, None),
)

WorkflowTypeLimits._fields_ = (
    (1, "running", "int32", False, None, None),
    (2, "running_of_key", "int32", False, None, None),
)

SetWorkflowTypeLimitsRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "limits", "message", False, WorkflowTypeLimits, None),
)

DescribeWorkflowTypeRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "workflow_type", "string", False, None, None),
)

DescribeWorkflowTypeResponse._fields_ = (
    (1, "info", "message", False, WorkflowTypeInfo, None),
    (2, "keys", "message", True, ConcurrencyKeyInfo, None),
    (3, "keys_count", "int64", False, None, None),
)

WorkflowTypeInfo._fields_ = (
    (1, "workflow_type", "string", False, None, None),
    (2, "limits", "message", False, WorkflowTypeLimits, None),
    (3, "running", "int64", False, None, None),
    (4, "waiting", "int64", False, None, None),
    (5, "oldest_age_ms", "int64", False, None, None),
)

ConcurrencyKeyInfo._fields_ = (
    (1, "concurrency_key", "string", False, None, None),
    (2, "running", "int64", False, None, None),
    (3, "waiting", "int64", False, None, None),
    (4, "oldest_age_ms", "int64", False, None, None),
)

ListWorkflowTypesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
)

ListWorkflowTypesResponse._fields_ = (
    (1, "types", "message", True, WorkflowTypeInfo, None),
)

AddSearchAttributeRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "name", "string", False, None, None),
    (3, "type", "enum", False, None, None),
)

ListSearchAttributesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
)

ListSearchAttributesResponse._fields_ = (
    (1, "attributes", "message", True, SearchAttributeName, None),
)

SearchAttributeName._fields_ = (
    (1, "name", "string", False, None, None),
    (2, "type", "enum", False, None, None),
)

RemoveSearchAttributeRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "name", "string", False, None, None),
)

CreateNamespaceRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "retention_ms", "int64", False, None, None),
    (3, "description", "string", False, None, None),
    (4, "request_id", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

CreateNamespaceResponse._fields_ = (
    (1, "created", "bool", False, None, None),
)

NamespaceInfo._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "retention_ms", "int64", False, None, None),
    (3, "description", "string", False, None, None),
    (4, "created_time_ms", "int64", False, None, None),
    (5, "effective_retention_ms", "int64", False, None, None),
    (6, "open_workflows", "int64", False, None, None),
    (7, "closed_workflows", "int64", False, None, None),
    (8, "schedules", "int64", False, None, None),
    (9, "running_batches", "int64", False, None, None),
)

DescribeNamespaceRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
)

DescribeNamespaceResponse._fields_ = (
    (1, "info", "message", False, NamespaceInfo, None),
)

ListNamespacesResponse._fields_ = (
    (1, "namespaces", "message", True, NamespaceInfo, None),
)

UpdateNamespaceRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "retention_ms", "int64", False, None, None),
    (3, "description", "string", False, None, None),
    (4, "update_mask", "string", True, None, None),
    (5, "identity", "string", False, None, None),
)

UpdateNamespaceResponse._fields_ = (
    (1, "info", "message", False, NamespaceInfo, None),
)

DeleteNamespaceRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "identity", "string", False, None, None),
)

DrainRequest._fields_ = (
    (1, "reason", "string", False, None, None),
)

GetTimeResponse._fields_ = (
    (1, "current_time_ms", "int64", False, None, None),
    (2, "skipped_ms", "int64", False, None, None),
    (3, "busy_workflows", "int64", False, None, None),
    (4, "locking_connections", "int64", False, None, None),
    (5, "letting_connections", "int64", False, None, None),
)

UnlockTimeRequest._fields_ = (
    (1, "while_waiting", "bool", False, None, None),
)

SleepRequest._fields_ = (
    (1, "duration_ms", "int64", False, None, None),
    (2, "unlock", "bool", False, None, None),
)

SleepResponse._fields_ = (
    (1, "current_time_ms", "int64", False, None, None),
)

AdvanceTimeRequest._fields_ = (
    (1, "duration_ms", "int64", False, None, None),
)

AdvanceTimeResponse._fields_ = (
    (1, "current_time_ms", "int64", False, None, None),
)

BackupRequest._fields_ = (
    (1, "path", "string", False, None, None),
    (2, "overwrite", "bool", False, None, None),
)

BackupResponse._fields_ = (
    (1, "pages_done", "int64", False, None, None),
    (2, "pages_total", "int64", False, None, None),
    (3, "done", "message", False, BackupDone, None),
)

BackupDone._fields_ = (
    (1, "path", "string", False, None, None),
    (2, "bytes", "int64", False, None, None),
    (3, "pages", "int64", False, None, None),
    (4, "epoch", "uint64", False, None, None),
    (5, "duration_ms", "int64", False, None, None),
)


class OperatorService:
    Health = Method(
        "holdfast.v1.OperatorService/Health",
        HealthRequest,
        HealthResponse,
        client_streaming=False,
        server_streaming=False,
    )
    Describe = Method(
        "holdfast.v1.OperatorService/Describe",
        DescribeRequest,
        DescribeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeTaskQueue = Method(
        "holdfast.v1.OperatorService/DescribeTaskQueue",
        DescribeTaskQueueRequest,
        DescribeTaskQueueResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Replaces the limits of a queue. They hold over starts of the engine.
    SetTaskQueueLimits = Method(
        "holdfast.v1.OperatorService/SetTaskQueueLimits",
        SetTaskQueueLimitsRequest,
        SetTaskQueueLimitsResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Replaces the limits of a workflow type, which hold over starts of the engine. Answers when what
    # runs of the type has been counted.
    SetWorkflowTypeLimits = Method(
        "holdfast.v1.OperatorService/SetWorkflowTypeLimits",
        SetWorkflowTypeLimitsRequest,
        SetWorkflowTypeLimitsResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeWorkflowType = Method(
        "holdfast.v1.OperatorService/DescribeWorkflowType",
        DescribeWorkflowTypeRequest,
        DescribeWorkflowTypeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # The types that have limits.
    ListWorkflowTypes = Method(
        "holdfast.v1.OperatorService/ListWorkflowTypes",
        ListWorkflowTypesRequest,
        ListWorkflowTypesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Gives a name its type before anybody uses it; one that has that type already stays.
    AddSearchAttribute = Method(
        "holdfast.v1.OperatorService/AddSearchAttribute",
        AddSearchAttributeRequest,
        AddSearchAttributeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListSearchAttributes = Method(
        "holdfast.v1.OperatorService/ListSearchAttributes",
        ListSearchAttributesRequest,
        ListSearchAttributesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Lists do not know the name any more; it may get another type. Workflows keep what they have.
    RemoveSearchAttribute = Method(
        "holdfast.v1.OperatorService/RemoveSearchAttribute",
        RemoveSearchAttributeRequest,
        RemoveSearchAttributeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    CreateNamespace = Method(
        "holdfast.v1.OperatorService/CreateNamespace",
        CreateNamespaceRequest,
        CreateNamespaceResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeNamespace = Method(
        "holdfast.v1.OperatorService/DescribeNamespace",
        DescribeNamespaceRequest,
        DescribeNamespaceResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListNamespaces = Method(
        "holdfast.v1.OperatorService/ListNamespaces",
        ListNamespacesRequest,
        ListNamespacesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Holds at once, for workflows that have closed already too.
    UpdateNamespace = Method(
        "holdfast.v1.OperatorService/UpdateNamespace",
        UpdateNamespaceRequest,
        UpdateNamespaceResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Of one without open workflows, schedules and running batches: with all that is kept in it.
    DeleteNamespace = Method(
        "holdfast.v1.OperatorService/DeleteNamespace",
        DeleteNamespaceRequest,
        DeleteNamespaceResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # No new starts and no new connections; tasks that are out finish; then the process ends with exit code 0.
    Drain = Method(
        "holdfast.v1.OperatorService/Drain",
        DrainRequest,
        DrainResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # The engine's time, for tests. Of an engine that does not skip time: FAILED_PRECONDITION
    # (TIME_NOT_SKIPPED).
    GetTime = Method(
        "holdfast.v1.OperatorService/GetTime",
        GetTimeRequest,
        GetTimeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # This connection holds time: it passes as outside, until the connection unlocks it or ends.
    LockTime = Method(
        "holdfast.v1.OperatorService/LockTime",
        LockTimeRequest,
        LockTimeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Takes back a lock of this connection; without one, the connection lets time skip until it locks.
    UnlockTime = Method(
        "holdfast.v1.OperatorService/UnlockTime",
        UnlockTimeRequest,
        UnlockTimeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Answers when so much time has passed.
    Sleep = Method(
        "holdfast.v1.OperatorService/Sleep",
        SleepRequest,
        SleepResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Time goes on by so much at once, whatever holds it.
    AdvanceTime = Method(
        "holdfast.v1.OperatorService/AdvanceTime",
        AdvanceTimeRequest,
        AdvanceTimeResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Copies the store into a file of the engine's machine, while the engine serves.
    Backup = Method(
        "holdfast.v1.OperatorService/Backup",
        BackupRequest,
        BackupResponse,
        client_streaming=False,
        server_streaming=True,
    )
