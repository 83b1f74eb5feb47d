"""What the client mode says of clients that behave and of such that do not."""

from __future__ import annotations

import shlex
import sys
import unittest
from unittest import mock

from conformance import driver
from conformance.cases import Case
from conformance.report import Result
from conformance.suite import ClientSuite

from .fake_client import CODEC

CONNECT = """
tell connect 5000
greet
told [connect, OK, "-"]
"""
HEALTH = (
    CONNECT
    + """
tell health
opened OperatorService/Health
frame {ping: {id: 5}}
expect {pong: {id: 5}} within 1s
reply {state: SERVING}
told [health, OK, "-", "1"]
"""
)
BROKEN = (
    CONNECT
    + """
tell health
opened OperatorService/Health
send x"ff ff ff ff"
recovers health
"""
)


def verdict(steps: str, fault: str) -> Result:
    command = f"{sys.executable} -m tests.fake_client {shlex.quote(fault)} {{socket}}"
    case = Case("c/1", "c", "title", ("FRM-001",), steps, "here")
    return ClientSuite(CODEC, command).run([case], lambda _: None)[0]


class ClientTests(unittest.TestCase):
    def test_a_client_that_behaves_passes(self) -> None:
        for steps in (CONNECT, HEALTH, BROKEN):
            result = verdict(steps, "none")
            self.assertEqual(result.verdict, "PASS", result.why)

    def test_a_client_that_misbehaves_fails(self) -> None:
        for fault in ("version 2", "exit code"):
            self.assertEqual(verdict(CONNECT, fault).verdict, "FAIL", fault)
        for fault in ("stream 0", "no end", "no pong", "wrong status"):
            self.assertEqual(verdict(HEALTH, fault).verdict, "FAIL", fault)

    def test_a_client_that_keeps_a_broken_connection_fails(self) -> None:
        with (
            mock.patch.object(driver, "PATIENCE", 1.0),
            mock.patch("conformance.peer.PATIENCE", 1.0),
        ):
            result = verdict(BROKEN.replace("recovers health", "closed within 1s"), "keeps open")
        self.assertEqual(result.verdict, "FAIL")

    def test_a_driver_that_cannot_be_started_fails(self) -> None:
        case = Case("c/1", "c", "title", (), CONNECT, "here")
        result = ClientSuite(CODEC, "/bin/false").run([case], lambda _: None)[0]
        self.assertEqual(result.verdict, "FAIL")


if __name__ == "__main__":
    unittest.main()
