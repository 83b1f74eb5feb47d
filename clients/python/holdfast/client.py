"""Starting workflows, and talking to those that run."""

from __future__ import annotations

import enum
import threading
import time
from datetime import timedelta
from types import TracebackType
from typing import Any

from . import description
from ._failures import check, from_failure, milliseconds, to_failure
from ._library import Arena, ffi, lib, to_bytes, to_str
from .description import WorkflowDescription, WorkflowStatus
from .errors import CancelledError, ClosedError, Code, DeadlineError, WorkflowFailedError
from .payloads import from_c, to_c

Seconds = timedelta | float | None

# The main thread waits in steps, because Python runs signal handlers (Ctrl-C) only between them.
MAIN_THREAD_STEP_SECONDS = 0.25


class IdReusePolicy(enum.IntEnum):
    """What a start does when a closed run has the same id."""

    ALLOW_DUPLICATE = 1
    ALLOW_DUPLICATE_FAILED_ONLY = 2
    REJECT_DUPLICATE = 3


class IdConflictPolicy(enum.IntEnum):
    """What a start does when an open run has the same id."""

    FAIL = 1
    USE_EXISTING = 2
    TERMINATE_EXISTING = 3


class Reply:
    """A holdfast_reply that is freed with this object; what is read from it is copied."""

    def __init__(self, pointer: Any) -> None:
        self._pointer = ffi.gc(pointer, lib.holdfast_reply_free)

    @property
    def message(self) -> bytes:
        return to_bytes(lib.holdfast_reply_message(self._pointer))

    @property
    def run_id(self) -> str:
        return to_str(lib.holdfast_reply_run_id(self._pointer))

    @property
    def status(self) -> WorkflowStatus:
        return WorkflowStatus(lib.holdfast_reply_workflow_status(self._pointer))

    @property
    def values(self) -> list[Any]:
        return from_c(lib.holdfast_reply_payloads(self._pointer))

    @property
    def failure(self) -> Any:
        return lib.holdfast_reply_failure(self._pointer)


class Client:
    """A connection to an engine; any number of threads may share it.

    Calls block. From asyncio use asyncio.to_thread, or another thread.
    """

    def __init__(self, pointer: Any, socket: str | None, namespace: str) -> None:
        """Use Client.connect."""
        self._pointer = pointer
        self.socket = socket
        self.namespace = namespace
        self._lock = threading.Condition()
        self._calls = 0

    @classmethod
    def connect(
        cls,
        socket: str | None = None,
        namespace: str = "default",
        *,
        identity: str = "",
        connect_timeout: Seconds = 5.0,
        call_timeout: Seconds = 10.0,
    ) -> Client:
        """Connects, trying again within connect_timeout (None: forever).

        socket: the engine's; None: $HOLDFAST_SOCKET, else the engine's own default. call_timeout:
        of every call that brings no other.
        """
        arena = Arena()
        options = arena.struct(
            "holdfast_client_options",
            socket_path=socket or "",
            name_space=namespace,
            identity=identity,
            connect_timeout_ms=_timeout_ms(connect_timeout),
            call_timeout_ms=_timeout_ms(call_timeout),
            client_name="holdfast-python",
            language="python",
        )
        client, error = ffi.new("holdfast_client **"), ffi.new("holdfast_error **")
        check(lib.holdfast_client_connect(options, client, error), error)
        return cls(ffi.gc(client[0], lib.holdfast_client_close), socket, namespace)

    def close(self) -> None:
        """Ends every call under way with ClosedError, and the connection. Repeats do nothing."""
        with self._lock:
            pointer, self._pointer = self._pointer, ffi.NULL
            if pointer == ffi.NULL:
                return
            lib.holdfast_client_shutdown(pointer)
            # The handle may not be freed under a thread that is inside one of its functions.
            self._lock.wait_for(lambda: self._calls == 0)
        ffi.release(pointer)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start_workflow(
        self,
        type: str,
        *args: Any,
        id: str,
        task_queue: str,
        execution_timeout: Seconds = None,
        run_timeout: Seconds = None,
        task_timeout: Seconds = None,
        id_reuse_policy: IdReusePolicy | None = None,
        id_conflict_policy: IdConflictPolicy | None = None,
        request_id: str = "",
        summary: str = "",
        start_signal: str | None = None,
        start_signal_args: tuple[Any, ...] = (),
        timeout: Seconds = None,
    ) -> WorkflowHandle:
        """Starts a workflow; when this returns the start is durable.

        start_signal: a signal sent in the same step, to the run that is open or the new one.
        timeout: of this call; the others are the workflow's. AlreadyExistsError when the id is
        taken and the policies do not say otherwise.
        """
        arena = Arena()
        options = arena.struct(
            "holdfast_start_options",
            workflow_id=id,
            workflow_type=type,
            task_queue=task_queue,
            input=to_c(args, arena),
            execution_timeout_ms=milliseconds(execution_timeout),
            run_timeout_ms=milliseconds(run_timeout),
            task_timeout_ms=milliseconds(task_timeout),
            id_reuse_policy=id_reuse_policy or 0,
            id_conflict_policy=id_conflict_policy or 0,
            request_id=request_id,
            summary=summary,
            timeout_ms=milliseconds(timeout),
        )
        function = lib.holdfast_start_workflow
        if start_signal is not None:
            options = arena.struct(
                "holdfast_signal_with_start_options",
                start=options,
                signal_name=start_signal,
                signal_input=to_c(start_signal_args, arena),
            )
            function = lib.holdfast_signal_with_start
        reply = self._call(function, options)
        return WorkflowHandle(self, id, first_run_id=reply.run_id)

    def execute_workflow(
        self, type: str, *args: Any, id: str, task_queue: str, **options: Any
    ) -> Any:
        """Starts a workflow, with the options of start_workflow, and waits for its result."""
        handle = self.start_workflow(type, *args, id=id, task_queue=task_queue, **options)
        return handle.result()

    def get_workflow_handle(self, id: str, *, run_id: str = "") -> WorkflowHandle:
        """A handle of a workflow that may or may not exist; no call is made. run_id: one run;
        empty: at each call the workflow's current one."""
        return WorkflowHandle(self, id, run_id=run_id)

    def get_activity_handle(self, token: bytes) -> ActivityHandle:
        """A handle of an activity that was left to be completed elsewhere, by its token."""
        return ActivityHandle(self, token)

    def _call(self, function: Any, options: Any) -> Reply:
        reply, error = ffi.new("holdfast_reply **"), ffi.new("holdfast_error **")
        self._invoke(function, options, reply, error)
        return Reply(reply[0])

    def _invoke(self, function: Any, *arguments: Any) -> None:
        """Calls a function of the handle; the last argument takes the error."""
        with self._lock:
            pointer = self._pointer
            if pointer == ffi.NULL:
                raise ClosedError("the client is closed", code=Code.CLOSED)
            self._calls += 1
        try:
            status = function(pointer, *arguments)
        finally:
            with self._lock:
                self._calls -= 1
                if self._calls == 0:
                    self._lock.notify_all()
        check(status, arguments[-1])


class WorkflowHandle:
    """A workflow by its id."""

    def __init__(
        self, client: Client, id: str, *, run_id: str = "", first_run_id: str = ""
    ) -> None:
        self._client = client
        self.id = id
        self.run_id = run_id
        """The run that the calls are about; empty: the current one."""
        self.first_run_id = first_run_id
        """The run that a start made or found; its result is what result() waits for."""

    def signal(self, name: str, *args: Any, request_id: str = "", timeout: Seconds = None) -> None:
        """Sends a signal; when this returns it is durable."""
        arena = Arena()
        options = self._options(
            arena,
            "holdfast_signal_options",
            timeout,
            signal_name=name,
            input=to_c(args, arena),
            request_id=request_id,
        )
        self._client._call(lib.holdfast_signal_workflow, options)

    def query(self, name: str, *args: Any, timeout: Seconds = None) -> Any:
        """Asks the workflow's code; it needs a worker that serves it."""
        arena = Arena()
        options = self._options(
            arena, "holdfast_query_options", timeout, query_type=name, args=to_c(args, arena)
        )
        values = self._client._call(lib.holdfast_query_workflow, options).values
        return values[0] if values else None

    def result(self, timeout: Seconds = None) -> Any:
        """Waits for the workflow to close (None: forever) and returns what it returned.

        WorkflowFailedError, with its cause, when it closed otherwise; DeadlineError when it is
        still open after the timeout, which may be waited for again.
        """
        reply = self._await_close(timeout)
        if reply.status == WorkflowStatus.COMPLETED:
            values = reply.values
            return values[0] if values else None
        cause: BaseException | None = from_failure(reply.failure)
        if cause is None and reply.status == WorkflowStatus.CANCELED:
            cause = CancelledError("the workflow was cancelled", *reply.values)
        outcome = reply.status.name.lower().replace("_", " ")
        raise WorkflowFailedError(
            f"workflow {self.id} {outcome}" + (f": {cause}" if cause is not None else ""),
            workflow_id=self.id,
            run_id=reply.run_id,
            status=reply.status,
        ) from cause

    def cancel(self, reason: str = "", *, timeout: Seconds = None) -> None:
        """Asks the workflow to cancel itself; when this returns the request is durable."""
        self._about(lib.holdfast_cancel_workflow, timeout, reason=reason)

    def terminate(self, reason: str = "", *, timeout: Seconds = None) -> None:
        """Ends the workflow at once; its code runs no more."""
        self._about(lib.holdfast_terminate_workflow, timeout, reason=reason)

    def describe(self, *, timeout: Seconds = None) -> WorkflowDescription:
        """Tells the workflow's state and what it waits for."""
        reply = self._about(lib.holdfast_describe_workflow, timeout)
        return description.parse(reply.message)

    def _await_close(self, timeout: Seconds) -> Reply:
        run_id = self.run_id or self.first_run_id
        deadline = None if timeout is None else time.monotonic() + milliseconds(timeout) / 1000
        in_steps = threading.current_thread() is threading.main_thread()
        while True:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            if in_steps:
                step = MAIN_THREAD_STEP_SECONDS
                step = step if left is None else min(step, left)
            else:
                step = left if left is not None else -1
            try:
                return self._about(lib.holdfast_get_result, step, run_id=run_id)
            except DeadlineError:
                if deadline is not None and time.monotonic() >= deadline:
                    raise

    def _about(self, function: Any, timeout: Seconds, **members: Any) -> Reply:
        arena = Arena()
        options = self._options(arena, "holdfast_workflow_options", timeout, **members)
        return self._client._call(function, options)

    def _options(self, arena: Arena, type_name: str, timeout: Seconds, **members: Any) -> Any:
        members.setdefault("run_id", self.run_id)
        return arena.struct(
            type_name, workflow_id=self.id, timeout_ms=milliseconds(timeout), **members
        )


class ActivityHandle:
    """An activity that is completed by somebody else than the worker that it came to."""

    def __init__(self, client: Client, token: bytes) -> None:
        self._client = client
        self._token = token

    def complete(self, result: Any = None, *, timeout: Seconds = None) -> None:
        arena = Arena()
        options = self._options(arena, timeout, payloads=to_c([result], arena))
        self._end(lib.holdfast_complete_activity, options)

    def fail(self, error: BaseException, *, timeout: Seconds = None) -> None:
        """Fails the attempt as if the activity had raised `error`."""
        arena = Arena()
        options = self._options(arena, timeout, failure=to_failure(error, arena))
        self._end(lib.holdfast_fail_activity, options)

    def report_cancelled(self, *details: Any, timeout: Seconds = None) -> None:
        arena = Arena()
        options = self._options(arena, timeout, payloads=to_c(details, arena))
        self._end(lib.holdfast_report_activity_cancelled, options)

    def heartbeat(self, *details: Any, timeout: Seconds = None) -> bool:
        """Says that the activity is alive; True: it should cancel itself."""
        arena = Arena()
        options = self._options(arena, timeout, payloads=to_c(details, arena))
        cancelled = ffi.new("bool *")
        error = ffi.new("holdfast_error **")
        self._client._invoke(lib.holdfast_heartbeat_activity, options, cancelled, error)
        return bool(cancelled[0])

    def _options(self, arena: Arena, timeout: Seconds, **members: Any) -> Any:
        return arena.struct(
            "holdfast_activity_options",
            token=self._token,
            timeout_ms=milliseconds(timeout),
            **members,
        )

    def _end(self, function: Any, options: Any) -> None:
        self._client._invoke(function, options, ffi.new("holdfast_error **"))


def _timeout_ms(timeout: Seconds) -> int:
    """For options where 0 is the library's default and less is forever."""
    return -1 if timeout is None else max(milliseconds(timeout), 1)
