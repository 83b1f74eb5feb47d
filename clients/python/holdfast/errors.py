"""What can go wrong: calls to the engine (HoldfastError) and code that ran (FailureError)."""

from __future__ import annotations

import enum
from datetime import timedelta
from typing import Any


class Code(enum.IntEnum):
    """What a call came to: gRPC's canonical codes, and from 100 those of libholdfast."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16

    DISCONNECTED = 100
    TIMEOUT = 101
    CLOSED = 102
    FORKED = 103
    BAD_ARGUMENT = 104
    OUT_OF_MEMORY = 105
    PROTOCOL_ERROR = 106
    TOO_LARGE = 107
    ALREADY_COMPLETED = 108
    SYSTEM_ERROR = 109

    @classmethod
    def _missing_(cls, value: object) -> Code:
        return cls.UNKNOWN


class HoldfastError(Exception):
    """A call failed."""

    def __init__(
        self,
        message: str,
        *,
        code: Code = Code.UNKNOWN,
        reason: str = "",
        field: str = "",
        retryable: bool = False,
        run_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        """The engine's reason by name, as WORKFLOW_NOT_FOUND; empty when it gave none."""
        self.field = field
        """The field at fault, as a path: retry_policy.maximum_attempts."""
        self.retryable = retryable
        """The same call may succeed later."""
        self.run_id = run_id
        """The run that the error speaks of; may be empty."""

    def __str__(self) -> str:
        text = f"{self.message} ({self.code.name}"
        text += f", {self.reason}" if self.reason else ""
        text += f", field {self.field}" if self.field else ""
        return text + ")"


class InvalidArgumentError(HoldfastError):
    """The request can never succeed as it is."""


class NotFoundError(HoldfastError):
    """No such workflow, activity or namespace."""


class AlreadyExistsError(HoldfastError):
    """The workflow id is taken; run_id says by which run."""


class FailedPreconditionError(HoldfastError):
    """Not in this state: the workflow has closed, …"""


class UnavailableError(HoldfastError):
    """No engine, or no worker for a query."""


class DeadlineError(HoldfastError, TimeoutError):
    """The time given to the call is over; what it asked for may still happen."""


class ClosedError(HoldfastError):
    """The client or worker was closed."""


_CLASSES: dict[Code, type[HoldfastError]] = {
    Code.INVALID_ARGUMENT: InvalidArgumentError,
    Code.BAD_ARGUMENT: InvalidArgumentError,
    Code.NOT_FOUND: NotFoundError,
    Code.ALREADY_EXISTS: AlreadyExistsError,
    Code.FAILED_PRECONDITION: FailedPreconditionError,
    Code.UNAVAILABLE: UnavailableError,
    Code.DISCONNECTED: UnavailableError,
    Code.DEADLINE_EXCEEDED: DeadlineError,
    Code.TIMEOUT: DeadlineError,
    Code.CLOSED: ClosedError,
}


def error_class(code: Code) -> type[HoldfastError]:
    return _CLASSES.get(code, HoldfastError)


class FailureError(Exception):
    """Code that ran for a workflow failed; `__cause__` is the failure that led to this one."""

    def __init__(self, message: str, *, stack_trace: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.stack_trace = stack_trace


class ApplicationError(FailureError):
    """Raise it in an activity to say more about a failure than another exception can."""

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | float | None = None,
        stack_trace: str = "",
    ) -> None:
        super().__init__(message, stack_trace=stack_trace)
        self.type = type if type is not None else self.__class__.__name__
        """The name that retry policies and callers know this kind of failure by."""
        self.non_retryable = non_retryable
        self.next_retry_delay = next_retry_delay
        """Seconds or a timedelta; overrides the retry policy's interval."""
        self.details = list(details)


class CancelledError(FailureError):
    """Cancelled on request. In a synchronous activity, heartbeat() raises it; let it pass."""

    def __init__(self, message: str = "cancelled", *details: Any, stack_trace: str = "") -> None:
        super().__init__(message, stack_trace=stack_trace)
        self.details = list(details)


class TimeoutFailureError(FailureError, TimeoutError):
    """A timeout of an activity or workflow passed."""

    def __init__(self, message: str, *, kind: str = "", stack_trace: str = "") -> None:
        super().__init__(message, stack_trace=stack_trace)
        self.kind = kind
        """START_TO_CLOSE, SCHEDULE_TO_START, SCHEDULE_TO_CLOSE, HEARTBEAT or empty."""


class TerminatedError(FailureError):
    """Somebody ended the workflow at once."""


class ServerError(FailureError):
    """The engine itself made this failure."""


class WorkerLostError(FailureError):
    """The worker that ran the attempt is gone."""


class ActivityError(FailureError):
    """An activity failed for good; `__cause__` says how."""

    def __init__(
        self,
        message: str,
        *,
        activity_id: str = "",
        activity_type: str = "",
        attempt: int = 0,
        stack_trace: str = "",
    ) -> None:
        super().__init__(message, stack_trace=stack_trace)
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.attempt = attempt


class WorkflowFailedError(FailureError):
    """A workflow closed without a result; `__cause__` says why."""

    def __init__(self, message: str, *, workflow_id: str, run_id: str, status: Any) -> None:
        super().__init__(message)
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.status = status

    @property
    def cause(self) -> BaseException | None:
        return self.__cause__
