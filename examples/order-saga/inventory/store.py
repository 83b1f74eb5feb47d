"""Stock, reservations and shipments in one SQLite file.

Every operation runs in one transaction together with the record of its idempotency key: either
both are there after a crash or neither. Any number of workers may share the file.
"""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (
    sku TEXT PRIMARY KEY,
    on_hand INTEGER NOT NULL CHECK (on_hand >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS reservations (
    order_id TEXT PRIMARY KEY,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'released', 'shipped'))
) STRICT;
CREATE TABLE IF NOT EXISTS shipments (
    number INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS operations (
    key TEXT PRIMARY KEY,
    operation TEXT NOT NULL,
    order_id TEXT NOT NULL,
    result TEXT NOT NULL
) STRICT;
"""

LOCK_WAIT_SECONDS = 30  # of one worker for another's transaction

Result = dict[str, Any]


class Refused(Exception):
    """The operation can never succeed; `type` says why, for programs."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


class Store:
    """The inventory; thread-safe, one connection per thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._local = threading.local()
        self._connection().executescript(SCHEMA)

    def fill(self, stock_csv: Path) -> None:
        """Takes the stock from a CSV file, unless the store knows these articles already."""
        with stock_csv.open(newline="") as file:
            rows = [(row["sku"], int(row["quantity"])) for row in csv.DictReader(file)]
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR IGNORE INTO stock VALUES (?, ?)", rows)

    def reserve(self, key: str, order_id: str, sku: str, quantity: int) -> Result:
        """Takes `quantity` pieces from the stock for an order."""

        def run(db: sqlite3.Connection) -> Result:
            if _reservation(db, order_id) is not None:
                # The release of an earlier attempt's order overtook it, or the order came twice.
                raise Refused("OrderKnown", f"{order_id} was reserved or released before")
            taken = db.execute(
                "UPDATE stock SET on_hand = on_hand - ?1 WHERE sku = ?2 AND on_hand >= ?1",
                (quantity, sku),
            ).rowcount
            if taken == 0:
                raise Refused("OutOfStock", f"fewer than {quantity} of {sku} on hand")
            db.execute(
                "INSERT INTO reservations VALUES (?, ?, ?, 'reserved')", (order_id, sku, quantity)
            )
            return {"order_id": order_id, "reserved": quantity}

        if quantity <= 0:
            raise Refused("InvalidInput", "quantity must be greater than 0")
        return self._once(key, "reserve", order_id, run)

    def release(self, key: str, order_id: str, sku: str) -> Result:
        """Gives an order's pieces back; without a reservation it keeps a late one from coming."""

        def run(db: sqlite3.Connection) -> Result:
            found = _reservation(db, order_id)
            if found is None:
                db.execute("INSERT INTO reservations VALUES (?, ?, 0, 'released')", (order_id, sku))
                return {"order_id": order_id, "released": 0}
            reserved_sku, quantity, state = found
            if state == "shipped":
                raise Refused("AlreadyShipped", f"{order_id} has left the house")
            if state == "released":
                return {"order_id": order_id, "released": 0}
            db.execute(
                "UPDATE stock SET on_hand = on_hand + ? WHERE sku = ?", (quantity, reserved_sku)
            )
            db.execute("UPDATE reservations SET state = 'released' WHERE order_id = ?", (order_id,))
            return {"order_id": order_id, "released": quantity}

        return self._once(key, "release", order_id, run)

    def ship(self, key: str, order_id: str) -> Result:
        """Sends what an order has reserved."""

        def run(db: sqlite3.Connection) -> Result:
            found = _reservation(db, order_id)
            if found is None or found[2] != "reserved":
                raise Refused("NotReserved", f"{order_id} has nothing reserved")
            db.execute("UPDATE reservations SET state = 'shipped' WHERE order_id = ?", (order_id,))
            number = db.execute(
                "INSERT INTO shipments (order_id) VALUES (?)", (order_id,)
            ).lastrowid
            return {"order_id": order_id, "shipment": f"shipment-{number:05}"}

        return self._once(key, "ship", order_id, run)

    def _once(
        self, key: str, operation: str, order_id: str, run: Callable[[sqlite3.Connection], Result]
    ) -> Result:
        """Runs an operation unless its key is known; then answers what was answered before."""
        db = self._connection()
        with db:
            # Immediate: two workers that both read first and then wrote could not both go on.
            db.execute("BEGIN IMMEDIATE")
            known = db.execute(
                "SELECT operation, order_id, result FROM operations WHERE key = ?", (key,)
            ).fetchone()
            if known is not None:
                if known[:2] != (operation, order_id):
                    raise Refused("KeyReused", f"{key} stands for {known[0]} of {known[1]}")
                before: Result = json.loads(known[2])
                return before
            result = run(db)
            db.execute(
                "INSERT INTO operations VALUES (?, ?, ?, ?)",
                (key, operation, order_id, json.dumps(result)),
            )
            return result

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=LOCK_WAIT_SECONDS, isolation_level=None
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            self._local.connection = connection
        return connection


def _reservation(db: sqlite3.Connection, order_id: str) -> tuple[str, int, str] | None:
    row: tuple[str, int, str] | None = db.execute(
        "SELECT sku, quantity, state FROM reservations WHERE order_id = ?", (order_id,)
    ).fetchone()
    return row
