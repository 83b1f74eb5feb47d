"""A small engine that greets, answers Health and Ping, and misbehaves as it is told."""

from __future__ import annotations

import socket
import struct
import tempfile
import threading
from pathlib import Path
from typing import Any

from conformance.__main__ import PROTO
from conformance.codec import Codec, Malformed
from conformance.schema import Schema

CODEC = Codec(Schema.read(PROTO))
Frame = dict[str, Any]


class FakeEngine:
    """`faults`: what it does wrong, by the names that `Connection` knows."""

    def __init__(self, *faults: str) -> None:
        self.faults = set(faults)
        self.folder = tempfile.TemporaryDirectory(prefix="fake-engine-")
        self.socket = str(Path(self.folder.name) / "socket")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.socket)
        self.listener.listen(64)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self) -> FakeEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        self.folder.cleanup()

    def _serve(self) -> None:
        count = 0
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            count += 1
            with sock:
                Connection(sock, self.faults, count).serve()


class Connection:
    def __init__(self, sock: socket.socket, faults: set[str], number: int) -> None:
        self.sock = sock
        self.faults = faults
        self.number = number

    def serve(self) -> None:
        try:
            self._greet()
            while self._answer(self._read()):
                pass
        except (OSError, EOFError):
            pass

    def _greet(self) -> None:
        self._read()
        if "mute after the first" in self.faults and self.number > 1:
            raise EOFError
        limits = {"frame_bytes_max": 1000 if "small limit" in self.faults else 4 << 20}
        self._send({"welcome": {"protocol_version": 1, "limits": limits}})

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _read(self) -> Frame | None:
        """None: the frame is broken."""
        length = struct.unpack(">I", self._take(4))[0]
        if not 1 <= length <= 4 << 20:
            return None
        try:
            return CODEC.decode("Frame", self._take(length))
        except Malformed:
            return None

    def _send(self, frame: Frame) -> None:
        body = CODEC.encode("Frame", frame)
        self.sock.sendall(struct.pack(">I", len(body)) + body)

    def _answer(self, frame: Frame | None) -> bool:
        if frame is None:
            return self._refuse()
        if "ping" in frame:
            wrong = 1 if "wrong pong" in self.faults else 0
            self._send({"pong": {"id": frame["ping"].get("id", 0) + wrong}})
        elif "open" in frame:
            self._open(frame)
        return True

    def _refuse(self) -> bool:
        if "no goaway" not in self.faults:
            code = "INTERNAL" if "wrong code" in self.faults else "RESOURCE_EXHAUSTED"
            reason = "OVERLOADED" if "wrong reason" in self.faults else "FRAME_TOO_LARGE"
            self._send({"go_away": {"code": code, "message": f"{reason}: no"}})
        if "goes on" in self.faults:
            self._send({"pong": {"id": 1}})
        if "keeps open" in self.faults:
            self._take(1)
        return False

    def _open(self, frame: Frame) -> None:
        if "half a frame" in self.faults:
            self.sock.sendall(b"\0\0\0\x09\x01")
            raise EOFError
        state = "DRAINING" if "draining" in self.faults else "SERVING"
        message = CODEC.encode("HealthResponse", {"state": state})
        if "large frame" in self.faults:
            message = CODEC.encode("StartWorkflowResponse", {"run_id": "r" * 2000})
        self._send({"stream": frame["stream"], "end": {"message": message}})
