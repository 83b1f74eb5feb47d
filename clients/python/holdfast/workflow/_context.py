"""What workflow code can do beside activities and other workflows."""

from __future__ import annotations

import asyncio
import uuid as _uuid
from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from datetime import datetime, timedelta
from enum import IntEnum
from random import Random
from typing import Any, NoReturn, TypeVar

from .. import _messages as proto
from .._run.headers import Headers, header_of
from .._run.interceptors import ContinueAsNewInput
from .._run.requests import NO_VALUE
from .._run.run import WorkflowRun
from ..common import (
    RetryPolicy,
    SearchAttributeUpdate,
    TypedSearchAttributes,
    from_instant_ms,
    to_ms,
)
from ._activities import VersioningIntent, arguments, input_of
from ._children import attributes_of, memo_of, workflow_named
from ._definition import Hints, QueryDefinition, SignalDefinition, UpdateDefinition
from ._info import instance
from ._runtime import current

T = TypeVar("T")


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


def random_seed() -> int:
    """What `random` was seeded with; another number after the run was reset."""
    return current().random_seed


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Calls it with each new seed, to keep generators of one's own in step."""
    current().seed_callbacks.append(callback)


def new_random(name: str | None = None) -> Random:
    """A further generator of this run; one with a name gives numbers of its own.

    Without a name it begins as `random` did. A new seed of the run is its, too.
    """
    run = current()

    def mixed(seed: int) -> int | str:
        return seed if name is None else f"{seed} {name}"

    made = Random(mixed(run.random_seed))
    run.seed_callbacks.append(lambda seed: made.seed(mixed(seed)))
    return made


def uuid4() -> _uuid.UUID:
    """A UUID from `random`, the same in each replay."""
    return _uuid.UUID(bytes=current().random.getrandbits(128).to_bytes(16, "big"), version=4)


def uuid7() -> _uuid.UUID:
    """A UUID that begins with the workflow's time, then from `random`: they sort by time."""
    run = current()
    chance = run.random.getrandbits(74)
    number = run.time_ms << 80 | 0x7 << 76 | (chance >> 62) << 64
    return _uuid.UUID(int=number | 0b10 << 62 | chance & (1 << 62) - 1)


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

    With a timeout it raises asyncio.TimeoutError when that is over first. timeout_summary: what
    people are shown of its timer.
    """
    span = None if timeout is None else _seconds(timeout)
    await current().wait_condition(fn, span, timeout_summary)


def wait(
    fs: Iterable[Any], *, timeout: float | None = None, return_when: str = asyncio.ALL_COMPLETED
) -> Awaitable[tuple[list[Any], list[Any]]]:
    """asyncio.wait with lists, in the order in which they were given, in place of sets."""
    given = list(dict.fromkeys(fs))

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


def memo_value(key: str, default: Any = NO_VALUE, *, type_hint: Any = None) -> Any:
    """One of its values; KeyError if there is none and no default."""
    run = current()
    payload = run.notes.memo.get(key)
    if payload is not None:
        return run.payloads.from_payload(payload, type_hint)
    if default is NO_VALUE:
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
    if isinstance(attributes, Mapping):
        raise TypeError("search attributes change by SearchAttributeKey.value_set and value_unset")
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
    """The handler of a signal, bound to the object; None without one."""
    return _function(current().handlers.signals.get(name))


def get_dynamic_signal_handler() -> Callable[..., Any] | None:
    """The handler of signals that have none of their own."""
    return _function(current().handlers.signals.get(None))


def get_query_handler(name: str) -> Callable[..., Any] | None:
    """The handler of a query, bound to the object; None without one."""
    return _function(current().handlers.queries.get(name))


def get_dynamic_query_handler() -> Callable[..., Any] | None:
    """The handler of queries that have none of their own."""
    return _function(current().handlers.queries.get(None))


def get_update_handler(name: str) -> Callable[..., Any] | None:
    """The handler of an update, bound to the object; None without one."""
    return _function(current().handlers.updates.get(name))


def get_dynamic_update_handler() -> Callable[..., Any] | None:
    """The handler of updates that have none of their own."""
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


class ContinueAsNewVersioningBehavior(IntEnum):
    """Taken for programs that have it: workers of Holdfast have no versions to choose between."""

    UNSPECIFIED = 0
    AUTO_UPGRADE = 1
    USE_RAMPING_VERSION = 2


def continue_as_new(
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    workflow: Callable[..., Any] | str | None = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
) -> NoReturn:
    """Ends this run and begins the next one of its chain; does not return. What is None stays.

    versioning_intent, initial_versioning_behavior: without effect.
    """
    run = current()
    name, hints = (None, None) if workflow is None else workflow_named(workflow)
    values = arguments(arg, args)
    options = {
        "task_queue": task_queue,
        "run_timeout": run_timeout,
        "task_timeout": task_timeout,
        "retry_policy": retry_policy,
        "memo": memo,
        "search_attributes": search_attributes,
    }
    if run.outbound is None:
        raise run.continue_as_new(next_run(run, name, values, options, None))
    run.outbound.continue_as_new(
        input_of(
            ContinueAsNewInput,
            options,
            workflow=name,
            args=values,
            versioning_intent=versioning_intent,
            arg_types=None if hints is None else hints.arguments,
        )
    )


def next_run(
    run: WorkflowRun,
    name: str | None,
    values: Sequence[Any],
    options: Mapping[str, Any],
    headers: Headers | None,
) -> proto.ContinueAsNew:
    """Behind the interceptors."""
    command = proto.ContinueAsNew(
        workflow_type=name or "",
        task_queue=options.get("task_queue") or "",
        header=header_of(headers),
        input=run.payloads.to_payloads(values),
        run_timeout_ms=to_ms(options.get("run_timeout")),
        task_timeout_ms=to_ms(options.get("task_timeout")),
    )
    policy, memo = options.get("retry_policy"), options.get("memo")
    attributes = options.get("search_attributes")
    if policy is not None:
        command.retry_policy = policy._to_proto()
    if memo is not None:
        command.memo = memo_of(run, memo)
    if attributes is not None:
        command.search_attributes = attributes_of(attributes)
    return command
