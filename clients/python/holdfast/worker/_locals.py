"""The local activities in a worker's hands: those that run, and those that wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from .. import _core, activity
from .. import _messages as proto
from ..exceptions import ApplicationError, TimeoutError, TimeoutType
from ._activities import unanswerable
from ._attempt import Attempt, Cancelled, Completed, Failed, Outcome, Surroundings
from ._functions import Functions

# A longer wait for the next attempt is the engine's: there it outlives the worker.
WAIT_MAX_MS = 60_000
# How a policy names the timeout of an attempt.
_TIMEOUT_TYPE = "TemporalTimeout:StartToClose"
_Details = activity.ActivityCancellationDetails


class Run(Protocol):
    """What of a workflow's run is needed here."""

    @property
    def identity(self) -> Identity: ...

    @property
    def locals(self) -> Mapping[int, proto.ScheduleLocalActivity]:
        """Those that have not ended, by their seq."""


class Identity(Protocol):
    """Which run it is."""

    @property
    def run_id(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def task_queue(self) -> str: ...


T = TypeVar("T")
Key = tuple[str, int]


@dataclass
class _Local:
    """One that has begun, or waits for a place."""

    key: Key
    identity: Identity
    schedule: proto.ScheduleLocalActivity
    attempt: int
    scheduled_ms: int
    # Its end is heard of, if only to say that it was cancelled.
    is_cancelled: bool = False
    running: Attempt | None = None
    # Ends a wait for the next attempt.
    hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def cancel(self, details: _Details) -> None:
        """Its function is told to stop, and no further attempt follows."""
        self.hurry.set()
        if self.running is not None:
            self.running.cancel(details)


@dataclass
class _Leave:
    """What may run once the answer to a workflow task is recorded."""

    run: Run
    attempts: list[proto.LocalAttempt]
    # Of these, the seqs of those that were cancelled since, whose end is waited for.
    cancelled: set[int] = field(default_factory=set)


class Locals:
    """Touched only on the worker's loop.

    answered: is called after each answer.
    """

    def __init__(
        self,
        core: _core.Worker,
        functions: Functions,
        around: Surroundings,
        answered: Callable[[], None],
        *,
        running_max: int,
    ) -> None:
        self._core = core
        self._functions = functions
        self._around = around
        self._answered = answered
        self._running_max = running_max
        self._running = 0
        self._leaves: dict[bytes, _Leave] = {}
        self._locals: dict[Key, _Local] = {}
        self._waiting: deque[_Local] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_stopping = False

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """Of those whose function has not ended."""
        return self._tasks

    # MARK: What the workflows' code asks for

    def prepare(
        self, activation: proto.Activation, commands: Sequence[proto.Command], run: Run
    ) -> None:
        """The answer to the activation is about to leave: it gives leave to run what it names."""
        run_id = run.identity.run_id
        for job in activation.jobs:
            if job.resolve_activity is not None:
                # It has ended: what still runs counts for nothing.
                self._leave((run_id, job.resolve_activity.seq))
        attempts = list(activation.local_attempts)
        for command in commands:
            if command.schedule_local_activity is not None:
                seq = command.schedule_local_activity.seq
                attempts.append(proto.LocalAttempt(seq=seq, attempt=1))
            elif command.request_cancel_activity is not None:
                seq = command.request_cancel_activity.seq
                attempts = [one for one in attempts if one.seq != seq]
                self._cancel((run_id, seq), run)
        if attempts:
            self._leaves[activation.token] = _Leave(run, attempts)
            self._core.await_recorded(activation.token)

    def begin(self, token: bytes) -> None:
        """The answer to this workflow task is recorded."""
        leave = self._leaves.pop(token, None)
        if leave is None:
            return
        identity = leave.run.identity
        for attempt in leave.attempts:
            schedule = leave.run.locals.get(attempt.seq)
            key = (identity.run_id, attempt.seq)
            # It may have ended since.
            if schedule is not None:
                local = _Local(key, identity, schedule, attempt.attempt, _now_ms())
                local.is_cancelled = attempt.seq in leave.cancelled
                self._locals[key] = local
                self._waiting.append(local)
        self._fill()

    def _cancel(self, key: Key, run: Run) -> None:
        types, schedule = proto.ActivityCancellationType, run.locals.get(key[1])
        local, leaves = self._locals.get(key), self._leaves.values()
        ours = [leave for leave in leaves if leave.run is run]
        match schedule.cancellation_type if schedule is not None else 0:
            case types.WAIT_CANCELLATION_COMPLETED:
                # The leave to begin may come after this: for the engine we have it by then, and it
                # waits for our word.
                for leave in ours:
                    leave.cancelled.add(key[1])
                if local is not None:
                    local.is_cancelled = True
                    local.cancel(_Details(cancel_requested=True))
                return
            case types.ABANDON:
                self._forget(key)
            case _:
                self._leave(key, _Details(cancel_requested=True))
        # What has not begun never will.
        for leave in ours:
            leave.attempts = [one for one in leave.attempts if one.seq != key[1]]

    # MARK: What is lost

    def drop(self, run_id: str) -> None:
        """The run is not here any more, and what its code asked for counts for nothing."""
        self._leaves = {
            token: leave
            for token, leave in self._leaves.items()
            if leave.run.identity.run_id != run_id
        }
        for key in [key for key in self._locals if key[0] == run_id]:
            self._leave(key)

    def drop_all(self) -> None:
        """So it is with all runs: the connection is lost, or the worker is over."""
        self._leaves = {}
        for key in list(self._locals):
            self._leave(key)

    def stop(self) -> None:
        """The worker is stopping: attempts that have failed are the engine's to repeat."""
        self._is_stopping = True
        for local in self._locals.values():
            local.hurry.set()

    def cancel_all(self) -> None:
        """The time that a stopping worker gives them is over."""
        for key in list(self._locals):
            self._leave(key, _Details(worker_shutdown=True))

    def _leave(self, key: Key, why: _Details = _Details(not_found=True)) -> None:  # noqa: B008
        """It should stop, and nobody hears of it any more."""
        local = self._locals.get(key)
        if local is not None:
            self._forget(key)
            local.cancel(why)

    def _forget(self, key: Key) -> None:
        local = self._locals.pop(key, None)
        if local is not None:
            # Nobody waits for a next attempt.
            local.hurry.set()
            self._tell_count()

    def _tell_count(self) -> None:
        """The stop of the worker waits for these."""
        try:
            self._core.set_local_activities(len(self._locals))
        except _core.Closed:
            return
        # A worker that is stopping may be over by this.
        self._answered()

    # MARK: Running

    def _fill(self) -> None:
        self._tell_count()
        while self._running < self._running_max and self._waiting:
            local = self._waiting.popleft()
            if self._locals.get(local.key) is local:
                self._running += 1
                self._start(self._run(local))

    def _start(self, body: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(body)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, local: _Local) -> None:
        try:
            outcome = await self._attempts(local)
            if self._locals.get(local.key) is local:
                self._tell(local, outcome)
                self._forget(local.key)
        finally:
            self._running -= 1
            self._fill()

    def _tell(self, local: _Local, outcome: Outcome) -> None:
        try:
            self._core.local_activity_done(_done(local, outcome))
        except _core.Closed:
            return
        except Exception as error:
            self._core.local_activity_done(_done(local, unanswerable(error)))
        self._answered()

    async def _attempts(self, local: _Local) -> Outcome:
        """How the last one of those ended that this worker makes one after the other."""
        while True:
            if local.is_cancelled:
                return Cancelled(())
            outcome = await self._once(local)
            is_over = local.is_cancelled or self._is_stopping
            wait = self._wait_ms(local, outcome)
            if is_over or wait is None:
                return outcome
            try:
                await asyncio.wait_for(local.hurry.wait(), wait / 1_000)
            except asyncio.TimeoutError:
                local.attempt += 1
                continue
            # The worker stops, or nobody waits for it any more.
            if not local.is_cancelled:
                return outcome

    async def _once(self, local: _Local) -> Outcome:
        """One attempt; when its time is over it is left, whether it takes notice or not."""
        schedule = local.schedule
        function = self._functions.get(schedule.activity_type)
        if function is None:
            known = ", ".join(sorted(self._functions.names))
            unknown = ApplicationError(
                f"this worker has no activity {schedule.activity_type!r}; it has: {known}",
                type="NotFoundError",
            )
            return Failed(_failure(unknown, self._around))
        attempt = Attempt(_task(local), function, self._around, None)
        local.running = attempt
        limit = schedule.start_to_close_timeout_ms
        task = self._start(attempt.run())
        try:
            done, _ = await asyncio.wait([task], timeout=limit / 1_000 if limit else None)
        finally:
            local.running = None
        if done:
            return task.result()
        attempt.cancel(_Details(timed_out=True))
        timeout = TimeoutError(
            "activity timed out (START_TO_CLOSE)",
            type=TimeoutType.START_TO_CLOSE,
            last_heartbeat_details=(),
        )
        return Failed(_failure(timeout, self._around))

    @staticmethod
    def _wait_ms(local: _Local, outcome: Outcome) -> float | None:
        """How long this worker waits for the next attempt; None: the engine says what follows."""
        if not isinstance(outcome, Failed):
            return None
        policy = local.schedule.retry_policy or proto.RetryPolicy()
        if 0 < policy.maximum_attempts <= local.attempt:
            return None
        wait = _interval_ms(policy, local.attempt)
        info = outcome.failure.info or proto.FailureInfo()
        if info.application is not None:
            application = info.application
            if application.non_retryable or application.type in policy.non_retryable_error_types:
                return None
            wait = application.next_retry_delay_ms or wait
        elif info.timeout is not None and _TIMEOUT_TYPE in policy.non_retryable_error_types:
            return None
        end_ms = local.schedule.schedule_to_close_timeout_ms
        if wait > WAIT_MAX_MS or (end_ms and _now_ms() - local.scheduled_ms + wait > end_ms):
            return None
        return wait


def _done(local: _Local, outcome: Outcome) -> bytes:
    run_id, seq = local.key
    done = proto.LocalActivityDone(
        token=f"{seq}/{local.attempt}".encode(), run_id=run_id, seq=seq, attempt=local.attempt
    )
    match outcome:
        case Completed(payloads):
            done.completed = proto.PayloadList(payloads=payloads)
        case Cancelled(details):
            done.canceled = proto.PayloadList(payloads=details)
        case Failed(failure):
            done.failed = failure
    return done.encode()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _interval_ms(policy: proto.RetryPolicy, attempt: int) -> float:
    """From the attempt that has failed to the next one."""
    initial = policy.initial_interval_ms or 1_000
    most = policy.maximum_interval_ms or initial * 100
    coefficient = policy.backoff_coefficient or 2.0
    try:
        return float(min(initial * coefficient ** (attempt - 1), most))
    except OverflowError:
        return float(most)


def _failure(error: BaseException, around: Surroundings) -> proto.Failure:
    """Of an error without values of the user's."""
    converter = around.converter
    return converter.failure_converter.to_failure(error, converter.payload_converter)


def _task(local: _Local) -> proto.ActivityTask:
    """The attempt as a task would tell it."""
    schedule, identity, now = local.schedule, local.identity, _now_ms()
    return proto.ActivityTask(
        namespace=identity.namespace,
        workflow_id=identity.workflow_id,
        run_id=identity.run_id,
        workflow_type=identity.workflow_type,
        activity_id=schedule.activity_id or str(schedule.seq),
        activity_type=schedule.activity_type,
        task_queue=identity.task_queue,
        attempt=local.attempt,
        header=schedule.header,
        input=schedule.input,
        scheduled_time_ms=local.scheduled_ms,
        current_attempt_scheduled_time_ms=now,
        started_time_ms=now,
        schedule_to_close_timeout_ms=schedule.schedule_to_close_timeout_ms,
        start_to_close_timeout_ms=schedule.start_to_close_timeout_ms,
        retry_policy=schedule.retry_policy,
        idempotency_key=f"{identity.run_id}/local/{schedule.seq}",
    )
