"""What the guard changes in the modules of workflows: names that they have taken from elsewhere.

`datetime.datetime` is a class of C, whose methods cannot be replaced. Modules with workflows, and
those of the same program that they use, are given a subclass in its place: it makes real datetimes,
is equal to the real class, and refuses `now`, `utcnow` and `today` in workflow code.
"""

from __future__ import annotations

import builtins
import copyreg
import datetime as real
import pkgutil
import sys
import types
from asyncio.events import _get_running_loop
from collections.abc import Iterator
from typing import Any

from .guard import Guard, check, is_installed, is_library
from .guarded_functions import install, replace_also, replacements

_ADVICE = "workflow.now()"
_PACKAGE = __name__.split(".", maxsplit=1)[0]


# By the id of the class that stands for it.
_REAL: dict[int, type] = {}


class _Standing(type):
    """Of the two classes that stand for real ones; subclasses of theirs are like any other."""

    def _real(cls) -> type | None:
        return _REAL.get(id(cls))

    def __instancecheck__(cls, instance: object) -> bool:
        mine = cls._real()
        return isinstance(instance, mine) if mine else super().__instancecheck__(instance)

    def __subclasscheck__(cls, subclass: type) -> bool:
        mine = cls._real()
        return issubclass(subclass, mine) if mine else super().__subclasscheck__(subclass)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        mine = cls._real()
        return mine(*args, **kwargs) if mine else super().__call__(*args, **kwargs)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (cls._real() or cls) is other

    def __hash__(cls) -> int:
        mine = cls._real()
        return hash(mine) if mine else super().__hash__()

    def __repr__(cls) -> str:
        return repr(cls._real() or super().__repr__())


def _refuse(name: str) -> None:
    loop: Any = _get_running_loop()
    guard = getattr(loop, "guard", None)
    if guard is not None:
        check(loop, guard, name, _ADVICE, sys._getframe(2))


class datetime(real.datetime, metaclass=_Standing):
    """Stands for `datetime.datetime` in the modules of workflows."""

    @classmethod
    def now(cls, tz: real.tzinfo | None = None) -> Any:
        _refuse("datetime.now")
        return real.datetime.now(tz)

    @classmethod
    def utcnow(cls) -> Any:
        _refuse("datetime.utcnow")
        return real.datetime.utcnow()

    @classmethod
    def today(cls) -> Any:
        _refuse("datetime.today")
        return real.datetime.today()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
        return handler(real.datetime)


class date(real.date, metaclass=_Standing):
    """Stands for `datetime.date` in the modules of workflows."""

    @classmethod
    def today(cls) -> Any:
        _refuse("date.today")
        return real.date.today()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
        return handler(real.date)


_REAL.update({id(datetime): real.datetime, id(date): real.date})

# Pickled, they are the real ones: whoever reads it may have no guard.
copyreg.pickle(
    _Standing,
    lambda cls: (
        (pkgutil.resolve_name, (f"datetime:{cls.__name__}",)) if cls._real() else cls.__qualname__
    ),
)
for _class in (datetime, date):
    _class.__module__, _class.__qualname__ = "datetime", _class.__name__

# Stands for the module, where that was imported whole.
_module = types.ModuleType("datetime", real.__doc__)
_module.__dict__.update(real.__dict__)
_module.__dict__.update(datetime=datetime, date=date)

_STANDING: dict[int, tuple[Any, Any]] = {
    id(real.datetime): (real.datetime, datetime),
    id(real.date): (real.date, date),
    id(real): (real, _module),
}
_prepared: set[str] = set()


# MARK: The modules of workflows


def prepare(cls: type, guard: Guard) -> None:
    """Replaces what the workflow's modules have taken, for good: elsewhere it does the same."""
    install()
    for module in _modules_of(cls, guard):
        name = module.__name__
        if name in _prepared:
            continue
        _prepared.add(name)
        names = vars(module)
        for key, value in list(names.items()):
            found = replacements.get(id(value)) or _STANDING.get(id(value))
            if found is not None and found[0] is value:
                names[key] = found[1]


def _modules_of(cls: type, guard: Guard) -> Iterator[types.ModuleType]:
    """The class's module, and those of the same program that it uses, directly or not."""
    home = cls.__module__.split(".", 1)[0]
    waiting = [one.__module__ for one in cls.__mro__]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        module = sys.modules.get(name)
        if name in seen or module is None or guard.passes(name):
            continue
        seen.add(name)
        if not _is_of_program(module, home):
            continue
        yield module
        for value in list(vars(module).values()):
            if type(value) is types.ModuleType:
                waiting.append(value.__name__)
            elif type(value) is types.FunctionType or issubclass(type(value), type):
                waiting.append(value.__module__)


def _is_of_program(module: types.ModuleType, home: str) -> bool:
    root = module.__name__.split(".", 1)[0]
    path = getattr(module, "__file__", None)
    if root == _PACKAGE or not isinstance(path, str) or is_library(path):
        return False
    return root == home or not is_installed(path)


_import = builtins.__import__


def _import_for_workflows(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    """An import inside a function of a prepared module, too, gets what stands for `datetime`."""
    module = _import(name, globals, locals, fromlist, level)
    if module is real and globals is not None and globals.get("__name__") in _prepared:
        return _module
    return module


replace_also(builtins, "__import__", _import_for_workflows)
