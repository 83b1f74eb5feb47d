"""The parts of the suite: schema, codec, text form, patterns, cases, coverage."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from conformance.__main__ import HERE, PROTO, miscounted
from conformance.cases import Case, load
from conformance.codec import Malformed
from conformance.coverage import Coverage, Statement, statements
from conformance.patterns import difference
from conformance.report import Result, totals, write_junit, write_markdown
from conformance.text import Ill, Words, steps

from .fake_engine import CODEC


def value(text: str, **kept: object) -> object:
    return Words(steps(text)[0], lambda name: kept[name]).value()


class CodecTests(unittest.TestCase):
    def test_the_example_of_the_page_is_made_byte_by_byte(self) -> None:
        hello = {"hello": {"protocol_versions": [1], "client_name": "demo"}}
        # The page writes the single version as a packed list, as this does.
        self.assertEqual(CODEC.encode("Frame", hello).hex(), "12090a0101120464656d6f")

    def test_numbers_of_every_size_come_back(self) -> None:
        for number in (1, -1, 127, 128, (1 << 63) - 1, -(1 << 63)):
            data = CODEC.encode("Open", {"timeout_ms": number})
            self.assertEqual(CODEC.decode("Open", data), {"timeout_ms": number})
        data = CODEC.encode("Frame", {"stream": (1 << 64) - 1})
        self.assertEqual(CODEC.decode("Frame", data), {"stream": (1 << 64) - 1})

    def test_enumerations_are_names_without_their_prefix_and_unknown_ones_numbers(self) -> None:
        data = CODEC.encode("Status", {"code": "NOT_FOUND", "reason": 99})
        self.assertEqual(CODEC.decode("Status", data), {"code": "NOT_FOUND", "reason": "99"})

    def test_what_no_engine_may_send_is_malformed(self) -> None:
        for bad in ("08", "0e00", "1205", "0a02c328", "a00601", "ff" * 11):
            with self.assertRaises(Malformed, msg=bad):
                CODEC.decode("Cancel", bytes.fromhex(bad))


class TextTests(unittest.TestCase):
    def test_values(self) -> None:
        self.assertEqual(value('{a: [1, -2], b: {c: true}, d: x"00 ff"}'),
                         {"a": [1, -2], "b": {"c": True}, "d": b"\0\xff"})  # fmt: skip
        self.assertEqual(value('"ab" * 2'), "abab")
        self.assertEqual(value('"\\u00e9\\n$name"', name="x"), "é\nx")
        self.assertEqual(value('"a" + x"00"'), b"a\0")

    def test_a_step_goes_on_where_a_line_is_indented_or_a_bracket_is_open(self) -> None:
        found = steps("a\n  b\nc {\nd: 1\n}\n# remark\ne")
        self.assertEqual([step[0].text for step in found], ["a", "c", "e"])

    def test_what_cannot_be_read_is_told_with_its_line(self) -> None:
        for text in ("a\n%", "a {", 'a "'):
            with self.assertRaises(Ill):
                steps(text)


class PatternTests(unittest.TestCase):
    def test_marks(self) -> None:
        found = {"a": 5, "b": "text", "c": [{"d": 1}, {"d": 2}, {"d": 3}], "e": {}}
        fits = """{a: 5}  {a: >4}  {b: ~"^te"}  {f: absent}  {f: 0}  {e: _}  {c: [{d: 1}, ...]}
            {c: [..., {d: 3}]}  {c: [_, {d: 2}, _]}  {b: != "x"}"""
        for pattern in fits.replace("\n", "  ").split("  "):
            if pattern.strip():
                self.assertEqual(difference(value(pattern.strip()), found, {}), "", pattern)
        differs = """{a: 6}  {a: >5}  {a: absent}  {f: _}  {c: [{d: 1}]}  {e: absent}  {a: {}}
            {c: [..., {d: 2}]}  {f: {g: 0}}  {b: != "text"}"""
        for pattern in differs.replace("\n", "  ").split("  "):
            if pattern.strip():
                self.assertNotEqual(difference(value(pattern.strip()), found, {}), "", pattern)

    def test_captures_are_kept(self) -> None:
        kept: dict[str, object] = {}
        self.assertEqual(difference(value("{a: ?x, c: [..., {d: ?y}]}"),
                                    {"a": 1, "c": [{"d": 2}, {"d": 3}]}, kept), "")  # fmt: skip
        self.assertEqual(kept, {"x": 1, "y": 3})


class CaseTests(unittest.TestCase):
    def loaded(self, text: str) -> list[Case]:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "c").mkdir()
            (Path(folder) / "c" / "f.toml").write_text(text, encoding="utf-8")
            return load(Path(folder))

    def test_a_family_is_a_case_for_each_row(self) -> None:
        cases = self.loaded(
            "[[family]]\nid = 'f'\ntitle = '<n>'\ncovers = ['FRM-001']\nsteps = 'quiet'\n"
            "rows = [{name = 'a', n = '1'}, {name = 'b', n = '2', covers = ['FRM-002']}]"
        )
        self.assertEqual([case.id for case in cases], ["c/f/a", "c/f/b"])
        self.assertEqual(cases[1].covers, ("FRM-001", "FRM-002"))

    def test_what_is_wrong_with_a_case_is_found_when_it_is_read(self) -> None:
        head = "[[case]]\nid = 'a'\ntitle = 't'\ncovers = []\n"
        for text in (
            head + "steps = 'connect'",  # It cannot fail.
            head + "steps = 'quiet'\nunknown = 1",
            head + "steps = 'quiet <nothing>'",
            head + "steps = 'do nothing_known'",
            head + "steps = 'quiet'\nverdict = 'NON-STRICT'",  # Without a reason.
            (head + "steps = 'quiet'\n") * 2,
        ):
            with self.assertRaises(Ill, msg=text):
                self.loaded(text)

    def test_the_cases_that_come_with_it_are_as_many_as_declared(self) -> None:
        import tomllib

        for folder in sorted(HERE.glob("cases*")):
            declared = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
            self.assertEqual(miscounted(load(folder), declared["total"]), "")

    def test_lost_cases_show(self) -> None:
        case = Case("c/1", "c", "t", (), "quiet", "here")
        self.assertEqual(miscounted([case], {"c": 1}), "")
        self.assertIn("c has 1 instead of 2", miscounted([case], {"c": 2}))
        self.assertIn("d has 0", miscounted([case], {"c": 1, "d": 1}))


class ReportTests(unittest.TestCase):
    def test_coverage_names_what_is_missing(self) -> None:
        known = [Statement("FRM-001", "MUST"), Statement("FRM-002", "MUST"), Statement("X", "")]
        case = Case("c/1", "c", "t", ("FRM-001",), "quiet", "here")
        coverage = Coverage(known, [case], {"X": "because"})
        self.assertEqual([s.id for s in coverage.uncovered], ["FRM-002"])
        with self.assertRaises(Ill):
            Coverage(known, [Case("c/1", "c", "t", ("NO-1",), "", "")], {})
        with self.assertRaises(Ill):
            Coverage(known, [case], {"FRM-001": "because"})
        self.assertGreater(len(statements(PROTO / "README.md")), 100)

    def test_reports_are_written(self) -> None:
        case = Case("c/1", "c", "t|t", ("FRM-001",), "quiet", "here")
        results = [Result(case, "FAIL", "no\x01<", 1.0), Result(case, "PASS", "", 1.0)]
        coverage = Coverage([Statement("FRM-001", "MUST")], [case], {})
        with tempfile.TemporaryDirectory() as folder:
            write_junit(Path(folder) / "a.xml", results)
            write_markdown(Path(folder) / "a.md", results, coverage)
            self.assertIn('failures="1"', (Path(folder) / "a.xml").read_text())
            self.assertIn("t\\|t", (Path(folder) / "a.md").read_text())
        self.assertIn("in all", totals(results))


if __name__ == "__main__":
    unittest.main()
