"""Runs verify.py on small made-up evidence: pytest examples/order-saga/orders"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "inventory"))

from store import Refused, Store  # noqa: E402

ORDERS = """order_id,sku,quantity,unit_price_cents,card,approve
o1,rope,2,500,card-1,yes
o2,rope,1,500,declined-card,yes
o3,rope,1,500,card-3,no
"""
RESULTS = {"o1": "completed", "o2": "compensated", "o3": "timed_out"}
LEDGER = ["charge r1/5 o1 1000", "refund r2/9 o2 0", "charge r3/5 o3 500", "refund r3/9 o3 500"]


class Case:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ledger = list(LEDGER)
        self.results = dict(RESULTS)
        (directory / "orders.csv").write_text(ORDERS)
        (directory / "stock.csv").write_text("sku,quantity\nrope,10\n")
        self.store = Store(str(directory / "stock.db"))
        self.store.fill(directory / "stock.csv")
        for order_id, quantity in (("o1", 2), ("o2", 1), ("o3", 1)):
            self.store.reserve(f"{order_id}/r", order_id, "rope", quantity)
        for order_id in ("o2", "o3"):
            self.store.release(f"{order_id}/x", order_id, "rope")
        self.store.ship("o1/s", "o1")

    def verify(self) -> tuple[int, str]:
        at = self.directory
        (at / "ledger").write_text("".join(f"{line}\n" for line in self.ledger))
        results = [{"order_id": i, "outcome": outcome} for i, outcome in self.results.items()]
        (at / "results.json").write_text(json.dumps(results))
        command = [
            sys.executable,
            str(HERE / "verify.py"),
            "--results",
            at / "results.json",
            "--ledger",
            at / "ledger",
            "--stock-db",
            at / "stock.db",
            "--orders",
            at / "orders.csv",
            "--stock",
            at / "stock.csv",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_honest_evidence_passes(case: Case) -> None:
    code, text = case.verify()
    assert code == 0, text
    assert "agree to the cent" in text


def test_a_second_charge_is_named(case: Case) -> None:
    case.ledger.append("charge r1/6 o1 1000")
    code, text = case.verify()
    assert code == 1
    assert "o1: completed, charged [1000, 1000] instead of once 1000" in text
    assert "totals: the ledger holds 2000 cents" in text


def test_a_key_twice_is_named(case: Case) -> None:
    case.ledger.append("refund r3/9 o3 0")
    code, text = case.verify()
    assert code == 1
    assert "the key r3/9 moved money 2 times" in text


def test_a_missing_refund_is_named_to_the_cent(case: Case) -> None:
    case.ledger[-1] = "refund r3/9 o3 499"
    code, text = case.verify()
    assert code == 1
    assert "o3: timed_out, 1 cents stay charged" in text


def test_a_missing_result_is_named(case: Case) -> None:
    del case.results["o2"]
    code, text = case.verify()
    assert code == 1
    assert "o2: has no result" in text


def test_stock_that_stays_reserved_is_named(case: Case) -> None:
    case.results["o1"] = "compensated"
    code, text = case.verify()
    assert code == 1
    assert "o1: compensated, yet shipped" in text
    assert "o1: compensated, its stock is still shipped" in text
    assert "totals: 8 of rope on hand instead of 10" in text


def test_the_committed_orders_are_those_of_the_script(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HERE / "make_orders.py"), str(tmp_path)], check=True)
    for name in ("orders.csv", "stock.csv"):
        assert (tmp_path / name).read_text() == (HERE / name).read_text()


def test_the_store_repeats_an_answer_and_refuses_a_reused_key(case: Case) -> None:
    assert case.store.ship("o1/s", "o1") == {"order_id": "o1", "shipment": "shipment-00001"}
    with pytest.raises(Refused) as refused:
        case.store.release("o1/s", "o1", "rope")
    assert refused.value.type == "KeyReused"


def test_the_store_refuses_what_cannot_be(case: Case) -> None:
    for type, call in (
        ("OutOfStock", lambda: case.store.reserve("k1", "o4", "rope", 9)),
        ("InvalidInput", lambda: case.store.reserve("k2", "o4", "rope", 0)),
        ("NotReserved", lambda: case.store.ship("k3", "o4")),
        ("AlreadyShipped", lambda: case.store.release("k4", "o1", "rope")),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert refused.value.type == type


def test_a_release_that_comes_first_refuses_the_reservation(case: Case) -> None:
    assert case.store.release("k1", "o4", "rope") == {"order_id": "o4", "released": 0}
    with pytest.raises(Refused) as refused:
        case.store.reserve("k2", "o4", "rope", 1)
    assert refused.value.type == "OrderKnown"
