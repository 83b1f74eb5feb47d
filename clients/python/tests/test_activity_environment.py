"""Activities without an engine."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from typing import Any

import pytest

from holdfast import activity
from holdfast.activity import ActivityCancellationDetails
from holdfast.client import Client
from holdfast.exceptions import ApplicationError, CancelledError
from holdfast.testing import ActivityEnvironment

TIMED_OUT = ActivityCancellationDetails(timed_out=True)


@activity.defn
async def copy(names: list[str], *, upper: bool = False) -> str:
    for index, name in enumerate(names):
        activity.heartbeat(index, name)
    copied = f"{activity.info().attempt}: {','.join(names)}"
    return copied.upper() if upper else copied


@activity.defn
def copy_in_thread(names: list[str], *, upper: bool = False) -> str:
    return asyncio.run(copy(names, upper=upper))


class Copier:
    @activity.defn
    async def copy(self, names: list[str], *, upper: bool = False) -> str:
        return await copy(names, upper=upper)

    @activity.defn(name="called")
    def __call__(self, names: list[str], *, upper: bool = False) -> str:
        return copy_in_thread(names, upper=upper)


def environment() -> tuple[ActivityEnvironment, list[tuple[Any, ...]]]:
    """One of the third attempt, and where its heartbeats go."""
    env, beats = ActivityEnvironment(), []
    env.info = dataclasses.replace(env.info, attempt=3)
    env.on_heartbeat = lambda *details: beats.append(details)
    return env, beats


@pytest.mark.parametrize("run", [copy, Copier().copy])
async def test_an_async_activity_has_its_surroundings(run: Any) -> None:
    env, beats = environment()
    assert await env.run(run, ["a", "b"], upper=True) == "3: A,B"
    assert beats == [(0, "a"), (1, "b")]
    assert not activity.in_activity()


@pytest.mark.parametrize("run", [copy_in_thread, Copier()])
def test_an_activity_in_a_thread_has_its_surroundings(run: Any) -> None:
    env, beats = environment()
    assert env.run(run, ["a", "b"]) == "3: a,b"
    assert beats == [(0, "a"), (1, "b")]
    assert not activity.in_activity()


async def test_what_an_activity_raises_is_raised() -> None:
    async def fails() -> None:
        raise ApplicationError("no", type="No")

    def leaves() -> None:
        activity.raise_complete_async()

    with pytest.raises(ApplicationError, match="No: no"):
        await ActivityEnvironment().run(fails)
    with pytest.raises(activity.CompleteAsyncError):
        ActivityEnvironment().run(leaves)


async def test_an_async_activity_is_cancelled_at_its_next_await() -> None:
    env, begun = ActivityEnvironment(), asyncio.Event()

    async def waits() -> str:
        assert activity.cancellation_details() is None and not activity.is_cancelled()
        begun.set()
        try:
            await asyncio.Future()
        except asyncio.CancelledError:
            await activity.wait_for_cancelled()
            return str(activity.cancellation_details())
        return "not cancelled"

    running = asyncio.create_task(env.run(waits))
    await begun.wait()
    env.cancel(TIMED_OUT)
    env.cancel(ActivityCancellationDetails(paused=True))
    assert await running == str(TIMED_OUT)


async def test_an_async_activity_is_cancelled_from_a_thread() -> None:
    env = ActivityEnvironment()

    async def waits() -> None:
        threading.Thread(target=env.cancel).start()
        await activity.wait_for_cancelled()
        await asyncio.Future()

    with pytest.raises(asyncio.CancelledError):
        await env.run(waits)
    # The task of the test is not.
    await asyncio.sleep(0)


async def test_what_was_cancelled_does_not_begin() -> None:
    env, ran = ActivityEnvironment(), []

    async def runs() -> None:
        ran.append(activity.in_activity())

    env.cancel()
    with pytest.raises(CancelledError):
        await env.run(runs)
    with pytest.raises(CancelledError):
        env.run(lambda: ran.append(True))
    assert ran == []


def test_a_cancellation_is_raised_in_a_thread() -> None:
    env, caught = ActivityEnvironment(), []

    def spins() -> None:
        try:
            with activity.shield_thread_cancel_exception():
                threading.Thread(target=env.cancel).start()
                activity.wait_for_cancelled_sync()
                caught.append("shielded")
        except CancelledError:
            caught.append(activity.cancellation_details())
            raise

    with pytest.raises(CancelledError):
        env.run(spins)
    assert caught == ["shielded", ActivityCancellationDetails(cancel_requested=True)]


def test_a_cancellation_may_be_for_the_activity_to_ask_for() -> None:
    env = ActivityEnvironment()

    @activity.defn(no_thread_cancel_exception=True)
    def asks() -> bool:
        env.cancel()
        return activity.is_cancelled()

    assert env.run(asks)


@pytest.mark.parametrize("before", [True, False])
async def test_an_activity_is_told_that_the_worker_stops(before: bool) -> None:
    env = ActivityEnvironment()

    async def waits() -> bool:
        if not before:
            assert not activity.is_worker_shutdown()
            env.worker_shutdown()
        await activity.wait_for_worker_shutdown()
        return activity.is_worker_shutdown() and not activity.is_cancelled()

    def waits_in_thread() -> bool:
        activity.wait_for_worker_shutdown_sync()
        return activity.is_worker_shutdown()

    if before:
        env.worker_shutdown()
    assert await env.run(waits)
    assert env.run(waits_in_thread)


async def test_a_client_is_given_to_async_activities_only() -> None:
    client = await Client.connect(lazy=True)

    async def asks() -> Any:
        return activity.client()

    def asks_in_thread() -> Any:
        return activity.client()

    assert await ActivityEnvironment(client).run(asks) is client
    for env, run in ((ActivityEnvironment(), asks), (ActivityEnvironment(client), asks_in_thread)):
        with pytest.raises(RuntimeError, match="No client"):
            await env.run(run)
