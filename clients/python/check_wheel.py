#!/usr/bin/env python3
"""Checks a wheel as its users have it: alone, in an empty environment, far from these sources.

check_wheel.py dist/holdfast-*.whl
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECONDS = 30

A_MONTH = """
import asyncio, time
from datetime import timedelta
from holdfast import workflow
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Worker

@workflow.defn
class Month:
    @workflow.run
    async def run(self) -> int:
        begun = workflow.now()
        await workflow.sleep(timedelta(days=30))
        return (workflow.now() - begun).days

async def main():
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with Worker(env.client, task_queue="q", workflows=[Month]):
            begun = time.monotonic()
            days = await env.client.execute_workflow(Month.run, id="m", task_queue="q")
            assert time.monotonic() - begun < 1, "it took longer than a second"
            print(days, "days")

asyncio.run(main())
"""


class Failed(Exception):
    """A check; str() of it says what came in place of what was expected."""


class Installed:
    """The wheel in an environment of its own; programs run in an empty folder."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.binaries = folder / "venv" / "bin"
        venv.create(folder / "venv", with_pip=True)
        # Not even the names of what the sources' tests are told are seen.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "HOLDFAST"))
        }
        self.environment["HOLDFAST_SOCKET"] = str(self.folder / "s.sock")
        self.environment["PATH"] = f"{self.binaries}:/usr/bin:/bin"
        pip = ["-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check"]
        self.python(*pip, str(wheel))

    def python(self, *arguments: str) -> str:
        return self.run(str(self.binaries / "python"), "-I", *arguments)

    def run(self, *command: str) -> str:
        ended = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if ended.returncode != 0:
            raise Failed(f"{ended.returncode}: {ended.stderr.strip() or ended.stdout.strip()}")
        return ended.stdout.strip()

    @contextmanager
    def engine(self) -> Iterator[None]:
        """Serves at $HOLDFAST_SOCKET."""
        command = [str(self.binaries / "holdfast"), "serve", "--in-memory", "--socket", "s.sock"]
        engine = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + START_SECONDS
        try:
            while not (self.folder / "s.sock").exists():
                if engine.poll() is not None or time.monotonic() > until:
                    raise Failed("the engine does not serve")
                time.sleep(0.01)
            yield
        finally:
            engine.terminate()
            engine.wait()


def first_program() -> str:
    """The one with which the README begins."""
    readme = (HERE / "README.md").read_text()
    return readme.split("```python\n", 1)[1].split("```", 1)[0]


def expect(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise Failed(f"{what}: {found!r}, not {expected!r}")
    sys.stdout.write(f"ok: {what}: {found}\n")


def check(wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        installed = Installed(Path(folder), wheel)
        command = str(installed.binaries / "holdfast")
        expect("holdfast --version", installed.run(command, "--version"), version)
        where = "import holdfast; print(holdfast.__version__, holdfast.__file__)"
        found_version, file = installed.python("-c", where).split()
        if not Path(file).is_relative_to(folder):
            raise Failed(f"the package is another one: {file}")
        expect("the package", found_version, version)
        with installed.engine():
            greeted = installed.python("-c", first_program())
        expect("the example", greeted, "Hello, Ada!")
        expect("a month of skipped time", installed.python("-c", A_MONTH), "30 days")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        check(Path(sys.argv[1]).resolve())
    except Failed as failed:
        sys.exit(f"failed: {failed}")


if __name__ == "__main__":
    main()
