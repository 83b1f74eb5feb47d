"""What a client raises beside RPCError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import ActivityError, HoldfastError, RetryState
from ..service import RPCError

if TYPE_CHECKING:
    from ..activity import ActivityCancellationDetails
    from ..common import QueryRejectCondition
    from ..service import RPCStatusCode
    from ._executions import WorkflowExecutionStatus


class WorkflowFailureError(HoldfastError):
    """A workflow has ended without a result; `cause` says how."""

    def __init__(self, *, cause: BaseException) -> None:
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__


class ActivityFailureError(HoldfastError):
    """An activity without a workflow has ended without a result; `cause` says how."""

    def __init__(self, *, cause: BaseException, retry_state: RetryState | None = None) -> None:
        super().__init__("Activity execution failed")
        self.__cause__ = cause
        self.retry_state = retry_state
        """Why there was no further attempt; None of one that was cancelled or terminated."""

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__

    @staticmethod
    def _of(ending: BaseException) -> ActivityFailureError:
        """Of the engine's word, where an ActivityError stands around that of the last attempt."""
        if isinstance(ending, ActivityError) and ending.cause is not None:
            return ActivityFailureError(cause=ending.cause, retry_state=ending.retry_state)
        return ActivityFailureError(cause=ending)


class WorkflowContinuedAsNewError(HoldfastError):
    """The run that was waited for goes on as another one."""

    def __init__(self, new_execution_run_id: str) -> None:
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        return self._new_execution_run_id


class WorkflowQueryRejectedError(HoldfastError):
    """The workflow's status is one of which queries were not to be answered."""

    def __init__(
        self, status: WorkflowExecutionStatus | None, condition: QueryRejectCondition
    ) -> None:
        name = status.name if status is not None else "unknown"
        super().__init__(f"Query rejected: the workflow is {name}, asked for {condition.name}")
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        return self._status


class WorkflowQueryFailedError(HoldfastError):
    """The query's handler raised an error, or there is none of this name."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        return self._message


class WorkflowUpdateFailedError(HoldfastError):
    """An update was rejected, or its handler has failed; `cause` says how."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        assert self.__cause__ is not None
        return self.__cause__


class RPCTimeoutOrCancelledError(HoldfastError):
    """A call's time was over, or it was given up, before the engine had answered."""


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """The wait for an update was over before the update had come so far; the update goes on."""

    def __init__(self) -> None:
        super().__init__("Timeout or cancellation waiting for update")


class AsyncActivityCancelledError(HoldfastError):
    """The activity that was heartbeated from elsewhere should stop."""

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        super().__init__("Activity cancelled")
        self.details = details


class ScheduleAlreadyRunningError(HoldfastError):
    """There is a schedule with this id."""

    def __init__(self) -> None:
        super().__init__("Schedule already running")


def is_status(error: RPCError, status: RPCStatusCode, *reasons: Any) -> bool:
    return error.status == status and (not reasons or error.reason in reasons)
