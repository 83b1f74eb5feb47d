"""What is not for replays: code that is not guarded, and logs."""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

from .._run.guard import is_unrestricted, unrestricted
from ._info import info_of
from ._runtime import current, maybe_current


class SandboxImportNotificationPolicy(enum.Flag):
    """Taken for programs that have it: modules are not imported anew for workflows here."""

    SILENT = enum.auto()
    WARN_ON_DYNAMIC_IMPORT = enum.auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = enum.auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = enum.auto()


_passed_through: ContextVar[bool] = ContextVar("holdfast_imports_passed_through", default=False)
_import_policy: ContextVar[SandboxImportNotificationPolicy | None] = ContextVar(
    "holdfast_import_policy", default=None
)


class unsafe:
    """For code that knows that it is in a workflow, and what it does.

    Workflow code that calls what would not be the same when it is run again (`time.time`,
    `datetime.now`, `random.random`, `uuid.uuid4`, files, sockets, threads, processes) gets a
    `RestrictedWorkflowAccessError` that says what to call in its place. This is a guard against
    slips, not a cage. It does not see a module's variables that workflows change: all runs of a
    worker share them. Nor what was taken from `datetime` elsewhere than in the modules of the
    program, clocks that were taken as a value (`field(default_factory=datetime.now)`), and what
    other packages do in C.
    """

    def __init__(self) -> None:
        raise NotImplementedError

    @staticmethod
    def in_sandbox() -> bool:
        """Whether this is workflow code whose calls are guarded."""
        run = maybe_current()
        return run is not None and run.loop.guard is not None

    @staticmethod
    def is_replaying() -> bool:
        """The code is shown its past: what it does now was done before."""
        return current().is_replaying

    @staticmethod
    def is_replaying_history_events() -> bool:
        """The same, but not in queries and validators, which are not part of the past."""
        run = current()
        return run.is_replaying and run.read_only is None

    @staticmethod
    def is_read_only() -> bool:
        """In the handler of a query, or a validator."""
        return current().read_only is not None

    @staticmethod
    def sandbox_unrestricted() -> contextlib.AbstractContextManager[None]:
        """Within, the calls of this task are not guarded: `with unsafe.sandbox_unrestricted():`."""
        return unrestricted()

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether this is within `sandbox_unrestricted`."""
        return is_unrestricted()

    @staticmethod
    @contextlib.contextmanager
    def imports_passed_through() -> Iterator[None]:
        """For programs that have it: modules are not imported anew for workflows here."""
        token = _passed_through.set(True)
        try:
            yield
        finally:
            _passed_through.reset(token)

    @staticmethod
    @contextlib.contextmanager
    def sandbox_import_notification_policy(
        policy: SandboxImportNotificationPolicy,
    ) -> Iterator[None]:
        """For programs that have it: imports are not looked at here."""
        token = _import_policy.set(policy)
        try:
            yield
        finally:
            _import_policy.reset(token)

    @staticmethod
    def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
        """What `sandbox_import_notification_policy` has said last."""
        return _import_policy.get()

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether this is within `imports_passed_through`."""
        return _passed_through.get()


class LoggerAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Says nothing while the code is shown its past, and adds which run it is.

    workflow_info_on_message: to the text. workflow_info_on_extra: to the record, as a dictionary.
    full_workflow_info_on_extra: to the record, as `workflow_info`. log_during_replay: speaks then,
    too.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = True
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Adds the workflow to a message and its record."""
        run = maybe_current()
        if run is None:
            return msg, kwargs
        identity = run.identity
        details = {
            "attempt": run.beginning.attempt,
            "namespace": identity.namespace,
            "run_id": identity.run_id,
            "task_queue": identity.task_queue,
            "workflow_id": identity.workflow_id,
            "workflow_type": identity.workflow_type,
        }
        extra: dict[str, Any] = {}
        if self.workflow_info_on_extra:
            # The second name is for programs that look for it.
            extra = {"holdfast_workflow": details, "temporal_workflow": details}
        if self.full_workflow_info_on_extra:
            extra["workflow_info"] = info_of(run)
        if extra:
            kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return (f"{msg} ({details})" if self.workflow_info_on_message else msg), kwargs

    def isEnabledFor(self, level: int) -> bool:
        """Not during a replay, but for `log_during_replay`."""
        run = maybe_current()
        if run is not None and run.is_replaying and not self.log_during_replay:
            return False
        return super().isEnabledFor(level)

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """For programs that have it: what handlers of logs do is not guarded anyway."""

    @property
    def base_logger(self) -> logging.Logger:
        """What it adds to: logs during replays too."""
        base: logging.Logger = self.logger
        return base


logger = LoggerAdapter(logging.getLogger("holdfast.workflow"), None)
