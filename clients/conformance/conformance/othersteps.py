"""Steps about what a case has kept, and about the engine's process."""

from __future__ import annotations

import signal

from .engine import Engine
from .patterns import shown
from .peer import PATIENCE, Failed
from .run import Run, Verb
from .text import Ill, Words


def same(run: Run, words: Words) -> None:
    """`same $a $b`"""
    first, second = words.value(), words.value()
    if first != second:
        raise Failed(f"{shown(first)} is not {shown(second)}")


def differ(run: Run, words: Words) -> None:
    """`differ $a $b`"""
    first, second = words.value(), words.value()
    if first == second:
        raise Failed(f"{shown(first)} twice")


def keep(run: Run, words: Words) -> None:
    """`keep name value`"""
    name = words.word()
    run.kept[name] = words.value()


def _process(run: Run) -> Engine:
    if not isinstance(run.engine, Engine):
        raise Ill('this case needs `engine = "own"`')
    return run.engine


def kill(run: Run, words: Words) -> None:
    """The engine is killed and started again on its file; every connection is gone."""
    engine = _process(run)
    engine.kill()
    run.close()
    run.peers.clear()
    engine.start()


def start(run: Run, words: Words) -> None:
    """The engine, which has ended, is started again on its file."""
    run.close()
    run.peers.clear()
    _process(run).start()


def stop(run: Run, words: Words) -> None:
    """The engine is asked to end (SIGTERM)."""
    _process(run).signal(signal.SIGTERM)


def exits(run: Run, words: Words) -> None:
    """`exits 0 within 10s`"""
    code = words.number()
    within = words.seconds() if words.accept("within") else PATIENCE
    found = _process(run).wait(within)
    if found != code:
        raise Failed(f"the engine ends with {found}, not {code}")


VERBS: dict[str, Verb] = {
    "same": same,
    "differ": differ,
    "keep": keep,
    "kill": kill,
    "start": start,
    "stop": stop,
    "exits": exits,
}
