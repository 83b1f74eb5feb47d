"""Reads the `.proto` files: messages, enumerations, methods, as far as the schema goes (SCH-001).

A reader of the suite's own keeps every protobuf library out of what it tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

TOKEN = re.compile(r"//[^\n]*|\"[^\"]*\"|[A-Za-z_][\w.]*|\d+|[{}()=;<>,\[\]]|\s+")
PACKAGE = "holdfast.v1."


@dataclass(frozen=True)
class Field:
    name: str
    number: int
    type: str
    is_repeated: bool
    oneof: str


@dataclass
class Message:
    name: str
    fields: dict[str, Field] = field(default_factory=dict)
    by_number: dict[int, Field] = field(default_factory=dict)

    def add(self, found: Field) -> None:
        self.fields[found.name] = found
        self.by_number[found.number] = found


@dataclass(frozen=True)
class Method:
    path: str
    request: str
    response: str
    is_client_streaming: bool
    is_server_streaming: bool


@dataclass
class Schema:
    messages: dict[str, Message] = field(default_factory=dict)
    enums: dict[str, dict[str, int]] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> Schema:
        schema = Schema()
        files = sorted(folder.rglob("*.proto"))
        if not files:
            raise FileNotFoundError(f"no .proto file under {folder}")
        for file in files:
            _Reader(file.read_text(encoding="utf-8"), schema).read()
        return schema

    def enum_prefix(self, name: str) -> str:
        """`STATUS_CODE_` of StatusCode: what cases leave out."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() + "_"

    def enum_number(self, enum: str, name: str) -> int:
        values = self.enums[enum]
        for candidate in (name, self.enum_prefix(enum) + name):
            if candidate in values:
                return values[candidate]
        raise ValueError(f"{enum} has no value {name}")

    def enum_name(self, enum: str, number: int) -> str:
        for name, value in self.enums[enum].items():
            if value == number:
                return name.removeprefix(self.enum_prefix(enum))
        return str(number)

    def method(self, path: str) -> Method:
        found = self.methods.get(path) or self.methods.get(PACKAGE + path)
        if found is None:
            raise ValueError(f"the schema has no method {path}")
        return found


class _Reader:
    def __init__(self, text: str, schema: Schema) -> None:
        words = (match.group() for match in TOKEN.finditer(text))
        self.words = [w for w in words if not w.isspace() and not w.startswith("//")]
        self.place = 0
        self.schema = schema

    def take(self, expected: str = "") -> str:
        word = self.words[self.place]
        self.place += 1
        if expected and word != expected:
            raise ValueError(f"{expected} is expected, not {word}")
        return word

    def read(self) -> None:
        while self.place < len(self.words):
            word = self.take()
            if word == "message":
                self.message()
            elif word == "enum":
                self.enum()
            elif word == "service":
                self.service()
            elif word in ("syntax", "package", "import", "option"):
                while self.take() != ";":
                    pass
            else:
                raise ValueError(f"{word} is not expected at the top of a schema")

    def message(self) -> None:
        message = Message(self.take())
        self.take("{")
        while (word := self.take()) != "}":
            if word == "oneof":
                oneof = self.take()
                self.take("{")
                while (inner := self.take()) != "}":
                    self.field(message, inner, oneof)
            else:
                self.field(message, word, "")
        self.schema.messages[message.name] = message

    def field(self, message: Message, word: str, oneof: str) -> None:
        is_repeated = word == "repeated"
        kind = self.take() if is_repeated else word
        name = self.take()
        self.take("=")
        number = int(self.take())
        self.take(";")
        message.add(Field(name, number, kind, is_repeated, oneof))

    def enum(self) -> None:
        name = self.take()
        values: dict[str, int] = {}
        self.take("{")
        while (word := self.take()) != "}":
            self.take("=")
            values[word] = int(self.take())
            self.take(";")
        self.schema.enums[name] = values

    def service(self) -> None:
        service = self.take()
        self.take("{")
        while self.take() != "}":
            name = self.take()
            request, is_client_streaming = self.parameter()
            self.take("returns")
            response, is_server_streaming = self.parameter()
            self.take(";")
            path = f"{PACKAGE}{service}/{name}"
            self.schema.methods[path] = Method(
                path, request, response, is_client_streaming, is_server_streaming
            )

    def parameter(self) -> tuple[str, bool]:
        self.take("(")
        word = self.take()
        is_stream = word == "stream"
        kind = self.take() if is_stream else word
        self.take(")")
        return kind, is_stream
