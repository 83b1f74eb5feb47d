"""The smaller functions of `holdfast.workflow`."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from shown import (
    CONVERTER,
    Shown,
    cancel,
    done,
    failed,
    failure_of,
    fire,
    kinds,
    payloads,
    signal,
    update,
    value,
)

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast._run.cache import WorkflowCache
from holdfast._run.commands import head
from holdfast._run.run import RunOptions
from holdfast.common import (
    Priority,
    RawValue,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
    WorkflowIDReusePolicy,
)
from holdfast.converter import DataConverter
from holdfast.exceptions import ApplicationError, ChildWorkflowError

SHORT = timedelta(seconds=10)


def result(completed: proto.WorkflowTaskCompleted) -> Any:
    assert kinds(completed)[-1] == "complete_workflow"
    return value(completed.commands[-1].complete_workflow.result)  # type: ignore[union-attr]


def begun(shown: Shown, **fields: Any) -> proto.WorkflowTaskCompleted:
    """Begins the run with more than the usual."""
    shown._begun = True
    return shown.show(shown.initialize(**fields))


def check_replay(shown: Shown, answers: list[proto.WorkflowTaskCompleted]) -> None:
    again = shown.replay()
    assert again.failure is None, again.failure
    expected = [[head(command) for command in answer.commands] for answer in answers]
    assert [list(one.heads) for one in again.completions] == expected


# MARK: How a run began and ends


@workflow.defn
class Following:
    @workflow.run
    async def run(self) -> list[Any]:
        failure = workflow.get_last_failure()
        return [
            workflow.has_last_completion_result(),
            workflow.get_last_completion_result(list[int]),
            failure.message if isinstance(failure, ApplicationError) else None,
            type(workflow.payload_converter()) is type(CONVERTER),
        ]


def test_a_run_knows_how_the_ones_before_it_ended() -> None:
    assert result(Shown(Following).show()) == [False, None, None, True]
    info = proto.FailureInfo(message="last time", application=proto.ApplicationFailure())
    completed = begun(
        Shown(Following),
        last_completion_result=proto.PayloadList(payloads=payloads([1, 2])),
        continued_failure=proto.Failure(info=info),
    )
    assert result(completed) == [True, [1, 2], "last time", True]


@workflow.defn
class Describing:
    @workflow.run
    async def run(self) -> list[Any]:
        info = workflow.info()
        return [
            info.headers["who"].data.decode(),
            info.cron_schedule,
            info.original_execution_run_id,
            info.search_attributes,
            info.get_current_build_id(),
            info.get_current_deployment_version(),
            info.get_current_history_length(),
            info.is_continue_as_new_suggested(),
            info.parent.workflow_id if info.parent else None,
            info.root.run_id if info.root else None,
        ]


def test_info_says_what_the_run_is() -> None:
    customer = SearchAttributeKey.for_keyword("Customer")
    names = SearchAttributeKey.for_keyword_list("Names")
    attributes = TypedSearchAttributes(
        [SearchAttributePair(customer, "ann"), SearchAttributePair(names, ["a", "b"])]
    )
    completed = begun(
        Shown(Describing),
        header=proto.Header(fields=[proto.PayloadEntry(key="who", value=payloads("me")[0])]),
        search_attributes=attributes._to_proto(),
        parent=proto.WorkflowExecution(workflow_id="p-1", run_id="r-p"),
        root=proto.WorkflowExecution(workflow_id="p-0", run_id="r-0"),
    )
    assert result(completed) == [
        '"me"',
        None,
        "run-1",
        {"Customer": ["ann"], "Names": ["a", "b"]},
        "",
        None,
        1,
        False,
        "p-1",
        "r-0",
    ]


@workflow.defn
class Cancelled:
    @workflow.run
    async def run(self) -> list[Any]:
        before = workflow.cancellation_reason()
        inner = asyncio.create_task(asyncio.sleep(5))
        inner.cancel()
        await asyncio.wait([inner])
        still = workflow.cancellation_reason()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return [before, still, workflow.cancellation_reason()]
        return []


def test_the_reason_of_a_cancel_is_known_to_the_code() -> None:
    shown = Shown(Cancelled)
    assert kinds(shown.show())[-1] == "start_timer"
    job = proto.Job(cancel_workflow=proto.CancelWorkflowJob(reason="too late"))
    assert result(shown.show(job)) == [None, None, "too late"]
    silent = Shown(Cancelled)
    silent.show()
    assert result(silent.show(cancel())) == [None, None, ""]


@workflow.defn(failure_exception_types=[KeyError])
class Judging:
    @workflow.run
    async def run(self) -> list[bool]:
        errors = (ApplicationError("x"), asyncio.TimeoutError(), KeyError(), ValueError())
        return [workflow.is_failure_exception(error) for error in errors]


def test_the_code_can_tell_failures_from_faults() -> None:
    assert result(Shown(Judging).show()) == [True, True, True, False]


# MARK: Chance


@workflow.defn
class Rolling:
    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.goes = False

    @workflow.run
    async def run(self) -> list[Any]:
        workflow.register_random_seed_callback(self.seeds.append)
        same, named = workflow.new_random(), workflow.new_random("dice")
        before = [workflow.random_seed(), same.random(), named.random()]
        unique = workflow.uuid7()
        await workflow.wait_condition(lambda: self.goes)
        return [
            *before,
            self.seeds,
            workflow.random_seed(),
            same.random(),
            named.random(),
            str(unique),
        ]

    @workflow.signal
    def go(self) -> None:
        self.goes = True


def test_further_generators_keep_in_step_with_the_runs_seed() -> None:
    shown = Shown(Rolling)
    answers = [shown.show()]
    reseeded = proto.Job(update_random_seed=proto.UpdateRandomSeed(random_seed=9))
    answers.append(shown.show(reseeded, signal("go")))
    found = result(answers[1])
    first, second = random.Random(7), random.Random(9)
    assert found[0] == 7 and found[1] == first.random()
    assert found[3:6] == [[9], 9, second.random()]
    assert found[2] not in found[:2] and found[6] != found[5]
    assert found[2] == random.Random("7 dice").random()
    # The workflow's time, 1,000,000 ms, then version and variant.
    assert found[7].startswith("00000000-000f-7") or found[7].startswith("0000000f-4240-7")
    assert found[7][:13].replace("-", "") == f"{1_000_000:012x}"
    assert found[7][14] == "7" and found[7][19] in "89ab"
    check_replay(shown, answers)


# MARK: Options


@workflow.defn
class Optional:
    @workflow.run
    async def run(self) -> None:
        options["what"]()


# What the workflow is to do.
options: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: workflow.start_activity("a", start_to_close_timout=SHORT),
            "an activity has no option start_to_close_timout",
        ),
        (
            lambda: workflow.start_local_activity("a", heartbeat_timeout=SHORT),
            "a local activity has no option heartbeat_timeout",
        ),
        (
            lambda: workflow.start_child_workflow("c", idd="x").send(None),
            "a child has no option idd",
        ),
        (
            lambda: workflow.start_child_workflow("c", cron_schedule="* * * * *").send(None),
            "a child has no cron_schedule: make a schedule, or continue as new",
        ),
        (
            lambda: workflow.upsert_search_attributes({"Customer": ["ann"]}),
            "search attributes change by SearchAttributeKey.value_set and value_unset",
        ),
        (
            lambda: workflow.continue_as_new(search_attributes={"A": ["b"]}),
            "search attributes are TypedSearchAttributes, whose keys name the types",
        ),
    ],
)
def test_options_that_nobody_knows_are_refused(call: Any, message: str) -> None:
    options["what"] = call
    assert failure_of(Shown(Optional).show()).message == message


@activity.defn
def measure(text: str) -> int:
    raise AssertionError("activities do not run here")


class Adding:
    @activity.defn(name="add")
    def __call__(self, left: int, right: int) -> int:
        raise AssertionError("activities do not run here")


@workflow.defn
class Everything:
    @workflow.run
    async def run(self) -> list[Any]:
        handle = await workflow.start_child_workflow(
            "c",
            id="c-1",
            task_queue="q2",
            cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            execution_timeout=SHORT,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            memo={"a": 1},
            priority=Priority(priority_key=2),
            versioning_intent=workflow.VersioningIntent.DEFAULT,
            static_summary="short",
            static_details="long",
            concurrency_key="one",
        )
        first = workflow.start_activity_class(Adding, args=[1, 2], start_to_close_timeout=SHORT)
        second = workflow.start_local_activity_class(
            Adding, args=[3, 4], start_to_close_timeout=SHORT, local_retry_threshold=SHORT
        )
        # Handles are futures, as in asyncio.
        ready, waiting = await workflow.wait(
            [handle, first, second, first], return_when=asyncio.FIRST_COMPLETED
        )
        assert ready == [first] and waiting == [handle, second]
        assert handle.id == "c-1" and handle.first_execution_run_id == "r-c"
        try:
            await handle
        except ChildWorkflowError as error:
            return [first.result(), await second, handle.done(), str(error.cause)]
        return []


def test_options_of_children_and_classes_as_activities() -> None:
    shown = Shown(Everything)
    answers = [shown.show()]
    command = answers[0].commands[0]
    child = command.start_child
    assert child is not None
    assert (child.workflow_id, child.task_queue, child.concurrency_key) == ("c-1", "q2", "one")
    assert child.cancellation_type == proto.ChildCancellationType.TRY_CANCEL
    assert child.parent_close_policy == proto.ParentClosePolicy.ABANDON
    assert child.execution_timeout_ms == 10_000
    assert child.id_reuse_policy == proto.WorkflowIdReusePolicy.REJECT_DUPLICATE
    assert child.priority is not None and child.priority.priority_key == 2
    assert command.user_metadata is not None
    assert (command.user_metadata.summary, command.user_metadata.details) == ("short", "long")
    execution = proto.WorkflowExecution(workflow_id="c-1", run_id="r-c")
    started = proto.ResolveChildStart(seq=1, started=execution)
    answers.append(shown.show(proto.Job(resolve_child_start=started)))
    assert kinds(answers[1]) == ["schedule_activity", "schedule_local_activity"]
    assert answers[1].commands[0].schedule_activity.activity_type == "add"
    answers.append(shown.show(done(2, 3)))
    outer = proto.FailureInfo(message="child", child_workflow=proto.ChildWorkflowFailure())
    inner = proto.FailureInfo(message="broken", application=proto.ApplicationFailure())
    ended = proto.ResolveChild(seq=1, failed=proto.Failure(info=outer, causes=[inner]))
    answers.append(shown.show(proto.Job(resolve_child=ended)))
    answers.append(shown.show(done(3, 7)))
    assert result(answers[4]) == [3, 7, True, "broken"]
    check_replay(shown, answers)


# MARK: Waiting


@workflow.defn
class Summing:
    def __init__(self) -> None:
        self.goes = False

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(
                lambda: self.goes, timeout=SHORT, timeout_summary="for the go"
            )
        except asyncio.TimeoutError:
            return "timeout"
        return "gone"

    @workflow.signal
    def go(self) -> None:
        self.goes = True


def test_the_timer_of_a_condition_has_its_summary() -> None:
    shown = Shown(Summing)
    answers = [shown.show()]
    (command,) = answers[0].commands
    assert (
        command.start_timer is not None and command.start_timer.start_to_fire_timeout_ms == 10_000
    )
    assert command.user_metadata is not None and command.user_metadata.summary == "for the go"
    answers.append(shown.show(signal("go")))
    assert kinds(answers[1]) == ["cancel_timer", "complete_workflow"]
    assert result(answers[1]) == "gone"
    check_replay(shown, answers)
    late = Shown(Summing)
    late.show()
    assert result(late.show(fire(1), after_ms=10_000)) == "timeout"


@workflow.defn
class Structured:
    @workflow.run
    async def run(self) -> list[Any]:
        found: list[Any] = []
        try:
            async with asyncio.timeout(1):  # type: ignore[attr-defined]
                await asyncio.sleep(60)
        except TimeoutError:
            found.append(workflow.time())
        try:
            async with asyncio.TaskGroup() as group:  # type: ignore[attr-defined]
                group.create_task(asyncio.sleep(60))
                group.create_task(self.fail())
        except BaseException as errors:
            found.append(str(errors.exceptions[0]))  # type: ignore[attr-defined]
        return found

    async def fail(self) -> None:
        await workflow.execute_activity("a", start_to_close_timeout=SHORT)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
def test_timeouts_and_groups_of_asyncio_work() -> None:
    shown = Shown(Structured)
    answers = [shown.show()]
    assert kinds(answers[0]) == ["start_timer", "start_timer"]
    places = [command.location.split(":")[0] for command in answers[0].commands]
    assert places == ["test_workflow_api.py"] * 2
    (soon,) = (
        one.start_timer.seq
        for one in answers[0].commands
        if one.start_timer is not None and one.start_timer.start_to_fire_timeout_ms == 1_000
    )
    answers.append(shown.show(fire(soon), after_ms=1_000))
    assert kinds(answers[1]) == ["cancel_timer", "start_timer", "schedule_activity"]
    # A task that is asyncio's alone.
    assert answers[1].commands[1].location == ""
    answers.append(shown.show(failed(4, "no")))
    assert kinds(answers[2]) == ["cancel_timer", "complete_workflow"]
    assert result(answers[2]) == [1_001.0, "activity failed"]
    check_replay(shown, answers)


# MARK: Dynamic workflows and handlers


@workflow.defn(dynamic=True, versioning_behavior=VersioningBehavior.PINNED)
class Anything:
    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        self.count = len(args)

    @workflow.dynamic_config
    def configure(self) -> workflow.DynamicWorkflowConfig:
        assert workflow.info().workflow_type
        types = [KeyError] if self.count == 2 else []
        return workflow.DynamicWorkflowConfig(failure_exception_types=types)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None:
        number = workflow.payload_converter().from_payload(args[0].payload, int)
        raise KeyError(number)


def test_a_dynamic_workflow_is_configured_by_what_it_is() -> None:
    def show(*values: Any) -> proto.WorkflowTaskCompleted:
        cache = WorkflowCache([Anything], RunOptions(DataConverter.default), runs_max=1)
        begin = proto.InitializeWorkflow(input=payloads(*values), random_seed=1)
        jobs = [proto.Job(initialize_workflow=begin)]
        return cache.activate(proto.Activation(run_id="r", workflow_type="any", jobs=jobs))

    assert kinds(show(1, 2)) == ["fail_workflow"]
    assert failure_of(show(1)).message == "1"


def test_only_dynamic_workflows_are_configured_so() -> None:
    with pytest.raises(ValueError, match="for one method of a dynamic workflow"):

        @workflow.defn
        class Named:
            @workflow.dynamic_config
            def configure(self) -> workflow.DynamicWorkflowConfig:
                return workflow.DynamicWorkflowConfig()

            @workflow.run
            async def run(self) -> None: ...


# MARK: Ends


@workflow.defn
class Leaving:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.leaves)

    def __init__(self) -> None:
        self.leaves = False

    @workflow.signal
    async def linger(self) -> None:
        await asyncio.sleep(60)

    @workflow.signal(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def loiter(self) -> None:
        await asyncio.sleep(60)

    @workflow.update
    async def stay(self) -> None:
        await asyncio.sleep(60)

    @workflow.update
    async def renew(self) -> None:
        workflow.continue_as_new()

    @workflow.signal
    def leave(self) -> None:
        self.leaves = True


def test_handlers_that_go_on_at_the_end_are_warned_of_by_kind() -> None:
    shown = Shown(Leaving)
    shown.show(signal("linger"), signal("loiter"), update("stay"))
    with pytest.warns(RuntimeWarning) as warned:
        assert kinds(shown.show(signal("leave"))) == ["complete_workflow"]
    assert [one.category for one in warned] == [
        workflow.UnfinishedSignalHandlersWarning,
        workflow.UnfinishedUpdateHandlersWarning,
    ]
    assert "signal 'linger';" in str(warned[0].message)
    assert "update 'stay' (u1);" in str(warned[1].message)


def test_a_handler_of_an_update_may_continue_as_new() -> None:
    with pytest.warns(workflow.UnfinishedUpdateHandlersWarning):
        shown = Shown(Leaving)
        shown.show(update("stay"))
        completed = shown.show(update("renew", update_id="u2"))
    assert kinds(completed) == ["update_accepted", "continue_as_new"]


# MARK: Logs


@workflow.defn
class Talking:
    @workflow.run
    async def run(self) -> None:
        workflow.logger.warning("hello", extra={"mine": 1})


def test_a_log_carries_its_workflow(caplog: pytest.LogCaptureFixture) -> None:
    adapter = workflow.logger
    adapter.full_workflow_info_on_extra = True
    try:
        Shown(Talking).show()
    finally:
        adapter.full_workflow_info_on_extra = False
    (record,) = [one for one in caplog.records if one.message.startswith("hello")]
    found = vars(record)
    assert found["mine"] == 1
    assert found["temporal_workflow"] == found["holdfast_workflow"]
    assert found["holdfast_workflow"]["workflow_id"] == "w-1"
    assert found["workflow_info"].run_id == "run-1"
    assert record.levelno == logging.WARNING


def test_the_workflows_time_is_in_utc() -> None:
    found: list[datetime] = []
    options["what"] = lambda: found.append(workflow.now())
    Shown(Optional).show()
    assert found == [datetime(1970, 1, 1, 0, 16, 40, tzinfo=timezone.utc)]
