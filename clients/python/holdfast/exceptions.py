"""What goes wrong in workflows and activities, and what a caller is told of it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from . import _messages as proto


class HoldfastError(Exception):
    """The base of all errors of this package."""

    @property
    def cause(self) -> BaseException | None:
        """What caused it: the same as `__cause__`."""
        return self.__cause__


# The name that programs written for Temporal's SDK use.
TemporalError = HoldfastError


class FailureError(HoldfastError):
    """An error that travels: thrown here, it is a failure there, and an error again."""

    def __init__(
        self,
        message: str,
        *,
        failure: proto.Failure | None = None,
        exc_args: tuple[Any, ...] | None = None,
    ) -> None:
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure

    @property
    def message(self) -> str:
        return self._message

    @property
    def failure(self) -> proto.Failure | None:
        """As it was received; None for one that was made here."""
        return self._failure

    def __str__(self) -> str:
        return self._message


class WorkflowAlreadyStartedError(FailureError):
    """A workflow with this id is running, or was, and the policy does not allow another."""

    def __init__(self, workflow_id: str, workflow_type: str, *, run_id: str | None = None) -> None:
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id


class ActivityAlreadyStartedError(FailureError):
    """An activity without a workflow has this id, or had it, and the policy allows no other."""

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class ApplicationErrorCategory(enum.IntEnum):
    """How severe an application error is; it changes the level of what is logged."""

    UNSPECIFIED = 0
    BENIGN = 1


class ApplicationError(FailureError):
    """The user's own error. Raised in a workflow it fails that; in an activity, the attempt.

    details: values for whoever gets it. type: a name that retry policies match. non_retryable: no
    policy tries it again. next_retry_delay: overrides the policy's interval for the next attempt.
    """

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        super().__init__(message, exc_args=(message if not type else f"{type}: {message}",))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        return self._details

    @property
    def type(self) -> str | None:
        return self._type

    @property
    def non_retryable(self) -> bool:
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        return self._category

    def __str__(self) -> str:
        return f"{self._type}: {self._message}" if self._type else self._message


class CancelledError(FailureError):
    """Something was cancelled, and says so as a failure."""

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        super().__init__(message, exc_args=(message, *details))
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        return self._details


class TerminatedError(FailureError):
    """Somebody has ended the workflow without asking its code."""

    def __init__(self, message: str, *details: Any) -> None:
        super().__init__(message, exc_args=(message, *details))
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        return self._details


class TimeoutType(enum.IntEnum):
    """Which of the times was over."""

    START_TO_CLOSE = proto.TimeoutType.START_TO_CLOSE
    SCHEDULE_TO_START = proto.TimeoutType.SCHEDULE_TO_START
    SCHEDULE_TO_CLOSE = proto.TimeoutType.SCHEDULE_TO_CLOSE
    HEARTBEAT = proto.TimeoutType.HEARTBEAT


class TimeoutError(FailureError):
    """A time that an activity or a workflow had is over."""

    def __init__(
        self,
        message: str,
        *,
        type: TimeoutType | None,
        last_heartbeat_details: Sequence[Any],
    ) -> None:
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        return self._last_heartbeat_details


class ServerError(FailureError):
    """The engine's own failure."""

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        super().__init__(message)
        self._non_retryable = non_retryable

    @property
    def non_retryable(self) -> bool:
        return self._non_retryable


class WorkerLostError(FailureError):
    """The worker that held an attempt is gone; `evidence` says how the engine knows."""

    def __init__(self, message: str, *, identity: str, evidence: str) -> None:
        super().__init__(message)
        self.identity = identity
        self.evidence = evidence


class RetryState(enum.IntEnum):
    """Why there is no further attempt."""

    IN_PROGRESS = proto.RetryState.IN_PROGRESS
    NON_RETRYABLE_FAILURE = proto.RetryState.NON_RETRYABLE_FAILURE
    TIMEOUT = proto.RetryState.TIMEOUT
    MAXIMUM_ATTEMPTS_REACHED = proto.RetryState.MAXIMUM_ATTEMPTS_REACHED
    RETRY_POLICY_NOT_SET = proto.RetryState.RETRY_POLICY_NOT_SET
    INTERNAL_SERVER_ERROR = proto.RetryState.INTERNAL_SERVER_ERROR
    CANCEL_REQUESTED = proto.RetryState.CANCEL_REQUESTED


class ActivityError(FailureError):
    """An activity has ended without a result; `cause` is what went wrong in it."""

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state

    @property
    def scheduled_event_id(self) -> int:
        return self._scheduled_event_id

    @property
    def started_event_id(self) -> int:
        return self._started_event_id

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def activity_type(self) -> str:
        return self._activity_type

    @property
    def activity_id(self) -> str:
        return self._activity_id

    @property
    def retry_state(self) -> RetryState | None:
        return self._retry_state


class ChildWorkflowError(FailureError):
    """A child has ended without a result, or was not started; `cause` is what went wrong in it."""

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def workflow_id(self) -> str:
        return self._workflow_id

    @property
    def run_id(self) -> str:
        return self._run_id

    @property
    def workflow_type(self) -> str:
        return self._workflow_type

    @property
    def initiated_event_id(self) -> int:
        return self._initiated_event_id

    @property
    def started_event_id(self) -> int:
        return self._started_event_id

    @property
    def retry_state(self) -> RetryState | None:
        return self._retry_state


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether it says that something was cancelled, by itself or through an activity or a child."""
    return isinstance(exception, (asyncio.CancelledError, CancelledError)) or (
        isinstance(exception, (ActivityError, ChildWorkflowError))
        and isinstance(exception.cause, CancelledError)
    )
