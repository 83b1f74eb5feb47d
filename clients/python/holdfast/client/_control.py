"""What a workflow's handle can do to the workflow's activities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from .. import _messages as proto
from ..common import RetryPolicy, to_ms

if TYPE_CHECKING:
    from ._client import Client


@dataclass(frozen=True)
class ActivityOptionsUpdate:
    """Changed options of activities; what is None stays as it is."""

    task_queue: str | None = None
    schedule_to_close_timeout: timedelta | None = None
    schedule_to_start_timeout: timedelta | None = None
    start_to_close_timeout: timedelta | None = None
    heartbeat_timeout: timedelta | None = None
    retry_policy: RetryPolicy | None = None

    def _to_proto(self) -> tuple[proto.ActivityTaskOptions, list[str]]:
        """The options, and the names of those that are set."""
        options, mask = proto.ActivityTaskOptions(), []
        if self.task_queue is not None:
            options.task_queue = self.task_queue
            mask.append("task_queue")
        for name in (
            "schedule_to_close_timeout",
            "schedule_to_start_timeout",
            "start_to_close_timeout",
            "heartbeat_timeout",
        ):
            span = getattr(self, name)
            if span is not None:
                setattr(options, f"{name}_ms", to_ms(span))
                mask.append(f"{name}_ms")
        if self.retry_policy is not None:
            options.retry_policy = self.retry_policy._to_proto()
            mask.append("retry_policy")
        return options, mask


class ActivityControl:
    """Activities are named by activity_id or activity_type; without both all are meant."""

    _client: Client

    @property
    def _execution(self) -> proto.WorkflowExecution:
        raise NotImplementedError

    async def pause_activities(
        self,
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Starts no further attempt of them; one that runs is told that it should stop."""
        request = proto.PauseActivityRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            activities=selection(activity_id, activity_type),
            reason=reason,
        )
        await self._client.service_client.call(
            proto.ActivityService.PauseActivity, request, timeout=rpc_timeout
        )

    async def unpause_activities(
        self,
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        reset_attempts: bool = False,
        reset_heartbeat: bool = False,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Lets paused ones go on; also those that are held since their attempts are used up."""
        request = proto.UnpauseActivityRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            activities=selection(activity_id, activity_type),
            reset_attempts=reset_attempts,
            reset_heartbeat=reset_heartbeat,
            reason=reason,
        )
        await self._client.service_client.call(
            proto.ActivityService.UnpauseActivity, request, timeout=rpc_timeout
        )

    async def reset_activities(
        self,
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        reset_heartbeat: bool = False,
        keep_paused: bool = False,
        restore_original_options: bool = False,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Begins them again with their first attempt."""
        request = proto.ResetActivityRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            activities=selection(activity_id, activity_type),
            reset_heartbeat=reset_heartbeat,
            keep_paused=keep_paused,
            restore_original_options=restore_original_options,
            reason=reason,
        )
        await self._client.service_client.call(
            proto.ActivityService.ResetActivity, request, timeout=rpc_timeout
        )

    async def update_activity_options(
        self,
        update: ActivityOptionsUpdate | None = None,
        *,
        activity_id: str | None = None,
        activity_type: str | None = None,
        restore_original: bool = False,
        reason: str = "",
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes their options, or restores those that the workflow gave them."""
        request = proto.UpdateActivityOptionsRequest(
            namespace=self._client.namespace,
            execution=self._execution,
            activities=selection(activity_id, activity_type),
            restore_original=restore_original,
            reason=reason,
        )
        if update is not None:
            request.options, request.update_mask = update._to_proto()
        await self._client.service_client.call(
            proto.ActivityService.UpdateActivityOptions, request, timeout=rpc_timeout
        )


def selection(activity_id: str | None, activity_type: str | None) -> proto.ActivitySelection:
    if activity_id is not None and activity_type is not None:
        raise ValueError("activities are named by activity_id or by activity_type, not by both")
    if activity_id is not None:
        return proto.ActivitySelection(activity_id=activity_id)
    if activity_type is not None:
        return proto.ActivitySelection(activity_type=activity_type)
    return proto.ActivitySelection(all=True)
