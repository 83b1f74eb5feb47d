"""The driver of the Python SDK for the conformance suite: does what its standard input says, and
says on its standard output what came of it. The line protocol is in ../../README.md."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from holdfast import _core, activity
from holdfast import _messages as proto
from holdfast._channel import Stream
from holdfast.client import Client
from holdfast.common import RawValue
from holdfast.exceptions import ApplicationError
from holdfast.service import RPCError, ServiceClient
from holdfast.worker import Worker

TIMEOUT = timedelta(seconds=4)
TIMEOUT_MS = 4_000
LINE_MAX_BYTES = 12 << 20
NOTHING = RawValue(proto.Payload(encoding="binary/null"))


def say(*words: object) -> None:
    print(*words, flush=True)


def told(word: str, error: _core.Error | RPCError | None, *more: object) -> None:
    code = "OK" if error is None else error.code
    reason = error.reason if error is not None and error.reason else "-"
    say(word, code, reason, *more)


def to_bytes(word: str) -> bytes:
    return bytes.fromhex(word[1:])


def to_word(data: bytes) -> str:
    return "x" + data.hex()


class Driver:
    """One client and one worker, as they are asked for."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self.service: ServiceClient | None = None
        self.open: Stream | None = None
        self.worker: Worker | None = None
        self.working: asyncio.Task[None] | None = None

    async def connect(self, milliseconds: str) -> None:
        try:
            timeout = timedelta(milliseconds=int(milliseconds))
            client = await Client.connect(self.socket, connect_timeout=timeout)
        except RPCError as error:
            told("connect", error)
        else:
            self.service = client.service_client
            told("connect", None)

    @property
    def connected(self) -> ServiceClient:
        assert self.service is not None
        return self.service

    async def call(self, method: str, request: str) -> None:
        channel = self.connected._channel()
        try:
            answer = await channel.call(method, to_bytes(request), TIMEOUT_MS)
        except _core.Error as error:
            told("call", error, to_word(b""))
        else:
            told("call", None, to_word(answer))

    async def start(self, workflow_id: str, workflow_type: str, queue: str) -> None:
        request = proto.StartWorkflowRequest(
            workflow_id=workflow_id, workflow_type=workflow_type, task_queue=queue
        )
        try:
            response = await self.connected.call(
                proto.WorkflowService.StartWorkflow, request, timeout=TIMEOUT
            )
        except RPCError as error:
            told("start", error, error.run_id, 0)
        else:
            told("start", None, response.run_id, int(response.started))

    async def health(self) -> None:
        try:
            response = await self.connected.call(
                proto.OperatorService.Health, proto.HealthRequest(), timeout=TIMEOUT
            )
        except RPCError as error:
            told("health", error, 0)
        else:
            told("health", None, int(response.state == proto.HealthState.SERVING))

    async def stream(self, method: str, request: str) -> None:
        try:
            channel = self.connected._channel()
            self.open = channel.open(method, to_bytes(request), TIMEOUT_MS)
        except _core.Error as error:
            told("stream", error)
        else:
            told("stream", None)

    async def next(self) -> None:
        assert self.open is not None
        try:
            message = await self.open.next()
        except _core.StreamEnd:
            say("next", "CLOSED", "-", to_word(b""))
        except _core.Error as error:
            told("next", error, to_word(b""))
        else:
            told("next", None, to_word(message))

    async def leave(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None
        say("leave", "OK")

    async def serve(self, queue: str) -> None:
        client = await Client.connect(self.socket, lazy=True)
        self.worker = Worker(
            client,
            task_queue=queue,
            activities=[echo, fail],
            max_concurrent_activities=3,
            graceful_shutdown_timeout=timedelta(milliseconds=100),
        )
        say("worker", "OK")
        self.working = asyncio.create_task(self._work(self.worker))

    async def _work(self, worker: Worker) -> None:
        try:
            await worker.run()
        except _core.Error as error:
            told("worker-end", error)
        else:
            told("worker-end", None)

    async def end(self) -> None:
        if self.worker is not None and self.working is not None and not self.working.done():
            await self.worker.shutdown()
            await self.working
        if self.service is not None:
            self.service.close()


def begun() -> None:
    info = activity.info()
    say("activity", info.activity_type, info.activity_id, info.attempt)


@activity.defn
async def echo(value: RawValue = NOTHING) -> RawValue:
    begun()
    return value


@activity.defn
async def fail(value: RawValue = NOTHING) -> None:
    begun()
    raise ApplicationError("asked to fail")


async def obey(driver: Driver, line: str) -> None:
    word, *arguments = line.split()
    commands: dict[str, tuple[int, Callable[..., Awaitable[None]]]] = {
        "connect": (1, driver.connect),
        "call": (2, driver.call),
        "start": (3, driver.start),
        "health": (0, driver.health),
        "stream": (2, driver.stream),
        "next": (0, driver.next),
        "leave": (0, driver.leave),
        "worker": (1, driver.serve),
    }
    count, function = commands.get(word, (-1, driver.leave))
    needs_client = word not in ("connect", "worker")
    if count != len(arguments) or (needs_client and driver.service is None):
        say("unknown", word)
        return
    await function(*arguments)


async def main(arguments: Sequence[str]) -> None:
    (socket,) = arguments
    driver = Driver(socket)
    lines = asyncio.StreamReader(LINE_MAX_BYTES)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while (line := (await lines.readline()).decode()) and line != "quit\n":
        if line.strip():
            await obey(driver, line)
    await driver.end()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: driver.py SOCKET < commands")
    asyncio.run(main(sys.argv[1:]))
