"""What a worker puts around workflow code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from shown import (
    CONVERTER,
    Shown,
    done,
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
from holdfast._run import interceptors as i
from holdfast._run.headers import headers_of
from holdfast.common import Priority, RetryPolicy
from holdfast.exceptions import ApplicationError

SHORT = timedelta(seconds=10)
# What the interceptors saw, in order.
seen: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_seen() -> Iterator[None]:
    seen.clear()
    yield


def header(**values: Any) -> proto.Header:
    (entries,) = [
        [proto.PayloadEntry(key=key, value=payloads(one)[0]) for key, one in sorted(values.items())]
    ]
    return proto.Header(fields=entries)


def decoded(headers: Mapping[str, proto.Payload]) -> dict[str, Any]:
    return {key: CONVERTER.from_payload(one) for key, one in headers.items()}


def sent(command: Any) -> dict[str, Any]:
    """The headers of a command."""
    return decoded(headers_of(command.header))


class Inbound(i.WorkflowInboundInterceptor):
    """Tells what comes in, and gives each call's headers to those that go out."""

    def init(self, outbound: i.WorkflowOutboundInterceptor) -> None:
        seen.append("init")
        super().init(Outbound(outbound))

    async def execute_workflow(self, input: i.ExecuteWorkflowInput) -> Any:
        seen.append(("execute", input.type, list(input.args), decoded(input.headers)))
        try:
            return {"inside": await super().execute_workflow(input)}
        finally:
            seen.append("executed")

    async def handle_signal(self, input: i.HandleSignalInput) -> None:
        seen.append(("signal", input.signal, list(input.args), decoded(input.headers)))
        await super().handle_signal(replace(input, args=[*input.args[:-1], "changed"]))

    async def handle_query(self, input: i.HandleQueryInput) -> Any:
        seen.append(("query", input.id, input.query, list(input.args)))
        return [await super().handle_query(input)]

    def handle_update_validator(self, input: i.HandleUpdateInput) -> None:
        seen.append(("validate", input.id, input.update, list(input.args)))
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: i.HandleUpdateInput) -> Any:
        seen.append(("update", input.id, input.update, list(input.args), decoded(input.headers)))
        return [await super().handle_update_handler(input)]


TRACE = {"trace": payloads("t-1")[0]}


class Outbound(i.WorkflowOutboundInterceptor):
    """Tells what goes out, and adds a header to it."""

    def continue_as_new(self, input: i.ContinueAsNewInput) -> NoReturn:
        seen.append(("continue", input.workflow, list(input.args), input.task_queue))
        super().continue_as_new(replace(input, headers=TRACE))

    def info(self) -> workflow.Info:
        return replace(super().info(), workflow_type="seen from outside")

    async def signal_child_workflow(self, input: i.SignalChildWorkflowInput) -> None:
        seen.append(("signal child", input.signal, list(input.args), input.child_workflow_id))
        await super().signal_child_workflow(replace(input, headers=TRACE))

    async def signal_external_workflow(self, input: i.SignalExternalWorkflowInput) -> None:
        seen.append(("signal other", input.signal, input.workflow_id, input.workflow_run_id))
        await super().signal_external_workflow(replace(input, headers=TRACE))

    def start_activity(self, input: i.StartActivityInput) -> workflow.ActivityHandle[Any]:
        seen.append(("activity", input.activity, list(input.args), input.arg_types, input.ret_type))
        assert input.start_to_close_timeout == SHORT
        return super().start_activity(replace(input, headers=TRACE, task_queue="other"))

    async def start_child_workflow(
        self, input: i.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any]:
        seen.append(("child", input.workflow, list(input.args), input.id))
        return await super().start_child_workflow(replace(input, headers=TRACE))

    def start_local_activity(
        self, input: i.StartLocalActivityInput
    ) -> workflow.ActivityHandle[Any]:
        seen.append(("local", input.activity, list(input.args)))
        return super().start_local_activity(replace(input, headers=TRACE))


OPTIONS: dict[str, Any] = {"options": {"interceptors": (Inbound,)}}


@workflow.defn
class Handling:
    def __init__(self) -> None:
        self.said: list[str] = []

    @workflow.run
    async def run(self, name: str) -> list[str]:
        await workflow.wait_condition(lambda: len(self.said) == 2)
        return [name, *self.said]

    @workflow.signal
    async def say(self, text: str) -> None:
        self.said.append(text)

    @workflow.query
    def count(self, more: int) -> int:
        return len(self.said) + more

    @workflow.update
    async def add(self, text: str) -> int:
        self.said.append(text)
        return len(self.said)

    @add.validator
    def check(self, text: str) -> None:
        if not text:
            raise ApplicationError("empty", type="Empty")


def test_what_comes_in_goes_through_the_interceptor() -> None:
    shown = Shown(Handling, "Ann", **OPTIONS)
    assert kinds(shown.show()) == []
    assert seen == ["init", ("execute", Handling, ["Ann"], {})]
    seen.clear()
    job = signal("say", "hello")
    job.signal_workflow.header = header(who="Bob")  # type: ignore[union-attr]
    assert kinds(shown.show(job)) == []
    assert seen == [("signal", "say", ["hello"], {"who": "Bob"})]
    seen.clear()
    answer = shown.ask("count", 5)
    assert answer.succeeded is not None and value(answer.succeeded.payloads) == [6]
    assert seen == [("query", "1", "count", [5])]
    seen.clear()
    asked = update("add", "more")
    asked.do_update.header = header(who="Cid")  # type: ignore[union-attr]
    completed = shown.show(update("add", "", update_id="u0"), asked)
    assert kinds(completed) == ["update_accepted", "update_completed", "complete_workflow"]
    assert seen == [
        ("validate", "u0", "add", [""]),
        ("validate", "u1", "add", ["more"]),
        ("update", "u1", "add", ["more"], {"who": "Cid"}),
        "executed",
    ]
    (refused,) = completed.update_rejections
    assert refused.failure is not None and refused.failure.info is not None
    assert refused.update_id == "u0" and refused.failure.info.message == "empty"
    outcome = completed.commands[1].update_completed.outcome  # type: ignore[union-attr]
    assert value(outcome.succeeded.payloads) == [2]  # type: ignore[union-attr]
    result = value(completed.commands[2].complete_workflow.result)  # type: ignore[union-attr]
    assert result == {"inside": ["Ann", "changed", "more"]}


@activity.defn
def charge(name: str, cents: int) -> bool:
    raise AssertionError("activities do not run here")


@workflow.defn
class Asking:
    @workflow.run
    async def run(self) -> None:
        assert workflow.info().workflow_type == "seen from outside"
        first = workflow.start_activity(
            charge,
            args=["Ann", 5],
            start_to_close_timeout=SHORT,
            retry_policy=RetryPolicy(maximum_attempts=2),
            priority=Priority(priority_key=1),
            summary="money",
        )
        second = workflow.start_local_activity(
            "look", 1, start_to_close_timeout=SHORT, result_type=int
        )
        await asyncio.gather(first, second)
        child = await workflow.start_child_workflow(Handling.run, "Bob", id="c-1")
        await child.signal(Handling.say, "hello")
        other = workflow.get_external_workflow_handle("o-1", run_id="r-1")
        await other.signal("say", "hello")
        workflow.continue_as_new(7, workflow="next", task_queue="q2")


def test_what_goes_out_goes_through_the_interceptor_and_carries_its_headers() -> None:
    shown = Shown(Asking, **OPTIONS)
    first = shown.show()
    assert kinds(first) == ["schedule_activity", "schedule_local_activity"]
    scheduled = first.commands[0].schedule_activity
    assert scheduled is not None and sent(scheduled) == {"trace": "t-1"}
    assert scheduled.task_queue == "other" and len(scheduled.input) == 2
    assert scheduled.retry_policy is not None and scheduled.retry_policy.maximum_attempts == 2
    assert scheduled.priority is not None and scheduled.priority.priority_key == 1
    assert first.commands[0].user_metadata is not None
    assert first.commands[0].user_metadata.summary == "money"
    assert first.commands[0].location.startswith("test_interceptors.py:")
    assert sent(first.commands[1].schedule_local_activity) == {"trace": "t-1"}
    second = shown.show(done(1, True), done(2, 3))
    assert kinds(second) == ["start_child"]
    assert sent(second.commands[0].start_child) == {"trace": "t-1"}
    execution = proto.WorkflowExecution(workflow_id="c-1", run_id="r-2")
    begun = proto.ResolveChildStart(seq=3, started=execution)
    third = shown.show(proto.Job(resolve_child_start=begun))
    told = third.commands[0].signal_external
    assert told is not None and told.child_workflow_only and sent(told) == {"trace": "t-1"}
    fourth = shown.show(
        proto.Job(resolve_signal_external=proto.ResolveSignalExternal(seq=4)),
    )
    other = fourth.commands[0].signal_external
    assert other is not None and not other.child_workflow_only and sent(other) == {"trace": "t-1"}
    last = shown.show(proto.Job(resolve_signal_external=proto.ResolveSignalExternal(seq=5)))
    assert kinds(last) == ["continue_as_new"]
    follow = last.commands[0].continue_as_new
    assert follow is not None and sent(follow) == {"trace": "t-1"}
    assert (follow.workflow_type, follow.task_queue, value(follow.input)) == ("next", "q2", 7)
    assert seen == [
        "init",
        ("execute", Asking, [], {}),
        ("activity", "charge", ["Ann", 5], [str, int], bool),
        ("local", "look", [1]),
        ("child", "Handling", ["Bob"], "c-1"),
        ("signal child", "say", ["hello"], "c-1"),
        ("signal other", "say", "o-1", "r-1"),
        ("continue", "next", [7], "q2"),
        "executed",
    ]
    again = shown.replay()
    assert again.failure is None
    assert [len(one.heads) for one in again.completions] == [2, 1, 1, 1, 1]


class Named(i.WorkflowInboundInterceptor):
    name = ""

    async def execute_workflow(self, input: i.ExecuteWorkflowInput) -> Any:
        seen.append(self.name)
        return await super().execute_workflow(input)


class First(Named):
    name = "first"


class Second(Named):
    name = "second"


@workflow.defn
class Plain:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(1)


def test_the_first_interceptor_is_the_outermost_and_each_run_has_its_own() -> None:
    both = {"interceptors": (First, Second)}
    shown = Shown(Plain, options=both)
    assert kinds(shown.show()) == ["start_timer"]
    run = shown.cache.get("run-1")
    assert run is not None and isinstance(run.inbound, First)
    assert isinstance(run.inbound.next, Second)
    assert kinds(shown.show(fire(1), after_ms=1_000)) == ["complete_workflow"]
    assert seen == ["first", "second"]
    other = Shown(Plain, options=both)
    other.show()
    found = other.cache.get("run-1")
    assert found is not None and found.inbound is not run.inbound
    without = Shown(Plain)
    without.show()
    bare = without.cache.get("run-1")
    assert bare is not None and bare.inbound is None and bare.outbound is None


class Waiting(i.WorkflowInboundInterceptor):
    async def handle_query(self, input: i.HandleQueryInput) -> Any:
        await asyncio.sleep(1)
        return await super().handle_query(input)


class Refusing(i.WorkflowInboundInterceptor):
    async def execute_workflow(self, input: i.ExecuteWorkflowInput) -> Any:
        raise ApplicationError("not today", type="Refused")


def test_an_interceptors_faults_are_the_codes() -> None:
    shown = Shown(Handling, "Ann", options={"interceptors": (Waiting,)})
    shown.show()
    answer = shown.ask("count", 1)
    assert answer.failed is not None and answer.failed.info is not None
    assert "must not start a timer" in answer.failed.info.message
    completed = Shown(Handling, "Ann", options={"interceptors": (Refusing,)}).show()
    assert kinds(completed) == ["fail_workflow"]

    class Misled(i.WorkflowInboundInterceptor):
        async def handle_query(self, input: i.HandleQueryInput) -> Any:
            return await super().handle_query(replace(input, query="nothing"))

    misled = Shown(Handling, "Ann", options={"interceptors": (Misled,)})
    misled.show()
    answer = misled.ask("count", 1)
    assert answer.failed is not None and answer.failed.info is not None
    assert answer.failed.info.message == "no handler is named 'nothing'"

    class Broken(i.WorkflowInboundInterceptor):
        def init(self, outbound: i.WorkflowOutboundInterceptor) -> None:
            raise ValueError("cannot begin")

    broken = Shown(Handling, "Ann", options={"interceptors": (Broken,)}).show()
    assert failure_of(broken).message == "cannot begin"


@workflow.defn
class Outward:
    @workflow.run
    async def run(self) -> Any:
        return workflow.extern_functions()["clock"]()


def test_extern_functions_are_given_to_the_code_and_may_do_everything() -> None:
    before = time.time()
    shown = Shown(Outward, options={"extern_functions": {"clock": time.time}})
    completed = shown.show()
    found = value(completed.commands[0].complete_workflow.result)  # type: ignore[union-attr]
    assert before <= found <= time.time()
