"""What the engine tells about activities without a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .. import _messages as proto
from ..common import Priority, RetryPolicy, TypedSearchAttributes, from_instant_ms, from_ms
from ..converter import DataConverter
from ._errors import ActivityFailureError
from ._executions import PendingActivityState, WithMemo, instant
from ._pages import StreamedPages

if TYPE_CHECKING:
    from ._client import Client


class ActivityExecutionStatus(IntEnum):
    """Whether an activity without a workflow goes on, or how it has ended."""

    UNSPECIFIED = 0
    RUNNING = proto.WorkflowStatus.RUNNING
    COMPLETED = proto.WorkflowStatus.COMPLETED
    FAILED = proto.WorkflowStatus.FAILED
    CANCELED = proto.WorkflowStatus.CANCELED
    TERMINATED = proto.WorkflowStatus.TERMINATED
    TIMED_OUT = proto.WorkflowStatus.TIMED_OUT


def _status_of(status: int) -> ActivityExecutionStatus:
    try:
        return ActivityExecutionStatus(status)
    except ValueError:
        return ActivityExecutionStatus.UNSPECIFIED


@dataclass(frozen=True)
class ActivityExecution(WithMemo):
    """An activity without a workflow, as lists tell of it: one run."""

    activity_id: str
    activity_run_id: str
    activity_type: str
    task_queue: str
    namespace: str
    status: ActivityExecutionStatus
    """RUNNING while it is paused, too."""
    schedule_time: datetime
    """When it was started, whatever its start_delay."""
    close_time: datetime | None
    typed_search_attributes: TypedSearchAttributes
    problems: Sequence[str]
    """What keeps it from going on, in words."""
    raw_info: proto.StandaloneActivity = field(repr=False)
    data_converter: DataConverter = field(repr=False)

    @property
    def execution_duration(self) -> timedelta | None:
        """From its start to its end; None: it is open."""
        return self.close_time - self.schedule_time if self.close_time is not None else None

    @property
    def summary(self) -> str | None:
        """What the start has said of it, in a line; in lists the first 1,024 bytes."""
        metadata = self.raw_info.user_metadata
        return (metadata.summary or None) if metadata is not None else None

    @property
    def _memo(self) -> proto.Memo | None:  # type: ignore[override]
        return self.raw_info.memo

    @staticmethod
    def _fields_of(
        info: proto.StandaloneActivity, namespace: str, converter: DataConverter
    ) -> dict[str, Any]:
        return {
            "activity_id": info.activity_id,
            "activity_run_id": info.run_id,
            "activity_type": info.activity_type,
            "task_queue": info.task_queue,
            "namespace": namespace,
            "status": _status_of(info.status),
            "schedule_time": from_instant_ms(info.start_time_ms),
            "close_time": instant(info.close_time_ms),
            "typed_search_attributes": TypedSearchAttributes._from_proto(info.search_attributes),
            "problems": list(info.problems),
            "raw_info": info,
            "data_converter": converter,
        }


@dataclass(frozen=True)
class ActivityExecutionDescription(ActivityExecution):
    """An activity without a workflow, with how its attempts do.

    Of one that has closed the engine tells the last attempt, and neither options nor heartbeat.
    """

    raw_description: proto.DescribeActivityResponse = field(
        default_factory=proto.DescribeActivityResponse, repr=False
    )
    raw_outcome: proto.GetActivityResultResponse | None = field(default=None, repr=False)
    """With include_outcome, and once it has closed."""

    @staticmethod
    def _of(
        response: proto.DescribeActivityResponse,
        outcome: proto.GetActivityResultResponse | None,
        namespace: str,
        converter: DataConverter,
    ) -> ActivityExecutionDescription:
        info = response.activity or proto.StandaloneActivity()
        fields = ActivityExecution._fields_of(info, namespace, converter)
        if response.pending is not None:
            # Changed options may have sent it to another one; lists go on with that of its start.
            fields["task_queue"] = response.pending.task_queue
        return ActivityExecutionDescription(**fields, raw_description=response, raw_outcome=outcome)

    @property
    def _pending(self) -> proto.PendingActivity:
        return self.raw_description.pending or proto.PendingActivity()

    @property
    def _options(self) -> proto.ActivityTaskOptions:
        return self._pending.options or proto.ActivityTaskOptions()

    @property
    def _last_attempt(self) -> proto.FailedAttempt:
        """The last one that has ended."""
        ended = self.raw_description.last_attempt
        if ended is None and self._pending.failed_attempts:
            ended = self._pending.failed_attempts[-1]
        return ended or proto.FailedAttempt()

    @property
    def static_details(self) -> str | None:
        """What the start has said of it, at length."""
        metadata = self.raw_info.user_metadata
        return (metadata.details or None) if metadata is not None else None

    # MARK: Its attempts

    @property
    def attempt(self) -> int:
        """The one that waits or runs, or by which it ended; 0: none had started."""
        return self._pending.attempt or self._last_attempt.attempt

    @property
    def run_state(self) -> PendingActivityState | None:
        """None: it has closed."""
        pending = self.raw_description.pending
        return PendingActivityState(pending.state) if pending is not None else None

    @property
    def no_worker(self) -> bool:
        """No attached worker serves its type on its queue."""
        return self._pending.no_worker

    @property
    def last_worker_identity(self) -> str | None:
        return self._pending.last_worker_identity or self._last_attempt.identity or None

    @property
    def last_started_time(self) -> datetime | None:
        """When an attempt has last started."""
        return instant(self._pending.started_time_ms or self._last_attempt.started_time_ms)

    @property
    def last_attempt_complete_time(self) -> datetime | None:
        """When an attempt has last ended."""
        return instant(self._last_attempt.ended_time_ms)

    @property
    def next_attempt_schedule_time(self) -> datetime | None:
        """When the next attempt is due; None: it waits for none."""
        return instant(self._pending.next_attempt_time_ms)

    @property
    def last_heartbeat_time(self) -> datetime | None:
        return instant(self._pending.last_heartbeat_time_ms)

    def has_heartbeat_details(self) -> bool:
        """Whether it is open and has given some."""
        return bool(self._pending.heartbeat_details)

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """Those of the last heartbeat; None: there are none."""
        if not self.has_heartbeat_details():
            return None
        return await self.data_converter.decode(self._pending.heartbeat_details, type_hints)

    @property
    def _last_failure(self) -> proto.Failure | None:
        return self._pending.last_failure or self._last_attempt.failure

    def has_last_failure(self) -> bool:
        """Whether an attempt has failed; of a closed one, the attempt by which it ended."""
        return self._last_failure is not None

    async def last_failure(self) -> BaseException | None:
        """How the last attempt has failed that did; of a closed one, that by which it ended."""
        failure = self._last_failure
        return await self.data_converter.decode_failure(failure) if failure is not None else None

    # MARK: Its options, in force while it is open

    @property
    def priority(self) -> Priority:
        return Priority._from_proto(self._pending.priority)

    @property
    def retry_policy(self) -> RetryPolicy | None:
        policy = self._options.retry_policy
        return RetryPolicy._from_proto(policy) if policy is not None else None

    @property
    def schedule_to_close_timeout(self) -> timedelta | None:
        return from_ms(self._options.schedule_to_close_timeout_ms)

    @property
    def schedule_to_start_timeout(self) -> timedelta | None:
        return from_ms(self._options.schedule_to_start_timeout_ms)

    @property
    def start_to_close_timeout(self) -> timedelta | None:
        return from_ms(self._options.start_to_close_timeout_ms)

    @property
    def heartbeat_timeout(self) -> timedelta | None:
        return from_ms(self._options.heartbeat_timeout_ms)

    # MARK: Its outcome, of describe(include_outcome=True)

    def has_result(self) -> bool:
        """Whether it has completed with a result."""
        return self.raw_outcome is not None and bool(self.raw_outcome.result)

    async def result(self, type_hint: type | None = None) -> Any | None:
        """What it has returned; None: nothing, or it has not completed."""
        if self.raw_outcome is None or not self.has_result():
            return None
        hints = [type_hint] if type_hint is not None else None
        return (await self.data_converter.decode(self.raw_outcome.result[:1], hints))[0]

    def has_outcome_failure(self) -> bool:
        """Whether it has ended without a result."""
        return self.raw_outcome is not None and self.raw_outcome.failure is not None

    async def outcome_failure(self) -> BaseException | None:
        """Why it has ended without a result: the cause of what `ActivityHandle.result` raises."""
        outcome = self.raw_outcome
        if outcome is None or outcome.failure is None:
            return None
        return (await failure_of(outcome, self.data_converter)).cause


async def failure_of(
    outcome: proto.GetActivityResultResponse, converter: DataConverter
) -> ActivityFailureError:
    """What is raised of an activity that has ended without a result."""
    failure = outcome.failure or proto.Failure()
    return ActivityFailureError._of(await converter.decode_failure(failure))


@dataclass(frozen=True)
class ActivityExecutionCountAggregationGroup:
    """The activities of one group: the values that they share, and how many they are."""

    count: int
    group_values: Sequence[str]


@dataclass(frozen=True)
class ActivityExecutionCount:
    """How many activities without a workflow a filter selects."""

    count: int
    groups: Sequence[ActivityExecutionCountAggregationGroup]

    @staticmethod
    def _of(response: proto.CountActivitiesResponse) -> ActivityExecutionCount:
        groups = [
            ActivityExecutionCountAggregationGroup(group.count, list(group.group_values))
            for group in response.groups
        ]
        return ActivityExecutionCount(response.count, groups)


class ActivityExecutionAsyncIterator(StreamedPages[ActivityExecution]):
    """The activities that a filter selects, newest first unless it says otherwise."""

    def __init__(self, client: Client, request: proto.ListActivitiesRequest, timeout: Any) -> None:
        super().__init__(client, proto.ActivityService.ListActivities, request, timeout)

    def _rows(self, response: proto.ListActivitiesResponse) -> list[ActivityExecution]:
        client = self._client
        return [
            ActivityExecution(
                **ActivityExecution._fields_of(info, client.namespace, client.data_converter)
            )
            for info in response.activities
        ]
