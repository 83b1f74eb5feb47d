#!/usr/bin/env python3
"""Makes holdfast/_proto from the schema: python generate_messages.py [--check]

protoc reads the schema; what it says of it is read here without the protobuf package. With
--check nothing is written, and the exit status is 1 when the committed files are others.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parents[1] / "proto"
OUTPUT = HERE / "holdfast" / "_proto"
WIDTH = 100

# FieldDescriptorProto.Type; groups (10) are not of proto3.
KINDS = {
    1: "double",
    2: "float",
    3: "int64",
    4: "uint64",
    5: "int32",
    6: "fixed64",
    7: "fixed32",
    8: "bool",
    9: "string",
    11: "message",
    12: "bytes",
    13: "uint32",
    14: "enum",
    15: "sfixed32",
    16: "sfixed64",
    17: "sint32",
    18: "sint64",
}
LABEL_REPEATED = 3

# What a field may not be called: the methods of Message.
METHODS = {"encode", "decode"}
# What the generated modules mean by these names no field and no message may hide.
RESERVED = {"Sequence", "Literal", "Message", "Method", "IntEnum", "TYPE_CHECKING", "builtins"}
# A field may have these names: its class then says builtins.bytes where it means the type.
BUILTINS = re.compile(r"\b(int|str|bytes|bool|float)\b")

HEADER = '''"""{summary}

Made by generate_messages.py from {source}: do not edit.
"""

from __future__ import annotations
'''


class Record:
    """A message of a descriptor set by field numbers."""

    def __init__(self, data: bytes) -> None:
        self._values: dict[int, list[int | bytes]] = {}
        at = 0
        while at < len(data):
            tag, at = varint(data, at)
            value: int | bytes
            if tag & 7 == 0:
                value, at = varint(data, at)
            elif tag & 7 == 2:
                size, at = varint(data, at)
                value, at = data[at : at + size], at + size
            else:
                raise ValueError(f"descriptors have no wire type {tag & 7}")
            self._values.setdefault(tag >> 3, []).append(value)

    def raw(self, number: int) -> list[bytes]:
        return [value for value in self._values.get(number, []) if isinstance(value, bytes)]

    def records(self, number: int) -> list[Record]:
        return [Record(value) for value in self.raw(number)]

    def text(self, number: int) -> str:
        return (self.raw(number) or [b""])[-1].decode()

    def number(self, number: int, otherwise: int = 0) -> int:
        value = self._values.get(number, [otherwise])[-1]
        if not isinstance(value, int):
            raise ValueError(f"field {number} is no number")
        return value


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


@dataclass
class Field:
    number: int
    proto_name: str
    kind: str
    repeated: bool
    type_name: str
    oneof: str | None
    optional: bool
    comment: str

    @property
    def name(self) -> str:
        taken = keyword.iskeyword(self.proto_name) or self.proto_name in METHODS
        return self.proto_name + "_" if taken else self.proto_name

    @property
    def element(self) -> str:
        match self.kind:
            case "message":
                return self.type_name
            case "string":
                return "str"
            case "bytes" | "bool":
                return self.kind
            case "double" | "float":
                return "float"
            case _:
                return "int"

    @property
    def annotation(self) -> str:
        if self.repeated:
            return f"Sequence[{self.element}]"
        return f"{self.element} | None" if self.default == "None" else self.element

    @property
    def default(self) -> str:
        if self.repeated:
            return "()"
        if self.kind == "message" or self.optional:
            return "None"
        return {"str": '""', "bytes": 'b""', "bool": "False", "float": "0.0"}.get(self.element, "0")


@dataclass
class MessageType:
    name: str
    comment: str
    fields: list[Field]

    def hides_builtins(self) -> bool:
        return any(BUILTINS.fullmatch(each.name) for each in self.fields)

    def annotation(self, of: Field) -> str:
        if self.hides_builtins():
            return BUILTINS.sub(r"builtins.\1", of.annotation)
        return of.annotation

    def oneofs(self) -> dict[str, list[Field]]:
        found: dict[str, list[Field]] = {}
        for each in self.fields:
            if each.oneof is not None:
                found.setdefault(each.oneof, []).append(each)
        return found


@dataclass
class EnumType:
    name: str
    comment: str
    values: list[tuple[str, int, str]]


@dataclass
class Method:
    name: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    comment: str


@dataclass
class Service:
    name: str
    full_name: str
    comment: str
    methods: list[Method]


@dataclass
class File:
    path: str
    comment: str
    messages: list[MessageType] = field(default_factory=list)
    enums: list[EnumType] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)

    @property
    def module(self) -> str:
        return Path(self.path).stem


def short(type_name: str) -> str:
    """Payload of .holdfast.v1.Payload: all messages are of one package, none is nested."""
    return type_name.rsplit(".", 1)[-1]


class Reader:
    """Makes a File of a FileDescriptorProto."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._comments = dict(self._read_comments())

    def _read_comments(self) -> Iterator[tuple[tuple[int, ...], str]]:
        for info in self._record.records(9):
            for location in info.records(1):
                path, packed, at = [], location.raw(1)[0] if location.raw(1) else b"", 0
                while at < len(packed):
                    step, at = varint(packed, at)
                    path.append(step)
                text = location.text(3) or location.text(4)
                # Beside `package`: what the file says of itself.
                yield tuple(path), "\n".join(line.strip() for line in text.strip().splitlines())

    def _comment(self, *path: int) -> str:
        return self._comments.get(path, "")

    def file(self) -> File:
        package = self._record.text(2)
        made = File(self._record.text(1), self._comment(2))
        for index, message in enumerate(self._record.records(4)):
            made.messages.append(self._message(message, index))
        for index, enum in enumerate(self._record.records(5)):
            made.enums.append(self._enum(enum, index))
        for index, service in enumerate(self._record.records(6)):
            made.services.append(self._service(service, index, package))
        return made

    def _message(self, message: Record, index: int) -> MessageType:
        name = message.text(1)
        if message.raw(3) or message.raw(4) or name in RESERVED:
            raise ValueError(f"{name}: nested types, maps, and this name are not foreseen")
        oneofs = [oneof.text(1) for oneof in message.records(8)]
        fields = []
        for position, each in enumerate(message.records(2)):
            optional = bool(each.number(17))
            oneof = each.number(9, -1)
            made = Field(
                number=each.number(3),
                proto_name=each.text(1),
                kind=KINDS[each.number(5)],
                repeated=each.number(4) == LABEL_REPEATED,
                type_name=short(each.text(6)),
                oneof=None if optional or oneof < 0 else oneofs[oneof],
                optional=optional,
                comment=self._comment(4, index, 2, position),
            )
            if made.name in RESERVED:
                raise ValueError(f"{name}.{made.name}: this name is not foreseen")
            fields.append(made)
        return MessageType(name, self._comment(4, index), fields)

    def _enum(self, enum: Record, index: int) -> EnumType:
        name = enum.text(1)
        prefix = "".join("_" + c if c.isupper() else c.upper() for c in name).lstrip("_") + "_"
        values = []
        for position, value in enumerate(enum.records(2)):
            stripped = value.text(1).removeprefix(prefix)
            label = stripped if stripped.isidentifier() else value.text(1)
            values.append((label, value.number(2), self._comment(5, index, 2, position)))
        return EnumType(name, self._comment(5, index), values)

    def _service(self, service: Record, index: int, package: str) -> Service:
        name = service.text(1)
        methods = [
            Method(
                name=method.text(1),
                request=short(method.text(2)),
                response=short(method.text(3)),
                client_streaming=bool(method.number(5)),
                server_streaming=bool(method.number(6)),
                comment=self._comment(6, index, 2, position),
            )
            for position, method in enumerate(service.records(2))
        ]
        return Service(name, f"{package}.{name}", self._comment(6, index), methods)


def read_schema() -> list[File]:
    sources = sorted((SCHEMA / "holdfast" / "v1").glob("*.proto"))
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run(
            ["protoc", "-I", SCHEMA, "--include_source_info", "-o", output.name, *sources],
            check=True,
        )
        descriptors = Record(Path(output.name).read_bytes())
    return [Reader(record).file() for record in descriptors.records(1)]


def docstring(comment: str, indent: str) -> list[str]:
    text = comment.replace("\\", "\\\\").replace('"""', "'''")
    if not text:
        return []
    lines = text.splitlines()
    if len(lines) == 1:
        return [f'{indent}"""{text}"""']
    return [
        f'{indent}"""{lines[0]}',
        *(f"{indent}{line}".rstrip() for line in lines[1:]),
        f'{indent}"""',
    ]


def remark(comment: str, indent: str) -> list[str]:
    return [f"{indent}# {line}".rstrip() for line in comment.splitlines()]


def enum_lines(enum: EnumType) -> list[str]:
    lines = ["", "", f"class {enum.name}(IntEnum):", *docstring(enum.comment, "    ")]
    if enum.comment:
        lines.append("")
    for name, number, comment in enum.values:
        lines += [*remark(comment, "    "), f"    {name} = {number}"]
    return lines


def message_lines(message: MessageType) -> list[str]:
    lines = ["", "", f"class {message.name}(Message):", *docstring(message.comment, "    ")]
    if message.comment:
        lines.append("")
    for each in message.fields:
        lines += remark(each.comment, "    ")
        lines.append(f"    {each.name}: {message.annotation(each)} = {each.default}")
    for oneof, members in message.oneofs().items():
        names = ", ".join(f'"{member.name}"' for member in members)
        lines.append("    # Which of its members is set.")
        lines.append(f"    {oneof}: Literal[{names}] | None = None")
    if message.fields:
        lines.append("")
    lines.append("    if TYPE_CHECKING:\n")
    if not message.fields:
        return [*lines, "        def __init__(self) -> None: ..."]
    lines += ["        def __init__(", "            self,", "            *,"]
    for each in message.fields:
        lines.append(f"            {each.name}: {message.annotation(each)} = {each.default},")
    return [*lines, "        ) -> None: ..."]


def fields_lines(message: MessageType) -> list[str]:
    """After all classes, because fields may be of any of them."""
    if not message.fields:
        return []
    lines = ["", f"{message.name}._fields_ = ("]
    for each in message.fields:
        kind = each.type_name if each.kind == "message" else None
        oneof = f'"{each.oneof}"' if each.oneof else None
        lines.append(
            f'    ({each.number}, "{each.name}", "{each.kind}", {each.repeated}, {kind}, {oneof}),'
        )
    return [*lines, ")"]


def service_lines(service: Service) -> list[str]:
    lines = ["", "", f"class {service.name}:", *docstring(service.comment, "    ")]
    if service.comment:
        lines.append("")
    for method in service.methods:
        lines += remark(method.comment, "    ")
        lines += [
            f"    {method.name} = Method(",
            f'        "{service.full_name}/{method.name}",',
            f"        {method.request},",
            f"        {method.response},",
            f"        client_streaming={method.client_streaming},",
            f"        server_streaming={method.server_streaming},",
            "    )",
        ]
    return lines


def import_lines(file: File, homes: dict[str, str]) -> list[str]:
    used: dict[str, set[str]] = {}
    names = {f.type_name for m in file.messages for f in m.fields if f.kind == "message"}
    for service in file.services:
        for method in service.methods:
            names |= {method.request, method.response}
    for name in names:
        if homes[name] != file.module:
            used.setdefault(homes[name], set()).add(name)
    fields = [f for message in file.messages for f in message.fields]
    typing = ["TYPE_CHECKING"] if file.messages else []
    if any(f.oneof for f in fields):
        typing.append("Literal")
    lines = []
    if file.enums:
        lines.append("from enum import IntEnum")
    if typing:
        lines.append(f"from typing import {', '.join(typing)}")
    lines += ["", "from .._core import Message"]
    if file.services:
        lines.append("from .._method import Method")
    for module in sorted(used):
        lines.append(f"from .{module} import (")
        lines += [f"    {name}," for name in sorted(used[module])]
        lines.append(")")
    for_types = []
    if any(message.hides_builtins() for message in file.messages):
        for_types.append("    import builtins")
    if any(f.repeated for f in fields):
        for_types.append("    from collections.abc import Sequence")
    if for_types:
        lines += ["", "if TYPE_CHECKING:", *for_types]
    return lines


def module_text(file: File, homes: dict[str, str]) -> str:
    summary = f"The messages of {file.module}.proto."
    lines = [HEADER.format(summary=summary, source=f"proto/{file.path}")]
    lines += import_lines(file, homes)
    for enum in file.enums:
        lines += enum_lines(enum)
    for message in file.messages:
        lines += message_lines(message)
    lines.append("")
    for message in file.messages:
        lines += fields_lines(message)
    for service in file.services:
        lines += service_lines(service)
    return "\n".join(lines).rstrip() + "\n"


def services_text(files: list[File], homes: dict[str, str]) -> str:
    summary = "All methods by their full names, all message classes, and fields of enumerations."
    lines = [HEADER.format(summary=summary, source="proto/holdfast/v1"), "from enum import IntEnum"]
    lines += ["from typing import Any"]
    lines += ["", "from .._core import Message", "from .._method import Method"]
    lines += ["from . import (", *(f"    {file.module}," for file in files), ")"]
    lines += ["", "METHODS: dict[str, Method[Any, Any]] = {", "    method.name: method"]
    lines += ["    for method in ("]
    for file in files:
        for service in file.services:
            lines += [f"        {file.module}.{service.name}.{m.name}," for m in service.methods]
    lines += ["    )", "}", "", "MESSAGES: tuple[type[Message], ...] = ("]
    for file in files:
        lines += [f"    {file.module}.{message.name}," for message in file.messages]
    lines += [")", "", "# Which enumeration the numbers of a field are of."]
    lines.append("ENUMS: dict[tuple[type[Message], str], type[IntEnum]] = {")
    for file in files:
        for message in file.messages:
            for each in message.fields:
                if each.kind == "enum":
                    enum = f"{homes[each.type_name]}.{each.type_name}"
                    lines.append(f'    ({file.module}.{message.name}, "{each.name}"): {enum},')
    return "\n".join([*lines, "}"]) + "\n"


def make() -> dict[str, str]:
    """The text of each file of the package."""
    files = read_schema()
    homes: dict[str, str] = {}
    for file in files:
        for name in [each.name for each in file.messages] + [each.name for each in file.enums]:
            if homes.setdefault(name, file.module) != file.module:
                raise ValueError(f"two messages are named {name}")
    made = {f"{file.module}.py": module_text(file, homes) for file in files}
    made["services.py"] = services_text(files, homes)
    made["__init__.py"] = (
        '"""The messages and methods of the protocol: made by generate_messages.py, '
        'do not edit."""\n'
    )
    return made


def main() -> int:
    made = make()
    if sys.argv[1:] == ["--check"]:
        stale = {path.name for path in OUTPUT.glob("*.py")} ^ made.keys()
        for name in made.keys() - stale:
            if (OUTPUT / name).read_text() != made[name]:
                stale.add(name)
        for name in sorted(stale):
            print(f"holdfast/_proto/{name} is stale: run make generate and commit the result")
        return 1 if stale else 0
    OUTPUT.mkdir(exist_ok=True)
    for path in OUTPUT.glob("*.py"):
        path.unlink()
    for name, text in made.items():
        (OUTPUT / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
