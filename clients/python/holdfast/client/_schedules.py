"""Schedules: when which workflow is started, and what is known of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from .. import _messages as proto
from .._run.requests import NO_VALUE
from ..common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    from_instant_ms,
    from_ms,
    to_instant_ms,
    to_ms,
)
from ..converter import DataConverter, Payload
from ..workflow._activities import arguments
from ..workflow._children import workflow_named
from ._executions import WorkflowExecutionStatus, instant, status_of
from ._interceptor import Headers
from ._options import header, memo, search_attributes, user_metadata

_YEAR = timedelta(days=365)


class ScheduleOverlapPolicy(IntEnum):
    """What an action does whose time comes while the workflow of the one before is open."""

    SKIP = proto.ScheduleOverlapPolicy.SKIP
    BUFFER_ONE = proto.ScheduleOverlapPolicy.BUFFER_ONE
    BUFFER_ALL = proto.ScheduleOverlapPolicy.BUFFER_ALL
    CANCEL_OTHER = proto.ScheduleOverlapPolicy.CANCEL_OTHER
    TERMINATE_OTHER = proto.ScheduleOverlapPolicy.TERMINATE_OTHER
    ALLOW_ALL = proto.ScheduleOverlapPolicy.ALLOW_ALL


@dataclass(frozen=True)
class ScheduleRange:
    """From start to end, both included, each step-th of them. end 0: start alone; step 0: 1."""

    start: int
    end: int = 0
    step: int = 0

    def __post_init__(self) -> None:
        if self.end < self.start:
            object.__setattr__(self, "end", self.start)
        if self.step == 0:
            object.__setattr__(self, "step", 1)

    def _to_proto(self) -> proto.CalendarRange:
        return proto.CalendarRange(start=self.start, end=self.end, step=self.step)

    @staticmethod
    def _of(ranges: Sequence[proto.CalendarRange]) -> tuple[ScheduleRange, ...]:
        return tuple(ScheduleRange(one.start, one.end, one.step) for one in ranges)


_CALENDAR_FIELDS = {
    "second": "seconds",
    "minute": "minutes",
    "hour": "hours",
    "day_of_month": "days_of_month",
    "month": "months",
    "year": "years",
    "day_of_week": "days_of_week",
}


@dataclass
class ScheduleCalendarSpec:
    """The times that match all of its ranges; day 0 of a week is Sunday."""

    second: Sequence[ScheduleRange] = (ScheduleRange(0),)
    minute: Sequence[ScheduleRange] = (ScheduleRange(0),)
    hour: Sequence[ScheduleRange] = (ScheduleRange(0),)
    day_of_month: Sequence[ScheduleRange] = (ScheduleRange(1, 31),)
    month: Sequence[ScheduleRange] = (ScheduleRange(1, 12),)
    year: Sequence[ScheduleRange] = ()
    day_of_week: Sequence[ScheduleRange] = (ScheduleRange(0, 6),)
    comment: str | None = None

    def _to_proto(self) -> proto.CalendarSpec:
        made = proto.CalendarSpec(comment=self.comment or "")
        for name, theirs in _CALENDAR_FIELDS.items():
            setattr(made, theirs, [one._to_proto() for one in getattr(self, name)])
        return made

    @staticmethod
    def _of(spec: proto.CalendarSpec) -> ScheduleCalendarSpec:
        ranges = {
            name: ScheduleRange._of(getattr(spec, theirs))
            for name, theirs in _CALENDAR_FIELDS.items()
        }
        return ScheduleCalendarSpec(**ranges, comment=spec.comment or None)


@dataclass
class ScheduleIntervalSpec:
    """Every so often since the epoch, moved by the offset."""

    every: timedelta
    offset: timedelta | None = None


@dataclass
class ScheduleSpec:
    """The times of a schedule: all that one of its parts names and `skip` does not."""

    calendars: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    intervals: Sequence[ScheduleIntervalSpec] = field(default_factory=list)
    cron_expressions: Sequence[str] = field(default_factory=list)
    skip: Sequence[ScheduleCalendarSpec] = field(default_factory=list)
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter: timedelta | None = None
    time_zone_name: str | None = None
    instants: Sequence[datetime] = field(default_factory=list)
    """Single times; Holdfast's own."""

    def _to_proto(self) -> proto.ScheduleSpec:
        intervals = [
            proto.IntervalSpec(every_ms=to_ms(one.every), phase_ms=to_ms(one.offset))
            for one in self.intervals
        ]
        return proto.ScheduleSpec(
            calendars=[one._to_proto() for one in self.calendars],
            crons=list(self.cron_expressions),
            intervals=intervals,
            instants_at_ms=[to_instant_ms(one) for one in self.instants],
            exclusions=[one._to_proto() for one in self.skip],
            start_at_ms=to_instant_ms(self.start_at) if self.start_at else 0,
            end_at_ms=to_instant_ms(self.end_at) if self.end_at else 0,
            jitter_ms=to_ms(self.jitter),
            time_zone=self.time_zone_name or "",
        )

    @staticmethod
    def _of(spec: proto.ScheduleSpec) -> ScheduleSpec:
        intervals = [
            ScheduleIntervalSpec(timedelta(milliseconds=one.every_ms), from_ms(one.phase_ms))
            for one in spec.intervals
        ]
        return ScheduleSpec(
            calendars=[ScheduleCalendarSpec._of(one) for one in spec.calendars],
            intervals=intervals,
            cron_expressions=list(spec.crons),
            skip=[ScheduleCalendarSpec._of(one) for one in spec.exclusions],
            start_at=instant(spec.start_at_ms),
            end_at=instant(spec.end_at_ms),
            jitter=from_ms(spec.jitter_ms),
            time_zone_name=spec.time_zone or None,
            instants=[from_instant_ms(one) for one in spec.instants_at_ms],
        )


class ScheduleAction:
    """What a schedule does: ScheduleActionStartWorkflow."""


class ScheduleActionStartWorkflow(ScheduleAction):
    """Starts a workflow with the options of Client.start_workflow.

    id: the beginning of the workflows' ids; the time of the action follows. Of a schedule that was
    described, `args` and the values of `memo` are payloads.
    """

    def __init__(
        self,
        workflow: Any,
        arg: Any = NO_VALUE,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: TypedSearchAttributes | SearchAttributes = (
            TypedSearchAttributes.empty
        ),
        static_summary: str | None = None,
        static_details: str | None = None,
        headers: Headers | None = None,
        priority: Priority = Priority.default,
        concurrency_key: str = "",
    ) -> None:
        self.workflow, _ = workflow_named(workflow)
        self.args = list(arguments(arg, args))
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.static_summary = static_summary
        self.static_details = static_details
        self.headers = headers
        self.priority = priority
        self.concurrency_key = concurrency_key

    async def _to_proto(self, converter: DataConverter) -> proto.ScheduleAction:
        action = proto.ScheduleAction(
            workflow_id_prefix=self.id,
            workflow_type=self.workflow,
            task_queue=self.task_queue,
            input=await _payloads(self.args, converter),
            header=header(self.headers or {}),
            execution_timeout_ms=to_ms(self.execution_timeout),
            run_timeout_ms=to_ms(self.run_timeout),
            task_timeout_ms=to_ms(self.task_timeout),
            user_metadata=user_metadata(self.static_summary, self.static_details),
            search_attributes=search_attributes(self.typed_search_attributes),
            priority=self.priority._to_proto(),
            concurrency_key=self.concurrency_key,
        )
        if self.retry_policy is not None:
            action.retry_policy = self.retry_policy._to_proto()
        if self.memo and all(isinstance(value, Payload) for value in self.memo.values()):
            entries = [proto.PayloadEntry(key=k, value=v) for k, v in sorted(self.memo.items())]
            action.memo = proto.Memo(fields=entries)
        else:
            action.memo = await memo(self.memo, converter)
        return action

    @staticmethod
    def _of(action: proto.ScheduleAction) -> ScheduleActionStartWorkflow:
        metadata, policy = action.user_metadata, action.retry_policy
        fields = action.memo.fields if action.memo is not None else ()
        headers = action.header.fields if action.header is not None else ()
        return ScheduleActionStartWorkflow(
            action.workflow_type,
            args=list(action.input),
            id=action.workflow_id_prefix,
            task_queue=action.task_queue,
            execution_timeout=from_ms(action.execution_timeout_ms),
            run_timeout=from_ms(action.run_timeout_ms),
            task_timeout=from_ms(action.task_timeout_ms),
            retry_policy=RetryPolicy._from_proto(policy) if policy is not None else None,
            memo={entry.key: entry.value for entry in fields} or None,
            typed_search_attributes=TypedSearchAttributes._from_proto(action.search_attributes),
            static_summary=(metadata.summary or None) if metadata is not None else None,
            static_details=(metadata.details or None) if metadata is not None else None,
            headers={one.key: one.value for one in headers if one.value is not None} or None,
            priority=Priority._from_proto(action.priority),
            concurrency_key=action.concurrency_key,
        )


async def _payloads(values: Sequence[Any], converter: DataConverter) -> list[Payload]:
    """Payloads, of a schedule that was described, are as they came."""
    if values and all(isinstance(value, Payload) for value in values):
        return list(values)
    return await converter.encode(values)


@dataclass
class SchedulePolicy:
    """How a schedule takes its actions.

    catchup_window: an action that the engine could not take in time is still taken so long after.
    """

    overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP
    catchup_window: timedelta = _YEAR
    pause_on_failure: bool = False


@dataclass
class ScheduleState:
    """Whether a schedule takes actions; with limited_actions only so many more."""

    note: str | None = None
    paused: bool = False
    limited_actions: bool = False
    remaining_actions: int = 0


@dataclass
class Schedule:
    """When which workflow is started."""

    action: ScheduleAction
    spec: ScheduleSpec
    policy: SchedulePolicy = field(default_factory=SchedulePolicy)
    state: ScheduleState = field(default_factory=ScheduleState)

    async def _to_proto(self, converter: DataConverter) -> proto.Schedule:
        if not isinstance(self.action, ScheduleActionStartWorkflow):
            raise TypeError("a schedule's action is a ScheduleActionStartWorkflow")
        policies = proto.SchedulePolicies(
            overlap_policy=self.policy.overlap,
            catchup_window_ms=to_ms(self.policy.catchup_window),
            pause_on_failure=self.policy.pause_on_failure,
        )
        state = proto.ScheduleState(
            paused=self.state.paused,
            note=self.state.note or "",
            limited_actions=self.state.limited_actions,
            remaining_actions=self.state.remaining_actions,
        )
        return proto.Schedule(
            spec=self.spec._to_proto(),
            action=await self.action._to_proto(converter),
            policies=policies,
            state=state,
        )

    @staticmethod
    def _of(schedule: proto.Schedule) -> Schedule:
        policies = schedule.policies or proto.SchedulePolicies()
        state = schedule.state or proto.ScheduleState()
        return Schedule(
            action=ScheduleActionStartWorkflow._of(schedule.action or proto.ScheduleAction()),
            spec=ScheduleSpec._of(schedule.spec or proto.ScheduleSpec()),
            policy=SchedulePolicy(
                ScheduleOverlapPolicy(policies.overlap_policy or ScheduleOverlapPolicy.SKIP),
                from_ms(policies.catchup_window_ms) or _YEAR,
                policies.pause_on_failure,
            ),
            state=ScheduleState(
                state.note or None, state.paused, state.limited_actions, state.remaining_actions
            ),
        )


@dataclass
class ScheduleBackfill:
    """A time that is over, whose actions are to be taken now; both ends belong to it."""

    start_at: datetime
    end_at: datetime
    overlap: ScheduleOverlapPolicy | None = None


# MARK: What is known of one


class ScheduleActionExecution:
    """What an action has come to: ScheduleActionExecutionStartWorkflow."""


@dataclass(frozen=True)
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    """A workflow that an action has started."""

    workflow_id: str
    first_execution_run_id: str
    status: WorkflowExecutionStatus | None = None


@dataclass(frozen=True)
class ScheduleActionResult:
    """An action that was taken; error: why nothing was started."""

    scheduled_at: datetime
    started_at: datetime
    action: ScheduleActionExecution
    error: str = ""

    @staticmethod
    def _of(result: proto.ScheduleActionResult) -> ScheduleActionResult:
        return ScheduleActionResult(
            from_instant_ms(result.scheduled_time_ms),
            from_instant_ms(result.taken_time_ms),
            _started(result.execution, status_of(result.status)),
            result.error,
        )


def _started(
    execution: proto.WorkflowExecution | None, status: WorkflowExecutionStatus | None = None
) -> ScheduleActionExecutionStartWorkflow:
    known = execution or proto.WorkflowExecution()
    return ScheduleActionExecutionStartWorkflow(known.workflow_id, known.run_id, status)


@dataclass(frozen=True)
class ScheduleInfo:
    """What a schedule has done, and what it does next."""

    num_actions: int
    num_actions_missed_catchup_window: int
    num_actions_skipped_overlap: int
    running_actions: Sequence[ScheduleActionExecution]
    recent_actions: Sequence[ScheduleActionResult]
    next_action_times: Sequence[datetime]
    created_at: datetime
    last_updated_at: datetime | None

    @staticmethod
    def _of(info: proto.ScheduleInfo) -> ScheduleInfo:
        return ScheduleInfo(
            num_actions=info.action_count,
            num_actions_missed_catchup_window=info.missed_count,
            num_actions_skipped_overlap=info.skipped_count,
            running_actions=[_started(one) for one in info.running],
            recent_actions=[ScheduleActionResult._of(one) for one in info.recent_actions],
            next_action_times=[from_instant_ms(one) for one in info.next_action_time_ms],
            created_at=from_instant_ms(info.create_time_ms),
            last_updated_at=instant(info.update_time_ms),
        )


@dataclass(frozen=True)
class ScheduleDescription:
    """A schedule as it is."""

    id: str
    schedule: Schedule
    info: ScheduleInfo
    raw_description: proto.DescribeScheduleResponse

    @staticmethod
    def _of(id: str, response: proto.DescribeScheduleResponse) -> ScheduleDescription:
        return ScheduleDescription(
            id,
            Schedule._of(response.schedule or proto.Schedule()),
            ScheduleInfo._of(response.info or proto.ScheduleInfo()),
            response,
        )


@dataclass(frozen=True)
class ScheduleListDescription:
    """A schedule, as a list tells of it."""

    id: str
    workflow: str
    paused: bool
    note: str | None
    num_actions: int
    running_count: int
    next_action_time: datetime | None
    last_action_time: datetime | None

    @staticmethod
    def _of(entry: proto.ScheduleEntry) -> ScheduleListDescription:
        return ScheduleListDescription(
            entry.schedule_id,
            entry.workflow_type,
            entry.paused,
            entry.note or None,
            entry.action_count,
            entry.running_count,
            instant(entry.next_action_time_ms),
            instant(entry.last_action_time_ms),
        )


@dataclass(frozen=True)
class ScheduleUpdateInput:
    """What the function of an update is given."""

    description: ScheduleDescription


@dataclass
class ScheduleUpdate:
    """What a schedule is to be."""

    schedule: Schedule
