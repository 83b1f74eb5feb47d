"""Tries workflow code on histories that earlier code has recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TypedDict

from .. import _messages as proto
from .._engine import LocalEngine
from .._run.cache import WorkflowCache
from ..client import Client, WorkflowHistory
from ..converter import DataConverter
from ..exceptions import HoldfastError
from ..service import FOREVER
from ..workflow import NondeterminismError
from ._codec import recode
from ._interceptor import Interceptor
from ._runners import WorkflowRunner
from ._worker import SANDBOXED, run_options

# What a part of a history may hold, and from where on an answer goes on in another message.
PART_BYTES = 128 << 10
ANSWER_BYTES = 1 << 20


class ReplayError(HoldfastError):
    """A history cannot be replayed: the code failed in a way that is no difference to it."""


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What a replay has come to."""

    history: WorkflowHistory
    replay_failure: Exception | None
    """NondeterminismError where code and history part; None: they agree."""
    events: int
    """Events that were read."""
    workflow_tasks: int
    """Workflow tasks of the past in which the code did what the history holds."""


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What many replays have come to."""

    replay_failures: Mapping[str, Exception]
    """By the run ids."""


class ReplayerConfig(TypedDict, total=False):
    """What a replayer was made of: `Replayer(**replayer.config())`."""

    workflows: Sequence[type]
    client: Client | None
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    workflow_failure_exception_types: Sequence[type[BaseException]]
    workflow_runner: WorkflowRunner
    debug_mode: bool


class Replayer:
    """Runs workflow code against histories, so that a change which would break open workflows is
    found before it is deployed.

        replayer = Replayer(workflows=[Order])
        await replayer.replay_workflow(WorkflowHistory.from_json("o-1", text))

    The engine compares, as it does when a worker takes over a run. Without `client` the replayer
    starts one of its own, which ends with the replayer or at the end of `async with replayer`.
    Nothing is stored.
    """

    def __init__(
        self,
        *,
        workflows: Sequence[type],
        client: Client | None = None,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        workflow_runner: WorkflowRunner = SANDBOXED,
        debug_mode: bool = False,
    ) -> None:
        """The options that a worker's code is run with."""
        self._config = ReplayerConfig(
            workflows=workflows,
            client=client,
            data_converter=data_converter,
            interceptors=interceptors,
            workflow_failure_exception_types=workflow_failure_exception_types,
            workflow_runner=workflow_runner,
            debug_mode=debug_mode,
        )
        if not workflows:
            raise ValueError("a replayer needs at least one workflow")
        self._workflows = list(workflows)
        self._options = run_options(
            data_converter,
            interceptors,
            workflow_runner,
            tuple(workflow_failure_exception_types),
            debug_mode=debug_mode,
        )
        self._codec = data_converter._codec
        self._client = client
        self._engine: LocalEngine | None = None

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """What this replayer was made with, as Worker.config of a worker."""
        return self._config.copy()

    async def replay_workflow(
        self, history: WorkflowHistory, *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResult:
        """Replays a history. NondeterminismError: the code does not do what it did."""
        result = await self._replay(history)
        if raise_on_replay_failure and result.replay_failure is not None:
            raise result.replay_failure
        return result

    async def replay_workflows(
        self,
        histories: AsyncIterator[WorkflowHistory],
        *,
        raise_on_replay_failure: bool = True,
    ) -> WorkflowReplayResults:
        """Replays histories one by one; with raise_on_replay_failure up to the first failure."""
        failures: dict[str, Exception] = {}
        async for history in histories:
            result = await self.replay_workflow(
                history, raise_on_replay_failure=raise_on_replay_failure
            )
            if result.replay_failure is not None:
                failures[history.run_id] = result.replay_failure
        return WorkflowReplayResults(failures)

    @asynccontextmanager
    async def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """The result of each history, as they are taken."""

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                yield await self._replay(history)

        yield results()

    async def close(self) -> None:
        """Ends the replayer's own engine."""
        engine, self._engine = self._engine, None
        if engine is not None and self._client is not None:
            await self._client.close()
            self._client = None
            engine.stop()

    async def __aenter__(self) -> Replayer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # MARK: One replay

    async def _connected(self) -> Client:
        if self._client is None:
            self._engine = LocalEngine()
            await self._engine.start()
            self._client = await Client.connect(self._engine.socket_path)
        return self._client

    async def _replay(self, history: WorkflowHistory) -> WorkflowReplayResult:
        client = await self._connected()
        cache = WorkflowCache(
            self._workflows, self._options, runs_max=1, dropped=lambda run_id: None
        )
        parts = _Parts(history)
        stream = client.service_client.two_way(
            proto.WorkerService.Replay, proto.ReplayRequest(history=parts.next()), timeout=FOREVER
        )
        try:
            async for response in stream:
                if response.verdict is not None:
                    return _result(history, response.verdict)
                if response.replay_history is not None:
                    if self._codec is not None:
                        await recode(response.replay_history, self._codec.decode)
                    for completed in _split(cache.replay(response.replay_history)):
                        stream.send(proto.ReplayRequest(replay_completed=completed))
                else:
                    stream.send(proto.ReplayRequest(history=parts.next()))
        finally:
            cache.drop_all()
            await stream.aclose()
        raise ReplayError("the engine has ended the replay without a verdict")


class _Parts:
    """A history as the engine stores it, piece by piece."""

    def __init__(self, history: WorkflowHistory) -> None:
        self._data = proto.HistoryBatch(events=list(history.events)).encode()
        self._given = 0
        self._execution = proto.WorkflowExecution(
            workflow_id=history.workflow_id, run_id=history.run_id
        )

    def next(self) -> proto.HistoryPart:
        start, end = self._given, self._given + PART_BYTES
        self._given = end
        part = proto.HistoryPart(data=self._data[start:end], more=end < len(self._data))
        if start == 0:
            part.form = proto.HistoryForm.STORED
            part.execution = self._execution
        return part


def _split(completed: proto.ReplayCompleted) -> list[proto.ReplayCompleted]:
    """An answer that is large goes in several messages; a failure stands in the last one."""
    answers, bytes_of_it, last = [], 0, proto.ReplayCompleted(token=completed.token)
    last.completions = kept = []
    for completion in completed.completions:
        kept.append(completion)
        bytes_of_it += len(completion.encode())
        if bytes_of_it > ANSWER_BYTES:
            last.more = True
            answers.append(last)
            bytes_of_it, last = 0, proto.ReplayCompleted(token=completed.token)
            last.completions = kept = []
    last.failure = completed.failure
    return [*answers, last]


def _result(history: WorkflowHistory, verdict: proto.ReplayVerdict) -> WorkflowReplayResult:
    failure: Exception | None = None
    if verdict.diff is not None:
        failure = NondeterminismError(_message(history, verdict.diff, verdict.failure))
    return WorkflowReplayResult(history, failure, verdict.events, verdict.workflow_tasks)


def _message(
    history: WorkflowHistory, diff: proto.NondeterminismDiff, failure: proto.Failure | None
) -> str:
    lines = [f"{history.workflow_id}, run {history.run_id}: {diff.message}"]
    for what, head in (("recorded", diff.expected), ("now", diff.actual)):
        if head is not None and head.location:
            lines.append(f"{what}: {head.location}")
    if failure is not None and failure.info is not None:
        lines.append(f"the code: {failure.info.message}")
    return "; ".join(lines)
