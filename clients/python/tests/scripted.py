"""A workflow worker for the tests: its one workflow calls the activity that its input names.

Workflows in Python do not exist yet, so this answers activations with messages written by hand.
The input of a workflow of type "call" is one object: {"activity", "args", and options below}.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from holdfast._failures import check
from holdfast._library import Arena, ffi, lib, to_bytes
from holdfast._wire import Message
from holdfast.errors import ClosedError

WORKFLOW_QUEUE = "workflows"
ACTIVITY_QUEUE = "activities"
WAIT_CANCELLATION_COMPLETED = 2


def varint(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def payload(value: Any) -> bytes:
    return field(1, "json/plain") + field(2, json.dumps(value))


def schedule_activity(options: dict[str, Any]) -> bytes:
    retry = field(1, options.get("initial_ms", 10)) + field(4, options.get("attempts", 0))
    message = (
        field(1, 1) + field(3, options["activity"]) + field(4, options.get("queue", ACTIVITY_QUEUE))
    )
    for value in options.get("args", []):
        message += field(6, payload(value))
    message += field(9, options.get("start_to_close_ms", 60_000))
    message += field(10, options.get("heartbeat_ms", 0))
    message += field(11, retry) + field(12, WAIT_CANCELLATION_COMPLETED)
    return field(2, field(3, message))


def resolve(job: Message) -> bytes:
    """The workflow ends as its activity did."""
    if job.has(2):
        results = b"".join(field(1, raw) for raw in job.message(2).raw(1))
        return field(2, field(7, results))
    if job.has(3):
        return field(2, field(8, field(1, job.raw(3)[0])))
    return field(2, field(9, b""))


def answer(job: Message) -> bytes:
    """The command or query result that a job leads to."""
    if job.has(1):
        return schedule_activity(json.loads(job.message(1).message(1).raw(2)[0]))
    if job.has(3):
        return field(2, field(4, field(1, 1)))
    if job.has(5):
        return resolve(job.message(5))
    if job.has(6):
        query = job.message(6)
        arguments = b"".join(field(1, raw) for raw in query.raw(3))
        return field(3, field(1, query.text(1)) + field(2, arguments))
    return b""


def heads(job: Message) -> bytes:
    """What answer() had asked for, as the engine compares it in a replay."""
    if job.has(1):
        options = json.loads(job.message(1).message(1).raw(2)[0])
        return field(1, field(1, 1) + field(2, 1) + field(3, options["activity"]) + field(4, "1"))
    if job.has(3):
        return field(1, field(1, 2) + field(2, 1))
    return b""


def replay(history: Message) -> bytes:
    """A holdfast.v1.ReplayCompleted: the workflow is only a function of its jobs."""
    past = (b"".join(map(heads, one.messages(3))) for one in history.messages(5))
    return field(1, history.raw(1)[0]) + b"".join(field(2, completion) for completion in past)


def on_task(worker: Any, task: Any) -> None:
    message = Message(to_bytes(task.message))
    if task.kind == lib.HOLDFAST_TASK_ACTIVATION:
        text = field(1, message.raw(1)[0]) + b"".join(map(answer, message.messages(6)))
        complete = lib.holdfast_worker_complete_workflow_task
    elif task.kind == lib.HOLDFAST_TASK_REPLAY_HISTORY:
        text = replay(message)
        complete = lib.holdfast_worker_complete_replay
    else:
        return
    arena = Arena()
    view = arena.struct("holdfast_bytes", ptr=arena.keep(ffi.from_buffer(text)), len=len(text))
    check(complete(worker, view[0]))


def start(socket: str) -> Callable[[], None]:
    """Serves the workflow in a thread; returns what stops it."""
    arena = Arena()
    types = arena.keep(ffi.new("holdfast_string[]", 1))
    types[0] = arena.string("call")
    options = arena.struct(
        "holdfast_worker_options",
        socket_path=socket,
        task_queue=WORKFLOW_QUEUE,
        workflow_types=types,
        workflow_types_count=1,
    )
    made, error = ffi.new("holdfast_worker **"), ffi.new("holdfast_error **")
    check(lib.holdfast_worker_create(options, made, error), error)
    worker, task = made[0], ffi.new("holdfast_task **")

    def serve() -> None:
        try:
            while True:
                check(lib.holdfast_worker_next_task(worker, -1, task, error), error)
                on_task(worker, task[0])
                lib.holdfast_task_free(task[0])
        except ClosedError:
            pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def stop() -> None:
        lib.holdfast_worker_stop(worker)
        thread.join(10)
        lib.holdfast_worker_free(worker)

    return stop
