"""Runs the steps of one case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .codec import Codec
from .driver import Driver
from .engine import AnyEngine
from .peer import Peer
from .text import Ill, Token, Words, steps


class Run:
    """What one case knows while it runs: its connections and what it has kept."""

    def __init__(
        self, codec: Codec, engine: AnyEngine | Driver, case: str, more: dict[str, Any]
    ) -> None:
        self.codec = codec
        self.engine = engine
        self.kept: dict[str, Any] = {"case": case.replace("/", "-"), **more}
        self.peers: dict[str, Peer] = {}
        self.deviations: list[str] = []
        self.current = "main"

    def execute(self, text: str, verbs: dict[str, Verb]) -> None:
        for step in steps(text):
            self.step(step, verbs)

    def step(self, step: list[Token], verbs: dict[str, Verb]) -> None:
        words = Words(step, self.resolve)
        self.current = "main"
        verb = words.word()
        if verb.startswith("@"):
            self.current = verb[1:]
            if (token := words.peek()) and token.kind == "variable":
                self.current += str(words.value())  # `@c$i`: one of many.
            verb = words.word()
        if verb == "repeat":
            self.repeat(words, verbs)
            return
        if verb not in verbs:
            raise Ill(f"line {words.line}: {verb} is no step")
        try:
            verbs[verb](self, words)
            words.end()
        except Exception as error:
            error.add_note(f"in `{' '.join(token.text for token in step)[:300]}`")
            raise

    def repeat(self, words: Words, verbs: dict[str, Verb]) -> None:
        """`repeat 100 …; …`: the rest of the line, with `$i` from 1; steps are parted by ;."""
        count = words.number()
        parts: list[list[Token]] = [[]]
        for token in words.step[words.place :]:
            if token.text == ";":
                parts.append([])
            else:
                parts[-1].append(token)
        for number in range(1, count + 1):
            self.kept["i"] = number
            for part in parts:
                self.step(part, verbs)

    def resolve(self, name: str) -> Any:
        if name not in self.kept:
            raise Ill(f"${name} was never kept")
        return self.kept[name]

    # Connections

    @property
    def peer(self) -> Peer:
        """The step's connection; made and greeted when the case has not done so itself."""
        found = self.peers.get(self.current)
        if found is None:
            found = self.dial()
            found.greet()
        return found

    def dial(self) -> Peer:
        if self.current in self.peers:
            self.peers.pop(self.current).close()
        peer = Peer.dial(self.codec, self.engine.socket, self.current)
        self.peers[self.current] = peer
        return peer

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()

    def deviates(self, text: str) -> None:
        """Safe, but not as the page says."""
        self.deviations.append(text)


Verb = Callable[[Run, Words], None]
