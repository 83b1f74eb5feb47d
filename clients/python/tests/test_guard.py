"""Calls that would not be the same when the code is run again: workflow code may not make them."""
# The calls are in functions of their own, whose lines the messages name.
# ruff: noqa: PLW0108, SIM115

from __future__ import annotations

import asyncio
import builtins
import datetime as dt
import importlib
import inspect
import json
import logging
import os
import pickle
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import traceback
import uuid
import zoneinfo
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from random import Random, SystemRandom, randint
from time import time as clock
from time import time_ns
from typing import Any

import guard_helpers
import pytest
from guard_helpers import identifier
from shown import CONVERTER, Shown, failure_of, fire, kinds, payloads, signal, value

from holdfast import _messages as proto
from holdfast import workflow
from holdfast._run import guarded_functions as guard
from holdfast._run.cache import WorkflowCache
from holdfast._run.run import RunOptions
from holdfast.converter import (
    CompositePayloadConverter,
    DataConverter,
    EncodingPayloadConverter,
    Payload,
)

# What the running test wants to be done in workflow code.
act: Callable[[], Any] = lambda: None  # noqa: E731


@workflow.defn
class Doing:
    """Does what the test says."""

    @workflow.run
    async def run(self) -> Any:
        return act()

    @workflow.query
    def ask(self) -> Any:
        return act()


@workflow.defn(sandboxed=False)
class Free:
    @workflow.run
    async def run(self) -> Any:
        return act()


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "act", lambda: None)


def do(what: Callable[[], Any], of: type = Doing, **options: Any) -> proto.WorkflowTaskCompleted:
    globals()["act"] = what
    return Shown(of, **options).show()


def result(completed: proto.WorkflowTaskCompleted) -> Any:
    assert kinds(completed) == ["complete_workflow"]
    return value(completed.commands[0].complete_workflow.result)  # type: ignore[union-attr]


def in_function() -> Any:
    from datetime import datetime as mine  # noqa: PLC0415
    from time import perf_counter  # noqa: PLC0415

    return mine.now(), perf_counter()


REFUSED: list[tuple[str, Callable[[], Any], str]] = [
    ("time.time", lambda: time.time(), "workflow.now() or workflow.time()"),
    ("time.time", lambda: clock(), "workflow.now()"),
    ("time.time_ns", lambda: time_ns(), "workflow.now()"),
    ("time.monotonic", lambda: time.monotonic(), "workflow.now()"),
    ("time.monotonic", lambda: guard_helpers.since(), "workflow.now()"),
    ("time.perf_counter", lambda: time.perf_counter(), "workflow.now()"),
    ("time.localtime", lambda: time.localtime(), "workflow.now()"),
    ("time.strftime", lambda: time.strftime("%H"), "workflow.now()"),
    ("time.sleep", lambda: time.sleep(0), "`await workflow.sleep()`"),
    ("datetime.now", lambda: datetime.now(), "workflow.now()"),
    ("datetime.now", lambda: datetime.now(tz=timezone.utc), "workflow.now()"),
    ("datetime.now", lambda: dt.datetime.now(), "workflow.now()"),
    ("datetime.now", lambda: guard_helpers.stamp(), "workflow.now()"),
    ("datetime.now", in_function, "workflow.now()"),
    ("datetime.utcnow", lambda: datetime.utcnow(), "workflow.now()"),
    ("datetime.today", lambda: datetime.today(), "workflow.now()"),
    ("date.today", lambda: date.today(), "workflow.now()"),
    ("random.random", lambda: random.random(), "workflow.random()"),
    ("random.randint", lambda: randint(1, 6), "workflow.random()"),
    ("random.randint", lambda: guard_helpers.dice(), "workflow.random()"),
    ("random.gauss", lambda: random.gauss(0, 1), "workflow.random()"),
    ("random.choices", lambda: random.choices([1, 2], k=2), "workflow.random()"),
    ("random.sample", lambda: random.sample([1, 2], 1), "workflow.random()"),
    ("random.getrandbits", lambda: random.getrandbits(8), "workflow.random()"),
    ("random.shuffle", lambda: random.shuffle([1, 2]), "workflow.random()"),
    ("random.Random", lambda: random.Random(), "workflow.new_random()"),
    ("random.Random", lambda: Random(None), "workflow.new_random()"),
    ("SystemRandom.random", lambda: SystemRandom().random(), "workflow.random()"),
    ("os.urandom", lambda: os.urandom(8), "workflow.random()"),
    ("secrets.token_hex", lambda: secrets.token_hex(), "workflow.random()"),
    ("uuid.uuid4", lambda: uuid.uuid4(), "workflow.random()"),
    ("uuid.uuid4", lambda: identifier(), "workflow.random()"),
    ("uuid.uuid1", lambda: uuid.uuid1(), "workflow.uuid4()"),
    ("open", lambda: open(__file__), "an activity"),
    ("open", lambda: open(__file__), "an activity"),
    ("Path.read_text", lambda: Path(__file__).read_text(), "an activity"),
    ("os.open", lambda: os.open(__file__, os.O_RDONLY), "an activity"),
    ("socket.socket", lambda: socket.socket(), "an activity"),
    ("create_connection", lambda: socket.create_connection(("localhost", 1)), "an activity"),
    ("subprocess.run", lambda: subprocess.run(["true"], check=False), "an activity"),
    ("os.system", lambda: os.system("true"), "an activity"),
    ("Thread.start", lambda: threading.Thread(target=print).start(), "an activity"),
    ("ThreadPoolExecutor.submit", lambda: ThreadPoolExecutor(1).submit(print), "an activity"),
]


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow")
@pytest.mark.parametrize(("name", "what", "instead"), REFUSED)
def test_a_call_that_is_not_the_same_again_fails_the_task_and_says_what_to_call(
    name: str, what: Callable[[], Any], instead: str
) -> None:
    completed = do(what)
    assert completed.commands == ()
    info = failure_of(completed)
    assert info.application is not None
    assert info.application.type == "RestrictedWorkflowAccessError"
    called = info.message.split("() was called in workflow code at ")
    # On 3.10 a code object knows its bare name alone.
    assert called[0].split(".")[-1] == name.rsplit(".", maxsplit=1)[-1], info.message
    assert f"Use {instead}" in info.message
    place = called[1].split(":")[0]
    assert place in ("test_guard.py", "guard_helpers.py")
    if place == "test_guard.py":
        lines, first = inspect.getsourcelines(what)
        line = int(called[1].split(":")[1].split(" ")[0])
        assert first <= line < first + len(lines)
    # Outside it goes as before.
    if instead != "an activity":
        what()


def test_time_and_chance_are_where_the_message_says() -> None:
    def right() -> list[Any]:
        generator = Random(5)
        return [
            workflow.now().isoformat(),
            workflow.random().random(),
            str(workflow.uuid4()),
            generator.randint(1, 1_000),
            datetime(2020, 1, 2, 3).isoformat(),
            date.fromisoformat("2020-01-02").year,
            datetime.fromtimestamp(0, timezone.utc).isoformat(),
            time.strftime("%Y", time.gmtime(0)),
            workflow.side_effect(lambda: uuid.uuid4().version),
        ]

    completed = do(right)
    assert kinds(completed) == ["record_marker", "complete_workflow"]
    found = value(completed.commands[1].complete_workflow.result)  # type: ignore[union-attr]
    assert found[0] == "1970-01-01T00:16:40+00:00"
    assert found[3] == Random(5).randint(1, 1_000)
    assert found[4:] == [
        "2020-01-02T03:00:00",
        2020,
        "1970-01-01T00:00:00+00:00",
        "1970",
        4,
    ]


def test_a_refused_call_fails_the_task_also_where_the_code_catches_the_error() -> None:
    def careless() -> str:
        try:
            return str(time.time())
        except Exception:
            return "never mind"

    info = failure_of(do(careless))
    assert info.message.startswith("time.time() was called in workflow code at test_guard.py:")


def test_a_query_that_is_refused_fails_alone() -> None:
    shown = Shown(Waiting)
    shown.show()
    answer = shown.ask("clock")
    assert answer.failed is not None and answer.failed.info is not None
    assert answer.failed.info.message.startswith("time.time() was called in workflow code")
    assert result(shown.show(signal("go"))) == "went"


@workflow.defn
class Waiting:
    def __init__(self) -> None:
        self.goes = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.goes)
        return "went"

    @workflow.signal
    def go(self) -> None:
        self.goes = True

    @workflow.query
    def clock(self) -> float:
        return time.time()


# MARK: Turned off


def test_unrestricted_code_may_do_everything_and_is_guarded_again_afterwards() -> None:
    def freely() -> list[Any]:
        with workflow.unsafe.sandbox_unrestricted():
            inside = workflow.unsafe.is_sandbox_unrestricted()
            made = [
                time.time() > 0,
                datetime.now().year > 2000,
                Random().random() < 1,
                len(Path(__file__).read_text()) > 0,
            ]
        return [*made, inside, workflow.unsafe.is_sandbox_unrestricted()]

    assert result(do(freely)) == [True, True, True, True, True, False]

    def afterwards() -> None:
        with workflow.unsafe.sandbox_unrestricted():
            time.time()
        time.time()

    assert failure_of(do(afterwards)).message.startswith("time.time()")


@workflow.defn
class TwoTasks:
    @workflow.run
    async def run(self) -> str:
        async def open_door() -> None:
            with workflow.unsafe.sandbox_unrestricted():
                await asyncio.sleep(1)

        task = asyncio.create_task(open_door())
        await asyncio.sleep(0)
        assert not workflow.unsafe.is_sandbox_unrestricted()
        await task
        return "one task's freedom is not another's"


def test_freedom_is_a_tasks_own() -> None:
    shown = Shown(TwoTasks)
    assert kinds(shown.show()) == ["start_timer"]
    assert result(shown.show(fire(1), after_ms=1_000)).startswith("one task's")


def test_workflows_and_workers_turn_the_guard_off() -> None:
    def sandbox() -> list[bool]:
        return [time.time() > 0, date.today().year > 2000, workflow.unsafe.in_sandbox()]

    assert result(do(sandbox, Free)) == [True, True, False]
    assert result(do(sandbox, options={"guarded": False})) == [True, True, False]
    assert result(do(lambda: workflow.unsafe.in_sandbox())) is True
    passes = frozenset({"test_guard"})
    assert result(do(sandbox, options={"passthrough_modules": passes})) == [True, True, True]


def test_imports_passed_through_is_taken_for_programs_that_have_it() -> None:
    with workflow.unsafe.imports_passed_through():
        assert workflow.unsafe.is_imports_passed_through()
    assert not workflow.unsafe.is_imports_passed_through()


# MARK: What works


def test_logging_works_whatever_its_handlers_do(tmp_path: Path) -> None:
    class Stamped(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return f"{datetime.now().year} {record.name} {record.getMessage()}"

    handler = logging.FileHandler(tmp_path / "log", delay=True)
    handler.setFormatter(Stamped())
    mine = logging.getLogger("test_guard")
    for logger in (mine, workflow.logger.base_logger):
        logger.addHandler(handler)

    def say() -> None:
        mine.warning("plain")
        workflow.logger.warning("adapted")
        try:
            raise ValueError("shown with its lines")
        except ValueError:
            mine.exception("failed")

    try:
        assert result(do(say)) is None
    finally:
        for logger in (mine, workflow.logger.base_logger):
            logger.removeHandler(handler)
        handler.close()
    lines = (tmp_path / "log").read_text().splitlines()
    year = datetime.now().year
    assert lines[0] == f"{year} test_guard plain"
    assert lines[1].startswith(f"{year} holdfast.workflow adapted (")
    assert lines[2:] == [f"{year} test_guard failed"]


@dataclass
class Point:
    x: int
    when: datetime


def test_what_reads_files_or_the_clock_without_harm_works(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def harmless() -> list[Any]:
        traceback.linecache.clearcache()  # type: ignore[attr-defined]
        try:
            raise ValueError("a line of this file")
        except ValueError:
            text = traceback.format_exc()
        sys.modules.pop("sched", None)
        print("said")
        point = pickle.loads(pickle.dumps(Point(1, datetime(2020, 1, 1))))
        zoneinfo.ZoneInfo.clear_cache()
        return [
            "a line of this file" in text.splitlines()[-2],
            importlib.import_module("sched").__name__,
            json.loads(json.dumps({"x": point.x})),
            point.when.year,
            datetime(2020, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).isoformat(),
            os.environ.get("HOME") == os.environ.get("HOME"),
        ]

    found = result(do(harmless))
    assert found == [True, "sched", {"x": 1}, 2020, "2020-07-01T00:00:00+02:00", True]
    assert capsys.readouterr().out == "said\n"


class SaltedConverter(EncodingPayloadConverter):
    """As one that encrypts: each payload is another."""

    encoding = "text/salted"

    def to_payload(self, value: Any) -> Payload | None:
        salt = os.urandom(4).hex()
        return Payload(encoding=self.encoding, data=f"{salt} {value}".encode())

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return payload.data.decode().split(" ", 1)[1]


class Salted(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(SaltedConverter())


def test_payload_converters_are_not_workflow_code() -> None:
    globals()["act"] = lambda: "sweet"
    cache = WorkflowCache([Doing], RunOptions(DataConverter(Salted)), runs_max=1)
    begin = proto.Job(initialize_workflow=proto.InitializeWorkflow(random_seed=1))
    completed = cache.activate(proto.Activation(run_id="r", workflow_type="Doing", jobs=[begin]))
    assert kinds(completed) == ["complete_workflow"]
    (payload,) = completed.commands[0].complete_workflow.result  # type: ignore[union-attr]
    assert SaltedConverter().from_payload(payload) == "sweet"


# MARK: Everybody else


def test_other_threads_are_not_guarded_while_a_run_is_driven() -> None:
    asked, answered = threading.Semaphore(0), threading.Semaphore(0)
    seen: list[Any] = []

    def elsewhere() -> None:
        asked.acquire()
        seen.extend([time.time() > 0, random.random() < 1, datetime.now().year > 2000])
        with open(__file__) as file:
            seen.append(bool(file.read(1)))
        threading.Thread(target=seen.append, args=("thread",)).start()
        answered.release()

    def wait_for_it() -> None:
        asked.release()
        answered.acquire()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert result(do(wait_for_it)) is None
    thread.join()
    assert sorted(map(str, seen)) == ["True", "True", "True", "True", "thread"]


def test_what_a_function_can_do_is_known_of_its_guarded_form_too() -> None:
    result(do(lambda: None))
    assert os.open.__wrapped__ in os.supports_dir_fd  # type: ignore[attr-defined]
    assert os.open in os.supports_dir_fd


def test_quick_functions_are_the_real_ones_but_while_a_run_is_driven() -> None:
    def names() -> list[Any]:
        found = (time.time, time.monotonic, random.random, os.urandom, builtins.__import__)
        return [inspect.isbuiltin(function) for function in found]

    assert result(do(names)) == [False] * 5
    assert names() == [True] * 5
    guard.enter()
    guard.enter()
    guard.leave()
    assert names() == [False] * 5
    guard.leave()
    assert names() == [True] * 5


def test_chance_outside_goes_on_as_it_was_seeded() -> None:
    random.seed(5)
    expected = [Random(5).random() for _ in range(1)]
    made: list[float] = []

    def elsewhere() -> None:
        made.append(random.uniform(0, 1))

    def wait_for_it() -> None:
        with workflow.unsafe.sandbox_unrestricted():
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()

    assert result(do(wait_for_it)) is None
    assert made == expected
    assert type(random._inst) is Random  # type: ignore[attr-defined]


def test_what_a_test_has_replaced_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 17.0)
    assert result(do(lambda: time.monotonic())) == 17.0
    assert time.monotonic() == 17.0
    assert failure_of(do(lambda: time.time())).message.startswith("time.time()")


def test_what_stands_for_datetime_is_as_the_real_one() -> None:
    result(do(lambda: None))  # this module is prepared now
    real = sys.modules["datetime"].datetime
    now = datetime.now(timezone.utc)
    assert type(now) is real and isinstance(now, datetime) and isinstance(now, date)
    assert isinstance(now, dt.datetime) and issubclass(real, datetime)
    assert not isinstance(date(2020, 1, 1), datetime)
    assert datetime is not real and datetime == real and {real: 1}[datetime] == 1
    assert type(datetime.combine(date(2020, 1, 1), dt.time())) is real
    assert type(datetime.strptime("2020", "%Y")) is real
    assert type(datetime.fromisoformat("2020-01-01T00:00:00+00:00")) is real
    assert pickle.loads(pickle.dumps(datetime)) is real
    assert pickle.loads(pickle.dumps(now)) == now
    assert repr(datetime) == "<class 'datetime.datetime'>"

    class Mine(datetime):
        pass

    assert type(Mine(2020, 1, 1)) is Mine and not isinstance(now, Mine)


def test_values_are_made_of_hints_that_name_what_stands_for_datetime() -> None:
    result(do(lambda: None))
    (sent,) = payloads(Point(1, datetime(2020, 1, 1)))
    assert CONVERTER.from_payload(sent, Point) == Point(1, datetime(2020, 1, 1))
