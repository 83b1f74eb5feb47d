"""Steps about connections, bytes and frames."""

from __future__ import annotations

import socket
import time
from typing import Any

from .patterns import difference, shown
from .peer import PATIENCE, Failed, Gone
from .run import Run, Verb
from .text import Words


def _bytes(run: Run, value: Any) -> bytes:
    if isinstance(value, dict):
        return run.codec.encode("Frame", value)
    return value.encode() if isinstance(value, str) else value


def dial(run: Run, words: Words) -> None:
    """A connection that says nothing yet."""
    run.dial()


def connect(run: Run, words: Words) -> None:
    """A connection with Hello and Welcome; `connect {…}`: with this Hello."""
    hello = words.value() if words.peek() else None
    run.dial().greet(hello)


def close(run: Run, words: Words) -> None:
    """The case ends the connection, whatever is under way."""
    run.peers.pop(run.current).close()


def shut(run: Run, words: Words) -> None:
    """No more bytes from the case; it still reads."""
    run.peer.sock.shutdown(socket.SHUT_WR)


def send(run: Run, words: Words) -> None:
    """`send x"00 01"`: these bytes and nothing else; parts are joined by +."""
    run.peer.send(_bytes(run, words.value()))


def frame(run: Run, words: Words) -> None:
    """`frame {…}`: length and Frame; `frame x"…"`: length and these bytes."""
    body = b""
    while True:
        body += _bytes(run, words.value())
        if not words.accept(","):
            break
    run.peer.send(len(body).to_bytes(4, "big") + body)


def cork(run: Run, words: Words) -> None:
    """What follows leaves with `uncork`, all at once."""
    run.peer.corked = bytearray()


def uncork(run: Run, words: Words) -> None:
    data = bytes(run.peer.corked or b"")
    run.peer.corked = None
    run.peer.send(data)


def pieces(run: Run, words: Words) -> None:
    """`pieces 3 1 4`: sizes in which bytes leave, the last one on and on; `pieces 0`: whole."""
    sizes = []
    while words.peek():
        sizes.append(words.number())
    run.peer.pieces = [] if sizes == [0] else sizes


def expect(run: Run, words: Words) -> None:
    """`expect {stream: 1, end: …}`: the next frame of that stream (0 when it names none)."""
    pattern = words.value()
    patience = words.seconds() if words.accept("within") else PATIENCE
    found = run.peer.frame(_stream(pattern), patience, pings="ping" in pattern)
    if fault := difference(pattern, found, run.kept):
        raise Failed(fault)


def _stream(pattern: dict[str, Any]) -> int:
    stream = pattern.get("stream", 0)
    return stream if isinstance(stream, int) else 0


def comes(run: Run, words: Words) -> None:
    """`comes {stream: 1, cancel: _}`: that frame, whatever comes before on its stream."""
    pattern = words.value()
    until = time.monotonic() + PATIENCE
    while True:
        found = run.peer.frame(_stream(pattern), until - time.monotonic(), pings=True)
        if not difference(pattern, found, run.kept):
            return


def following(run: Run, words: Words) -> None:
    """`next {…}`: the next frame of all."""
    pattern = words.value()
    found = run.peer.frame(None)
    if fault := difference(pattern, found, run.kept):
        raise Failed(fault)


def goaway(run: Run, words: Words) -> None:
    """`goaway CODE REASON`: it says why, and closes. `after 4s`, `within 7s` hold the time."""
    code, reason = words.word(), words.word()
    began = time.monotonic()
    after = words.seconds() if words.accept("after") else 0.0
    within = words.seconds() if words.accept("within") else PATIENCE
    try:
        found = run.peer.frame(0, within)
    except Gone:
        return run.deviates("it closes without GoAway")
    told = found.get("go_away")
    if told is None:
        raise Failed(f"{shown(found)} instead of GoAway")
    if told.get("code") != code:
        raise Failed(f"GoAway with {shown(told)}, not {code}")
    if not told.get("message", "").startswith(reason + ":"):
        run.deviates(f"GoAway says {told.get('message', '')!r}, not {reason}")
    run.kept["goaway"] = told
    if time.monotonic() - began < after:
        raise Failed(f"it ends before {after} s")
    run.peer.expect_end()


def drained(run: Run, words: Words) -> None:
    """A GoAway with code OK: `drained {pattern}`."""
    found = run.peer.frame(0).get("go_away")
    if found is None or found.get("code") not in (None, "OK"):
        raise Failed(f"{shown(found)} instead of a drain")
    if words.peek() and (fault := difference(words.value(), found, run.kept)):
        raise Failed(fault)


def closed(run: Run, words: Words) -> None:
    """The connection ends, and nothing comes before that."""
    patience = words.seconds() if words.accept("within") else PATIENCE
    run.peer.expect_end(patience)


def cut_off(run: Run, words: Words) -> None:
    """The connection ends; what was under way may come before, cut at any byte."""
    until = time.monotonic() + (words.seconds() if words.accept("within") else PATIENCE)
    peer = run.peer
    peer.sock.settimeout(max(0.01, until - time.monotonic()))
    try:
        while peer.sock.recv(1 << 20):
            if time.monotonic() > until:
                raise Failed("it is not cut off")
    except ConnectionResetError:
        pass
    except TimeoutError as error:
        raise Failed("it is not cut off") from error


def quiet(run: Run, words: Words) -> None:
    """A Ping is answered, and nothing else comes before that."""
    _pong(run, None)


def alive(run: Run, words: Words) -> None:
    """A Ping is answered; frames of streams may come before."""
    _pong(run, 0)


def _pong(run: Run, stream: int | None) -> None:
    peer = run.peer
    peer.pings += 1
    number = 7_000_000 + peer.pings
    peer.send_frame({"ping": {"id": number}})
    found = peer.frame(stream)
    if found.get("pong", {}).get("id") != number:
        raise Failed(f"{shown(found)} instead of the Pong")


def unread(run: Run, words: Words) -> None:
    """Waits until the peer has read all that was sent."""
    run.peer.wait_until_read()


VERBS: dict[str, Verb] = {
    "dial": dial,
    "connect": connect,
    "close": close,
    "shut": shut,
    "send": send,
    "frame": frame,
    "cork": cork,
    "uncork": uncork,
    "pieces": pieces,
    "expect": expect,
    "comes": comes,
    "next": following,
    "goaway": goaway,
    "drained": drained,
    "closed": closed,
    "cut_off": cut_off,
    "quiet": quiet,
    "alive": alive,
    "unread": unread,
}
