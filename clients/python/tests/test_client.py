"""The client's calls against an engine."""

from __future__ import annotations

import threading
import time

import pytest
import scripted
from conftest import World

from holdfast import (
    AlreadyExistsError,
    Client,
    ClosedError,
    Code,
    DeadlineError,
    FailedPreconditionError,
    HoldfastError,
    IdConflictPolicy,
    IdReusePolicy,
    InvalidArgumentError,
    NotFoundError,
    PendingActivityState,
    TerminatedError,
    UnavailableError,
    WorkflowFailedError,
    WorkflowHandle,
    WorkflowStatus,
    activity,
)


@activity.defn
def echo(value: object) -> object:
    return value


def eventually_pending(handle: WorkflowHandle) -> None:
    deadline = time.monotonic() + 20
    while not handle.describe().pending_activities:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_execute_returns_the_result(world: World) -> None:
    world.serve(echo)
    value = {"text": "süß", "list": [1, 2.5, None, True]}
    result = world.client.execute_workflow(
        "call", {"activity": "echo", "args": [value]}, id="w", task_queue=scripted.WORKFLOW_QUEUE
    )
    assert result == value
    handle = world.client.get_workflow_handle("w")
    assert handle.result(5) == value
    described = handle.describe()
    assert described.status == WorkflowStatus.COMPLETED
    assert described.close_time is not None and described.close_time >= described.start_time


def test_an_open_workflow_is_described_signalled_and_queried(world: World) -> None:
    handle = world.start("nobody-serves-this")
    eventually_pending(handle)
    described = handle.describe()
    assert (described.workflow_id, described.run_id) == (handle.id, handle.first_run_id)
    assert (described.workflow_type, described.task_queue) == ("call", "workflows")
    assert described.status == WorkflowStatus.RUNNING and described.close_time is None
    (pending,) = described.pending_activities
    assert (pending.activity_type, pending.task_queue) == ("nobody-serves-this", "activities")
    assert (pending.state, pending.attempt) == (PendingActivityState.SCHEDULED, 1)
    assert pending.no_worker

    length = described.history_length
    handle.signal("nudge", 1, {"two": 2})
    assert handle.query("echo", ["back"], 2) == ["back"]
    assert handle.describe().history_length > length
    with pytest.raises(DeadlineError) as raised:
        handle.result(timeout=0.05)
    assert isinstance(raised.value, TimeoutError)


def test_terminate_ends_it_with_the_reason(world: World) -> None:
    handle = world.start("nobody-serves-this")
    handle.terminate("enough of it")
    with pytest.raises(WorkflowFailedError, match="enough of it") as raised:
        handle.result(10)
    assert raised.value.status == WorkflowStatus.TERMINATED
    assert isinstance(raised.value.cause, TerminatedError)
    with pytest.raises(FailedPreconditionError) as closed:
        handle.signal("too-late")
    assert closed.value.reason == "WORKFLOW_CLOSED"


def test_a_taken_id_is_refused_or_shared_as_asked(world: World) -> None:
    def start(**options: object) -> WorkflowHandle:
        call = {"activity": "nobody-serves-this"}
        return world.client.start_workflow("call", call, id="w", task_queue="workflows", **options)

    first = start(request_id="r1")
    assert start(request_id="r1").first_run_id == first.first_run_id
    with pytest.raises(AlreadyExistsError) as raised:
        start()
    assert raised.value.run_id == first.first_run_id
    assert raised.value.code == Code.ALREADY_EXISTS
    shared = start(id_conflict_policy=IdConflictPolicy.USE_EXISTING)
    assert shared.first_run_id == first.first_run_id
    second = start(id_conflict_policy=IdConflictPolicy.TERMINATE_EXISTING)
    assert second.first_run_id != first.first_run_id
    second.terminate()
    with pytest.raises(AlreadyExistsError):
        start(id_reuse_policy=IdReusePolicy.REJECT_DUPLICATE)


def test_signal_with_start_starts_once(world: World) -> None:
    runs = {
        world.client.start_workflow(
            "call",
            {"activity": "nobody-serves-this"},
            id="w",
            task_queue="workflows",
            start_signal="nudge",
            start_signal_args=(number,),
        ).first_run_id
        for number in range(3)
    }
    assert len(runs) == 1


def test_errors_say_what_is_wrong(world: World) -> None:
    nobody = world.client.get_workflow_handle("nobody")
    for call in (
        nobody.describe,
        nobody.cancel,
        lambda: nobody.signal("x"),
        lambda: nobody.result(1),
    ):
        with pytest.raises(NotFoundError) as raised:
            call()
        assert raised.value.reason == "WORKFLOW_NOT_FOUND"
    with pytest.raises(InvalidArgumentError) as invalid:
        world.client.start_workflow("", id="w", task_queue="q")
    assert invalid.value.field == "workflow_type"
    with pytest.raises(HoldfastError) as nul:
        world.client.start_workflow("t", id="a\0b", task_queue="q")
    assert nul.value.field == "workflow_id"


def test_a_query_without_a_worker_is_unavailable(world: World) -> None:
    handle = world.client.start_workflow("unserved", id="w", task_queue="elsewhere")
    with pytest.raises(UnavailableError, match="elsewhere") as raised:
        handle.query("status", timeout=1)
    assert raised.value.reason == "NO_WORKER"


def test_threads_share_a_client(world: World) -> None:
    world.serve(echo)
    results: list[object] = []

    def one(number: int) -> None:
        results.append(world.call("echo", number))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results, key=str) == sorted(range(24), key=str)


def test_close_ends_a_waiting_call(world: World) -> None:
    client = Client.connect(world.engine.socket)
    handle = client.get_workflow_handle(world.start("nobody-serves-this").id)
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            handle.result()
        except HoldfastError as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while client._calls == 0:
        time.sleep(0.001)
    client.close()
    thread.join(10)
    assert isinstance(ended[0], ClosedError)
    with pytest.raises(ClosedError):
        handle.describe()
    client.close()
