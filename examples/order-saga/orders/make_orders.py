#!/usr/bin/env python3
"""Makes orders.csv and stock.csv, always the same ones: python3 make_orders.py [DIRECTORY]"""

import csv
import random
import sys
from pathlib import Path

SEED = 20260301
ORDERS = 300
DECLINED_SHARE = 0.10  # of the cards
SILENT_SHARE = 0.08  # of the orders: nobody ever approves them

# sku, unit price in cents, how often it is ordered, stock as a share of what is ordered
CATALOGUE = [
    ("anchor-small", 4999, 6, 1.3),
    ("barometer", 12900, 4, 1.3),
    ("bilge-pump", 8950, 5, 0.6),
    ("chart-north-sea", 2475, 12, 1.3),
    ("compass", 15999, 7, 1.3),
    ("fender", 1895, 14, 1.3),
    ("flare-kit", 6420, 8, 0.5),
    ("life-vest", 5995, 12, 1.3),
    ("rope-12mm-10m", 1733, 16, 1.3),
    ("sail-repair-tape", 949, 16, 1.3),
]


def make_orders(random_source: random.Random) -> list[dict[str, object]]:
    orders: list[dict[str, object]] = []
    for number in range(1, ORDERS + 1):
        sku, price, _, _ = random_source.choices(
            CATALOGUE, weights=[frequency for _, _, frequency, _ in CATALOGUE]
        )[0]
        card = f"card-{random_source.randrange(10_000):04}"
        if random_source.random() < DECLINED_SHARE:
            card = f"declined-{card}"
        orders.append(
            {
                "order_id": f"order-{number:04}",
                "sku": sku,
                "quantity": random_source.choices([1, 2, 3, 5], weights=[60, 25, 10, 5])[0],
                "unit_price_cents": price,
                "card": card,
                "approve": "no" if random_source.random() < SILENT_SHARE else "yes",
            }
        )
    return orders


def make_stock(orders: list[dict[str, object]]) -> list[dict[str, object]]:
    stock: list[dict[str, object]] = []
    for sku, _, _, share in CATALOGUE:
        ordered = sum(int(str(order["quantity"])) for order in orders if order["sku"] == sku)
        stock.append({"sku": sku, "quantity": int(ordered * share)})
    return stock


def write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    orders = make_orders(random.Random(SEED))
    write(directory / "orders.csv", orders)
    write(directory / "stock.csv", make_stock(orders))


if __name__ == "__main__":
    main()
