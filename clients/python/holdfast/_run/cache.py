"""The runs that a worker has in memory, and its answers to what the engine shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import _messages as proto
from ..exceptions import ApplicationError
from ..workflow._definition import WorkflowDefinition
from .commands import closes, head
from .guarded_modules import prepare
from .run import RunIdentity, RunOptions, WorkflowRun


class WorkflowCache:
    """Takes activations and replays, in the order in which they come, and makes the answers.

    runs_max: over it the run that was used longest ago goes, and `dropped` is told its id; but
    none whose local activities would be lost with it.
    """

    def __init__(
        self,
        workflows: Sequence[type],
        options: RunOptions,
        *,
        runs_max: int,
        dropped: Callable[[str], None] = lambda run_id: None,
    ) -> None:
        self._definitions: dict[str | None, WorkflowDefinition] = {}
        for workflow in workflows:
            definition = WorkflowDefinition.must_be_of(workflow)
            if definition.name in self._definitions:
                which = "dynamic" if definition.name is None else f"named {definition.name!r}"
                raise ValueError(f"two workflows are {which}")
            self._definitions[definition.name] = definition
            if options.guard is not None and definition.sandboxed:
                prepare(definition.cls, options.guard)
        self._options = options
        self._runs_max = max(1, runs_max)
        self._dropped = dropped
        # The one that was used last is the last one.
        self._runs: dict[str, WorkflowRun] = {}

    @property
    def types(self) -> list[str]:
        return [name for name in self._definitions if name is not None]

    def __len__(self) -> int:
        return len(self._runs)

    # MARK: Answers

    def activate(self, activation: proto.Activation) -> proto.WorkflowTaskCompleted:
        """The commands that the code gives, or its answers to queries, or what fails the task."""
        completed = proto.WorkflowTaskCompleted(token=activation.token)
        try:
            run = self._run_of(activation)
            if activation.jobs and activation.jobs[0].kind == "query_workflow":
                completed.query_results = [
                    run.handlers.query(job.query_workflow)
                    for job in activation.jobs
                    if job.query_workflow is not None
                ]
                return completed
            commands = run.activate(activation)
            completed.commands = commands
            completed.update_rejections = run.rejections
            if commands and closes(commands[-1]):
                self.drop(activation.run_id)
        except Exception as error:
            self.drop(activation.run_id)
            completed.failure = self._failure(error)
        return completed

    def replay(self, part: proto.ReplayHistory) -> proto.ReplayCompleted:
        """The heads of the commands that the code gives for each past activation."""
        completions: list[proto.PastCompletion] = []
        completed = proto.ReplayCompleted(token=part.token, completions=completions)
        try:
            if part.first:
                self.drop(part.run_id)
            run = self._runs.get(part.run_id)
            if part.first:
                run = self._make(part)
            if run is None:
                raise ApplicationError("the replay's first part is missing", type="NotCached")
            for past in part.activations:
                heads = [head(command) for command in run.replay(past)]
                completions.append(proto.PastCompletion(heads=heads))
        except Exception as error:
            self.drop(part.run_id)
            completed.failure = self._failure(error)
        return completed

    def _failure(self, error: BaseException) -> proto.WorkflowTaskFailure:
        converter = self._options.converter
        failure = converter.failure_converter.to_failure(error, converter.payload_converter)
        cause = proto.WorkflowTaskFailedCause.WORKER_FAILURE
        return proto.WorkflowTaskFailure(failure=failure, cause=cause)

    # MARK: Runs

    def _run_of(self, activation: proto.Activation) -> WorkflowRun:
        run = self._runs.pop(activation.run_id, None)
        if run is not None:
            self._runs[activation.run_id] = run
            return run
        if not activation.jobs or activation.jobs[0].kind != "initialize_workflow":
            raise ApplicationError("the run is not in this worker's memory", type="NotCached")
        return self._make(activation)

    def _make(self, shown: proto.Activation | proto.ReplayHistory) -> WorkflowRun:
        name = shown.workflow_type
        definition = self._definitions.get(name) or self._definitions.get(None)
        if definition is None:
            known = ", ".join(sorted(self.types))
            raise ApplicationError(
                f"this worker has no workflow {name!r}; it has: {known}", type="NotFoundError"
            )
        identity = RunIdentity(
            run_id=shown.run_id,
            workflow_id=shown.workflow_id,
            workflow_type=name,
            namespace=shown.namespace,
            task_queue=shown.task_queue,
            task_timeout_ms=shown.task_timeout_ms,
        )
        run = WorkflowRun(definition, identity, self._options)
        self._runs[shown.run_id] = run
        self._trim()
        return run

    def _trim(self) -> None:
        if len(self._runs) <= self._runs_max:
            return
        # The last one has just come.
        for run_id, run in list(self._runs.items())[:-1]:
            if not run.locals:
                self.drop(run_id)
                self._dropped(run_id)
                return

    def get(self, run_id: str) -> WorkflowRun | None:
        return self._runs.get(run_id)

    def drop(self, run_id: str) -> None:
        """Nothing that the run's code does from now on counts."""
        run = self._runs.pop(run_id, None)
        if run is not None:
            run.evict()

    def drop_all(self) -> None:
        for run_id in list(self._runs):
            self.drop(run_id)
