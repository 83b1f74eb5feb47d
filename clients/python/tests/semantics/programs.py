"""Workflows and activities that several themes use."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Any

from holdfast import activity, workflow
from holdfast.common import RetryPolicy
from holdfast.exceptions import CancelledError

LONG = timedelta(minutes=10)
ONCE = RetryPolicy(maximum_attempts=1)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def calls(called: Any, *args: Any, **options: Any) -> type:
    """A workflow that calls this activity and gives its result."""
    if "schedule_to_close_timeout" not in options:
        options.setdefault("start_to_close_timeout", LONG)

    @workflow.defn
    class Calls:
        @workflow.run
        async def run(self) -> Any:
            return await workflow.execute_activity(called, args=args, **options)

    return Calls


def gaps(times: list[datetime], unit: int = 10) -> list[int]:
    """From each to the next in seconds, down to a multiple of the unit.

    The rest is what the machine takes: the engine's time passes, too, while it does not skip.
    """
    return [
        int((later - earlier).total_seconds()) // unit * unit
        for earlier, later in itertools.pairwise(times)
    ]


class Holder:
    """An activity that waits until it is let go or cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.free = asyncio.Event()
        self.told: list[activity.ActivityCancellationDetails | None] = []

    @activity.defn
    async def hold(self) -> str:
        self.begun.set()
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.told.append(activity.cancellation_details())
            self.free.set()
            raise CancelledError("stopped", "cleaned up") from None
        return "free"


class Failing:
    """An activity whose first attempts fail, and when each of them began."""

    def __init__(self, times: int, error: Exception | None = None) -> None:
        self.times = times
        self.error = error or ValueError("not yet")
        self.began: list[datetime] = []

    @activity.defn
    async def fails(self) -> int:
        self.began.append(activity.info().started_time)
        if activity.info().attempt <= self.times:
            raise self.error
        return activity.info().attempt


@activity.defn
async def greet(name: str) -> str:
    return f"Hello, {name}!"


@workflow.defn
class Waiter:
    """Waits for the signal `end`, and gives the values of all signals `add`."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.is_over = False

    @workflow.run
    async def run(self) -> list[Any]:
        await workflow.wait_condition(lambda: self.is_over)
        return self.values

    @workflow.signal
    def add(self, value: Any) -> None:
        self.values.append(value)

    @workflow.signal
    def end(self) -> None:
        self.is_over = True

    @workflow.query
    def seen(self) -> list[Any]:
        return self.values

    @workflow.update
    def put(self, value: Any) -> int:
        self.values.append(value)
        return len(self.values)


@workflow.defn
class Sleeper:
    """Sleeps for so many seconds."""

    @workflow.run
    async def run(self, duration: float) -> str:
        await workflow.sleep(duration)
        return "awake"
