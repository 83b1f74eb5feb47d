"""Runs cases against an engine, one at a time, and looks after each whether it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from . import callsteps, clientsteps, othersteps, wiresteps, worksteps
from .cases import Case
from .codec import Codec, Malformed
from .driver import Driver
from .engine import AnyEngine, Engine, Level, ServedSocket, health
from .peer import Failed
from .report import Result
from .run import Run
from .text import Ill

COMMON = {**wiresteps.VERBS, **othersteps.VERBS}
VERBS = {**COMMON, **callsteps.VERBS, **worksteps.VERBS}
CLIENT_VERBS = {**COMMON, **clientsteps.VERBS}
FAULTS = (Failed, Malformed, Ill, OSError, ValueError, TypeError, KeyError)


class EngineSuite:
    """`command` starts engines; else the one at `served` is spoken to."""

    def __init__(self, codec: Codec, command: str, served: str = "") -> None:
        self.codec = codec
        self.command = command
        self.served = served
        self.shared: dict[str, AnyEngine] = {}

    def run(self, cases: Iterable[Case], told: Callable[[Result], None]) -> list[Result]:
        results = []
        try:
            for case in cases:
                result = self._one(case)
                told(result)
                results.append(result)
        finally:
            for engine in self.shared.values():
                engine.dispose()
        return results

    def _one(self, case: Case) -> Result:
        began = time.monotonic()
        if self.served and (case.needs_own_engine or case.config):
            return Result(case, "SKIP", "it needs an engine of its own", 0)
        why, deviations = "", []
        try:
            engine = self._engine(case)
            try:
                deviations = self._steps(case, engine)
            finally:
                if case.needs_own_engine:
                    engine.dispose()
        except FAULTS as error:
            why = told_of(error)
        seconds = time.monotonic() - began
        if why:
            self._replace(case)
            return Result(case, "FAIL", why, seconds)
        verdict = "NON-STRICT" if deviations else "PASS"
        return Result(case, verdict, "\n".join(deviations), seconds)

    def _steps(self, case: Case, engine: AnyEngine) -> list[str]:
        level = Level(engine)
        run = Run(self.codec, engine, case.id, {})
        try:
            run.execute(case.steps, VERBS)
        finally:
            run.close()
        if not case.needs_own_engine and (fault := health(engine, self.codec, level)):
            raise Failed(f"after the case: {fault}")
        return run.deviations

    def _engine(self, case: Case) -> AnyEngine:
        if self.served:
            return ServedSocket(self.served)
        if case.needs_own_engine:
            return self._started(case.config)
        if case.config not in self.shared:
            self.shared[case.config] = self._started(case.config)
        return self.shared[case.config]

    def _started(self, config: str) -> Engine:
        engine = Engine(self.command, config)
        try:
            engine.start()
            # Once around, so that what an engine makes at first use is there before.
            fault = health(engine, self.codec, None)
            if fault:
                raise Failed(fault)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _replace(self, case: Case) -> None:
        """After a failure nobody knows what the engine holds: the next case gets a new one."""
        if not case.needs_own_engine and (engine := self.shared.pop(case.config, None)):
            engine.dispose()


class ClientSuite:
    """Plays the engine; `command` starts a driver of the client, for each case anew."""

    def __init__(self, codec: Codec, command: str) -> None:
        self.codec = codec
        self.command = command

    def run(self, cases: Iterable[Case], told: Callable[[Result], None]) -> list[Result]:
        results = []
        for case in cases:
            result = self._one(case)
            told(result)
            results.append(result)
        return results

    def _one(self, case: Case) -> Result:
        began = time.monotonic()
        why, run = "", None
        driver = Driver(self.command)
        try:
            run = Run(self.codec, driver, case.id, {})
            try:
                run.execute(case.steps, CLIENT_VERBS)
            finally:
                run.close()
            driver.quit()
        except FAULTS as error:
            why = told_of(error)
        finally:
            driver.dispose()
        seconds = time.monotonic() - began
        if why:
            return Result(case, "FAIL", why, seconds)
        deviations = run.deviations if run else []
        verdict = "NON-STRICT" if deviations else "PASS"
        return Result(case, verdict, "\n".join(deviations), seconds)


def told_of(error: Exception) -> str:
    return "\n".join([f"{_kind(error)}{error}", *getattr(error, "__notes__", [])])


def _kind(error: Exception) -> str:
    if isinstance(error, (Failed, Malformed)):
        return ""
    return "the case is not written well: " if not isinstance(error, OSError) else "socket: "
