"""What goes wrong in a chaos environment, when, and what was seen of it."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from . import _messages as proto
from .exceptions import HoldfastError

# How many tasks or attempts come before the next one of its kind, at least and at most.
RESTART_AFTER = (50, 400)
LOST_AFTER = (20, 150)
TWICE_AFTER = (1, 20)


class ChaosError(HoldfastError):
    """Something has not stood the chaos; str() of it says what."""


class Fate(Enum):
    """What becomes of an attempt of an activity."""

    ONCE = auto()
    # Its function is run again after it has ended well, as after a lost answer.
    TWICE = auto()
    # Its worker is lost when the function has ended, before anybody hears of it.
    LOST = auto()


@dataclass(frozen=True)
class NondeterministicWorkflow:
    """A workflow whose code did something else when it was run again."""

    workflow_type: str
    workflow_id: str
    run_id: str
    message: str


@dataclass(frozen=True)
class NotIdempotentActivity:
    """An activity that gave two results for one idempotency key."""

    activity_type: str
    activity_id: str
    workflow_id: str
    first: Sequence[proto.Payload]
    second: Sequence[proto.Payload]


@dataclass
class ChaosReport:
    """What was done to the workers and the engine, and who has not stood it."""

    seed: int
    evictions: int = 0
    activities_run_twice: int = 0
    workers_lost: int = 0
    engine_restarts: int = 0
    nondeterministic: list[NondeterministicWorkflow] = field(default_factory=list)
    not_idempotent: list[NotIdempotentActivity] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.nondeterministic and not self.not_idempotent

    def check(self) -> None:
        """ChaosError: it is not clean."""
        if not self.is_clean:
            raise ChaosError(str(self))

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {self.evictions} evictions,"
            f" {self.activities_run_twice} activities run twice,"
            f" {self.workers_lost} workers lost, {self.engine_restarts} engine restarts"
        ]
        lines += [
            f"{one.workflow_type} is not deterministic: {one.message}"
            f" ({one.workflow_id}, run {one.run_id})"
            for one in self.nondeterministic
        ]
        lines += [
            f"{one.activity_type} is not idempotent: {_shown(one.first)}, and then"
            f" {_shown(one.second)} ({one.activity_id} of {one.workflow_id})"
            for one in self.not_idempotent
        ]
        return "\n".join(lines)


def _shown(payloads: Sequence[proto.Payload]) -> str:
    return " ".join(payload.data[:100].decode(errors="replace") for payload in payloads)


class Chaos:
    """Decides by its seed alone, in the order in which it is asked. On one event loop."""

    def __init__(self, seed: int) -> None:
        self.report = ChaosReport(seed)
        # Set by the environment, for what a worker cannot do by itself.
        self.pass_worker_lost: Callable[[], Awaitable[None]] | None = None
        self.restart_engine: Callable[[], None] | None = None
        self._random = random.Random(seed)
        self._until_restart = self._random.randint(*RESTART_AFTER)
        self._until_lost = self._random.randint(*LOST_AFTER)
        self._until_twice = self._random.randint(*TWICE_AFTER)
        # Results that were not told, by idempotency key.
        self._untold: dict[str, Sequence[proto.Payload]] = {}

    def fate(self) -> Fate:
        self._until_lost -= 1
        self._until_twice -= 1
        if self._until_lost <= 0:
            self._until_lost = self._random.randint(*LOST_AFTER)
            return Fate.LOST
        if self._until_twice <= 0:
            self._until_twice = self._random.randint(*TWICE_AFTER)
            return Fate.TWICE
        return Fate.ONCE

    def lost_with(self, in_hand: int) -> None:
        """What a lost worker had in hand comes to its end before another one is lost."""
        self._until_lost = max(self._until_lost, 2 * in_hand)

    def workflow_task_ended(self, *, evicts: bool) -> None:
        self.report.evictions += evicts
        self._until_restart -= 1
        if self._until_restart <= 0:
            self._until_restart = self._random.randint(*RESTART_AFTER)
            if self.restart_engine is not None:
                self.restart_engine()

    def ran_again(self, task: proto.ActivityTask, first: Sequence[proto.Payload]) -> None:
        self.report.activities_run_twice += 1
        self._untold[task.idempotency_key] = first

    def ended_well(self, task: proto.ActivityTask, payloads: Sequence[proto.Payload]) -> None:
        """Of the run whose result is told."""
        first = self._untold.pop(task.idempotency_key, None)
        if first is not None and list(first) != list(payloads):
            self.report.not_idempotent.append(
                NotIdempotentActivity(
                    task.activity_type, task.activity_id, task.workflow_id, first, payloads
                )
            )

    def evicted(self, evict: proto.Evict, workflow_id: str, workflow_type: str) -> None:
        """By the engine, which has compared what the code did with what it does."""
        if evict.reason == proto.EvictReason.NONDETERMINISM:
            self.report.nondeterministic.append(
                NondeterministicWorkflow(workflow_type, workflow_id, evict.run_id, evict.message)
            )

    async def worker_lost(self) -> None:
        self.report.workers_lost += 1
        if self.pass_worker_lost is not None:
            await self.pass_worker_lost()


class WorkerLost(Exception):
    """Ends a worker as its machine's failure would; another one takes its place."""
