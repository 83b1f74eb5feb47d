"""What workflow code can ask for beside activities and other workflows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid as _uuid
from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeVar

from .. import _messages as proto
from .._run.guard import is_unrestricted, unrestricted
from .._run.handlers import current_update
from .._run.run import WorkflowRun
from ..common import (
    Priority,
    RetryPolicy,
    SearchAttributeUpdate,
    TypedSearchAttributes,
    from_instant_ms,
    from_ms,
    to_ms,
)
from ._activities import _NO_VALUE, arguments
from ._children import workflow_named
from ._definition import Hints, QueryDefinition, SignalDefinition, UpdateDefinition
from ._runtime import current, maybe_current

T = TypeVar("T")


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
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, proto.Payload]
    namespace: str
    parent: ParentInfo | None
    priority: Priority
    raw_memo: Mapping[str, proto.Payload]
    retry_policy: RetryPolicy | None
    root: RootInfo | None
    run_id: str
    run_timeout: timedelta | None
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

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Workers of Holdfast have no versions of deployments."""
        return False


def info() -> Info:
    """Of the run whose code this is."""
    run = current()
    begin, identity = run.beginning, run.identity
    policy = begin.retry_policy
    parent, root = begin.parent, begin.root
    header = begin.header.fields if begin.header is not None else ()
    start = from_instant_ms(begin.start_time_ms)
    return Info(
        attempt=begin.attempt,
        continued_run_id=begin.continued_run_id or None,
        execution_timeout=from_ms(begin.execution_timeout_ms),
        first_execution_run_id=begin.first_run_id,
        headers={entry.key: entry.value for entry in header if entry.value is not None},
        namespace=identity.namespace,
        parent=ParentInfo(identity.namespace, parent.run_id, parent.workflow_id)
        if parent is not None
        else None,
        priority=Priority.default,
        raw_memo=dict(run.notes.memo),
        retry_policy=RetryPolicy._from_proto(policy) if policy is not None else None,
        root=RootInfo(root.run_id, root.workflow_id) if root is not None else None,
        run_id=identity.run_id,
        run_timeout=from_ms(begin.run_timeout_ms),
        start_time=start,
        task_queue=identity.task_queue,
        task_timeout=timedelta(milliseconds=identity.task_timeout_ms),
        typed_search_attributes=run.notes.search_attributes,
        workflow_id=identity.workflow_id,
        workflow_start_time=start,
        workflow_type=identity.workflow_type,
    )


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


# MARK: Time and chance


def now() -> datetime:
    """The workflow's time, in UTC; it stands still while the code runs."""
    return from_instant_ms(current().time_ms)


def time() -> float:
    """The same in seconds since the Unix epoch."""
    return current().time_ms / 1000


def time_ns() -> int:
    """The same in nanoseconds since the Unix epoch."""
    return current().time_ms * 1_000_000


def random() -> Random:
    """A generator of this run: the same numbers in each replay."""
    return current().random


def uuid4() -> _uuid.UUID:
    """A UUID from `random`, the same in each replay."""
    return _uuid.UUID(bytes=current().random.getrandbits(128).to_bytes(16, "big"), version=4)


def _seconds(span: timedelta | float) -> float:
    return span.total_seconds() if isinstance(span, timedelta) else span


async def sleep(duration: float | timedelta, *, summary: str | None = None) -> None:
    """Waits so long by a durable timer; seconds or a timedelta. `asyncio.sleep` is the same."""
    await current().sleep(_seconds(duration), summary)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,
    timeout_summary: str | None = None,
) -> None:
    """Waits until fn() is true; asked whenever the workflow's code has moved.

    With a timeout it raises asyncio.TimeoutError when that is over first.
    """
    await current().wait_condition(fn, None if timeout is None else _seconds(timeout))


def wait(
    fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> Awaitable[tuple[list[Any], list[Any]]]:
    """asyncio.wait with lists, in the order in which they were given, in place of sets."""
    given = list(fs)

    async def waiting() -> tuple[list[Any], list[Any]]:
        done, pending = await asyncio.wait(given, timeout=timeout, return_when=return_when)
        return [one for one in given if one in done], [one for one in given if one in pending]

    return waiting()


def as_completed(
    fs: Sequence[Awaitable[T]], *, timeout: float | None = None
) -> Iterator[Awaitable[T]]:
    """asyncio.as_completed: in a workflow its order is the same in each replay."""
    return iter(asyncio.as_completed(fs, timeout=timeout))


# MARK: Versions of the code


def patched(id: str) -> bool:
    """Whether this run takes the new path of a change; recorded with the first true answer."""
    return current().patched(id, deprecated=False)


def deprecate_patch(id: str) -> None:
    """The old path of the change is gone; runs that have recorded it still replay."""
    current().patched(id, deprecated=True)


def side_effect(fn: Callable[[], T], *, result_type: type | None = None) -> T:
    """What fn() gives the first time, and its recorded value in each replay."""
    hint = result_type or Hints.of(fn).result
    return current().side_effect(fn, hint)  # type: ignore[no-any-return]


# MARK: Notes


def memo() -> Mapping[str, Any]:
    """What is noted of the workflow, decoded."""
    run = current()
    return {key: run.payloads.from_payload(value) for key, value in run.notes.memo.items()}


def memo_value(key: str, default: Any = _NO_VALUE, *, type_hint: Any = None) -> Any:
    """One of its values; KeyError if there is none and no default."""
    run = current()
    payload = run.notes.memo.get(key)
    if payload is not None:
        return run.payloads.from_payload(payload, type_hint)
    if default is _NO_VALUE:
        raise KeyError(f"Memo does not have a value for key {key}")
    return default


def upsert_memo(updates: Mapping[str, Any]) -> None:
    """Changes some of the memo; None takes a key away."""
    run = current()
    entries = [
        proto.PayloadEntry(key=key)
        if value is None
        else proto.PayloadEntry(key=key, value=run.payloads.to_payload(value))
        for key, value in sorted(updates.items())
    ]
    upsert = proto.UpsertMemo(memo=proto.Memo(fields=entries))
    run.emit(proto.Command(upsert_memo=upsert, location=run.location()), "change the memo")
    run.notes.change_memo(entries)


def upsert_search_attributes(attributes: Sequence[SearchAttributeUpdate[Any]]) -> None:
    """Changes some of the search attributes: `[KEY.value_set(1), OTHER.value_unset()]`."""
    run = current()
    changes = sorted((update._to_proto() for update in attributes), key=lambda one: one.name)
    upsert = proto.UpsertSearchAttributes(search_attributes=proto.SearchAttributes(fields=changes))
    command = proto.Command(upsert_search_attributes=upsert, location=run.location())
    run.emit(command, "change search attributes")
    run.notes.change_attributes(changes)


def get_current_details() -> str:
    """What the code has last said of itself."""
    return current().notes.current_details


def set_current_details(details: str) -> None:
    """Says how far the workflow is, for people: shown by describe, also after the end."""
    run = current()
    command = proto.Command(set_current_details=proto.SetCurrentDetails(text=details))
    run.emit(command, "say what it does")
    run.notes.current_details = details


# MARK: Handlers


def all_handlers_finished() -> bool:
    """No handler of a signal or an update goes on; to be waited for before the end."""
    return current().handlers.are_finished


def get_signal_handler(name: str) -> Callable[..., Any] | None:
    return _function(current().handlers.signals.get(name))


def get_dynamic_signal_handler() -> Callable[..., Any] | None:
    return _function(current().handlers.signals.get(None))


def get_query_handler(name: str) -> Callable[..., Any] | None:
    return _function(current().handlers.queries.get(name))


def get_dynamic_query_handler() -> Callable[..., Any] | None:
    return _function(current().handlers.queries.get(None))


def get_update_handler(name: str) -> Callable[..., Any] | None:
    return _function(current().handlers.updates.get(name))


def get_dynamic_update_handler() -> Callable[..., Any] | None:
    return _function(current().handlers.updates.get(None))


def _function(
    definition: SignalDefinition | QueryDefinition | UpdateDefinition | None,
) -> Callable[..., Any] | None:
    if definition is None:
        return None
    if definition.is_method:
        return definition.function.__get__(instance())  # type: ignore[no-any-return]
    return definition.function


def set_signal_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Sets or takes away the handler of a signal; what came before it is given to it now."""
    _set_signal(name, handler)


def set_dynamic_signal_handler(handler: Callable[..., Any] | None) -> None:
    """The same for signals that have no handler of their own: it is given name and values."""
    _set_signal(None, handler)


def _set_signal(name: str | None, handler: Callable[..., Any] | None) -> None:
    definition = None if handler is None else SignalDefinition(name, handler, False)
    current().handlers.set_signal(name, definition)


def set_query_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Sets or takes away the handler of a query."""
    _set_query(name, handler)


def set_dynamic_query_handler(handler: Callable[..., Any] | None) -> None:
    """The same for queries that have no handler of their own."""
    _set_query(None, handler)


def _set_query(name: str | None, handler: Callable[..., Any] | None) -> None:
    run = current()
    run.check_may_change("set handlers")
    if handler is None:
        run.handlers.queries.pop(name, None)
    else:
        run.handlers.queries[name] = QueryDefinition(name, handler, False)


def set_update_handler(
    name: str, handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """Sets or takes away the handler of an update."""
    _set_update(name, handler, validator)


def set_dynamic_update_handler(
    handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """The same for updates that have no handler of their own."""
    _set_update(None, handler, validator)


def _set_update(
    name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., Any] | None
) -> None:
    run = current()
    run.check_may_change("set handlers")
    if handler is None:
        run.handlers.updates.pop(name, None)
    else:
        run.handlers.updates[name] = UpdateDefinition(name, handler, False, validator=validator)


# MARK: The next run


def continue_as_new(
    arg: Any = _NO_VALUE,
    *,
    args: Sequence[Any] = (),
    workflow: Callable[..., Any] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
) -> Any:
    """Ends this run and begins the next one of its chain; does not return. What is None stays."""
    run = current()
    name = "" if workflow is None else workflow_named(workflow)[0]
    raise run.continue_as_new(
        _next_run(
            run,
            name,
            arguments(arg, args),
            task_queue,
            run_timeout,
            task_timeout,
            retry_policy,
            memo,
            search_attributes,
        )
    )


def _next_run(  # noqa: PLR0917
    run: WorkflowRun,
    name: str,
    values: Sequence[Any],
    task_queue: str | None,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    policy: RetryPolicy | None,
    memo: Mapping[str, Any] | None,
    attributes: TypedSearchAttributes | None,
) -> proto.ContinueAsNew:
    command = proto.ContinueAsNew(
        workflow_type=name,
        task_queue=task_queue or "",
        input=run.payloads.to_payloads(values),
        run_timeout_ms=to_ms(run_timeout),
        task_timeout_ms=to_ms(task_timeout),
    )
    if policy is not None:
        command.retry_policy = policy._to_proto()
    if memo is not None:
        command.memo = proto.Memo(
            fields=[
                proto.PayloadEntry(key=key, value=run.payloads.to_payload(value))
                for key, value in sorted(memo.items())
            ]
        )
    if attributes is not None:
        command.search_attributes = attributes._to_proto()
    return command


# MARK: Logs, and what is not for replays


class unsafe:
    """For code that knows that it is in a workflow, and what it does.

    Workflow code that calls what would not be the same when it is run again (`time.time`,
    `datetime.now`, `random.random`, `uuid.uuid4`, files, sockets, threads, processes) gets a
    `RestrictedWorkflowAccessError` that says what to call in its place. This is a guard against
    slips, not a cage. It does not see a module's variables that workflows change: all runs of a
    worker share them. Nor what was taken from `datetime` elsewhere than in the modules of the
    program, clocks that were taken as a value (`field(default_factory=datetime.now)`), and what
    other packages do in C.
    """

    def __init__(self) -> None:
        raise NotImplementedError

    @staticmethod
    def in_sandbox() -> bool:
        """Whether this is workflow code whose calls are guarded."""
        run = maybe_current()
        return run is not None and run.loop.guard is not None

    @staticmethod
    def is_replaying() -> bool:
        """The code is shown its past: what it does now was done before."""
        return current().is_replaying

    @staticmethod
    def is_replaying_history_events() -> bool:
        """The same, but not in queries and validators, which are not part of the past."""
        run = current()
        return run.is_replaying and run.read_only is None

    @staticmethod
    def is_read_only() -> bool:
        """In the handler of a query, or a validator."""
        return current().read_only is not None

    @staticmethod
    def sandbox_unrestricted() -> contextlib.AbstractContextManager[None]:
        """Within, the calls of this task are not guarded: `with unsafe.sandbox_unrestricted():`."""
        return unrestricted()

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether this is within `sandbox_unrestricted`."""
        return is_unrestricted()

    @staticmethod
    @contextlib.contextmanager
    def imports_passed_through() -> Iterator[None]:
        """For programs that have it: modules are not imported anew for workflows here."""
        token = _passed_through.set(True)
        try:
            yield
        finally:
            _passed_through.reset(token)

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether this is within `imports_passed_through`."""
        return _passed_through.get()


_passed_through: ContextVar[bool] = ContextVar("holdfast_imports_passed_through", default=False)


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Says nothing while the code is shown its past, and adds which run it is."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.log_during_replay = False

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        run = maybe_current()
        if run is None:
            return msg, kwargs
        identity = run.identity
        details = {
            "attempt": run.beginning.attempt,
            "namespace": identity.namespace,
            "run_id": identity.run_id,
            "task_queue": identity.task_queue,
            "workflow_id": identity.workflow_id,
            "workflow_type": identity.workflow_type,
        }
        if self.workflow_info_on_extra:
            kwargs["extra"] = {"holdfast_workflow": details, **(kwargs.get("extra") or {})}
        return (f"{msg} ({details})" if self.workflow_info_on_message else msg), kwargs

    def isEnabledFor(self, level: int) -> bool:
        run = maybe_current()
        if run is not None and run.is_replaying and not self.log_during_replay:
            return False
        return super().isEnabledFor(level)

    @property
    def base_logger(self) -> logging.Logger:
        base: logging.Logger = self.logger
        return base


logger = LoggerAdapter(logging.getLogger("holdfast.workflow"), None)
