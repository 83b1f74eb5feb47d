"""The worker: takes tasks from the engine, and runs workflows and activities."""

from ._interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInterceptorClassInput,
)
from ._processes import SharedHeartbeatSender, SharedStateManager
from ._replayer import Replayer, WorkflowReplayResult, WorkflowReplayResults
from ._worker import Worker, WorkerClient

__all__ = [
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "ExecuteActivityInput",
    "Interceptor",
    "Replayer",
    "SharedHeartbeatSender",
    "SharedStateManager",
    "Worker",
    "WorkerClient",
    "WorkflowInterceptorClassInput",
    "WorkflowReplayResult",
    "WorkflowReplayResults",
]
