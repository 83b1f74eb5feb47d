"""Testing workflows and activities: engines of one's own, whose time may be skipped."""

from .._chaos import ChaosError, ChaosReport, NondeterministicWorkflow, NotIdempotentActivity
from ._environment import WorkflowEnvironment

__all__ = [
    "ChaosError",
    "ChaosReport",
    "NondeterministicWorkflow",
    "NotIdempotentActivity",
    "WorkflowEnvironment",
]
