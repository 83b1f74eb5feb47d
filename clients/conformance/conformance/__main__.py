"""`python3 -m conformance engine …`; see README.md."""

from __future__ import annotations

import argparse
import fnmatch
import sys
import time
import tomllib
from pathlib import Path

from . import report
from .cases import Case, load
from .codec import Codec
from .coverage import Coverage, statements
from .schema import Schema
from .suite import ClientSuite, EngineSuite
from .text import Ill

HERE = Path(__file__).resolve().parent.parent
PROTO = HERE.parent.parent / "proto"
COMMAND = "holdfast serve --db {db} --socket {socket}"


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    modes = parser.add_subparsers(dest="mode", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--cases", type=Path, help="the folder of cases")
    common.add_argument("--proto", type=Path, default=PROTO, help="README.md and holdfast/v1/")
    common.add_argument("--only", action="append", default=[], metavar="GLOB", help="these cases")
    common.add_argument("--quick", action="store_true", help="leave out the slow ones")
    common.add_argument("--strict", action="store_true", help="NON-STRICT has to be declared")
    common.add_argument("--quiet", action="store_true", help="failures and totals only")
    common.add_argument("--junit", type=Path, metavar="FILE")
    common.add_argument("--markdown", type=Path, metavar="FILE")
    engine = modes.add_parser("engine", parents=[common], help="plays the client")
    engine.add_argument("--command", default=COMMAND, help="a line with {db} and {socket}")
    engine.add_argument("--socket", default="", help="an engine that is there already")
    client = modes.add_parser("client", parents=[common], help="plays the engine")
    client.add_argument("--driver", required=True, help="a line with {socket}; see README.md")
    modes.add_parser("list", parents=[common], help="names and titles of all cases")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    options = arguments(words)
    try:
        return run(options)
    except (Ill, OSError, ValueError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def run(options: argparse.Namespace) -> int:
    folder = options.cases or HERE / ("client-cases" if options.mode == "client" else "cases")
    cases = load(folder)
    manifest = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
    if lost := miscounted(cases, manifest.get("total", {})):
        raise Ill(f"the manifest declares another number of cases: {lost}")
    known = statements(options.proto / "README.md")
    if options.mode == "client":
        # Most of the page is about engines: the manifest says what a client can be asked for.
        named = set(manifest["statements"]["covered"])
        named |= {number for case in cases for number in case.covers}
        known = [statement for statement in known if statement.id in named]
    coverage = Coverage(known, cases, manifest.get("untestable", {}))
    chosen = [case for case in cases if is_chosen(case, options)]
    if options.mode == "list":
        for case in chosen:
            print(f"{case.id}\t{', '.join(case.covers)}\t{case.title}")
        return 0
    codec = Codec(Schema.read(options.proto))
    suite: EngineSuite | ClientSuite
    if options.mode == "client":
        suite = ClientSuite(codec, options.driver)
    else:
        suite = EngineSuite(codec, options.command, options.socket)
    return conclude(options, suite, chosen, coverage)


def is_chosen(case: Case, options: argparse.Namespace) -> bool:
    if options.only:
        return any(fnmatch.fnmatch(case.id, pattern) for pattern in options.only)
    return not (options.quick and case.is_slow)


def miscounted(cases: list[Case], declared: dict[str, int]) -> str:
    found: dict[str, int] = {}
    for case in cases:
        found[case.category] = found.get(case.category, 0) + 1
    names = sorted(found.keys() | declared.keys())
    return ", ".join(
        f"{name} has {found.get(name, 0)} instead of {declared.get(name, 0)}"
        for name in names
        if found.get(name, 0) != declared.get(name, 0)
    )


def conclude(
    options: argparse.Namespace,
    suite: EngineSuite | ClientSuite,
    chosen: list[Case],
    coverage: Coverage,
) -> int:
    def told(result: report.Result) -> None:
        if not options.quiet or not result.is_expected:
            print(report.line(result), flush=True)

    began = time.monotonic()
    results = suite.run(chosen, told)
    print(report.totals(results))
    print(f"in {time.monotonic() - began:.1f} s")
    print(report.coverage_text(coverage))
    if options.junit:
        report.write_junit(options.junit, results)
    if options.markdown:
        report.write_markdown(options.markdown, results, coverage)
    is_covered = not any(statement.is_rule for statement in coverage.uncovered)
    failed = [r for r in results if r.verdict == "FAIL" or (options.strict and not r.is_expected)]
    return 0 if is_covered and not failed else 1


def entry() -> None:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    entry()
