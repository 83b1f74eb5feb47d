#!/usr/bin/env python3
"""Makes holdfast/_generated/libholdfast.py from the C header: python generate.py [OUTPUT]"""

import re
import sys
from pathlib import Path

import cffi

HERE = Path(__file__).parent
HEADER = HERE.parent / "c" / "include" / "holdfast.h"
OUTPUT = HERE / "holdfast" / "_generated" / "libholdfast.py"


def declarations(header: str) -> str:
    """The header without what a parser of plain declarations does not know."""
    header = header.split("/* The protocol without I/O ", maxsplit=1)[0]
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    header = re.sub(r"static inline .*?\n}\n", "", header, flags=re.DOTALL)
    header = re.sub(r"\\\n", " ", header)
    header = re.sub(r"^#.*$", "", header, flags=re.MULTILINE)
    header = header.replace('extern "C" {', "").replace("HOLDFAST_API ", "")
    return re.sub(r"\n{2,}", "\n", header)


def main() -> None:
    builder = cffi.FFI()
    builder.cdef(declarations(HEADER.read_text()))
    builder.set_source("holdfast._generated.libholdfast", None)
    builder.emit_python_code(str(sys.argv[1] if len(sys.argv) > 1 else OUTPUT))


if __name__ == "__main__":
    main()
