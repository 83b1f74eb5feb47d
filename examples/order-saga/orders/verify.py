#!/usr/bin/env python3
"""Checks what the order saga left behind, to the cent and to the piece.

    verify.py --results results.json --ledger FILE --stock-db FILE [--orders orders.csv]
              [--stock stock.csv]

results.json is a list of {"order_id": …, "outcome": "completed" | "compensated" | "timed_out"}.
Prints one table and exits 0, or names every discrepancy and exits 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import sqlite3
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

OUTCOMES = ("completed", "compensated", "timed_out")


@dataclass(frozen=True)
class Order:
    sku: str
    quantity: int
    amount_cents: int
    declined: bool
    approved: bool


@dataclass
class Evidence:
    """Everything that is compared; charges, refunds and so on are by order id."""

    orders: dict[str, Order] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    stock_before: dict[str, int] = field(default_factory=dict)
    stock_now: dict[str, int] = field(default_factory=dict)
    reservations: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    shipments: Counter[str] = field(default_factory=Counter)
    charges: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    refunds: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    problems: list[str] = field(default_factory=list)

    def net_cents(self, order_id: str) -> int:
        return sum(self.charges[order_id]) - sum(self.refunds[order_id])


def read_orders(evidence: Evidence, path: Path) -> None:
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            evidence.orders[row["order_id"]] = Order(
                sku=row["sku"],
                quantity=int(row["quantity"]),
                amount_cents=int(row["quantity"]) * int(row["unit_price_cents"]),
                declined=row["card"].startswith("declined"),
                approved=row["approve"] == "yes",
            )


def read_results(evidence: Evidence, path: Path) -> None:
    for result in json.loads(path.read_text()):
        order_id, outcome = result["order_id"], result["outcome"]
        if order_id not in evidence.orders:
            evidence.problems.append(f"{order_id}: has a result but is no order")
        elif order_id in evidence.outcomes:
            evidence.problems.append(f"{order_id}: has two results")
        elif outcome not in OUTCOMES:
            evidence.problems.append(f"{order_id}: ended as {outcome!r}, which is no outcome")
        else:
            evidence.outcomes[order_id] = outcome
    for order_id in evidence.orders.keys() - evidence.outcomes.keys():
        evidence.problems.append(f"{order_id}: has no result")


def read_ledger(evidence: Evidence, path: Path) -> None:
    keys: Counter[str] = Counter()
    text = path.read_text()
    if text and not text.endswith("\n"):
        evidence.problems.append("ledger: the last line is torn")
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split(" ")
        if len(words) != 4 or words[0] not in ("charge", "refund") or not words[3].isdigit():
            evidence.problems.append(f"ledger: line {number} is no movement: {line!r}")
            continue
        kind, key, order_id, cents = words
        keys[key] += 1
        movements = evidence.charges if kind == "charge" else evidence.refunds
        movements[order_id].append(int(cents))
    for key, count in keys.items():
        if count > 1:
            evidence.problems.append(f"ledger: the key {key} moved money {count} times")


def read_stock(evidence: Evidence, stock_csv: Path, database: Path) -> None:
    with stock_csv.open(newline="") as file:
        for row in csv.DictReader(file):
            evidence.stock_before[row["sku"]] = int(row["quantity"])
    # Not read-only: after a kill -9 the first reader has to recover the write-ahead log.
    db = sqlite3.connect(database)
    evidence.stock_now.update(db.execute("SELECT sku, on_hand FROM stock"))
    for order_id, sku, quantity, state in db.execute(
        "SELECT order_id, sku, quantity, state FROM reservations"
    ):
        evidence.reservations[order_id] = (sku, quantity, state)
    evidence.shipments.update(
        order_id for (order_id,) in db.execute("SELECT order_id FROM shipments")
    )
    db.close()


def check_completed(evidence: Evidence, order_id: str, order: Order) -> None:
    charges, refunds = evidence.charges[order_id], evidence.refunds[order_id]
    problems = evidence.problems
    if charges != [order.amount_cents]:
        problems.append(
            f"{order_id}: completed, charged {charges} instead of once {order.amount_cents}"
        )
    if refunds:
        problems.append(f"{order_id}: completed, yet refunded {refunds}")
    if evidence.shipments[order_id] != 1:
        problems.append(f"{order_id}: completed, shipped {evidence.shipments[order_id]} times")
    if evidence.reservations.get(order_id) != (order.sku, order.quantity, "shipped"):
        problems.append(
            f"{order_id}: completed, its stock is {evidence.reservations.get(order_id)}"
        )
    if order.declined:
        problems.append(f"{order_id}: completed with a declined card")
    if not order.approved:
        problems.append(f"{order_id}: completed without approval")


def check_undone(evidence: Evidence, order_id: str, order: Order, outcome: str) -> None:
    problems = evidence.problems
    if evidence.net_cents(order_id) != 0:
        problems.append(f"{order_id}: {outcome}, {evidence.net_cents(order_id)} cents stay charged")
    if len(evidence.charges[order_id]) > 1:
        problems.append(f"{order_id}: {outcome}, charged {evidence.charges[order_id]}")
    if order.declined and evidence.charges[order_id]:
        problems.append(f"{order_id}: {outcome}, a declined card was charged")
    if evidence.shipments[order_id]:
        problems.append(f"{order_id}: {outcome}, yet shipped")
    _, _, state = evidence.reservations.get(order_id, (order.sku, 0, "released"))
    if state != "released":
        problems.append(f"{order_id}: {outcome}, its stock is still {state}")
    if outcome == "timed_out" and order.declined:
        problems.append(f"{order_id}: timed_out although the card was declined before")


def check_strangers(evidence: Evidence) -> None:
    for name, ids in (
        ("ledger", evidence.charges.keys() | evidence.refunds.keys()),
        ("stock", evidence.reservations.keys() | evidence.shipments.keys()),
    ):
        for order_id in ids - evidence.orders.keys():
            evidence.problems.append(f"{order_id}: in the {name} but is no order")


def check_totals(evidence: Evidence) -> None:
    completed = [evidence.orders[i] for i, what in evidence.outcomes.items() if what == "completed"]
    expected_cents = sum(order.amount_cents for order in completed)
    known = set(evidence.charges) | set(evidence.refunds)
    ledger_cents = sum(evidence.net_cents(order_id) for order_id in known)
    if ledger_cents != expected_cents:
        evidence.problems.append(
            f"totals: the ledger holds {ledger_cents} cents, "
            f"completed orders are worth {expected_cents}"
        )
    taken: Counter[str] = Counter()
    for order in completed:
        taken[order.sku] += order.quantity
    for sku in sorted(evidence.stock_before.keys() | evidence.stock_now.keys()):
        expected = evidence.stock_before.get(sku, 0) - taken[sku]
        if evidence.stock_now.get(sku) != expected:
            evidence.problems.append(
                f"totals: {evidence.stock_now.get(sku)} of {sku} on hand instead of {expected}"
            )


def check(evidence: Evidence) -> None:
    for order_id, outcome in evidence.outcomes.items():
        if outcome == "completed":
            check_completed(evidence, order_id, evidence.orders[order_id])
        else:
            check_undone(evidence, order_id, evidence.orders[order_id], outcome)
    check_strangers(evidence)
    check_totals(evidence)


def euros(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def print_table(evidence: Evidence) -> None:
    heads = ("outcome", "orders", "charged", "refunded", "kept", "pieces shipped")
    rows: list[tuple[str, list[int]]] = []
    for outcome in OUTCOMES:
        ids = [order_id for order_id, what in evidence.outcomes.items() if what == outcome]
        charged = sum(sum(evidence.charges[order_id]) for order_id in ids)
        refunded = sum(sum(evidence.refunds[order_id]) for order_id in ids)
        pieces = sum(evidence.orders[i].quantity * evidence.shipments[i] for i in ids)
        rows.append((outcome, [len(ids), charged, refunded, charged - refunded, pieces]))
    rows.append(("total", [sum(column) for column in zip(*(row[1] for row in rows), strict=True)]))
    lines = [heads]
    for name, (orders, charged, refunded, kept, pieces) in rows:
        money = euros(charged), euros(refunded), euros(kept)
        lines.append((name, str(orders), *money, str(pieces)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        if number in (1, len(lines) - 1):
            print("  ".join("-" * width for width in widths))
        numbers = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        print("  ".join([line[0].ljust(widths[0]), *numbers]))


def main() -> int:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="checks what the order saga left behind")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--stock-db", type=Path, required=True)
    parser.add_argument("--orders", type=Path, default=here / "orders.csv")
    parser.add_argument("--stock", type=Path, default=here / "stock.csv")
    arguments = parser.parse_args()

    evidence = Evidence()
    try:
        read_orders(evidence, arguments.orders)
        read_results(evidence, arguments.results)
        read_ledger(evidence, arguments.ledger)
        read_stock(evidence, arguments.stock, arguments.stock_db)
    except (OSError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
        print(f"verify: cannot read the evidence: {error!r}", file=sys.stderr)
        return 2
    check(evidence)
    print_table(evidence)
    for problem in sorted(evidence.problems):
        print(f"NOT RIGHT  {problem}")
    if not evidence.problems:
        print("Ledger, stock and outcomes agree to the cent; no key took effect twice.")
    return 1 if evidence.problems else 0


if __name__ == "__main__":
    sys.exit(main())
