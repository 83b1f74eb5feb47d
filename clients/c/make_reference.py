#!/usr/bin/env python3
"""Makes docs/reference.md of include/holdfast.h: what stands there, in its order, with links.

    make_reference.py [--check]

Each declaration comes with the comment before it. --check writes nothing, and fails when the page
is not that of the header.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE / "include" / "holdfast.h"
PAGE = HERE / "docs" / "reference.md"

SECTION = re.compile(r"/\* -{20,} \*/\n/\* (?P<title>.+?) +\*/\n/\* -{20,} \*/\n")
SUBSECTION = re.compile(r"/\* --- (?P<title>.+?) -{3,} \*/\n")
COMMENT = re.compile(r"/\*(?P<text>.*?)\*/\n", re.DOTALL)
# A function with a body is shown without it.
INLINE = re.compile(r"static inline (?P<head>[^{;]+?)\n\{.*?\n\}\n", re.DOTALL)
BLOCK = re.compile(r"typedef (?:struct|enum) \w+ \{.*?\n\} (?P<name>\w+);\n", re.DOTALL)
MACRO = re.compile(r"#define (?P<name>HOLDFAST_\w+)(?P<rest>(?:.*\\\n)*.*)\n")
STATEMENT = re.compile(r"(?:typedef|HOLDFAST_API|extern)\b[^;{]*;\n")
NAME = re.compile(r"\(\*(\w+)\)\(|(\w+)\(|(\w+);$")
LINE = re.compile(r".*\n")

# What only makes the header one.
IGNORED = ("HOLDFAST_H", "HOLDFAST_API")


@dataclass
class Entry:
    """A heading (of depth 2 or 3), a paragraph of its own, or a declaration."""

    kind: str
    name: str
    code: str = ""
    text: str = ""


def prose(comment: str) -> str:
    lines = [line.strip().removeprefix("*").strip() for line in comment.strip().splitlines()]
    return "\n".join(lines)


def declared(code: str) -> str:
    found = NAME.search(re.sub(r"\s+", " ", code))
    assert found is not None, code
    return next(group for group in found.groups() if group)


def entries(text: str) -> Iterator[Entry]:
    """In the order of the header, from its first section on."""
    at, comment = SECTION.search(text).start(), ""  # type: ignore[union-attr]

    def free(comment: str) -> Iterator[Entry]:
        if comment:
            yield Entry("paragraph", "", text=comment)

    while at < len(text):
        if found := SECTION.match(text, at):
            yield from free(comment)
            yield Entry("section", found["title"])
            comment = ""
        elif found := SUBSECTION.match(text, at):
            yield from free(comment)
            yield Entry("subsection", found["title"])
            comment = ""
        elif found := COMMENT.match(text, at):
            yield from free(comment)
            comment = prose(found["text"])
        elif found := INLINE.match(text, at):
            code = found["head"].strip() + ";"
            yield Entry("declaration", declared(code), code, comment)
            comment = ""
        elif found := BLOCK.match(text, at):
            yield Entry("declaration", found["name"], found[0].strip(), comment)
            comment = ""
        elif (found := MACRO.match(text, at)) and found["name"] not in IGNORED:
            code = re.sub(r" *\\\n", " \\\\\n", found[0]).strip()
            yield Entry("declaration", found["name"], code, comment)
            comment = ""
        elif found := STATEMENT.match(text, at):
            code = found[0].replace("HOLDFAST_API ", "").strip()
            yield Entry("declaration", declared(code), code, comment)
            comment = ""
        else:
            found = LINE.match(text, at)
            assert found is not None
            if not found[0].strip():
                yield from free(comment)
                comment = ""
        at = found.end()


def linked(text: str, names: set[str], own: str) -> str:
    """Names of other declarations become links."""

    def link(found: re.Match[str]) -> str:
        name = found[0]
        return f"[`{name}`](#{name.lower()})" if name in names and name != own else f"`{name}`"

    return re.sub(r"\bholdfast_\w+\b", link, text)


def page(header: str) -> str:
    found = list(entries(header))
    names = {entry.name for entry in found if entry.kind == "declaration"}
    lines = [
        "# libholdfast: reference",
        "",
        "Made of `include/holdfast.h` by `make reference`: do not edit.",
        "",
    ]
    for entry in found:
        if entry.kind == "section":
            lines += [f"## {entry.name}", ""]
        elif entry.kind == "subsection":
            lines += [f"### {entry.name}", ""]
        elif entry.kind == "paragraph":
            lines += [linked(entry.text, names, ""), ""]
        else:
            lines += [f"#### {entry.name}", "", "```c", entry.code, "```", ""]
            if entry.text:
                lines += [linked(entry.text, names, entry.name), ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    made = page(HEADER.read_text())
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != made:
            print(f"{PAGE.name} is not that of the header: run make reference", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
