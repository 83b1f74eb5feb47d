"""A cancellation in the thread of an activity; no engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from holdfast.exceptions import CancelledError
from holdfast.worker._threads import ThreadCancellation


def spin(seconds: float = 20) -> None:
    """Runs bytecode, between which an exception may be raised."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


def run(function: Callable[[ThreadCancellation], object], cancel: str) -> list[object]:
    """What the function gives or raises in a thread that is cancelled when it is told to be."""
    cancellation, begun, outcome = ThreadCancellation(), threading.Event(), []

    def body() -> None:
        try:
            cancellation.begin()
            begun.set()
            try:
                outcome.append(function(cancellation))
            finally:
                cancellation.end()
        except BaseException as error:
            outcome.append(type(error))

    if cancel == "before":
        cancellation.cancel()
    thread = threading.Thread(target=body)
    thread.start()
    if cancel == "within":
        assert begun.wait(20)
        cancellation.cancel()
    thread.join(20)
    assert not thread.is_alive()
    return outcome


def test_it_is_raised_in_the_middle() -> None:
    assert run(lambda _: spin(), "within") == [CancelledError]


def test_it_is_raised_at_the_beginning_when_it_came_before() -> None:
    ran: list[int] = []
    assert run(lambda _: ran.append(1), "before") == [CancelledError]
    assert ran == []


def test_it_is_raised_once() -> None:
    def twice(cancellation: ThreadCancellation) -> str:
        with pytest.raises(CancelledError):
            spin()
        cancellation.cancel()
        spin(0.02)
        return "went on"

    assert run(twice, "within") == ["went on"]


def test_a_shield_holds_it_off_until_the_outermost_ends() -> None:
    seen: list[str] = []
    inside = threading.Event()
    cancellation = ThreadCancellation()

    def body() -> None:
        cancellation.begin()
        try:
            with cancellation.shield():
                with cancellation.shield():
                    inside.set()
                    while not cancellation._is_due:
                        pass
                    spin(0.02)
                    seen.append("inner")
                seen.append("outer")
            seen.append("never")
        except CancelledError:
            seen.append("raised")
        finally:
            cancellation.end()

    thread = threading.Thread(target=body)
    thread.start()
    assert inside.wait(20)
    cancellation.cancel()
    thread.join(20)
    assert seen == ["inner", "outer", "raised"]


def test_a_shield_that_an_error_leaves_loses_nothing() -> None:
    def leaves(cancellation: ThreadCancellation) -> None:
        with pytest.raises(ValueError, match="left"), cancellation.shield():
            while not cancellation._is_due:
                pass
            raise ValueError("left")
        spin()

    assert run(leaves, "within") == [CancelledError]


def test_none_is_raised_after_the_end() -> None:
    """Whenever it comes: the function is cancelled, or its value counts."""
    outcomes = set()
    for _ in range(300):
        (outcome,) = run(lambda _: "value", "within")
        outcomes.add(outcome)
    assert outcomes <= {"value", CancelledError}
