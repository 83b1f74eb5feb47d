"""The messages of frame.proto.

Made by generate_messages.py from proto/holdfast/v1/frame.proto: do not edit.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from .._core import Message

if TYPE_CHECKING:
    from collections.abc import Sequence


class StatusCode(IntEnum):
    """gRPC's canonical codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Reason(IntEnum):
    """Why, for programs. Numbers are never reused."""

    UNSPECIFIED = 0
    MALFORMED_REQUEST = 1
    UNKNOWN_METHOD = 2
    FIELD_MISSING = 3
    FIELD_INVALID = 4
    PAYLOAD_TOO_LARGE = 5
    REQUEST_ID_REUSED = 6
    NAMESPACE_NOT_FOUND = 7
    WORKFLOW_NOT_FOUND = 8
    WORKFLOW_CLOSED = 9
    WORKFLOW_ALREADY_STARTED = 10
    ACTIVITY_NOT_FOUND = 11
    STALE_LEASE = 12
    NO_WORKER = 13
    QUERY_FAILED = 14
    DISK_FULL = 15
    OVERLOADED = 16
    LIMIT_REACHED = 17
    DRAINING = 18
    PERMISSION = 19
    PROTOCOL_VERSION = 20
    PROTOCOL_VIOLATION = 21
    FRAME_TOO_LARGE = 22
    HANDSHAKE_TIMEOUT = 23
    FILTER_INVALID = 24
    WORKFLOW_TASK_FAILING = 25
    HISTORY_CORRUPT = 26
    TIMED_OUT = 27
    CLOSING = 28
    WORKFLOW_NOT_BEGUN = 29
    SCHEDULE_NOT_FOUND = 30
    SCHEDULE_ALREADY_EXISTS = 31
    # The schedule is not as it was when the conflict token was read.
    SCHEDULE_CHANGED = 32
    BATCH_NOT_FOUND = 33
    # Another batch of this namespace has the id.
    BATCH_ALREADY_EXISTS = 34
    UPDATE_NOT_FOUND = 35
    WORKFLOW_PAUSED = 36
    ACTIVITY_ALREADY_STARTED = 37
    ACTIVITY_CLOSED = 38
    NAMESPACE_ALREADY_EXISTS = 50
    # It holds open workflows, schedules or running batches.
    NAMESPACE_IN_USE = 51
    # One of that name was deleted, and what it held is still being removed.
    NAMESPACE_BEING_REMOVED = 52
    # Only an engine that was started with --time-skipping does this.
    TIME_NOT_SKIPPED = 40
    BACKUP_RUNNING = 41
    BACKUP_EXISTS = 42
    BACKUP_FAILED = 43


class Frame(Message):
    """One unit of the connection. `stream` is 0 for frames about the connection itself."""

    stream: int = 0
    hello: Hello | None = None
    welcome: Welcome | None = None
    go_away: GoAway | None = None
    open: Open | None = None
    message: StreamMessage | None = None
    end: End | None = None
    cancel: Cancel | None = None
    credit: Credit | None = None
    ping: Ping | None = None
    pong: Pong | None = None
    # Which of its members is set.
    kind: Literal["hello", "welcome", "go_away", "open", "message", "end", "cancel", "credit", "ping", "pong"] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            stream: int = 0,
            hello: Hello | None = None,
            welcome: Welcome | None = None,
            go_away: GoAway | None = None,
            open: Open | None = None,
            message: StreamMessage | None = None,
            end: End | None = None,
            cancel: Cancel | None = None,
            credit: Credit | None = None,
            ping: Ping | None = None,
            pong: Pong | None = None,
        ) -> None: ...


class Hello(Message):
    """The client's first frame."""

    protocol_versions: Sequence[int] = ()
    client_name: str = ""
    client_version: str = ""
    language: str = ""
    identity: str = ""
    features: Sequence[str] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            protocol_versions: Sequence[int] = (),
            client_name: str = "",
            client_version: str = "",
            language: str = "",
            identity: str = "",
            features: Sequence[str] = (),
        ) -> None: ...


class Welcome(Message):
    """The engine's answer to Hello."""

    protocol_version: int = 0
    server_version: str = ""
    epoch: int = 0
    limits: Limits | None = None
    features: Sequence[str] = ()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            protocol_version: int = 0,
            server_version: str = "",
            epoch: int = 0,
            limits: Limits | None = None,
            features: Sequence[str] = (),
        ) -> None: ...


class Limits(Message):
    """Limits in force on this connection."""

    frame_bytes_max: int = 0
    payload_bytes_max: int = 0
    request_payload_bytes_max: int = 0
    streams_max: int = 0
    initial_credit: int = 0
    id_bytes_max: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            frame_bytes_max: int = 0,
            payload_bytes_max: int = 0,
            request_payload_bytes_max: int = 0,
            streams_max: int = 0,
            initial_credit: int = 0,
            id_bytes_max: int = 0,
        ) -> None: ...


class GoAway(Message):
    """Ends a connection (code other than OK) or announces a drain (code OK)."""

    code: int = 0
    message: str = ""
    last_stream: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            code: int = 0,
            message: str = "",
            last_stream: int = 0,
        ) -> None: ...


class Open(Message):
    """Opens a stream; stream ids grow."""

    method: str = ""
    timeout_ms: int = 0
    metadata: Sequence[MetadataEntry] = ()
    message: bytes = b""
    end: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            method: str = "",
            timeout_ms: int = 0,
            metadata: Sequence[MetadataEntry] = (),
            message: bytes = b"",
            end: bool = False,
        ) -> None: ...


class StreamMessage(Message):
    """One message of an open stream, in either direction."""

    body: bytes = b""
    end: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            body: bytes = b"",
            end: bool = False,
        ) -> None: ...


class End(Message):
    """The engine ends a stream; a unary answer travels in `message`."""

    status: Status | None = None
    message: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            status: Status | None = None,
            message: bytes = b"",
        ) -> None: ...


class Cancel(Message):
    """The client gives a stream up."""

    reason: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            reason: str = "",
        ) -> None: ...


class Credit(Message):
    """Allows the peer `messages` more messages on this stream."""

    messages: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            messages: int = 0,
        ) -> None: ...


class Ping(Message):
    id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            id: int = 0,
        ) -> None: ...


class Pong(Message):
    id: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            id: int = 0,
        ) -> None: ...


class MetadataEntry(Message):
    """A key and its value; lists of these are sorted by key, without duplicates."""

    key: str = ""
    value: bytes = b""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            key: str = "",
            value: bytes = b"",
        ) -> None: ...


class Status(Message):
    """How a stream ended. A missing Status is OK."""

    code: int = 0
    message: str = ""
    reason: int = 0
    # The field of the request that is at fault, as a path: `retry_policy.maximum_attempts`.
    field: str = ""
    retry_after_ms: int = 0
    # The run that an error speaks of (ALREADY_EXISTS, FAILED_PRECONDITION).
    run_id: str = ""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            code: int = 0,
            message: str = "",
            reason: int = 0,
            field: str = "",
            retry_after_ms: int = 0,
            run_id: str = "",
        ) -> None: ...


Frame._fields_ = (
    (1, "stream", "uint64", False, None, None),
    (2, "hello", "message", False, Hello, "kind"),
    (3, "welcome", "message", False, Welcome, "kind"),
    (4, "go_away", "message", False, GoAway, "kind"),
    (5, "open", "message", False, Open, "kind"),
    (6, "message", "message", False, StreamMessage, "kind"),
    (7, "end", "message", False, End, "kind"),
    (8, "cancel", "message", False, Cancel, "kind"),
    (9, "credit", "message", False, Credit, "kind"),
    (10, "ping", "message", False, Ping, "kind"),
    (11, "pong", "message", False, Pong, "kind"),
)

Hello._fields_ = (
    (1, "protocol_versions", "uint32", True, None, None),
    (2, "client_name", "string", False, None, None),
    (3, "client_version", "string", False, None, None),
    (4, "language", "string", False, None, None),
    (5, "identity", "string", False, None, None),
    (6, "features", "string", True, None, None),
)

Welcome._fields_ = (
    (1, "protocol_version", "uint32", False, None, None),
    (2, "server_version", "string", False, None, None),
    (3, "epoch", "uint64", False, None, None),
    (4, "limits", "message", False, Limits, None),
    (5, "features", "string", True, None, None),
)

Limits._fields_ = (
    (1, "frame_bytes_max", "uint64", False, None, None),
    (2, "payload_bytes_max", "uint64", False, None, None),
    (3, "request_payload_bytes_max", "uint64", False, None, None),
    (4, "streams_max", "uint32", False, None, None),
    (5, "initial_credit", "uint32", False, None, None),
    (6, "id_bytes_max", "uint32", False, None, None),
)

GoAway._fields_ = (
    (1, "code", "enum", False, None, None),
    (2, "message", "string", False, None, None),
    (3, "last_stream", "uint64", False, None, None),
)

Open._fields_ = (
    (1, "method", "string", False, None, None),
    (2, "timeout_ms", "int64", False, None, None),
    (3, "metadata", "message", True, MetadataEntry, None),
    (4, "message", "bytes", False, None, None),
    (5, "end", "bool", False, None, None),
)

StreamMessage._fields_ = (
    (1, "body", "bytes", False, None, None),
    (2, "end", "bool", False, None, None),
)

End._fields_ = (
    (1, "status", "message", False, Status, None),
    (2, "message", "bytes", False, None, None),
)

Cancel._fields_ = (
    (1, "reason", "string", False, None, None),
)

Credit._fields_ = (
    (1, "messages", "uint32", False, None, None),
)

Ping._fields_ = (
    (1, "id", "uint64", False, None, None),
)

Pong._fields_ = (
    (1, "id", "uint64", False, None, None),
)

MetadataEntry._fields_ = (
    (1, "key", "string", False, None, None),
    (2, "value", "bytes", False, None, None),
)

Status._fields_ = (
    (1, "code", "enum", False, None, None),
    (2, "message", "string", False, None, None),
    (3, "reason", "enum", False, None, None),
    (4, "field", "string", False, None, None),
    (5, "retry_after_ms", "int64", False, None, None),
    (6, "run_id", "string", False, None, None),
)
