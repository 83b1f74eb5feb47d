"""One connection: bytes out in the pieces that a case wants, frames in by stream."""

from __future__ import annotations

import array
import fcntl
import select
import socket
import struct
import termios
import time
from typing import Any

from .codec import Codec, Malformed

PATIENCE = 10.0
# A frame that an engine may not exceed whatever it was configured with.
FRAME_MAX = 1 << 30


class Failed(Exception):
    """The peer under test did not do what the case expects."""


class Gone(Failed):
    """It has closed the connection."""


class Silent(Failed):
    """It has said nothing for as long as the case waits."""


Frame = dict[str, Any]


class Peer:
    def __init__(self, codec: Codec, sock: socket.socket, name: str) -> None:
        self.codec = codec
        self.sock = sock
        self.name = name
        self.received = bytearray()
        self.inbox: list[Frame] = []
        self.is_ended = False
        self.corked: bytearray | None = None
        self.pieces: list[int] = []
        self.last_stream = 0
        self.methods: dict[int, str] = {}
        # Streams that were opened by `ask` and whose `answer` is to come.
        self.asked: list[int] = []
        self.work_stream = 0
        self.engine_messages: list[dict[str, Any]] = []
        self.welcome: dict[str, Any] = {}
        self.pings = 0

    @staticmethod
    def dial(codec: Codec, path: str, name: str) -> Peer:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        sock.connect(path)
        return Peer(codec, sock, name)

    def close(self) -> None:
        self.sock.close()

    # Out

    def send(self, data: bytes) -> None:
        if self.corked is not None:
            self.corked += data
            return
        try:
            if self.pieces:
                self._send_in_pieces(data)
            else:
                self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has closed; what it said can still be read, and is what a case looks at.
        except TimeoutError as error:
            raise Silent("it does not read what it is sent") from error

    def _send_in_pieces(self, data: bytes) -> None:
        """Each piece is read before the next one is sent, so that none of them meet."""
        place, index = 0, 0
        while place < len(data):
            size = self.pieces[min(index, len(self.pieces) - 1)]
            self.sock.sendall(data[place : place + size])
            place, index = place + size, index + 1
            self.wait_until_read()

    def wait_until_read(self, patience: float = PATIENCE) -> None:
        """Until the other side has taken everything out of the socket."""
        until = time.monotonic() + patience
        poll = select.poll()
        poll.register(self.sock, 0)
        while self.unread_by_peer() > 0:
            if poll.poll(1) or time.monotonic() > until:
                return  # Closed, or not reading: what follows shows which.

    def unread_by_peer(self) -> int:
        count = array.array("i", [0])
        fcntl.ioctl(self.sock, termios.TIOCOUTQ, count)
        return count[0]

    def send_frame(self, frame: Frame, more: bytes = b"") -> None:
        body = self.codec.encode("Frame", frame) + more
        self.send(struct.pack(">I", len(body)) + body)

    # In

    def frame(self, wanted: int | None, patience: float = PATIENCE, pings: bool = False) -> Frame:
        """The next frame of the stream; of any stream when None. Pings are left out."""
        until = time.monotonic() + patience
        while True:
            for index, frame in enumerate(self.inbox):
                if "ping" in frame and not pings:
                    continue
                if wanted is None or frame.get("stream", 0) == wanted:
                    return self.inbox.pop(index)
            self.fill(until)

    def fill(self, until: float) -> None:
        """Reads until there is one frame more."""
        count = len(self.inbox)
        while len(self.inbox) == count:
            if self.is_ended:
                raise Gone("it has closed the connection")
            self._receive(until)
            self._cut()

    def _receive(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise Silent("it says nothing")
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(1 << 18)
        except TimeoutError as error:
            raise Silent("it says nothing") from error
        except ConnectionResetError:
            data = b""
        finally:
            self.sock.settimeout(PATIENCE)
        if not data:
            self.is_ended = True
            if self.received:
                raise Failed(f"it closes within a frame, after {len(self.received)} bytes of it")
            raise Gone("it has closed the connection")
        self.received += data

    def _cut(self) -> None:
        while len(self.received) >= 4:
            length = struct.unpack_from(">I", self.received)[0]
            most = self.welcome.get("limits", {}).get("frame_bytes_max", FRAME_MAX)
            if not 1 <= length <= most:
                raise Failed(f"it sends a frame of {length} bytes")
            if len(self.received) < 4 + length:
                return
            body = bytes(self.received[4 : 4 + length])
            del self.received[: 4 + length]
            self._take(body)

    def _take(self, body: bytes) -> None:
        try:
            frame = self.codec.decode("Frame", body)
        except Malformed as error:
            raise Failed(f"it sends a frame that cannot be read: {error}") from error
        if any("go_away" in f and f["go_away"].get("code") for f in self.inbox):
            raise Failed(f"it goes on after GoAway: {frame}")
        self.inbox.append(frame)

    def expect_end(self, patience: float = PATIENCE) -> None:
        """Nothing more than the end of the connection."""
        try:
            frame = self.frame(None, patience)
        except Gone:
            return
        raise Failed(f"it sends {frame} where the connection should end")

    # The handshake

    def greet(self, hello: dict[str, Any] | None = None) -> None:
        self.send_frame({"hello": hello or {"protocol_versions": [1], "client_name": "suite"}})
        frame = self.frame(0)
        if "welcome" not in frame:
            raise Failed(f"it answers Hello with {frame}")
        self.welcome = frame["welcome"]

    # Work

    def engine_message(self, patience: float = PATIENCE) -> None:
        """Takes one more frame of the Work stream into `engine_messages`."""
        frame = self.frame(self.work_stream, patience)
        if "message" not in frame:
            raise Failed(f"the Work stream ends: {frame}")
        response = self.codec.decode("WorkResponse", frame["message"].get("body", b""))
        self.engine_messages += response.get("messages", [])
