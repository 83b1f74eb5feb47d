"""An engine of one's own: a child process in a directory of its own, which goes with it."""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Sequence
from pathlib import Path

from .exceptions import HoldfastError

START_SECONDS = 30
LOOK_SECONDS = 0.005


class EngineError(HoldfastError):
    """An engine cannot be started, or is gone."""


def executable() -> str:
    """$HOLDFAST_BIN, else the engine that came with this package, else the one in $PATH."""
    named = os.environ.get("HOLDFAST_BIN")
    if named:
        return named
    inside = Path(__file__).parent / "bin" / "holdfast"
    if inside.exists():
        return str(inside)
    found = shutil.which("holdfast")
    # This package's own command, without an engine, would find itself.
    if found is None or Path(found).resolve() == Path(sys.argv[0]).resolve():
        raise EngineError(
            "there is no holdfast binary: install the wheel that has it, put it in $PATH, or name"
            " it with $HOLDFAST_BIN"
        )
    return found


class LocalEngine:
    """From start() to stop(). One that is let go is killed, as when the program ends."""

    def __init__(
        self,
        *,
        binary: str | None = None,
        database: str | None = None,
        keeps_database: bool = False,
        skips_time: bool = False,
        arguments: Sequence[str] = (),
    ) -> None:
        """database: its file; None: the state ends with it, or, if it keeps_database, with its
        directory. arguments: of `holdfast serve`."""
        self._directory = tempfile.mkdtemp(prefix="holdfast-")
        if keeps_database and database is None:
            database = os.path.join(self._directory, "engine.db")
        self.socket_path = os.path.join(self._directory, "s.sock")
        self._log = os.path.join(self._directory, "engine.log")
        store = ["--in-memory"] if database is None else ["--db", database]
        mode = ["--time-skipping"] if skips_time else []
        self._command = [binary or executable(), "serve", "--socket", self.socket_path]
        self._command += [*store, *mode, *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer = weakref.finalize(self, _remove, self._directory)

    @property
    def process_id(self) -> int | None:
        """While it runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    async def start(self) -> None:
        """Returns when it serves."""
        process = self._launch()
        until = time.monotonic() + START_SECONDS
        while not os.path.exists(self.socket_path):
            if process.poll() is not None:
                raise EngineError(f"the engine has ended: {self._said()}")
            if time.monotonic() > until:
                self.kill()
                raise EngineError(f"the engine does not serve: {self._said()}")
            await asyncio.sleep(LOOK_SECONDS)

    def _launch(self) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        for name in ("NOTIFY_SOCKET", "LISTEN_PID"):
            # A service manager of this process has nothing to do with it.
            environment.pop(name, None)
        try:
            with open(self._log, "ab") as log:
                process = subprocess.Popen(
                    self._command, stdin=subprocess.DEVNULL, stderr=log, env=environment
                )
        except OSError as error:
            raise EngineError(f"{self._command[0]} cannot be run: {error.strerror}") from error
        self._process = process
        _running.add(self)
        return process

    def kill(self) -> None:
        """At once, as a crash would; start() begins again with what is in its database."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it, and removes its directory; a database stays."""
        self._end(signal.SIGTERM)
        self._finalizer()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        _running.discard(self)
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # One that was killed leaves it, and it is how start() knows that the next one serves.
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)

    def __del__(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _said(self) -> str:
        with open(self._log, "rb") as log:
            text = log.read()[-4_096:].decode(errors="replace").strip()
        return text or "it said nothing"


def _remove(directory: str) -> None:
    shutil.rmtree(directory, ignore_errors=True)


_running: weakref.WeakSet[LocalEngine] = weakref.WeakSet()


@atexit.register
def _kill_all() -> None:
    for engine in list(_running):
        engine.kill()


def main() -> None:
    """The `holdfast` command: becomes the engine's binary."""
    try:
        binary = executable()
    except EngineError as error:
        sys.exit(f"holdfast: {error}")
    os.execv(binary, [binary, *sys.argv[1:]])
