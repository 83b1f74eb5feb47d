"""An engine, started from $HOLDFAST_BIN on a fresh file."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class Engine:
    def __init__(self, directory: Path) -> None:
        self.socket = str(directory / "hf.sock")
        self._command = [
            os.environ["HOLDFAST_BIN"],
            "serve",
            "--db",
            str(directory / "hf.db"),
            "--socket",
            self.socket,
        ]
        self._log = directory / "engine.log"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stderr=log)

    def kill_and_restart(self) -> None:
        self.kill()
        self._process = self._start()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--mode",
        choices=("cached", "uncached", "chaos"),
        default="cached",
        help="how tests/semantics serves workflows",
    )
    parser.addoption("--seed", type=int, default=1, help="of the chaos")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "no_chaos(reason): makes no sense where things go wrong")
    config.addinivalue_line("markers", "world(**options): of the test's WorkflowEnvironment")


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Tests may be coroutine functions: each has an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def binary() -> None:
    """For tests that start engines."""
    if "HOLDFAST_BIN" not in os.environ:
        pytest.skip("HOLDFAST_BIN names no engine: set it to the holdfast binary")


@pytest.fixture
def engine(tmp_path: Path, binary: None) -> Iterator[Engine]:
    made = Engine(tmp_path)
    try:
        yield made
    finally:
        made.kill()
