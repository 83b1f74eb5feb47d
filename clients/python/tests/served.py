"""Workers in Python against an engine, and somebody who starts workflows and waits for them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from conftest import Engine

from holdfast import _messages as proto
from holdfast import workflow
from holdfast._core import Client
from holdfast._proto.activity_service import ActivityService
from holdfast._proto.workflow_service import WorkflowService
from holdfast.common import RetryPolicy
from holdfast.converter import DataConverter
from holdfast.worker import Worker

T = TypeVar("T")
QUEUE = "served"
WAIT = workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
JSON = DataConverter.default.payload_converter


@dataclass(frozen=True)
class WorkerOf:
    """A client, as far as a worker needs one."""

    socket_path: str | None
    namespace: str = "default"
    identity: str = ""
    data_converter: DataConverter = DataConverter.default
    interceptors: Sequence[Any] = ()


@workflow.defn(name="call")
class Call:
    """Calls the activity that its input names: {"activity", "args", and options}."""

    @workflow.run
    async def run(self, call: dict[str, Any]) -> Any:
        def span(name: str, default: int | None = None) -> timedelta | None:
            milliseconds = call.get(name, default)
            return timedelta(milliseconds=milliseconds) if milliseconds else None

        initial = span("initial_ms", 10)
        assert initial is not None
        return await workflow.execute_activity(
            call["activity"],
            args=call.get("args", []),
            start_to_close_timeout=span("start_to_close_ms", 60_000),
            heartbeat_timeout=span("heartbeat_ms"),
            retry_policy=RetryPolicy(
                initial_interval=initial, maximum_attempts=call.get("attempts", 0)
            ),
            cancellation_type=WAIT,
            task_queue=call.get("queue"),
        )


class WorkflowFailed(Exception):
    """A workflow has ended without a result; the chain of causes says why."""

    def __init__(self, response: proto.GetWorkflowResultResponse) -> None:
        super().__init__(proto.WorkflowStatus(response.status).name)
        self.status = proto.WorkflowStatus(response.status)
        converter = DataConverter.default
        self.chain: list[Any] = []
        if response.failure is not None:
            at: BaseException | None = converter.failure_converter.from_failure(
                response.failure, converter.payload_converter
            )
            while at is not None:
                self.chain.append(at)
                at = at.__cause__


class Caller:
    """Blocking calls, for a thread beside the workers' loop."""

    def __init__(self, engine: Engine, converter: DataConverter = DataConverter.default) -> None:
        self.engine = engine
        self.client = Client.connect(socket_path=engine.socket)
        self._converter = converter

    def call(self, method: Any, request: Any, timeout_ms: int = 0) -> Any:
        return method.response.decode(self.client.call(method.name, request.encode(), timeout_ms))

    def encode(self, *values: Any) -> list[proto.Payload]:
        return asyncio.run(self._converter.encode(values))

    def start(self, workflow_type: str, workflow_id: str, *values: Any) -> None:
        request = proto.StartWorkflowRequest(
            workflow_id=workflow_id,
            workflow_type=workflow_type,
            task_queue=QUEUE,
            input=self.encode(*values),
        )
        assert self.call(WorkflowService.StartWorkflow, request).started

    def start_call(self, activity: str, *args: Any, **options: Any) -> str:
        """Has the workflow `call` call an activity; its id."""
        workflow_id = f"{activity}-{uuid.uuid4()}"
        self.start("call", workflow_id, {"activity": activity, "args": args, **options})
        return workflow_id

    def signal(self, workflow_id: str, name: str, *values: Any) -> None:
        request = proto.SignalWorkflowRequest(
            execution=proto.WorkflowExecution(workflow_id=workflow_id),
            signal_name=name,
            input=self.encode(*values),
        )
        self.call(WorkflowService.SignalWorkflow, request)

    def cancel(self, workflow_id: str) -> None:
        execution = proto.WorkflowExecution(workflow_id=workflow_id)
        self.call(WorkflowService.CancelWorkflow, proto.CancelWorkflowRequest(execution=execution))

    def query(self, workflow_id: str, name: str) -> Any:
        request = proto.QueryWorkflowRequest(
            execution=proto.WorkflowExecution(workflow_id=workflow_id), query_type=name
        )
        (value,) = self.decode(self.call(WorkflowService.QueryWorkflow, request).result)
        return value

    def decode(self, payloads: Sequence[proto.Payload]) -> list[Any]:
        return asyncio.run(self._converter.decode(payloads))

    def result(self, workflow_id: str, seconds: float = 20) -> Any:
        request = proto.GetWorkflowResultRequest(
            execution=proto.WorkflowExecution(workflow_id=workflow_id)
        )
        response = self.call(WorkflowService.GetWorkflowResult, request, int(seconds * 1_000))
        if response.status != proto.WorkflowStatus.COMPLETED:
            raise WorkflowFailed(response)
        (value,) = self.decode(response.result)
        return value

    def do(self, activity: str, *args: Any, **options: Any) -> Any:
        return self.result(self.start_call(activity, *args, **options))

    def await_pending(
        self, workflow_id: str, holds: Callable[[proto.PendingActivity], bool]
    ) -> None:
        """Asks until the one pending activity is as it should be."""
        request = proto.DescribeWorkflowRequest(
            execution=proto.WorkflowExecution(workflow_id=workflow_id)
        )
        deadline = time.monotonic() + 20
        while True:
            pending = self.call(WorkflowService.DescribeWorkflow, request).pending_activities
            if pending and holds(pending[0]):
                return
            assert time.monotonic() < deadline, pending
            time.sleep(0.005)

    def complete_activity(self, token: bytes, *values: Any) -> None:
        request = proto.CompleteActivityRequest(
            activity=proto.ActivityReference(token=token), result=self.encode(*values)
        )
        self.call(ActivityService.CompleteActivity, request)

    def complete_until(self, workflow_id: str, *values: Any) -> Any:
        """Completes the workflow's activity by its ids, when its worker has given it away."""
        execution = proto.WorkflowExecution(workflow_id=workflow_id)
        reference = proto.ActivityReference(execution=execution, activity_id="1")
        request = proto.CompleteActivityRequest(activity=reference, result=self.encode(*values))
        self.call(ActivityService.CompleteActivity, request)
        return self.result(workflow_id)

    def fail_activity(self, token: bytes, error: Exception) -> None:
        failure = DataConverter.default.failure_converter.to_failure(error, JSON)
        request = proto.FailActivityRequest(
            activity=proto.ActivityReference(token=token), failure=failure
        )
        self.call(ActivityService.FailActivity, request)


def serve(
    engine: Engine, body: Callable[[Caller], T], *, converter: Any = None, **options: Any
) -> T:
    """Runs the body in a thread while a worker serves; the workflow `call` is there, too."""
    client = WorkerOf(engine.socket, data_converter=converter or DataConverter.default)

    async def run() -> T:
        async with worker_of(client, **options):
            return await asyncio.to_thread(
                lambda: body(Caller(engine, converter or DataConverter.default))
            )

    return asyncio.run(run())


def worker_of(client: WorkerOf, **options: Any) -> Worker:
    workflows = [Call, *options.pop("workflows", ())]
    return Worker(client, task_queue=QUEUE, workflows=workflows, **options)
