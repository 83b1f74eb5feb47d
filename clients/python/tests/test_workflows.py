"""Workflow code in a worker's memory: what it is shown, and the commands that it gives."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from shown import Shown, cancel, done, failed, fire, kinds, payloads, signal, update, value

from holdfast import _messages as proto
from holdfast import activity, workflow
from holdfast._run.commands import head
from holdfast.common import RetryPolicy, SearchAttributeKey
from holdfast.exceptions import ActivityError, ApplicationError, is_cancelled_exception

SHORT = timedelta(seconds=10)


@dataclass
class Order:
    order_id: str
    cents: int


@activity.defn
def charge(order: Order) -> str:
    raise AssertionError(f"called for {order}: activities do not run here")


def check_replay(shown: Shown, answers: list[proto.WorkflowTaskCompleted]) -> None:
    """The code gives the same commands again."""
    again = shown.replay()
    assert again.failure is None, again.failure
    expected = [[head(command) for command in answer.commands] for answer in answers]
    assert [list(one.heads) for one in again.completions] == expected


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}!"


def test_a_workflow_completes_with_its_result() -> None:
    completed = Shown(Greeting, "Ann").show()
    assert kinds(completed) == ["complete_workflow"]
    complete = completed.commands[0].complete_workflow
    assert complete is not None and value(complete.result) == "Hello, Ann!"


@workflow.defn(name="order")
class Buying:
    def __init__(self) -> None:
        self.approved = False

    @workflow.run
    async def run(self, order: Order) -> str:
        receipt = await workflow.execute_activity(
            charge,
            order,
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(maximum_attempts=3),
            summary="take the money",
        )
        await workflow.wait_condition(lambda: self.approved)
        await asyncio.sleep(1.5)
        return receipt

    @workflow.signal
    def approve(self) -> None:
        self.approved = True

    @workflow.query
    def status(self, prefix: str) -> str:
        return f"{prefix}: {self.approved}"


def test_activities_conditions_and_timers_follow_each_other_and_replay() -> None:
    shown = Shown(Buying, Order("o-1", 250))
    first = shown.show()
    assert kinds(first) == ["schedule_activity"]
    command = first.commands[0]
    schedule = command.schedule_activity
    assert schedule is not None and schedule.seq == 1 and schedule.activity_type == "charge"
    assert value(schedule.input) == {"order_id": "o-1", "cents": 250}
    assert schedule.start_to_close_timeout_ms == 10_000
    assert schedule.retry_policy is not None and schedule.retry_policy.maximum_attempts == 3
    assert command.location.startswith("test_workflows.py:")
    assert command.user_metadata is not None
    assert command.user_metadata.summary == "take the money"
    second = shown.show(done(1, "paid"))
    assert kinds(second) == []
    answer = shown.ask("status", "approved")
    assert answer.succeeded is not None and value(answer.succeeded.payloads) == "approved: False"
    third = shown.show(signal("approve"))
    assert kinds(third) == ["start_timer"]
    timer = third.commands[0].start_timer
    assert timer is not None and timer.seq == 2 and timer.start_to_fire_timeout_ms == 1_500
    last = shown.show(fire(2), after_ms=1_500)
    complete = last.commands[0].complete_workflow
    assert complete is not None and value(complete.result) == "paid"
    check_replay(shown, [first, second, third, last])


def test_an_activitys_failure_fails_the_workflow_with_its_causes() -> None:
    shown = Shown(Buying, Order("o-1", 250))
    shown.show()
    completed = shown.show(failed(1, "no money"))
    fail = completed.commands[0].fail_workflow
    assert fail is not None and fail.failure is not None and fail.failure.info is not None
    assert fail.failure.info.kind == "activity"
    assert [cause.message for cause in fail.failure.causes] == ["no money"]


@workflow.defn
class Careful:
    @workflow.run
    async def run(self) -> str:
        handle = workflow.start_activity(
            "work",
            start_to_close_timeout=SHORT,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            return str(await handle)
        except ActivityError as error:
            assert is_cancelled_exception(error)
            await workflow.execute_activity("undo", start_to_close_timeout=SHORT)
            raise


def test_a_cancel_reaches_the_activity_and_the_code_may_clean_up() -> None:
    shown = Shown(Careful)
    answers = [shown.show(), shown.show(cancel())]
    assert kinds(answers[1]) == ["request_cancel_activity"]
    answers.append(shown.show(failed(1, "stopped", canceled=True)))
    assert kinds(answers[2]) == ["schedule_activity"]
    answers.append(shown.show(done(2)))
    assert kinds(answers[3]) == ["cancelled_workflow"]
    check_replay(shown, answers)


@workflow.defn
class Patient:
    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.wait_for(workflow.execute_activity("a", start_to_close_timeout=SHORT), 5)
        except asyncio.TimeoutError:
            return "timeout"
        except ActivityError:
            return "cancelled"
        return "done"


def test_wait_for_is_a_timer_that_is_cancelled_when_it_is_not_needed() -> None:
    shown = Shown(Patient)
    assert kinds(shown.show()) == ["start_timer", "schedule_activity"]
    assert kinds(shown.show(done(2))) == ["cancel_timer", "complete_workflow"]
    late = Shown(Patient)
    late.show()
    assert kinds(late.show(fire(1), after_ms=5_000)) == ["request_cancel_activity"]
    assert kinds(late.show(failed(2, "stopped", canceled=True))) == ["complete_workflow"]


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("a mistake in the code")


@workflow.defn(failure_exception_types=[ValueError])
class Strict:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("meant so")


def test_other_errors_fail_the_task_unless_the_workflow_says_that_they_are_failures() -> None:
    completed = Shown(Broken).show()
    assert completed.commands == () or not completed.commands
    assert completed.failure is not None and completed.failure.failure is not None
    info = completed.failure.failure.info
    assert info is not None and info.message == "a mistake in the code"
    assert "test_workflows.py" in info.stack_trace
    assert kinds(Shown(Strict).show()) == ["fail_workflow"]


@workflow.defn
class Cart:
    @workflow.init
    def __init__(self, size: int) -> None:
        self.size = size
        self.items: list[str] = []
        self.closed = False

    @workflow.run
    async def run(self, size: int) -> list[str]:
        await workflow.wait_condition(lambda: self.closed and workflow.all_handlers_finished())
        return self.items

    @workflow.update
    async def add(self, item: str) -> int:
        await workflow.execute_activity("reserve", item, start_to_close_timeout=SHORT)
        self.items.append(item)
        return len(self.items)

    @add.validator
    def check(self, item: str) -> None:
        if len(self.items) >= self.size:
            raise ApplicationError("the cart is full", type="Full")

    @workflow.signal(dynamic=True)
    async def other(self, name: str, values: Any) -> None:
        self.closed = name == "close"


def test_updates_are_accepted_rejected_and_completed() -> None:
    shown = Shown(Cart, 1)
    first = shown.show(update("add", "book"))
    assert kinds(first) == ["update_accepted", "schedule_activity"]
    second = shown.show(done(1))
    assert kinds(second) == ["update_completed"]
    completed = second.commands[0].update_completed
    assert completed is not None and completed.update_id == "u1" and completed.outcome is not None
    assert completed.outcome.succeeded is not None
    assert value(completed.outcome.succeeded.payloads) == 1
    check_replay(shown, [first, second])


def test_a_validator_rejects_and_an_unknown_update_too() -> None:
    shown = Shown(Cart, 0)
    shown.show()
    refused = shown.show(update("add", "book", update_id="u2"), update("sell", update_id="u3"))
    assert kinds(refused) == []
    messages = [
        one.failure.info.message
        for one in refused.update_rejections
        if one.failure and one.failure.info
    ]
    assert messages[0] == "the cart is full" and "known updates: [add]" in messages[1]
    assert kinds(shown.show(signal("close"))) == ["complete_workflow"]


CUSTOMER = SearchAttributeKey.for_keyword("Customer")


@workflow.defn
class Notes:
    @workflow.run
    async def run(self) -> dict[str, Any]:
        number = workflow.side_effect(lambda: 17)
        new = workflow.patched("better")
        workflow.upsert_memo({"color": "red", "gone": None})
        workflow.upsert_search_attributes([CUSTOMER.value_set("ann")])
        workflow.set_current_details("half way")
        await workflow.sleep(timedelta(milliseconds=1), summary="a moment")
        return {
            "number": number,
            "new": new,
            "color": workflow.memo_value("color"),
            "customer": workflow.info().typed_search_attributes[CUSTOMER],
            "random": workflow.random().random(),
            "uuid": str(workflow.uuid4()),
            "time": workflow.now().isoformat(),
        }


def test_notes_markers_and_chance_are_the_same_in_a_replay() -> None:
    shown = Shown(Notes)
    answers = [shown.show(), shown.show(fire(2), after_ms=1)]
    assert kinds(answers[0]) == [
        "record_marker",
        "record_marker",
        "upsert_memo",
        "upsert_search_attributes",
        "set_current_details",
        "start_timer",
    ]
    complete = answers[1].commands[0].complete_workflow
    assert complete is not None
    result = value(complete.result)
    assert result["number"] == 17 and result["new"] and result["customer"] == "ann"
    assert result["time"] == "1970-01-01T00:16:40.001000+00:00"
    check_replay(shown, answers)
    again = shown.cache.get("run-1")
    assert again is not None and again._closing is not None
    assert value(again._closing.complete_workflow.result) == result  # type: ignore[union-attr]


@workflow.defn
class Family:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow("ship", "books", id="s-1")
        await child.signal("hurry")
        other = workflow.get_external_workflow_handle("o-2")
        await other.cancel(reason="late")
        result = await child
        workflow.continue_as_new(result)
        return "never"


def test_children_others_and_continue_as_new() -> None:
    shown = Shown(Family)
    answers = [shown.show()]
    assert kinds(answers[0]) == ["start_child"]
    execution = proto.WorkflowExecution(workflow_id="s-1", run_id="run-2")
    begun = proto.ResolveChildStart(seq=1, started=execution)
    answers.append(shown.show(proto.Job(resolve_child_start=begun)))
    sent = answers[1].commands[0].signal_external
    assert sent is not None and sent.child_workflow_only and sent.seq == 2
    arrived = proto.Job(resolve_signal_external=proto.ResolveSignalExternal(seq=2))
    answers.append(shown.show(arrived))
    assert kinds(answers[2]) == ["cancel_external"]
    asked = proto.Job(resolve_cancel_external=proto.ResolveCancelExternal(seq=3))
    answers.append(shown.show(asked))
    ended = proto.ResolveChild(seq=1, completed=proto.PayloadList(payloads=payloads("shipped")))
    answers.append(shown.show(proto.Job(resolve_child=ended)))
    assert kinds(answers[4]) == ["continue_as_new"]
    follow = answers[4].commands[0].continue_as_new
    assert follow is not None and value(follow.input) == "shipped"
    check_replay(shown, answers)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow("ship", id="s-1")


def test_a_cancel_reaches_a_child_that_starts_and_one_that_runs_once() -> None:
    shown = Shown(Parent)
    answers = [shown.show(), shown.show(cancel())]
    assert kinds(answers[1]) == ["cancel_child"]
    execution = proto.WorkflowExecution(workflow_id="s-1", run_id="run-2")
    begun = proto.ResolveChildStart(seq=1, started=execution)
    answers.append(shown.show(proto.Job(resolve_child_start=begun)))
    answers.append(shown.show(cancel()))
    assert kinds(answers[2]) == kinds(answers[3]) == []
    outer = proto.FailureInfo(message="child", child_workflow=proto.ChildWorkflowFailure())
    inner = proto.FailureInfo(message="stopped", canceled=proto.CanceledFailure())
    failure = proto.Failure(info=outer, causes=[inner])
    ended = proto.ResolveChild(seq=1, canceled=failure)
    answers.append(shown.show(proto.Job(resolve_child=ended)))
    assert kinds(answers[4]) == ["cancelled_workflow"]
    check_replay(shown, answers)


@workflow.defn
class Sneaky:
    noise: ClassVar[list[str]] = []

    @workflow.run
    async def run(self) -> None:
        try:
            await asyncio.sleep(60)
        except BaseException as error:
            self.noise.append(type(error).__name__)
            raise
        finally:
            try:
                await workflow.execute_activity("undo", start_to_close_timeout=SHORT)
            except BaseException as error:
                self.noise.append(type(error).__name__)
                raise

    @workflow.query
    def change(self) -> None:
        workflow.upsert_memo({"a": 1})


def test_an_evicted_run_gives_nothing_more_whatever_its_finally_does() -> None:
    shown = Shown(Sneaky)
    shown.show()
    run = shown.cache.get("run-1")
    assert run is not None
    Sneaky.noise.clear()
    shown.cache.drop("run-1")
    assert run.commands == [] and run.tasks == {}
    assert Sneaky.noise == ["CancelledError", "Evicted"]
    assert len(shown.cache) == 0


@workflow.defn
class Littering:
    rings: ClassVar[list[Shown]] = []

    @workflow.run
    async def run(self) -> None:
        # What has been kept long is seldom looked at: not before the ring is garbage.
        gc.set_threshold(10, 1, 1)
        self.rings.clear()
        litter = [[number] for number in range(10_000)]
        await workflow.execute_activity("a", len(litter), start_to_close_timeout=SHORT)


def test_garbage_of_another_run_is_not_taken_for_this_ones_code() -> None:
    gc.collect()
    left = Shown(Sneaky)
    left.show()
    Littering.rings.append(left)
    del left
    Sneaky.noise.clear()
    threshold = gc.get_threshold()
    try:
        completed = Shown(Littering).show()
    finally:
        gc.set_threshold(*threshold)
    assert kinds(completed) == ["schedule_activity"]
    assert completed.commands[0].schedule_activity.activity_type == "a"  # type: ignore[union-attr]
    gc.collect()
    assert Sneaky.noise == ["GeneratorExit", "_NotInWorkflowEventLoopError"]


def test_a_query_must_not_change_the_workflow() -> None:
    shown = Shown(Sneaky)
    shown.show()
    answer = shown.ask("change")
    assert answer.failed is not None and answer.failed.info is not None
    assert "must not change the memo" in answer.failed.info.message
    missing = shown.ask("nothing")
    assert missing.failed is not None and missing.failed.info is not None
    assert "known queries: [change]" in missing.failed.info.message


@workflow.defn
class Groups:
    @workflow.run
    async def run(self) -> list[int]:
        tasks = [
            asyncio.create_task(self.one(number), name=f"one-{number}") for number in range(20)
        ]
        done, _ = await workflow.wait(tasks)
        results = [task.result() for task in done]
        for task in await asyncio.gather(*(self.one(number) for number in range(20))):
            results.append(task)
        slow = {asyncio.create_task(self.one(number)) for number in range(20)}
        await asyncio.sleep(0)
        for task in slow:
            task.cancel()
        return results

    async def one(self, number: int) -> int:
        await asyncio.sleep(1 + number % 3)
        return number


def test_sets_of_tasks_have_one_order() -> None:
    def play() -> list[list[tuple[int, int]]]:
        shown = Shown(Groups)
        answers = [shown.show()]
        while not answers[-1].commands or answers[-1].commands[-1].kind == "start_timer":
            started = [
                command.start_timer.seq
                for answer in answers[-1:]
                for command in answer.commands
                if command.start_timer is not None
            ]
            answers.append(shown.show(*(fire(seq) for seq in started), after_ms=3_000))
        assert answers[-1].commands[-1].kind == "complete_workflow"
        check_replay(shown, answers)
        return [[(head(c).type, head(c).seq) for c in a.commands] for a in answers]

    assert play() == play()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("threads", lambda: asyncio.get_running_loop().run_in_executor(None, print)),
        ("other threads", lambda: asyncio.get_running_loop().call_soon_threadsafe(print)),
    ],
)
def test_what_workflow_code_must_not_do_is_said(what: str, code: Any) -> None:
    @workflow.defn
    class Wrong:
        @workflow.run
        async def run(self) -> None:
            code()

    completed = Shown(Wrong).show()
    assert completed.failure is not None and completed.failure.failure is not None
    info = completed.failure.failure.info
    assert info is not None and what in info.message and "do it in an activity" in info.message


def test_tasks_of_different_runs_do_not_hash_alike() -> None:
    hashes: list[int] = []

    @workflow.defn
    class Waiting:
        @workflow.run
        async def run(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            hashes.append(hash(task))
            await asyncio.sleep(1)

    for number in range(100):
        Shown(Waiting, random_seed=number).show()
    assert len(set(hashes)) == 100
