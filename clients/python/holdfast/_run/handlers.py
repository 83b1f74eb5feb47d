"""Signals, queries and updates of a run."""

from __future__ import annotations

import asyncio
import inspect
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .. import _messages as proto
from ..common import RawValue
from ..workflow._definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
    UpdateDefinition,
)
from ..workflow._runtime import NondeterminismError
from .headers import headers_of
from .interceptor_chain import finish
from .interceptors import HandleQueryInput, HandleSignalInput, HandleUpdateInput

if TYPE_CHECKING:
    from .run import WorkflowRun

D = TypeVar("D", SignalDefinition, QueryDefinition, UpdateDefinition)

logger = logging.getLogger("holdfast.workflow")

# The update whose handler or validator the code belongs to.
current_update: ContextVar[tuple[str, str] | None] = ContextVar("current_update", default=None)

STACK_TRACE_QUERY = "__stack_trace"


@dataclass
class Running:
    """A handler that has begun and not ended."""

    what: str
    policy: HandlerUnfinishedPolicy
    kind: type[RuntimeWarning]


class Handlers:
    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        definition = run.definition
        self.signals: dict[str | None, SignalDefinition] = dict(definition.signals)
        self.queries: dict[str | None, QueryDefinition] = dict(definition.queries)
        self.updates: dict[str | None, UpdateDefinition] = dict(definition.updates)
        # Signals that came before a handler for them was set, by name.
        self._buffered: dict[str, list[proto.SignalWorkflowJob]] = {}
        self._running: dict[asyncio.Task[Any], Running] = {}

    @property
    def are_finished(self) -> bool:
        return not self._running

    def warn_of_unfinished(self) -> None:
        if self._run.is_replaying:
            return
        kinds = (UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning)
        for kind in kinds:
            going = [
                one.what
                for one in self._running.values()
                if one.kind is kind and one.policy == HandlerUnfinishedPolicy.WARN_AND_ABANDON
            ]
            if going:
                code = inspect.unwrap(self._run.definition.run).__code__
                # Without a registry, which would keep the text of each.
                warnings.warn_explicit(
                    f"workflow {self._run.identity.workflow_id} ends while handlers go on:"
                    f" {', '.join(going)}; wait for workflow.all_handlers_finished, or say that"
                    " they may be abandoned",
                    kind,
                    code.co_filename,
                    code.co_firstlineno,
                )

    def _begin(self, body: Any, running: Running) -> None:
        task = self._run.loop.create_task(body)
        self._running[task] = running
        task.add_done_callback(lambda task: self._running.pop(task, None))

    def _call(self, definition: Any, name: str, values: Sequence[Any]) -> Any:
        arguments: Sequence[Any] = values if definition.name is not None else (name, values)
        if definition.is_method:
            return definition.function(self._run.instance, *arguments)
        return definition.function(*arguments)

    def _values(self, definition: Any, payloads: Sequence[proto.Payload]) -> list[Any]:
        if definition.name is None:
            return [RawValue(payload) for payload in payloads]
        return self._run.payloads.from_payloads(payloads, definition.hints.arguments)

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Within, the code may not change the workflow."""
        before, self._run.read_only = self._run.read_only, what
        try:
            yield
        finally:
            self._run.read_only = before

    # MARK: Signals

    def signal(self, job: proto.SignalWorkflowJob) -> None:
        definition = self.signals.get(job.signal_name) or self.signals.get(None)
        if definition is None:
            self._buffered.setdefault(job.signal_name, []).append(job)
            return
        try:
            values = self._values(definition, job.input)
        except Exception:
            logger.exception(
                "workflow %s: signal %r cannot be read, and is left out",
                self._run.identity.workflow_id,
                job.signal_name,
            )
            return
        self._begin(
            self._handle_signal(definition, job, values),
            Running(
                f"signal {job.signal_name!r}",
                definition.unfinished_policy,
                UnfinishedSignalHandlersWarning,
            ),
        )

    async def _handle_signal(
        self, definition: SignalDefinition, job: proto.SignalWorkflowJob, values: list[Any]
    ) -> None:
        from .run import ContinueAsNew  # noqa: PLC0415

        name, inbound = job.signal_name, self._run.inbound
        try:
            if inbound is None:
                result = self._call(definition, name, values)
            else:
                headers = headers_of(job.header)
                result = inbound.handle_signal(HandleSignalInput(name, values, headers))
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError, ContinueAsNew) as error:
            self._run.end_with(error)

    def call_signal(self, name: str, values: Sequence[Any]) -> Any:
        """Behind the interceptors, as the others that are named like it."""
        return self._call(_found(self.signals, name), name, values)

    def set_signal(self, name: str | None, definition: SignalDefinition | None) -> None:
        self._run.check_may_change("set handlers")
        if definition is None:
            self.signals.pop(name, None)
            return
        self.signals[name] = definition
        names = list(self._buffered) if name is None else [name]
        for one in names:
            for job in self._buffered.pop(one, ()):
                self.signal(job)

    # MARK: Queries

    def query(self, job: proto.QueryWorkflowJob) -> proto.QueryResult:
        run = self._run
        try:
            value = run.loop.drive(lambda: self._answer(job))
            payloads = run.payloads.to_payloads([value])
            succeeded = proto.PayloadList(payloads=payloads)
            return proto.QueryResult(query_id=job.query_id, succeeded=succeeded)
        except Exception as error:
            failed = run.failures.to_failure(error, run.payloads)
            return proto.QueryResult(query_id=job.query_id, failed=failed)

    def _answer(self, job: proto.QueryWorkflowJob) -> Any:
        with self._reading(f"query {job.query_type!r}"):
            return self._ask(job)

    def _ask(self, job: proto.QueryWorkflowJob) -> Any:
        name = job.query_type
        definition = self.queries.get(name)
        if definition is None and name == STACK_TRACE_QUERY:
            return self._run.stack()
        definition = definition or self.queries.get(None)
        if definition is None:
            known = " ".join(sorted(one for one in self.queries if one is not None))
            raise RuntimeError(
                f"Query handler for '{name}' expected but not found, known queries: [{known}]"
            )
        values = self._values(definition, job.args)
        if self._run.inbound is None:
            return self._call(definition, name, values)
        input = HandleQueryInput(job.query_id, name, values, headers_of(job.header))
        return finish(self._run.inbound.handle_query(input))

    def call_query(self, name: str, values: Sequence[Any]) -> Any:
        return self._call(_found(self.queries, name), name, values)

    # MARK: Updates

    def update(self, job: proto.DoUpdate) -> None:
        definition = self.updates.get(job.update_name) or self.updates.get(None)
        policy = (
            definition.unfinished_policy
            if definition is not None
            else HandlerUnfinishedPolicy.ABANDON
        )
        self._begin(
            self._handle_update(definition, job),
            Running(
                f"update {job.update_name!r} ({job.update_id})",
                policy,
                UnfinishedUpdateHandlersWarning,
            ),
        )

    async def _handle_update(
        self, definition: UpdateDefinition | None, job: proto.DoUpdate
    ) -> None:
        run = self._run
        current_update.set((job.update_id, job.update_name))
        from .run import ContinueAsNew  # noqa: PLC0415

        try:
            values = self._accept(definition, job)
        except Exception as error:
            self._refuse(job, error)
            return
        assert definition is not None
        accepted = proto.UpdateAccepted(update_id=job.update_id)
        run.emit(proto.Command(update_accepted=accepted), "accept an update")
        try:
            if run.inbound is None:
                result = self._call(definition, job.update_name, values)
            else:
                result = run.inbound.handle_update_handler(_input_of(job, values))
            if inspect.isawaitable(result):
                result = await result
            payloads = run.payloads.to_payloads([result])
            self._complete(job, proto.UpdateOutcome(succeeded=proto.PayloadList(payloads=payloads)))
        except ContinueAsNew as error:
            run.end_with(error)
        except (Exception, asyncio.CancelledError) as error:
            if run.is_evicted:
                return
            if not run.is_failure(error) and not isinstance(error, asyncio.CancelledError):
                run.fail_task(error)
                return
            failed = run.failures.to_failure(error, run.payloads)
            self._complete(job, proto.UpdateOutcome(failed=failed))

    def _accept(self, definition: UpdateDefinition | None, job: proto.DoUpdate) -> list[Any]:
        """Its values; an error rejects it."""
        if definition is None:
            known = " ".join(sorted(one for one in self.updates if one is not None))
            raise RuntimeError(
                f"Update handler for '{job.update_name}' expected but not found, and there is no"
                f" dynamic handler. known updates: [{known}]"
            )
        values = self._values(definition, job.args)
        if job.run_validator and definition.validator is not None:
            with self._reading(f"the validator of update {job.update_name!r}"):
                if self._run.inbound is None:
                    self.call_validator(job.update_name, values)
                else:
                    self._run.inbound.handle_update_validator(_input_of(job, values))
        return values

    def call_validator(self, name: str, values: Sequence[Any]) -> None:
        definition = _found(self.updates, name)
        if definition.validator is None:
            return
        arguments = values if definition.name is not None else (name, values)
        if definition.is_method:
            definition.validator(self._run.instance, *arguments)
        else:
            definition.validator(*arguments)

    def call_update(self, name: str, values: Sequence[Any]) -> Any:
        return self._call(_found(self.updates, name), name, values)

    def _refuse(self, job: proto.DoUpdate, error: BaseException) -> None:
        run = self._run
        if not job.run_validator:
            # History has it accepted.
            run.fail_task(NondeterminismError(str(error)))
            return
        failure = run.failures.to_failure(error, run.payloads)
        run.rejections.append(proto.UpdateRejection(update_id=job.update_id, failure=failure))

    def _complete(self, job: proto.DoUpdate, outcome: proto.UpdateOutcome) -> None:
        completed = proto.UpdateCompleted(update_id=job.update_id, outcome=outcome)
        self._run.emit(proto.Command(update_completed=completed), "complete an update")


def _found(handlers: Mapping[str | None, D], name: str) -> D:
    """An interceptor may have named another one than has come."""
    definition = handlers.get(name) or handlers.get(None)
    if definition is None:
        raise LookupError(f"no handler is named {name!r}")
    return definition


def _input_of(job: proto.DoUpdate, values: list[Any]) -> HandleUpdateInput:
    return HandleUpdateInput(job.update_id, job.update_name, values, headers_of(job.header))
