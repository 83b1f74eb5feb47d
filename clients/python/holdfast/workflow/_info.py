"""What workflow code can ask of its run: what it is, how it began, and how it is being ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from .._run.guard import freely
from .._run.handlers import current_update
from .._run.headers import headers_of
from ..common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    from_instant_ms,
    from_ms,
)
from ..converter import PayloadConverter
from ._runtime import current, maybe_current

if TYPE_CHECKING:
    from .._run.run import WorkflowRun


@dataclass(frozen=True)
class ParentInfo:
    """The run that started this one as its child."""

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The run at the root of all parents."""

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class UpdateInfo:
    """The update whose handler or validator is running."""

    id: str
    name: str


@dataclass(frozen=True)
class Info:
    """What a run is, as it began."""

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, proto.Payload]
    namespace: str
    original_execution_run_id: str
    parent: ParentInfo | None
    priority: Priority
    raw_memo: Mapping[str, proto.Payload]
    retry_policy: RetryPolicy | None
    root: RootInfo | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: SearchAttributes
    start_time: datetime
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def get_current_history_length(self) -> int:
        """Events up to this task."""
        return current().history_length

    def get_current_history_size(self) -> int:
        """Their bytes."""
        return current().history_size

    def is_continue_as_new_suggested(self) -> bool:
        """The history is long by now."""
        return current().continue_as_new_suggested

    def get_current_build_id(self) -> str:
        """Empty: a worker of Holdfast has no build id that its workflows could go by."""
        return ""

    def get_current_deployment_version(self) -> None:
        """None: workers of Holdfast have no versions of deployments."""

    def is_target_worker_deployment_version_changed(self) -> bool:
        """False: workers of Holdfast have no versions of deployments."""
        return False


def info() -> Info:
    """Of the run whose code this is."""
    run = current()
    return info_of(run) if run.outbound is None else run.outbound.info()


def info_of(run: WorkflowRun) -> Info:
    """Behind the interceptors."""
    begin, identity = run.beginning, run.identity
    policy = begin.retry_policy
    parent, root = begin.parent, begin.root
    start = from_instant_ms(begin.start_time_ms)
    attributes = run.notes.search_attributes
    return Info(
        attempt=begin.attempt,
        continued_run_id=begin.continued_run_id or None,
        cron_schedule=None,
        execution_timeout=from_ms(begin.execution_timeout_ms),
        first_execution_run_id=begin.first_run_id,
        headers=headers_of(begin.header),
        namespace=identity.namespace,
        original_execution_run_id=identity.run_id,
        parent=ParentInfo(identity.namespace, parent.run_id, parent.workflow_id)
        if parent is not None
        else None,
        priority=Priority.default,
        raw_memo=dict(run.notes.memo),
        retry_policy=RetryPolicy._from_proto(policy) if policy is not None else None,
        root=RootInfo(root.run_id, root.workflow_id) if root is not None else None,
        run_id=identity.run_id,
        run_timeout=from_ms(begin.run_timeout_ms),
        search_attributes=_untyped(attributes),
        start_time=start,
        task_queue=identity.task_queue,
        task_timeout=timedelta(milliseconds=identity.task_timeout_ms),
        typed_search_attributes=attributes,
        workflow_id=identity.workflow_id,
        workflow_start_time=start,
        workflow_type=identity.workflow_type,
    )


def _untyped(attributes: TypedSearchAttributes) -> SearchAttributes:
    return {
        pair.key.name: list(pair.value) if isinstance(pair.value, list) else [pair.value]
        for pair in attributes
    }


def in_workflow() -> bool:
    """Whether this is called from workflow code."""
    return maybe_current() is not None


def instance() -> Any:
    """The object of the workflow's class."""
    return current().instance


def current_update_info() -> UpdateInfo | None:
    """None outside the handler and the validator of an update."""
    current()
    update = current_update.get()
    return None if update is None else UpdateInfo(*update)


# MARK: How it began


def has_last_completion_result() -> bool:
    """Whether an earlier run of the chain has completed with a result."""
    last = current().beginning.last_completion_result
    return last is not None and bool(last.payloads)


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """The result of the last run of the chain that has completed; None without one."""
    run = current()
    last = run.beginning.last_completion_result
    if last is None or not last.payloads:
        return None
    return run.payloads.from_payload(last.payloads[0], type_hint)


def get_last_failure() -> BaseException | None:
    """Why the last run of the chain has failed; None if it has not."""
    run = current()
    failure = run.beginning.continued_failure
    return None if failure is None else run.failures.from_failure(failure, run.payloads)


# MARK: How it ends


def cancellation_reason() -> str | None:
    """What was said when the workflow was cancelled, maybe nothing; None: it was not."""
    return current().cancellation_reason


def is_failure_exception(err: BaseException) -> bool:
    """Whether the error, when the code raises it, fails the workflow and not only the task."""
    return current().is_failure(err)


# MARK: Its worker


def payload_converter() -> PayloadConverter:
    """What turns values into payloads and back, for handlers of everything."""
    return current().payloads


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """What the worker's interceptors have put there for workflow code: it may do everything."""
    return {name: freely(one) for name, one in current().extern_functions.items()}
