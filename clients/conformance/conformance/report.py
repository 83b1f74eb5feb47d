"""What came out: a line each on a terminal, JUnit XML, a Markdown table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from .cases import Case
from .coverage import Coverage

VERDICTS = ("PASS", "NON-STRICT", "FAIL", "SKIP")


@dataclass(frozen=True)
class Result:
    case: Case
    verdict: str
    why: str
    seconds: float

    @property
    def is_expected(self) -> bool:
        return self.verdict in ("PASS", "SKIP") or self.verdict == self.case.verdict


def line(result: Result) -> str:
    text = f"{result.verdict:10}  {result.seconds:7.3f} s  {result.case.id}"
    if result.why:
        indented = result.why.replace("\n", "\n              ")
        text += f"\n            {result.case.title}\n              {indented}"
    return text


def by_category(results: Iterable[Result]) -> dict[str, Counter[str]]:
    table: dict[str, Counter[str]] = {}
    for result in results:
        table.setdefault(result.case.category, Counter())[result.verdict] += 1
    return table


def totals(results: list[Result]) -> str:
    """The table at the end of a run."""
    table = by_category(results)
    width = max([len(name) for name in table] + [8])
    head = "".join(f"{name:>12}" for name in ("cases", *VERDICTS))
    lines = [f"{'':{width}}{head}"]
    for name, counts in sorted(table.items()):
        numbers = "".join(f"{counts[verdict]:12}" for verdict in VERDICTS)
        lines.append(f"{name:{width}}{counts.total():12}{numbers}")
    sums: Counter[str] = Counter(result.verdict for result in results)
    numbers = "".join(f"{sums[verdict]:12}" for verdict in VERDICTS)
    lines.append(f"{'in all':{width}}{len(results):12}{numbers}")
    return "\n".join(lines)


def coverage_text(coverage: Coverage) -> str:
    rules = [s for s in coverage.known if s.is_rule]
    covered = [s for s in rules if coverage.by_id[s.id]]
    lines = [
        f"statements: {len(coverage.covered)} of {len(coverage.known)} covered,"
        f" {len(coverage.untestable)} untestable here; with MUST: {len(covered)} of {len(rules)}"
    ]
    lines += [f"uncovered: {s.id} {s.text}" for s in coverage.uncovered]
    return "\n".join(lines)


def write_junit(path: Path, results: list[Result]) -> None:
    suites = ElementTree.Element("testsuites", name="conformance", tests=str(len(results)))
    for name in sorted(by_category(results)):
        mine = [result for result in results if result.case.category == name]
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=name,
            tests=str(len(mine)),
            failures=str(sum(not result.is_expected for result in mine)),
            skipped=str(sum(result.verdict == "SKIP" for result in mine)),
            time=f"{sum(result.seconds for result in mine):.3f}",
        )
        for result in mine:
            _add_case(suite, result)
    ElementTree.indent(suites)
    ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _add_case(suite: ElementTree.Element, result: Result) -> None:
    entry = ElementTree.SubElement(
        suite,
        "testcase",
        classname=result.case.category,
        name=result.case.id,
        time=f"{result.seconds:.3f}",
    )
    if not result.is_expected:
        ElementTree.SubElement(
            entry, "failure", message=_printable(result.why), type=result.verdict
        )
    elif result.verdict == "SKIP":
        ElementTree.SubElement(entry, "skipped", message=_printable(result.why))
    elif result.verdict == "NON-STRICT":
        said = ElementTree.SubElement(entry, "system-out")
        said.text = _printable(f"NON-STRICT: {result.why} ({result.case.reason})")


def _printable(text: str) -> str:
    """XML has no place for control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def write_markdown(path: Path, results: list[Result], coverage: Coverage) -> None:
    lines = ["# Conformance", "", "| category | cases | " + " | ".join(VERDICTS) + " |"]
    lines.append("|---" * (len(VERDICTS) + 2) + "|")
    for name, counts in sorted(by_category(results).items()):
        numbers = " | ".join(str(counts[verdict]) for verdict in VERDICTS)
        lines.append(f"| {name} | {counts.total()} | {numbers} |")
    lines += ["", "## Cases", "", "| verdict | case | title | statements | why |"]
    lines.append("|---|---|---|---|---|")
    for result in results:
        case = result.case
        cells = [result.verdict, case.id, case.title, ", ".join(case.covers)]
        cells.append(result.why or case.reason)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    lines += ["", "## Statements", "", "| statement | cases |", "|---|---|"]
    for statement in coverage.known:
        cases = coverage.by_id[statement.id]
        found = f"{len(cases)}, {cases[0]} …" if cases else coverage.untestable.get(statement.id)
        lines.append(f"| {statement.id} | {_cell(found or '**none**')} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(text: str) -> str:
    return _printable(text).replace("|", "\\|").replace("\n", "<br>")
