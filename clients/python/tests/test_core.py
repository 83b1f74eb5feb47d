"""Client, Stream and Worker of holdfast._core: their life, and their use against an engine."""

from __future__ import annotations

import gc
import itertools
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Engine

from holdfast import _core
from holdfast._core import Client, Closed, Error, StreamEnd, Worker
from holdfast._method import Method
from holdfast._proto.common import Payload, PayloadList, WorkflowExecution
from holdfast._proto.history import HistoryBatch
from holdfast._proto.services import METHODS
from holdfast._proto.worker import (
    Activation,
    ActivityCompleted,
    ActivityTask,
    Command,
    CompleteWorkflow,
    ScheduleActivity,
    WorkflowTaskCompleted,
)
from holdfast._proto.workflow_service import (
    GetHistoryRequest,
    GetWorkflowResultRequest,
    StartWorkflowRequest,
    WorkflowService,
)

QUEUE = "core"
ids = (f"run-{number}" for number in itertools.count())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    if "HOLDFAST_BIN" not in os.environ:
        pytest.skip("HOLDFAST_BIN names no engine: set it to the holdfast binary")
    made = Engine(tmp_path)
    try:
        yield made
    finally:
        made.kill()


@pytest.fixture
def client(engine: Engine) -> Iterator[Client]:
    made = Client.connect(socket_path=engine.socket)
    yield made
    made.close()


def call(client: Client, method: Method[Any, Any], request: Any, timeout_ms: int = 0) -> Any:
    return method.response.decode(client.call(method.name, request.encode(), timeout_ms))


def start(client: Client, workflow_id: str) -> None:
    request = StartWorkflowRequest(workflow_id=workflow_id, workflow_type="Echo", task_queue=QUEUE)
    assert call(client, WorkflowService.StartWorkflow, request).started


def result(client: Client, workflow_id: str) -> Any:
    request = GetWorkflowResultRequest(execution=WorkflowExecution(workflow_id=workflow_id))
    return call(client, WorkflowService.GetWorkflowResult, request, 20_000).result


# --- Without an engine ------------------------------------------------------------------------


def test_no_engine_is_an_error_with_all_that_is_known(tmp_path: Path) -> None:
    path = str(tmp_path / "nobody.sock")
    with pytest.raises(Error) as raised:
        Client.connect(socket_path=path, connect_timeout_ms=50)
    error = raised.value
    assert error.code in ("DISCONNECTED", "TIMEOUT")
    assert error.status >= 100
    assert path in error.message == str(error)
    assert (error.reason, error.reason_number, error.field, error.run_id) == ("", 0, "", "")
    assert error.retryable
    assert error.retry_after_ms == 0


def test_a_bad_argument_names_the_field() -> None:
    for options in ({"task_queue": ""}, {"task_queue": "q", "namespace": "a\0b"}):
        with pytest.raises(Error) as raised:
            Worker(**options)  # type: ignore[arg-type]
        assert raised.value.code == "BAD_ARGUMENT"
    for wrong in ({"queue": "q"}, {"task_queue": 5}, {"task_queue": "q", "workflow_types": "abc"}):
        with pytest.raises(TypeError):
            Worker(**wrong)
    with pytest.raises(OverflowError):
        Worker(task_queue="q", server_uid=2**32)
    with pytest.raises(TypeError):
        Client()


def interrupt_after(seconds: float) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_connecting_is_interrupted_by_a_signal(tmp_path: Path) -> None:
    """Somebody listens, and never says a word."""
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        interrupt_after(0.2)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            Client.connect(socket_path=path, connect_timeout_ms=2_000)
        assert time.monotonic() - began < 1.5


def test_after_close_everything_is_closed(tmp_path: Path) -> None:
    worker = Worker(task_queue="q", socket_path=str(tmp_path / "none"), workflow_types=["A"])
    worker.register_activity("a")
    assert worker.state() == _core.STATE_CONNECTING
    assert worker.fileno() >= 0
    assert worker.next_task() is None
    assert worker.timeout_ms() >= 0
    error = worker.last_error()
    assert error is not None
    assert "none" in error.message
    with pytest.raises(Error) as raised:
        worker.complete_workflow_task(b"")
    assert raised.value.code == "BAD_ARGUMENT"
    worker.close()
    worker.close()
    assert worker.state() == _core.STATE_CLOSED
    uses: list[Callable[[], Any]] = [
        worker.fileno,
        worker.timeout_ms,
        worker.process,
        worker.next_task,
        worker.flush,
        worker.stop,
        worker.last_error,
        lambda: worker.register_activity("b"),
        lambda: worker.evicted(["r"]),
        lambda: worker.set_local_activities(1),
        lambda: worker.heartbeat(b""),
        lambda: worker.complete_replay(b"x" * 100_000),
    ]
    for use in uses:
        with pytest.raises(Closed, match="closed"):
            use()


def test_a_stopped_worker_says_closed(tmp_path: Path) -> None:
    worker = Worker(task_queue="q", socket_path=str(tmp_path / "none"), workflow_types=["A"])
    worker.stop()
    with pytest.raises(Closed):
        for _ in range(100):
            worker.process()
    with pytest.raises(Closed):
        worker.next_task()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows(action: Callable[[], object], times: int) -> int:
    """By how much memory grows in the second half of so many times."""
    for _ in range(times):
        action()
    gc.collect()
    before = resident_bytes()
    for _ in range(times):
        action()
    gc.collect()
    return resident_bytes() - before


def test_nothing_leaks(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    made = WorkflowTaskCompleted(
        token=b"t" * 1000,
        commands=[Command(complete_workflow=CompleteWorkflow(result=[Payload(data=b"d" * 1000)]))],
    )
    data = made.encode()

    def messages() -> None:
        again = WorkflowTaskCompleted.decode(data + data)
        assert again.encode() and repr(again) and again == WorkflowTaskCompleted.decode(data + data)
        for wrong in (data[:-1], b"\x0a\x02\xff"):
            with pytest.raises(ValueError):
                WorkflowTaskCompleted.decode(wrong)
        again.token = "x" * 1000  # type: ignore[assignment]
        with pytest.raises(TypeError):
            again.encode()

    def workers() -> None:
        worker = Worker(task_queue="q", socket_path=path, workflow_types=["A", "B"])
        worker.next_task()
        assert worker.last_error() is not None
        with pytest.raises(Error):
            worker.complete_activity(b"\xff")

    assert grows(messages, 3000) < 1_000_000
    assert grows(workers, 500) < 1_000_000
    assert len(os.listdir("/proc/self/fd")) < 100


# --- Against an engine ------------------------------------------------------------------------


class EchoWorker:
    """An event loop by hand: a workflow of one activity, and the activity."""

    def __init__(self, path: str) -> None:
        self.worker = Worker(task_queue=QUEUE, socket_path=path, workflow_types=["Echo"])
        self.worker.register_activity("echo")
        self.readable = select.poll()
        self.readable.register(self.worker.fileno(), select.POLLIN)
        self.kinds: list[int] = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        try:
            while True:
                self.readable.poll(self.worker.timeout_ms())
                self.worker.process()
                while (task := self.worker.next_task()) is not None:
                    self.take(*task)
                self.worker.flush()
        except Closed:
            pass

    def take(self, kind: int, message: bytes, token: bytes, run_id: str) -> None:
        self.kinds.append(kind)
        if kind == _core.TASK_ACTIVITY:
            task = ActivityTask.decode(message)
            assert task.token == token
            done = ActivityCompleted(token=token, result=task.input)
            self.worker.complete_activity(done.encode())
            with pytest.raises(Error) as raised:
                self.worker.complete_activity(done.encode())
            assert raised.value.code == "ALREADY_COMPLETED"
        elif kind == _core.TASK_ACTIVATION:
            activation = Activation.decode(message)
            assert (activation.token, activation.run_id) == (token, run_id)
            command = self.answer(activation)
            answer = WorkflowTaskCompleted(token=token, commands=[command])
            self.worker.complete_workflow_task(answer.encode())

    @staticmethod
    def answer(activation: Activation) -> Command:
        for job in activation.jobs:
            if job.resolve_activity is not None:
                completed = job.resolve_activity.completed or PayloadList()
                return Command(complete_workflow=CompleteWorkflow(result=completed.payloads))
        payload = Payload(encoding="json/plain", data=b'"hello"')
        return Command(
            schedule_activity=ScheduleActivity(
                seq=1, activity_type="echo", input=[payload], start_to_close_timeout_ms=10_000
            )
        )

    def close(self) -> None:
        self.worker.stop()
        self.thread.join(15)
        assert not self.thread.is_alive()
        self.worker.close()


@pytest.fixture
def echo(engine: Engine) -> Iterator[EchoWorker]:
    made = EchoWorker(engine.socket)
    yield made
    made.close()


def test_workflows_and_activities_are_served(client: Client, echo: EchoWorker) -> None:
    names = [next(ids) for _ in range(200)]
    for name in names:
        start(client, name)
    for name in names:
        assert result(client, name) == [Payload(encoding="json/plain", data=b'"hello"')]
    assert {_core.TASK_ACTIVATION, _core.TASK_ACTIVITY} <= set(echo.kinds)
    assert echo.worker.state() == _core.STATE_ATTACHED
    assert echo.worker.last_error() is None


def test_an_error_of_the_engine(client: Client) -> None:
    with pytest.raises(Error) as raised:
        result(client, "nobody")
    assert (raised.value.code, raised.value.status) == ("NOT_FOUND", 5)
    assert raised.value.reason == "WORKFLOW_NOT_FOUND"
    assert not raised.value.retryable
    in_thread: list[BaseException] = []

    def ask() -> None:
        try:
            result(client, "nobody")
        except Error as error:
            in_thread.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    assert in_thread[0].args == raised.value.args


def test_submitted_calls_complete_also_beside_others(client: Client, echo: EchoWorker) -> None:
    """The main thread's call() and two takers of completions: each gets its own."""
    method = WorkflowService.StartWorkflow.name
    tags = range(100)
    found: dict[int, bytes | Error] = {}

    def take() -> None:
        while len(found) < len(tags):
            completion = client.next_completion(200)
            if completion is not None:
                found[completion[0]] = completion[1]

    takers = [threading.Thread(target=take) for _ in range(2)]
    for taker in takers:
        taker.start()
    names = [next(ids) for _ in tags]
    for tag, name in zip(tags, names, strict=True):
        kind = "Echo" if tag % 2 == 0 else ""
        request = StartWorkflowRequest(workflow_id=name, workflow_type=kind, task_queue=QUEUE)
        client.submit(method, request.encode(), 10_000, tag)
        if tag % 10 == 0:
            start(client, next(ids))
    for taker in takers:
        taker.join(20)
    for tag in tags:
        assert isinstance(found[tag], bytes if tag % 2 == 0 else Error)
    assert client.next_completion(0) is None
    assert not client.cancel_call(5)


def test_a_submitted_call_is_cancelled(client: Client) -> None:
    start(client, "waits")
    request = GetWorkflowResultRequest(execution=WorkflowExecution(workflow_id="waits"))
    client.submit(WorkflowService.GetWorkflowResult.name, request.encode(), -1, 2**63 - 1)
    assert client.next_completion(50) is None
    assert client.cancel_call(2**63 - 1)
    completion = client.next_completion(5_000)
    assert completion is not None
    tag, error = completion
    assert tag == 2**63 - 1
    assert isinstance(error, Error)
    assert error.code == "CANCELLED"
    with pytest.raises(OverflowError):
        client.submit("m", b"", 0, -1)


def test_a_call_is_interrupted_by_a_signal(client: Client) -> None:
    start(client, "open")
    interrupt_after(0.2)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        result(client, "open")
    assert time.monotonic() - began < 5
    start(client, next(ids))
    assert client.next_completion(0) is None


def test_a_stream_is_read_to_its_end(client: Client, echo: EchoWorker) -> None:
    name = next(ids)
    start(client, name)
    result(client, name)
    request = GetHistoryRequest(execution=WorkflowExecution(workflow_id=name))
    stream = client.open(WorkflowService.GetHistory.name, request.encode())
    events = 0
    with pytest.raises(StreamEnd):
        while True:
            events += len(HistoryBatch.decode(stream.next(10_000) or b"").events)
    assert events > 5
    with pytest.raises(StreamEnd):
        stream.next()
    stream.close()
    with pytest.raises(Closed):
        stream.next()


def follow(client: Client, name: str, timeout_ms: int = 0) -> Any:
    request = GetHistoryRequest(execution=WorkflowExecution(workflow_id=name), follow=True)
    return client.open(WorkflowService.GetHistory.name, request.encode(), timeout_ms)


def test_a_streams_own_time_ends(client: Client) -> None:
    start(client, "followed")
    stream = follow(client, "followed", 500)
    assert stream.next(5_000) is not None
    assert stream.next(50) is None
    with pytest.raises(Error) as raised:
        stream.next()
    assert raised.value.code in ("TIMEOUT", "DEADLINE_EXCEEDED")


@pytest.mark.parametrize("how", ["stream", "client", "shutdown"])
def test_close_ends_what_other_threads_wait_for(engine: Engine, how: str) -> None:
    client = Client.connect(socket_path=engine.socket)
    start(client, "waited-for")
    stream = follow(client, "waited-for")
    assert stream.next(5_000) is not None
    ends: list[BaseException] = []

    def wait(use: Callable[[], Any]) -> None:
        try:
            use()
        except BaseException as error:
            ends.append(error)

    uses: list[Callable[[], Any]] = [stream.next]
    if how != "stream":
        uses += [client.next_completion, lambda: result(client, "waited-for")]
    threads = [threading.Thread(target=wait, args=(use,)) for use in uses]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    with pytest.raises(RuntimeError, match="another thread"):
        stream.next(0)
    {"stream": stream.close, "client": client.close, "shutdown": client.shutdown}[how]()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(ends) == len(uses)
    assert all(isinstance(end, Closed) for end in ends), ends
    client.close()
    assert client.closed
    with pytest.raises(Closed):
        client.call("m", b"")
    del stream
    gc.collect()


def test_clients_that_nobody_holds_close_themselves(engine: Engine) -> None:
    before = len(os.listdir("/proc/self/fd"))

    def use() -> None:
        client = Client.connect(socket_path=engine.socket)
        if client.next_completion(0) is None:
            with pytest.raises(Error):
                result(client, "nobody")
        follow(client, "nobody").next  # noqa: B018

    assert grows(use, 200) < 1_000_000
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_a_worker_is_closed_while_it_pulls(engine: Engine) -> None:
    for _ in range(20):
        worker = Worker(task_queue=QUEUE, socket_path=engine.socket, workflow_types=["Echo"])
        ended = threading.Event()

        def pull(worker: Worker, ended: threading.Event) -> None:
            try:
                while True:
                    worker.process()
                    worker.next_task()
            except Closed:
                ended.set()

        thread = threading.Thread(target=pull, args=(worker, ended))
        thread.start()
        time.sleep(0.01)
        worker.close()
        assert ended.wait(10)
        thread.join()


def test_a_forked_child_is_told(client: Client, echo: EchoWorker) -> None:
    child = os.fork()
    if child == 0:
        try:
            client.call("m", b"", 100)
        except Error as error:
            os._exit(0 if error.code == "FORKED" else 1)
        os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    start(client, next(ids))


def test_a_forked_child_closes_its_copies_of_a_workers_descriptors() -> None:
    worker = Worker(task_queue="q", socket_path="/nobody.sock", workflow_types=["w"])
    descriptor = worker.fileno()
    child = os.fork()
    if child == 0:
        worker.close()
        try:
            os.fstat(descriptor)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    os.fstat(descriptor)
    worker.close()


def test_every_method_of_the_protocol_is_known(tmp_path: Path) -> None:
    """Of one that it does not know the library can neither look at requests nor repeat them."""
    client = Client.create(socket_path=str(tmp_path / "nobody.sock"))
    unknown = []
    for name in METHODS:
        try:
            client.submit(name, b"\xff", 0, 1)
        except Error as error:
            assert error.code == "BAD_ARGUMENT"
        else:
            unknown.append(name)
    client.close()
    assert unknown == []
