"""Cases as data: TOML files, families of them, and macros."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .text import Ill, steps

CASE_KEYS = {
    "id", "title", "covers", "steps", "engine", "config", "slow", "verdict", "reason", "setup",
}  # fmt: skip
FAMILY_KEYS = CASE_KEYS | {"rows"}
PLACE = re.compile(r"<([a-z_]+)>")
# A case without one of these could not fail.
EXPECTING = {
    "call", "eventually", "end", "part", "history", "expect", "next", "goaway", "drained", "closed",
    "cut_off", "quiet", "alive", "task", "none", "exits", "same", "differ", "told", "opened",
    "says", "comes", "attached", "recovers", "answer", "greet",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    id: str
    category: str
    title: str
    covers: tuple[str, ...]
    steps: str
    source: str
    needs_own_engine: bool = False
    config: str = ""
    is_slow: bool = False
    verdict: str = "PASS"
    reason: str = ""


@dataclass(frozen=True)
class Macro:
    defaults: dict[str, str]
    steps: str


def load(folder: Path) -> list[Case]:
    """Every case under the folder, in the order of files and within them."""
    macros = _macros(folder / "macros.toml")
    cases: list[Case] = []
    for file in sorted(folder.glob("*/*.toml")):
        try:
            cases += list(_file(file, macros))
        except (Ill, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
            raise Ill(f"{file}: {error}") from error
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise Ill(f"{case.source}: {case.id} is there twice")
        seen.add(case.id)
    return cases


def _macros(path: Path) -> dict[str, Macro]:
    if not path.exists():
        return {}
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    macros: dict[str, Macro] = {}
    for name, entry in found.items():
        defaults = {key: str(value) for key, value in entry.items() if key != "steps"}
        macros[name] = Macro(defaults, entry["steps"])
    return macros


def _file(path: Path, macros: dict[str, Macro]) -> Iterator[Case]:
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = found.keys() - {"case", "family"}
    if unknown:
        raise Ill(f"{unknown} is neither case nor family")
    for entry in found.get("case", []):
        yield _case(entry, path, macros, CASE_KEYS, {})
    for entry in found.get("family", []):
        for row in entry["rows"]:
            yield _case(entry, path, macros, FAMILY_KEYS, row)


def _case(
    entry: dict[str, Any], path: Path, macros: dict[str, Macro], keys: set[str], row: dict[str, Any]
) -> Case:
    if unknown := entry.keys() - keys:
        raise Ill(f"{entry.get('id')}: {unknown} is not known")
    category = path.parent.name
    values = {key: str(value) for key, value in row.items()}
    name = f"{category}/{entry['id']}" + (f"/{row['name']}" if row else "")
    text = expand(_filled(entry["steps"], values, name), macros, name)
    covers = tuple(entry["covers"]) + tuple(row.get("covers", ()))
    verdict = row.get("verdict", entry.get("verdict", "PASS"))
    reason = row.get("reason", entry.get("reason", ""))
    if verdict not in ("PASS", "NON-STRICT") or (verdict != "PASS" and not reason):
        raise Ill(f"{name}: a verdict of {verdict} needs to be known, and a reason")
    _check(name, text)
    return Case(
        id=name,
        category=category,
        title=_filled(entry["title"], values, name),
        covers=covers,
        steps=text,
        source=str(path),
        needs_own_engine=entry.get("engine") == "own",
        config=_filled(entry.get("config", ""), values, name),
        is_slow=bool(row.get("slow", entry.get("slow", False))),
        verdict=verdict,
        reason=reason,
    )


def _filled(text: str, values: dict[str, str], name: str) -> str:
    def value(match: re.Match[str]) -> str:
        if match.group(1) not in values:
            raise Ill(f"{name}: nothing is given for {match.group()}")
        return values[match.group(1)]

    return PLACE.sub(value, text)


def expand(text: str, macros: dict[str, Macro], name: str, depth: int = 0) -> str:
    """Puts the steps of a macro where `do NAME key='value'` stands."""
    if depth > 8:
        raise Ill(f"{name}: a macro uses itself")
    lines: list[str] = []
    for line in text.splitlines():
        words = line.split()
        place = words[:1] if words[:1] and words[0].startswith("@") else []
        if words[len(place) : len(place) + 1] != ["do"]:
            lines.append(line)
            continue
        given = shlex.split(line)[len(place) + 1 :]
        macro = macros.get(given[0])
        if macro is None:
            raise Ill(f"{name}: there is no macro {given[0]}")
        values = {**macro.defaults, **dict(word.split("=", 1) for word in given[1:])}
        if unknown := values.keys() - macro.defaults.keys():
            raise Ill(f"{name}: macro {given[0]} has no {unknown}")
        inner = _filled(macro.steps, values, f"{name}, macro {given[0]}")
        prefix = f"{place[0]} " if place else ""
        lines += _prefixed(expand(inner, macros, name, depth + 1), prefix)
    return "\n".join(lines)


def _prefixed(text: str, prefix: str) -> list[str]:
    """A macro's steps on another connection; a step may go over lines that are indented."""
    return [
        prefix + line if line.strip() and not line[0].isspace() else line
        for line in text.strip("\n").splitlines()
    ]


def _check(name: str, text: str) -> None:
    verbs = set()
    for step in steps(text):
        words = [token.text for token in step if token.kind == "word" or token.text == ";"]
        words = [word for word in words if not word.startswith("@")]
        verbs.add(words[0])
        if words[0] == "repeat":
            verbs.add(words[1])
            verbs |= {words[i + 1] for i, word in enumerate(words[:-1]) if word == ";"}
    if not verbs & EXPECTING:
        raise Ill(f"{name}: it expects nothing, so it cannot fail")
