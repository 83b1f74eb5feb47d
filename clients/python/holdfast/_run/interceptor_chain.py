"""The interceptors of one run, and what is behind the last of them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from .interceptors import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

if TYPE_CHECKING:
    from ..workflow import ActivityHandle, ChildWorkflowHandle, Info
    from .run import WorkflowRun


class _InboundRoot(WorkflowInboundInterceptor):
    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        self.outbound: WorkflowOutboundInterceptor = _OutboundRoot(run)

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await input.run_fn(self._run.instance, *input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        result = self._run.handlers.call_signal(input.signal, input.args)
        if inspect.isawaitable(result):
            await result

    async def handle_query(self, input: HandleQueryInput) -> Any:
        return self._run.handlers.call_query(input.query, input.args)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self._run.handlers.call_validator(input.update, input.args)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        result = self._run.handlers.call_update(input.update, input.args)
        return await result if inspect.isawaitable(result) else result


# Of an input: what is not an option of the call.
_NO_OPTIONS = ("activity", "workflow", "args", "headers", "arg_types", "ret_type")


def _options(input: Any) -> dict[str, Any]:
    return {
        one.name: getattr(input, one.name)
        for one in dataclasses.fields(input)
        if one.name not in _NO_OPTIONS
    }


class _OutboundRoot(WorkflowOutboundInterceptor):
    """What the functions of `holdfast.workflow` do where there are no interceptors."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        from ..workflow._context import next_run  # noqa: PLC0415

        command = next_run(self._run, input.workflow, input.args, _options(input), input.headers)
        raise self._run.continue_as_new(command)

    def info(self) -> Info:
        from ..workflow._info import info_of  # noqa: PLC0415

        return info_of(self._run)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        from .requests import Target  # noqa: PLC0415

        target = Target(input.child_workflow_id, is_child=True)
        await self._run.signal_other(target, input.signal, input.args, input.headers)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        from .requests import Target  # noqa: PLC0415

        target = Target(input.workflow_id, input.workflow_run_id or "")
        await self._run.signal_other(target, input.signal, input.args, input.headers)

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        from ..workflow._activities import schedule  # noqa: PLC0415

        return schedule(
            self._run,
            input.activity,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )

    async def start_child_workflow(
        self, input: StartChildWorkflowInput
    ) -> ChildWorkflowHandle[Any]:
        from ..workflow._children import start  # noqa: PLC0415

        return await start(
            self._run,
            input.workflow,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        from ..workflow._activities import schedule_local  # noqa: PLC0415

        return schedule_local(
            self._run,
            input.activity,
            input.args,
            _options(input),
            hint=input.ret_type,
            headers=input.headers,
        )


def chain(
    run: WorkflowRun, classes: Sequence[type[WorkflowInboundInterceptor]]
) -> tuple[WorkflowInboundInterceptor, WorkflowOutboundInterceptor]:
    """The outermost of both kinds."""
    root = _InboundRoot(run)
    inbound: WorkflowInboundInterceptor = root
    for made in reversed(classes):
        inbound = made(inbound)
    inbound.init(root.outbound)
    return inbound, root.outbound


def finish(code: Any) -> Any:
    """The result of a coroutine that must not wait."""
    try:
        code.send(None)
    except StopIteration as end:
        return end.value
    code.close()
    raise RuntimeError("an interceptor must not wait in handle_query")
