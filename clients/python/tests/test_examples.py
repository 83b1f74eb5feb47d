"""The examples, where time is skipped: each does what its page says."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import agent
import cart
import fan_out
import order
import pytest
import report
from inventory import Inventory
from store import Store

from holdfast import activity
from holdfast.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)
from holdfast.common import WorkflowIDConflictPolicy
from holdfast.exceptions import ApplicationError
from holdfast.testing import WorkflowEnvironment
from holdfast.worker import Replayer, Worker
from holdfast.workflow import NondeterminismError

EXAMPLES = Path(__file__).parents[3] / "examples"
HISTORIES = EXAMPLES / "order-saga" / "workflow" / "histories"
STOCK = EXAMPLES / "order-saga" / "orders" / "stock.csv"

pytestmark = pytest.mark.usefixtures("binary")


# MARK: Greeting


async def test_the_greeting_is_printed() -> None:
    async with await WorkflowEnvironment.start_local() as env:
        assert env.client.socket_path is not None
        ended = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, str(EXAMPLES / "python" / "greeting.py")],
            env={**os.environ, "HOLDFAST_SOCKET": env.client.socket_path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (ended.stdout, ended.stderr) == ("Hello, Ada!\n", "")


# MARK: Fan-out


async def test_a_thousand_activities_are_summed() -> None:
    env = await WorkflowEnvironment.start_time_skipping()
    async with (
        env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[fan_out.SumOfSquares],
            activities=[fan_out.square],
        ),
    ):
        handle = await env.client.start_workflow(
            fan_out.SumOfSquares.run, 1_000, id="sum", task_queue="q"
        )
        assert await handle.result() == 332_833_500
        events = (await handle.fetch_history()).events
        assert sum(event.activity_task_completed is not None for event in events) == 1_000


# MARK: Agent


def agents(client: Client) -> Worker:
    return Worker(
        client,
        task_queue=agent.TASK_QUEUE,
        workflows=[agent.Agent],
        activities=[agent.ask_model, agent.look_up, agent.refund],
    )


async def started_agent(client: Client) -> WorkflowHandle[agent.Agent, str]:
    """One that waits for an approval."""
    handle = await client.start_workflow(
        agent.Agent.run, "complaint", id="agent", task_queue=agent.TASK_QUEUE
    )
    while (wanted := await handle.query(agent.Agent.pending)) is None:
        await asyncio.sleep(0)
    assert wanted == agent.Decision(tool="refund", argument="o-17")
    return handle


@pytest.mark.parametrize(
    ("approves", "answer"),
    [
        (True, "complaint: o-17 refunded (True)"),
        (False, "complaint: refund was not approved"),
    ],
)
async def test_an_agent_does_what_was_approved(approves: bool, answer: str) -> None:
    env = await WorkflowEnvironment.start_time_skipping()
    async with env, agents(env.client):
        handle = await started_agent(env.client)
        await env.sleep(timedelta(days=90))
        assert await handle.execute_update(agent.Agent.decide, approves) == "refund"
        assert await handle.result() == answer
        ran = [
            event.activity_task_scheduled.activity_type
            for event in (await handle.fetch_history()).events
            if event.activity_task_scheduled is not None
        ]
        refunds = ["refund"] if approves else []
        assert ran == ["ask_model", "look_up", "ask_model", *refunds, "ask_model"]


async def test_an_agent_that_asks_nothing_refuses_a_decision() -> None:
    env = await WorkflowEnvironment.start_time_skipping()
    async with env, agents(env.client):
        start: WithStartWorkflowOperation[Any] = WithStartWorkflowOperation(
            agent.Agent.run,
            "complaint",
            id="agent",
            task_queue=agent.TASK_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        # In its first step the model has not been asked yet.
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await env.client.execute_update_with_start_workflow(
                agent.Agent.decide, True, start_workflow_operation=start
            )
        assert isinstance(raised.value.cause, ApplicationError)
        assert raised.value.cause.type == "NothingToApprove"


# MARK: Cart


async def test_a_cart_goes_on_as_new_and_is_forgotten_after_a_month(tmp_path: Path) -> None:
    config = tmp_path / "holdfast.toml"
    config.write_text("[limits]\nhistory_events_suggested = 30\n")
    env = await WorkflowEnvironment.start_time_skipping(arguments=["--config", str(config)])
    async with (
        env,
        Worker(env.client, task_queue=cart.TASK_QUEUE, workflows=[cart.ShoppingCart]),
    ):
        for count in range(1, 21):
            # Runs that follow each other within a second wait for it.
            await env.sleep(timedelta(minutes=1))
            assert await cart.add(env.client, "ada", "tea", 1) == {"tea": count}
        with pytest.raises(WorkflowUpdateFailedError) as raised:
            await cart.add(env.client, "ada", "tea", 0)
        assert str(raised.value.cause) == "InvalidCount: a count is at least 1"
        handle = env.client.get_workflow_handle_for(cart.ShoppingCart.run, "cart-ada")
        await env.sleep(timedelta(days=29))
        assert await handle.query(cart.ShoppingCart.contents) == cart.Cart({"tea": 20})
        await env.sleep(timedelta(days=1))
        assert await handle.query(cart.ShoppingCart.contents) == cart.Cart()

        assert await cart.add(env.client, "ada", "nuts", 2) == {"nuts": 2}
        await handle.signal(cart.ShoppingCart.check_out)
        assert await handle.result() == cart.Cart({"nuts": 2})
        runs = [run.status async for run in env.client.list_workflows("WorkflowId = 'cart-ada'")]
        went_on = WorkflowExecutionStatus.CONTINUED_AS_NEW
        assert runs.count(WorkflowExecutionStatus.COMPLETED) == 1
        assert runs.count(went_on) == len(runs) - 1 >= 2


async def test_a_check_out_is_not_forgotten_by_going_on_as_new(tmp_path: Path) -> None:
    config = tmp_path / "holdfast.toml"
    config.write_text("[limits]\nhistory_events_suggested = 1\n")
    env = await WorkflowEnvironment.start_time_skipping(arguments=["--config", str(config)])
    async with env:
        handle = await env.client.start_workflow(
            cart.ShoppingCart.run, cart.Cart({"tea": 1}), id="c", task_queue=cart.TASK_QUEUE
        )
        await handle.signal(cart.ShoppingCart.check_out)
        async with Worker(env.client, task_queue=cart.TASK_QUEUE, workflows=[cart.ShoppingCart]):
            assert await handle.result() == cart.Cart({"tea": 1})


# MARK: Report


async def test_a_working_week_has_five_reports(capsys: pytest.CaptureFixture[str]) -> None:
    env = await WorkflowEnvironment.start_time_skipping()
    async with (
        env,
        Worker(
            env.client,
            task_queue=report.TASK_QUEUE,
            workflows=[report.DailyReport],
            activities=[report.collect, report.send],
        ),
    ):
        now = await env.get_current_time()
        # The next Sunday's noon: all of a week lies ahead.
        sunday = (now + timedelta(days=6 - now.weekday())).replace(hour=12)
        await env.sleep(max(sunday - now, timedelta(0)))
        await env.client.create_schedule("daily-report", report.schedule())
        await env.sleep(timedelta(days=6))
        assert (await env.get_current_time()).weekday() == 5
        days = [(sunday + timedelta(days=after)).date() for after in range(1, 6)]
        reports = [f"{day}: 300 orders, {day.day} refunds" for day in days]
        assert capsys.readouterr().out.splitlines() == reports
        found = env.client.list_workflows("WorkflowType = 'DailyReport'")
        assert {run.id[:17] async for run in found} == {f"report-{day}" for day in days}


# MARK: Order saga


class Payments:
    """The cards, as far as the workflow sees them."""

    def __init__(self) -> None:
        self.booked: list[tuple[str, str, int]] = []

    @activity.defn
    async def charge(self, payment: dict[str, Any]) -> None:
        if payment["card"].startswith("declined"):
            raise ApplicationError("card declined", type="CardDeclined", non_retryable=True)
        self.booked.append(("charge", payment["order_id"], payment["amount_cents"]))

    @activity.defn
    async def refund(self, payment: dict[str, Any]) -> None:
        self.booked.append(("refund", payment["order_id"], payment["amount_cents"]))


class Shop:
    """The workers of an order, and what they have kept."""

    def __init__(self, database: Path) -> None:
        self.database = str(database)
        self.store = Store(self.database)
        self.store.fill(STOCK)
        self.inventory = Inventory(self.store)
        self.payments = Payments()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[WorkflowEnvironment]:
        inventory, payments = self.inventory, self.payments
        shelves = [inventory.reserve, inventory.release, inventory.ship]
        cards = [payments.charge, payments.refund]
        env = await WorkflowEnvironment.start_time_skipping()
        client, orders = env.client, order.TASK_QUEUE
        async with (
            env,
            Worker(client, task_queue=orders, workflows=[order.OrderWorkflow]),
            Worker(client, task_queue="inventory", activities=shelves),
            Worker(client, task_queue="payments", activities=cards),
        ):
            yield env

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as database:
            return database.execute(query).fetchall()

    @property
    def barometers(self) -> int:
        ((on_hand,),) = self.rows("SELECT on_hand FROM stock WHERE sku = 'barometer'")
        return int(on_hand)


@dataclass(frozen=True)
class Ended:
    """What an order has come to."""

    outcome: order.Outcome
    booked: Sequence[str]
    reservation: str
    taken: int
    shipments: int


CARD = order.Order("o-1", "barometer", 2, "card-1", 4_200, 3 * 86_400_000)
ENDS = {
    "approved": (CARD, Ended(order.Outcome.COMPLETED, ["charge"], "shipped", 2, 1)),
    "out of stock": (
        replace(CARD, quantity=1_000),
        Ended(order.Outcome.COMPENSATED, [], "released", 0, 0),
    ),
    # The refund was noted before the charge was tried; the bank makes nothing of it.
    "declined": (
        replace(CARD, card="declined-1"),
        Ended(order.Outcome.COMPENSATED, ["refund"], "released", 0, 0),
    ),
    "timed out": (
        CARD,
        Ended(order.Outcome.TIMED_OUT, ["charge", "refund"], "released", 0, 0),
    ),
    "cancelled": (
        CARD,
        Ended(order.Outcome.COMPENSATED, ["charge", "refund"], "released", 0, 0),
    ),
}


@pytest.mark.parametrize("how", ENDS)
async def test_an_order_ends_whole_or_not_at_all(how: str, tmp_path: Path) -> None:
    input, expected = ENDS[how]
    shop = Shop(tmp_path / "stock.db")
    before = shop.barometers
    async with shop.open() as env:
        handle = await env.client.start_workflow(
            order.OrderWorkflow.run, input, id="o-1", task_queue=order.TASK_QUEUE
        )
        if how in ("approved", "cancelled"):
            while await handle.query(order.OrderWorkflow.status) != "waiting for approval":
                await asyncio.sleep(0)
            if how == "approved":
                await handle.signal(order.OrderWorkflow.approve)
            else:
                await handle.cancel()
        outcome = await handle.result()
        state = await handle.query(order.OrderWorkflow.status)
        async with Replayer(workflows=[order.OrderWorkflow]) as replayer:
            await replayer.replay_workflow(await handle.fetch_history())
    assert state == ("completed" if how == "approved" else "compensated")
    ((reservation,),) = shop.rows("SELECT state FROM reservations")
    assert expected == Ended(
        outcome,
        [what for what, *_ in shop.payments.booked],
        reservation,
        before - shop.barometers,
        len(shop.rows("SELECT * FROM shipments")),
    )
    assert {(of, cents) for _, of, cents in shop.payments.booked} <= {("o-1", 4_200)}


@pytest.mark.parametrize("name", [path.stem for path in sorted(HISTORIES.glob("*.jsonl"))])
async def test_the_order_in_python_replays_the_one_in_swift(name: str) -> None:
    """The histories are those of OrderWorkflow.swift; to record them anew:

    HOLDFAST_BIN=.build/debug/holdfast clients/python/.venv/bin/python \\
        examples/order-saga/workflow/record_histories.py .build/debug/order-worker
    """
    history = WorkflowHistory.from_json(name, (HISTORIES / f"{name}.jsonl").read_text())
    assert history.events[1].workflow_task_completed.sdk_name == "swift"
    async with Replayer(workflows=[order.OrderWorkflow]) as replayer:
        result = await replayer.replay_workflow(history)
    assert (result.replay_failure, result.events) == (None, len(history.events))


def test_each_end_of_an_order_was_recorded() -> None:
    assert {path.stem.replace("_", " ") for path in HISTORIES.glob("*.jsonl")} == set(ENDS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"charge"', '"debit"'), r"'charge'.*'debit'.*OrderWorkflow.swift:\d+.*order.py:\d+"),
        (("reversed(compensations)", "compensations"), r"'refund'.*'release'"),
    ],
)
async def test_a_change_of_the_order_is_told_with_both_places(
    change: tuple[str, str], message: str
) -> None:
    text = (HISTORIES / "declined.jsonl").read_text()
    history = WorkflowHistory.from_json("declined", text)
    source = Path(order.__file__)
    assert change[0] in source.read_text()
    changed = ModuleType("order_changed")
    sys.modules["order_changed"] = changed
    exec(compile(source.read_text().replace(*change), str(source), "exec"), changed.__dict__)
    async with Replayer(workflows=[changed.OrderWorkflow]) as replayer:
        with pytest.raises(NondeterminismError, match=message):
            await replayer.replay_workflow(history)
