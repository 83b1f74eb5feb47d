"""The library's declarations, and a client without an engine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import Client, UnavailableError
from holdfast._library import HEADER_VERSION, lib

HERE = Path(__file__).parents[1]


def test_the_declarations_are_those_of_the_header(tmp_path: Path) -> None:
    made = tmp_path / "libholdfast.py"
    subprocess.run([sys.executable, HERE / "generate.py", made], check=True, capture_output=True)
    committed = HERE / "holdfast" / "_generated" / "libholdfast.py"
    assert made.read_text() == committed.read_text(), "run make generate and commit the result"


def test_the_version_is_the_headers() -> None:
    header = (HERE.parent / "c" / "include" / "holdfast.h").read_text()
    major, minor, patch = (
        int(re.findall(rf"HOLDFAST_VERSION_{part} (\d+)", header)[0])
        for part in ("MAJOR", "MINOR", "PATCH")
    )
    assert major * 1_000_000 + minor * 1_000 + patch == HEADER_VERSION
    assert lib.holdfast_version_number() >= HEADER_VERSION


def test_no_engine_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises((UnavailableError, TimeoutError)) as raised:
        Client.connect(str(tmp_path / "nobody.sock"), connect_timeout=0.05)
    assert "nobody.sock" in str(raised.value)
