"""Memo, search attributes and current details of a run, as its code knows them."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _messages as proto
from ..common import TypedSearchAttributes


class Notes:
    def __init__(self) -> None:
        self.memo: dict[str, proto.Payload] = {}
        self.search_attributes = TypedSearchAttributes.empty
        self.current_details = ""

    def begin(self, initialize: proto.InitializeWorkflow) -> None:
        if initialize.memo is not None:
            self.change_memo(initialize.memo.fields)
        if initialize.search_attributes is not None:
            self.search_attributes = TypedSearchAttributes._from_proto(initialize.search_attributes)

    def change_memo(self, changes: Sequence[proto.PayloadEntry]) -> None:
        for entry in changes:
            value = entry.value
            if value is None or not value.data:
                self.memo.pop(entry.key, None)
            else:
                self.memo[entry.key] = value

    def change_attributes(self, changes: Sequence[proto.SearchAttribute]) -> None:
        names = {change.name for change in changes}
        kept = [pair for pair in self.search_attributes if pair.key.name not in names]
        made = TypedSearchAttributes._from_proto(proto.SearchAttributes(fields=list(changes)))
        self.search_attributes = TypedSearchAttributes([*kept, *made])
