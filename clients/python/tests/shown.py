"""What an engine shows to workflow code, told in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast import _messages as proto
from holdfast._run.cache import WorkflowCache
from holdfast._run.run import RunOptions
from holdfast.converter import DataConverter

CONVERTER = DataConverter.default.payload_converter


def payloads(*values: Any) -> list[proto.Payload]:
    return CONVERTER.to_payloads(values)


def value(found: Any) -> Any:
    """Of payloads with one value."""
    return CONVERTER.from_payload(next(iter(found)))


class Shown:
    """One run in a cache; keeps what it was shown, so that it can be shown again."""

    def __init__(
        self,
        workflow: type,
        *arguments: Any,
        runs_max: int = 10,
        random_seed: int = 7,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """options: of RunOptions."""
        made = RunOptions(DataConverter.default, **(options or {}))
        self.cache = WorkflowCache([workflow], made, runs_max=runs_max)
        self._type = self.cache.types[0]
        self._arguments = arguments
        self._random_seed = random_seed
        self._begun = False
        self.time_ms = 1_000_000
        self.past: list[proto.PastActivation] = []
        self.heads: list[proto.PastCompletion] = []

    def initialize(self, **fields: Any) -> proto.Job:
        begin = proto.InitializeWorkflow(
            input=payloads(*self._arguments),
            random_seed=self._random_seed,
            attempt=1,
            **fields,
        )
        return proto.Job(initialize_workflow=begin)

    def show(self, *jobs: proto.Job, after_ms: int = 0) -> proto.WorkflowTaskCompleted:
        """The answer; the first call begins the run."""
        self.time_ms += after_ms
        shown = list(jobs)
        if not self._begun:
            self._begun = True
            shown.insert(0, self.initialize())
        completed = self.cache.activate(
            proto.Activation(
                token=b"t",
                run_id="run-1",
                workflow_id="w-1",
                workflow_type=self._type,
                activation_time_ms=self.time_ms,
                jobs=shown,
                task_queue="q",
                namespace="default",
                task_timeout_ms=10_000,
                history_length=len(self.past) + 1,
            )
        )
        markers = [c.record_marker for c in completed.commands if c.record_marker is not None]
        past = [
            proto.Job(do_update=self._accepted(job.do_update)) if job.do_update else job
            for job in shown
        ]
        self.past.append(
            proto.PastActivation(activation_time_ms=self.time_ms, jobs=past, markers=markers)
        )
        return completed

    @staticmethod
    def _accepted(update: proto.DoUpdate) -> proto.DoUpdate:
        again = proto.DoUpdate.decode(update.encode())
        again.run_validator = False
        return again

    def ask(self, name: str, *arguments: Any) -> proto.QueryResult:
        query = proto.QueryWorkflowJob(query_id="1", query_type=name, args=payloads(*arguments))
        completed = self.cache.activate(
            proto.Activation(token=b"t", run_id="run-1", jobs=[proto.Job(query_workflow=query)])
        )
        (result,) = completed.query_results
        return result

    def replay(self) -> proto.ReplayCompleted:
        """All that was shown, to a cache that does not have the run."""
        return self.cache.replay(
            proto.ReplayHistory(
                token=b"r",
                run_id="run-1",
                workflow_id="w-1",
                workflow_type=self._type,
                activations=self.past,
                first=True,
                task_queue="q",
                namespace="default",
            )
        )


def kinds(completed: proto.WorkflowTaskCompleted) -> list[str | None]:
    assert completed.failure is None, completed.failure
    return [command.kind for command in completed.commands]


def failure_of(completed: proto.WorkflowTaskCompleted) -> proto.FailureInfo:
    """Of a task that has failed."""
    failure = completed.failure
    assert failure is not None and failure.failure is not None and failure.failure.info is not None
    return failure.failure.info


def fire(seq: int) -> proto.Job:
    return proto.Job(fire_timer=proto.FireTimer(seq=seq))


def done(seq: int, *values: Any) -> proto.Job:
    result = proto.PayloadList(payloads=payloads(*values))
    return proto.Job(resolve_activity=proto.ResolveActivity(seq=seq, completed=result))


def failed(seq: int, message: str, *, canceled: bool = False) -> proto.Job:
    inner = (
        proto.FailureInfo(message=message, canceled=proto.CanceledFailure())
        if canceled
        else proto.FailureInfo(message=message, application=proto.ApplicationFailure(type="Boom"))
    )
    outer = proto.FailureInfo(
        message="activity failed", activity=proto.ActivityFailure(activity_id=str(seq))
    )
    failure = proto.Failure(info=outer, causes=[inner])
    resolved = (
        proto.ResolveActivity(seq=seq, canceled=failure)
        if canceled
        else proto.ResolveActivity(seq=seq, failed=failure)
    )
    return proto.Job(resolve_activity=resolved)


def signal(name: str, *values: Any) -> proto.Job:
    return proto.Job(
        signal_workflow=proto.SignalWorkflowJob(signal_name=name, input=payloads(*values))
    )


def update(name: str, *values: Any, update_id: str = "u1") -> proto.Job:
    asked = proto.DoUpdate(
        update_id=update_id, update_name=name, args=payloads(*values), run_validator=True
    )
    return proto.Job(do_update=asked)


def cancel() -> proto.Job:
    return proto.Job(cancel_workflow=proto.CancelWorkflowJob())
