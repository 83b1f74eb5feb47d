"""The run whose code is being driven: what the functions of this package speak to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..exceptions import HoldfastError

if TYPE_CHECKING:
    from .._run.run import WorkflowRun

# The attribute by which a workflow's event loop names its run.
RUN_OF_LOOP = "_holdfast_run"


class _NotInWorkflowEventLoopError(HoldfastError):
    """A function of `holdfast.workflow` was called outside workflow code."""

    def __init__(self) -> None:
        super().__init__("Not in workflow event loop")


def current() -> WorkflowRun:
    run = maybe_current()
    if run is None:
        raise _NotInWorkflowEventLoopError
    return run


def maybe_current() -> WorkflowRun | None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return getattr(loop, RUN_OF_LOOP, None)


class ReadOnlyContextError(HoldfastError):
    """A query's handler or a validator has tried to change the workflow."""


class NondeterminismError(HoldfastError):
    """The code does not do what the history says that it did."""


class RestrictedWorkflowAccessError(NondeterminismError):
    """Workflow code has called what would not be the same when the code is run again.

    It fails the workflow task, not the workflow, also where the code catches it: mended code goes
    on from there. See `workflow.unsafe` for code that may do so nonetheless.
    """

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """What is said of a name where nothing more is known."""
        return f"{qualified_name} must not be used in workflow code"
