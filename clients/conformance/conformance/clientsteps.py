"""Steps of the client mode: the case is the engine, the client is told what to do by its driver."""

from __future__ import annotations

import time
from typing import Any

from .driver import Driver
from .patterns import difference, shown
from .peer import PATIENCE, Failed, Peer
from .run import Run, Verb
from .text import Ill, Words

WELCOME = {
    "protocol_version": 1,
    "server_version": "suite",
    "epoch": 1,
    "limits": {
        "frame_bytes_max": 4 << 20,
        "payload_bytes_max": 2 << 20,
        "request_payload_bytes_max": 3 << 20,
        "streams_max": 10_000,
        "initial_credit": 16,
        "id_bytes_max": 1_000,
    },
}


def _driver(run: Run) -> Driver:
    if not isinstance(run.engine, Driver):
        raise Ill("this step is of the client mode")
    return run.engine


def tell(run: Run, words: Words) -> None:
    """`tell word word …`: a line for the driver; a message's bytes as `Kind {…}`."""
    line = []
    while words.peek():
        value = words.value()
        if isinstance(value, str) and value in run.codec.schema.messages:
            value = run.codec.encode(value, words.value())
        line.append("x" + value.hex() if isinstance(value, bytes) else str(value))
    _driver(run).tell(" ".join(line))


def told(run: Run, words: Words) -> None:
    """`told [start, OK, …]`: the driver's next line, word by word."""
    pattern = words.value()
    patience = words.seconds() if words.accept("within") else PATIENCE
    found = _driver(run).line(patience)
    if fault := difference(pattern, found, run.kept, "line"):
        raise Failed(f"{fault}; the driver says {shown(found)}")


def accept(run: Run, words: Words) -> None:
    """The client connects; nothing is said to it yet."""
    _accept(run)


def _accept(run: Run) -> None:
    sock = _driver(run).accept()
    if run.current in run.peers:
        run.peers.pop(run.current).close()
    run.peers[run.current] = Peer(run.codec, sock, run.current)


def greet(run: Run, words: Words) -> None:
    """`greet`, `greet {welcome}`: the client connects, says Hello, and is welcomed."""
    welcome = words.value() if words.peek() else WELCOME
    _accept(run)
    _welcome(run, welcome)


def _welcome(run: Run, welcome: dict[str, Any]) -> None:
    found = run.peer.frame(None)
    if fault := difference({"hello": {"protocol_versions": [1]}}, found, run.kept):
        raise Failed(fault)
    run.peer.send_frame({"welcome": welcome})


def opened(run: Run, words: Words) -> None:
    """`opened METHOD {request}`: the client opens a stream with it; its id becomes `$stream`."""
    path = "holdfast.v1." + words.word()
    frame = run.peer.frame(None)
    method = run.codec.schema.method(path)
    found = frame.get("open")
    if found is None or found.get("method") != path:
        raise Failed(f"{shown(frame)} instead of an Open of {path}")
    if not method.is_client_streaming and not found.get("end"):
        raise Failed(f"its Open does not say that nothing follows: {shown(found)}")
    stream = frame.get("stream", 0)
    if stream <= run.peer.last_stream:
        raise Failed(f"stream {stream} opens after stream {run.peer.last_stream}")
    run.peer.last_stream = stream
    run.kept["stream"] = stream
    run.peer.methods[stream] = path
    request = run.codec.decode(method.request, found.get("message", b""))
    if words.peek() and (fault := difference(words.value(), request, run.kept)):
        raise Failed(fault)


def reply(run: Run, words: Words) -> None:
    """`reply {response}`: ends the client's last stream with this answer, or with these bytes."""
    stream = run.kept["stream"]
    value = words.value()
    method = run.codec.schema.method(run.peer.methods[stream])
    body = value if isinstance(value, bytes) else run.codec.encode(method.response, value)
    run.peer.send_frame({"stream": stream, "end": {"message": body}})


def message(run: Run, words: Words) -> None:
    """`message {…}`: one message of a streamed answer, or these bytes."""
    stream = run.kept["stream"]
    value = words.value()
    method = run.codec.schema.method(run.peer.methods[stream])
    body = value if isinstance(value, bytes) else run.codec.encode(method.response, value)
    run.peer.send_frame({"stream": stream, "message": {"body": body}})


def push(run: Run, words: Words) -> None:
    """`push {activity_task: …} …`: messages for the worker, in one frame."""
    messages = []
    while words.peek():
        messages.append(words.value())
        words.accept(",")
    body = run.codec.encode("WorkResponse", {"messages": messages})
    run.peer.send_frame({"stream": run.kept["stream"], "message": {"body": body}})


def says(run: Run, words: Words) -> None:
    """`says {grant: …}`: that message of the worker's comes, whatever comes before."""
    pattern = words.value()
    peer = run.peer
    while True:
        for index, found in enumerate(peer.engine_messages):
            trial = dict(run.kept)
            if not difference(pattern, found, trial):
                run.kept = trial
                del peer.engine_messages[index]
                return
        frame = peer.frame(run.kept["stream"])
        if "message" not in frame:
            raise Failed(f"{shown(frame)} instead of {shown(pattern)}")
        request = run.codec.decode("WorkRequest", frame["message"].get("body", b""))
        peer.engine_messages += request.get("messages", [])


def attached(run: Run, words: Words) -> None:
    """`attached {attach}`: a worker comes, attaches with this, and is told so."""
    pattern = words.value()
    _come(run)
    frame = run.peer.frame(None)
    found = frame.get("open", {})
    if found.get("method") != "holdfast.v1.WorkerService/Work":
        raise Failed(f"{shown(frame)} instead of an Open of Work")
    stream = frame["stream"]
    run.kept["stream"] = stream
    run.peer.methods[stream] = found["method"]
    body = found.get("message") or run.peer.frame(stream).get("message", {}).get("body", b"")
    run.peer.engine_messages = run.codec.decode("WorkRequest", body).get("messages", [])
    first = run.peer.engine_messages.pop(0) if run.peer.engine_messages else {}
    if fault := difference({"attach": pattern}, first, run.kept):
        raise Failed(f"the first message: {fault}")
    answer = {"messages": [{"attached": {"session_id": "s1", "resume_window_ms": 10_000}}]}
    run.peer.send_frame(
        {"stream": stream, "message": {"body": run.codec.encode("WorkResponse", answer)}}
    )


def _come(run: Run) -> None:
    _accept(run)
    _welcome(run, WELCOME)


def recovers(run: Run, words: Words) -> None:
    """`recovers [line]`: the client gives the connection up. It may come again and repeat its
    request, which is answered by an empty response, or tell that there is no connection."""
    pattern = words.value()
    run.peer.expect_end()
    driver = _driver(run)
    until = time.monotonic() + PATIENCE
    while True:
        came = driver.waits(until - time.monotonic(), connection=True)
        if came != "connection":
            break
        _come(run)
        frame = run.peer.frame(None)
        if "open" in frame:
            run.peer.send_frame({"stream": frame["stream"], "end": {}})
            break
    found = driver.line()
    wanted = [pattern, "OK"]
    given_up = ["DISCONNECTED", "UNAVAILABLE", "TIMEOUT", "PROTOCOL_ERROR", "DEADLINE_EXCEEDED"]
    if found[:2] != wanted and not (found[0] == pattern and found[1] in given_up):
        raise Failed(f"the driver says {shown(found)}")


VERBS: dict[str, Verb] = {
    "tell": tell,
    "told": told,
    "accept": accept,
    "greet": greet,
    "opened": opened,
    "reply": reply,
    "message": message,
    "push": push,
    "says": says,
    "attached": attached,
    "recovers": recovers,
}
