"""Builds holdfast._core, with libholdfast from ../c inside it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from setuptools import Extension, setup

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parent / "c"

# HOLDFAST_SANITIZE=address,undefined makes a build that looks for mistakes in our C.
sanitize = os.environ.get("HOLDFAST_SANITIZE")
extra = [f"-fsanitize={sanitize}", "-fno-omit-frame-pointer"] if sanitize else []


def protobuf_c() -> tuple[list[str], list[str]]:
    """What libholdfast itself needs: its archive, so that nothing has to be installed beside the
    wheel; the linker's flags where there is none."""
    libraries = _ask_pkg_config("--variable=libdir")
    archive = Path(libraries[0] if libraries else "/usr/lib") / "libprotobuf-c.a"
    if archive.exists():
        return [str(archive)], []
    return [], _ask_pkg_config("--libs") or ["-lprotobuf-c"]


def _ask_pkg_config(question: str) -> list[str]:
    command = ["pkg-config", question, "libprotobuf-c"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return []


archives, flags = protobuf_c()

core = Extension(
    "holdfast._core",
    sources=sorted(f"src/{path.name}" for path in (HERE / "src").glob("*.c")),
    depends=[
        "setup.py",
        *sorted(f"src/{path.name}" for path in (HERE / "src").glob("*.h")),
        str(LIBRARY / "include" / "holdfast.h"),
        str(LIBRARY / "build" / "libholdfast.a"),
    ],
    include_dirs=[str(LIBRARY / "include")],
    extra_objects=[str(LIBRARY / "build" / "libholdfast.a"), *archives],
    define_macros=[("Py_LIMITED_API", "0x030A0000")],
    extra_compile_args=[
        "-std=c11",
        "-D_GNU_SOURCE",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Wshadow",
        "-Wno-missing-field-initializers",
        "-fvisibility=hidden",
        "-pthread",
        *extra,
    ],
    # The process may hold another libholdfast: nothing of this one is to be seen from outside.
    extra_link_args=["-Wl,--exclude-libs,ALL", "-pthread", *flags, *extra],
    py_limited_api=True,
)

setup(ext_modules=[core], options={"bdist_wheel": {"py_limited_api": "cp310"}})
