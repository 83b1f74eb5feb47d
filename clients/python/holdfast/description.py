"""What the engine tells about a workflow."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timezone

from ._wire import Message


class WorkflowStatus(enum.IntEnum):
    UNSPECIFIED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
    PAUSED = 8

    @classmethod
    def _missing_(cls, value: object) -> WorkflowStatus:
        return cls.UNSPECIFIED


class PendingActivityState(enum.IntEnum):
    UNSPECIFIED = 0
    SCHEDULED = 1
    STARTED = 2
    BACKING_OFF = 3
    CANCEL_REQUESTED = 4

    @classmethod
    def _missing_(cls, value: object) -> PendingActivityState:
        return cls.UNSPECIFIED


@dataclass(frozen=True)
class PendingActivity:
    activity_id: str
    activity_type: str
    task_queue: str
    state: PendingActivityState
    attempt: int
    next_attempt_time: datetime | None
    last_worker_identity: str
    last_failure: str
    """Its message; empty when no attempt failed yet."""
    no_worker: bool
    """No attached worker serves this type on this queue."""


@dataclass(frozen=True)
class WorkflowDescription:
    workflow_id: str
    run_id: str
    workflow_type: str
    task_queue: str
    status: WorkflowStatus
    start_time: datetime
    close_time: datetime | None
    history_length: int
    cancel_requested: bool
    pending_activities: list[PendingActivity]
    warnings: list[str]
    """What keeps the run from going on, in words."""


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)


def _optional_instant(milliseconds: int) -> datetime | None:
    return _instant(milliseconds) if milliseconds else None


def _pending_activity(message: Message) -> PendingActivity:
    return PendingActivity(
        activity_id=message.text(2),
        activity_type=message.text(3),
        task_queue=message.text(4),
        state=PendingActivityState(message.number(5)),
        attempt=message.number(6),
        next_attempt_time=_optional_instant(message.number(10)),
        last_worker_identity=message.text(13),
        last_failure=message.message(14).message(1).text(1),
        no_worker=bool(message.number(18)),
    )


def parse(data: bytes) -> WorkflowDescription:
    """Reads a holdfast.v1.DescribeWorkflowResponse."""
    response = Message(data)
    info = response.message(1)
    execution = info.message(1)
    return WorkflowDescription(
        workflow_id=execution.text(1),
        run_id=execution.text(2),
        workflow_type=info.text(2),
        task_queue=info.text(3),
        status=WorkflowStatus(info.number(4)),
        start_time=_instant(info.number(5)),
        close_time=_optional_instant(info.number(6)),
        history_length=info.number(7),
        cancel_requested=bool(response.number(8)),
        pending_activities=[_pending_activity(message) for message in response.messages(4)],
        warnings=response.texts(7),
    )
