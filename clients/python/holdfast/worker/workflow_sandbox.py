"""The guard of workflow code, under the names that programs for Temporal know it by."""

from ..workflow import RestrictedWorkflowAccessError
from ._runners import SandboxedWorkflowRunner, SandboxRestrictions

__all__ = ["RestrictedWorkflowAccessError", "SandboxRestrictions", "SandboxedWorkflowRunner"]
