"""The messages of workflow_service.proto.

Made by generate_messages.py from proto/holdfast/v1/workflow_service.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from .._core import Message
from .._method import Method
from .common import (
    ActivityPause,
    ActivityTaskOptions,
    Failure,
    Header,
    Memo,
    Payload,
    RetryPolicy,
    SearchAttributes,
    UpdateOutcome,
    UserMetadata,
    WorkPriority,
    WorkflowExecution,
)
from .history import (
    FailedAttempt,
    HistoryBatch,
    NondeterminismDiff,
    RunCopy,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class UpdateStage(IntEnum):
    """How far an update has come."""

    # As a wish: COMPLETED.
    UNSPECIFIED = 0
    # It is recorded and has no outcome yet.
    ACCEPTED = 1
    COMPLETED = 2
    # The code did not take it on: nothing of it is recorded.
    REJECTED = 3


class WorkflowPointKind(IntEnum):
    UNSPECIFIED = 0
    # What the code did with its first workflow task is undone, and everything after it.
    FIRST_WORKFLOW_TASK = 1
    LAST_WORKFLOW_TASK = 2
    # … with the one that `event_id`, a WorkflowTaskCompleted, tells of.
    EVENT = 3
    # … with the one that first scheduled an activity of `activity_type`.
    BEFORE_ACTIVITY = 4


class ReapplyExclude(IntEnum):
    UNSPECIFIED = 0
    SIGNALS = 1
    UPDATES = 2


class PendingActivityState(IntEnum):
    UNSPECIFIED = 0
    SCHEDULED = 1
    STARTED = 2
    BACKING_OFF = 3
    CANCEL_REQUESTED = 4
    # It waits for UnpauseActivity or ResetActivity.
    PAUSED = 5
    # An attempt that has started before the pause has not ended.
    PAUSE_REQUESTED = 6


class PendingWorkflowTaskState(IntEnum):
    UNSPECIFIED = 0
    SCHEDULED = 1
    STARTED = 2
    BACKING_OFF = 3


class StartWorkflowRequest(Message):
    """An empty namespace is `default` in every request."""

    namespace: str = ""
    workflow_id: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    # 0: unlimited.
    execution_timeout_ms: int = 0
    run_timeout_ms: int = 0
    # 0: 10,000; at most 120,000.
    task_timeout_ms: int = 0
    id_reuse_policy: int = 0
    id_conflict_policy: int = 0
    request_id: str = ""
    identity: str = ""
    user_metadata: UserMetadata | None = None
    # Without it a run that fails or times out is not tried again.
    retry_policy: RetryPolicy | None = None
    # The code begins so long after the start, or with the first signal or cancel request.
    start_delay_ms: int = 0
    # As start_delay_ms, at an instant; only one of them.
    start_at_time_ms: int = 0
    # A cron string, as in ScheduleSpec: the first run's code begins at the first time, and each run
    # that ends is followed by one that begins at the next time.
    cron_schedule: str = ""
    memo: Memo | None = None
    # A name that nobody has used gets its type by it.
    search_attributes: SearchAttributes | None = None
    # As ScheduleSpec.time_zone.
    cron_time_zone: str = ""
    # Of its tasks, and of its activities and children.
    priority: WorkPriority | None = None
    # Runs of one type and one key count together for the limits of the type. Empty: none.
    concurrency_key: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            workflow_id: str = "",
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            execution_timeout_ms: int = 0,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            id_reuse_policy: int = 0,
            id_conflict_policy: int = 0,
            request_id: str = "",
            identity: str = "",
            user_metadata: UserMetadata | None = None,
            retry_policy: RetryPolicy | None = None,
            start_delay_ms: int = 0,
            start_at_time_ms: int = 0,
            cron_schedule: str = "",
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            cron_time_zone: str = "",
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
        ) -> None: ...


class StartWorkflowResponse(Message):
    run_id: str = ""
    # False when the request named a run that was there already.
    started: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            started: bool = False,
        ) -> None: ...


class SignalWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    signal_name: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            signal_name: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class SignalWorkflowResponse(Message):
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
        ) -> None: ...


class SignalWithStartWorkflowRequest(Message):
    start: StartWorkflowRequest | None = None
    signal_name: str = ""
    signal_input: Sequence[Payload] = ()
    signal_header: Header | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            start: StartWorkflowRequest | None = None,
            signal_name: str = "",
            signal_input: Sequence[Payload] = (),
            signal_header: Header | None = None,
        ) -> None: ...


class QueryWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    query_type: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            query_type: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
        ) -> None: ...


class QueryWorkflowResponse(Message):
    result: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            result: Sequence[Payload] = (),
        ) -> None: ...


class UpdateWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    # The same id again is the same update, also after the workflow has closed.
    update_id: str = ""
    update_name: str = ""
    args: Sequence[Payload] = ()
    header: Header | None = None
    identity: str = ""
    # ACCEPTED or COMPLETED.
    wait_for: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            update_id: str = "",
            update_name: str = "",
            args: Sequence[Payload] = (),
            header: Header | None = None,
            identity: str = "",
            wait_for: int = 0,
        ) -> None: ...


class UpdateWorkflowResponse(Message):
    run_id: str = ""
    stage: int = 0
    # Of an update that is completed or rejected.
    outcome: UpdateOutcome | None = None
    # Of UpdateWithStartWorkflow: this request started the run.
    started: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            stage: int = 0,
            outcome: UpdateOutcome | None = None,
            started: bool = False,
        ) -> None: ...


class UpdateWithStartWorkflowRequest(Message):
    """Starts the workflow if it is not running, and updates it; the update id is the id of the whole."""

    start: StartWorkflowRequest | None = None
    # Without an execution: the start's workflow is meant.
    update: UpdateWorkflowRequest | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            start: StartWorkflowRequest | None = None,
            update: UpdateWorkflowRequest | None = None,
        ) -> None: ...


class PollUpdateRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    update_id: str = ""
    wait_for: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            update_id: str = "",
            wait_for: int = 0,
        ) -> None: ...


class CancelWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    reason: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            reason: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class CancelWorkflowResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class TerminateWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    reason: str = ""
    details: Sequence[Payload] = ()
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            reason: str = "",
            details: Sequence[Payload] = (),
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class TerminateWorkflowResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class DeleteWorkflowRequest(Message):
    """Removes one run: the one that is named, or the workflow's current one."""

    namespace: str = ""
    execution: WorkflowExecution | None = None
    reason: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            reason: str = "",
            identity: str = "",
        ) -> None: ...


class DeleteWorkflowResponse(Message):
    # The run that was removed.
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
        ) -> None: ...


class PauseWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    reason: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            reason: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class PauseWorkflowResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class UnpauseWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    reason: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            reason: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class UnpauseWorkflowResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class WorkflowPoint(Message):
    """A point of a history at which its code can go on otherwise."""

    kind: int = 0
    event_id: int = 0
    activity_type: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            kind: int = 0,
            event_id: int = 0,
            activity_type: str = "",
        ) -> None: ...


class ResetWorkflowRequest(Message):
    namespace: str = ""
    # The run whose history is copied, open or closed; an open run of the workflow ends.
    execution: WorkflowExecution | None = None
    point: WorkflowPoint | None = None
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    # What came after the point and is left out; the rest comes again, in its order.
    reapply_exclude: Sequence[int] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            point: WorkflowPoint | None = None,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            reapply_exclude: Sequence[int] = (),
        ) -> None: ...


class ResetWorkflowResponse(Message):
    # The run that goes on.
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
        ) -> None: ...


class ForkWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    point: WorkflowPoint | None = None
    # Of the new workflow: another one than the run's.
    workflow_id: str = ""
    id_reuse_policy: int = 0
    id_conflict_policy: int = 0
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    reapply_exclude: Sequence[int] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            point: WorkflowPoint | None = None,
            workflow_id: str = "",
            id_reuse_policy: int = 0,
            id_conflict_policy: int = 0,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            reapply_exclude: Sequence[int] = (),
        ) -> None: ...


class ForkWorkflowResponse(Message):
    run_id: str = ""
    # False when the request named a run that was there already.
    started: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            started: bool = False,
        ) -> None: ...


class DescribeWorkflowRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
        ) -> None: ...


class DescribeWorkflowResponse(Message):
    info: WorkflowInfo | None = None
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    pending_activities: Sequence[PendingActivity] = ()
    pending_timers: Sequence[PendingTimer] = ()
    pending_workflow_task: PendingWorkflowTask | None = None
    # What keeps the run from going on, in words: no worker for its type, a failing task, …
    warnings: Sequence[str] = ()
    cancel_requested: bool = False
    execution_timeout_ms: int = 0
    # The chain: its first run, the run before this one and the one after it.
    first_run_id: str = ""
    continued_run_id: str = ""
    new_run_id: str = ""
    # Of the workflow's retry policy, from 1.
    attempt: int = 0
    retry_policy: RetryPolicy | None = None
    pending_updates: Sequence[PendingUpdate] = ()
    # Of a run that is paused.
    pause: PauseInfo | None = None
    # What the code has last said of itself.
    current_details: str = ""
    cron_schedule: str = ""
    cron_time_zone: str = ""
    # The schedule that started the chain, and the time that it did so for.
    schedule_id: str = ""
    scheduled_time_ms: int = 0
    pending_children: Sequence[PendingChild] = ()
    # Of a child: the run that started it, and the run at the root of all.
    parent: WorkflowExecution | None = None
    root: WorkflowExecution | None = None
    # After a reset: the run that goes on in its place.
    reset_run_id: str = ""
    # Of a run that a reset or a fork began: where it comes from.
    copy: RunCopy | None = None
    priority: WorkPriority | None = None
    concurrency_key: str = ""
    # Since when the run has its permit, if the limits of its type gave it one; 0: it has none.
    permit_time_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: WorkflowInfo | None = None,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            pending_activities: Sequence[PendingActivity] = (),
            pending_timers: Sequence[PendingTimer] = (),
            pending_workflow_task: PendingWorkflowTask | None = None,
            warnings: Sequence[str] = (),
            cancel_requested: bool = False,
            execution_timeout_ms: int = 0,
            first_run_id: str = "",
            continued_run_id: str = "",
            new_run_id: str = "",
            attempt: int = 0,
            retry_policy: RetryPolicy | None = None,
            pending_updates: Sequence[PendingUpdate] = (),
            pause: PauseInfo | None = None,
            current_details: str = "",
            cron_schedule: str = "",
            cron_time_zone: str = "",
            schedule_id: str = "",
            scheduled_time_ms: int = 0,
            pending_children: Sequence[PendingChild] = (),
            parent: WorkflowExecution | None = None,
            root: WorkflowExecution | None = None,
            reset_run_id: str = "",
            copy: RunCopy | None = None,
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
            permit_time_ms: int = 0,
        ) -> None: ...


class PendingChild(Message):
    """A child that has not come to its end."""

    seq: int = 0
    # Its run id is that of its first run; empty while it is being started.
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    initiated_event_id: int = 0
    parent_close_policy: int = 0
    cancel_requested: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            initiated_event_id: int = 0,
            parent_close_policy: int = 0,
            cancel_requested: bool = False,
        ) -> None: ...


class PauseInfo(Message):
    paused_time_ms: int = 0
    reason: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            paused_time_ms: int = 0,
            reason: str = "",
            identity: str = "",
        ) -> None: ...


class PendingUpdate(Message):
    """An update that has no outcome yet."""

    update_id: str = ""
    # 0 while the code has not seen it.
    accepted_event_id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            update_id: str = "",
            accepted_event_id: int = 0,
        ) -> None: ...


class WorkflowInfo(Message):
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    task_queue: str = ""
    status: int = 0
    start_time_ms: int = 0
    # 0 while open.
    close_time_ms: int = 0
    history_length: int = 0
    history_size_bytes: int = 0
    user_metadata: UserMetadata | None = None
    # Of an open run: what a person should look at (a failing task, an activity that crashes its workers).
    problems: Sequence[str] = ()
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None
    # Since when an open run waits for a permit; 0: it does not.
    waiting_since_time_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            task_queue: str = "",
            status: int = 0,
            start_time_ms: int = 0,
            close_time_ms: int = 0,
            history_length: int = 0,
            history_size_bytes: int = 0,
            user_metadata: UserMetadata | None = None,
            problems: Sequence[str] = (),
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            waiting_since_time_ms: int = 0,
        ) -> None: ...


class PendingActivity(Message):
    seq: int = 0
    activity_id: str = ""
    activity_type: str = ""
    task_queue: str = ""
    state: int = 0
    attempt: int = 0
    maximum_attempts: int = 0
    scheduled_time_ms: int = 0
    started_time_ms: int = 0
    next_attempt_time_ms: int = 0
    last_heartbeat_time_ms: int = 0
    heartbeat_details: Sequence[Payload] = ()
    last_worker_identity: str = ""
    last_failure: Failure | None = None
    # The first 5 and the last 20 failed attempts.
    failed_attempts: Sequence[FailedAttempt] = ()
    failed_attempts_count: int = 0
    # Three or more workers in a row were lost while they ran it.
    crashes_worker: bool = False
    # No attached worker serves this type on this queue.
    no_worker: bool = False
    pause: ActivityPause | None = None
    # Those in force.
    options: ActivityTaskOptions | None = None
    # By UpdateActivityOptions.
    options_changed: bool = False
    # It runs in the worker that has the run.
    local: bool = False
    priority: WorkPriority | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            activity_id: str = "",
            activity_type: str = "",
            task_queue: str = "",
            state: int = 0,
            attempt: int = 0,
            maximum_attempts: int = 0,
            scheduled_time_ms: int = 0,
            started_time_ms: int = 0,
            next_attempt_time_ms: int = 0,
            last_heartbeat_time_ms: int = 0,
            heartbeat_details: Sequence[Payload] = (),
            last_worker_identity: str = "",
            last_failure: Failure | None = None,
            failed_attempts: Sequence[FailedAttempt] = (),
            failed_attempts_count: int = 0,
            crashes_worker: bool = False,
            no_worker: bool = False,
            pause: ActivityPause | None = None,
            options: ActivityTaskOptions | None = None,
            options_changed: bool = False,
            local: bool = False,
            priority: WorkPriority | None = None,
        ) -> None: ...


class PendingTimer(Message):
    seq: int = 0
    timer_id: str = ""
    fire_time_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seq: int = 0,
            timer_id: str = "",
            fire_time_ms: int = 0,
        ) -> None: ...


class PendingWorkflowTask(Message):
    state: int = 0
    attempt: int = 0
    scheduled_time_ms: int = 0
    next_attempt_time_ms: int = 0
    identity: str = ""
    last_failure: Failure | None = None
    last_cause: int = 0
    last_diff: NondeterminismDiff | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            state: int = 0,
            attempt: int = 0,
            scheduled_time_ms: int = 0,
            next_attempt_time_ms: int = 0,
            identity: str = "",
            last_failure: Failure | None = None,
            last_cause: int = 0,
            last_diff: NondeterminismDiff | None = None,
        ) -> None: ...


class GetWorkflowResultRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    # The end of this run, also when another follows it in its chain.
    this_run_only: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            this_run_only: bool = False,
        ) -> None: ...


class GetWorkflowResultResponse(Message):
    run_id: str = ""
    status: int = 0
    result: Sequence[Payload] = ()
    failure: Failure | None = None
    # With this_run_only: the run that follows it.
    new_run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            status: int = 0,
            result: Sequence[Payload] = (),
            failure: Failure | None = None,
            new_run_id: str = "",
        ) -> None: ...


class GetHistoryRequest(Message):
    namespace: str = ""
    execution: WorkflowExecution | None = None
    # 0: from the first.
    first_event_id: int = 0
    # Stay until the run closes, and send each event once it is durable.
    follow: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            first_event_id: int = 0,
            follow: bool = False,
        ) -> None: ...


class ListWorkflowsRequest(Message):
    namespace: str = ""
    # A filter, then perhaps ORDER BY and LIMIT: section 17 of proto/README.md.
    query: str = ""
    # 0: all. With LIMIT in the query: the lower one counts.
    limit: int = 0
    # Above 0: the answer is one page of at most so many.
    page_size: int = 0
    # From the page before, with the same query; empty: the first page.
    next_page_token: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            query: str = "",
            limit: int = 0,
            page_size: int = 0,
            next_page_token: bytes = b"",
        ) -> None: ...


class ListWorkflowsResponse(Message):
    workflows: Sequence[WorkflowInfo] = ()
    # In the last message of a page that is not the last one.
    next_page_token: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflows: Sequence[WorkflowInfo] = (),
            next_page_token: bytes = b"",
        ) -> None: ...


class CountWorkflowsRequest(Message):
    namespace: str = ""
    # A filter, then perhaps GROUP BY.
    query: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            query: str = "",
        ) -> None: ...


class CountWorkflowsResponse(Message):
    count: int = 0
    # With GROUP BY: the largest first.
    groups: Sequence[WorkflowGroup] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            count: int = 0,
            groups: Sequence[WorkflowGroup] = (),
        ) -> None: ...


class WorkflowGroup(Message):
    # One for each attribute of GROUP BY, in its order.
    group_values: Sequence[str] = ()
    count: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            group_values: Sequence[str] = (),
            count: int = 0,
        ) -> None: ...


StartWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "workflow_id", "string", False, None, None),
    (3, "workflow_type", "string", False, None, None),
    (4, "task_queue", "string", False, None, None),
    (5, "input", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
    (7, "execution_timeout_ms", "int64", False, None, None),
    (8, "run_timeout_ms", "int64", False, None, None),
    (9, "task_timeout_ms", "int64", False, None, None),
    (10, "id_reuse_policy", "enum", False, None, None),
    (11, "id_conflict_policy", "enum", False, None, None),
    (12, "request_id", "string", False, None, None),
    (13, "identity", "string", False, None, None),
    (14, "user_metadata", "message", False, UserMetadata, None),
    (15, "retry_policy", "message", False, RetryPolicy, None),
    (16, "start_delay_ms", "int64", False, None, None),
    (17, "start_at_time_ms", "int64", False, None, None),
    (18, "cron_schedule", "string", False, None, None),
    (19, "memo", "message", False, Memo, None),
    (20, "search_attributes", "message", False, SearchAttributes, None),
    (21, "cron_time_zone", "string", False, None, None),
    (50, "priority", "message", False, WorkPriority, None),
    (55, "concurrency_key", "string", False, None, None),
)

StartWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "started", "bool", False, None, None),
)

SignalWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "signal_name", "string", False, None, None),
    (4, "input", "message", True, Payload, None),
    (5, "header", "message", False, Header, None),
    (6, "request_id", "string", False, None, None),
    (7, "identity", "string", False, None, None),
)

SignalWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
)

SignalWithStartWorkflowRequest._fields_ = (
    (1, "start", "message", False, StartWorkflowRequest, None),
    (2, "signal_name", "string", False, None, None),
    (3, "signal_input", "message", True, Payload, None),
    (4, "signal_header", "message", False, Header, None),
)

QueryWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "query_type", "string", False, None, None),
    (4, "args", "message", True, Payload, None),
    (5, "header", "message", False, Header, None),
)

QueryWorkflowResponse._fields_ = (
    (1, "result", "message", True, Payload, None),
)

UpdateWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "update_id", "string", False, None, None),
    (4, "update_name", "string", False, None, None),
    (5, "args", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
    (7, "identity", "string", False, None, None),
    (8, "wait_for", "enum", False, None, None),
)

UpdateWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "stage", "enum", False, None, None),
    (3, "outcome", "message", False, UpdateOutcome, None),
    (4, "started", "bool", False, None, None),
)

UpdateWithStartWorkflowRequest._fields_ = (
    (1, "start", "message", False, StartWorkflowRequest, None),
    (2, "update", "message", False, UpdateWorkflowRequest, None),
)

PollUpdateRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "update_id", "string", False, None, None),
    (4, "wait_for", "enum", False, None, None),
)

CancelWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
    (4, "request_id", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

TerminateWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
    (4, "details", "message", True, Payload, None),
    (5, "request_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
)

DeleteWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
    (4, "identity", "string", False, None, None),
)

DeleteWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
)

PauseWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
    (4, "request_id", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

UnpauseWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "reason", "string", False, None, None),
    (4, "request_id", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

WorkflowPoint._fields_ = (
    (1, "kind", "enum", False, None, None),
    (2, "event_id", "int64", False, None, None),
    (3, "activity_type", "string", False, None, None),
)

ResetWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "point", "message", False, WorkflowPoint, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
    (7, "reapply_exclude", "enum", True, None, None),
)

ResetWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
)

ForkWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "point", "message", False, WorkflowPoint, None),
    (4, "workflow_id", "string", False, None, None),
    (5, "id_reuse_policy", "enum", False, None, None),
    (6, "id_conflict_policy", "enum", False, None, None),
    (7, "reason", "string", False, None, None),
    (8, "identity", "string", False, None, None),
    (9, "request_id", "string", False, None, None),
    (10, "reapply_exclude", "enum", True, None, None),
)

ForkWorkflowResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "started", "bool", False, None, None),
)

DescribeWorkflowRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
)

DescribeWorkflowResponse._fields_ = (
    (1, "info", "message", False, WorkflowInfo, None),
    (2, "run_timeout_ms", "int64", False, None, None),
    (3, "task_timeout_ms", "int64", False, None, None),
    (4, "pending_activities", "message", True, PendingActivity, None),
    (5, "pending_timers", "message", True, PendingTimer, None),
    (6, "pending_workflow_task", "message", False, PendingWorkflowTask, None),
    (7, "warnings", "string", True, None, None),
    (8, "cancel_requested", "bool", False, None, None),
    (9, "execution_timeout_ms", "int64", False, None, None),
    (10, "first_run_id", "string", False, None, None),
    (11, "continued_run_id", "string", False, None, None),
    (12, "new_run_id", "string", False, None, None),
    (13, "attempt", "int32", False, None, None),
    (14, "retry_policy", "message", False, RetryPolicy, None),
    (15, "pending_updates", "message", True, PendingUpdate, None),
    (16, "pause", "message", False, PauseInfo, None),
    (17, "current_details", "string", False, None, None),
    (30, "cron_schedule", "string", False, None, None),
    (31, "cron_time_zone", "string", False, None, None),
    (32, "schedule_id", "string", False, None, None),
    (33, "scheduled_time_ms", "int64", False, None, None),
    (40, "pending_children", "message", True, PendingChild, None),
    (41, "parent", "message", False, WorkflowExecution, None),
    (42, "root", "message", False, WorkflowExecution, None),
    (60, "reset_run_id", "string", False, None, None),
    (61, "copy", "message", False, RunCopy, None),
    (70, "priority", "message", False, WorkPriority, None),
    (80, "concurrency_key", "string", False, None, None),
    (81, "permit_time_ms", "int64", False, None, None),
)

PendingChild._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "workflow_type", "string", False, None, None),
    (4, "initiated_event_id", "int64", False, None, None),
    (5, "parent_close_policy", "enum", False, None, None),
    (6, "cancel_requested", "bool", False, None, None),
)

PauseInfo._fields_ = (
    (1, "paused_time_ms", "int64", False, None, None),
    (2, "reason", "string", False, None, None),
    (3, "identity", "string", False, None, None),
)

PendingUpdate._fields_ = (
    (1, "update_id", "string", False, None, None),
    (2, "accepted_event_id", "int64", False, None, None),
)

WorkflowInfo._fields_ = (
    (1, "execution", "message", False, WorkflowExecution, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "task_queue", "string", False, None, None),
    (4, "status", "enum", False, None, None),
    (5, "start_time_ms", "int64", False, None, None),
    (6, "close_time_ms", "int64", False, None, None),
    (7, "history_length", "int64", False, None, None),
    (8, "history_size_bytes", "int64", False, None, None),
    (9, "user_metadata", "message", False, UserMetadata, None),
    (10, "problems", "string", True, None, None),
    (11, "memo", "message", False, Memo, None),
    (12, "search_attributes", "message", False, SearchAttributes, None),
    (30, "waiting_since_time_ms", "int64", False, None, None),
)

PendingActivity._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "task_queue", "string", False, None, None),
    (5, "state", "enum", False, None, None),
    (6, "attempt", "int32", False, None, None),
    (7, "maximum_attempts", "int32", False, None, None),
    (8, "scheduled_time_ms", "int64", False, None, None),
    (9, "started_time_ms", "int64", False, None, None),
    (10, "next_attempt_time_ms", "int64", False, None, None),
    (11, "last_heartbeat_time_ms", "int64", False, None, None),
    (12, "heartbeat_details", "message", True, Payload, None),
    (13, "last_worker_identity", "string", False, None, None),
    (14, "last_failure", "message", False, Failure, None),
    (15, "failed_attempts", "message", True, FailedAttempt, None),
    (16, "failed_attempts_count", "int32", False, None, None),
    (17, "crashes_worker", "bool", False, None, None),
    (18, "no_worker", "bool", False, None, None),
    (19, "pause", "message", False, ActivityPause, None),
    (20, "options", "message", False, ActivityTaskOptions, None),
    (21, "options_changed", "bool", False, None, None),
    (22, "local", "bool", False, None, None),
    (30, "priority", "message", False, WorkPriority, None),
)

PendingTimer._fields_ = (
    (1, "seq", "uint32", False, None, None),
    (2, "timer_id", "string", False, None, None),
    (3, "fire_time_ms", "int64", False, None, None),
)

PendingWorkflowTask._fields_ = (
    (1, "state", "enum", False, None, None),
    (2, "attempt", "int32", False, None, None),
    (3, "scheduled_time_ms", "int64", False, None, None),
    (4, "next_attempt_time_ms", "int64", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "last_failure", "message", False, Failure, None),
    (7, "last_cause", "enum", False, None, None),
    (8, "last_diff", "message", False, NondeterminismDiff, None),
)

GetWorkflowResultRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "this_run_only", "bool", False, None, None),
)

GetWorkflowResultResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "status", "enum", False, None, None),
    (3, "result", "message", True, Payload, None),
    (4, "failure", "message", False, Failure, None),
    (5, "new_run_id", "string", False, None, None),
)

GetHistoryRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "first_event_id", "int64", False, None, None),
    (4, "follow", "bool", False, None, None),
)

ListWorkflowsRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "query", "string", False, None, None),
    (3, "limit", "int64", False, None, None),
    (4, "page_size", "int64", False, None, None),
    (5, "next_page_token", "bytes", False, None, None),
)

ListWorkflowsResponse._fields_ = (
    (1, "workflows", "message", True, WorkflowInfo, None),
    (2, "next_page_token", "bytes", False, None, None),
)

CountWorkflowsRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "query", "string", False, None, None),
)

CountWorkflowsResponse._fields_ = (
    (1, "count", "int64", False, None, None),
    (2, "groups", "message", True, WorkflowGroup, None),
)

WorkflowGroup._fields_ = (
    (1, "group_values", "string", True, None, None),
    (2, "count", "int64", False, None, None),
)


class WorkflowService:
    StartWorkflow = Method(
        "holdfast.v1.WorkflowService/StartWorkflow",
        StartWorkflowRequest,
        StartWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    SignalWorkflow = Method(
        "holdfast.v1.WorkflowService/SignalWorkflow",
        SignalWorkflowRequest,
        SignalWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    SignalWithStartWorkflow = Method(
        "holdfast.v1.WorkflowService/SignalWithStartWorkflow",
        SignalWithStartWorkflowRequest,
        StartWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    QueryWorkflow = Method(
        "holdfast.v1.WorkflowService/QueryWorkflow",
        QueryWorkflowRequest,
        QueryWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Answers when the code has taken the update on, rejected it, or brought it to its end.
    UpdateWorkflow = Method(
        "holdfast.v1.WorkflowService/UpdateWorkflow",
        UpdateWorkflowRequest,
        UpdateWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UpdateWithStartWorkflow = Method(
        "holdfast.v1.WorkflowService/UpdateWithStartWorkflow",
        UpdateWithStartWorkflowRequest,
        UpdateWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    PollUpdate = Method(
        "holdfast.v1.WorkflowService/PollUpdate",
        PollUpdateRequest,
        UpdateWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    CancelWorkflow = Method(
        "holdfast.v1.WorkflowService/CancelWorkflow",
        CancelWorkflowRequest,
        CancelWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    TerminateWorkflow = Method(
        "holdfast.v1.WorkflowService/TerminateWorkflow",
        TerminateWorkflowRequest,
        TerminateWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Keeps the run's tasks back; what comes meanwhile is kept.
    PauseWorkflow = Method(
        "holdfast.v1.WorkflowService/PauseWorkflow",
        PauseWorkflowRequest,
        PauseWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UnpauseWorkflow = Method(
        "holdfast.v1.WorkflowService/UnpauseWorkflow",
        UnpauseWorkflowRequest,
        UnpauseWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Ends the run and lets the workflow go on anew from an earlier point of its history.
    ResetWorkflow = Method(
        "holdfast.v1.WorkflowService/ResetWorkflow",
        ResetWorkflowRequest,
        ResetWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Begins another workflow from a point of the run's history; the run goes on as it is.
    ForkWorkflow = Method(
        "holdfast.v1.WorkflowService/ForkWorkflow",
        ForkWorkflowRequest,
        ForkWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeWorkflow = Method(
        "holdfast.v1.WorkflowService/DescribeWorkflow",
        DescribeWorkflowRequest,
        DescribeWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DeleteWorkflow = Method(
        "holdfast.v1.WorkflowService/DeleteWorkflow",
        DeleteWorkflowRequest,
        DeleteWorkflowResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Waits until the chain of runs has come to its end, or until the request's timeout.
    GetWorkflowResult = Method(
        "holdfast.v1.WorkflowService/GetWorkflowResult",
        GetWorkflowResultRequest,
        GetWorkflowResultResponse,
        client_streaming=False,
        server_streaming=False,
    )
    GetHistory = Method(
        "holdfast.v1.WorkflowService/GetHistory",
        GetHistoryRequest,
        HistoryBatch,
        client_streaming=False,
        server_streaming=True,
    )
    ListWorkflows = Method(
        "holdfast.v1.WorkflowService/ListWorkflows",
        ListWorkflowsRequest,
        ListWorkflowsResponse,
        client_streaming=False,
        server_streaming=True,
    )
    CountWorkflows = Method(
        "holdfast.v1.WorkflowService/CountWorkflows",
        CountWorkflowsRequest,
        CountWorkflowsResponse,
        client_streaming=False,
        server_streaming=False,
    )
