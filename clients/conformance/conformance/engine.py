"""The engine under test: a process of its own, or a socket that somebody serves."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .codec import Codec
from .peer import Failed, Peer

STARTUP = 30.0


class Engine:
    """`command` is a line with {db}, {socket} and, where a case needs one, {config}."""

    def __init__(self, command: str, config: str = "") -> None:
        self.command = command
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.socket = str(self.folder / "socket")
        self.config = config
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "log"

    def start(self) -> None:
        names = {"db": str(self.folder / "db"), "socket": self.socket}
        words = [word.format(**names) for word in shlex.split(self.command)]
        if self.config:
            path = self.folder / "config.toml"
            path.write_text(self.config, encoding="utf-8")
            words += ["--config", str(path)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + STARTUP
        while not self._accepts():
            if self.process.poll() is not None or time.monotonic() > until:
                raise Failed(f"the engine does not start: {self.log_text()}")
            time.sleep(0.005)  # There is nothing to wait on before the socket exists.

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(self.socket)
            except OSError:
                return False
            return True

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        if self.process:
            self.process.send_signal(number)

    def wait(self, patience: float) -> int:
        if self.process is None:
            raise Failed("the engine is not a process of the suite's")
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired as error:
            raise Failed(f"the engine does not end within {patience} s") from error

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait(STARTUP)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def dispose(self) -> None:
        if self.is_running:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class ServedSocket:
    """An engine that somebody else started; nothing is known of its process."""

    pid: int | None = None
    is_running = True

    def __init__(self, path: str) -> None:
        self.socket = path

    def log_text(self) -> str:
        return ""

    def dispose(self) -> None:
        pass


AnyEngine = Engine | ServedSocket


class Level:
    """Descriptors and memory of the engine before a case, to be there again after it."""

    # A debug engine keeps freed pages; a leak of a case's worst peer would be more than this.
    MEMORY_BOUND = 96 << 20
    PATIENCE = 8.0

    def __init__(self, engine: AnyEngine) -> None:
        self.descriptors = _descriptors(engine)
        self.memory = _memory(engine)

    def is_reached_by(self, engine: AnyEngine) -> str:
        """Empty, or what is not given back."""
        until = time.monotonic() + Level.PATIENCE
        while True:
            descriptors, memory = _descriptors(engine), _memory(engine)
            fault = ""
            if descriptors > self.descriptors > 0:
                fault = f"{descriptors} descriptors are open, {self.descriptors} were before"
            elif memory > self.memory + Level.MEMORY_BOUND:
                fault = f"{memory >> 20} MiB are kept, {self.memory >> 20} MiB were before"
            if not fault or time.monotonic() > until:
                return fault
            time.sleep(0.002)  # /proc cannot be waited on.


def _descriptors(engine: AnyEngine) -> int:
    try:
        return len(os.listdir(f"/proc/{engine.pid}/fd"))
    except OSError:
        return 0


def _memory(engine: AnyEngine) -> int:
    try:
        words = Path(f"/proc/{engine.pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


def health(engine: AnyEngine, codec: Codec, level: Level | None) -> str:
    """What is wrong with the engine after a case; empty when it goes on as before."""
    until = time.monotonic() + Level.PATIENCE
    while fault := _probe(engine, codec):
        # The case's own connections may still be in the way of one more.
        if not engine.is_running or time.monotonic() > until:
            return fault
        time.sleep(0.01)
    return level.is_reached_by(engine) if level else ""


def _probe(engine: AnyEngine, codec: Codec) -> str:
    if not engine.is_running:
        return f"the engine has ended: {engine.log_text()}"
    try:
        peer = Peer.dial(codec, engine.socket, "probe")
        try:
            peer.greet()
            path = "holdfast.v1.OperatorService/Health"
            peer.send_frame({"stream": 1, "open": {"method": path, "end": True}})
            end = peer.frame(1).get("end", {})
            answer = codec.decode("HealthResponse", end.get("message", b""))
            if answer.get("state") != "SERVING":
                return f"a new connection is answered {end or 'nothing'}"
        finally:
            peer.close()
    except (Failed, OSError) as error:
        return f"a new connection is not answered: {error}"
    return ""
