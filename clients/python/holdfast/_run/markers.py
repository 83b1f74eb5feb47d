"""What a run's history holds of patches and side effects, and what the code was told."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _messages as proto


class Markers:
    PATCH = "patch"
    SIDE_EFFECT = "side_effect"

    def __init__(self) -> None:
        # The activation is a past one: what it recorded is known.
        self.is_past = False
        self._patches: set[str] = set()
        self._values: dict[int, proto.Payload] = {}
        # The first answer of each patch stays the run's.
        self._answers: dict[str, bool] = {}

    def begin(self, recorded: Sequence[proto.RecordMarker] | None) -> None:
        """Begins an activation; None: a live one."""
        self.is_past = recorded is not None
        self._values = {}
        for marker in recorded or ():
            if marker.marker_name == self.PATCH:
                self._patches.add(marker.marker_id)
            elif marker.marker_name == self.SIDE_EFFECT and marker.details:
                value = marker.details[0].value
                if value is not None:
                    self._values[marker.seq] = value

    def answer(self, patch: str) -> tuple[bool, bool]:
        """Whether the code is to take the new path; whether its marker is to be recorded."""
        if patch in self._answers:
            return self._answers[patch], False
        is_patched = not self.is_past or patch in self._patches
        self._answers[patch] = is_patched
        return is_patched, is_patched

    def value(self, seq: int) -> proto.Payload | None:
        """What the side effect gave when it was run; None: the history holds none here."""
        return self._values.get(seq)
