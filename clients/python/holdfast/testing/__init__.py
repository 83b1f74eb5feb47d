"""Testing workflows and activities: engines of one's own, whose time may be skipped."""

from ._environment import WorkflowEnvironment

__all__ = ["WorkflowEnvironment"]
