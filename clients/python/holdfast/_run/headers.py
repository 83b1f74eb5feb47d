"""What travels beside the values of a call, for interceptors."""

from __future__ import annotations

from collections.abc import Mapping

from .. import _messages as proto

Headers = Mapping[str, proto.Payload]


def headers_of(header: proto.Header | None) -> Headers:
    """Of a job."""
    if header is None:
        return {}
    return {entry.key: entry.value for entry in header.fields if entry.value is not None}


def header_of(headers: Headers | None) -> proto.Header | None:
    """Of a command."""
    if not headers:
        return None
    entries = [proto.PayloadEntry(key=key, value=value) for key, value in sorted(headers.items())]
    return proto.Header(fields=entries)
