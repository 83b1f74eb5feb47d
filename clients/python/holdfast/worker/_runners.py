"""How a worker runs workflow code: with the guard, or without."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar


class WorkflowRunner:
    """SandboxedWorkflowRunner or UnsandboxedWorkflowRunner."""

    is_guarded: bool = True
    passthrough_modules: frozenset[str] = frozenset()


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Workflow code may call what would not be the same when it is run again."""

    is_guarded = False


@dataclass(frozen=True)
class SandboxRestrictions:
    """Whose calls are not refused."""

    passthrough_modules: frozenset[str] = frozenset()
    """Modules, with those inside them."""

    default: ClassVar[SandboxRestrictions]

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """These and more."""
        return replace(self, passthrough_modules=self.passthrough_modules | set(modules))

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """Taken for programs that have it: workflow code alone is guarded here."""
        return self


SandboxRestrictions.default = SandboxRestrictions()


@dataclass(frozen=True)
class SandboxedWorkflowRunner(WorkflowRunner):
    """Calls that would not be the same when the code is run again raise an error."""

    restrictions: SandboxRestrictions = field(default_factory=lambda: SandboxRestrictions.default)

    @property
    def passthrough_modules(self) -> frozenset[str]:  # type: ignore[override]
        return self.restrictions.passthrough_modules
