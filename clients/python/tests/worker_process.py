"""A worker of its own process: worker_process.py SOCKET LOG; every attempt leaves a line in LOG."""

import sys
import time
from pathlib import Path

from holdfast import Worker, activity

SOCKET, LOG = sys.argv[1], Path(sys.argv[2])


def note(*words: object) -> None:
    with LOG.open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


@activity.defn
def nap(seconds: float, first_seconds: float) -> str:
    """The first attempt takes first_seconds, the others seconds."""
    info = activity.info()
    note("start", info.attempt, info.idempotency_key)
    time.sleep(first_seconds if info.attempt == 1 else seconds)
    note("end", info.attempt)
    return f"attempt {info.attempt}"


Worker(SOCKET, "activities", activities=[nap]).run()
note("stopped")
