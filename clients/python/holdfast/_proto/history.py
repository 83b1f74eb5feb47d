"""The messages of history.proto.

Made by generate_messages.py from proto/holdfast/v1/history.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from .._core import Message
from .common import (
    CurrentDetails,
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

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkflowTaskFailedCause(IntEnum):
    UNSPECIFIED = 0
    NONDETERMINISM = 1
    WORKER_FAILURE = 2
    BAD_COMMAND = 3
    UNHANDLED_COMMAND = 4
    LIMIT_REACHED = 5
    # No task has failed: the run is a copy of another one up to here.
    RESET_WORKFLOW = 6


class CommandType(IntEnum):
    UNSPECIFIED = 0
    SCHEDULE_ACTIVITY = 1
    REQUEST_CANCEL_ACTIVITY = 2
    START_TIMER = 3
    COMPLETE_WORKFLOW = 4
    FAIL_WORKFLOW = 5
    CANCEL_TIMER = 6
    CANCELLED_WORKFLOW = 7
    CONTINUE_AS_NEW = 8
    RECORD_MARKER = 9
    UPDATE_ACCEPTED = 10
    UPDATE_COMPLETED = 11
    UPSERT_SEARCH_ATTRIBUTES = 12
    UPSERT_MEMO = 13
    # Never compared.
    SET_CURRENT_DETAILS = 14
    START_CHILD = 15
    CANCEL_CHILD = 16
    SIGNAL_EXTERNAL = 17
    CANCEL_EXTERNAL = 18
    SCHEDULE_LOCAL_ACTIVITY = 19


class StartChildFailedCause(IntEnum):
    UNSPECIFIED = 0
    # A run has the workflow id, and the policy does not allow another one.
    WORKFLOW_ALREADY_EXISTS = 1
    # A run that closed had asked for it, this one is a reset of that, and nobody knows the child.
    OUTCOME_UNKNOWN = 2
    # It was cancelled in the completion that was to start it.
    CANCELED = 16


class ExternalFailedCause(IntEnum):
    UNSPECIFIED = 0
    # No run has these ids, or it is not a child of the one that asks.
    NOT_FOUND = 1
    # The run has closed.
    CLOSED = 2
    # The run takes no more signals.
    LIMIT_REACHED = 3
    # A run that closed had asked, and nobody was there to be answered; this one is a reset of it.
    OUTCOME_UNKNOWN = 4


class HistoryBatch(Message):
    """A part of a history. Batches are stored, copied and concatenated as bytes."""

    events: Sequence[HistoryEvent] = ()
    # Of activities that these events end: they stand beside the history and count towards no limit.
    activity_attempts: Sequence[ActivityAttempts] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            events: Sequence[HistoryEvent] = (),
            activity_attempts: Sequence[ActivityAttempts] = (),
        ) -> None: ...


class ActivityAttempts(Message):
    """The failed attempts of an activity that has ended."""

    scheduled_event_id: int = 0
    # The event that ended it: its own, or the one that closed the run.
    ended_event_id: int = 0
    # The first 5 and the last 20, each failure cut to 4 KiB.
    failed_attempts: Sequence[FailedAttempt] = ()
    # All of them.
    failed_attempts_count: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            ended_event_id: int = 0,
            failed_attempts: Sequence[FailedAttempt] = (),
            failed_attempts_count: int = 0,
        ) -> None: ...


class FailedAttempt(Message):
    attempt: int = 0
    started_time_ms: int = 0
    ended_time_ms: int = 0
    identity: str = ""
    failure: Failure | None = None
    # Attempts before the reset of the activity after which this one came.
    attempts_before: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            attempt: int = 0,
            started_time_ms: int = 0,
            ended_time_ms: int = 0,
            identity: str = "",
            failure: Failure | None = None,
            attempts_before: int = 0,
        ) -> None: ...


class HistoryEvent(Message):
    # 1..n without gaps.
    event_id: int = 0
    event_time_ms: int = 0
    user_metadata: UserMetadata | None = None
    workflow_execution_started: WorkflowExecutionStarted | None = None
    workflow_execution_completed: WorkflowExecutionCompleted | None = None
    workflow_execution_failed: WorkflowExecutionFailed | None = None
    workflow_execution_timed_out: WorkflowExecutionTimedOut | None = None
    workflow_task_completed: WorkflowTaskCompletedEvent | None = None
    workflow_task_timed_out: WorkflowTaskTimedOut | None = None
    workflow_task_failed: WorkflowTaskFailed | None = None
    activity_task_scheduled: ActivityTaskScheduled | None = None
    activity_task_started: ActivityTaskStarted | None = None
    activity_task_completed: ActivityTaskCompleted | None = None
    activity_task_failed: ActivityTaskFailed | None = None
    activity_task_timed_out: ActivityTaskTimedOut | None = None
    activity_task_cancel_requested: ActivityTaskCancelRequested | None = None
    activity_task_canceled: ActivityTaskCanceled | None = None
    timer_started: TimerStarted | None = None
    timer_fired: TimerFired | None = None
    timer_canceled: TimerCanceled | None = None
    workflow_execution_cancel_requested: WorkflowExecutionCancelRequested | None = None
    workflow_execution_canceled: WorkflowExecutionCanceled | None = None
    request_cancel_external_workflow_execution_initiated: RequestCancelExternalWorkflowExecutionInitiated | None = None
    request_cancel_external_workflow_execution_failed: RequestCancelExternalWorkflowExecutionFailed | None = None
    external_workflow_execution_cancel_requested: ExternalWorkflowExecutionCancelRequested | None = None
    marker_recorded: MarkerRecorded | None = None
    workflow_execution_signaled: WorkflowExecutionSignaled | None = None
    workflow_execution_terminated: WorkflowExecutionTerminated | None = None
    workflow_execution_continued_as_new: WorkflowExecutionContinuedAsNew | None = None
    start_child_workflow_execution_initiated: StartChildWorkflowExecutionInitiated | None = None
    start_child_workflow_execution_failed: StartChildWorkflowExecutionFailed | None = None
    child_workflow_execution_started: ChildWorkflowExecutionStarted | None = None
    child_workflow_execution_completed: ChildWorkflowExecutionCompleted | None = None
    child_workflow_execution_failed: ChildWorkflowExecutionFailed | None = None
    child_workflow_execution_canceled: ChildWorkflowExecutionCanceled | None = None
    child_workflow_execution_timed_out: ChildWorkflowExecutionTimedOut | None = None
    child_workflow_execution_terminated: ChildWorkflowExecutionTerminated | None = None
    signal_external_workflow_execution_initiated: SignalExternalWorkflowExecutionInitiated | None = None
    signal_external_workflow_execution_failed: SignalExternalWorkflowExecutionFailed | None = None
    external_workflow_execution_signaled: ExternalWorkflowExecutionSignaled | None = None
    upsert_workflow_search_attributes: UpsertWorkflowSearchAttributes | None = None
    workflow_execution_update_accepted: WorkflowExecutionUpdateAccepted | None = None
    workflow_execution_update_completed: WorkflowExecutionUpdateCompleted | None = None
    workflow_properties_modified: WorkflowPropertiesModified | None = None
    workflow_execution_update_admitted: WorkflowExecutionUpdateAdmitted | None = None
    workflow_execution_paused: WorkflowExecutionPaused | None = None
    workflow_execution_unpaused: WorkflowExecutionUnpaused | None = None
    # Which of its members is set.
    attributes: Literal["workflow_execution_started", "workflow_execution_completed", "workflow_execution_failed", "workflow_execution_timed_out", "workflow_task_completed", "workflow_task_timed_out", "workflow_task_failed", "activity_task_scheduled", "activity_task_started", "activity_task_completed", "activity_task_failed", "activity_task_timed_out", "activity_task_cancel_requested", "activity_task_canceled", "timer_started", "timer_fired", "timer_canceled", "workflow_execution_cancel_requested", "workflow_execution_canceled", "request_cancel_external_workflow_execution_initiated", "request_cancel_external_workflow_execution_failed", "external_workflow_execution_cancel_requested", "marker_recorded", "workflow_execution_signaled", "workflow_execution_terminated", "workflow_execution_continued_as_new", "start_child_workflow_execution_initiated", "start_child_workflow_execution_failed", "child_workflow_execution_started", "child_workflow_execution_completed", "child_workflow_execution_failed", "child_workflow_execution_canceled", "child_workflow_execution_timed_out", "child_workflow_execution_terminated", "signal_external_workflow_execution_initiated", "signal_external_workflow_execution_failed", "external_workflow_execution_signaled", "upsert_workflow_search_attributes", "workflow_execution_update_accepted", "workflow_execution_update_completed", "workflow_properties_modified", "workflow_execution_update_admitted", "workflow_execution_paused", "workflow_execution_unpaused"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            event_id: int = 0,
            event_time_ms: int = 0,
            user_metadata: UserMetadata | None = None,
            workflow_execution_started: WorkflowExecutionStarted | None = None,
            workflow_execution_completed: WorkflowExecutionCompleted | None = None,
            workflow_execution_failed: WorkflowExecutionFailed | None = None,
            workflow_execution_timed_out: WorkflowExecutionTimedOut | None = None,
            workflow_task_completed: WorkflowTaskCompletedEvent | None = None,
            workflow_task_timed_out: WorkflowTaskTimedOut | None = None,
            workflow_task_failed: WorkflowTaskFailed | None = None,
            activity_task_scheduled: ActivityTaskScheduled | None = None,
            activity_task_started: ActivityTaskStarted | None = None,
            activity_task_completed: ActivityTaskCompleted | None = None,
            activity_task_failed: ActivityTaskFailed | None = None,
            activity_task_timed_out: ActivityTaskTimedOut | None = None,
            activity_task_cancel_requested: ActivityTaskCancelRequested | None = None,
            activity_task_canceled: ActivityTaskCanceled | None = None,
            timer_started: TimerStarted | None = None,
            timer_fired: TimerFired | None = None,
            timer_canceled: TimerCanceled | None = None,
            workflow_execution_cancel_requested: WorkflowExecutionCancelRequested | None = None,
            workflow_execution_canceled: WorkflowExecutionCanceled | None = None,
            request_cancel_external_workflow_execution_initiated: RequestCancelExternalWorkflowExecutionInitiated | None = None,
            request_cancel_external_workflow_execution_failed: RequestCancelExternalWorkflowExecutionFailed | None = None,
            external_workflow_execution_cancel_requested: ExternalWorkflowExecutionCancelRequested | None = None,
            marker_recorded: MarkerRecorded | None = None,
            workflow_execution_signaled: WorkflowExecutionSignaled | None = None,
            workflow_execution_terminated: WorkflowExecutionTerminated | None = None,
            workflow_execution_continued_as_new: WorkflowExecutionContinuedAsNew | None = None,
            start_child_workflow_execution_initiated: StartChildWorkflowExecutionInitiated | None = None,
            start_child_workflow_execution_failed: StartChildWorkflowExecutionFailed | None = None,
            child_workflow_execution_started: ChildWorkflowExecutionStarted | None = None,
            child_workflow_execution_completed: ChildWorkflowExecutionCompleted | None = None,
            child_workflow_execution_failed: ChildWorkflowExecutionFailed | None = None,
            child_workflow_execution_canceled: ChildWorkflowExecutionCanceled | None = None,
            child_workflow_execution_timed_out: ChildWorkflowExecutionTimedOut | None = None,
            child_workflow_execution_terminated: ChildWorkflowExecutionTerminated | None = None,
            signal_external_workflow_execution_initiated: SignalExternalWorkflowExecutionInitiated | None = None,
            signal_external_workflow_execution_failed: SignalExternalWorkflowExecutionFailed | None = None,
            external_workflow_execution_signaled: ExternalWorkflowExecutionSignaled | None = None,
            upsert_workflow_search_attributes: UpsertWorkflowSearchAttributes | None = None,
            workflow_execution_update_accepted: WorkflowExecutionUpdateAccepted | None = None,
            workflow_execution_update_completed: WorkflowExecutionUpdateCompleted | None = None,
            workflow_properties_modified: WorkflowPropertiesModified | None = None,
            workflow_execution_update_admitted: WorkflowExecutionUpdateAdmitted | None = None,
            workflow_execution_paused: WorkflowExecutionPaused | None = None,
            workflow_execution_unpaused: WorkflowExecutionUnpaused | None = None,
        ) -> None: ...


class WorkflowExecutionStarted(Message):
    namespace: str = ""
    workflow_id: str = ""
    run_id: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    execution_timeout_ms: int = 0
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    identity: str = ""
    request_id: str = ""
    # The first run of the chain; this run's own id at the start of one.
    first_run_id: str = ""
    random_seed: int = 0
    execution_expiration_time_ms: int = 0
    # The run before this one in the chain; empty for the first.
    continued_run_id: str = ""
    initiator: int = 0
    # Of the workflow's retry policy, from 1.
    attempt: int = 0
    # How long after the start the first workflow task is given out: a start delay, or the pause
    # between two runs of a chain.
    first_workflow_task_backoff_ms: int = 0
    retry_policy: RetryPolicy | None = None
    # With RETRY or CRON: how the run before failed.
    continued_failure: Failure | None = None
    # Of a child: the run that started it, the event by which it did, and the run at the root of all.
    parent: WorkflowExecution | None = None
    parent_initiated_event_id: int = 0
    root: WorkflowExecution | None = None
    cron_schedule: str = ""
    # The schedule that started the chain, and the time that it did so for.
    schedule_id: str = ""
    scheduled_time_ms: int = 0
    # Of a run that follows another: as they were then, unless they were given anew.
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None
    cron_time_zone: str = ""
    # With a cron schedule: what the last run that completed gave.
    last_completion_result: PayloadList | None = None
    # The run is that of an activity without a workflow: workflow_id and workflow_type are its id and
    # type, the next event schedules it, and the activity's end is the run's.
    is_activity: bool = False
    priority: WorkPriority | None = None
    concurrency_key: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            workflow_id: str = "",
            run_id: str = "",
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            execution_timeout_ms: int = 0,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            identity: str = "",
            request_id: str = "",
            first_run_id: str = "",
            random_seed: int = 0,
            execution_expiration_time_ms: int = 0,
            continued_run_id: str = "",
            initiator: int = 0,
            attempt: int = 0,
            first_workflow_task_backoff_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            continued_failure: Failure | None = None,
            parent: WorkflowExecution | None = None,
            parent_initiated_event_id: int = 0,
            root: WorkflowExecution | None = None,
            cron_schedule: str = "",
            schedule_id: str = "",
            scheduled_time_ms: int = 0,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            cron_time_zone: str = "",
            last_completion_result: PayloadList | None = None,
            is_activity: bool = False,
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
        ) -> None: ...


class WorkflowExecutionCompleted(Message):
    result: Sequence[Payload] = ()
    workflow_task_completed_event_id: int = 0
    # The run of the next cron time.
    new_run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            result: Sequence[Payload] = (),
            workflow_task_completed_event_id: int = 0,
            new_run_id: str = "",
        ) -> None: ...


class WorkflowExecutionFailed(Message):
    failure: Failure | None = None
    retry_state: int = 0
    workflow_task_completed_event_id: int = 0
    # The run of the next attempt, with IN_PROGRESS, or of the next cron time.
    new_run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            failure: Failure | None = None,
            retry_state: int = 0,
            workflow_task_completed_event_id: int = 0,
            new_run_id: str = "",
        ) -> None: ...


class WorkflowExecutionTimedOut(Message):
    retry_state: int = 0
    # The run of the next attempt, with IN_PROGRESS, or of the next cron time.
    new_run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            retry_state: int = 0,
            new_run_id: str = "",
        ) -> None: ...


class WorkflowExecutionContinuedAsNew(Message):
    """The next run of the chain begins with what is said here, and with the signals and the cancel
    request that this one's code has not seen.
    """

    new_run_id: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    backoff_start_interval_ms: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""
    # What the command gave anew.
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            new_run_id: str = "",
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            backoff_start_interval_ms: int = 0,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
        ) -> None: ...


class WorkflowTaskCompletedEvent(Message):
    """What one workflow task showed to the code, and who ran it. The events of its commands follow directly."""

    # The last event that the activation showed.
    through_event_id: int = 0
    # now() of the activation.
    activation_time_ms: int = 0
    history_length: int = 0
    history_size_bytes: int = 0
    continue_as_new_suggested: bool = False
    identity: str = ""
    build_id: str = ""
    sdk_name: str = ""
    sdk_version: str = ""
    sdk_flags: Sequence[int] = ()
    sdk_metadata: bytes = b""
    attempt: int = 0
    scheduled_time_ms: int = 0
    started_time_ms: int = 0
    # How many command events follow.
    commands: int = 0
    # Of the last SetCurrentDetails in it, which has no event of its own.
    current_details: CurrentDetails | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            through_event_id: int = 0,
            activation_time_ms: int = 0,
            history_length: int = 0,
            history_size_bytes: int = 0,
            continue_as_new_suggested: bool = False,
            identity: str = "",
            build_id: str = "",
            sdk_name: str = "",
            sdk_version: str = "",
            sdk_flags: Sequence[int] = (),
            sdk_metadata: bytes = b"",
            attempt: int = 0,
            scheduled_time_ms: int = 0,
            started_time_ms: int = 0,
            commands: int = 0,
            current_details: CurrentDetails | None = None,
        ) -> None: ...


class WorkflowTaskTimedOut(Message):
    attempt: int = 0
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            attempt: int = 0,
            identity: str = "",
        ) -> None: ...


class WorkflowTaskFailed(Message):
    cause: int = 0
    failure: Failure | None = None
    attempt: int = 0
    identity: str = ""
    build_id: str = ""
    # Set with NONDETERMINISM.
    diff: NondeterminismDiff | None = None
    # Set with RESET_WORKFLOW.
    copy: RunCopy | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            cause: int = 0,
            failure: Failure | None = None,
            attempt: int = 0,
            identity: str = "",
            build_id: str = "",
            diff: NondeterminismDiff | None = None,
            copy: RunCopy | None = None,
        ) -> None: ...


class RunCopy(Message):
    """After a reset or a fork: what the run is a copy of."""

    # The run of the workflow that had the copied events first: the one that was copied, or the one
    # that that one is a copy of, as far as these events go.
    base_execution: WorkflowExecution | None = None
    # The run itself: the event that began it is the base's.
    execution: WorkflowExecution | None = None
    # The base's WorkflowTaskCompleted in whose place this event stands; those before it are copied.
    base_event_id: int = 0
    # From here on random numbers follow from it.
    random_seed: int = 0
    reason: str = ""
    # Of the chain that the run belongs to.
    first_run_id: str = ""
    # A fork, or a reset of one: it has no parent and no schedule, whatever the first event says.
    of_fork: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            base_execution: WorkflowExecution | None = None,
            execution: WorkflowExecution | None = None,
            base_event_id: int = 0,
            random_seed: int = 0,
            reason: str = "",
            first_run_id: str = "",
            of_fork: bool = False,
        ) -> None: ...


class NondeterminismDiff(Message):
    """Where code and history part."""

    # The event that the history holds at this place; 0 when it holds none.
    event_id: int = 0
    # Which completion, by its WorkflowTaskCompleted event, and which command in it, from 0.
    workflow_task_completed_event_id: int = 0
    command_index: int = 0
    # What the history holds; empty when it holds no command here.
    expected: CommandHead | None = None
    # What the code asked for; empty when it asked for none.
    actual: CommandHead | None = None
    message: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            event_id: int = 0,
            workflow_task_completed_event_id: int = 0,
            command_index: int = 0,
            expected: CommandHead | None = None,
            actual: CommandHead | None = None,
            message: str = "",
        ) -> None: ...


class CommandHead(Message):
    """What of a command is compared with history."""

    type: int = 0
    seq: int = 0
    # The type of the activity or the child, the name of the marker or the signal; empty for other
    # commands.
    name: str = ""
    # The caller's id: of the activity, the timer, the marker, the update, or the workflow that is
    # started, signaled or cancelled.
    id: str = ""
    # Where in the code, as `file:line`; never compared.
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            type: int = 0,
            seq: int = 0,
            name: str = "",
            id: str = "",
            location: str = "",
        ) -> None: ...


class ActivityTaskScheduled(Message):
    seq: int = 0
    activity_id: str = ""
    activity_type: str = ""
    task_queue: str = ""
    header: Header | None = None
    input: Sequence[Payload] = ()
    schedule_to_close_timeout_ms: int = 0
    schedule_to_start_timeout_ms: int = 0
    start_to_close_timeout_ms: int = 0
    heartbeat_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    cancellation_type: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""
    on_exhausted: int = 0
    # It runs in the worker that has the run, and `task_queue` is empty.
    local: bool = False
    # With what the workflow gives.
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
            workflow_task_completed_event_id: int = 0,
            location: str = "",
            on_exhausted: int = 0,
            local: bool = False,
            priority: WorkPriority | None = None,
        ) -> None: ...


class ActivityTaskStarted(Message):
    """Written together with the terminal event, for the attempt that ended the activity."""

    scheduled_event_id: int = 0
    identity: str = ""
    attempt: int = 0
    started_time_ms: int = 0
    last_failure: Failure | None = None
    # Attempts before the last reset of the activity.
    attempts_before: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            identity: str = "",
            attempt: int = 0,
            started_time_ms: int = 0,
            last_failure: Failure | None = None,
            attempts_before: int = 0,
        ) -> None: ...


class ActivityTaskCompleted(Message):
    scheduled_event_id: int = 0
    seq: int = 0
    result: Sequence[Payload] = ()
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            seq: int = 0,
            result: Sequence[Payload] = (),
            identity: str = "",
        ) -> None: ...


class ActivityTaskFailed(Message):
    scheduled_event_id: int = 0
    seq: int = 0
    failure: Failure | None = None
    retry_state: int = 0
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            seq: int = 0,
            failure: Failure | None = None,
            retry_state: int = 0,
            identity: str = "",
        ) -> None: ...


class ActivityTaskTimedOut(Message):
    scheduled_event_id: int = 0
    seq: int = 0
    failure: Failure | None = None
    retry_state: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            seq: int = 0,
            failure: Failure | None = None,
            retry_state: int = 0,
        ) -> None: ...


class ActivityTaskCancelRequested(Message):
    scheduled_event_id: int = 0
    seq: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""
    # Of an activity without a workflow.
    reason: str = ""
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            seq: int = 0,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
            reason: str = "",
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class ActivityTaskCanceled(Message):
    scheduled_event_id: int = 0
    seq: int = 0
    details: Sequence[Payload] = ()
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            seq: int = 0,
            details: Sequence[Payload] = (),
            identity: str = "",
        ) -> None: ...


class TimerStarted(Message):
    seq: int = 0
    timer_id: str = ""
    start_to_fire_timeout_ms: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            timer_id: str = "",
            start_to_fire_timeout_ms: int = 0,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class TimerFired(Message):
    seq: int = 0
    timer_id: str = ""
    started_event_id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            timer_id: str = "",
            started_event_id: int = 0,
        ) -> None: ...


class TimerCanceled(Message):
    seq: int = 0
    timer_id: str = ""
    started_event_id: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            timer_id: str = "",
            started_event_id: int = 0,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class WorkflowExecutionCancelRequested(Message):
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    # The run that asked, if it was one.
    external_execution: WorkflowExecution | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            external_execution: WorkflowExecution | None = None,
        ) -> None: ...


class WorkflowExecutionCanceled(Message):
    details: Sequence[Payload] = ()
    workflow_task_completed_event_id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            details: Sequence[Payload] = (),
            workflow_task_completed_event_id: int = 0,
        ) -> None: ...


class MarkerRecorded(Message):
    """A fact that the code left in its history: fields as in RecordMarker."""

    marker_name: str = ""
    marker_id: str = ""
    seq: int = 0
    details: Sequence[PayloadEntry] = ()
    header: Header | None = None
    failure: Failure | None = None
    deprecated: bool = False
    workflow_task_completed_event_id: int = 0
    location: str = ""

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
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class WorkflowExecutionSignaled(Message):
    signal_name: str = ""
    input: Sequence[Payload] = ()
    identity: str = ""
    header: Header | None = None
    request_id: str = ""
    # The run that sent it, if it was one.
    external_execution: WorkflowExecution | None = None
    # Where it came first, if the run has it from an earlier one.
    origin: EventOrigin | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            signal_name: str = "",
            input: Sequence[Payload] = (),
            identity: str = "",
            header: Header | None = None,
            request_id: str = "",
            external_execution: WorkflowExecution | None = None,
            origin: EventOrigin | None = None,
        ) -> None: ...


class EventOrigin(Message):
    """An event of another run, that this one repeats."""

    run_id: str = ""
    event_id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            event_id: int = 0,
        ) -> None: ...


class WorkflowExecutionUpdateAccepted(Message):
    """The request that the code took on. A past activation shows it in its place: after the events up
    to the one that is named.
    """

    update_id: str = ""
    update_name: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None
    identity: str = ""
    # The last event when the request came.
    after_event_id: int = 0
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            update_name: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
            identity: str = "",
            after_event_id: int = 0,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class WorkflowExecutionUpdateAdmitted(Message):
    """After a reset or a fork: an update that the base's code had taken on, to be asked again."""

    update_id: str = ""
    update_name: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None
    identity: str = ""
    # Where it was accepted, or admitted, first.
    origin: EventOrigin | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            update_name: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
            identity: str = "",
            origin: EventOrigin | None = None,
        ) -> None: ...


class WorkflowExecutionUpdateCompleted(Message):
    update_id: str = ""
    accepted_event_id: int = 0
    outcome: UpdateOutcome | None = None
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            accepted_event_id: int = 0,
            outcome: UpdateOutcome | None = None,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class UpsertWorkflowSearchAttributes(Message):
    """What the run has is changed by these."""

    search_attributes: SearchAttributes | None = None
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            search_attributes: SearchAttributes | None = None,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class WorkflowPropertiesModified(Message):
    upserted_memo: Memo | None = None
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            upserted_memo: Memo | None = None,
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class WorkflowExecutionPaused(Message):
    """From here on no task of the run goes out."""

    reason: str = ""
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class WorkflowExecutionUnpaused(Message):
    reason: str = ""
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class WorkflowExecutionTerminated(Message):
    reason: str = ""
    details: Sequence[Payload] = ()
    identity: str = ""
    # The run that goes on in its place, after a reset.
    new_run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
            details: Sequence[Payload] = (),
            identity: str = "",
            new_run_id: str = "",
        ) -> None: ...


class StartChildWorkflowExecutionInitiated(Message):
    """The child that is to be started: fields as in StartChild, defaults filled in."""

    seq: int = 0
    workflow_id: str = ""
    # The code named none.
    default_workflow_id: bool = False
    workflow_type: str = ""
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
    workflow_task_completed_event_id: int = 0
    location: str = ""
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None
    # With what the workflow gives.
    priority: WorkPriority | None = None
    concurrency_key: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            workflow_id: str = "",
            default_workflow_id: bool = False,
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
            workflow_task_completed_event_id: int = 0,
            location: str = "",
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
        ) -> None: ...


class StartChildWorkflowExecutionFailed(Message):
    initiated_event_id: int = 0
    seq: int = 0
    workflow_id: str = ""
    workflow_type: str = ""
    cause: int = 0
    message: str = ""
    # The parent waits no more, and the child may begin all the same.
    early: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            workflow_id: str = "",
            workflow_type: str = "",
            cause: int = 0,
            message: str = "",
            early: bool = False,
        ) -> None: ...


class ChildWorkflowExecutionStarted(Message):
    initiated_event_id: int = 0
    seq: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
        ) -> None: ...


class ChildWorkflowExecutionCompleted(Message):
    """The child has come to its end, as the last run of its chain did. In all that is recorded of a child
    after the parent has ceased to wait for it, `seq` is 0.
    """

    initiated_event_id: int = 0
    seq: int = 0
    started_event_id: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    result: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            started_event_id: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            result: Sequence[Payload] = (),
        ) -> None: ...


class ChildWorkflowExecutionFailed(Message):
    initiated_event_id: int = 0
    seq: int = 0
    started_event_id: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    failure: Failure | None = None
    retry_state: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            started_event_id: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            failure: Failure | None = None,
            retry_state: int = 0,
        ) -> None: ...


class ChildWorkflowExecutionCanceled(Message):
    initiated_event_id: int = 0
    seq: int = 0
    started_event_id: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    details: Sequence[Payload] = ()
    # The parent waits no more, as the cancellation type says, and the child may go on.
    early: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            started_event_id: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            details: Sequence[Payload] = (),
            early: bool = False,
        ) -> None: ...


class ChildWorkflowExecutionTimedOut(Message):
    initiated_event_id: int = 0
    seq: int = 0
    started_event_id: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    retry_state: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            started_event_id: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            retry_state: int = 0,
        ) -> None: ...


class ChildWorkflowExecutionTerminated(Message):
    initiated_event_id: int = 0
    seq: int = 0
    started_event_id: int = 0
    execution: WorkflowExecution | None = None
    workflow_type: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            started_event_id: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
        ) -> None: ...


class SignalExternalWorkflowExecutionInitiated(Message):
    seq: int = 0
    execution: WorkflowExecution | None = None
    child_workflow_only: bool = False
    signal_name: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    workflow_task_completed_event_id: int = 0
    location: str = ""

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
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class SignalExternalWorkflowExecutionFailed(Message):
    initiated_event_id: int = 0
    seq: int = 0
    execution: WorkflowExecution | None = None
    cause: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            cause: int = 0,
        ) -> None: ...


class ExternalWorkflowExecutionSignaled(Message):
    initiated_event_id: int = 0
    seq: int = 0
    # The run that took it.
    execution: WorkflowExecution | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
        ) -> None: ...


class RequestCancelExternalWorkflowExecutionInitiated(Message):
    """Of CancelExternal, or of CancelChild."""

    # 0: of CancelChild.
    seq: int = 0
    # Of CancelChild: the child's. Its `execution` is empty when it is not pending any more.
    child_seq: int = 0
    execution: WorkflowExecution | None = None
    child_workflow_only: bool = False
    reason: str = ""
    workflow_task_completed_event_id: int = 0
    location: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            child_seq: int = 0,
            execution: WorkflowExecution | None = None,
            child_workflow_only: bool = False,
            reason: str = "",
            workflow_task_completed_event_id: int = 0,
            location: str = "",
        ) -> None: ...


class RequestCancelExternalWorkflowExecutionFailed(Message):
    initiated_event_id: int = 0
    seq: int = 0
    execution: WorkflowExecution | None = None
    cause: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            cause: int = 0,
        ) -> None: ...


class ExternalWorkflowExecutionCancelRequested(Message):
    initiated_event_id: int = 0
    seq: int = 0
    # The run that was asked.
    execution: WorkflowExecution | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initiated_event_id: int = 0,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
        ) -> None: ...


HistoryBatch._fields_ = (
    (1, "events", "message", True, HistoryEvent, None),
    (2, "activity_attempts", "message", True, ActivityAttempts, None),
)

ActivityAttempts._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "ended_event_id", "int64", False, None, None),
    (3, "failed_attempts", "message", True, FailedAttempt, None),
    (4, "failed_attempts_count", "int32", False, None, None),
)

FailedAttempt._fields_ = (
    (1, "attempt", "int32", False, None, None),
    (2, "started_time_ms", "int64", False, None, None),
    (3, "ended_time_ms", "int64", False, None, None),
    (4, "identity", "string", False, None, None),
    (5, "failure", "message", False, Failure, None),
    (6, "attempts_before", "int32", False, None, None),
)

HistoryEvent._fields_ = (
    (1, "event_id", "int64", False, None, None),
    (2, "event_time_ms", "int64", False, None, None),
    (3, "user_metadata", "message", False, UserMetadata, None),
    (101, "workflow_execution_started", "message", False, WorkflowExecutionStarted, "attributes"),
    (102, "workflow_execution_completed", "message", False, WorkflowExecutionCompleted, "attributes"),
    (103, "workflow_execution_failed", "message", False, WorkflowExecutionFailed, "attributes"),
    (104, "workflow_execution_timed_out", "message", False, WorkflowExecutionTimedOut, "attributes"),
    (107, "workflow_task_completed", "message", False, WorkflowTaskCompletedEvent, "attributes"),
    (108, "workflow_task_timed_out", "message", False, WorkflowTaskTimedOut, "attributes"),
    (109, "workflow_task_failed", "message", False, WorkflowTaskFailed, "attributes"),
    (110, "activity_task_scheduled", "message", False, ActivityTaskScheduled, "attributes"),
    (111, "activity_task_started", "message", False, ActivityTaskStarted, "attributes"),
    (112, "activity_task_completed", "message", False, ActivityTaskCompleted, "attributes"),
    (113, "activity_task_failed", "message", False, ActivityTaskFailed, "attributes"),
    (114, "activity_task_timed_out", "message", False, ActivityTaskTimedOut, "attributes"),
    (115, "activity_task_cancel_requested", "message", False, ActivityTaskCancelRequested, "attributes"),
    (116, "activity_task_canceled", "message", False, ActivityTaskCanceled, "attributes"),
    (117, "timer_started", "message", False, TimerStarted, "attributes"),
    (118, "timer_fired", "message", False, TimerFired, "attributes"),
    (119, "timer_canceled", "message", False, TimerCanceled, "attributes"),
    (120, "workflow_execution_cancel_requested", "message", False, WorkflowExecutionCancelRequested, "attributes"),
    (121, "workflow_execution_canceled", "message", False, WorkflowExecutionCanceled, "attributes"),
    (122, "request_cancel_external_workflow_execution_initiated", "message", False, RequestCancelExternalWorkflowExecutionInitiated, "attributes"),
    (123, "request_cancel_external_workflow_execution_failed", "message", False, RequestCancelExternalWorkflowExecutionFailed, "attributes"),
    (124, "external_workflow_execution_cancel_requested", "message", False, ExternalWorkflowExecutionCancelRequested, "attributes"),
    (125, "marker_recorded", "message", False, MarkerRecorded, "attributes"),
    (126, "workflow_execution_signaled", "message", False, WorkflowExecutionSignaled, "attributes"),
    (127, "workflow_execution_terminated", "message", False, WorkflowExecutionTerminated, "attributes"),
    (128, "workflow_execution_continued_as_new", "message", False, WorkflowExecutionContinuedAsNew, "attributes"),
    (129, "start_child_workflow_execution_initiated", "message", False, StartChildWorkflowExecutionInitiated, "attributes"),
    (130, "start_child_workflow_execution_failed", "message", False, StartChildWorkflowExecutionFailed, "attributes"),
    (131, "child_workflow_execution_started", "message", False, ChildWorkflowExecutionStarted, "attributes"),
    (132, "child_workflow_execution_completed", "message", False, ChildWorkflowExecutionCompleted, "attributes"),
    (133, "child_workflow_execution_failed", "message", False, ChildWorkflowExecutionFailed, "attributes"),
    (134, "child_workflow_execution_canceled", "message", False, ChildWorkflowExecutionCanceled, "attributes"),
    (135, "child_workflow_execution_timed_out", "message", False, ChildWorkflowExecutionTimedOut, "attributes"),
    (136, "child_workflow_execution_terminated", "message", False, ChildWorkflowExecutionTerminated, "attributes"),
    (137, "signal_external_workflow_execution_initiated", "message", False, SignalExternalWorkflowExecutionInitiated, "attributes"),
    (138, "signal_external_workflow_execution_failed", "message", False, SignalExternalWorkflowExecutionFailed, "attributes"),
    (139, "external_workflow_execution_signaled", "message", False, ExternalWorkflowExecutionSignaled, "attributes"),
    (140, "upsert_workflow_search_attributes", "message", False, UpsertWorkflowSearchAttributes, "attributes"),
    (141, "workflow_execution_update_accepted", "message", False, WorkflowExecutionUpdateAccepted, "attributes"),
    (143, "workflow_execution_update_completed", "message", False, WorkflowExecutionUpdateCompleted, "attributes"),
    (146, "workflow_properties_modified", "message", False, WorkflowPropertiesModified, "attributes"),
    (147, "workflow_execution_update_admitted", "message", False, WorkflowExecutionUpdateAdmitted, "attributes"),
    (158, "workflow_execution_paused", "message", False, WorkflowExecutionPaused, "attributes"),
    (159, "workflow_execution_unpaused", "message", False, WorkflowExecutionUnpaused, "attributes"),
)

WorkflowExecutionStarted._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "workflow_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
    (4, "workflow_type", "string", False, None, None),
    (5, "task_queue", "string", False, None, None),
    (6, "input", "message", True, Payload, None),
    (7, "header", "message", False, Header, None),
    (8, "execution_timeout_ms", "int64", False, None, None),
    (9, "run_timeout_ms", "int64", False, None, None),
    (10, "task_timeout_ms", "int64", False, None, None),
    (11, "identity", "string", False, None, None),
    (12, "request_id", "string", False, None, None),
    (13, "first_run_id", "string", False, None, None),
    (14, "random_seed", "uint64", False, None, None),
    (15, "execution_expiration_time_ms", "int64", False, None, None),
    (16, "continued_run_id", "string", False, None, None),
    (17, "initiator", "enum", False, None, None),
    (18, "attempt", "int32", False, None, None),
    (19, "first_workflow_task_backoff_ms", "int64", False, None, None),
    (20, "retry_policy", "message", False, RetryPolicy, None),
    (21, "continued_failure", "message", False, Failure, None),
    (30, "parent", "message", False, WorkflowExecution, None),
    (31, "parent_initiated_event_id", "int64", False, None, None),
    (32, "root", "message", False, WorkflowExecution, None),
    (22, "cron_schedule", "string", False, None, None),
    (23, "schedule_id", "string", False, None, None),
    (24, "scheduled_time_ms", "int64", False, None, None),
    (25, "memo", "message", False, Memo, None),
    (26, "search_attributes", "message", False, SearchAttributes, None),
    (28, "cron_time_zone", "string", False, None, None),
    (29, "last_completion_result", "message", False, PayloadList, None),
    (33, "is_activity", "bool", False, None, None),
    (50, "priority", "message", False, WorkPriority, None),
    (55, "concurrency_key", "string", False, None, None),
)

WorkflowExecutionCompleted._fields_ = (
    (1, "result", "message", True, Payload, None),
    (2, "workflow_task_completed_event_id", "int64", False, None, None),
    (3, "new_run_id", "string", False, None, None),
)

WorkflowExecutionFailed._fields_ = (
    (1, "failure", "message", False, Failure, None),
    (2, "retry_state", "enum", False, None, None),
    (3, "workflow_task_completed_event_id", "int64", False, None, None),
    (4, "new_run_id", "string", False, None, None),
)

WorkflowExecutionTimedOut._fields_ = (
    (1, "retry_state", "enum", False, None, None),
    (2, "new_run_id", "string", False, None, None),
)

WorkflowExecutionContinuedAsNew._fields_ = (
    (1, "new_run_id", "string", False, None, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "task_queue", "string", False, None, None),
    (4, "input", "message", True, Payload, None),
    (5, "header", "message", False, Header, None),
    (6, "run_timeout_ms", "int64", False, None, None),
    (7, "task_timeout_ms", "int64", False, None, None),
    (8, "backoff_start_interval_ms", "int64", False, None, None),
    (9, "workflow_task_completed_event_id", "int64", False, None, None),
    (10, "location", "string", False, None, None),
    (11, "memo", "message", False, Memo, None),
    (12, "search_attributes", "message", False, SearchAttributes, None),
)

WorkflowTaskCompletedEvent._fields_ = (
    (1, "through_event_id", "int64", False, None, None),
    (2, "activation_time_ms", "int64", False, None, None),
    (3, "history_length", "int64", False, None, None),
    (4, "history_size_bytes", "int64", False, None, None),
    (5, "continue_as_new_suggested", "bool", False, None, None),
    (6, "identity", "string", False, None, None),
    (7, "build_id", "string", False, None, None),
    (8, "sdk_name", "string", False, None, None),
    (9, "sdk_version", "string", False, None, None),
    (10, "sdk_flags", "uint32", True, None, None),
    (11, "sdk_metadata", "bytes", False, None, None),
    (12, "attempt", "int32", False, None, None),
    (13, "scheduled_time_ms", "int64", False, None, None),
    (14, "started_time_ms", "int64", False, None, None),
    (15, "commands", "int32", False, None, None),
    (16, "current_details", "message", False, CurrentDetails, None),
)

WorkflowTaskTimedOut._fields_ = (
    (1, "attempt", "int32", False, None, None),
    (2, "identity", "string", False, None, None),
)

WorkflowTaskFailed._fields_ = (
    (1, "cause", "enum", False, None, None),
    (2, "failure", "message", False, Failure, None),
    (3, "attempt", "int32", False, None, None),
    (4, "identity", "string", False, None, None),
    (5, "build_id", "string", False, None, None),
    (6, "diff", "message", False, NondeterminismDiff, None),
    (7, "copy", "message", False, RunCopy, None),
)

RunCopy._fields_ = (
    (1, "base_execution", "message", False, WorkflowExecution, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "base_event_id", "int64", False, None, None),
    (4, "random_seed", "uint64", False, None, None),
    (5, "reason", "string", False, None, None),
    (6, "first_run_id", "string", False, None, None),
    (7, "of_fork", "bool", False, None, None),
)

NondeterminismDiff._fields_ = (
    (1, "event_id", "int64", False, None, None),
    (2, "workflow_task_completed_event_id", "int64", False, None, None),
    (3, "command_index", "int32", False, None, None),
    (4, "expected", "message", False, CommandHead, None),
    (5, "actual", "message", False, CommandHead, None),
    (6, "message", "string", False, None, None),
)

CommandHead._fields_ = (
    (1, "type", "enum", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "name", "string", False, None, None),
    (4, "id", "string", False, None, None),
    (5, "location", "string", False, None, None),
)

ActivityTaskScheduled._fields_ = (
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
    (13, "workflow_task_completed_event_id", "int64", False, None, None),
    (14, "location", "string", False, None, None),
    (15, "on_exhausted", "enum", False, None, None),
    (16, "local", "bool", False, None, None),
    (20, "priority", "message", False, WorkPriority, None),
)

ActivityTaskStarted._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "identity", "string", False, None, None),
    (3, "attempt", "int32", False, None, None),
    (4, "started_time_ms", "int64", False, None, None),
    (5, "last_failure", "message", False, Failure, None),
    (6, "attempts_before", "int32", False, None, None),
)

ActivityTaskCompleted._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "result", "message", True, Payload, None),
    (4, "identity", "string", False, None, None),
)

ActivityTaskFailed._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "failure", "message", False, Failure, None),
    (4, "retry_state", "enum", False, None, None),
    (5, "identity", "string", False, None, None),
)

ActivityTaskTimedOut._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "failure", "message", False, Failure, None),
    (4, "retry_state", "enum", False, None, None),
)

ActivityTaskCancelRequested._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "workflow_task_completed_event_id", "int64", False, None, None),
    (4, "location", "string", False, None, None),
    (5, "reason", "string", False, None, None),
    (6, "identity", "string", False, None, None),
    (7, "request_id", "string", False, None, None),
)

ActivityTaskCanceled._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "details", "message", True, Payload, None),
    (4, "identity", "string", False, None, None),
)

TimerStarted._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "timer_id", "string", False, None, None),
    (3, "start_to_fire_timeout_ms", "int64", False, None, None),
    (4, "workflow_task_completed_event_id", "int64", False, None, None),
    (5, "location", "string", False, None, None),
)

TimerFired._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "timer_id", "string", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
)

TimerCanceled._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "timer_id", "string", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "workflow_task_completed_event_id", "int64", False, None, None),
    (5, "location", "string", False, None, None),
)

WorkflowExecutionCancelRequested._fields_ = (
    (1, "reason", "string", False, None, None),
    (2, "identity", "string", False, None, None),
    (3, "request_id", "string", False, None, None),
    (4, "external_execution", "message", False, WorkflowExecution, None),
)

WorkflowExecutionCanceled._fields_ = (
    (1, "details", "message", True, Payload, None),
    (2, "workflow_task_completed_event_id", "int64", False, None, None),
)

MarkerRecorded._fields_ = (
    (1, "marker_name", "string", False, None, None),
    (2, "marker_id", "string", False, None, None),
    (3, "seq", "uint32", False, None, None),
    (4, "details", "message", True, PayloadEntry, None),
    (5, "header", "message", False, Header, None),
    (6, "failure", "message", False, Failure, None),
    (7, "deprecated", "bool", False, None, None),
    (8, "workflow_task_completed_event_id", "int64", False, None, None),
    (9, "location", "string", False, None, None),
)

WorkflowExecutionSignaled._fields_ = (
    (1, "signal_name", "string", False, None, None),
    (2, "input", "message", True, Payload, None),
    (3, "identity", "string", False, None, None),
    (4, "header", "message", False, Header, None),
    (5, "request_id", "string", False, None, None),
    (6, "external_execution", "message", False, WorkflowExecution, None),
    (7, "origin", "message", False, EventOrigin, None),
)

EventOrigin._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "event_id", "int64", False, None, None),
)

WorkflowExecutionUpdateAccepted._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "update_name", "string", False, None, None),
    (3, "args", "message", True, Payload, None),
    (4, "header", "message", False, Header, None),
    (5, "identity", "string", False, None, None),
    (6, "after_event_id", "int64", False, None, None),
    (7, "workflow_task_completed_event_id", "int64", False, None, None),
    (8, "location", "string", False, None, None),
)

WorkflowExecutionUpdateAdmitted._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "update_name", "string", False, None, None),
    (3, "args", "message", True, Payload, None),
    (4, "header", "message", False, Header, None),
    (5, "identity", "string", False, None, None),
    (6, "origin", "message", False, EventOrigin, None),
)

WorkflowExecutionUpdateCompleted._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "accepted_event_id", "int64", False, None, None),
    (3, "outcome", "message", False, UpdateOutcome, None),
    (4, "workflow_task_completed_event_id", "int64", False, None, None),
    (5, "location", "string", False, None, None),
)

UpsertWorkflowSearchAttributes._fields_ = (
    (1, "search_attributes", "message", False, SearchAttributes, None),
    (2, "workflow_task_completed_event_id", "int64", False, None, None),
    (3, "location", "string", False, None, None),
)

WorkflowPropertiesModified._fields_ = (
    (1, "upserted_memo", "message", False, Memo, None),
    (2, "workflow_task_completed_event_id", "int64", False, None, None),
    (3, "location", "string", False, None, None),
)

WorkflowExecutionPaused._fields_ = (
    (1, "reason", "string", False, None, None),
    (2, "identity", "string", False, None, None),
    (3, "request_id", "string", False, None, None),
)

WorkflowExecutionUnpaused._fields_ = (
    (1, "reason", "string", False, None, None),
    (2, "identity", "string", False, None, None),
    (3, "request_id", "string", False, None, None),
)

WorkflowExecutionTerminated._fields_ = (
    (1, "reason", "string", False, None, None),
    (2, "details", "message", True, Payload, None),
    (3, "identity", "string", False, None, None),
    (4, "new_run_id", "string", False, None, None),
)

StartChildWorkflowExecutionInitiated._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "workflow_id", "string", False, None, None),
    (3, "default_workflow_id", "bool", False, None, None),
    (4, "workflow_type", "string", False, None, None),
    (5, "task_queue", "string", False, None, None),
    (6, "input", "message", True, Payload, None),
    (7, "header", "message", False, Header, None),
    (8, "execution_timeout_ms", "int64", False, None, None),
    (9, "run_timeout_ms", "int64", False, None, None),
    (10, "task_timeout_ms", "int64", False, None, None),
    (11, "retry_policy", "message", False, RetryPolicy, None),
    (12, "id_reuse_policy", "enum", False, None, None),
    (13, "parent_close_policy", "enum", False, None, None),
    (14, "cancellation_type", "enum", False, None, None),
    (15, "workflow_task_completed_event_id", "int64", False, None, None),
    (16, "location", "string", False, None, None),
    (17, "memo", "message", False, Memo, None),
    (18, "search_attributes", "message", False, SearchAttributes, None),
    (30, "priority", "message", False, WorkPriority, None),
    (35, "concurrency_key", "string", False, None, None),
)

StartChildWorkflowExecutionFailed._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "workflow_id", "string", False, None, None),
    (4, "workflow_type", "string", False, None, None),
    (5, "cause", "enum", False, None, None),
    (6, "message", "string", False, None, None),
    (7, "early", "bool", False, None, None),
)

ChildWorkflowExecutionStarted._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
    (4, "workflow_type", "string", False, None, None),
)

ChildWorkflowExecutionCompleted._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "workflow_type", "string", False, None, None),
    (6, "result", "message", True, Payload, None),
)

ChildWorkflowExecutionFailed._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "workflow_type", "string", False, None, None),
    (6, "failure", "message", False, Failure, None),
    (7, "retry_state", "enum", False, None, None),
)

ChildWorkflowExecutionCanceled._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "workflow_type", "string", False, None, None),
    (6, "details", "message", True, Payload, None),
    (7, "early", "bool", False, None, None),
)

ChildWorkflowExecutionTimedOut._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "workflow_type", "string", False, None, None),
    (6, "retry_state", "enum", False, None, None),
)

ChildWorkflowExecutionTerminated._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "started_event_id", "int64", False, None, None),
    (4, "execution", "message", False, WorkflowExecution, None),
    (5, "workflow_type", "string", False, None, None),
)

SignalExternalWorkflowExecutionInitiated._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "child_workflow_only", "bool", False, None, None),
    (4, "signal_name", "string", False, None, None),
    (5, "input", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
    (7, "workflow_task_completed_event_id", "int64", False, None, None),
    (8, "location", "string", False, None, None),
)

SignalExternalWorkflowExecutionFailed._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
    (4, "cause", "enum", False, None, None),
)

ExternalWorkflowExecutionSignaled._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
)

RequestCancelExternalWorkflowExecutionInitiated._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "child_seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
    (4, "child_workflow_only", "bool", False, None, None),
    (5, "reason", "string", False, None, None),
    (6, "workflow_task_completed_event_id", "int64", False, None, None),
    (7, "location", "string", False, None, None),
)

RequestCancelExternalWorkflowExecutionFailed._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
    (4, "cause", "enum", False, None, None),
)

ExternalWorkflowExecutionCancelRequested._fields_ = (
    (1, "initiated_event_id", "int64", False, None, None),
    (2, "seq", "uint32", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
)
