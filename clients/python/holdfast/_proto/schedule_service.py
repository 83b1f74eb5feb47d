"""The messages of schedule_service.proto.

Made by generate_messages.py from proto/holdfast/v1/schedule_service.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from .._core import Message
from .._method import Method
from .common import (
    Header,
    Memo,
    Payload,
    RetryPolicy,
    SearchAttributes,
    UserMetadata,
    WorkPriority,
    WorkflowExecution,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class ScheduleOverlapPolicy(IntEnum):
    """What an action does while a workflow of an earlier one is open."""

    # SKIP; in a trigger and a backfill, the schedule's policy.
    UNSPECIFIED = 0
    # It is not taken.
    SKIP = 1
    # It waits, unless another one does.
    BUFFER_ONE = 2
    # It waits; at most 1,000 do.
    BUFFER_ALL = 3
    # It asks the open workflow to cancel and waits for its end, in place of any that waits so.
    CANCEL_OTHER = 4
    # It terminates the open workflow.
    TERMINATE_OTHER = 5
    # It is taken.
    ALLOW_ALL = 6


class Schedule(Message):
    spec: ScheduleSpec | None = None
    action: ScheduleAction | None = None
    policies: SchedulePolicies | None = None
    state: ScheduleState | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            spec: ScheduleSpec | None = None,
            action: ScheduleAction | None = None,
            policies: SchedulePolicies | None = None,
            state: ScheduleState | None = None,
        ) -> None: ...


class ScheduleSpec(Message):
    """The times: all that any of `calendars`, `crons`, `intervals` and `instants_at_ms` names, less
    those whose wall time an exclusion names. At most 100 of the former, and 100 exclusions.
    """

    calendars: Sequence[CalendarSpec] = ()
    # Five fields (minute, hour, day of month, month, day of week), six with a year behind, seven
    # with a second in front too; @yearly, @monthly, @weekly, @daily, @hourly, @every 1h30m/15m.
    crons: Sequence[str] = ()
    intervals: Sequence[IntervalSpec] = ()
    instants_at_ms: Sequence[int] = ()
    exclusions: Sequence[CalendarSpec] = ()
    # No earlier times, and no later ones. 0: no bound.
    start_at_ms: int = 0
    end_at_ms: int = 0
    # Each action is taken up to so much later than its time, but before the next time; how much
    # follows from the schedule's id and the time.
    jitter_ms: int = 0
    # Of calendars, crons and exclusions: a name of the system's zone directory. Empty: UTC. A time
    # that the zone's clocks skip comes at the next one that they show; one that they show twice
    # comes once, the first time.
    time_zone: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            calendars: Sequence[CalendarSpec] = (),
            crons: Sequence[str] = (),
            intervals: Sequence[IntervalSpec] = (),
            instants_at_ms: Sequence[int] = (),
            exclusions: Sequence[CalendarSpec] = (),
            start_at_ms: int = 0,
            end_at_ms: int = 0,
            jitter_ms: int = 0,
            time_zone: str = "",
        ) -> None: ...


class CalendarSpec(Message):
    """A wall time matches when each of these does. Without ranges a second, a minute and an hour is 0,
    and the others are any.
    """

    seconds: Sequence[CalendarRange] = ()
    minutes: Sequence[CalendarRange] = ()
    hours: Sequence[CalendarRange] = ()
    days_of_month: Sequence[CalendarRange] = ()
    months: Sequence[CalendarRange] = ()
    years: Sequence[CalendarRange] = ()
    # 0 is Sunday, and so is 7.
    days_of_week: Sequence[CalendarRange] = ()
    comment: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            seconds: Sequence[CalendarRange] = (),
            minutes: Sequence[CalendarRange] = (),
            hours: Sequence[CalendarRange] = (),
            days_of_month: Sequence[CalendarRange] = (),
            months: Sequence[CalendarRange] = (),
            years: Sequence[CalendarRange] = (),
            days_of_week: Sequence[CalendarRange] = (),
            comment: str = "",
        ) -> None: ...


class CalendarRange(Message):
    """start, start + step, … up to end."""

    start: int = 0
    # 0: the start.
    end: int = 0
    # 0: 1.
    step: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            start: int = 0,
            end: int = 0,
            step: int = 0,
        ) -> None: ...


class IntervalSpec(Message):
    """Every `every_ms` since the Unix epoch, `phase_ms` later."""

    # At least 1,000.
    every_ms: int = 0
    # Less than every_ms.
    phase_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            every_ms: int = 0,
            phase_ms: int = 0,
        ) -> None: ...


class ScheduleAction(Message):
    """The workflow that is started. Its id is the prefix, a hyphen and the action's time in UTC:
    `report-2026-01-31T12:00:00Z`.
    """

    # Empty: the schedule's id.
    workflow_id_prefix: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    input: Sequence[Payload] = ()
    header: Header | None = None
    execution_timeout_ms: int = 0
    run_timeout_ms: int = 0
    task_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None
    user_metadata: UserMetadata | None = None
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None
    priority: WorkPriority | None = None
    concurrency_key: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_id_prefix: str = "",
            workflow_type: str = "",
            task_queue: str = "",
            input: Sequence[Payload] = (),
            header: Header | None = None,
            execution_timeout_ms: int = 0,
            run_timeout_ms: int = 0,
            task_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
            user_metadata: UserMetadata | None = None,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            priority: WorkPriority | None = None,
            concurrency_key: str = "",
        ) -> None: ...


class SchedulePolicies(Message):
    overlap_policy: int = 0
    # How late an action may be taken, when the engine was away. 0: a year; at least 10,000.
    catchup_window_ms: int = 0
    # A workflow that fails or times out pauses the schedule.
    pause_on_failure: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            overlap_policy: int = 0,
            catchup_window_ms: int = 0,
            pause_on_failure: bool = False,
        ) -> None: ...


class ScheduleState(Message):
    paused: bool = False
    # Why it is paused, or is not.
    note: str = ""
    # Only `remaining_actions` more, each counted when its time comes; those of triggers and backfills
    # do not count.
    limited_actions: bool = False
    remaining_actions: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            paused: bool = False,
            note: str = "",
            limited_actions: bool = False,
            remaining_actions: int = 0,
        ) -> None: ...


class ScheduleInfo(Message):
    """What the schedule has done."""

    # Workflows started.
    action_count: int = 0
    # Times that came when they were older than the catch-up window.
    missed_count: int = 0
    # Actions not taken because of the overlap policy.
    skipped_count: int = 0
    # Actions not taken because too many waited, or too many workflows were open.
    dropped_count: int = 0
    # Actions whose workflow could not be started.
    failed_count: int = 0
    # Its open workflows, each by the first run of its chain; a description shows the first 100.
    running: Sequence[WorkflowExecution] = ()
    # Actions that wait for a workflow to close.
    waiting_count: int = 0
    # The last 10, the oldest first.
    recent_actions: Sequence[ScheduleActionResult] = ()
    # The next 10, by the spec.
    next_action_time_ms: Sequence[int] = ()
    create_time_ms: int = 0
    # 0: it was never updated.
    update_time_ms: int = 0
    # Backfills that are not done.
    backfills: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            action_count: int = 0,
            missed_count: int = 0,
            skipped_count: int = 0,
            dropped_count: int = 0,
            failed_count: int = 0,
            running: Sequence[WorkflowExecution] = (),
            waiting_count: int = 0,
            recent_actions: Sequence[ScheduleActionResult] = (),
            next_action_time_ms: Sequence[int] = (),
            create_time_ms: int = 0,
            update_time_ms: int = 0,
            backfills: int = 0,
        ) -> None: ...


class ScheduleActionResult(Message):
    # The time that the spec names.
    scheduled_time_ms: int = 0
    taken_time_ms: int = 0
    execution: WorkflowExecution | None = None
    # How the workflow ended; RUNNING while it is open.
    status: int = 0
    # Why it could not be started.
    error: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_time_ms: int = 0,
            taken_time_ms: int = 0,
            execution: WorkflowExecution | None = None,
            status: int = 0,
            error: str = "",
        ) -> None: ...


class CreateScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    schedule: Schedule | None = None
    # An action at once, beside those that the times bring.
    trigger_immediately: bool = False
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            schedule: Schedule | None = None,
            trigger_immediately: bool = False,
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class CreateScheduleResponse(Message):
    conflict_token: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            conflict_token: int = 0,
        ) -> None: ...


class DescribeScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
        ) -> None: ...


class DescribeScheduleResponse(Message):
    schedule: Schedule | None = None
    info: ScheduleInfo | None = None
    # For UpdateSchedule.
    conflict_token: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            schedule: Schedule | None = None,
            info: ScheduleInfo | None = None,
            conflict_token: int = 0,
        ) -> None: ...


class ListSchedulesRequest(Message):
    namespace: str = ""
    # Only ids after this one.
    after_schedule_id: str = ""
    # 0: 100; at most 1,000.
    limit: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            after_schedule_id: str = "",
            limit: int = 0,
        ) -> None: ...


class ListSchedulesResponse(Message):
    # By id.
    schedules: Sequence[ScheduleEntry] = ()
    # There are further ones after the last of these.
    more: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            schedules: Sequence[ScheduleEntry] = (),
            more: bool = False,
        ) -> None: ...


class ScheduleEntry(Message):
    schedule_id: str = ""
    workflow_type: str = ""
    paused: bool = False
    note: str = ""
    action_count: int = 0
    # When its next action is due, with its jitter. 0: there is none, or it is paused.
    next_action_time_ms: int = 0
    last_action_time_ms: int = 0
    running_count: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            schedule_id: str = "",
            workflow_type: str = "",
            paused: bool = False,
            note: str = "",
            action_count: int = 0,
            next_action_time_ms: int = 0,
            last_action_time_ms: int = 0,
            running_count: int = 0,
        ) -> None: ...


class UpdateScheduleRequest(Message):
    """Replaces the schedule; what it has done and what waits stays."""

    namespace: str = ""
    schedule_id: str = ""
    schedule: Schedule | None = None
    # Of the description that the update is based on. 0: whatever it is now.
    conflict_token: int = 0
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            schedule: Schedule | None = None,
            conflict_token: int = 0,
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class UpdateScheduleResponse(Message):
    conflict_token: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            conflict_token: int = 0,
        ) -> None: ...


class DeleteScheduleRequest(Message):
    """Its open workflows stay."""

    namespace: str = ""
    schedule_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            identity: str = "",
        ) -> None: ...


class DeleteScheduleResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class PauseScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    note: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            note: str = "",
            identity: str = "",
        ) -> None: ...


class PauseScheduleResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class UnpauseScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    note: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            note: str = "",
            identity: str = "",
        ) -> None: ...


class UnpauseScheduleResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class TriggerScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    overlap_policy: int = 0
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            overlap_policy: int = 0,
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class TriggerScheduleResponse(Message):
    # Of the workflow that is started, or will be when those before it have closed. Empty: the overlap
    # policy leaves it out.
    workflow_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_id: str = "",
        ) -> None: ...


class BackfillScheduleRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    # Both are included.
    start_at_ms: int = 0
    end_at_ms: int = 0
    overlap_policy: int = 0
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            start_at_ms: int = 0,
            end_at_ms: int = 0,
            overlap_policy: int = 0,
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class BackfillScheduleResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ListScheduleMatchingTimesRequest(Message):
    namespace: str = ""
    schedule_id: str = ""
    # Both are included.
    start_at_ms: int = 0
    end_at_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            schedule_id: str = "",
            start_at_ms: int = 0,
            end_at_ms: int = 0,
        ) -> None: ...


class ListScheduleMatchingTimesResponse(Message):
    # At most 1,000, without their jitter.
    matching_time_ms: Sequence[int] = ()
    # There are further ones.
    more: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            matching_time_ms: Sequence[int] = (),
            more: bool = False,
        ) -> None: ...


Schedule._fields_ = (
    (1, "spec", "message", False, ScheduleSpec, None),
    (2, "action", "message", False, ScheduleAction, None),
    (3, "policies", "message", False, SchedulePolicies, None),
    (4, "state", "message", False, ScheduleState, None),
)

ScheduleSpec._fields_ = (
    (1, "calendars", "message", True, CalendarSpec, None),
    (2, "crons", "string", True, None, None),
    (3, "intervals", "message", True, IntervalSpec, None),
    (4, "instants_at_ms", "int64", True, None, None),
    (5, "exclusions", "message", True, CalendarSpec, None),
    (6, "start_at_ms", "int64", False, None, None),
    (7, "end_at_ms", "int64", False, None, None),
    (8, "jitter_ms", "int64", False, None, None),
    (9, "time_zone", "string", False, None, None),
)

CalendarSpec._fields_ = (
    (1, "seconds", "message", True, CalendarRange, None),
    (2, "minutes", "message", True, CalendarRange, None),
    (3, "hours", "message", True, CalendarRange, None),
    (4, "days_of_month", "message", True, CalendarRange, None),
    (5, "months", "message", True, CalendarRange, None),
    (6, "years", "message", True, CalendarRange, None),
    (7, "days_of_week", "message", True, CalendarRange, None),
    (8, "comment", "string", False, None, None),
)

CalendarRange._fields_ = (
    (1, "start", "int32", False, None, None),
    (2, "end", "int32", False, None, None),
    (3, "step", "int32", False, None, None),
)

IntervalSpec._fields_ = (
    (1, "every_ms", "int64", False, None, None),
    (2, "phase_ms", "int64", False, None, None),
)

ScheduleAction._fields_ = (
    (1, "workflow_id_prefix", "string", False, None, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "task_queue", "string", False, None, None),
    (4, "input", "message", True, Payload, None),
    (5, "header", "message", False, Header, None),
    (6, "execution_timeout_ms", "int64", False, None, None),
    (7, "run_timeout_ms", "int64", False, None, None),
    (8, "task_timeout_ms", "int64", False, None, None),
    (9, "retry_policy", "message", False, RetryPolicy, None),
    (10, "user_metadata", "message", False, UserMetadata, None),
    (11, "memo", "message", False, Memo, None),
    (12, "search_attributes", "message", False, SearchAttributes, None),
    (20, "priority", "message", False, WorkPriority, None),
    (25, "concurrency_key", "string", False, None, None),
)

SchedulePolicies._fields_ = (
    (1, "overlap_policy", "enum", False, None, None),
    (2, "catchup_window_ms", "int64", False, None, None),
    (3, "pause_on_failure", "bool", False, None, None),
)

ScheduleState._fields_ = (
    (1, "paused", "bool", False, None, None),
    (2, "note", "string", False, None, None),
    (3, "limited_actions", "bool", False, None, None),
    (4, "remaining_actions", "int64", False, None, None),
)

ScheduleInfo._fields_ = (
    (1, "action_count", "int64", False, None, None),
    (2, "missed_count", "int64", False, None, None),
    (3, "skipped_count", "int64", False, None, None),
    (4, "dropped_count", "int64", False, None, None),
    (5, "failed_count", "int64", False, None, None),
    (6, "running", "message", True, WorkflowExecution, None),
    (7, "waiting_count", "int64", False, None, None),
    (8, "recent_actions", "message", True, ScheduleActionResult, None),
    (9, "next_action_time_ms", "int64", True, None, None),
    (10, "create_time_ms", "int64", False, None, None),
    (11, "update_time_ms", "int64", False, None, None),
    (12, "backfills", "int64", False, None, None),
)

ScheduleActionResult._fields_ = (
    (1, "scheduled_time_ms", "int64", False, None, None),
    (2, "taken_time_ms", "int64", False, None, None),
    (3, "execution", "message", False, WorkflowExecution, None),
    (4, "status", "enum", False, None, None),
    (5, "error", "string", False, None, None),
)

CreateScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "schedule", "message", False, Schedule, None),
    (4, "trigger_immediately", "bool", False, None, None),
    (5, "request_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
)

CreateScheduleResponse._fields_ = (
    (1, "conflict_token", "uint64", False, None, None),
)

DescribeScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
)

DescribeScheduleResponse._fields_ = (
    (1, "schedule", "message", False, Schedule, None),
    (2, "info", "message", False, ScheduleInfo, None),
    (3, "conflict_token", "uint64", False, None, None),
)

ListSchedulesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "after_schedule_id", "string", False, None, None),
    (3, "limit", "int64", False, None, None),
)

ListSchedulesResponse._fields_ = (
    (1, "schedules", "message", True, ScheduleEntry, None),
    (2, "more", "bool", False, None, None),
)

ScheduleEntry._fields_ = (
    (1, "schedule_id", "string", False, None, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "paused", "bool", False, None, None),
    (4, "note", "string", False, None, None),
    (5, "action_count", "int64", False, None, None),
    (6, "next_action_time_ms", "int64", False, None, None),
    (7, "last_action_time_ms", "int64", False, None, None),
    (8, "running_count", "int32", False, None, None),
)

UpdateScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "schedule", "message", False, Schedule, None),
    (4, "conflict_token", "uint64", False, None, None),
    (5, "request_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
)

UpdateScheduleResponse._fields_ = (
    (1, "conflict_token", "uint64", False, None, None),
)

DeleteScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "identity", "string", False, None, None),
)

PauseScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "note", "string", False, None, None),
    (4, "identity", "string", False, None, None),
)

UnpauseScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "note", "string", False, None, None),
    (4, "identity", "string", False, None, None),
)

TriggerScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "overlap_policy", "enum", False, None, None),
    (4, "request_id", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

TriggerScheduleResponse._fields_ = (
    (1, "workflow_id", "string", False, None, None),
)

BackfillScheduleRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "start_at_ms", "int64", False, None, None),
    (4, "end_at_ms", "int64", False, None, None),
    (5, "overlap_policy", "enum", False, None, None),
    (6, "request_id", "string", False, None, None),
    (7, "identity", "string", False, None, None),
)

ListScheduleMatchingTimesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "schedule_id", "string", False, None, None),
    (3, "start_at_ms", "int64", False, None, None),
    (4, "end_at_ms", "int64", False, None, None),
)

ListScheduleMatchingTimesResponse._fields_ = (
    (1, "matching_time_ms", "int64", True, None, None),
    (2, "more", "bool", False, None, None),
)


class ScheduleService:
    CreateSchedule = Method(
        "holdfast.v1.ScheduleService/CreateSchedule",
        CreateScheduleRequest,
        CreateScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeSchedule = Method(
        "holdfast.v1.ScheduleService/DescribeSchedule",
        DescribeScheduleRequest,
        DescribeScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListSchedules = Method(
        "holdfast.v1.ScheduleService/ListSchedules",
        ListSchedulesRequest,
        ListSchedulesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UpdateSchedule = Method(
        "holdfast.v1.ScheduleService/UpdateSchedule",
        UpdateScheduleRequest,
        UpdateScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DeleteSchedule = Method(
        "holdfast.v1.ScheduleService/DeleteSchedule",
        DeleteScheduleRequest,
        DeleteScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    PauseSchedule = Method(
        "holdfast.v1.ScheduleService/PauseSchedule",
        PauseScheduleRequest,
        PauseScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UnpauseSchedule = Method(
        "holdfast.v1.ScheduleService/UnpauseSchedule",
        UnpauseScheduleRequest,
        UnpauseScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # One action now, whatever the times say; also while the schedule is paused.
    TriggerSchedule = Method(
        "holdfast.v1.ScheduleService/TriggerSchedule",
        TriggerScheduleRequest,
        TriggerScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # The actions of a time that has passed, or has not come yet, as if it were now.
    BackfillSchedule = Method(
        "holdfast.v1.ScheduleService/BackfillSchedule",
        BackfillScheduleRequest,
        BackfillScheduleResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListScheduleMatchingTimes = Method(
        "holdfast.v1.ScheduleService/ListScheduleMatchingTimes",
        ListScheduleMatchingTimesRequest,
        ListScheduleMatchingTimesResponse,
        client_streaming=False,
        server_streaming=False,
    )
