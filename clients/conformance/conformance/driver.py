"""The client under test: a driver program that does what lines on its standard input say."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from .peer import PATIENCE, Failed, Silent


class Driver:
    """`command` is a line in which {socket} stands for the socket to connect to."""

    pid: int | None = None
    is_running = True

    def __init__(self, command: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="conformance-"))
        self.socket = str(self.folder / "socket")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.socket)
        self.listener.listen(16)
        self.errors = self.folder / "errors"
        words = [word.format(socket=self.socket) for word in shlex.split(command)]
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self.received = b""

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise Failed(f"the driver has ended: {self.error_text()}") from error

    def accept(self, patience: float = PATIENCE) -> socket.socket:
        assert self.process.stdout is not None
        until = time.monotonic() + patience
        while True:
            left = max(0.0, until - time.monotonic())
            sources: list[Any] = [self.listener, self.process.stdout]
            ready, _, _ = select.select(sources, [], [], left)
            if self.listener in ready:
                sock, _ = self.listener.accept()
                sock.settimeout(PATIENCE)
                return sock
            if not ready:
                raise Silent("the client does not connect")
            self._read()

    def line(self, patience: float = PATIENCE) -> list[str]:
        """The words of the driver's next line."""
        assert self.process.stdout is not None
        until = time.monotonic() + patience
        while b"\n" not in self.received:
            if not self.waits(until - time.monotonic()):
                raise Silent("the driver says nothing")
            self._read()
        text, _, self.received = self.received.partition(b"\n")
        return text.decode(errors="replace").split(" ")

    def _read(self) -> None:
        assert self.process.stdout is not None
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        if not data:
            raise Failed(f"the driver has ended: {self.error_text()}")
        self.received += data

    def waits(self, patience: float, connection: bool = False) -> str:
        """What comes first: "line" or, if asked for, "connection"; empty: neither does."""
        assert self.process.stdout is not None
        if b"\n" in self.received:
            return "line"
        sources: list[Any] = [self.process.stdout, *([self.listener] if connection else [])]
        ready, _, _ = select.select(sources, [], [], max(0.0, patience))
        if not ready:
            return ""
        return "line" if self.process.stdout in ready else "connection"

    def quit(self) -> None:
        """The driver has to end well when it is asked to, whatever the case did to it."""
        self.tell("quit")
        # Who reconnects while it ends is refused.
        self.listener.close()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise Failed("the driver does not end when it is asked to") from error
        if code != 0:
            raise Failed(f"the driver ends with {code}: {self.error_text()}")

    def error_text(self) -> str:
        return self.errors.read_text(errors="replace")[-3000:]

    def dispose(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)
