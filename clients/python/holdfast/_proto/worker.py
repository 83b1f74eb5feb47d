"""The messages of worker.proto.

Made by generate_messages.py from proto/holdfast/v1/worker.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from .._core import Message
from .._method import Method
from .common import (
    Failure,
    Header,
    Memo,
    Payload,
    PayloadEntry,
    PayloadList,
    RetryPolicy,
    SearchAttributes,
    UpdateOutcome,
    UserMetadata,
    WorkPriority,
    WorkflowExecution,
)
from .frame import (
    Status,
)
from .history import (
    CommandHead,
    NondeterminismDiff,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class HistoryForm(IntEnum):
    UNSPECIFIED = 0
    # HistoryBatches, one behind the other: what GetHistory answers. So it is if unset.
    STORED = 1
    # Lines, each with one HistoryEvent in proto3's JSON.
    JSON = 2


class EvictReason(IntEnum):
    UNSPECIFIED = 0
    NOT_RECORDED = 1
    MOVED = 2
    CLOSED = 3
    CACHE_FULL = 4
    NONDETERMINISM = 5
    TASK_FAILED = 6


class ActivityCancelReason(IntEnum):
    UNSPECIFIED = 0
    CANCELLED = 1
    TIMED_OUT = 2
    NOT_FOUND = 3
    # Of an activity without a workflow: it was terminated.
    WORKFLOW_CLOSED = 4
    PAUSED = 5
    RESET = 6


class WorkRequest(Message):
    """Several messages may travel in one frame."""

    messages: Sequence[WorkerMessage] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            messages: Sequence[WorkerMessage] = (),
        ) -> None: ...


class WorkResponse(Message):
    messages: Sequence[EngineMessage] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            messages: Sequence[EngineMessage] = (),
        ) -> None: ...


class WorkerMessage(Message):
    attach: Attach | None = None
    grant: Grant | None = None
    workflow_task_completed: WorkflowTaskCompleted | None = None
    replay_completed: ReplayCompleted | None = None
    activity_completed: ActivityCompleted | None = None
    activity_failed: ActivityFailed | None = None
    report_activity_cancelled: ReportActivityCancelled | None = None
    will_complete_elsewhere: WillCompleteElsewhere | None = None
    heartbeat: Heartbeat | None = None
    evicted: Evicted | None = None
    detach: Detach | None = None
    local_activity_done: LocalActivityDone | None = None
    # Which of its members is set.
    kind: Literal["attach", "grant", "workflow_task_completed", "replay_completed", "activity_completed", "activity_failed", "report_activity_cancelled", "will_complete_elsewhere", "heartbeat", "evicted", "detach", "local_activity_done"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            attach: Attach | None = None,
            grant: Grant | None = None,
            workflow_task_completed: WorkflowTaskCompleted | None = None,
            replay_completed: ReplayCompleted | None = None,
            activity_completed: ActivityCompleted | None = None,
            activity_failed: ActivityFailed | None = None,
            report_activity_cancelled: ReportActivityCancelled | None = None,
            will_complete_elsewhere: WillCompleteElsewhere | None = None,
            heartbeat: Heartbeat | None = None,
            evicted: Evicted | None = None,
            detach: Detach | None = None,
            local_activity_done: LocalActivityDone | None = None,
        ) -> None: ...


class EngineMessage(Message):
    attached: Attached | None = None
    activation: Activation | None = None
    replay_history: ReplayHistory | None = None
    evict: Evict | None = None
    activity_task: ActivityTask | None = None
    activity_cancel: ActivityCancel | None = None
    recorded: Recorded | None = None
    refused: Refused | None = None
    drain: Drain | None = None
    # Which of its members is set.
    kind: Literal["attached", "activation", "replay_history", "evict", "activity_task", "activity_cancel", "recorded", "refused", "drain"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            attached: Attached | None = None,
            activation: Activation | None = None,
            replay_history: ReplayHistory | None = None,
            evict: Evict | None = None,
            activity_task: ActivityTask | None = None,
            activity_cancel: ActivityCancel | None = None,
            recorded: Recorded | None = None,
            refused: Refused | None = None,
            drain: Drain | None = None,
        ) -> None: ...


class Attach(Message):
    """The first message of the stream."""

    namespace: str = ""
    task_queue: str = ""
    workflow_types: Sequence[str] = ()
    activity_types: Sequence[str] = ()
    build_id: str = ""
    identity: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    cached_runs_max: int = 0
    # Chosen at random by the worker once, and repeated at each reconnect.
    resume_token: bytes = b""
    # The activity leases that the worker still holds.
    held_leases: Sequence[bytes] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            task_queue: str = "",
            workflow_types: Sequence[str] = (),
            activity_types: Sequence[str] = (),
            build_id: str = "",
            identity: str = "",
            sdk_name: str = "",
            sdk_version: str = "",
            cached_runs_max: int = 0,
            resume_token: bytes = b"",
            held_leases: Sequence[bytes] = (),
        ) -> None: ...


class Attached(Message):
    session_id: str = ""
    # How long the leases of a lost connection wait for their worker.
    resume_window_ms: int = 0
    # Leases of `held_leases` that are no longer the worker's.
    lost_leases: Sequence[bytes] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            session_id: str = "",
            resume_window_ms: int = 0,
            lost_leases: Sequence[bytes] = (),
        ) -> None: ...


class Grant(Message):
    """Adds slots. Each workflow task and each activity task takes one; a slot comes back only by Grant."""

    workflow_slots: int = 0
    activity_slots: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_slots: int = 0,
            activity_slots: int = 0,
        ) -> None: ...


class Detach(Message):
    """No new tasks; those that are out finish."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class Activation(Message):
    """One turn of a run's code."""

    token: bytes = b""
    run_id: str = ""
    workflow_id: str = ""
    workflow_type: str = ""
    # now() of the workflow code, constant within the activation.
    activation_time_ms: int = 0
    jobs: Sequence[Job] = ()
    # The last event that this activation shows.
    through_event_id: int = 0
    history_length: int = 0
    history_size_bytes: int = 0
    continue_as_new_suggested: bool = False
    attempt: int = 0
    task_timeout_ms: int = 0
    namespace: str = ""
    task_queue: str = ""
    # Local activities that nobody has in hand: once this activation's completion is Recorded, the
    # worker runs them. An activation may hold nothing else.
    local_attempts: Sequence[LocalAttempt] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            run_id: str = "",
            workflow_id: str = "",
            workflow_type: str = "",
            activation_time_ms: int = 0,
            jobs: Sequence[Job] = (),
            through_event_id: int = 0,
            history_length: int = 0,
            history_size_bytes: int = 0,
            continue_as_new_suggested: bool = False,
            attempt: int = 0,
            task_timeout_ms: int = 0,
            namespace: str = "",
            task_queue: str = "",
            local_attempts: Sequence[LocalAttempt] = (),
        ) -> None: ...


class LocalAttempt(Message):
    """What the worker runs is what the code's ScheduleLocalActivity asks for."""

    seq: int = 0
    attempt: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            attempt: int = 0,
        ) -> None: ...


class Job(Message):
    """In one activation: initialize, a new random seed, then signals and updates in arrival order, then
    the rest in arrival order.
    Queries are alone in theirs.
    """

    initialize_workflow: InitializeWorkflow | None = None
    signal_workflow: SignalWorkflowJob | None = None
    cancel_workflow: CancelWorkflowJob | None = None
    fire_timer: FireTimer | None = None
    resolve_activity: ResolveActivity | None = None
    query_workflow: QueryWorkflowJob | None = None
    do_update: DoUpdate | None = None
    resolve_child_start: ResolveChildStart | None = None
    resolve_child: ResolveChild | None = None
    resolve_signal_external: ResolveSignalExternal | None = None
    resolve_cancel_external: ResolveCancelExternal | None = None
    update_random_seed: UpdateRandomSeed | None = None
    # Which of its members is set.
    kind: Literal["initialize_workflow", "signal_workflow", "cancel_workflow", "fire_timer", "resolve_activity", "query_workflow", "do_update", "resolve_child_start", "resolve_child", "resolve_signal_external", "resolve_cancel_external", "update_random_seed"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initialize_workflow: InitializeWorkflow | None = None,
            signal_workflow: SignalWorkflowJob | None = None,
            cancel_workflow: CancelWorkflowJob | None = None,
            fire_timer: FireTimer | None = None,
            resolve_activity: ResolveActivity | None = None,
            query_workflow: QueryWorkflowJob | None = None,
            do_update: DoUpdate | None = None,
            resolve_child_start: ResolveChildStart | None = None,
            resolve_child: ResolveChild | None = None,
            resolve_signal_external: ResolveSignalExternal | None = None,
            resolve_cancel_external: ResolveCancelExternal | None = None,
            update_random_seed: UpdateRandomSeed | None = None,
        ) -> None: ...


class InitializeWorkflow(Message):
    input: Sequence[Payload] = ()
    header: Header | None = None
    random_seed: int = 0
    first_run_id: str = ""
    start_time_ms: int = 0
    execution_timeout_ms: int = 0
    run_timeout_ms: int = 0
    identity: str = ""
    # As in WorkflowExecutionStarted.
    continued_run_id: str = ""
    initiator: int = 0
    attempt: int = 0
    retry_policy: RetryPolicy | None = None
    continued_failure: Failure | None = None
    # Of a child: the run that started it, and the run at the root of all.
    parent: WorkflowExecution | None = None
    root: WorkflowExecution | None = None
    last_completion_result: PayloadList | None = None
    # As the run began: what the code changes of them it knows itself.
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[Payload] = (),
            header: Header | None = None,
            random_seed: int = 0,
            first_run_id: str = "",
            start_time_ms: int = 0,
            execution_timeout_ms: int = 0,
            run_timeout_ms: int = 0,
            identity: str = "",
            continued_run_id: str = "",
            initiator: int = 0,
            attempt: int = 0,
            retry_policy: RetryPolicy | None = None,
            continued_failure: Failure | None = None,
            parent: WorkflowExecution | None = None,
            root: WorkflowExecution | None = None,
            last_completion_result: PayloadList | None = None,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
        ) -> None: ...


class UpdateRandomSeed(Message):
    """The run was reset or forked: from here on its random numbers follow from this seed."""

    random_seed: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            random_seed: int = 0,
        ) -> None: ...


class SignalWorkflowJob(Message):
    signal_name: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            signal_name: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            identity: str = "",
        ) -> None: ...


class DoUpdate(Message):
    """A request for which the code has an answer: it is accepted or rejected in this activation's
    completion, and ends then or later.
    """

    update_id: str = ""
    update_name: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None
    identity: str = ""
    # Not in a past activation: it has been accepted.
    run_validator: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            update_name: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
            identity: str = "",
            run_validator: bool = False,
        ) -> None: ...


class CancelWorkflowJob(Message):
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
        ) -> None: ...


class FireTimer(Message):
    seq: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
        ) -> None: ...


class ResolveActivity(Message):
    seq: int = 0
    completed: PayloadList | None = None
    # An ActivityFailure with its cause.
    failed: Failure | None = None
    canceled: Failure | None = None
    # Which of its members is set.
    result: Literal["completed", "failed", "canceled"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            completed: PayloadList | None = None,
            failed: Failure | None = None,
            canceled: Failure | None = None,
        ) -> None: ...


class ResolveChildStart(Message):
    """The child runs, or it never will."""

    seq: int = 0
    started: WorkflowExecution | None = None
    # A ChildWorkflowFailure with its cause.
    failed: Failure | None = None
    # It was cancelled before it was started.
    canceled: Failure | None = None
    # Which of its members is set.
    result: Literal["started", "failed", "canceled"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            started: WorkflowExecution | None = None,
            failed: Failure | None = None,
            canceled: Failure | None = None,
        ) -> None: ...


class ResolveChild(Message):
    """The child has come to its end."""

    seq: int = 0
    completed: PayloadList | None = None
    # A ChildWorkflowFailure with its cause.
    failed: Failure | None = None
    canceled: Failure | None = None
    # Which of its members is set.
    result: Literal["completed", "failed", "canceled"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            completed: PayloadList | None = None,
            failed: Failure | None = None,
            canceled: Failure | None = None,
        ) -> None: ...


class ResolveSignalExternal(Message):
    """Without a failure: the signal has arrived."""

    seq: int = 0
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            failure: Failure | None = None,
        ) -> None: ...


class ResolveCancelExternal(Message):
    """Without a failure: the request has arrived."""

    seq: int = 0
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            failure: Failure | None = None,
        ) -> None: ...


class QueryWorkflowJob(Message):
    query_id: str = ""
    query_type: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            query_id: str = "",
            query_type: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
        ) -> None: ...


class WorkflowTaskCompleted(Message):
    """The worker's answer to an Activation: commands in the order of the calls, or query results, or a failure."""

    token: bytes = b""
    commands: Sequence[Command] = ()
    query_results: Sequence[QueryResult] = ()
    # The task fails; the workflow does not.
    failure: WorkflowTaskFailure | None = None
    sdk_flags: Sequence[int] = ()
    sdk_metadata: bytes = b""
    # Further parts of this completion follow.
    more: bool = False
    # Of the updates that the activation asked for, those that are not accepted.
    update_rejections: Sequence[UpdateRejection] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            commands: Sequence[Command] = (),
            query_results: Sequence[QueryResult] = (),
            failure: WorkflowTaskFailure | None = None,
            sdk_flags: Sequence[int] = (),
            sdk_metadata: bytes = b"",
            more: bool = False,
            update_rejections: Sequence[UpdateRejection] = (),
        ) -> None: ...


class UpdateRejection(Message):
    update_id: str = ""
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            failure: Failure | None = None,
        ) -> None: ...


class WorkflowTaskFailure(Message):
    failure: Failure | None = None
    cause: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            failure: Failure | None = None,
            cause: int = 0,
        ) -> None: ...


class QueryResult(Message):
    query_id: str = ""
    succeeded: PayloadList | None = None
    failed: Failure | None = None
    # Which of its members is set.
    result: Literal["succeeded", "failed"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            query_id: str = "",
            succeeded: PayloadList | None = None,
            failed: Failure | None = None,
        ) -> None: ...


class Command(Message):
    # Where in the code, as `file:line`.
    location: str = ""
    user_metadata: UserMetadata | None = None
    schedule_activity: ScheduleActivity | None = None
    request_cancel_activity: RequestCancelActivity | None = None
    start_timer: StartTimer | None = None
    cancel_timer: CancelTimer | None = None
    complete_workflow: CompleteWorkflow | None = None
    fail_workflow: FailWorkflow | None = None
    cancelled_workflow: CancelledWorkflow | None = None
    continue_as_new: ContinueAsNew | None = None
    record_marker: RecordMarker | None = None
    update_accepted: UpdateAccepted | None = None
    update_completed: UpdateCompleted | None = None
    upsert_search_attributes: UpsertSearchAttributes | None = None
    upsert_memo: UpsertMemo | None = None
    set_current_details: SetCurrentDetails | None = None
    start_child: StartChild | None = None
    cancel_child: CancelChild | None = None
    signal_external: SignalExternal | None = None
    cancel_external: CancelExternal | None = None
    schedule_local_activity: ScheduleLocalActivity | None = None
    # Which of its members is set.
    kind: Literal["schedule_activity", "request_cancel_activity", "start_timer", "cancel_timer", "complete_workflow", "fail_workflow", "cancelled_workflow", "continue_as_new", "record_marker", "update_accepted", "update_completed", "upsert_search_attributes", "upsert_memo", "set_current_details", "start_child", "cancel_child", "signal_external", "cancel_external", "schedule_local_activity"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            location: str = "",
            user_metadata: UserMetadata | None = None,
            schedule_activity: ScheduleActivity | None = None,
            request_cancel_activity: RequestCancelActivity | None = None,
            start_timer: StartTimer | None = None,
            cancel_timer: CancelTimer | None = None,
            complete_workflow: CompleteWorkflow | None = None,
            fail_workflow: FailWorkflow | None = None,
            cancelled_workflow: CancelledWorkflow | None = None,
            continue_as_new: ContinueAsNew | None = None,
            record_marker: RecordMarker | None = None,
            update_accepted: UpdateAccepted | None = None,
            update_completed: UpdateCompleted | None = None,
            upsert_search_attributes: UpsertSearchAttributes | None = None,
            upsert_memo: UpsertMemo | None = None,
            set_current_details: SetCurrentDetails | None = None,
            start_child: StartChild | None = None,
            cancel_child: CancelChild | None = None,
            signal_external: SignalExternal | None = None,
            cancel_external: CancelExternal | None = None,
            schedule_local_activity: ScheduleLocalActivity | None = None,
        ) -> None: ...


class ScheduleActivity(Message):
    # From 1, one counter per run for all commands that can be resolved.
    seq: int = 0
    # Unique among the run's pending activities. Empty: the decimal seq.
    activity_id: str = ""
    activity_type: str = ""
    # Empty: the workflow's own.
    task_queue: str = ""
    header: Header | None = None
    input: Sequence[Payload] = ()
    schedule_to_close_timeout_ms: int = 0
    schedule_to_start_timeout_ms: int = 0
    start_to_close_timeout_ms: int = 0
    heartbeat_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    cancellation_type: int = 0
    on_exhausted: int = 0
    # What is not set comes from the workflow.
    priority: WorkPriority | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            activity_id: str = "",
            activity_type: str = "",
            task_queue: str = "",
            header: Header | None = None,
            input: Sequence[Payload] = (),
            schedule_to_close_timeout_ms: int = 0,
            schedule_to_start_timeout_ms: int = 0,
            start_to_close_timeout_ms: int = 0,
            heartbeat_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            cancellation_type: int = 0,
            on_exhausted: int = 0,
            priority: WorkPriority | None = None,
        ) -> None: ...


class ScheduleLocalActivity(Message):
    """An activity that the worker which has the run runs by itself, without a task queue and a lease."""

    # From the counter of the run's commands.
    seq: int = 0
    # Unique among the run's pending activities, local or not. Empty: the decimal seq.
    activity_id: str = ""
    activity_type: str = ""
    header: Header | None = None
    input: Sequence[Payload] = ()
    # Over all attempts; the engine sees to it.
    schedule_to_close_timeout_ms: int = 0
    # Of each attempt; the worker sees to it.
    start_to_close_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    cancellation_type: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            activity_id: str = "",
            activity_type: str = "",
            header: Header | None = None,
            input: Sequence[Payload] = (),
            schedule_to_close_timeout_ms: int = 0,
            start_to_close_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            cancellation_type: int = 0,
        ) -> None: ...


class RequestCancelActivity(Message):
    """Of an activity, local or not."""

    seq: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
        ) -> None: ...


class StartTimer(Message):
    seq: int = 0
    # Empty: the decimal seq.
    timer_id: str = ""
    start_to_fire_timeout_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            timer_id: str = "",
            start_to_fire_timeout_ms: int = 0,
        ) -> None: ...


class CancelTimer(Message):
    """The worker itself has resolved the timer."""

    seq: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
        ) -> None: ...


class RecordMarker(Message):
    """A fact that the code leaves in its history and is given back when its past is shown: the value of
    a side effect, or that it has a patch.
    """

    # What kind of fact: `patch`, `side_effect`, or one of the worker's own.
    marker_name: str = ""
    # Which one of its kind: a patch's id.
    marker_id: str = ""
    # From the counter of the run's commands when the code is given a value by it; else 0.
    seq: int = 0
    # Sorted by key.
    details: Sequence[PayloadEntry] = ()
    header: Header | None = None
    failure: Failure | None = None
    # The code may lose the call that gave this command: a replay without it agrees with history.
    deprecated: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            marker_name: str = "",
            marker_id: str = "",
            seq: int = 0,
            details: Sequence[PayloadEntry] = (),
            header: Header | None = None,
            failure: Failure | None = None,
            deprecated: bool = False,
        ) -> None: ...


class UpdateAccepted(Message):
    """The code takes the update on: accepted ones in the order in which they were shown."""

    update_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
        ) -> None: ...


class UpdateCompleted(Message):
    """An update that was accepted, in this completion or an earlier one, has come to its end."""

    update_id: str = ""
    outcome: UpdateOutcome | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            outcome: UpdateOutcome | None = None,
        ) -> None: ...


class UpsertSearchAttributes(Message):
    """Changes some of the run's search attributes; a name that nobody has used gets its type by it."""

    search_attributes: SearchAttributes | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            search_attributes: SearchAttributes | None = None,
        ) -> None: ...


class UpsertMemo(Message):
    """Changes some of the run's memo."""

    memo: Memo | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            memo: Memo | None = None,
        ) -> None: ...


class SetCurrentDetails(Message):
    """What the code says of itself, for people: shown by DescribeWorkflow, also when no worker is there
    and after the run has closed. It may be given anywhere and is not compared with history.
    """

    text: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            text: str = "",
        ) -> None: ...


class StartChild(Message):
    """Starts a workflow that is told how to end when this run does, and whose end this run is told."""

    seq: int = 0
    # Empty: this run's id and the seq.
    workflow_id: str = ""
    workflow_type: str = ""
    # Empty: the workflow's own.
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    execution_timeout_ms: int = 0
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    id_reuse_policy: int = 0
    parent_close_policy: int = 0
    cancellation_type: int = 0
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None
    # What is not set comes from the workflow.
    priority: WorkPriority | None = None
    # Of the child alone.
    concurrency_key: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            workflow_id: str = "",
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            execution_timeout_ms: int = 0,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            id_reuse_policy: int = 0,
            parent_close_policy: int = 0,
            cancellation_type: int = 0,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
        ) -> None: ...


class CancelChild(Message):
    # The child's.
    seq: int = 0
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            reason: str = "",
        ) -> None: ...


class SignalExternal(Message):
    """Signals a workflow by its id; a particular run of it if one is named."""

    seq: int = 0
    execution: WorkflowExecution | None = None
    # Only if it is a child of this run.
    child_workflow_only: bool = False
    signal_name: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            child_workflow_only: bool = False,
            signal_name: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
        ) -> None: ...


class CancelExternal(Message):
    seq: int = 0
    execution: WorkflowExecution | None = None
    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            reason: str = "",
        ) -> None: ...


class CompleteWorkflow(Message):
    result: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            result: Sequence[Payload] = (),
        ) -> None: ...


class FailWorkflow(Message):
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            failure: Failure | None = None,
        ) -> None: ...


class CancelledWorkflow(Message):
    details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            details: Sequence[Payload] = (),
        ) -> None: ...


class ContinueAsNew(Message):
    """Closes the run and begins the next one of its chain. What is left empty is as in this run, but
    for the input.
    """

    workflow_type: str = ""
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    # Set, they replace what this run has; what is empty then, the next run does not have.
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
        ) -> None: ...


class ReplayHistory(Message):
    """A part of the past activations of a run that the worker does not have in its cache."""

    token: bytes = b""
    run_id: str = ""
    workflow_id: str = ""
    workflow_type: str = ""
    activations: Sequence[PastActivation] = ()
    namespace: str = ""
    task_queue: str = ""
    task_timeout_ms: int = 0
    # The first part: any state that the worker has of this run goes.
    first: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            run_id: str = "",
            workflow_id: str = "",
            workflow_type: str = "",
            activations: Sequence[PastActivation] = (),
            namespace: str = "",
            task_queue: str = "",
            task_timeout_ms: int = 0,
            first: bool = False,
        ) -> None: ...


class PastActivation(Message):
    # The event that recorded this activation's completion.
    workflow_task_completed_event_id: int = 0
    activation_time_ms: int = 0
    jobs: Sequence[Job] = ()
    history_length: int = 0
    history_size_bytes: int = 0
    continue_as_new_suggested: bool = False
    sdk_flags: Sequence[int] = ()
    sdk_metadata: bytes = b""
    # What the markers of its completion hold, in their order: known before the code runs.
    markers: Sequence[RecordMarker] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_task_completed_event_id: int = 0,
            activation_time_ms: int = 0,
            jobs: Sequence[Job] = (),
            history_length: int = 0,
            history_size_bytes: int = 0,
            continue_as_new_suggested: bool = False,
            sdk_flags: Sequence[int] = (),
            sdk_metadata: bytes = b"",
            markers: Sequence[RecordMarker] = (),
        ) -> None: ...


class ReplayCompleted(Message):
    """One entry per activation of the part, in its order."""

    token: bytes = b""
    completions: Sequence[PastCompletion] = ()
    more: bool = False
    # The replay cannot go on: the code threw, or a job names a seq that the code never gave.
    failure: WorkflowTaskFailure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            completions: Sequence[PastCompletion] = (),
            more: bool = False,
            failure: WorkflowTaskFailure | None = None,
        ) -> None: ...


class PastCompletion(Message):
    heads: Sequence[CommandHead] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            heads: Sequence[CommandHead] = (),
        ) -> None: ...


class ReplayRequest(Message):
    # First, and then whenever it is wanted.
    history: HistoryPart | None = None
    replay_completed: ReplayCompleted | None = None
    # Which of its members is set.
    kind: Literal["history", "replay_completed"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            history: HistoryPart | None = None,
            replay_completed: ReplayCompleted | None = None,
        ) -> None: ...


class HistoryPart(Message):
    """The next bytes of a history; it may be cut anywhere."""

    data: bytes = b""
    more: bool = False
    # Of the first part.
    form: int = 0
    # Of the first part, for a run that began as a copy of another one: which run this is. Empty: the
    # one that the first event names.
    execution: WorkflowExecution | None = None
    # Of the first part: a worker of this task queue answers for its code, and not the client. It is
    # shown the history under a run id that no other run has.
    namespace: str = ""
    task_queue: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            data: bytes = b"",
            more: bool = False,
            form: int = 0,
            execution: WorkflowExecution | None = None,
            namespace: str = "",
            task_queue: str = "",
        ) -> None: ...


class ReplayResponse(Message):
    history_wanted: HistoryWanted | None = None
    replay_history: ReplayHistory | None = None
    # The last message.
    verdict: ReplayVerdict | None = None
    # Which of its members is set.
    kind: Literal["history_wanted", "replay_history", "verdict"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            history_wanted: HistoryWanted | None = None,
            replay_history: ReplayHistory | None = None,
            verdict: ReplayVerdict | None = None,
        ) -> None: ...


class HistoryWanted(Message):
    """What there was of the history has been shown: the next part may come."""

    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ReplayVerdict(Message):
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    # Events that were read, and past activations that agree.
    events: int = 0
    workflow_tasks: int = 0
    # Where code and history part; without it they agree.
    diff: NondeterminismDiff | None = None
    # With `diff`: the fault of the code that ended the replay, if one did.
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            events: int = 0,
            workflow_tasks: int = 0,
            diff: NondeterminismDiff | None = None,
            failure: Failure | None = None,
        ) -> None: ...


class Evict(Message):
    """The worker drops the run from its cache; nothing that the run's code does from now on counts."""

    run_id: str = ""
    reason: int = 0
    message: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            reason: int = 0,
            message: str = "",
        ) -> None: ...


class Evicted(Message):
    """The worker dropped these runs by itself."""

    run_ids: Sequence[str] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_ids: Sequence[str] = (),
        ) -> None: ...


class ActivityTask(Message):
    token: bytes = b""
    namespace: str = ""
    # Empty, as workflow_type: the activity has no workflow, and run_id is that of its own run.
    workflow_id: str = ""
    run_id: str = ""
    workflow_type: str = ""
    activity_id: str = ""
    activity_type: str = ""
    task_queue: str = ""
    attempt: int = 0
    header: Header | None = None
    input: Sequence[Payload] = ()
    # The details of the last heartbeat of any earlier attempt.
    heartbeat_details: Sequence[Payload] = ()
    scheduled_time_ms: int = 0
    current_attempt_scheduled_time_ms: int = 0
    started_time_ms: int = 0
    schedule_to_close_timeout_ms: int = 0
    start_to_close_timeout_ms: int = 0
    heartbeat_timeout_ms: int = 0
    # The policy in force, defaults filled in.
    retry_policy: RetryPolicy | None = None
    # The same for every attempt of this activity, and for no other.
    idempotency_key: str = ""
    priority: WorkPriority | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            namespace: str = "",
            workflow_id: str = "",
            run_id: str = "",
            workflow_type: str = "",
            activity_id: str = "",
            activity_type: str = "",
            task_queue: str = "",
            attempt: int = 0,
            header: Header | None = None,
            input: Sequence[Payload] = (),
            heartbeat_details: Sequence[Payload] = (),
            scheduled_time_ms: int = 0,
            current_attempt_scheduled_time_ms: int = 0,
            started_time_ms: int = 0,
            schedule_to_close_timeout_ms: int = 0,
            start_to_close_timeout_ms: int = 0,
            heartbeat_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            idempotency_key: str = "",
            priority: WorkPriority | None = None,
        ) -> None: ...


class ActivityCancel(Message):
    """With CANCELLED, PAUSED and RESET the lease stays the worker's until it answers; with any other
    reason it is gone.
    """

    token: bytes = b""
    reason: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            reason: int = 0,
        ) -> None: ...


class ActivityCompleted(Message):
    token: bytes = b""
    result: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            result: Sequence[Payload] = (),
        ) -> None: ...


class ActivityFailed(Message):
    token: bytes = b""
    failure: Failure | None = None
    # Kept as the last heartbeat of the attempt.
    last_heartbeat_details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            failure: Failure | None = None,
            last_heartbeat_details: Sequence[Payload] = (),
        ) -> None: ...


class ReportActivityCancelled(Message):
    token: bytes = b""
    details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            details: Sequence[Payload] = (),
        ) -> None: ...


class WillCompleteElsewhere(Message):
    """From now on the lease belongs to no session."""

    token: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
        ) -> None: ...


class Heartbeat(Message):
    token: bytes = b""
    details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            details: Sequence[Payload] = (),
        ) -> None: ...


class LocalActivityDone(Message):
    """A local activity has ended, or an attempt of it has failed and the worker does not make the next
    one by itself.
    """

    # Chosen by the worker, at most 64 bytes: Recorded or Refused name it.
    token: bytes = b""
    run_id: str = ""
    seq: int = 0
    # The one that has ended; at least the one that the worker was to make.
    attempt: int = 0
    completed: PayloadList | None = None
    # The retry policy decides what follows.
    failed: Failure | None = None
    # The details.
    canceled: PayloadList | None = None
    # Which of its members is set.
    result: Literal["completed", "failed", "canceled"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            run_id: str = "",
            seq: int = 0,
            attempt: int = 0,
            completed: PayloadList | None = None,
            failed: Failure | None = None,
            canceled: PayloadList | None = None,
        ) -> None: ...


class Recorded(Message):
    """What these tokens brought is durable."""

    tokens: Sequence[bytes] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            tokens: Sequence[bytes] = (),
        ) -> None: ...


class Refused(Message):
    """What this token brought counts for nothing."""

    token: bytes = b""
    status: Status | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            status: Status | None = None,
        ) -> None: ...


class Drain(Message):
    """The engine is going away; tasks that are out may finish."""

    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
        ) -> None: ...


WorkRequest._fields_ = (
    (1, "messages", "message", True, WorkerMessage, None),
)

WorkResponse._fields_ = (
    (1, "messages", "message", True, EngineMessage, None),
)

WorkerMessage._fields_ = (
    (1, "attach", "message", False, Attach, "kind"),
    (2, "grant", "message", False, Grant, "kind"),
    (3, "workflow_task_completed", "message", False, WorkflowTaskCompleted, "kind"),
    (4, "replay_completed", "message", False, ReplayCompleted, "kind"),
    (5, "activity_completed", "message", False, ActivityCompleted, "kind"),
    (6, "activity_failed", "message", False, ActivityFailed, "kind"),
    (7, "report_activity_cancelled", "message", False, ReportActivityCancelled, "kind"),
    (8, "will_complete_elsewhere", "message", False, WillCompleteElsewhere, "kind"),
    (9, "heartbeat", "message", False, Heartbeat, "kind"),
    (10, "evicted", "message", False, Evicted, "kind"),
    (11, "detach", "message", False, Detach, "kind"),
    (12, "local_activity_done", "message", False, LocalActivityDone, "kind"),
)

EngineMessage._fields_ = (
    (1, "attached", "message", False, Attached, "kind"),
    (2, "activation", "message", False, Activation, "kind"),
    (3, "replay_history", "message", False, ReplayHistory, "kind"),
    (4, "evict", "message", False, Evict, "kind"),
    (5, "activity_task", "message", False, ActivityTask, "kind"),
    (6, "activity_cancel", "message", False, ActivityCancel, "kind"),
    (7, "recorded", "message", False, Recorded, "kind"),
    (8, "refused", "message", False, Refused, "kind"),
    (9, "drain", "message", False, Drain, "kind"),
)

Attach._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "task_queue", "string", False, None, None),
    (3, "workflow_types", "string", True, None, None),
    (4, "activity_types", "string", True, None, None),
    (5, "build_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
    (7, "sdk_name", "string", False, None, None),
    (8, "sdk_version", "string", False, None, None),
    (9, "cached_runs_max", "uint32", False, None, None),
    (10, "resume_token", "bytes", False, None, None),
    (11, "held_leases", "bytes", True, None, None),
)

Attached._fields_ = (
    (1, "session_id", "string", False, None, None),
    (2, "resume_window_ms", "int64", False, None, None),
    (3, "lost_leases", "bytes", True, None, None),
)

Grant._fields_ = (
    (1, "workflow_slots", "uint32", False, None, None),
    (2, "activity_slots", "uint32", False, None, None),
)

Activation._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "run_id", "string", False, None, None),
    (3, "workflow_id", "string", False, None, None),
    (4, "workflow_type", "string", False, None, None),
    (5, "activation_time_ms", "int64", False, None, None),
    (6, "jobs", "message", True, Job, None),
    (7, "through_event_id", "int64", False, None, None),
    (8, "history_length", "int64", False, None, None),
    (9, "history_size_bytes", "int64", False, None, None),
    (10, "continue_as_new_suggested", "bool", False, None, None),
    (11, "attempt", "int32", False, None, None),
    (12, "task_timeout_ms", "int64", False, None, None),
    (13, "namespace", "string", False, None, None),
    (14, "task_queue", "string", False, None, None),
    (15, "local_attempts", "message", True, LocalAttempt, None),
)

LocalAttempt._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "attempt", "int32", False, None, None),
)

Job._fields_ = (
    (1, "initialize_workflow", "message", False, InitializeWorkflow, "kind"),
    (2, "signal_workflow", "message", False, SignalWorkflowJob, "kind"),
    (3, "cancel_workflow", "message", False, CancelWorkflowJob, "kind"),
    (4, "fire_timer", "message", False, FireTimer, "kind"),
    (5, "resolve_activity", "message", False, ResolveActivity, "kind"),
    (6, "query_workflow", "message", False, QueryWorkflowJob, "kind"),
    (7, "do_update", "message", False, DoUpdate, "kind"),
    (8, "resolve_child_start", "message", False, ResolveChildStart, "kind"),
    (9, "resolve_child", "message", False, ResolveChild, "kind"),
    (10, "resolve_signal_external", "message", False, ResolveSignalExternal, "kind"),
    (11, "resolve_cancel_external", "message", False, ResolveCancelExternal, "kind"),
    (12, "update_random_seed", "message", False, UpdateRandomSeed, "kind"),
)

InitializeWorkflow._fields_ = (
    (1, "input", "message", True, Payload, None),
    (2, "header", "message", False, Header, None),
    (3, "random_seed", "uint64", False, None, None),
    (4, "first_run_id", "string", False, None, None),
    (5, "start_time_ms", "int64", False, None, None),
    (6, "execution_timeout_ms", "int64", False, None, None),
    (7, "run_timeout_ms", "int64", False, None, None),
    (8, "identity", "string", False, None, None),
    (9, "continued_run_id", "string", False, None, None),
    (10, "initiator", "enum", False, None, None),
    (11, "attempt", "int32", False, None, None),
    (12, "retry_policy", "message", False, RetryPolicy, None),
    (13, "continued_failure", "message", False, Failure, None),
    (20, "parent", "message", False, WorkflowExecution, None),
    (21, "root", "message", False, WorkflowExecution, None),
    (14, "last_completion_result", "message", False, PayloadList, None),
    (15, "memo", "message", False, Memo, None),
    (16, "search_attributes", "message", False, SearchAttributes, None),
)

UpdateRandomSeed._fields_ = (
    (1, "random_seed", "uint64", False, None, None),
)

SignalWorkflowJob._fields_ = (
    (1, "signal_name", "string", False, None, None),
    (2, "input", "message", True, Payload, None),
    (3, "header", "message", False, Header, None),
    (4, "identity", "string", False, None, None),
)

DoUpdate._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "update_name", "string", False, None, None),
    (3, "args", "message", True, Payload, None),
    (4, "header", "message", False, Header, None),
    (5, "identity", "string", False, None, None),
    (6, "run_validator", "bool", False, None, None),
)

CancelWorkflowJob._fields_ = (
    (1, "reason", "string", False, None, None),
)

FireTimer._fields_ = (
    (1, "seq", "uint32", False, None, None),
)

ResolveActivity._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "completed", "message", False, PayloadList, "result"),
    (3, "failed", "message", False, Failure, "result"),
    (4, "canceled", "message", False, Failure, "result"),
)

ResolveChildStart._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "started", "message", False, WorkflowExecution, "result"),
    (3, "failed", "message", False, Failure, "result"),
    (4, "canceled", "message", False, Failure, "result"),
)

ResolveChild._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "completed", "message", False, PayloadList, "result"),
    (3, "failed", "message", False, Failure, "result"),
    (4, "canceled", "message", False, Failure, "result"),
)

ResolveSignalExternal._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "failure", "message", False, Failure, None),
)

ResolveCancelExternal._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "failure", "message", False, Failure, None),
)

QueryWorkflowJob._fields_ = (
    (1, "query_id", "string", False, None, None),
    (2, "query_type", "string", False, None, None),
    (3, "args", "message", True, Payload, None),
    (4, "header", "message", False, Header, None),
)

WorkflowTaskCompleted._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "commands", "message", True, Command, None),
    (3, "query_results", "message", True, QueryResult, None),
    (4, "failure", "message", False, WorkflowTaskFailure, None),
    (5, "sdk_flags", "uint32", True, None, None),
    (6, "sdk_metadata", "bytes", False, None, None),
    (7, "more", "bool", False, None, None),
    (8, "update_rejections", "message", True, UpdateRejection, None),
)

UpdateRejection._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "failure", "message", False, Failure, None),
)

WorkflowTaskFailure._fields_ = (
    (1, "failure", "message", False, Failure, None),
    (2, "cause", "enum", False, None, None),
)

QueryResult._fields_ = (
    (1, "query_id", "string", False, None, None),
    (2, "succeeded", "message", False, PayloadList, "result"),
    (3, "failed", "message", False, Failure, "result"),
)

Command._fields_ = (
    (1, "location", "string", False, None, None),
    (2, "user_metadata", "message", False, UserMetadata, None),
    (3, "schedule_activity", "message", False, ScheduleActivity, "kind"),
    (4, "request_cancel_activity", "message", False, RequestCancelActivity, "kind"),
    (5, "start_timer", "message", False, StartTimer, "kind"),
    (6, "cancel_timer", "message", False, CancelTimer, "kind"),
    (7, "complete_workflow", "message", False, CompleteWorkflow, "kind"),
    (8, "fail_workflow", "message", False, FailWorkflow, "kind"),
    (9, "cancelled_workflow", "message", False, CancelledWorkflow, "kind"),
    (10, "continue_as_new", "message", False, ContinueAsNew, "kind"),
    (11, "record_marker", "message", False, RecordMarker, "kind"),
    (12, "update_accepted", "message", False, UpdateAccepted, "kind"),
    (13, "update_completed", "message", False, UpdateCompleted, "kind"),
    (14, "upsert_search_attributes", "message", False, UpsertSearchAttributes, "kind"),
    (15, "upsert_memo", "message", False, UpsertMemo, "kind"),
    (16, "set_current_details", "message", False, SetCurrentDetails, "kind"),
    (17, "start_child", "message", False, StartChild, "kind"),
    (18, "cancel_child", "message", False, CancelChild, "kind"),
    (19, "signal_external", "message", False, SignalExternal, "kind"),
    (20, "cancel_external", "message", False, CancelExternal, "kind"),
    (21, "schedule_local_activity", "message", False, ScheduleLocalActivity, "kind"),
)

ScheduleActivity._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "task_queue", "string", False, None, None),
    (5, "header", "message", False, Header, None),
    (6, "input", "message", True, Payload, None),
    (7, "schedule_to_close_timeout_ms", "int64", False, None, None),
    (8, "schedule_to_start_timeout_ms", "int64", False, None, None),
    (9, "start_to_close_timeout_ms", "int64", False, None, None),
    (10, "heartbeat_timeout_ms", "int64", False, None, None),
    (11, "retry_policy", "message", False, RetryPolicy, None),
    (12, "cancellation_type", "enum", False, None, None),
    (13, "on_exhausted", "enum", False, None, None),
    (20, "priority", "message", False, WorkPriority, None),
)

ScheduleLocalActivity._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "header", "message", False, Header, None),
    (5, "input", "message", True, Payload, None),
    (6, "schedule_to_close_timeout_ms", "int64", False, None, None),
    (7, "start_to_close_timeout_ms", "int64", False, None, None),
    (8, "retry_policy", "message", False, RetryPolicy, None),
    (9, "cancellation_type", "enum", False, None, None),
)

RequestCancelActivity._fields_ = (
    (1, "seq", "uint32", False, None, None),
)

StartTimer._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "timer_id", "string", False, None, None),
    (3, "start_to_fire_timeout_ms", "int64", False, None, None),
)

CancelTimer._fields_ = (
    (1, "seq", "uint32", False, None, None),
)

RecordMarker._fields_ = (
    (1, "marker_name", "string", False, None, None),
    (2, "marker_id", "string", False, None, None),
    (3, "seq", "uint32", False, None, None),
    (4, "details", "message", True, PayloadEntry, None),
    (5, "header", "message", False, Header, None),
    (6, "failure", "message", False, Failure, None),
    (7, "deprecated", "bool", False, None, None),
)

UpdateAccepted._fields_ = (
    (1, "update_id", "string", False, None, None),
)

UpdateCompleted._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "outcome", "message", False, UpdateOutcome, None),
)

UpsertSearchAttributes._fields_ = (
    (1, "search_attributes", "message", False, SearchAttributes, None),
)

UpsertMemo._fields_ = (
    (1, "memo", "message", False, Memo, None),
)

SetCurrentDetails._fields_ = (
    (1, "text", "string", False, None, None),
)

StartChild._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "workflow_id", "string", False, None, None),
    (3, "workflow_type", "string", False, None, None),
    (4, "task_queue", "string", False, None, None),
    (5, "input", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
    (7, "execution_timeout_ms", "int64", False, None, None),
    (8, "run_timeout_ms", "int64", False, None, None),
    (9, "task_timeout_ms", "int64", False, None, None),
    (10, "retry_policy", "message", False, RetryPolicy, None),
    (11, "id_reuse_policy", "enum", False, None, None),
    (12, "parent_close_policy", "enum", False, None, None),
    (13, "cancellation_type", "enum", False, None, None),
    (14, "memo", "message", False, Memo, None),
    (15, "search_attributes", "message", False, SearchAttributes, None),
    (20, "priority", "message", False, WorkPriority, None),
    (25, "concurrency_key", "string", False, None, None),
)

CancelChild._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "reason", "string", False, None, None),
)

SignalExternal._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "child_workflow_only", "bool", False, None, None),
    (4, "signal_name", "string", False, None, None),
    (5, "input", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
)

CancelExternal._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
)

CompleteWorkflow._fields_ = (
    (1, "result", "message", True, Payload, None),
)

FailWorkflow._fields_ = (
    (1, "failure", "message", False, Failure, None),
)

CancelledWorkflow._fields_ = (
    (1, "details", "message", True, Payload, None),
)

ContinueAsNew._fields_ = (
    (1, "workflow_type", "string", False, None, None),
    (2, "task_queue", "string", False, None, None),
    (3, "input", "message", True, Payload, None),
    (4, "header", "message", False, Header, None),
    (5, "run_timeout_ms", "int64", False, None, None),
    (6, "task_timeout_ms", "int64", False, None, None),
    (7, "retry_policy", "message", False, RetryPolicy, None),
    (8, "memo", "message", False, Memo, None),
    (9, "search_attributes", "message", False, SearchAttributes, None),
)

ReplayHistory._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "run_id", "string", False, None, None),
    (3, "workflow_id", "string", False, None, None),
    (4, "workflow_type", "string", False, None, None),
    (5, "activations", "message", True, PastActivation, None),
    (6, "namespace", "string", False, None, None),
    (7, "task_queue", "string", False, None, None),
    (8, "task_timeout_ms", "int64", False, None, None),
    (9, "first", "bool", False, None, None),
)

PastActivation._fields_ = (
    (1, "workflow_task_completed_event_id", "int64", False, None, None),
    (2, "activation_time_ms", "int64", False, None, None),
    (3, "jobs", "message", True, Job, None),
    (4, "history_length", "int64", False, None, None),
    (5, "history_size_bytes", "int64", False, None, None),
    (6, "continue_as_new_suggested", "bool", False, None, None),
    (7, "sdk_flags", "uint32", True, None, None),
    (8, "sdk_metadata", "bytes", False, None, None),
    (9, "markers", "message", True, RecordMarker, None),
)

ReplayCompleted._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "completions", "message", True, PastCompletion, None),
    (3, "more", "bool", False, None, None),
    (4, "failure", "message", False, WorkflowTaskFailure, None),
)

PastCompletion._fields_ = (
    (1, "heads", "message", True, CommandHead, None),
)

ReplayRequest._fields_ = (
    (1, "history", "message", False, HistoryPart, "kind"),
    (2, "replay_completed", "message", False, ReplayCompleted, "kind"),
)

HistoryPart._fields_ = (
    (1, "data", "bytes", False, None, None),
    (2, "more", "bool", False, None, None),
    (3, "form", "enum", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "namespace", "string", False, None, None),
    (6, "task_queue", "string", False, None, None),
)

ReplayResponse._fields_ = (
    (1, "history_wanted", "message", False, HistoryWanted, "kind"),
    (2, "replay_history", "message", False, ReplayHistory, "kind"),
    (3, "verdict", "message", False, ReplayVerdict, "kind"),
)

ReplayVerdict._fields_ = (
    (1, "execution", "message", False, WorkflowExecution, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "events", "int64", False, None, None),
    (4, "workflow_tasks", "int64", False, None, None),
    (5, "diff", "message", False, NondeterminismDiff, None),
    (6, "failure", "message", False, Failure, None),
)

Evict._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "reason", "enum", False, None, None),
    (3, "message", "string", False, None, None),
)

Evicted._fields_ = (
    (1, "run_ids", "string", True, None, None),
)

ActivityTask._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "namespace", "string", False, None, None),
    (3, "workflow_id", "string", False, None, None),
    (4, "run_id", "string", False, None, None),
    (5, "workflow_type", "string", False, None, None),
    (6, "activity_id", "string", False, None, None),
    (7, "activity_type", "string", False, None, None),
    (8, "task_queue", "string", False, None, None),
    (9, "attempt", "int32", False, None, None),
    (10, "header", "message", False, Header, None),
    (11, "input", "message", True, Payload, None),
    (12, "heartbeat_details", "message", True, Payload, None),
    (13, "scheduled_time_ms", "int64", False, None, None),
    (14, "current_attempt_scheduled_time_ms", "int64", False, None, None),
    (15, "started_time_ms", "int64", False, None, None),
    (16, "schedule_to_close_timeout_ms", "int64", False, None, None),
    (17, "start_to_close_timeout_ms", "int64", False, None, None),
    (18, "heartbeat_timeout_ms", "int64", False, None, None),
    (19, "retry_policy", "message", False, RetryPolicy, None),
    (20, "idempotency_key", "string", False, None, None),
    (30, "priority", "message", False, WorkPriority, None),
)

ActivityCancel._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "reason", "enum", False, None, None),
)

ActivityCompleted._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "result", "message", True, Payload, None),
)

ActivityFailed._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "failure", "message", False, Failure, None),
    (3, "last_heartbeat_details", "message", True, Payload, None),
)

ReportActivityCancelled._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "details", "message", True, Payload, None),
)

WillCompleteElsewhere._fields_ = (
    (1, "token", "bytes", False, None, None),
)

Heartbeat._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "details", "message", True, Payload, None),
)

LocalActivityDone._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "run_id", "string", False, None, None),
    (3, "seq", "uint32", False, None, None),
    (4, "attempt", "int32", False, None, None),
    (5, "completed", "message", False, PayloadList, "result"),
    (6, "failed", "message", False, Failure, "result"),
    (7, "canceled", "message", False, PayloadList, "result"),
)

Recorded._fields_ = (
    (1, "tokens", "bytes", True, None, None),
)

Refused._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "status", "message", False, Status, None),
)

Drain._fields_ = (
    (1, "reason", "string", False, None, None),
)


class WorkerService:
    # Attaches a worker to a task queue; tasks are pushed, never polled.
    Work = Method(
        "holdfast.v1.WorkerService/Work",
        WorkRequest,
        WorkResponse,
        client_streaming=True,
        server_streaming=True,
    )
    # Shows a history to workflow code and says where the two part. Nothing is stored.
    Replay = Method(
        "holdfast.v1.WorkerService/Replay",
        ReplayRequest,
        ReplayResponse,
        client_streaming=True,
        server_streaming=True,
    )
