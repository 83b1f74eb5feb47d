"""The table of behaviours speaks of tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_each_test_that_the_table_names_exists() -> None:
    table = (HERE / "README.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", table))
    there = {
        name
        for path in HERE.parent.rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 100
    assert sorted(named - there) == []


def test_each_row_names_a_test_or_says_why_not() -> None:
    rows = [
        row.split("|")[1:3]
        for row in (HERE / "README.md").read_text().splitlines()
        if row.startswith("| ") and not row.startswith("| | |")
    ]
    assert len(rows) > 60
    for what, shown in rows:
        assert what.strip()
        assert "`test_" in shown or "the engine's tests" in shown, what
