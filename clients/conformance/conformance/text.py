"""The text form of steps: words, messages `{field: value}` and patterns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .patterns import Absent, Anything, Capture, Compare, Regex, Rest

TOKEN = re.compile(
    r"""
    (?P<space>[ \t]+|\#[^\n]*|\n[ \t]+)
  | (?P<newline>\n)
  | (?P<hex>x"[0-9A-Fa-f\s]*")
  | (?P<regex>~"(?:[^"\\]|\\.)*")
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<time>\d+(?:ms|s)\b)
  | (?P<float>-?\d+\.\d+(?:e-?\d+)?)
  | (?P<number>-?\d+)
  | (?P<variable>\$[A-Za-z_]\w*)
  | (?P<capture>\?[A-Za-z_]\w*)
  | (?P<rest>\.\.\.)
  | (?P<word>@?[A-Za-z_][\w./]*)
  | (?P<arrow>->)
  | (?P<compare>>=|<=|!=|>|<)
  | (?P<mark>[{}\[\]:,*+=;])
    """,
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "t": "\t", "0": "\0", '"': '"', "\\": "\\"}
Resolve = Callable[[str], Any]


class Ill(Exception):
    """A case that is not written as the README says."""


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place, line = 0, 1
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise Ill(f"line {line}: cannot read {text[place : place + 20]!r}")
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), line))
        line += match.group().count("\n")
        place = match.end()
    return found


def steps(text: str) -> list[list[Token]]:
    """One list of tokens a step: it goes on where a line is indented or a bracket is open."""
    result: list[list[Token]] = [[]]
    depth = 0
    for token in tokens(text):
        if token.text in ("{", "["):
            depth += 1
        elif token.text in ("}", "]"):
            depth -= 1
        if token.kind != "newline":
            result[-1].append(token)
        elif depth == 0 and result[-1]:
            result.append([])
    if depth != 0:
        raise Ill("a bracket is not closed")
    return [step for step in result if step]


class Words:
    """The tokens of one step, read from the left."""

    def __init__(self, step: list[Token], resolve: Resolve) -> None:
        self.step = step
        self.place = 0
        self.resolve = resolve

    @property
    def line(self) -> int:
        return self.step[0].line

    def peek(self) -> Token | None:
        return self.step[self.place] if self.place < len(self.step) else None

    def take(self, kind: str = "") -> Token:
        token = self.peek()
        if token is None or (kind and token.kind != kind):
            seen = token.text if token else "the end"
            raise Ill(f"line {self.line}: {kind or 'more'} is expected, not {seen}")
        self.place += 1
        return token

    def accept(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.text != text:
            return False
        self.place += 1
        return True

    def word(self) -> str:
        return self.take("word").text

    def number(self) -> int:
        value = self.value()
        if not isinstance(value, int):
            raise Ill(f"line {self.line}: a number is expected, not {value!r}")
        return value

    def seconds(self) -> float:
        text = self.take("time").text
        return int(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])

    def end(self) -> None:
        token = self.peek()
        if token is not None:
            raise Ill(f"line {self.line}: {token.text} is not expected here")

    # Values

    def value(self) -> Any:
        value = self._primary()
        while self.accept("*"):
            value = value * self.number()
        while self.accept("+"):
            value = self._joined(value, self.value())
        return value

    def _joined(self, first: Any, second: Any) -> Any:
        if isinstance(first, str) and isinstance(second, bytes):
            return first.encode() + second
        return first + second

    def _primary(self) -> Any:
        token = self.take()
        if token.kind == "mark":
            return self._bracket(token)
        if token.kind == "word":
            return self._named(token.text)
        simple: dict[str, Callable[[str], Any]] = {
            "string": self._string,
            "hex": lambda text: bytes.fromhex(text[2:-1]),
            "regex": lambda text: Regex(self._string(text[1:])),
            "number": int,
            "float": float,
            "variable": lambda text: self.resolve(text[1:]),
            "rest": lambda _: Rest(),
            "capture": lambda text: Capture(text[1:]),
            "compare": lambda text: Compare(text, self.value()),
        }
        if token.kind not in simple:
            raise Ill(f"line {token.line}: a value is expected, not {token.text}")
        return simple[token.kind](token.text)

    def _named(self, name: str) -> Any:
        known = {"true": True, "false": False, "_": Anything(), "absent": Absent()}
        return known.get(name, name)

    def _bracket(self, token: Token) -> Any:
        if token.text == "{":
            return self._message()
        if token.text != "[":
            raise Ill(f"line {token.line}: a value is expected, not {token.text}")
        values: list[Any] = []
        while not self.accept("]"):
            values.append(self.value())
            self.accept(",")
        return values

    def _message(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not self.accept("}"):
            name = self.word()
            if not self.accept(":"):
                raise Ill(f"line {self.line}: ':' is expected after {name}")
            result[name] = self.value()
            self.accept(",")
        return result

    def _string(self, text: str) -> str:
        def escape(match: re.Match[str]) -> str:
            if match.group(2):
                return chr(int(match.group(2), 16))
            return ESCAPES.get(match.group(1), match.group(0))

        plain = re.sub(r"\\(u([0-9a-fA-F]{4})|.)", escape, text[1:-1])
        return re.sub(r"\$([A-Za-z_]\w*)", lambda m: _written(self.resolve(m.group(1))), plain)


def _written(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
