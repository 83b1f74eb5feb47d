"""Which statement of proto/README.md is covered by which cases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .cases import Case
from .text import Ill

STATEMENT = re.compile(r"^- ([A-Z]{3}-\d{3}) (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Statement:
    id: str
    text: str

    @property
    def is_rule(self) -> bool:
        return "MUST" in self.text


def statements(page: Path) -> list[Statement]:
    found = STATEMENT.findall(page.read_text(encoding="utf-8"))
    if not found:
        raise Ill(f"{page} holds no numbered statement")
    return [Statement(number, text) for number, text in found]


class Coverage:
    def __init__(
        self, known: list[Statement], cases: list[Case], untestable: dict[str, str]
    ) -> None:
        self.known = known
        self.untestable = untestable
        self.by_id: dict[str, list[str]] = {statement.id: [] for statement in known}
        for case in cases:
            for number in case.covers:
                if number not in self.by_id:
                    raise Ill(f"{case.id} covers {number}, which the page does not hold")
                self.by_id[number].append(case.id)
        for number in untestable:
            if number not in self.by_id:
                raise Ill(f"{number} is untestable, but the page does not hold it")
            if self.by_id[number]:
                raise Ill(f"{number} is called untestable, but {self.by_id[number][0]} covers it")

    @property
    def covered(self) -> list[Statement]:
        return [s for s in self.known if self.by_id[s.id]]

    @property
    def uncovered(self) -> list[Statement]:
        return [s for s in self.known if not self.by_id[s.id] and s.id not in self.untestable]
