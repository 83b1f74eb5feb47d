"""The messages of common.proto.

Made by generate_messages.py from proto/holdfast/v1/common.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from .._core import Message
from .frame import (
    MetadataEntry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class SearchAttributeType(IntEnum):
    UNSPECIFIED = 0
    TEXT = 1
    KEYWORD = 2
    INT = 3
    DOUBLE = 4
    BOOL = 5
    DATETIME = 6
    KEYWORD_LIST = 7


class TimeoutType(IntEnum):
    UNSPECIFIED = 0
    START_TO_CLOSE = 1
    SCHEDULE_TO_START = 2
    SCHEDULE_TO_CLOSE = 3
    HEARTBEAT = 4


class RetryState(IntEnum):
    """Why there is no further attempt."""

    UNSPECIFIED = 0
    IN_PROGRESS = 1
    NON_RETRYABLE_FAILURE = 2
    TIMEOUT = 3
    MAXIMUM_ATTEMPTS_REACHED = 4
    RETRY_POLICY_NOT_SET = 5
    INTERNAL_SERVER_ERROR = 6
    CANCEL_REQUESTED = 7


class WorkflowStatus(IntEnum):
    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
    PAUSED = 8


class WorkflowIdReusePolicy(IntEnum):
    """What a start does when a closed run has the same workflow id."""

    # ALLOW_DUPLICATE.
    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class WorkflowIdConflictPolicy(IntEnum):
    """What a start does when an open run has the same workflow id."""

    # FAIL; USE_EXISTING for SignalWithStartWorkflow.
    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3


class ContinueAsNewInitiator(IntEnum):
    """Why a run follows another one in its chain."""

    # It is the first run of its chain.
    UNSPECIFIED = 0
    WORKFLOW = 1
    RETRY = 2
    CRON = 3


class ActivityCancellationType(IntEnum):
    # TRY_CANCEL.
    UNSPECIFIED = 0
    TRY_CANCEL = 1
    WAIT_CANCELLATION_COMPLETED = 2
    ABANDON = 3


class ActivityExhaustion(IntEnum):
    """What becomes of an activity when its attempts are used up."""

    # FAIL.
    UNSPECIFIED = 0
    FAIL = 1
    # It is held, paused, until somebody lets it go on or ends it.
    PAUSE = 2


class ParentClosePolicy(IntEnum):
    """What becomes of a child when its parent's run has closed."""

    # TERMINATE.
    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildCancellationType(IntEnum):
    """What a parent that cancels a child waits for."""

    # WAIT_CANCELLATION_COMPLETED.
    UNSPECIFIED = 0
    # The child is not asked; it counts as canceled at once.
    ABANDON = 1
    # The child is asked, and counts as canceled at once.
    TRY_CANCEL = 2
    # Until the child has come to its end.
    WAIT_CANCELLATION_COMPLETED = 3
    # Until the request has reached the child.
    WAIT_CANCELLATION_REQUESTED = 4


class Payload(Message):
    """A value of the user's. The engine never looks inside `data`."""

    # json/plain, binary/plain, json/protobuf, binary/protobuf, binary/null, or one of the user's own.
    encoding: str = ""
    data: bytes = b""
    # Further metadata, sorted by key.
    metadata: Sequence[MetadataEntry] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            encoding: str = "",
            data: bytes = b"",
            metadata: Sequence[MetadataEntry] = (),
        ) -> None: ...


class PayloadList(Message):
    payloads: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            payloads: Sequence[Payload] = (),
        ) -> None: ...


class PayloadEntry(Message):
    """A named payload; lists of these are sorted by key, without duplicates."""

    key: str = ""
    value: Payload | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            key: str = "",
            value: Payload | None = None,
        ) -> None: ...


class Header(Message):
    fields: Sequence[PayloadEntry] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            fields: Sequence[PayloadEntry] = (),
        ) -> None: ...


class Memo(Message):
    """What is noted of a workflow, for people and for the code itself. Sorted by key. As a change: an
    entry whose value is missing, empty or of the encoding binary/null takes its key away.
    """

    fields: Sequence[PayloadEntry] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            fields: Sequence[PayloadEntry] = (),
        ) -> None: ...


class SearchAttributes(Message):
    """What lists find a workflow by. Sorted by name."""

    fields: Sequence[SearchAttribute] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            fields: Sequence[SearchAttribute] = (),
        ) -> None: ...


class SearchAttribute(Message):
    """A name has one type in all workflows of a namespace: which one the member of `content` says. As a
    change: without a content, or with an empty list, the workflow does not have it any more.
    """

    name: str = ""
    # Words for people: a query names some of them.
    text: str = ""
    # Compared byte by byte.
    keyword: str = ""
    # Equal to each of its members.
    keyword_list: KeywordList | None = None
    int_value: int = 0
    # Finite.
    double_value: float = 0.0
    bool_value: bool = False
    instant_time_ms: int = 0
    # Which of its members is set.
    content: Literal["text", "keyword", "keyword_list", "int_value", "double_value", "bool_value", "instant_time_ms"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            name: str = "",
            text: str = "",
            keyword: str = "",
            keyword_list: KeywordList | None = None,
            int_value: int = 0,
            double_value: float = 0.0,
            bool_value: bool = False,
            instant_time_ms: int = 0,
        ) -> None: ...


class KeywordList(Message):
    keywords: Sequence[str] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            keywords: Sequence[str] = (),
        ) -> None: ...


class CurrentDetails(Message):
    """What a workflow's code has last said of itself, for people; may be empty."""

    text: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            text: str = "",
        ) -> None: ...


class RetryPolicy(Message):
    """interval = initial * coefficient^(attempt - 1), at most maximum_interval_ms; no jitter."""

    # 0: 1,000.
    initial_interval_ms: int = 0
    # 0: 2.0; at least 1.0.
    backoff_coefficient: float = 0.0
    # 0: 100 * initial_interval_ms.
    maximum_interval_ms: int = 0
    # 0: unlimited. Counts the first attempt.
    maximum_attempts: int = 0
    non_retryable_error_types: Sequence[str] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            initial_interval_ms: int = 0,
            backoff_coefficient: float = 0.0,
            maximum_interval_ms: int = 0,
            maximum_attempts: int = 0,
            non_retryable_error_types: Sequence[str] = (),
        ) -> None: ...


class Failure(Message):
    """What went wrong, and what caused it, outermost cause first."""

    info: FailureInfo | None = None
    causes: Sequence[FailureInfo] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            info: FailureInfo | None = None,
            causes: Sequence[FailureInfo] = (),
        ) -> None: ...


class FailureInfo(Message):
    message: str = ""
    # The SDK or part that made the failure.
    source: str = ""
    stack_trace: str = ""
    # Message and stack trace, when a codec encrypts them.
    encoded_attributes: Payload | None = None
    application: ApplicationFailure | None = None
    timeout: TimeoutFailure | None = None
    canceled: CanceledFailure | None = None
    terminated: TerminatedFailure | None = None
    server: ServerFailure | None = None
    activity: ActivityFailure | None = None
    worker_lost: WorkerLostFailure | None = None
    child_workflow: ChildWorkflowFailure | None = None
    # Which of its members is set.
    kind: Literal["application", "timeout", "canceled", "terminated", "server", "activity", "worker_lost", "child_workflow"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            message: str = "",
            source: str = "",
            stack_trace: str = "",
            encoded_attributes: Payload | None = None,
            application: ApplicationFailure | None = None,
            timeout: TimeoutFailure | None = None,
            canceled: CanceledFailure | None = None,
            terminated: TerminatedFailure | None = None,
            server: ServerFailure | None = None,
            activity: ActivityFailure | None = None,
            worker_lost: WorkerLostFailure | None = None,
            child_workflow: ChildWorkflowFailure | None = None,
        ) -> None: ...


class ApplicationFailure(Message):
    """Thrown by the user's code."""

    type: str = ""
    non_retryable: bool = False
    details: Sequence[Payload] = ()
    # Overrides the policy's interval and its cap. 0: unset.
    next_retry_delay_ms: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            type: str = "",
            non_retryable: bool = False,
            details: Sequence[Payload] = (),
            next_retry_delay_ms: int = 0,
        ) -> None: ...


class TimeoutFailure(Message):
    timeout_type: int = 0
    last_heartbeat_details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            timeout_type: int = 0,
            last_heartbeat_details: Sequence[Payload] = (),
        ) -> None: ...


class CanceledFailure(Message):
    details: Sequence[Payload] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            details: Sequence[Payload] = (),
        ) -> None: ...


class TerminatedFailure(Message):
    if TYPE_CHECKING:

        def __init__(self) -> None: ...


class ServerFailure(Message):
    """Made by the engine."""

    non_retryable: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            non_retryable: bool = False,
        ) -> None: ...


class ActivityFailure(Message):
    """Wraps the failure of an activity for the workflow that awaited it."""

    scheduled_event_id: int = 0
    activity_id: str = ""
    activity_type: str = ""
    identity: str = ""
    retry_state: int = 0
    attempt: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            scheduled_event_id: int = 0,
            activity_id: str = "",
            activity_type: str = "",
            identity: str = "",
            retry_state: int = 0,
            attempt: int = 0,
        ) -> None: ...


class ChildWorkflowFailure(Message):
    """Wraps how a child ended for the workflow that awaited it."""

    # The last run of the child's chain.
    execution: WorkflowExecution | None = None
    workflow_type: str = ""
    initiated_event_id: int = 0
    retry_state: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            execution: WorkflowExecution | None = None,
            workflow_type: str = "",
            initiated_event_id: int = 0,
            retry_state: int = 0,
        ) -> None: ...


class WorkerLostFailure(Message):
    """The worker that held the attempt is gone."""

    identity: str = ""
    evidence: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            identity: str = "",
            evidence: str = "",
        ) -> None: ...


class UpdateOutcome(Message):
    """How an update ended."""

    succeeded: PayloadList | None = None
    failed: Failure | None = None
    # Which of its members is set.
    result: Literal["succeeded", "failed"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            succeeded: PayloadList | None = None,
            failed: Failure | None = None,
        ) -> None: ...


class WorkPriority(Message):
    """Which of the work that waits in a task queue goes out first. What is not set, an activity or a
    child has from its workflow; else it is the default.
    """

    # From 1, which goes out first, to 5. 0: unset; the default is 3.
    priority_key: int = 0
    # Work of one priority is shared out between the keys that wait. At most 64 bytes; empty: unset.
    fairness_key: str = ""
    # Of the key: what it gets for each task of a key of weight 1. 0.001 to 1,000; 0: unset; the
    # default is 1.
    fairness_weight: float = 0.0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            priority_key: int = 0,
            fairness_key: str = "",
            fairness_weight: float = 0.0,
        ) -> None: ...


class ActivityPause(Message):
    """Why no attempt of an activity starts."""

    paused_time_ms: int = 0
    reason: str = ""
    identity: str = ""
    # Its attempts are used up.
    exhausted: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            paused_time_ms: int = 0,
            reason: str = "",
            identity: str = "",
            exhausted: bool = False,
        ) -> None: ...


class ActivityTaskOptions(Message):
    """The options that the workflow gave, or that were changed since; missing ones are filled in as
    those of a command.
    """

    task_queue: str = ""
    schedule_to_close_timeout_ms: int = 0
    schedule_to_start_timeout_ms: int = 0
    start_to_close_timeout_ms: int = 0
    heartbeat_timeout_ms: int = 0
    retry_policy: RetryPolicy | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            task_queue: str = "",
            schedule_to_close_timeout_ms: int = 0,
            schedule_to_start_timeout_ms: int = 0,
            start_to_close_timeout_ms: int = 0,
            heartbeat_timeout_ms: int = 0,
            retry_policy: RetryPolicy | None = None,
        ) -> None: ...


class WorkflowExecution(Message):
    """Names a run: the workflow's current run when `run_id` is empty."""

    workflow_id: str = ""
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            workflow_id: str = "",
            run_id: str = "",
        ) -> None: ...


class UserMetadata(Message):
    """Text for people, shown by `describe` and `show`."""

    summary: str = ""
    details: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            summary: str = "",
            details: str = "",
        ) -> None: ...


Payload._fields_ = (
    (1, "encoding", "string", False, None, None),
    (2, "data", "bytes", False, None, None),
    (3, "metadata", "message", True, MetadataEntry, None),
)

PayloadList._fields_ = (
    (1, "payloads", "message", True, Payload, None),
)

PayloadEntry._fields_ = (
    (1, "key", "string", False, None, None),
    (2, "value", "message", False, Payload, None),
)

Header._fields_ = (
    (1, "fields", "message", True, PayloadEntry, None),
)

Memo._fields_ = (
    (1, "fields", "message", True, PayloadEntry, None),
)

SearchAttributes._fields_ = (
    (1, "fields", "message", True, SearchAttribute, None),
)

SearchAttribute._fields_ = (
    (1, "name", "string", False, None, None),
    (2, "text", "string", False, None, "content"),
    (3, "keyword", "string", False, None, "content"),
    (4, "keyword_list", "message", False, KeywordList, "content"),
    (5, "int_value", "int64", False, None, "content"),
    (6, "double_value", "double", False, None, "content"),
    (7, "bool_value", "bool", False, None, "content"),
    (8, "instant_time_ms", "int64", False, None, "content"),
)

KeywordList._fields_ = (
    (1, "keywords", "string", True, None, None),
)

CurrentDetails._fields_ = (
    (1, "text", "string", False, None, None),
)

RetryPolicy._fields_ = (
    (1, "initial_interval_ms", "int64", False, None, None),
    (2, "backoff_coefficient", "double", False, None, None),
    (3, "maximum_interval_ms", "int64", False, None, None),
    (4, "maximum_attempts", "int32", False, None, None),
    (5, "non_retryable_error_types", "string", True, None, None),
)

Failure._fields_ = (
    (1, "info", "message", False, FailureInfo, None),
    (2, "causes", "message", True, FailureInfo, None),
)

FailureInfo._fields_ = (
    (1, "message", "string", False, None, None),
    (2, "source", "string", False, None, None),
    (3, "stack_trace", "string", False, None, None),
    (4, "encoded_attributes", "message", False, Payload, None),
    (5, "application", "message", False, ApplicationFailure, "kind"),
    (6, "timeout", "message", False, TimeoutFailure, "kind"),
    (7, "canceled", "message", False, CanceledFailure, "kind"),
    (8, "terminated", "message", False, TerminatedFailure, "kind"),
    (9, "server", "message", False, ServerFailure, "kind"),
    (10, "activity", "message", False, ActivityFailure, "kind"),
    (11, "worker_lost", "message", False, WorkerLostFailure, "kind"),
    (12, "child_workflow", "message", False, ChildWorkflowFailure, "kind"),
)

ApplicationFailure._fields_ = (
    (1, "type", "string", False, None, None),
    (2, "non_retryable", "bool", False, None, None),
    (3, "details", "message", True, Payload, None),
    (4, "next_retry_delay_ms", "int64", False, None, None),
)

TimeoutFailure._fields_ = (
    (1, "timeout_type", "enum", False, None, None),
    (2, "last_heartbeat_details", "message", True, Payload, None),
)

CanceledFailure._fields_ = (
    (1, "details", "message", True, Payload, None),
)

ServerFailure._fields_ = (
    (1, "non_retryable", "bool", False, None, None),
)

ActivityFailure._fields_ = (
    (1, "scheduled_event_id", "int64", False, None, None),
    (2, "activity_id", "string", False, None, None),
    (3, "activity_type", "string", False, None, None),
    (4, "identity", "string", False, None, None),
    (5, "retry_state", "enum", False, None, None),
    (6, "attempt", "int32", False, None, None),
)

ChildWorkflowFailure._fields_ = (
    (1, "execution", "message", False, WorkflowExecution, None),
    (2, "workflow_type", "string", False, None, None),
    (3, "initiated_event_id", "int64", False, None, None),
    (4, "retry_state", "enum", False, None, None),
)

WorkerLostFailure._fields_ = (
    (1, "identity", "string", False, None, None),
    (2, "evidence", "string", False, None, None),
)

UpdateOutcome._fields_ = (
    (1, "succeeded", "message", False, PayloadList, "result"),
    (2, "failed", "message", False, Failure, "result"),
)

WorkPriority._fields_ = (
    (1, "priority_key", "int32", False, None, None),
    (2, "fairness_key", "string", False, None, None),
    (3, "fairness_weight", "double", False, None, None),
)

ActivityPause._fields_ = (
    (1, "paused_time_ms", "int64", False, None, None),
    (2, "reason", "string", False, None, None),
    (3, "identity", "string", False, None, None),
    (4, "exhausted", "bool", False, None, None),
)

ActivityTaskOptions._fields_ = (
    (1, "task_queue", "string", False, None, None),
    (2, "schedule_to_close_timeout_ms", "int64", False, None, None),
    (3, "schedule_to_start_timeout_ms", "int64", False, None, None),
    (4, "start_to_close_timeout_ms", "int64", False, None, None),
    (5, "heartbeat_timeout_ms", "int64", False, None, None),
    (6, "retry_policy", "message", False, RetryPolicy, None),
)

WorkflowExecution._fields_ = (
    (1, "workflow_id", "string", False, None, None),
    (2, "run_id", "string", False, None, None),
)

UserMetadata._fields_ = (
    (1, "summary", "string", False, None, None),
    (2, "details", "string", False, None, None),
)
