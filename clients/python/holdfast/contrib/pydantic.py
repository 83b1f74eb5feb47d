"""Values as pydantic reads and writes them: models, dataclasses, and all types that it knows.

client = await Client.connect(data_converter=pydantic_data_converter)

The default converter takes models too; this one also checks what the hints of other values say, and
raises pydantic's ValidationError. Needs `pydantic` 2.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from ..api.common.v1 import Payload
from ..converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON, by pydantic."""

    @property
    def encoding(self) -> str:
        return "json/plain"

    def to_payload(self, value: Any) -> Payload:
        return Payload(metadata={"encoding": b"json/plain"}, data=to_json(value))

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return _adapter(Any if type_hint is None else type_hint).validate_json(payload.data)


@functools.lru_cache(maxsize=1_000)
def _adapter(hint: Any) -> TypeAdapter[Any]:
    """Made once: it compiles what it checks."""
    return TypeAdapter(hint)


class PydanticPayloadConverter(CompositePayloadConverter):
    """As the default one, with pydantic's JSON."""

    def __init__(self) -> None:
        json = PydanticJSONPlainPayloadConverter()
        super().__init__(
            *(
                json if isinstance(one, JSONPlainPayloadConverter) else one
                for one in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


pydantic_data_converter = replace(
    DataConverter.default, payload_converter_class=PydanticPayloadConverter
)
"""A DataConverter with pydantic's JSON."""
