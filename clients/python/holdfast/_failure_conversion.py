"""Errors as failures and back: one FailureInfo for each error of the chain of causes."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import _messages as proto
from . import exceptions as errors
from ._core import Message
from .common import from_ms, to_ms

if TYPE_CHECKING:
    from .converter import PayloadConverter

SOURCE = "PythonSDK"
# A chain of causes that is longer, or goes in a ring, ends here.
CAUSES_MAX = 50


def encode_failure(exception: BaseException, converter: PayloadConverter) -> proto.Failure:
    """An error that came as a failure goes on as that failure."""
    if isinstance(exception, errors.FailureError) and exception.failure is not None:
        return exception.failure
    infos: list[proto.FailureInfo] = []
    error: BaseException | None = exception
    while error is not None and len(infos) < CAUSES_MAX:
        if isinstance(error, errors.FailureError) and error.failure is not None:
            received = error.failure
            infos += [received.info or proto.FailureInfo(), *received.causes]
            break
        infos.append(_encode(error, converter))
        error = _cause(error)
    return proto.Failure(info=infos[0], causes=infos[1 : CAUSES_MAX + 1])


def _cause(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _encode(error: BaseException, converter: PayloadConverter) -> proto.FailureInfo:
    trace = "".join(traceback.format_tb(error.__traceback__))
    message = error.message if isinstance(error, errors.FailureError) else str(error)
    kind, content = _content(error, converter)
    return proto.FailureInfo(
        message=message or ("Cancelled" if kind == "canceled" else ""),
        source=SOURCE,
        stack_trace=trace,
        **{kind: content},  # type: ignore[arg-type]
    )


def _content(error: BaseException, converter: PayloadConverter) -> tuple[str, Message]:
    """What kind of failure the error is, and what belongs to that kind."""
    match error:
        case errors.ApplicationError():
            return "application", proto.ApplicationFailure(
                type=error.type or "",
                non_retryable=error.non_retryable,
                details=converter.to_payloads(error.details),
                next_retry_delay_ms=to_ms(error.next_retry_delay),
            )
        case errors.TimeoutError():
            return "timeout", proto.TimeoutFailure(
                timeout_type=error.type or 0,
                last_heartbeat_details=converter.to_payloads(error.last_heartbeat_details),
            )
        case errors.CancelledError():
            return "canceled", proto.CanceledFailure(details=converter.to_payloads(error.details))
        case asyncio.CancelledError():
            return "canceled", proto.CanceledFailure()
        case errors.TerminatedError():
            return "terminated", proto.TerminatedFailure()
        case errors.ServerError():
            return "server", proto.ServerFailure(non_retryable=error.non_retryable)
        case errors.ActivityError():
            return "activity", proto.ActivityFailure(
                scheduled_event_id=error.scheduled_event_id,
                activity_id=error.activity_id,
                activity_type=error.activity_type,
                identity=error.identity,
                retry_state=error.retry_state or 0,
            )
        case errors.ChildWorkflowError():
            execution = proto.WorkflowExecution(workflow_id=error.workflow_id, run_id=error.run_id)
            return "child_workflow", proto.ChildWorkflowFailure(
                execution=execution,
                workflow_type=error.workflow_type,
                initiated_event_id=error.initiated_event_id,
                retry_state=error.retry_state or 0,
            )
        case _:
            return "application", proto.ApplicationFailure(type=type(error).__name__)


def decode_failure(failure: proto.Failure, converter: PayloadConverter) -> errors.FailureError:
    """The outermost error, with the others as its causes."""
    infos = [failure.info or proto.FailureInfo(), *failure.causes]
    error: errors.FailureError | None = None
    for place in reversed(range(len(infos))):
        inner, error = error, _decode(infos[place], converter)
        error.__cause__ = inner
        error._failure = proto.Failure(info=infos[place], causes=infos[place + 1 :])
    assert error is not None
    return error


def _decode(info: proto.FailureInfo, converter: PayloadConverter) -> errors.FailureError:
    message = info.message
    if info.encoded_attributes is not None:
        hidden = converter.from_payload(info.encoded_attributes)
        if isinstance(hidden, dict):
            message = str(hidden.get("message", message))
            info.message = message
            info.stack_trace = str(hidden.get("stack_trace", ""))
            info.encoded_attributes = None
    match info.kind:
        case "application" if info.application is not None:
            application = info.application
            return errors.ApplicationError(
                message,
                *_values(application.details, converter),
                type=application.type or None,
                non_retryable=application.non_retryable,
                next_retry_delay=from_ms(application.next_retry_delay_ms),
            )
        case "timeout" if info.timeout is not None:
            kind = info.timeout.timeout_type
            return errors.TimeoutError(
                message,
                type=errors.TimeoutType(kind) if kind else None,
                last_heartbeat_details=_values(info.timeout.last_heartbeat_details, converter),
            )
        case "canceled" if info.canceled is not None:
            return errors.CancelledError(message, *_values(info.canceled.details, converter))
        case "terminated":
            return errors.TerminatedError(message)
        case "server" if info.server is not None:
            return errors.ServerError(message, non_retryable=info.server.non_retryable)
        case "worker_lost" if info.worker_lost is not None:
            lost = info.worker_lost
            return errors.WorkerLostError(message, identity=lost.identity, evidence=lost.evidence)
        case "activity" if info.activity is not None:
            return _activity_error(message, info.activity)
        case "child_workflow" if info.child_workflow is not None:
            return _child_error(message, info.child_workflow)
        case _:
            return errors.FailureError(message)


def _values(payloads: Sequence[proto.Payload], converter: PayloadConverter) -> list[Any]:
    return converter.from_payloads(payloads)


def _state(state: int) -> errors.RetryState | None:
    return errors.RetryState(state) if state else None


def _activity_error(message: str, activity: proto.ActivityFailure) -> errors.ActivityError:
    return errors.ActivityError(
        message,
        scheduled_event_id=activity.scheduled_event_id,
        started_event_id=0,
        identity=activity.identity,
        activity_type=activity.activity_type,
        activity_id=activity.activity_id,
        retry_state=_state(activity.retry_state),
    )


def _child_error(message: str, child: proto.ChildWorkflowFailure) -> errors.ChildWorkflowError:
    execution = child.execution or proto.WorkflowExecution()
    return errors.ChildWorkflowError(
        message,
        namespace="",
        workflow_id=execution.workflow_id,
        run_id=execution.run_id,
        workflow_type=child.workflow_type,
        initiated_event_id=child.initiated_event_id,
        started_event_id=0,
        retry_state=_state(child.retry_state),
    )
