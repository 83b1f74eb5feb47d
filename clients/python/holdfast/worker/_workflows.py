"""The workflow tasks in a worker's hands, from what the engine shows to the answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .. import _core
from .. import _messages as proto
from .._chaos import Chaos
from .._run.cache import WorkflowCache
from ..converter import DataConverter, _Codec
from ._codec import recode
from ._locals import Locals


@dataclass
class _Line:
    """The tasks of one run, one behind the other."""

    last: asyncio.Task[None] | None = None
    is_dropped: bool = False


class Workflows:
    """Touched only on the worker's loop, on which workflows run too.

    With a codec the payloads of a task go through it before the code sees them, and those of the
    answer after: meanwhile other runs go on. Without one a task is answered at once.
    """

    def __init__(
        self,
        core: _core.Worker,
        cache: WorkflowCache,
        locals: Locals,
        converter: DataConverter,
        answered: Callable[[], None],
        *,
        keeps_runs: bool,
        chaos: Chaos | None,
    ) -> None:
        self._core = core
        self._cache = cache
        self._locals = locals
        self._codec = converter._codec
        self._answered = answered
        self._keeps_runs = keeps_runs
        self._chaos = chaos
        self._lines: dict[str, _Line] = {}

    def activate(self, activation: proto.Activation) -> None:
        if self._codec is None:
            try:
                self._core.complete_workflow_task(self._run_code(activation).encode())
            except _core.Closed:
                raise
            except Exception as error:
                self._core.complete_workflow_task(self._failed(activation, error).encode())
            self._ended(activation.run_id)
        else:
            codec = self._codec
            self._queue(activation.run_id, lambda line: self._activate(codec, line, activation))

    def replay(self, part: proto.ReplayHistory) -> None:
        if self._codec is None:
            try:
                self._core.complete_replay(self._cache.replay(part).encode())
            except _core.Closed:
                raise
            except Exception as error:
                self._core.complete_replay(self._replay_failed(part, error).encode())
        else:
            codec = self._codec
            self._queue(part.run_id, lambda line: self._replay(codec, line, part))

    def _ended(self, run_id: str) -> None:
        """A task of the run was answered."""
        run = self._cache.get(run_id)
        # Local activities belong to the memory that has begun them.
        evicts = not self._keeps_runs and run is not None and not run.locals
        if evicts:
            self.drop(run_id)
            self._core.evicted([run_id])
        if self._chaos is not None:
            self._chaos.workflow_task_ended(evicts=evicts)

    def evict(self, run_id: str, message: bytes) -> None:
        """The engine says that the run is to leave the memory."""
        run = self._cache.get(run_id)
        if self._chaos is not None and run is not None:
            identity = run.identity
            evict = proto.Evict.decode(message)
            self._chaos.evicted(evict, identity.workflow_id, identity.workflow_type)
        self.drop(run_id)

    def drop(self, run_id: str) -> None:
        """The run is to leave the memory, and what is under way of it counts for nothing."""
        self.dropped(run_id)
        self._cache.drop(run_id)

    def drop_all(self) -> None:
        for line in self._lines.values():
            line.is_dropped = True
        self._lines = {}
        self._locals.drop_all()
        self._cache.drop_all()

    def dropped(self, run_id: str) -> None:
        """The run has left the memory."""
        line = self._lines.pop(run_id, None)
        if line is not None:
            line.is_dropped = True
        self._locals.drop(run_id)

    def _run_code(self, activation: proto.Activation) -> proto.WorkflowTaskCompleted:
        answer = self._cache.activate(activation)
        run = self._cache.get(activation.run_id)
        if run is None:
            # It has closed, or its task has failed.
            self._locals.drop(activation.run_id)
        else:
            self._locals.prepare(activation, answer.commands, run)
        return answer

    # MARK: With a codec

    def _queue(self, run_id: str, step: Callable[[_Line], Awaitable[None]]) -> None:
        line = self._lines.setdefault(run_id, _Line())
        before = line.last

        async def run() -> None:
            if before is not None:
                await asyncio.wait([before])
            if not line.is_dropped:
                await step(line)

        def ended(task: asyncio.Task[None]) -> None:
            if line.last is task and self._lines.get(run_id) is line:
                del self._lines[run_id]

        line.last = asyncio.get_running_loop().create_task(run())
        line.last.add_done_callback(ended)

    async def _activate(self, codec: _Codec, line: _Line, activation: proto.Activation) -> None:
        try:
            await recode(activation, codec.decode)
            if line.is_dropped:
                return
            # The run keeps what it has put into its commands: a copy is encoded.
            answer = proto.WorkflowTaskCompleted.decode(self._run_code(activation).encode())
            await recode(answer, codec.encode)
            if not line.is_dropped:
                self._core.complete_workflow_task(answer.encode())
                self._ended(activation.run_id)
        except _core.Closed:
            return
        except Exception as error:
            if line.is_dropped:
                return
            with contextlib.suppress(_core.Closed):
                self._core.complete_workflow_task(self._failed(activation, error).encode())
        self._answered()

    async def _replay(self, codec: _Codec, line: _Line, part: proto.ReplayHistory) -> None:
        try:
            await recode(part, codec.decode)
            if line.is_dropped:
                return
            answer = self._cache.replay(part)
            if answer.failure is not None:
                await recode(answer, codec.encode)
            if not line.is_dropped:
                self._core.complete_replay(answer.encode())
        except _core.Closed:
            return
        except Exception as error:
            if line.is_dropped:
                return
            with contextlib.suppress(_core.Closed):
                self._core.complete_replay(self._replay_failed(part, error).encode())
        self._answered()

    # MARK: What cannot be answered

    def _failed(
        self, activation: proto.Activation, error: Exception
    ) -> proto.WorkflowTaskCompleted:
        failure = self._failure(activation.run_id, error)
        return proto.WorkflowTaskCompleted(token=activation.token, failure=failure)

    def _replay_failed(self, part: proto.ReplayHistory, error: Exception) -> proto.ReplayCompleted:
        failure = self._failure(part.run_id, error)
        return proto.ReplayCompleted(token=part.token, failure=failure)

    def _failure(self, run_id: str, error: Exception) -> proto.WorkflowTaskFailure:
        """The code may have gone on, but the engine does not hear of it: the run is no use here."""
        self._locals.drop(run_id)
        self._cache.drop(run_id)
        plain = DataConverter.default
        failure = plain.failure_converter.to_failure(error, plain.payload_converter)
        cause = proto.WorkflowTaskFailedCause.WORKER_FAILURE
        return proto.WorkflowTaskFailure(failure=failure, cause=cause)
