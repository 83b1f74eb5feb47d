"""Testing: engines of one's own, whose time may be skipped, and surroundings for an activity."""

from .._chaos import ChaosError, ChaosReport, NondeterministicWorkflow, NotIdempotentActivity
from ._activity import ActivityEnvironment
from ._environment import WorkflowEnvironment

__all__ = [
    "ActivityEnvironment",
    "ChaosError",
    "ChaosReport",
    "NondeterministicWorkflow",
    "NotIdempotentActivity",
    "WorkflowEnvironment",
]
