"""What may be put around the activities and workflows of a worker."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import activity
from .._messages import Payload
from .._run.interceptors import WorkflowInboundInterceptor


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """What a worker tells when it asks for the class of a workflow's interceptor."""

    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]
    """For programs that have it: workflows are not isolated here, and call what they import."""


class Interceptor:
    """The base of a worker's interceptors: what is not overridden puts nothing around anything."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """The interceptor of an activity's attempt, which calls `next`."""
        return next

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """The class whose instances are put around the runs of workflows; None: none are."""
        return None


@dataclass
class ExecuteActivityInput:
    """One attempt of an activity."""

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: concurrent.futures.Executor | None
    """Where a function that is not async runs."""
    headers: Mapping[str, Payload]


class ActivityInboundInterceptor:
    """Is called for an attempt of an activity; by default it calls the next one."""

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Comes first: what the activity asks for goes through `outbound`, or what is put around
        it here."""
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Runs the activity's function; its value is the activity's."""
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """Is called for what an activity asks for; by default it calls the next one."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        self.next = next

    def info(self) -> activity.Info:
        """Called for activity.info()."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """Called for activity.heartbeat()."""
        self.next.heartbeat(*details)
