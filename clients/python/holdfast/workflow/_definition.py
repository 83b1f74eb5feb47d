"""What a workflow class is: its run method, and its handlers of signals, queries and updates."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from ..common import VersioningBehavior

ClassT = TypeVar("ClassT", bound=type)
CallableT = TypeVar("CallableT", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")

RUN, SIGNAL, QUERY, UPDATE = (
    f"__holdfast_{what}__" for what in ("workflow_run", "signal", "query", "update")
)
DEFINITION = "__holdfast_workflow_definition__"
INIT = "__holdfast_workflow_init__"
DYNAMIC_CONFIG = "__holdfast_workflow_dynamic_config__"


class HandlerUnfinishedPolicy(IntEnum):
    """What the end of a workflow does where a handler of a signal or an update goes on."""

    WARN_AND_ABANDON = 1
    ABANDON = 2


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """A workflow has ended while handlers of signals went on."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """A workflow has ended while handlers of updates went on."""


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a method with `@workflow.dynamic_config` returns: it replaces what `defn` was given."""

    failure_exception_types: Sequence[type[BaseException]] | None = None
    # Without effect.
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED


@dataclass(frozen=True)
class Hints:
    """The types of a function's arguments, without `self`, and of its result."""

    arguments: list[type] | None
    result: type | None

    @staticmethod
    def of(function: Callable[..., Any], *, skip: int = 0) -> Hints:
        """None where a signature does not say it."""
        try:
            signature = inspect.signature(function)
            hints = typing.get_type_hints(function)
        except (NameError, TypeError, ValueError):
            return Hints(None, None)
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, one in signature.parameters.items() if one.kind in kinds][skip:]
        arguments = [hints.get(name, Any) for name in names]
        return Hints(arguments, hints.get("return"))


@dataclass(frozen=True)
class SignalDefinition:
    """A handler of a signal; without a name it is the one for all that have no other."""

    name: str | None
    function: Callable[..., Any]
    is_method: bool
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None

    @property
    def hints(self) -> Hints:
        return _handler_hints(self.function, self.is_method, self.name is None)


@dataclass(frozen=True)
class QueryDefinition:
    """A handler of a query; without a name it is the one for all that have no other."""

    name: str | None
    function: Callable[..., Any]
    is_method: bool
    description: str | None = None

    @property
    def hints(self) -> Hints:
        return _handler_hints(self.function, self.is_method, self.name is None)


@dataclass(frozen=True)
class UpdateDefinition:
    """A handler of an update; without a name it is the one for all that have no other."""

    name: str | None
    function: Callable[..., Any]
    is_method: bool
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None
    validator: Callable[..., None] | None = None

    @property
    def hints(self) -> Hints:
        return _handler_hints(self.function, self.is_method, self.name is None)


@functools.lru_cache(maxsize=1024)
def _method_hints(function: Callable[..., Any]) -> Hints:
    """Once for each method; not of functions, with which whole runs would be kept."""
    return Hints.of(function, skip=1)


def _handler_hints(function: Callable[..., Any], is_method: bool, is_dynamic: bool) -> Hints:
    hints = _method_hints(function) if is_method else Hints.of(function)
    # A dynamic handler is given the name and all values as they came.
    return Hints(None, hints.result) if is_dynamic else hints


@dataclass(frozen=True)
class WorkflowDefinition:
    """A workflow class, as a worker sees it; without a name it serves all types."""

    name: str | None
    cls: type
    run: Callable[..., Awaitable[Any]]
    hints: Hints
    takes_input_at_init: bool
    signals: Mapping[str | None, SignalDefinition]
    queries: Mapping[str | None, QueryDefinition]
    updates: Mapping[str | None, UpdateDefinition]
    failure_exception_types: Sequence[type[BaseException]] = ()
    sandboxed: bool = True
    dynamic_config: Callable[[Any], DynamicWorkflowConfig] | None = None

    @staticmethod
    def must_be_of(workflow: type) -> WorkflowDefinition:
        definition = workflow.__dict__.get(DEFINITION)
        if not isinstance(definition, WorkflowDefinition):
            raise ValueError(
                f"{workflow.__qualname__} is no workflow: its class needs @workflow.defn"
            )
        return definition

    @staticmethod
    def of_run(function: Any) -> WorkflowDefinition | None:
        """Of the class whose run method this is."""
        mark = getattr(function, RUN, None)
        return mark.definition if isinstance(mark, _RunMark) else None


@dataclass
class _RunMark:
    definition: WorkflowDefinition | None = None


# MARK: Decorators


@overload
def defn(cls: ClassT) -> ClassT: ...


@overload
def defn(
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Callable[[ClassT], ClassT]: ...


def defn(
    cls: Any = None,
    *,
    name: str | None = None,
    sandboxed: bool = True,
    dynamic: bool = False,
    failure_exception_types: Sequence[type[BaseException]] = (),
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
) -> Any:
    """Makes a class a workflow.

    name: the class's own if None. dynamic: it serves all types that no other class serves.
    failure_exception_types: errors that fail the workflow beside FailureError; any other error
    fails the task, which is tried again. sandboxed: calls that would not be the same when the code
    is run again, like time.time(), are refused; see `workflow.unsafe`. versioning_behavior: without
    effect.
    """
    if name is not None and dynamic:
        raise ValueError("a dynamic workflow has no name")

    def mark(cls: ClassT) -> ClassT:
        workflow_name = None if dynamic else (name or cls.__name__)
        setattr(cls, DEFINITION, _define(cls, workflow_name, failure_exception_types, sandboxed))
        return cls

    return mark(cls) if cls is not None else mark


def init(init_function: CallableT) -> CallableT:
    """Marks `__init__`: it is given the workflow's input, as the run method is."""
    if init_function.__name__ != "__init__":
        raise ValueError("@workflow.init is for __init__")
    setattr(init_function, INIT, True)
    return init_function


def dynamic_config(fn: CallableT) -> CallableT:
    """Marks a method of a dynamic workflow, called before its code: it says what `defn` cannot.

    It takes nothing and returns a DynamicWorkflowConfig.
    """
    if inspect.iscoroutinefunction(fn):
        raise ValueError("@workflow.dynamic_config is for methods that are not async")
    setattr(fn, DYNAMIC_CONFIG, True)
    return fn


def run(function: CallableT) -> CallableT:
    """Marks the method that is the workflow's code: an async one, one per class."""
    if not inspect.iscoroutinefunction(function):
        raise ValueError("the workflow's run method must be an async function")
    if (
        "<locals>" in function.__qualname__
        and "." not in function.__qualname__.split("<locals>.")[-1]
    ):
        raise ValueError("@workflow.run is for methods of a class")
    setattr(function, RUN, _RunMark())
    return function


def _name_of(function: Callable[..., Any], name: str | None, dynamic: Any) -> str | None:
    if name is not None and dynamic:
        raise ValueError("a dynamic handler has no name")
    return None if dynamic else (name or function.__name__)


@overload
def signal(function: CallableT) -> CallableT: ...


@overload
def signal(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[CallableT], CallableT]: ...


def signal(
    function: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Marks a method, async or not, that is called for each signal of its name."""

    def mark(function: CallableT) -> CallableT:
        definition = SignalDefinition(
            _name_of(function, name, dynamic), function, True, unfinished_policy, description
        )
        setattr(function, SIGNAL, definition)
        return function

    return mark(function) if function is not None else mark


@overload
def query(function: CallableT) -> CallableT: ...


@overload
def query(
    *, name: str | None = None, dynamic: bool | None = False, description: str | None = None
) -> Callable[[CallableT], CallableT]: ...


def query(
    function: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    description: str | None = None,
) -> Any:
    """Marks a method that answers a question about the workflow and changes nothing."""

    def mark(function: CallableT) -> CallableT:
        if inspect.iscoroutinefunction(function):
            raise ValueError("a query's handler must not be async")
        definition = QueryDefinition(_name_of(function, name, dynamic), function, True, description)
        setattr(function, QUERY, definition)
        return function

    return mark(function) if function is not None else mark


class UpdateMethod(Generic[P, R]):
    """An update's handler, on which `.validator` marks the function that may refuse it."""

    def __init__(self, function: Callable[P, R], definition: UpdateDefinition) -> None:
        self._function = function
        self.definition = definition
        for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
            setattr(self, attribute, getattr(function, attribute, None))
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function(*args, **kwargs)

    @overload
    def __get__(self, instance: None, owner: type) -> UpdateMethod[P, R]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Callable[..., R]: ...

    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else self._function.__get__(instance, owner)

    def validator(self, function: CallableT) -> CallableT:
        """Marks a method that is called before the handler: what it raises rejects the update."""
        if inspect.iscoroutinefunction(function):
            raise ValueError("an update's validator must not be async")
        before = self.definition
        self.definition = UpdateDefinition(
            before.name,
            before.function,
            before.is_method,
            before.unfinished_policy,
            before.description,
            function,
        )
        return function


@overload
def update(function: Callable[P, R]) -> UpdateMethod[P, R]: ...


@overload
def update(
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Callable[[Callable[P, R]], UpdateMethod[P, R]]: ...


def update(
    function: Any = None,
    *,
    name: str | None = None,
    dynamic: bool | None = False,
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON,
    description: str | None = None,
) -> Any:
    """Marks a method, async or not, that changes the workflow and answers the caller."""

    def mark(function: Callable[..., Any]) -> UpdateMethod[..., Any]:
        definition = UpdateDefinition(
            _name_of(function, name, dynamic), function, True, unfinished_policy, description
        )
        return UpdateMethod(function, definition)

    return mark(function) if function is not None else mark


# MARK: Making a definition


@dataclass
class _Handlers:
    signals: dict[str | None, SignalDefinition] = field(default_factory=dict)
    queries: dict[str | None, QueryDefinition] = field(default_factory=dict)
    updates: dict[str | None, UpdateDefinition] = field(default_factory=dict)

    def take(self, cls: type, kind: Literal["signal", "query", "update"], one: Any) -> None:
        tables: dict[str, dict[str | None, Any]] = {
            "signal": self.signals,
            "query": self.queries,
            "update": self.updates,
        }
        table = tables[kind]
        if one.name in table:
            which = f"named {one.name!r}" if one.name is not None else "for all names"
            raise ValueError(f"{cls.__qualname__} has two {kind} handlers {which}")
        table[one.name] = one


def _define(
    cls: type, name: str | None, failure_types: Sequence[type[BaseException]], sandboxed: bool
) -> WorkflowDefinition:
    runs: list[Any] = []
    configs: list[Any] = []
    handlers = _Handlers()
    members = {name: inspect.getattr_static(cls, name) for name in dir(cls)}
    for member in members.values():
        if isinstance(getattr(member, RUN, None), _RunMark):
            runs.append(member)
        if getattr(member, DYNAMIC_CONFIG, False):
            configs.append(member)
        if (one := getattr(member, SIGNAL, None)) is not None:
            handlers.take(cls, "signal", one)
        if (one := getattr(member, QUERY, None)) is not None:
            handlers.take(cls, "query", one)
        if isinstance(member, UpdateMethod):
            handlers.take(cls, "update", member.definition)
    if len(runs) != 1:
        raise ValueError(
            f"{cls.__qualname__} needs one method with @workflow.run; it has {len(runs)}"
        )
    (run_method,) = runs
    if configs and (name is not None or len(configs) > 1):
        raise ValueError("@workflow.dynamic_config is for one method of a dynamic workflow")
    hints = Hints.of(run_method, skip=1)
    if name is None and hints.arguments is not None and len(hints.arguments) != 1:
        raise ValueError("a dynamic workflow's run method takes one Sequence[RawValue]")
    definition = WorkflowDefinition(
        name,
        cls,
        run_method,
        Hints(None, hints.result) if name is None else hints,
        hasattr(inspect.getattr_static(cls, "__init__"), INIT),
        handlers.signals,
        handlers.queries,
        handlers.updates,
        tuple(failure_types),
        sandboxed,
        configs[0] if configs else None,
    )
    getattr(run_method, RUN).definition = definition
    return definition
