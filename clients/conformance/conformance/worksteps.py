"""Steps of a worker: the Work stream, its messages and those of the engine."""

from __future__ import annotations

import time
from typing import Any

from .callsteps import full_path
from .patterns import difference, shown
from .peer import PATIENCE, Failed, Peer, Silent
from .run import Run, Verb
from .text import Words


def work(run: Run, words: Words) -> None:
    """`work {attach: …} …`: opens the Work stream with these messages."""
    peer = run.peer
    peer.work_stream = peer.last_stream + 1
    peer.last_stream = peer.work_stream
    peer.methods[peer.work_stream] = full_path("WorkerService/Work")
    peer.engine_messages = []
    opened = {"method": full_path("WorkerService/Work"), "message": _messages(run, words)}
    peer.send_frame({"stream": peer.work_stream, "open": opened})


def say(run: Run, words: Words) -> None:
    """`say {grant: …} …`: messages of the worker, in one frame."""
    peer = run.peer
    body = {"body": _messages(run, words)}
    peer.send_frame({"stream": peer.work_stream, "message": body})


def _messages(run: Run, words: Words) -> bytes:
    messages = []
    while words.peek():
        messages.append(words.value())
        words.accept(",")
    return run.codec.encode("WorkRequest", {"messages": messages})


def task(run: Run, words: Words) -> None:
    """`task {activation: …}`: that message of the engine's comes, whatever else comes before."""
    pattern = words.value()
    until = time.monotonic() + (words.seconds() if words.accept("within") else PATIENCE)
    peer = run.peer
    seen = 0
    while True:
        if _take(run, peer, pattern, seen):
            return
        seen = len(peer.engine_messages)
        try:
            peer.engine_message(until - time.monotonic())
        except Silent as error:
            waiting = shown(peer.engine_messages, 1500)
            raise Failed(f"no {shown(pattern)}; what came is {waiting}") from error


def _take(run: Run, peer: Peer, pattern: Any, seen: int) -> bool:
    for index in range(seen, len(peer.engine_messages)):
        trial = dict(run.kept)
        if not difference(pattern, peer.engine_messages[index], trial):
            run.kept = trial
            del peer.engine_messages[index]
            return True
    return False


def none(run: Run, words: Words) -> None:
    """`none {activity_task: _}`: after a Ping was answered, no such message has come."""
    pattern = words.value()
    peer = run.peer
    peer.pings += 1
    number = 7_000_000 + peer.pings
    peer.send_frame({"ping": {"id": number}})
    while peer.frame(0).get("pong", {}).get("id") != number:
        pass  # A drain may be told meanwhile.
    while any(f.get("stream") == peer.work_stream for f in peer.inbox):
        peer.engine_message()
    for message in peer.engine_messages:
        if not difference(pattern, message, dict(run.kept)):
            raise Failed(f"{shown(message)} should not come")


VERBS: dict[str, Verb] = {
    "work": work,
    "say": say,
    "task": task,
    "none": none,
}
