"""Steps about requests and their answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from .codec import Malformed
from .patterns import difference, shown
from .peer import PATIENCE, Failed
from .run import Run, Verb
from .schema import PACKAGE, Method
from .text import Ill, Words


@dataclass(frozen=True)
class Outcome:
    """What is expected after `->`."""

    code: str = "OK"
    reason: str = ""
    pattern: Any = None


def full_path(name: str) -> str:
    return name if name.startswith(PACKAGE) else PACKAGE + name


def _method(run: Run, name: str) -> Method | None:
    return run.codec.schema.methods.get(full_path(name))


def _open(run: Run, words: Words, stream: int) -> None:
    """`METHOD [timeout=5] [noend] {request}[, x"more bytes"]`; a text is a method as it stands."""
    value = words.value()
    path = full_path(value)
    found = _method(run, value)
    opened: dict[str, Any] = {"method": path}
    has_end = True
    while (token := words.peek()) and token.text in ("timeout", "noend", "meta"):
        option = words.word()
        if option == "noend":
            has_end = False
        else:
            words.take("mark")
            key = "timeout_ms" if option == "timeout" else "metadata"
            opened[key] = words.value()
    body = b""
    while (token := words.peek()) and token.kind != "arrow":
        given = words.value()
        if isinstance(given, dict):
            if found is None:
                raise Ill(f"{path} is no method of the schema: give its request as bytes")
            given = run.codec.encode(found.request, given)
        body += given
        words.accept(",")
    opened["message"] = body
    if has_end:
        opened["end"] = True
    run.peer.methods[stream] = path
    run.peer.last_stream = max(stream, run.peer.last_stream)
    run.peer.send_frame({"stream": stream, "open": opened})


def opens(run: Run, words: Words) -> None:
    """`open 1 WorkflowService/StartWorkflow {…}`; its End is another step."""
    stream = words.number()
    _open(run, words, stream)


def _outcome(words: Words) -> Outcome:
    if not words.accept("->"):
        return Outcome()
    code = words.word()
    reason = ""
    token = words.peek()
    if code != "OK" and token and token.kind == "word":
        reason = words.word()
    pattern = words.value() if words.peek() else None
    return Outcome(code, reason, pattern)


def _check(run: Run, end: dict[str, Any], method: str, wanted: Outcome) -> str:
    """Where an End is not what is wanted; deviations that are safe are noted."""
    status = end.get("status", {})
    code = status.get("code", "OK")
    if code != wanted.code:
        return f"the stream ends with {shown(status or end)}, not {wanted.code}"
    if code != "OK":
        if wanted.reason and status.get("reason") != wanted.reason:
            run.deviates(f"the reason is {status.get('reason')}, not {wanted.reason}")
        return difference(wanted.pattern, status, run.kept) if wanted.pattern else ""
    found = _method(run, method)
    if found is None:
        return f"{method} is answered"
    try:
        response = run.codec.decode(found.response, end.get("message", b""))
    except Malformed as error:
        return f"the answer cannot be read: {error}"
    return difference(wanted.pattern, response, run.kept) if wanted.pattern else ""


def _end(run: Run, stream: int, patience: float = PATIENCE) -> dict[str, Any]:
    """Reads to the stream's End; parts before it are counted."""
    parts = 0
    while True:
        frame = run.peer.frame(stream, patience)
        if "end" in frame:
            run.kept["parts"] = parts
            return dict(frame["end"])
        if "message" not in frame:
            raise Failed(f"{shown(frame)} on stream {stream}")
        parts += 1


def call(run: Run, words: Words) -> None:
    """`call METHOD {…} -> OK {answer}` or `-> NOT_FOUND WORKFLOW_NOT_FOUND {status}`."""
    stream = run.peer.last_stream + 1
    _open(run, words, stream)
    wanted = _outcome(words)
    if fault := _check(run, _end(run, stream), run.peer.methods[stream], wanted):
        raise Failed(fault)


def eventually(run: Run, words: Words) -> None:
    """As `call`, until it is answered so."""
    until = time.monotonic() + PATIENCE
    place = words.place
    while True:
        words.place = place
        stream = run.peer.last_stream + 1
        _open(run, words, stream)
        wanted = _outcome(words)
        deviations = len(run.deviations)
        fault = _check(run, _end(run, stream), run.peer.methods[stream], wanted)
        if not fault:
            return
        del run.deviations[deviations:]
        if time.monotonic() > until:
            raise Failed(fault)
        time.sleep(0.01)  # The state of another's making is asked for, not waited for.


def end(run: Run, words: Words) -> None:
    """`end 1 -> OK {answer}`: how that stream ends."""
    stream = words.number()
    patience = words.seconds() if words.accept("within") else PATIENCE
    wanted = _outcome(words)
    if fault := _check(run, _end(run, stream, patience), run.peer.methods[stream], wanted):
        raise Failed(fault)


def ask(run: Run, words: Words) -> None:
    """`ask METHOD {…}`: as `call`, but its `answer` is another step."""
    stream = run.peer.last_stream + 1
    run.peer.asked.append(stream)
    _open(run, words, stream)


def answer(run: Run, words: Words) -> None:
    """`answer -> OK {…}`: how the oldest stream ends that was asked and not answered."""
    peer = run.peer
    if not peer.asked:
        raise Ill(f"line {words.line}: nothing was asked")
    stream = peer.asked.pop(0)
    patience = words.seconds() if words.accept("within") else PATIENCE
    wanted = _outcome(words)
    if fault := _check(run, _end(run, stream, patience), peer.methods[stream], wanted):
        raise Failed(fault)


def cancels(run: Run, words: Words) -> None:
    """`cancel`: gives up the stream that was asked last; it is answered all the same."""
    run.peer.send_frame({"stream": run.peer.asked[-1], "cancel": {}})


def credit(run: Run, words: Words) -> None:
    """`credit 5`: for the stream that was asked last."""
    messages = words.number()
    run.peer.send_frame({"stream": run.peer.asked[-1], "credit": {"messages": messages}})


def part(run: Run, words: Words) -> None:
    """`part 1 {…}`: the next message of a streamed answer; `part {…}`: of the one asked last."""
    token = words.peek()
    is_named = token is not None and token.kind in ("number", "variable")
    stream = words.number() if is_named else run.peer.asked[-1]
    frame = run.peer.frame(stream)
    if "message" not in frame:
        raise Failed(f"{shown(frame)} instead of a message")
    found = _method(run, run.peer.methods[stream])
    if found is None:
        raise Ill("the stream's method is not known")
    response = run.codec.decode(found.response, frame["message"].get("body", b""))
    if fault := difference(words.value(), response, run.kept):
        raise Failed(fault)


def give(run: Run, words: Words) -> None:
    """`give 1 {message}`: the next message of the client on that stream."""
    stream = words.number()
    found = _method(run, run.peer.methods[stream])
    if found is None:
        raise Ill("the stream's method is not known")
    body = run.codec.encode(found.request, words.value())
    run.peer.send_frame({"stream": stream, "message": {"body": body}})


def history(run: Run, words: Words) -> None:
    """`history {workflow_id: …} [events]`: the stored events of a run."""
    execution = words.value()
    peer = run.peer
    stream = peer.last_stream + 1
    peer.last_stream = stream
    request = run.codec.encode("GetHistoryRequest", {"execution": execution})
    opened = {"method": full_path("WorkflowService/GetHistory"), "message": request, "end": True}
    peer.send_frame({"stream": stream, "open": opened})
    peer.send_frame({"stream": stream, "credit": {"messages": 1_000_000}})
    events: list[Any] = []
    while "message" in (frame := peer.frame(stream)):
        batch = run.codec.decode("HistoryBatch", frame["message"].get("body", b""))
        events += batch.get("events", [])
    if frame.get("end", {}).get("status"):
        raise Failed(f"the history ends with {shown(frame)}")
    numbers = [event.get("event_id") for event in events]
    if numbers != list(range(1, len(events) + 1)):
        raise Failed(f"the events are numbered {numbers}")
    if fault := difference(words.value(), events, run.kept, "events"):
        names = [name for event in events for name in event if not name.startswith("event_")]
        raise Failed(f"{fault}; the history is {names}")


VERBS: dict[str, Verb] = {
    "open": opens,
    "call": call,
    "eventually": eventually,
    "end": end,
    "part": part,
    "give": give,
    "ask": ask,
    "answer": answer,
    "cancel": cancels,
    "credit": credit,
    "history": history,
}
