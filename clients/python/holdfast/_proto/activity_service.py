"""The messages of activity_service.proto.

Made by generate_messages.py from proto/holdfast/v1/activity_service.proto: do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from .._core import Message
from .._method import Method
from .common import (
    ActivityTaskOptions,
    Failure,
    Header,
    Memo,
    Payload,
    SearchAttributes,
    UserMetadata,
    WorkPriority,
    WorkflowExecution,
)
from .history import (
    FailedAttempt,
)
from .workflow_service import (
    PendingActivity,
    WorkflowGroup,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class ActivityReference(Message):
    """By the token of a lease, or by workflow and activity id (the current attempt). Without a workflow
    id: an activity without a workflow, and `execution.run_id` is its run.
    """

    token: bytes = b""
    execution: WorkflowExecution | None = None
    activity_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            token: bytes = b"",
            execution: WorkflowExecution | None = None,
            activity_id: str = "",
        ) -> None: ...


class CompleteActivityRequest(Message):
    namespace: str = ""
    activity: ActivityReference | None = None
    result: Sequence[Payload] = ()
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity: ActivityReference | None = None,
            result: Sequence[Payload] = (),
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class CompleteActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class FailActivityRequest(Message):
    namespace: str = ""
    activity: ActivityReference | None = None
    failure: Failure | None = None
    last_heartbeat_details: Sequence[Payload] = ()
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity: ActivityReference | None = None,
            failure: Failure | None = None,
            last_heartbeat_details: Sequence[Payload] = (),
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class FailActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ReportActivityCancelledRequest(Message):
    namespace: str = ""
    activity: ActivityReference | None = None
    details: Sequence[Payload] = ()
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity: ActivityReference | None = None,
            details: Sequence[Payload] = (),
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class ReportActivityCancelledResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class HeartbeatActivityRequest(Message):
    namespace: str = ""
    activity: ActivityReference | None = None
    details: Sequence[Payload] = ()
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity: ActivityReference | None = None,
            details: Sequence[Payload] = (),
            identity: str = "",
        ) -> None: ...


class HeartbeatActivityResponse(Message):
    cancel_requested: bool = False
    # The attempt counts until it ends; there is no further one while the activity is paused.
    paused: bool = False
    # The attempt counts until it ends; if it fails, the next one is the first.
    reset: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            cancel_requested: bool = False,
            paused: bool = False,
            reset: bool = False,
        ) -> None: ...


class ActivitySelection(Message):
    """The pending activities of one run that are meant: all that match. In a request without a workflow
    id, `activity_id` names an activity without a workflow, and `execution.run_id` its run.
    """

    activity_id: str = ""
    activity_type: str = ""
    all: bool = False
    # Which of its members is set.
    which: Literal["activity_id", "activity_type", "all"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            activity_id: str = "",
            activity_type: str = "",
            all: bool = False,
        ) -> None: ...


class PauseActivityRequest(Message):
    """No attempt starts from now on; one that has started may end. Its schedule-to-start timeout rests,
    its schedule-to-close timeout does not.
    """

    namespace: str = ""
    execution: WorkflowExecution | None = None
    activities: ActivitySelection | None = None
    reason: str = ""
    identity: str = ""
    request_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            activities: ActivitySelection | None = None,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
        ) -> None: ...


class PauseActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class UnpauseActivityRequest(Message):
    """What has waited may start; held activities have one more attempt."""

    namespace: str = ""
    execution: WorkflowExecution | None = None
    activities: ActivitySelection | None = None
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    # The next attempt is the first.
    reset_attempts: bool = False
    # The next attempt is given no heartbeat details.
    reset_heartbeat: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            activities: ActivitySelection | None = None,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            reset_attempts: bool = False,
            reset_heartbeat: bool = False,
        ) -> None: ...


class UnpauseActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ResetActivityRequest(Message):
    """The next attempt is the first, and starts at once; of an activity that has started, when the
    attempt fails.
    """

    namespace: str = ""
    execution: WorkflowExecution | None = None
    activities: ActivitySelection | None = None
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    # The next attempt is given no heartbeat details.
    reset_heartbeat: bool = False
    # A paused activity stays paused.
    keep_paused: bool = False
    restore_original_options: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            activities: ActivitySelection | None = None,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            reset_heartbeat: bool = False,
            keep_paused: bool = False,
            restore_original_options: bool = False,
        ) -> None: ...


class ResetActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class UpdateActivityOptionsRequest(Message):
    """Counts from now on, for an attempt that has started too."""

    namespace: str = ""
    execution: WorkflowExecution | None = None
    activities: ActivitySelection | None = None
    reason: str = ""
    identity: str = ""
    request_id: str = ""
    options: ActivityTaskOptions | None = None
    # The names of the fields of `options` that count; none: those that are not empty.
    update_mask: Sequence[str] = ()
    # Before `options` count.
    restore_original: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            execution: WorkflowExecution | None = None,
            activities: ActivitySelection | None = None,
            reason: str = "",
            identity: str = "",
            request_id: str = "",
            options: ActivityTaskOptions | None = None,
            update_mask: Sequence[str] = (),
            restore_original: bool = False,
        ) -> None: ...


class UpdateActivityOptionsResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class StartActivityRequest(Message):
    """A new run of an activity that belongs to no workflow. Its ids are a space of their own: a workflow
    may have the same id.
    """

    namespace: str = ""
    activity_id: str = ""
    activity_type: str = ""
    # The task queue and one of start_to_close and schedule_to_close are required.
    options: ActivityTaskOptions | None = None
    input: Sequence[Payload] = ()
    header: Header | None = None
    on_exhausted: int = 0
    id_reuse_policy: int = 0
    id_conflict_policy: int = 0
    request_id: str = ""
    identity: str = ""
    user_metadata: UserMetadata | None = None
    # The first attempt waits so long, and the timeouts count from then.
    start_delay_ms: int = 0
    # As start_delay_ms, at an instant; only one of them.
    start_at_time_ms: int = 0
    memo: Memo | None = None
    # A name that nobody has used gets its type by it.
    search_attributes: SearchAttributes | None = None
    priority: WorkPriority | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            activity_type: str = "",
            options: ActivityTaskOptions | None = None,
            input: Sequence[Payload] = (),
            header: Header | None = None,
            on_exhausted: int = 0,
            id_reuse_policy: int = 0,
            id_conflict_policy: int = 0,
            request_id: str = "",
            identity: str = "",
            user_metadata: UserMetadata | None = None,
            start_delay_ms: int = 0,
            start_at_time_ms: int = 0,
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
            priority: WorkPriority | None = None,
        ) -> None: ...


class StartActivityResponse(Message):
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


class DescribeActivityRequest(Message):
    namespace: str = ""
    activity_id: str = ""
    # Empty: the newest run.
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            run_id: str = "",
        ) -> None: ...


class StandaloneActivity(Message):
    activity_id: str = ""
    run_id: str = ""
    activity_type: str = ""
    task_queue: str = ""
    # Never CONTINUED_AS_NEW, and RUNNING while it is paused.
    status: int = 0
    start_time_ms: int = 0
    # 0 while open.
    close_time_ms: int = 0
    user_metadata: UserMetadata | None = None
    # Of an open one: what a person should look at.
    problems: Sequence[str] = ()
    memo: Memo | None = None
    search_attributes: SearchAttributes | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            activity_id: str = "",
            run_id: str = "",
            activity_type: str = "",
            task_queue: str = "",
            status: int = 0,
            start_time_ms: int = 0,
            close_time_ms: int = 0,
            user_metadata: UserMetadata | None = None,
            problems: Sequence[str] = (),
            memo: Memo | None = None,
            search_attributes: SearchAttributes | None = None,
        ) -> None: ...


class DescribeActivityResponse(Message):
    activity: StandaloneActivity | None = None
    # While it is open.
    pending: PendingActivity | None = None
    # The attempt by which it ended, once it has; its fields are empty where none had started.
    last_attempt: FailedAttempt | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            activity: StandaloneActivity | None = None,
            pending: PendingActivity | None = None,
            last_attempt: FailedAttempt | None = None,
        ) -> None: ...


class GetActivityResultRequest(Message):
    namespace: str = ""
    activity_id: str = ""
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            run_id: str = "",
        ) -> None: ...


class GetActivityResultResponse(Message):
    run_id: str = ""
    status: int = 0
    result: Sequence[Payload] = ()
    # With FAILED and TIMED_OUT an ActivityFailure, and below it how the last attempt failed.
    failure: Failure | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
            status: int = 0,
            result: Sequence[Payload] = (),
            failure: Failure | None = None,
        ) -> None: ...


class ListActivitiesRequest(Message):
    namespace: str = ""
    # As of ListWorkflows, with ActivityId and ActivityType.
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


class ListActivitiesResponse(Message):
    activities: Sequence[StandaloneActivity] = ()
    # In the last message of a page that is not the last one.
    next_page_token: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            activities: Sequence[StandaloneActivity] = (),
            next_page_token: bytes = b"",
        ) -> None: ...


class CountActivitiesRequest(Message):
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


class CountActivitiesResponse(Message):
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


class RequestCancelActivityRequest(Message):
    """What has not started ends at once; the worker of one that has is told."""

    namespace: str = ""
    activity_id: str = ""
    run_id: str = ""
    reason: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            run_id: str = "",
            reason: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class RequestCancelActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class TerminateActivityRequest(Message):
    """Ends it at once; its lease is gone."""

    namespace: str = ""
    activity_id: str = ""
    run_id: str = ""
    reason: str = ""
    request_id: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            run_id: str = "",
            reason: str = "",
            request_id: str = "",
            identity: str = "",
        ) -> None: ...


class TerminateActivityResponse(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class DeleteActivityRequest(Message):
    """Removes one run: the one that is named, or the newest. An open one is terminated first."""

    namespace: str = ""
    activity_id: str = ""
    run_id: str = ""
    reason: str = ""
    identity: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            namespace: str = "",
            activity_id: str = "",
            run_id: str = "",
            reason: str = "",
            identity: str = "",
        ) -> None: ...


class DeleteActivityResponse(Message):
    # The run that was removed.
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            run_id: str = "",
        ) -> None: ...


ActivityReference._fields_ = (
    (1, "token", "bytes", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "activity_id", "string", False, None, None),
)

CompleteActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity", "message", False, ActivityReference, None),
    (3, "result", "message", True, Payload, None),
    (4, "identity", "string", False, None, None),
    (5, "request_id", "string", False, None, None),
)

FailActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity", "message", False, ActivityReference, None),
    (3, "failure", "message", False, Failure, None),
    (4, "last_heartbeat_details", "message", True, Payload, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
)

ReportActivityCancelledRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity", "message", False, ActivityReference, None),
    (3, "details", "message", True, Payload, None),
    (4, "identity", "string", False, None, None),
    (5, "request_id", "string", False, None, None),
)

HeartbeatActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity", "message", False, ActivityReference, None),
    (3, "details", "message", True, Payload, None),
    (4, "identity", "string", False, None, None),
)

HeartbeatActivityResponse._fields_ = (
    (1, "cancel_requested", "bool", False, None, None),
    (2, "paused", "bool", False, None, None),
    (3, "reset", "bool", False, None, None),
)

ActivitySelection._fields_ = (
    (1, "activity_id", "string", False, None, "which"),
    (2, "activity_type", "string", False, None, "which"),
    (3, "all", "bool", False, None, "which"),
)

PauseActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "activities", "message", False, ActivitySelection, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
)

UnpauseActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "activities", "message", False, ActivitySelection, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
    (7, "reset_attempts", "bool", False, None, None),
    (8, "reset_heartbeat", "bool", False, None, None),
)

ResetActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "activities", "message", False, ActivitySelection, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
    (7, "reset_heartbeat", "bool", False, None, None),
    (8, "keep_paused", "bool", False, None, None),
    (9, "restore_original_options", "bool", False, None, None),
)

UpdateActivityOptionsRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "execution", "message", False, WorkflowExecution, None),
    (3, "activities", "message", False, ActivitySelection, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "request_id", "string", False, None, None),
    (7, "options", "message", False, ActivityTaskOptions, None),
    (8, "update_mask", "string", True, None, None),
    (9, "restore_original", "bool", False, None, None),
)

StartActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "options", "message", False, ActivityTaskOptions, None),
    (5, "input", "message", True, Payload, None),
    (6, "header", "message", False, Header, None),
    (7, "on_exhausted", "enum", False, None, None),
    (8, "id_reuse_policy", "enum", False, None, None),
    (9, "id_conflict_policy", "enum", False, None, None),
    (10, "request_id", "string", False, None, None),
    (11, "identity", "string", False, None, None),
    (12, "user_metadata", "message", False, UserMetadata, None),
    (13, "start_delay_ms", "int64", False, None, None),
    (14, "start_at_time_ms", "int64", False, None, None),
    (15, "memo", "message", False, Memo, None),
    (16, "search_attributes", "message", False, SearchAttributes, None),
    (50, "priority", "message", False, WorkPriority, None),
)

StartActivityResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "started", "bool", False, None, None),
)

DescribeActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
)

StandaloneActivity._fields_ = (
    (1, "activity_id", "string", False, None, None),
    (2, "run_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "task_queue", "string", False, None, None),
    (5, "status", "enum", False, None, None),
    (6, "start_time_ms", "int64", False, None, None),
    (7, "close_time_ms", "int64", False, None, None),
    (8, "user_metadata", "message", False, UserMetadata, None),
    (9, "problems", "string", True, None, None),
    (10, "memo", "message", False, Memo, None),
    (11, "search_attributes", "message", False, SearchAttributes, None),
)

DescribeActivityResponse._fields_ = (
    (1, "activity", "message", False, StandaloneActivity, None),
    (2, "pending", "message", False, PendingActivity, None),
    (3, "last_attempt", "message", False, FailedAttempt, None),
)

GetActivityResultRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
)

GetActivityResultResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
    (2, "status", "enum", False, None, None),
    (3, "result", "message", True, Payload, None),
    (4, "failure", "message", False, Failure, None),
)

ListActivitiesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "query", "string", False, None, None),
    (3, "limit", "int64", False, None, None),
    (4, "page_size", "int64", False, None, None),
    (5, "next_page_token", "bytes", False, None, None),
)

ListActivitiesResponse._fields_ = (
    (1, "activities", "message", True, StandaloneActivity, None),
    (2, "next_page_token", "bytes", False, None, None),
)

CountActivitiesRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "query", "string", False, None, None),
)

CountActivitiesResponse._fields_ = (
    (1, "count", "int64", False, None, None),
    (2, "groups", "message", True, WorkflowGroup, None),
)

RequestCancelActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
    (4, "reason", "string", False, None, None),
    (5, "request_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
)

TerminateActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
    (4, "reason", "string", False, None, None),
    (5, "request_id", "string", False, None, None),
    (6, "identity", "string", False, None, None),
)

DeleteActivityRequest._fields_ = (
    (1, "namespace", "string", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "run_id", "string", False, None, None),
    (4, "reason", "string", False, None, None),
    (5, "identity", "string", False, None, None),
)

DeleteActivityResponse._fields_ = (
    (1, "run_id", "string", False, None, None),
)


class ActivityService:
    CompleteActivity = Method(
        "holdfast.v1.ActivityService/CompleteActivity",
        CompleteActivityRequest,
        CompleteActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    FailActivity = Method(
        "holdfast.v1.ActivityService/FailActivity",
        FailActivityRequest,
        FailActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ReportActivityCancelled = Method(
        "holdfast.v1.ActivityService/ReportActivityCancelled",
        ReportActivityCancelledRequest,
        ReportActivityCancelledResponse,
        client_streaming=False,
        server_streaming=False,
    )
    HeartbeatActivity = Method(
        "holdfast.v1.ActivityService/HeartbeatActivity",
        HeartbeatActivityRequest,
        HeartbeatActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    PauseActivity = Method(
        "holdfast.v1.ActivityService/PauseActivity",
        PauseActivityRequest,
        PauseActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UnpauseActivity = Method(
        "holdfast.v1.ActivityService/UnpauseActivity",
        UnpauseActivityRequest,
        UnpauseActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ResetActivity = Method(
        "holdfast.v1.ActivityService/ResetActivity",
        ResetActivityRequest,
        ResetActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    UpdateActivityOptions = Method(
        "holdfast.v1.ActivityService/UpdateActivityOptions",
        UpdateActivityOptionsRequest,
        UpdateActivityOptionsResponse,
        client_streaming=False,
        server_streaming=False,
    )
    StartActivity = Method(
        "holdfast.v1.ActivityService/StartActivity",
        StartActivityRequest,
        StartActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DescribeActivity = Method(
        "holdfast.v1.ActivityService/DescribeActivity",
        DescribeActivityRequest,
        DescribeActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    # Waits until the activity has come to its end.
    GetActivityResult = Method(
        "holdfast.v1.ActivityService/GetActivityResult",
        GetActivityResultRequest,
        GetActivityResultResponse,
        client_streaming=False,
        server_streaming=False,
    )
    ListActivities = Method(
        "holdfast.v1.ActivityService/ListActivities",
        ListActivitiesRequest,
        ListActivitiesResponse,
        client_streaming=False,
        server_streaming=True,
    )
    CountActivities = Method(
        "holdfast.v1.ActivityService/CountActivities",
        CountActivitiesRequest,
        CountActivitiesResponse,
        client_streaming=False,
        server_streaming=False,
    )
    RequestCancelActivity = Method(
        "holdfast.v1.ActivityService/RequestCancelActivity",
        RequestCancelActivityRequest,
        RequestCancelActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    TerminateActivity = Method(
        "holdfast.v1.ActivityService/TerminateActivity",
        TerminateActivityRequest,
        TerminateActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
    DeleteActivity = Method(
        "holdfast.v1.ActivityService/DeleteActivity",
        DeleteActivityRequest,
        DeleteActivityResponse,
        client_streaming=False,
        server_streaming=False,
    )
