"""A forked child must not hold a worker's connection: the engine would take it for alive."""

from __future__ import annotations

import os
import weakref

from .. import _core


class Connection:
    """Owns libholdfast's worker; every child of fork() closes its copies of the descriptors."""

    def __init__(self, core: _core.Worker) -> None:
        self.core = core
        key = id(self)
        _open[key] = weakref.ref(self, lambda _: _open.pop(key, None))

    def close(self) -> None:
        _open.pop(id(self), None)
        self.core.close()


_open: dict[int, weakref.ref[Connection]] = {}


def _in_child() -> None:
    for reference in list(_open.values()):
        connection = reference()
        if connection is not None:
            connection.core.close()
    _open.clear()


os.register_at_fork(after_in_child=_in_child)
