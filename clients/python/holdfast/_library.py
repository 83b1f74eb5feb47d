"""libholdfast, loaded, and the small change between Python's values and C's views."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from ._generated.libholdfast import ffi

HEADER_VERSION = 1_000  # HOLDFAST_VERSION_NUMBER that the declarations were made from: 0.1.0
SONAME = "libholdfast.so.0"


def _open() -> Any:
    """$HOLDFAST_LIBRARY, else the library beside this source tree, else the system's."""
    beside = Path(__file__).parents[2] / "c" / "build" / SONAME
    path = os.environ.get("HOLDFAST_LIBRARY") or (str(beside) if beside.exists() else SONAME)
    try:
        library = ffi.dlopen(path)
    except OSError as error:
        raise ImportError(
            f"cannot load libholdfast ({error}); install it, or set HOLDFAST_LIBRARY to its file"
        ) from error
    if not library.holdfast_version_check(HEADER_VERSION):
        found = ffi.string(library.holdfast_version()).decode()
        raise ImportError(f"{path} is libholdfast {found}; this package needs 0.1 or a later 0.x")
    return library


lib = _open()

__all__ = ["Arena", "ffi", "lib", "to_bytes", "to_str"]


@functools.cache
def _has_size(type_name: str) -> bool:
    return any(name == "struct_size" for name, _ in ffi.typeof(type_name).fields)


class Arena:
    """Owns the memory that C structs point to, for as long as the arena is referenced."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def keep(self, owner: Any) -> Any:
        self._kept.append(owner)
        return owner

    def bytes(self, value: bytes) -> tuple[Any, int]:
        """The two members of a holdfast_bytes or holdfast_string."""
        return self.keep(ffi.from_buffer("char[]", value)), len(value)

    def string(self, value: str) -> tuple[Any, int]:
        return self.bytes(value.encode())

    def struct(self, type_name: str, **members: Any) -> Any:
        """A new struct; str and bytes become views, struct_size is filled in."""
        made = self.keep(ffi.new(f"{type_name} *"))
        if _has_size(type_name):
            made.struct_size = ffi.sizeof(type_name)
        for name, value in members.items():
            if isinstance(value, str):
                setattr(made, name, self.string(value))
            elif isinstance(value, bytes):
                setattr(made, name, self.bytes(value))
            else:
                setattr(made, name, value)
        return made


def to_bytes(view: Any) -> bytes:
    """Copies a holdfast_bytes or holdfast_string."""
    if view.len == 0:
        return b""
    copy: bytes = ffi.buffer(ffi.cast("char *", view.ptr), view.len)[:]
    return copy


def to_str(view: Any) -> str:
    return to_bytes(view).decode()
