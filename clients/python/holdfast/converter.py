"""How values become payloads and payloads values, and errors failures."""

from __future__ import annotations

import dataclasses
import inspect
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal

from . import _messages as proto
from ._failure_conversion import decode_failure, encode_failure
from ._type_hints import value_to_type
from .api.common import v1 as api
from .common import RawValue

Payload = proto.Payload


class PayloadConverter(ABC):
    """Turns values into payloads and back, without waiting: it is used in workflows, too."""

    default: ClassVar[PayloadConverter]

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """One payload for each value."""

    @abstractmethod
    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        """One value for each payload, of the hinted types where there are hints."""

    def to_payload(self, value: Any) -> Payload:
        return self.to_payloads([value])[0]

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return self.from_payloads([payload], [type_hint] if type_hint else None)[0]


class EncodingPayloadConverter(ABC):
    """Knows one encoding. Its payloads are those of `holdfast.api.common.v1`."""

    # Those of this module read and write what is sent, and take the other form as well.
    _is_direct: ClassVar[bool] = False
    # Values of exactly these types need not be offered: it takes none.
    _leaves: ClassVar[frozenset[type]] = frozenset()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._is_direct = cls.__module__ == __name__
        if not cls._is_direct:
            cls._leaves = frozenset()

    @property
    @abstractmethod
    def encoding(self) -> str:
        """Its name, which payloads carry."""

    @abstractmethod
    def to_payload(self, value: Any) -> Any:
        """A payload; None: the value is nothing that this encoding is for."""

    @abstractmethod
    def from_payload(self, payload: Any, type_hint: Any = None) -> Any:
        """The value of a payload with this encoding."""


# What only JSON is for.
_JSON_ONLY = frozenset((bool, int, float, str, list, dict))


class CompositePayloadConverter(PayloadConverter):
    """Asks converters of encodings in turn: the first that takes a value has it."""

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        self.converters = {converter.encoding: converter for converter in converters}

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return [self._to_payload(value) for value in values]

    def _to_payload(self, value: Any) -> Payload:
        if isinstance(value, RawValue):
            return value.payload
        payload: Any
        kind = type(value)
        for converter in self.converters.values():
            if kind in converter._leaves:
                continue
            payload = converter.to_payload(value)
            if payload is not None:
                return payload._to_proto() if isinstance(payload, api.Payload) else payload
        raise TypeError(f"no converter takes a value of type {type(value).__qualname__}")

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        values = []
        for index, payload in enumerate(payloads):
            hint = type_hints[index] if type_hints and index < len(type_hints) else None
            if hint is RawValue:
                values.append(RawValue(payload))
                continue
            converter = self.converters.get(payload.encoding)
            if converter is None:
                raise KeyError(f"unknown payload encoding {payload.encoding}")
            given: Any = payload if converter._is_direct else api.Payload._of(payload)
            values.append(converter.from_payload(given, hint))
        return values


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """None, as nothing."""

    encoding = "binary/null"
    _leaves = _JSON_ONLY

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(encoding="binary/null") if value is None else None

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return None


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """bytes, as they are."""

    encoding = "binary/plain"
    _leaves = _JSON_ONLY

    def to_payload(self, value: Any) -> Payload | None:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return Payload(encoding="binary/plain", data=bytes(value))
        return None

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return payload.data


def _message_name(payload: Payload | api.Payload) -> str:
    if isinstance(payload, api.Payload):
        return payload.metadata.get("messageType", b"").decode()
    return next(
        (entry.value.decode() for entry in payload.metadata if entry.key == "messageType"), ""
    )


def _is_protobuf(value: Any) -> bool:
    """A message of the `protobuf` package, which is not imported for the sake of this question."""
    return hasattr(value, "SerializeToString") and hasattr(value, "DESCRIPTOR")


def _new_message(payload: Payload, type_hint: Any) -> Any:
    name = _message_name(payload)
    if inspect.isclass(type_hint) and hasattr(type_hint, "DESCRIPTOR"):
        if name and name != type_hint.DESCRIPTOR.full_name:
            raise TypeError(f"the payload holds a {name}, not a {type_hint.DESCRIPTOR.full_name}")
        return type_hint()
    from google.protobuf import message_factory, symbol_database  # noqa: PLC0415

    descriptor = symbol_database.Default().pool.FindMessageTypeByName(name)
    return message_factory.GetMessageClass(descriptor)()


class JSONProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages, as JSON."""

    encoding = "json/protobuf"
    _leaves = _JSON_ONLY

    def to_payload(self, value: Any) -> Payload | None:
        if not _is_protobuf(value):
            return None
        from google.protobuf import json_format  # noqa: PLC0415

        text = json_format.MessageToJson(value, indent=None)
        return _protobuf_payload(self.encoding, value, text.encode())

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        from google.protobuf import json_format  # noqa: PLC0415

        return json_format.Parse(payload.data, _new_message(payload, type_hint))


class BinaryProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages, serialized."""

    encoding = "binary/protobuf"
    _leaves = _JSON_ONLY

    def to_payload(self, value: Any) -> Payload | None:
        if not _is_protobuf(value):
            return None
        return _protobuf_payload(self.encoding, value, value.SerializeToString())

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        message = _new_message(payload, type_hint)
        message.ParseFromString(payload.data)
        return message


def _protobuf_payload(encoding: str, value: Any, data: bytes) -> Payload:
    name = value.DESCRIPTOR.full_name.encode()
    return Payload(
        encoding=encoding,
        data=data,
        metadata=[proto.MetadataEntry(key="messageType", value=name)],
    )


class AdvancedJSONEncoder(json.JSONEncoder):
    """Also dataclasses, dates, times, iterables, UUIDs, decimals, paths, and pydantic's models."""

    def default(self, o: Any) -> Any:
        if isinstance(o, date):  # a datetime, too
            return o.isoformat()
        if dataclasses.is_dataclass(o) and not isinstance(o, type):
            return dataclasses.asdict(o)
        if hasattr(o, "model_dump"):
            return o.model_dump(mode="json")
        if isinstance(o, (set, frozenset)) or (hasattr(o, "__iter__") and not hasattr(o, "keys")):
            return list(o)
        if type(o).__module__ in ("uuid", "decimal", "pathlib"):
            return str(o)
        return super().default(o)


class JSONTypeConverter(ABC):
    """Makes values of types that the JSON converter does not know."""

    Unhandled: ClassVar[object] = object()

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> object:
        """The value as the type that is hinted; `JSONTypeConverter.Unhandled` to pass it on."""


def _reader(decoder: json.JSONDecoder) -> Callable[[str], Any]:
    """Its `decode`, in half the time where nothing is around the value."""
    kind, plain = type(decoder), json.JSONDecoder
    if kind.decode is not plain.decode or kind.raw_decode is not plain.raw_decode:
        return decoder.decode
    scan: Callable[[str, int], tuple[Any, int]] = decoder.scan_once  # type: ignore[attr-defined]

    def read(text: str) -> Any:
        try:
            value, end = scan(text, 0)
        except StopIteration:  # what it means is said there
            return decoder.decode(text)
        return value if end == len(text) else decoder.decode(text)

    return read


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Everything that JSON can say; hinted types are made of it."""

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = (),
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._encoding = encoding
        self._type_converters = custom_type_converters
        # Made once: json.dumps makes one for each call that is not the plain one.
        make = encoder or json.JSONEncoder
        self._encode = make(separators=(",", ":"), ensure_ascii=True, sort_keys=False).encode
        self._decode = _reader((decoder or json.JSONDecoder)())

    @property
    def encoding(self) -> str:
        return self._encoding

    def to_payload(self, value: Any) -> Payload | None:
        return Payload(encoding=self._encoding, data=self._encode(value).encode())

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        try:
            value = self._decode(payload.data.decode())
        except ValueError as error:
            raise RuntimeError("Failed parsing") from error
        if type_hint:
            value = value_to_type(type_hint, value, self._type_converters)
        return value


class DefaultPayloadConverter(CompositePayloadConverter):
    """None, bytes, protobuf messages, and everything else as JSON."""

    default_encoding_payload_converters: ClassVar[tuple[EncodingPayloadConverter, ...]] = (
        BinaryNullPayloadConverter(),
        BinaryPlainPayloadConverter(),
        JSONProtoPayloadConverter(),
        BinaryProtoPayloadConverter(),
        JSONPlainPayloadConverter(),
    )

    def __init__(self) -> None:
        super().__init__(*DefaultPayloadConverter.default_encoding_payload_converters)


PayloadConverter.default = DefaultPayloadConverter()


class PayloadCodec(ABC):
    """Changes payloads on their way to the engine and back: to encrypt or to compress them."""

    @abstractmethod
    async def encode(self, payloads: Sequence[api.Payload]) -> list[api.Payload]:
        """What is sent and stored."""

    @abstractmethod
    async def decode(self, payloads: Sequence[api.Payload]) -> list[api.Payload]:
        """What was given to `encode`; payloads that it has not made come out as they are."""


class _Codec:
    """A codec, for payloads in the form in which they are sent."""

    def __init__(self, codec: PayloadCodec) -> None:
        self._codec = codec

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        made = await self._codec.encode([api.Payload._of(payload) for payload in payloads])
        return [payload._to_proto() for payload in made]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        made = await self._codec.decode([api.Payload._of(payload) for payload in payloads])
        return [payload._to_proto() for payload in made]


class FailureConverter(ABC):
    """Turns errors into failures and back, without waiting."""

    default: ClassVar[FailureConverter]

    @abstractmethod
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter
    ) -> proto.Failure:
        """The failure that tells of an error."""

    @abstractmethod
    def from_failure(
        self, failure: proto.Failure, payload_converter: PayloadConverter
    ) -> BaseException:
        """The error that a failure tells of."""


class DefaultFailureConverter(FailureConverter):
    """With `encode_common_attributes`, messages and stack traces go where a codec hides them."""

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        self._encodes_attributes = encode_common_attributes

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter
    ) -> proto.Failure:
        failure = encode_failure(exception, payload_converter)
        if self._encodes_attributes:
            for info in (failure.info, *failure.causes):
                if info is None:
                    continue
                hidden = {"message": info.message, "stack_trace": info.stack_trace}
                info.encoded_attributes = payload_converter.to_payload(hidden)
                info.message, info.stack_trace = "Encoded failure", ""
        return failure

    def from_failure(
        self, failure: proto.Failure, payload_converter: PayloadConverter
    ) -> BaseException:
        return decode_failure(failure, payload_converter)


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """The default one, with hidden messages and stack traces."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


FailureConverter.default = DefaultFailureConverter()


@dataclass(frozen=True)
class DataConverter:
    """How a client or a worker turns values and errors into what is sent."""

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    payload_converter: PayloadConverter = dataclasses.field(init=False)
    failure_converter: FailureConverter = dataclasses.field(init=False)
    _codec: _Codec | None = dataclasses.field(init=False, repr=False, compare=False)

    default: ClassVar[DataConverter]

    def __post_init__(self) -> None:
        object.__setattr__(self, "payload_converter", self.payload_converter_class())
        object.__setattr__(self, "failure_converter", self.failure_converter_class())
        codec = _Codec(self.payload_codec) if self.payload_codec is not None else None
        object.__setattr__(self, "_codec", codec)

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        payloads = self.payload_converter.to_payloads(values)
        if self._codec is not None and payloads:
            payloads = await self._codec.encode(payloads)
        return payloads

    async def decode(
        self, payloads: Sequence[Payload], type_hints: list[type] | None = None
    ) -> list[Any]:
        if self._codec is not None and payloads:
            payloads = await self._codec.decode(payloads)
        return self.payload_converter.from_payloads(payloads, type_hints)

    async def encode_failure(self, exception: BaseException) -> proto.Failure:
        failure = self.failure_converter.to_failure(exception, self.payload_converter)
        if self._codec is not None:
            await code_failure(failure, self._codec.encode)
        return failure

    async def decode_failure(self, failure: proto.Failure) -> BaseException:
        if self._codec is not None:
            await code_failure(failure, self._codec.decode)
        return self.failure_converter.from_failure(failure, self.payload_converter)


DataConverter.default = DataConverter()


def default() -> DataConverter:
    """The one that is used where none is given."""
    return DataConverter.default


async def code_failure(failure: proto.Failure, code: Any) -> None:
    """Changes all payloads of a failure, in place, by a codec's `encode` or `decode`."""
    for info in (failure.info, *failure.causes):
        if info is None:
            continue
        if info.encoded_attributes is not None:
            info.encoded_attributes = (await code([info.encoded_attributes]))[0]
        for part, field in _PAYLOADS_OF_FAILURES:
            holder = getattr(info, part)
            if holder is not None and getattr(holder, field):
                setattr(holder, field, await code(getattr(holder, field)))


_PAYLOADS_OF_FAILURES: tuple[tuple[Literal["application", "timeout", "canceled"], str], ...] = (
    ("application", "details"),
    ("timeout", "last_heartbeat_details"),
    ("canceled", "details"),
)
