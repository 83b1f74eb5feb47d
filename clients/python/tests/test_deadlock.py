"""Workflow code that holds its worker's thread."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from shown import Shown, failure_of, kinds, signal, value

from holdfast import workflow
from holdfast._run.watchdog import DeadlockError, Interrupt, Watchdog

SHORT: dict[str, Any] = {"deadlock_timeout": 0.1}


@workflow.defn
class Spinning:
    """Spins where the test says."""

    spin_in: ClassVar[str] = ""
    caught: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.spin("init")

    def spin(self, where: str) -> bool:
        while self.spin_in == where:
            pass
        return False

    @workflow.run
    async def run(self) -> str:
        self.spin("run")
        try:
            self.spin("stubborn")
        except BaseException as error:
            self.caught.append(type(error).__name__)
        self.spin("stubborn")
        try:
            await workflow.wait_condition(lambda: self.spin("condition"))
        finally:
            self.spin("finally")
        return "never"

    @workflow.signal
    def go(self) -> None:
        self.spin("signal")

    @workflow.query
    def ask(self) -> str:
        self.spin("query")
        return "answer"

    @workflow.update
    async def change(self) -> None:
        self.spin("update")


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    yield
    Spinning.spin_in = ""
    Spinning.caught.clear()


class Log(logging.Handler):
    """What the watchdog has said, in its own thread."""

    def __init__(self) -> None:
        super().__init__()
        self._came: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()

    def emit(self, record: logging.LogRecord) -> None:
        self._came.put(record)

    def await_record(self) -> logging.LogRecord:
        record = self._came.get(timeout=10)
        assert self._came.empty()
        return record

    def __enter__(self) -> Log:
        logging.getLogger("holdfast.workflow").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("holdfast.workflow").removeHandler(self)


def places_of_spin() -> list[str]:
    _, first = inspect.getsourcelines(Spinning.spin)
    return [f"test_deadlock.py:{first + 1}", f"test_deadlock.py:{first + 2}"]


def check_message(message: str) -> None:
    start = "Potential deadlock: workflow code held the worker for 0.1 s at "
    assert message.startswith(start), message
    place, function = message.removeprefix(start).split(" in ")
    assert place in places_of_spin()
    assert function == "Spinning.spin"


@pytest.mark.parametrize("where", ["init", "run", "condition"])
def test_code_that_spins_fails_the_task_and_is_dropped(where: str) -> None:
    Spinning.spin_in = where
    shown = Shown(Spinning, options=SHORT)
    with Log() as log:
        completed = shown.show()
        record = log.await_record()
    assert completed.commands == ()
    check_message(failure_of(completed).message)
    assert len(shown.cache) == 0
    assert record.levelno == logging.ERROR and record.getMessage().startswith("workflow w-1: ")
    assert "Spinning.spin" in record.getMessage().splitlines()[0]
    assert "in spin\n    while self.spin_in == where" in record.getMessage()
    # The next ones are not touched.
    Spinning.spin_in = ""
    assert kinds(Shown(Spinning, options=SHORT).show()) == []


@pytest.mark.parametrize(("where", "job"), [("signal", signal("go"))])
def test_handlers_are_watched_too(where: str, job: Any) -> None:
    shown = Shown(Spinning, options=SHORT)
    assert kinds(shown.show()) == []
    Spinning.spin_in = where
    check_message(failure_of(shown.show(job)).message)
    assert len(shown.cache) == 0


def test_a_query_that_spins_fails_alone() -> None:
    shown = Shown(Spinning, options=SHORT)
    shown.show()
    Spinning.spin_in = "query"
    answer = shown.ask("ask")
    assert answer.failed is not None and answer.failed.info is not None
    check_message(answer.failed.info.message)
    Spinning.spin_in = ""
    again = shown.ask("ask")
    assert again.succeeded is not None and value(again.succeeded.payloads) == "answer"


def test_code_that_catches_everything_is_interrupted_again() -> None:
    Spinning.spin_in = "stubborn"
    info = failure_of(Shown(Spinning, options=SHORT).show())
    assert info.message.startswith("Potential deadlock: ")
    assert Spinning.caught == ["Interrupt"]


def test_a_finally_that_spins_does_not_hold_an_eviction() -> None:
    shown = Shown(Spinning, options=SHORT)
    shown.show()
    Spinning.spin_in = "finally"
    shown.cache.drop("run-1")
    assert len(shown.cache) == 0


# MARK: Calls into C

gate = threading.Lock()


@workflow.defn
class Blocked:
    @workflow.run
    async def run(self) -> None:
        gate.acquire()


class Opening(logging.Handler):
    """Opens the gate when the deadlock is logged: so that is done while the code still waits."""

    def emit(self, record: logging.LogRecord) -> None:
        if "Potential deadlock" in record.getMessage():
            gate.release()


def test_a_call_into_c_is_logged_at_once_and_interrupted_when_it_returns() -> None:
    logger, handler = logging.getLogger("holdfast.workflow"), Opening()
    logger.addHandler(handler)
    gate.acquire()
    try:
        completed = Shown(Blocked, options=SHORT).show()
    finally:
        logger.removeHandler(handler)
        gate.release()
    message = failure_of(completed).message
    assert " at test_deadlock.py:" in message and message.endswith(" in Blocked.run")


# MARK: Off, and in time


@workflow.defn(sandboxed=False)
class Slow:
    @workflow.run
    async def run(self, seconds: float) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return "done"


def test_without_a_timeout_code_takes_its_time() -> None:
    strict = Shown(Slow, 30, options={"deadlock_timeout": 0.01})
    assert failure_of(strict.show()).message.startswith("Potential deadlock: ")
    for seconds in (None, 30.0):
        lenient = Shown(Slow, 0.1, options={"deadlock_timeout": seconds})
        assert kinds(lenient.show()) == ["complete_workflow"]


# MARK: The watchdog by itself


class Loop:
    """As much of a workflow's event loop as it knows."""

    def __init__(self) -> None:
        self.overdue: str | None = None
        self.workflow_id = "w"


class Ends:
    """So many turns, and then until there were both: ones in time, and ones that were not."""

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._kinds: set[bool] = set()

    def add(self, in_time: bool) -> None:
        self._turns -= 1
        self._kinds.add(in_time)

    def go_on(self) -> bool:
        assert self._turns > -10_000, f"only {self._kinds}"
        return self._turns > 0 or len(self._kinds) < 2


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """The watchdog gets its turn while code runs. By default a thread waits 5 ms for that, longer
    than the code of these tests takes: it would always come too late, once it has given its turn
    away to read a line for its message."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    yield
    sys.setswitchinterval(before)


def call(dog: Watchdog, seconds: float, code: Callable[[], Any]) -> Any:
    return dog.call(Loop(), seconds, code)  # type: ignore[arg-type]


@pytest.mark.usefixtures("quick_switches")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_no_interrupt_gets_out_however_close_the_end_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, "holdfast.workflow")
    dog, chance, ends = Watchdog(), random.Random(3), Ends(400)

    def spin() -> str:
        end = time.perf_counter() + chance.uniform(0, 0.005)
        while time.perf_counter() < end:
            pass
        return "in time"

    while ends.go_on():
        try:
            ends.add(call(dog, 0.002, spin) == "in time")
        except DeadlockError:
            ends.add(False)
        # Here an interrupt that was late would come.
        sum(range(50))


@workflow.defn
class Brief:
    chance: ClassVar[random.Random] = random.Random(4)

    @workflow.run
    async def run(self) -> None:
        with workflow.unsafe.sandbox_unrestricted():
            end = time.perf_counter() + self.chance.uniform(0, 0.005)
            while time.perf_counter() < end:
                await asyncio.sleep(0)


@pytest.mark.usefixtures("quick_switches")
# An interrupt may come between the making of a coroutine and its first step, or in a destructor.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_thread_is_as_it_was_after_each_run_whether_interrupted_or_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL, "holdfast.workflow")
    ends = Ends(200)
    while ends.go_on():
        completed = Shown(Brief, options={"deadlock_timeout": 0.002}).show()
        ends.add(completed.failure is None)
        assert gc.isenabled()
        assert asyncio.events._get_running_loop() is None
        assert inspect.isbuiltin(time.time)


def test_an_error_of_the_code_comes_out_unless_it_was_overdue() -> None:
    dog = Watchdog()

    def fail() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        call(dog, 5, fail)

    def hide() -> None:
        try:
            while True:
                pass
        except Interrupt:
            raise ValueError("instead") from None

    with pytest.raises(DeadlockError, match=r"held the worker for 0\.01 s at test_deadlock\.py:"):
        call(dog, 0.01, hide)


def test_a_stop_in_a_debugger_does_not_count() -> None:
    dog, seen = Watchdog(), threading.Event()
    module = {"__name__": "pdb", "wait": lambda: seen.wait(0.2)}
    exec("def stop(): wait()", module)
    stop: Any = module["stop"]
    assert call(dog, 0.02, lambda: (stop(), "went on")[1]) == "went on"

    def wait() -> None:
        while not seen.wait(0.01):
            pass

    with pytest.raises(DeadlockError):
        call(dog, 0.02, wait)
