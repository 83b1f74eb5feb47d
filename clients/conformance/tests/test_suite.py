"""What the suite says of engines that behave and of such that do not."""

from __future__ import annotations

import unittest

from conformance import peer
from conformance.cases import Case
from conformance.report import Result
from conformance.suite import EngineSuite

from .fake_engine import CODEC, FakeEngine

LENGTH = """
connect
send x"ff ff ff ff"
goaway RESOURCE_EXHAUSTED FRAME_TOO_LARGE
"""
HEALTH = """
call OperatorService/Health {} -> OK {state: SERVING}
quiet
"""


def verdict(steps: str, *faults: str, **more: object) -> Result:
    case = Case("c/1", "c", "title", ("FRM-001",), steps, "here", **more)  # type: ignore[arg-type]
    with FakeEngine(*faults) as engine:
        return EngineSuite(CODEC, "", engine.socket).run([case], lambda _: None)[0]


class SuiteTests(unittest.TestCase):
    def setUp(self) -> None:
        self.patience = peer.PATIENCE

    def test_an_engine_that_behaves_passes(self) -> None:
        self.assertEqual(verdict(LENGTH).verdict, "PASS")
        self.assertEqual(verdict(HEALTH).verdict, "PASS")

    def test_what_is_safe_but_not_as_the_page_says_is_non_strict(self) -> None:
        for fault in ("no goaway", "wrong reason"):
            self.assertEqual(verdict(LENGTH, fault).verdict, "NON-STRICT", fault)

    def test_an_engine_that_misbehaves_fails(self) -> None:
        for fault in ("wrong code", "goes on"):
            self.assertEqual(verdict(LENGTH, fault).verdict, "FAIL", fault)
        for fault in ("wrong pong", "draining", "half a frame"):
            self.assertEqual(verdict(HEALTH, fault).verdict, "FAIL", fault)

    def test_a_frame_over_the_engines_own_limit_fails(self) -> None:
        result = verdict(HEALTH, "small limit", "large frame")
        self.assertEqual(result.verdict, "FAIL")
        self.assertIn("it sends a frame of", result.why)

    def test_a_connection_that_stays_open_fails(self) -> None:
        steps = LENGTH.replace("goaway", "goaway").rstrip() + " within 1s\nclosed within 1s\n"
        self.assertEqual(verdict(steps).verdict, "PASS")

    def test_an_engine_that_does_not_go_on_fails_though_the_case_passed(self) -> None:
        from conformance.engine import Level

        patience, Level.PATIENCE = Level.PATIENCE, 0.1
        try:
            result = verdict(LENGTH, "mute after the first")
        finally:
            Level.PATIENCE = patience
        self.assertEqual(result.verdict, "FAIL")
        self.assertIn("after the case", result.why)

    def test_what_an_answer_should_hold_is_looked_at(self) -> None:
        wrong = "call OperatorService/Health {} -> OK {uptime_ms: >5}"
        self.assertIn("uptime_ms", verdict(wrong).why)
        refused = "call OperatorService/Health {} -> NOT_FOUND"
        self.assertEqual(verdict(refused).verdict, "FAIL")

    def test_a_case_that_is_not_written_well_fails(self) -> None:
        for steps in ("nonsense 1", "expect {stream: $nobody}", "call Nope/Nope {a: 1}"):
            result = verdict(steps)
            self.assertEqual(result.verdict, "FAIL")
            self.assertIn("not written well", result.why)

    def test_a_case_that_needs_its_own_engine_is_skipped_at_a_given_socket(self) -> None:
        self.assertEqual(verdict(HEALTH, needs_own_engine=True).verdict, "SKIP")
        self.assertEqual(verdict(HEALTH, config="a = 1").verdict, "SKIP")


if __name__ == "__main__":
    unittest.main()
