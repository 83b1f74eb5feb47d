"""What clients, workflows and activities share."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

from . import _messages as proto

_EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(span: timedelta | None) -> int:
    """0 for None; what is positive is at least a millisecond, since 0 means that none is set."""
    if span is None:
        return 0
    whole, rest = divmod(span, _MILLISECOND)
    return whole + (1 if rest else 0)


def to_instant_ms(time: datetime) -> int:
    """Of a time with or without a zone; without one it is meant in UTC."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> timedelta | None:
    return timedelta(milliseconds=milliseconds) if milliseconds else None


def from_instant_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


@dataclass
class RetryPolicy:
    """When an activity or a workflow is tried again.

    The n-th retry comes initial_interval * backoff_coefficient ** (n - 1) after the failure, at
    most maximum_interval (None: 100 times the initial one). maximum_attempts counts the first
    attempt too; 0: without end.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    maximum_attempts: int = 0
    non_retryable_error_types: Sequence[str] | None = None

    def _validate(self) -> None:
        if self.initial_interval <= timedelta(0):
            raise ValueError("initial_interval must be positive")
        if self.backoff_coefficient < 1:
            raise ValueError("backoff_coefficient must be at least 1")
        if self.maximum_interval is not None and self.maximum_interval < self.initial_interval:
            raise ValueError("maximum_interval must not be shorter than initial_interval")
        if self.maximum_attempts < 0:
            raise ValueError("maximum_attempts must not be negative")

    def _to_proto(self) -> proto.RetryPolicy:
        self._validate()
        return proto.RetryPolicy(
            initial_interval_ms=to_ms(self.initial_interval),
            backoff_coefficient=float(self.backoff_coefficient),
            maximum_interval_ms=to_ms(self.maximum_interval),
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=list(self.non_retryable_error_types or ()),
        )

    @staticmethod
    def _from_proto(policy: proto.RetryPolicy) -> RetryPolicy:
        return RetryPolicy(
            initial_interval=timedelta(milliseconds=policy.initial_interval_ms or 1_000),
            backoff_coefficient=policy.backoff_coefficient or 2.0,
            maximum_interval=from_ms(policy.maximum_interval_ms),
            maximum_attempts=policy.maximum_attempts,
            non_retryable_error_types=list(policy.non_retryable_error_types) or None,
        )


class WorkflowIDReusePolicy(enum.IntEnum):
    """What a start does when a closed workflow has the same id."""

    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3
    # Of an open one: it is terminated. The same as WorkflowIDConflictPolicy.TERMINATE_EXISTING.
    TERMINATE_IF_RUNNING = 4


class WorkflowIDConflictPolicy(enum.IntEnum):
    """What a start does when an open workflow has the same id."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3


class ActivityIDReusePolicy(enum.IntEnum):
    """What a start of an activity does when a closed one has the same id."""

    UNSPECIFIED = 0
    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class ActivityIDConflictPolicy(enum.IntEnum):
    """What a start of an activity does when an open one has the same id."""

    UNSPECIFIED = 0
    FAIL = 1
    USE_EXISTING = 2
    # Holdfast's own.
    TERMINATE_EXISTING = 3


class VersioningBehavior(enum.IntEnum):
    """Taken for programs that have it: workers of Holdfast have no versions of deployments."""

    UNSPECIFIED = 0
    PINNED = 1
    AUTO_UPGRADE = 2


class QueryRejectCondition(enum.IntEnum):
    """Of which workflows a query is not answered."""

    NONE = 1
    NOT_OPEN = 2
    NOT_COMPLETED_CLEANLY = 3


@dataclass(frozen=True)
class RawValue:
    """A value as it travels, not decoded; also as a type hint, for handlers of anything."""

    payload: proto.Payload


@dataclass(frozen=True)
class Priority:
    """Which of the work that waits in a task queue goes out first.

    priority_key: from 1, which goes first, to 5; None: 3. Work of one priority is shared out
    between the fairness keys that wait, by their weights.
    """

    priority_key: int | None = None
    fairness_key: str | None = None
    fairness_weight: float | None = None

    default: ClassVar[Priority]

    def __post_init__(self) -> None:
        if self.priority_key is not None:
            if not isinstance(self.priority_key, int):
                raise TypeError("priority_key must be an integer")
            if self.priority_key < 1:
                raise ValueError("priority_key must be at least 1")
        if self.fairness_key is not None and len(self.fairness_key.encode()) > 64:
            raise ValueError("fairness_key must have at most 64 bytes")

    def _to_proto(self) -> proto.WorkPriority | None:
        if self == Priority.default:
            return None
        return proto.WorkPriority(
            priority_key=self.priority_key or 0,
            fairness_key=self.fairness_key or "",
            fairness_weight=float(self.fairness_weight or 0),
        )

    @staticmethod
    def _from_proto(priority: proto.WorkPriority | None) -> Priority:
        if priority is None:
            return Priority.default
        return Priority(
            priority.priority_key or None,
            priority.fairness_key or None,
            priority.fairness_weight or None,
        )


Priority.default = Priority()


# MARK: Search attributes

SearchAttributeValue = str | int | float | bool | datetime | Sequence[str]
SearchAttributeValues = (
    Sequence[str] | Sequence[int] | Sequence[float] | Sequence[bool] | Sequence[datetime]
)
# The older, untyped form: names with lists of values.
SearchAttributes = Mapping[str, SearchAttributeValues]

ValueT = TypeVar("ValueT", bound=SearchAttributeValue)
DefaultT = TypeVar("DefaultT")


class SearchAttributeIndexedValueType(enum.IntEnum):
    """The type of a search attribute, one for its name in all workflows of a namespace."""

    TEXT = proto.SearchAttributeType.TEXT
    KEYWORD = proto.SearchAttributeType.KEYWORD
    INT = proto.SearchAttributeType.INT
    DOUBLE = proto.SearchAttributeType.DOUBLE
    BOOL = proto.SearchAttributeType.BOOL
    DATETIME = proto.SearchAttributeType.DATETIME
    KEYWORD_LIST = proto.SearchAttributeType.KEYWORD_LIST


@dataclass(frozen=True)
class SearchAttributeKey(Generic[ValueT]):
    """A search attribute's name, with the type of its values."""

    name: str
    indexed_value_type: SearchAttributeIndexedValueType

    @property
    def value_type(self) -> type[ValueT]:
        return cast(type[ValueT], _VALUE_TYPES[self.indexed_value_type])

    def value_set(self, value: ValueT) -> SearchAttributeUpdate[ValueT]:
        """A change that gives it this value."""
        return SearchAttributeUpdate(self, value)

    def value_unset(self) -> SearchAttributeUpdate[ValueT]:
        """A change that takes it away."""
        return SearchAttributeUpdate(self, None)

    @staticmethod
    def for_text(name: str) -> SearchAttributeKey[str]:
        """Words for people: a query names some of them."""
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.TEXT)

    @staticmethod
    def for_keyword(name: str) -> SearchAttributeKey[str]:
        """Compared as it is."""
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD)

    @staticmethod
    def for_int(name: str) -> SearchAttributeKey[int]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.INT)

    @staticmethod
    def for_float(name: str) -> SearchAttributeKey[float]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.DOUBLE)

    @staticmethod
    def for_bool(name: str) -> SearchAttributeKey[bool]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.BOOL)

    @staticmethod
    def for_datetime(name: str) -> SearchAttributeKey[datetime]:
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.DATETIME)

    @staticmethod
    def for_keyword_list(name: str) -> SearchAttributeKey[Sequence[str]]:
        """Equal to each of its members."""
        return SearchAttributeKey(name, SearchAttributeIndexedValueType.KEYWORD_LIST)


_VALUE_TYPES: dict[SearchAttributeIndexedValueType, type] = {
    SearchAttributeIndexedValueType.TEXT: str,
    SearchAttributeIndexedValueType.KEYWORD: str,
    SearchAttributeIndexedValueType.INT: int,
    SearchAttributeIndexedValueType.DOUBLE: float,
    SearchAttributeIndexedValueType.BOOL: bool,
    SearchAttributeIndexedValueType.DATETIME: datetime,
    SearchAttributeIndexedValueType.KEYWORD_LIST: list,
}


@dataclass(frozen=True)
class SearchAttributeUpdate(Generic[ValueT]):
    """A change of one search attribute; made by `value_set` and `value_unset` of its key."""

    key: SearchAttributeKey[ValueT]
    value: ValueT | None

    def _to_proto(self) -> proto.SearchAttribute:
        return _attribute(self.key, self.value)


@dataclass(frozen=True)
class SearchAttributePair(Generic[ValueT]):
    """A search attribute with its value."""

    key: SearchAttributeKey[ValueT]
    value: ValueT


@dataclass(frozen=True)
class TypedSearchAttributes(Collection[SearchAttributePair[Any]]):
    """Search attributes of a workflow, sorted by name."""

    search_attributes: Sequence[SearchAttributePair[Any]] = field(default_factory=tuple)

    empty: ClassVar[TypedSearchAttributes]

    def __post_init__(self) -> None:
        pairs = sorted(self.search_attributes, key=lambda pair: pair.key.name)
        for first, second in itertools.pairwise(pairs):
            if first.key.name == second.key.name:
                raise ValueError(f"two values for search attribute {first.key.name!r}")
        object.__setattr__(self, "search_attributes", tuple(pairs))

    def __len__(self) -> int:
        return len(self.search_attributes)

    def __iter__(self) -> Iterator[SearchAttributePair[Any]]:
        return iter(self.search_attributes)

    def __contains__(self, key: object) -> bool:
        return any(pair.key == key for pair in self.search_attributes)

    def __getitem__(self, key: SearchAttributeKey[ValueT]) -> ValueT:
        for pair in self.search_attributes:
            if pair.key == key:
                return cast(ValueT, pair.value)
        raise KeyError(key)

    @overload
    def get(self, key: SearchAttributeKey[ValueT]) -> ValueT | None: ...

    @overload
    def get(self, key: SearchAttributeKey[ValueT], default: DefaultT) -> ValueT | DefaultT: ...

    def get(self, key: SearchAttributeKey[ValueT], default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def updated(self, *changes: SearchAttributePair[Any]) -> TypedSearchAttributes:
        """These, with some replaced or added."""
        pairs = {pair.key.name: pair for pair in (*self.search_attributes, *changes)}
        return TypedSearchAttributes(list(pairs.values()))

    def _to_proto(self) -> proto.SearchAttributes:
        return proto.SearchAttributes(
            fields=[_attribute(pair.key, pair.value) for pair in self.search_attributes]
        )

    @staticmethod
    def _from_proto(attributes: proto.SearchAttributes | None) -> TypedSearchAttributes:
        if attributes is None:
            return TypedSearchAttributes.empty
        pairs = (_pair(attribute) for attribute in attributes.fields)
        return TypedSearchAttributes([pair for pair in pairs if pair is not None])


TypedSearchAttributes.empty = TypedSearchAttributes()


def typed_search_attributes(
    attributes: TypedSearchAttributes | SearchAttributes,
) -> TypedSearchAttributes:
    """Of the untyped form, where a name has a list of values; their type says the attribute's."""
    if isinstance(attributes, TypedSearchAttributes):
        return attributes
    pairs = [_guessed(name, list(values)) for name, values in attributes.items()]
    return TypedSearchAttributes([pair for pair in pairs if pair is not None])


def _guessed(name: str, values: list[Any]) -> SearchAttributePair[Any] | None:
    key = SearchAttributeKey
    match values:
        case []:
            return None
        case [bool() as value]:
            return SearchAttributePair(key.for_bool(name), value)
        case [int() as value]:
            return SearchAttributePair(key.for_int(name), value)
        case [float() as value]:
            return SearchAttributePair(key.for_float(name), value)
        case [datetime() as value]:
            return SearchAttributePair(key.for_datetime(name), value)
        case [str() as value]:
            return SearchAttributePair(key.for_keyword(name), value)
        case [*several] if all(isinstance(value, str) for value in several):
            return SearchAttributePair(key.for_keyword_list(name), several)
        case _:
            raise TypeError(f"search attribute {name!r} cannot have the values {values!r}")


def _attribute(key: SearchAttributeKey[Any], value: Any) -> proto.SearchAttribute:
    kind = SearchAttributeIndexedValueType
    if value is None:
        return proto.SearchAttribute(name=key.name)
    match key.indexed_value_type:
        case kind.TEXT:
            return proto.SearchAttribute(name=key.name, text=value)
        case kind.KEYWORD:
            return proto.SearchAttribute(name=key.name, keyword=value)
        case kind.INT:
            return proto.SearchAttribute(name=key.name, int_value=value)
        case kind.DOUBLE:
            return proto.SearchAttribute(name=key.name, double_value=float(value))
        case kind.BOOL:
            return proto.SearchAttribute(name=key.name, bool_value=value)
        case kind.DATETIME:
            return proto.SearchAttribute(name=key.name, instant_time_ms=to_instant_ms(value))
        case _:
            return proto.SearchAttribute(
                name=key.name, keyword_list=proto.KeywordList(keywords=list(value))
            )


def _pair(attribute: proto.SearchAttribute) -> SearchAttributePair[Any] | None:
    """None: it says nothing."""
    name, key = attribute.name, SearchAttributeKey
    match attribute.content:
        case "text":
            return SearchAttributePair(key.for_text(name), attribute.text)
        case "keyword":
            return SearchAttributePair(key.for_keyword(name), attribute.keyword)
        case "int_value":
            return SearchAttributePair(key.for_int(name), attribute.int_value)
        case "double_value":
            return SearchAttributePair(key.for_float(name), attribute.double_value)
        case "bool_value":
            return SearchAttributePair(key.for_bool(name), attribute.bool_value)
        case "instant_time_ms":
            time = from_instant_ms(attribute.instant_time_ms)
            return SearchAttributePair(key.for_datetime(name), time)
        case "keyword_list" if attribute.keyword_list and attribute.keyword_list.keywords:
            return SearchAttributePair(
                key.for_keyword_list(name), list(attribute.keyword_list.keywords)
            )
        case _:
            return None
