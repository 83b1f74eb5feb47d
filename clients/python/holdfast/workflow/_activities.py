"""Activities, as workflow code calls them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypedDict, TypeVar, overload

from .. import _messages as proto
from .._run.headers import header_of
from .._run.interceptors import StartActivityInput, StartLocalActivityInput
from .._run.requests import NO_VALUE
from .._run.requests import ActivityFuture as ActivityHandle
from ..common import Priority, RetryPolicy, to_ms
from ._definition import Hints
from ._runtime import current

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._run.headers import Headers
    from .._run.run import WorkflowRun

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")
Self = TypeVar("Self")


class ActivityCancellationType(IntEnum):
    """What a cancel of an activity waits for."""

    # Asks it to end, and counts it as cancelled at once.
    TRY_CANCEL = 1
    # Asks it to end, and waits until it has.
    WAIT_CANCELLATION_COMPLETED = 2
    # Counts it as cancelled at once; it is not asked.
    ABANDON = 3


class VersioningIntent(IntEnum):
    """Taken for programs that have it: workers of Holdfast have no versions to choose between."""

    COMPATIBLE = 1
    DEFAULT = 2


class ActivityConfig(TypedDict, total=False):
    """The options of an activity. One of the first two timeouts is needed."""

    start_to_close_timeout: timedelta | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    task_queue: str | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None
    priority: Priority
    # Of a name, whose signature is not known.
    result_type: type | None
    # Used-up attempts hold it, paused, until somebody lets it go on or ends it.
    hold_when_exhausted: bool
    # Without effect.
    versioning_intent: VersioningIntent | None
    disable_eager_execution: bool


class LocalActivityConfig(TypedDict, total=False):
    """The options of a local activity. One of the first two timeouts is needed."""

    start_to_close_timeout: timedelta | None
    schedule_to_close_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    cancellation_type: ActivityCancellationType
    activity_id: str | None
    summary: str | None
    result_type: type | None
    # Without effect: an attempt begins as soon as the worker has a slot, and the engine waits for
    # retries that are far off.
    schedule_to_start_timeout: timedelta | None
    local_retry_threshold: timedelta | None


_NO_HINTS = Hints(None, None)
_OPTIONS = frozenset(ActivityConfig.__annotations__)
_LOCAL_OPTIONS = frozenset(LocalActivityConfig.__annotations__)


def arguments(arg: Any, args: Sequence[Any]) -> Sequence[Any]:
    """A call's values: one, or several as `args`."""
    if arg is NO_VALUE:
        return args
    if args:
        raise ValueError("give either one value or args, not both")
    return [arg]


def check_options(options: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    """A name that is misspelt would have no effect and say nothing."""
    if not known.issuperset(options):
        unknown = ", ".join(sorted(options.keys() - known))
        raise TypeError(f"{what} has no option {unknown}")


def activity_named(activity: Any) -> tuple[str, Hints]:
    """The type's name and the hints of its signature."""
    if isinstance(activity, str):
        return activity, _NO_HINTS
    if inspect.isfunction(activity):
        return _named_function(activity)
    return _named_callable(activity)


@functools.lru_cache(maxsize=1024)
def _named_function(activity: Any) -> tuple[str, Hints]:
    """What is read of a signature takes longer than all else of a call."""
    return _named_callable(activity)


def _named_callable(activity: Any) -> tuple[str, Hints]:
    if not callable(activity):
        raise TypeError("an activity is a name or a function with @activity.defn")
    from ..activity import name_of  # noqa: PLC0415

    # A class, or an object, whose `__call__` is the activity.
    function = activity if inspect.isroutine(activity) else activity.__call__
    is_unbound = inspect.isfunction(function) and next(iter(_parameters(function)), "") == "self"
    return name_of(function), Hints.of(function, skip=1 if is_unbound else 0)


def _parameters(function: Any) -> tuple[str, ...]:
    code = inspect.unwrap(function).__code__
    return code.co_varnames[: code.co_argcount]  # type: ignore[no-any-return]


def input_of(kind: Any, options: Mapping[str, Any], **fields: Any) -> Any:
    """For interceptors."""
    given = {key: value for key, value in options.items() if key != "result_type"}
    return kind(**fields, **given)


def _start(activity: Any, values: Sequence[Any], options: Mapping[str, Any]) -> ActivityHandle[Any]:
    run = current()
    check_options(options, _OPTIONS, "an activity")
    name, hints = activity_named(activity)
    hint = options.get("result_type") or hints.result
    if run.outbound is None:
        return schedule(run, name, values, options, hint=hint)
    return run.outbound.start_activity(
        input_of(
            StartActivityInput,
            options,
            activity=name,
            args=values,
            arg_types=hints.arguments,
            ret_type=hint,
        )
    )


def _start_local(
    activity: Any, values: Sequence[Any], options: Mapping[str, Any]
) -> ActivityHandle[Any]:
    run = current()
    check_options(options, _LOCAL_OPTIONS, "a local activity")
    name, hints = activity_named(activity)
    hint = options.get("result_type") or hints.result
    if run.outbound is None:
        return schedule_local(run, name, values, options, hint=hint)
    return run.outbound.start_local_activity(
        input_of(
            StartLocalActivityInput,
            options,
            activity=name,
            args=values,
            arg_types=hints.arguments,
            ret_type=hint,
        )
    )


def _timeouts(options: Mapping[str, Any], what: str) -> tuple[int, int]:
    close = to_ms(options.get("start_to_close_timeout"))
    whole = to_ms(options.get("schedule_to_close_timeout"))
    if not close and not whole:
        raise ValueError(f"{what} needs start_to_close_timeout or schedule_to_close_timeout")
    return close, whole


def schedule(
    run: WorkflowRun,
    name: str,
    values: Sequence[Any],
    options: Mapping[str, Any],
    *,
    hint: Any,
    headers: Headers | None = None,
) -> ActivityHandle[Any]:
    """Behind the interceptors."""
    close, whole = _timeouts(options, "an activity")
    policy = options.get("retry_policy")
    exhaustion = proto.ActivityExhaustion
    command = proto.ScheduleActivity(
        activity_id=options.get("activity_id") or "",
        activity_type=name,
        task_queue=options.get("task_queue") or "",
        header=header_of(headers),
        input=run.payloads.to_payloads(values),
        schedule_to_close_timeout_ms=whole,
        schedule_to_start_timeout_ms=to_ms(options.get("schedule_to_start_timeout")),
        start_to_close_timeout_ms=close,
        heartbeat_timeout_ms=to_ms(options.get("heartbeat_timeout")),
        cancellation_type=options.get("cancellation_type") or ActivityCancellationType.TRY_CANCEL,
        on_exhausted=exhaustion.PAUSE if options.get("hold_when_exhausted") else 0,
        priority=options.get("priority", Priority.default)._to_proto(),
    )
    if policy is not None:
        command.retry_policy = policy._to_proto()
    return run.start_activity(command, hint, options.get("summary"))


def schedule_local(
    run: WorkflowRun,
    name: str,
    values: Sequence[Any],
    options: Mapping[str, Any],
    *,
    hint: Any,
    headers: Headers | None = None,
) -> ActivityHandle[Any]:
    """Behind the interceptors."""
    close, whole = _timeouts(options, "a local activity")
    policy = options.get("retry_policy")
    command = proto.ScheduleLocalActivity(
        activity_id=options.get("activity_id") or "",
        activity_type=name,
        header=header_of(headers),
        input=run.payloads.to_payloads(values),
        schedule_to_close_timeout_ms=whole,
        start_to_close_timeout_ms=close,
        cancellation_type=options.get("cancellation_type") or ActivityCancellationType.TRY_CANCEL,
    )
    if policy is not None:
        command.retry_policy = policy._to_proto()
    return run.start_local_activity(command, hint, options.get("summary"))


# MARK: On a task queue


@overload
def start_activity(
    activity: Callable[[], Awaitable[R]], **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: Callable[[], R], **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: Callable[[A], Awaitable[R]], arg: A, **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: Callable[[A], R], arg: A, **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: Callable[..., Awaitable[R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: Callable[..., R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> ActivityHandle[R]: ...


@overload
def start_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityConfig]
) -> ActivityHandle[Any]: ...


def start_activity(
    activity: Any, arg: Any = NO_VALUE, *, args: Sequence[Any] = (), **options: Any
) -> ActivityHandle[Any]:
    """Schedules an activity; the handle is awaited for its result, and cancelled to end it.

    activity: a function with @activity.defn, or a name. Awaited, it raises ActivityError when the
    activity has no result.
    """
    return _start(activity, arguments(arg, args), options)


@overload
async def execute_activity(
    activity: Callable[[], Awaitable[R]], **options: Unpack[ActivityConfig]
) -> R: ...


@overload
async def execute_activity(activity: Callable[[], R], **options: Unpack[ActivityConfig]) -> R: ...


@overload
async def execute_activity(
    activity: Callable[[A], Awaitable[R]], arg: A, **options: Unpack[ActivityConfig]
) -> R: ...


@overload
async def execute_activity(
    activity: Callable[[A], R], arg: A, **options: Unpack[ActivityConfig]
) -> R: ...


@overload
async def execute_activity(
    activity: Callable[..., Awaitable[R]], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> R: ...


@overload
async def execute_activity(
    activity: Callable[..., R], *, args: Sequence[Any], **options: Unpack[ActivityConfig]
) -> R: ...


@overload
async def execute_activity(
    activity: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ActivityConfig]
) -> Any: ...


async def execute_activity(
    activity: Any, arg: Any = NO_VALUE, *, args: Sequence[Any] = (), **options: Any
) -> Any:
    """Schedules an activity and waits for its result, as `start_activity` does."""
    return await _start(activity, arguments(arg, args), options)


def start_activity_method(
    activity: Callable[Concatenate[Any, P], Any],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> ActivityHandle[Any]:
    """`start_activity` of a method that is named by its class: `Payments.charge`."""
    return _start(activity, arguments(arg, args), options)


async def execute_activity_method(
    activity: Callable[Concatenate[Any, P], Any],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[ActivityConfig],
) -> Any:
    """`execute_activity` of a method that is named by its class: `Payments.charge`."""
    return await _start(activity, arguments(arg, args), options)


def start_activity_class(
    activity: type, arg: Any = NO_VALUE, *, args: Sequence[Any] = (), **options: Any
) -> ActivityHandle[Any]:
    """`start_activity` of a class whose `__call__` has @activity.defn."""
    return _start(activity, arguments(arg, args), options)


async def execute_activity_class(
    activity: type, arg: Any = NO_VALUE, *, args: Sequence[Any] = (), **options: Any
) -> Any:
    """`execute_activity` of a class whose `__call__` has @activity.defn."""
    return await _start(activity, arguments(arg, args), options)


# MARK: In the worker that has the run


def start_local_activity(
    activity: Callable[..., Any] | str,
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """Runs an activity in this worker, without a task queue; otherwise as `start_activity`."""
    return _start_local(activity, arguments(arg, args), options)


@overload
async def execute_local_activity(
    activity: Callable[[], Awaitable[R]], **options: Unpack[LocalActivityConfig]
) -> R: ...


@overload
async def execute_local_activity(
    activity: Callable[[], R], **options: Unpack[LocalActivityConfig]
) -> R: ...


@overload
async def execute_local_activity(
    activity: Callable[[A], Awaitable[R]], arg: A, **options: Unpack[LocalActivityConfig]
) -> R: ...


@overload
async def execute_local_activity(
    activity: Callable[[A], R], arg: A, **options: Unpack[LocalActivityConfig]
) -> R: ...


@overload
async def execute_local_activity(
    activity: Callable[..., Any] | str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    **options: Unpack[LocalActivityConfig],
) -> Any: ...


async def execute_local_activity(
    activity: Any, arg: Any = NO_VALUE, *, args: Sequence[Any] = (), **options: Any
) -> Any:
    """Runs an activity in this worker and waits for its result."""
    return await _start_local(activity, arguments(arg, args), options)


def start_local_activity_method(
    activity: Callable[Concatenate[Any, P], Any],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` of a method that is named by its class."""
    return _start_local(activity, arguments(arg, args), options)


async def execute_local_activity_method(
    activity: Callable[Concatenate[Any, P], Any],
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` of a method that is named by its class."""
    return await _start_local(activity, arguments(arg, args), options)


def start_local_activity_class(
    activity: type,
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> ActivityHandle[Any]:
    """`start_local_activity` of a class whose `__call__` has @activity.defn."""
    return _start_local(activity, arguments(arg, args), options)


async def execute_local_activity_class(
    activity: type,
    arg: Any = NO_VALUE,
    *,
    args: Sequence[Any] = (),
    **options: Unpack[LocalActivityConfig],
) -> Any:
    """`execute_local_activity` of a class whose `__call__` has @activity.defn."""
    return await _start_local(activity, arguments(arg, args), options)
