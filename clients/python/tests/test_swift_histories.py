"""The order workflow in Python does what histories hold that the Swift one has recorded.

They are of `order-worker` and the workers of payments and inventory (examples/order-saga), by

    holdfast workflow start --id completed --type order --task-queue orders --input …
    holdfast workflow show --id completed -o json
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from holdfast.client import WorkflowHistory
from holdfast.worker import Replayer
from holdfast.workflow import NondeterminismError

HERE = Path(__file__).parent
ORDER = HERE.parents[2] / "examples" / "order-saga" / "workflow" / "order.py"

pytestmark = pytest.mark.usefixtures("binary")


def order_module(change: tuple[str, str] | None = None) -> ModuleType:
    """The example's module, or one with a change."""
    specification = importlib.util.spec_from_loader("order", None, origin=str(ORDER))
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    text = ORDER.read_text()
    if change is not None:
        assert change[0] in text
        text = text.replace(*change)
    sys.modules["order"] = module
    exec(compile(text, str(ORDER), "exec"), module.__dict__)
    return module


def history(name: str) -> WorkflowHistory:
    text = (HERE / "histories" / f"order-{name}.json").read_text()
    return WorkflowHistory.from_json(name, text)


async def test_the_same_commands_replay() -> None:
    async with Replayer(workflows=[order_module().OrderWorkflow]) as replayer:
        found = {
            name: await replayer.replay_workflow(history(name))
            for name in ("completed", "declined", "timed-out", "out-of-stock")
        }
    assert {name: result.workflow_tasks for name, result in found.items()} == {
        "completed": 5,
        "declined": 5,
        "timed-out": 6,
        "out-of-stock": 3,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"charge"', '"debit"'), r"'charge'.*'debit'.*OrderWorkflow.swift:\d+.*order.py:\d+"),
        (("reversed(compensations)", "compensations"), r"'refund'.*'release'"),
    ],
)
async def test_other_commands_are_told_with_their_places(
    change: tuple[str, str], message: str
) -> None:
    async with Replayer(workflows=[order_module(change).OrderWorkflow]) as replayer:
        with pytest.raises(NondeterminismError, match=message):
            await replayer.replay_workflow(history("declined"))
