"""Starting activities without a workflow, and finding them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypedDict, TypeVar, cast, overload

from .._run.requests import NO_VALUE
from ..common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
)
from ..service import NO_METADATA, RPCMetadata
from ..workflow._activities import activity_named, arguments, check_options
from ._activity_executions import ActivityExecutionAsyncIterator, ActivityExecutionCount
from ._activity_handle import ActivityHandle
from ._interceptor import (
    CountActivitiesInput,
    ListActivitiesInput,
    OutboundInterceptor,
    StartActivityInput,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._client import Client

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")
Self = TypeVar("Self")


class StartActivityOptions(TypedDict, total=False):
    """How an activity without a workflow is started, beside its id and its task queue.

    One of schedule_to_close_timeout, of all its attempts, and start_to_close_timeout, of one, is
    needed. id_reuse_policy: what a closed activity with the same id means; id_conflict_policy: an
    open one. start_delay and start_at: its first attempt comes that much later, or then, and its
    timeouts count from then. hold_when_exhausted: when its attempts are used up it is held, paused,
    until somebody lets it go on or ends it. request_id: a start with the same one has the same
    outcome. static_summary is another name of summary. result_type: of an activity that is named by
    a string. rpc_timeout: of this call.
    """

    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    id_reuse_policy: ActivityIDReusePolicy
    id_conflict_policy: ActivityIDConflictPolicy
    retry_policy: RetryPolicy | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    summary: str | None
    static_summary: str | None
    static_details: str | None
    memo: Mapping[str, Any] | None
    priority: Priority
    start_delay: timedelta | None
    start_at: datetime | None
    hold_when_exhausted: bool
    request_id: str
    result_type: type | None
    rpc_metadata: RPCMetadata
    rpc_timeout: timedelta | None


_DEFAULTS: dict[str, Any] = {
    "schedule_to_close_timeout": None,
    "schedule_to_start_timeout": None,
    "start_to_close_timeout": None,
    "heartbeat_timeout": None,
    "id_reuse_policy": ActivityIDReusePolicy.ALLOW_DUPLICATE,
    "id_conflict_policy": ActivityIDConflictPolicy.FAIL,
    "retry_policy": None,
    "search_attributes": None,
    "summary": None,
    "static_details": None,
    "memo": None,
    "priority": Priority.default,
    "start_delay": None,
    "start_at": None,
    "hold_when_exhausted": False,
    "request_id": "",
    "headers": {},
    "rpc_metadata": NO_METADATA,
    "rpc_timeout": None,
}
_OPTIONS = frozenset(StartActivityOptions.__annotations__)


def _start_input(
    activity: Any, values: Sequence[Any], id: str, task_queue: str, options: Mapping[str, Any]
) -> StartActivityInput:
    """TypeError: an option that there is not. ValueError: neither timeout is there."""
    check_options(options, _OPTIONS, "the start of an activity")
    name, hints = activity_named(activity)
    given = dict(options)
    summary = given.pop("static_summary", None)
    if summary is not None and given.setdefault("summary", summary) != summary:
        raise ValueError("summary and static_summary are the same: give one of them")
    hint = given.pop("result_type", None) or hints.result
    fields = {**_DEFAULTS, **given}
    if not fields["start_to_close_timeout"] and not fields["schedule_to_close_timeout"]:
        raise ValueError("an activity needs start_to_close_timeout or schedule_to_close_timeout")
    return StartActivityInput(
        activity_type=name, args=values, id=id, task_queue=task_queue, result_type=hint, **fields
    )


class ActivityStarts:
    """What a Client does about activities without a workflow."""

    _root: OutboundInterceptor

    # MARK: Functions

    @overload
    async def start_activity(
        self,
        activity: Callable[[], Awaitable[R]],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[[], R],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[[A], Awaitable[R]],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[[A], R],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., Awaitable[R]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: Callable[..., R],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]: ...

    async def start_activity(
        self,
        activity: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> ActivityHandle[Any]:
        """Starts an activity that belongs to no workflow; when this returns it is durable.

        activity: a function with @activity.defn, or a name. id: in a space of its own; a workflow
        may have the same one. options: StartActivityOptions says what they mean.
        ActivityAlreadyStartedError: the id is taken, and the policies do not allow another one.
        """
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await self._root.start_activity(input)

    @overload
    async def execute_activity(
        self,
        activity: Callable[[], Awaitable[R]],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[[], R],
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[[A], Awaitable[R]],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[[A], R],
        arg: A,
        *,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., Awaitable[R]],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: Callable[..., R],
        *,
        args: Sequence[Any],
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity(
        self,
        activity: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> Any: ...

    async def execute_activity(
        self,
        activity: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> Any:
        """Starts an activity as start_activity does, and waits for its result.

        ActivityFailureError: it has ended without one.
        """
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await (await self._root.start_activity(input)).result()

    # MARK: Classes and methods

    async def start_activity_class(
        self,
        activity: type,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[Any]:
        """`start_activity` of a class whose `__call__` has @activity.defn."""
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await self._root.start_activity(input)

    async def execute_activity_class(
        self,
        activity: type,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> Any:
        """`execute_activity` of a class whose `__call__` has @activity.defn."""
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await (await self._root.start_activity(input)).result()

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[Self, P], Awaitable[R]],
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    @overload
    async def start_activity_method(
        self,
        activity: Callable[Concatenate[Self, P], R],
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> ActivityHandle[R]: ...

    async def start_activity_method(
        self,
        activity: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> ActivityHandle[Any]:
        """`start_activity` of a method that is named by its class: `Payments.charge`."""
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await self._root.start_activity(input)

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[Self, P], Awaitable[R]],
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    @overload
    async def execute_activity_method(
        self,
        activity: Callable[Concatenate[Self, P], R],
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        id: str,
        task_queue: str,
        **options: Unpack[StartActivityOptions],
    ) -> R: ...

    async def execute_activity_method(
        self,
        activity: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        **options: Any,
    ) -> Any:
        """`execute_activity` of a method that is named by its class: `Payments.charge`."""
        input = _start_input(activity, arguments(arg, args), id, task_queue, options)
        return await (await self._root.start_activity(input)).result()

    # MARK: Those that there are

    @overload
    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = ...
    ) -> ActivityHandle[Any]: ...

    @overload
    def get_activity_handle(
        self, activity_id: str, *, result_type: type[R], run_id: str | None = ...
    ) -> ActivityHandle[R]: ...

    def get_activity_handle(
        self, activity_id: str, *, run_id: str | None = None, result_type: type | None = None
    ) -> ActivityHandle[Any]:
        """A handle of an activity without a workflow that may or may not exist; no call is made.

        run_id: calls are about this run; None: at each call about the newest.
        """
        client = cast("Client", self)
        return ActivityHandle(client, activity_id, run_id=run_id, result_type=result_type)

    def list_activities(
        self,
        query: str | None = None,
        *,
        limit: int | None = None,
        page_size: int = 1_000,
        next_page_token: bytes | None = None,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionAsyncIterator:
        """The activities without a workflow that a filter selects; None: all. Asked for as taken.

        query: such as `ActivityType = 'charge' AND ExecutionStatus = 'Failed'`.
        """
        return self._root.list_activities(
            ListActivitiesInput(query, page_size, next_page_token, rpc_metadata, rpc_timeout, limit)
        )

    async def count_activities(
        self,
        query: str | None = None,
        *,
        rpc_metadata: RPCMetadata = NO_METADATA,
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionCount:
        """How many activities a filter selects; with GROUP BY also of each group."""
        return await self._root.count_activities(
            CountActivitiesInput(query, rpc_metadata, rpc_timeout)
        )
