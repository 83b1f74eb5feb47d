"""The activity tasks in a worker's hands, from the engine's task to the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from .. import _core, activity
from .. import _messages as proto
from .._chaos import Chaos, Fate
from ..converter import DataConverter
from ..exceptions import ApplicationError
from ._attempt import Attempt, Cancelled, Completed, Failed, GivenAway, Outcome, Surroundings
from ._codec import Code, recode
from ._functions import Function, Functions
from ._turns import Answered

logger = logging.getLogger("holdfast.activity")
_Details = activity.ActivityCancellationDetails
_Reason = proto.ActivityCancelReason
_WHY = {
    _Reason.CANCELLED: _Details(cancel_requested=True),
    _Reason.TIMED_OUT: _Details(timed_out=True),
    _Reason.NOT_FOUND: _Details(not_found=True),
    _Reason.WORKFLOW_CLOSED: _Details(not_found=True),
    _Reason.PAUSED: _Details(paused=True),
    _Reason.RESET: _Details(reset=True),
}


class Activities:
    """Touched only on the worker's loop, but for heartbeats.

    answered: is called after each answer and heartbeat of the loop's own thread; see Turns.
    """

    def __init__(
        self,
        core: _core.Worker,
        functions: Functions,
        around: Surroundings,
        answered: Answered,
        *,
        chaos: Chaos | None,
        lose: Callable[[], None],
    ) -> None:
        """lose: ends the worker, where the chaos has drawn that."""
        self._core = core
        self._functions = functions
        self._chaos = chaos
        self._lose = lose
        self._around = around
        self._answered = answered
        self._attempts: dict[bytes, Attempt] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """Of those that have not been answered."""
        return self._tasks

    def begin(self, task: proto.ActivityTask) -> None:
        running = asyncio.get_running_loop().create_task(self._run(task))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    def cancel(self, token: bytes, reason: int) -> None:
        attempt = self._attempts.get(token)
        if attempt is not None:
            attempt.cancel(_WHY.get(_Reason(reason), _Details(cancel_requested=True)))

    def cancel_all(self) -> None:
        """The time that a stopping worker gives them is over."""
        for attempt in self._attempts.values():
            attempt.cancel(_Details(worker_shutdown=True))

    async def _run(self, task: proto.ActivityTask) -> None:
        token, function = task.token, self._functions.get(task.activity_type)
        # The engine hands out only types that the worker has named.
        assert function is not None
        beats = Beats(self._core, token, self._around, self._answered)
        try:
            outcome = await self._outcome(task, function, beats)
            await beats.sent()
            try:
                self._answer(token, outcome)
            except Exception as error:
                # Too large a result, an error whose type is no text: the attempt has failed by it.
                self._answer(token, unanswerable(error))
        finally:
            del self._attempts[token]

    async def _outcome(self, task: proto.ActivityTask, function: Function, beats: Beats) -> Outcome:
        attempt = self._attempts[task.token] = Attempt(task, function, self._around, beats.beat)
        chaos = self._chaos
        if chaos is None:
            return await attempt.run()
        fate, copy = chaos.fate(), task.encode()
        outcome = await attempt.run()
        if not isinstance(outcome, Completed) or attempt.cancellation is not None:
            return outcome
        if fate != Fate.ONCE:
            chaos.ran_again(task, outcome.payloads)
        if fate == Fate.LOST:
            chaos.lost_with(len(self._tasks))
            self._lose()
        elif fate == Fate.TWICE:
            again = proto.ActivityTask.decode(copy)
            attempt = self._attempts[task.token] = Attempt(
                again, function, self._around, beats.beat
            )
            outcome = await attempt.run()
        if isinstance(outcome, Completed) and fate != Fate.LOST:
            chaos.ended_well(task, outcome.payloads)
        return outcome

    def _answer(self, token: bytes, outcome: Outcome) -> None:
        core = self._core
        try:
            match outcome:
                case Completed(payloads):
                    completed = proto.ActivityCompleted(token=token, result=payloads)
                    core.complete_activity(completed.encode())
                case Failed(failure):
                    failed = proto.ActivityFailed(token=token, failure=failure)
                    core.fail_activity(failed.encode())
                case Cancelled(details):
                    cancelled = proto.ReportActivityCancelled(token=token, details=details)
                    core.report_activity_cancelled(cancelled.encode())
                case GivenAway():
                    core.will_complete_elsewhere(token)
        except _core.Closed:
            return
        except _core.Error as error:
            # Without a lease nobody waits for the answer.
            if error.code != "ALREADY_COMPLETED":
                raise
        self._answered(is_last=len(self._tasks) == 1)


def unanswerable(error: Exception) -> Failed:
    """What the outcome of an attempt becomes when it cannot be told."""
    kind = error.code if isinstance(error, _core.Error) else type(error).__name__
    plain = DataConverter.default
    told = ApplicationError(f"the outcome cannot be told: {error}", type=kind)
    return Failed(plain.failure_converter.to_failure(told, plain.payload_converter))


class Beats:
    """The heartbeats of one attempt, in their order; libholdfast sees to it that few leave."""

    def __init__(
        self,
        core: _core.Worker,
        token: bytes,
        around: Surroundings,
        answered: Answered,
    ) -> None:
        self._core = core
        self._token = token
        codec = around.converter._codec
        self._encode: Code | None = codec.encode if codec is not None else None
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        # With a codec: the latest one, until it is encoded.
        self._next: list[proto.Payload] | None = None
        self._sending: asyncio.Task[None] | None = None

    def beat(self, details: list[proto.Payload]) -> None:
        """In any thread."""
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if self._encode is None:
            self._record(details)
            if is_here:
                # Other threads' leave by themselves.
                self._answered()
        elif is_here:
            self._plan(details)
        else:
            self._loop.call_soon_threadsafe(self._plan, details)

    def _record(self, details: list[proto.Payload]) -> None:
        try:
            self._core.heartbeat(proto.Heartbeat(token=self._token, details=details).encode())
        except _core.Closed:
            pass
        except _core.Error as error:
            # The lease is gone, or the attempt was answered by the function's other half.
            if error.code != "ALREADY_COMPLETED":
                raise

    def _plan(self, details: list[proto.Payload]) -> None:
        self._next = details
        if self._sending is None:
            self._sending = self._loop.create_task(self._send())

    async def _send(self) -> None:
        assert self._encode is not None
        while self._next is not None:
            message = proto.PayloadList(payloads=self._next)
            self._next = None
            try:
                await recode(message, self._encode)
                self._record(list(message.payloads))
            except Exception:
                logger.exception("a heartbeat cannot be recorded")
            self._answered()
        self._sending = None

    async def sent(self) -> None:
        """Returns when the last one is with the library."""
        if self._sending is not None:
            await asyncio.wait([self._sending])
