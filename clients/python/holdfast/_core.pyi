"""The protocol's messages, and libholdfast's client and worker: written in C (src/).

Requests, answers and tasks are serialized messages (Message.encode, Message.decode). Times are
milliseconds. `timeout_ms` of a call: above 0 so long, 0 the client's default, below 0 forever.
`wait_ms` of a wait: above 0 so long, 0 not at all, below 0 forever. Waits in the main thread run
signal handlers about ten times per second; what these raise ends the wait.

After close() every method raises Closed. In a child of fork() a handle of the parent raises Error
with the code "FORKED": make another one.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, final

from typing_extensions import Self

LIBRARY_VERSION: str
"""The version of the libholdfast inside."""

DEPTH_MAX: int
"""How deeply messages may be nested within a message."""

TASK_ACTIVATION: int
"""An Activation; its answer is complete_workflow_task(), or evicted() if the run is not cached."""
TASK_REPLAY_HISTORY: int
"""A ReplayHistory; its answer is complete_replay()."""
TASK_EVICT: int
"""An Evict: the run is to be dropped; needs no answer."""
TASK_ACTIVITY: int
"""An ActivityTask; its answer is one of the four that end an activity."""
TASK_ACTIVITY_CANCEL: int
"""An ActivityCancel; needs no answer."""
TASK_DISCONNECTED: int
"""No message: all cached runs and workflow tasks are lost; activities go on."""
TASK_RECORDED: int
"""The message is the token that await_recorded() was given; needs no answer."""

STATE_CONNECTING: int
STATE_ATTACHED: int
STATE_DRAINING: int
STATE_CLOSED: int

class Message:
    """The base class of the protocol's messages.

    Class attributes hold the defaults, instances what is set. A oneof is an attribute too: it holds
    the name of the member that was set by decode() or __init__(), or None.
    """

    _fields_: ClassVar[tuple[tuple[int, str, str, bool, type[Message] | None, str | None], ...]]
    """Per field: number, name, kind, whether it is repeated, a message's class, its oneof."""

    def __init__(self, **fields: Any) -> None:
        """TypeError: no such field, or two members of one oneof. The values are not looked at."""

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview, /) -> Self:
        """Reads a message; fields that the class does not know are passed over.

        ValueError: malformed; it says which field, what is wrong with it, and at which byte.
        """

    def encode(self) -> bytes:
        """Writes the message, its fields by number.

        Fields with their default are left out, but for members of a oneof. TypeError: a value of
        another type than its field's, or an attribute that is no field; OverflowError: an int that
        the field cannot hold; ValueError: a str that has no UTF-8, or too many messages in each
        other. All name class and field.
        """

    def __eq__(self, other: object, /) -> bool:
        """Of one class, and with equal fields; a tuple is as good as a list."""

    __hash__: ClassVar[None]  # type: ignore[assignment]

class Error(Exception):
    """What libholdfast or the engine answered instead; str() of it is the message."""

    status: int
    """holdfast_status: 1 to 16 are the engine's, 100 and up the library's."""
    code: str
    """The name of the status: "NOT_FOUND", "TIMEOUT"."""
    reason: str
    """The name of holdfast.v1.Reason without its prefix: "WORKFLOW_NOT_FOUND"; empty: none."""
    reason_number: int
    message: str
    """For people."""
    field: str
    """The field at fault as a path, or empty."""
    retryable: bool
    """The same call may succeed later."""
    retry_after_ms: int
    """The engine's advice; 0: none."""
    run_id: str
    """The run that the error speaks of, or empty."""

class Closed(Error):
    """The handle was closed or shut down, or the worker is stopped and drained."""

class StreamEnd(Exception):
    """The stream has ended well: there are no more messages."""

@final
class Client:
    """One connection to an engine, for any number of threads; it reconnects by itself.

    There is no thread behind it: submitted calls make progress while somebody waits in
    next_completion(), or in any other call of the client. Or an event loop drives it: when fileno()
    is readable, or timeout_ms() is over, or calls were submitted, it calls process() once, takes
    what came in (next_completion(0) and next(0) of the streams, until there is no more), and asks
    timeout_ms() anew. close() may be called while other threads are inside: what they wait for
    ends with Closed. A client that is no longer referenced closes itself.
    """

    @classmethod
    def connect(
        cls,
        *,
        socket_path: str | None = None,
        namespace: str | None = None,
        identity: str | None = None,
        client_name: str | None = None,
        client_version: str | None = None,
        language: str | None = None,
        connect_timeout_ms: int = 0,
        call_timeout_ms: int = 0,
        reconnect_initial_ms: int = 0,
        reconnect_max_ms: int = 0,
        reconnect_never: bool = False,
        server_uid: int | None = None,
    ) -> Client:
        """Connects, trying again within connect_timeout_ms (0: 5,000).

        socket_path: without it $HOLDFAST_SOCKET, else $XDG_RUNTIME_DIR/holdfast/holdfast.sock, else
        /run/holdfast/holdfast.sock. namespace: "default". call_timeout_ms: the default of calls
        (0: 10,000). language: "python". server_uid: refuse an engine of another user. Raises Error.
        """

    @classmethod
    def create(
        cls,
        *,
        socket_path: str | None = None,
        namespace: str | None = None,
        identity: str | None = None,
        client_name: str | None = None,
        client_version: str | None = None,
        language: str | None = None,
        connect_timeout_ms: int = 0,
        call_timeout_ms: int = 0,
        reconnect_initial_ms: int = 0,
        reconnect_max_ms: int = 0,
        reconnect_never: bool = False,
        server_uid: int | None = None,
    ) -> Client:
        """The same, but it connects when it is first used. connect_timeout_ms means nothing."""

    @property
    def closed(self) -> bool: ...
    def fileno(self) -> int:
        """The descriptor, always the same one, that is readable when process() has work."""

    def timeout_ms(self) -> int:
        """In how long process() is due even if fileno() stays silent; 0: now, -1: not needed."""

    def process(self) -> None:
        """Does the I/O that is due without waiting.

        Raises Closed; Error: there is no connection, for a reason that trying again hardly mends.
        """

    def call(self, method: str, request: bytes, timeout_ms: int = 0) -> bytes:
        """Calls a unary method ("holdfast.v1.WorkflowService/StartWorkflow"), and waits.

        In the main thread an answer may come 100 ms late when another thread waits in
        next_completion() of the same client meanwhile. Raises Error.
        """

    def submit(self, method: str, request: bytes, timeout_ms: int, tag: int) -> None:
        """Begins a call, whose end next_completion() tells with this tag (0 to 2**63 - 1).

        Raises Error: no completion will come.
        """

    def next_completion(self, wait_ms: int = -1) -> tuple[int, bytes | Error] | None:
        """The tag of a submitted call that has ended, and its answer; None: none in time.

        With several threads in here, each completion goes to one of them. Raises Closed.
        """

    def cancel_call(self, tag: int, /) -> bool:
        """Gives a submitted call up: it completes with CANCELLED. False: it is not under way."""

    def open(self, method: str, request: bytes, timeout_ms: int = 0) -> Stream:
        """Opens a call that is answered by messages; timeout_ms is for all of it, 0: forever.

        It is not repeated when the connection is lost: next() raises Error then.
        """

    def open_two_way(self, method: str, request: bytes, timeout_ms: int = 0) -> Stream:
        """The same of a call on which both sides send; `request` is the first message."""

    def shutdown(self) -> None:
        """Ends every call, stream and wait with Closed, now and from now on."""

    def close(self) -> None:
        """Shuts down and frees the client; a second time it does nothing.

        The last thread inside and the last stream free it, if there are any.
        """

@final
class Stream:
    """A call that is answered by messages; it keeps its client alive.

    One thread at a time uses it (RuntimeError otherwise); close() may come from another. A stream
    that is no longer referenced closes itself.
    """

    def next(self, wait_ms: int = -1) -> bytes | None:
        """The next message; None: none in time. Raises StreamEnd, Error."""

    def send(self, message: bytes, end: bool = False) -> None:
        """Sends the next message of a two-way stream, without waiting; `end`: nothing follows."""

    def close(self) -> None:
        """Gives the stream up if it goes on; a second time it does nothing."""

@final
class Worker:
    """A worker whose tasks are pulled in an event loop.

    One thread pulls. When fileno() is readable, or timeout_ms() is over, it calls process() once
    and next_task() until that says None, answers what it can, and calls flush(); then it asks
    timeout_ms() anew. process() lets the GIL go once, for all I/O, and fetches up to 64 tasks;
    next_task() hands these out with no further I/O. (next_task() alone works as well: with nothing
    fetched it does the I/O itself.) More than 64: timeout_ms() is 0 until all were handed out.

    Answers may be given from any thread and keep the GIL, unless they are large. Those of the
    thread that pulls are queued until it next pulls, or until flush(): a coroutine that answers
    later has to call flush(), or to see to it that somebody does. Those of other threads leave at
    once, without waiting. That an answer returns means that it is queued; the library sends it,
    and those of activities also after a reconnect. Error with BAD_ARGUMENT: the message is
    malformed or has no token.

    close() may be called while other threads are inside: the last of them frees the worker. A
    worker that is no longer referenced closes itself. Nothing is waited for: stop() it and go on
    until Closed is raised before.
    """

    def __init__(
        self,
        *,
        task_queue: str,
        socket_path: str | None = None,
        namespace: str | None = None,
        identity: str | None = None,
        build_id: str | None = None,
        sdk_name: str | None = None,
        sdk_version: str | None = None,
        language: str | None = None,
        workflow_types: Sequence[str] = (),
        max_concurrent_activities: int = 0,
        max_concurrent_workflow_tasks: int = 0,
        cached_runs_max: int = 0,
        grace_ms: int = 0,
        reconnect_initial_ms: int = 0,
        reconnect_max_ms: int = 0,
        reconnect_never: bool = False,
        server_uid: int | None = None,
    ) -> None:
        """Makes a worker; it connects when it is first processed or pulled from.

        0 and None: the defaults of holdfast_worker_options. grace_ms: how long activities may go on
        after stop() (0: 10,000, below 0: forever). Raises Error.
        """

    def register_activity(self, name: str, /) -> None:
        """Serves an activity type. Before the worker first connects."""

    def fileno(self) -> int:
        """The descriptor, always the same one, that is readable when process() has work."""

    def timeout_ms(self) -> int:
        """In how long process() is due even if fileno() stays silent; 0: now, -1: not needed."""

    def process(self) -> None:
        """Does the I/O that is due without waiting, and fetches tasks.

        Raises Closed: stopped and drained; Error: the engine refuses the worker for good.
        RuntimeError: another thread is pulling.
        """

    def next_task(self) -> tuple[int, bytes, bytes, str] | None:
        """The next task as kind (TASK_…), message, token and run id, without waiting; None: none.

        Raises as process() does.
        """

    def complete_workflow_task(self, message: bytes, /) -> None:
        """Answers an Activation with a WorkflowTaskCompleted.

        Dropped in silence when the task is no longer the worker's.
        """

    def complete_replay(self, message: bytes, /) -> None:
        """Answers a part of a ReplayHistory with a ReplayCompleted."""

    def await_recorded(self, token: bytes, /) -> None:
        """Asks for TASK_RECORDED when the answer to this task, which is to follow, is durable."""

    def local_activity_done(self, message: bytes, /) -> None:
        """Tells of the end of a local activity's attempt with a LocalActivityDone."""

    def set_local_activities(self, count: int, /) -> None:
        """How many local activities run: stop() waits for them, within its grace."""

    def evicted(self, run_ids: Sequence[str], /) -> None:
        """Says that the worker dropped these runs from its cache, or does not have them."""

    def complete_activity(self, message: bytes, /) -> None:
        """Ends an activity with an ActivityCompleted. Error, ALREADY_COMPLETED: it is not out."""

    def fail_activity(self, message: bytes, /) -> None:
        """Ends an activity's attempt with an ActivityFailed; otherwise as complete_activity()."""

    def report_activity_cancelled(self, message: bytes, /) -> None:
        """Ends an activity with a ReportActivityCancelled; otherwise as complete_activity()."""

    def will_complete_elsewhere(self, token: bytes, /) -> None:
        """Gives an activity away; otherwise as complete_activity()."""

    def heartbeat(self, message: bytes, /) -> bool:
        """Records a Heartbeat, which leaves throttled; True: the activity should cancel itself."""

    def flush(self) -> None:
        """Sends what answers of the pulling thread left queued."""

    def stop(self) -> None:
        """No new tasks; activities may finish within grace_ms. A second stop ends the grace.

        Go on with process() until it raises Closed.
        """

    def state(self) -> int:
        """One of STATE_CONNECTING, STATE_ATTACHED, STATE_DRAINING, STATE_CLOSED."""

    def last_error(self) -> Error | None:
        """Why the worker last lost or failed to get its connection, or None since it attached."""

    def close(self) -> None:
        """Frees the worker; a second time it does nothing."""
