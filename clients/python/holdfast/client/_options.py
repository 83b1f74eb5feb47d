"""The options of a start, and the names of what a client calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from .. import _messages as proto
from ..common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
    to_instant_ms,
    to_ms,
    typed_search_attributes,
)
from ..converter import DataConverter
from ..service import RPCMetadata
from ..workflow._children import workflow_named
from ..workflow._definition import QUERY, UpdateMethod
from ._interceptor import Headers, StartWorkflowInput


class WithStartOptions(TypedDict, total=False):
    """How a workflow is started, beside its id, its task queue, and the policy of its id.

    The timeouts are those of the whole chain of runs, of one run, and of one workflow task.
    start_signal: a signal that goes to the workflow in the same step, also to one that is open.
    start_delay and start_at: its first task comes that much later, or then. cron_schedule: each run
    is followed by another; cron_time_zone: a name like Europe/Berlin, UTC if empty.
    concurrency_key: the limit of its type is for each key. request_id: a start with the same one
    has the same outcome. result_type: of a workflow that is named by a string. rpc_timeout: of
    this call.
    """

    result_type: type | None
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    cron_time_zone: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    start_at: datetime | None
    start_signal: str | None
    start_signal_args: Sequence[Any]
    priority: Priority
    concurrency_key: str
    request_id: str
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None
    # Taken for programs that set them; they change nothing here.
    request_eager_start: bool
    stack_level: int


class StartWorkflowOptions(WithStartOptions, total=False):
    """WithStartOptions, and what becomes of an open workflow with the same id."""

    id_conflict_policy: WorkflowIDConflictPolicy


_DEFAULTS: dict[str, Any] = {
    "execution_timeout": None,
    "run_timeout": None,
    "task_timeout": None,
    "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    "id_conflict_policy": WorkflowIDConflictPolicy.UNSPECIFIED,
    "retry_policy": None,
    "cron_schedule": "",
    "cron_time_zone": "",
    "memo": None,
    "search_attributes": None,
    "start_delay": None,
    "start_at": None,
    "headers": {},
    "start_signal": None,
    "start_signal_args": (),
    "static_summary": None,
    "static_details": None,
    "rpc_metadata": {},
    "rpc_timeout": None,
    "priority": Priority.default,
    "concurrency_key": "",
    "request_id": "",
}
_WITHOUT_EFFECT = ("request_eager_start", "stack_level", "versioning_override")


def start_input(
    workflow: Any, values: Sequence[Any], id: str, task_queue: str, options: Mapping[str, Any]
) -> StartWorkflowInput:
    """TypeError: an option that there is not."""
    name, hints = workflow_named(workflow)
    given = {key: value for key, value in options.items() if key not in _WITHOUT_EFFECT}
    hint = given.pop("result_type", None) or hints.result
    fields = {**_DEFAULTS, **given}
    return StartWorkflowInput(
        workflow=name, args=values, id=id, task_queue=task_queue, ret_type=hint, **fields
    )


async def start_request(
    input: StartWorkflowInput, namespace: str, converter: DataConverter
) -> proto.StartWorkflowRequest:
    reuse, conflict = input.id_reuse_policy, input.id_conflict_policy
    if reuse == WorkflowIDReusePolicy.TERMINATE_IF_RUNNING:
        if conflict != WorkflowIDConflictPolicy.UNSPECIFIED:
            raise ValueError("TERMINATE_IF_RUNNING says already what an open workflow is done to")
        reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE
        conflict = WorkflowIDConflictPolicy.TERMINATE_EXISTING
    request = proto.StartWorkflowRequest(
        namespace=namespace,
        workflow_id=input.id,
        workflow_type=input.workflow,
        task_queue=input.task_queue,
        input=await converter.encode(input.args),
        execution_timeout_ms=to_ms(input.execution_timeout),
        run_timeout_ms=to_ms(input.run_timeout),
        task_timeout_ms=to_ms(input.task_timeout),
        id_reuse_policy=reuse,
        id_conflict_policy=conflict,
        request_id=input.request_id,
        start_delay_ms=to_ms(input.start_delay),
        cron_schedule=input.cron_schedule,
        cron_time_zone=input.cron_time_zone,
        concurrency_key=input.concurrency_key,
        priority=input.priority._to_proto(),
        header=header(input.headers),
        user_metadata=user_metadata(input.static_summary, input.static_details),
        memo=await memo(input.memo, converter),
        search_attributes=search_attributes(input.search_attributes),
    )
    if input.start_at is not None:
        request.start_at_time_ms = to_instant_ms(input.start_at)
    if input.retry_policy is not None:
        request.retry_policy = input.retry_policy._to_proto()
    return request


def header(headers: Headers) -> proto.Header | None:
    if not headers:
        return None
    entries = [proto.PayloadEntry(key=key, value=value) for key, value in sorted(headers.items())]
    return proto.Header(fields=entries)


def user_metadata(summary: str | None, details: str | None) -> proto.UserMetadata | None:
    if not summary and not details:
        return None
    return proto.UserMetadata(summary=summary or "", details=details or "")


async def memo(values: Mapping[str, Any] | None, converter: DataConverter) -> proto.Memo | None:
    if not values:
        return None
    keys = sorted(values)
    payloads = await converter.encode([values[key] for key in keys])
    entries = [
        proto.PayloadEntry(key=key, value=payload)
        for key, payload in zip(keys, payloads, strict=True)
    ]
    return proto.Memo(fields=entries)


def search_attributes(
    attributes: TypedSearchAttributes | SearchAttributes | None,
) -> proto.SearchAttributes | None:
    if not attributes:
        return None
    return typed_search_attributes(attributes)._to_proto()


def query_name(query: str | Callable[..., Any]) -> tuple[str, type | None]:
    """Its name, and the hint of its result."""
    if isinstance(query, str):
        return query, None
    definition = getattr(query, QUERY, None)
    if definition is None or definition.name is None:
        raise ValueError("a query is a name or a method with @workflow.query and a name")
    return definition.name, definition.hints.result


def update_name(update: Any) -> tuple[str, type | None]:
    """Its name, and the hint of its result."""
    if isinstance(update, str):
        return update, None
    if not isinstance(update, UpdateMethod) or update.definition.name is None:
        raise ValueError("an update is a name or a method with @workflow.update and a name")
    return update.definition.name, update.definition.hints.result
