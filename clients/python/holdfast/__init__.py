"""Holdfast for Python: start durable workflows, and write the activities that they call."""

from . import activity
from .client import ActivityHandle, Client, IdConflictPolicy, IdReusePolicy, WorkflowHandle
from .description import (
    PendingActivity,
    PendingActivityState,
    WorkflowDescription,
    WorkflowStatus,
)
from .errors import (
    ActivityError,
    AlreadyExistsError,
    ApplicationError,
    CancelledError,
    ClosedError,
    Code,
    DeadlineError,
    FailedPreconditionError,
    FailureError,
    HoldfastError,
    InvalidArgumentError,
    NotFoundError,
    ServerError,
    TerminatedError,
    TimeoutFailureError,
    UnavailableError,
    WorkerLostError,
    WorkflowFailedError,
)
from .payloads import Payload
from .worker import Worker

__version__ = "0.1.0"

__all__ = [
    "ActivityError",
    "ActivityHandle",
    "AlreadyExistsError",
    "ApplicationError",
    "CancelledError",
    "Client",
    "ClosedError",
    "Code",
    "DeadlineError",
    "FailedPreconditionError",
    "FailureError",
    "HoldfastError",
    "IdConflictPolicy",
    "IdReusePolicy",
    "InvalidArgumentError",
    "NotFoundError",
    "Payload",
    "PendingActivity",
    "PendingActivityState",
    "ServerError",
    "TerminatedError",
    "TimeoutFailureError",
    "UnavailableError",
    "Worker",
    "WorkerLostError",
    "WorkflowDescription",
    "WorkflowFailedError",
    "WorkflowHandle",
    "WorkflowStatus",
    "activity",
]
