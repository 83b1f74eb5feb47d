"""The messages' coding: against itself, against the protobuf package, and against what is wrong."""

from __future__ import annotations

import contextlib
import copy
import enum
import os
import pickle
import random
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import pytest
import random_messages

from holdfast._core import DEPTH_MAX, Message
from holdfast._proto.common import Payload, SearchAttribute, WorkflowStatus
from holdfast._proto.frame import Hello
from holdfast._proto.services import MESSAGES, METHODS
from holdfast._proto.worker import Activation, Command, FireTimer, Job, StartTimer
from holdfast._proto.workflow_service import WorkflowService

SEED = int(os.environ.get("HOLDFAST_SEED", random.SystemRandom().randrange(2**32)))
HERE = Path(__file__).parents[1]
SCHEMA = HERE.parents[1] / "proto"


@pytest.fixture
def r() -> random.Random:
    print(f"HOLDFAST_SEED={SEED}")
    return random.Random(SEED)


class Everything(Message):
    """All kinds: the schema does not have them all."""

    int32 = int64 = uint32 = uint64 = sint32 = sint64 = enum = 0
    fixed32 = sfixed32 = fixed64 = sfixed64 = 0
    float = double = 0.0
    bool = False
    string = ""
    bytes = b""
    message: Any = None
    optional: Any = None
    packed: Any = ()
    doubles: Any = ()
    strings: Any = ()
    large_number = 0


KINDS = [
    *("int32", "int64", "uint32", "uint64", "sint32", "sint64", "enum", "fixed32", "sfixed32"),
    *("fixed64", "sfixed64", "float", "double", "bool", "string", "bytes"),
]
Everything._fields_ = (
    *((number, kind, kind, False, None, None) for number, kind in enumerate(KINDS, 1)),
    (20, "message", "message", False, Everything, None),
    (21, "optional", "int32", False, None, None),
    (31, "packed", "sint32", True, None, None),
    (32, "doubles", "double", True, None, None),
    (33, "strings", "string", True, None, None),
    (2**29 - 1, "large_number", "int32", False, None, None),
)


@pytest.mark.parametrize("of", [*MESSAGES, Everything], ids=lambda of: of.__name__)
def test_what_is_written_is_read(of: type[Message], r: random.Random) -> None:
    for _ in range(10):
        made = random_messages.message(r, of)
        data = made.encode()
        again = of.decode(data)
        assert again == made
        assert again.encode() == data
        assert of.decode(memoryview(data)) == of.decode(bytearray(data)) == again
        for _, _, _, _, _, oneof in of._fields_:
            if oneof is not None:
                assert getattr(again, oneof) == getattr(made, oneof)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The classes of the protobuf package by the names of messages."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import (  # noqa: PLC0415
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    output = tmp_path_factory.mktemp("schema") / "set"
    sources = sorted((SCHEMA / "holdfast" / "v1").glob("*.proto"))
    subprocess.run(["protoc", "-I", SCHEMA, "-o", output, *sources], check=True)
    files = descriptor_pb2.FileDescriptorSet.FromString(output.read_bytes()).file
    made = message_factory.GetMessages(files, pool=descriptor_pool.DescriptorPool())
    return {name.rsplit(".", 1)[-1]: of for name, of in made.items()}


@pytest.mark.parametrize("of", MESSAGES, ids=lambda of: of.__name__)
def test_the_protobuf_package_agrees(of: type[Message], r: random.Random, oracle: Any) -> None:
    for _ in range(5):
        made = random_messages.message(r, of)
        theirs = oracle[of.__name__].FromString(made.encode())
        assert of.decode(theirs.SerializeToString()) == made
        assert theirs.SerializeToString(deterministic=True) == made.encode()


def test_repeated_messages_are_merged_as_the_protobuf_package_does(
    r: random.Random, oracle: Any
) -> None:
    for _ in range(300):
        of = r.choice(MESSAGES)
        data = random_messages.message(r, of).encode() + random_messages.message(r, of).encode()
        theirs = oracle[of.__name__].FromString(data)
        assert of.decode(data) == of.decode(theirs.SerializeToString())


def test_truncated_at_any_byte_it_is_read_or_refused(r: random.Random) -> None:
    refused = 0
    of: type[Message]
    for of in [*r.sample(MESSAGES, 60), Everything, Activation, Command]:
        data = random_messages.message(r, of, depth=1).encode()[:3000]
        for size in range(len(data)):
            try:
                of.decode(data[:size])
            except ValueError as error:
                refused += 1
                assert str(error).startswith(of.__name__), error
    assert refused > 0


def test_damaged_anywhere_it_is_read_or_refused(r: random.Random) -> None:
    of: type[Message]
    for _ in range(3000):
        of = r.choice([*MESSAGES, Everything])
        data = bytearray(random_messages.message(r, of, depth=2).encode()[:2000])
        for _ in range(r.randint(1, 4)):
            if data:
                data[r.randrange(len(data))] = r.randrange(256)
        try:
            read = of.decode(data)
        except ValueError:
            continue
        assert of.decode(read.encode()) == read or "nan" in repr(read)


def test_noise_is_read_or_refused(r: random.Random) -> None:
    for _ in range(20_000):
        with contextlib.suppress(ValueError):
            r.choice(MESSAGES).decode(r.randbytes(r.randint(1, 40)))


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"\x32\x03\x22\x02\x08", r"Activation\.jobs\.fire_timer: a length goes .* at byte 3"),
        (b"\x32\x04\x22\x02\x08\xff", r"jobs\.fire_timer\.seq: the bytes end in a number, at b"),
        (b"\x28" + b"\xff" * 10 + b"\x01", "activation_time_ms: a number has more than 64 bits"),
        (b"\x28" + b"\xff" * 9 + b"\x02", "activation_time_ms: a number has more than 64 bits"),
        (b"\x29", "activation_time_ms: another wire type than the field's, at byte 1"),
        (b"\x28", "activation_time_ms: the bytes end in a number, at byte 1"),
        (b"\x12\x05abc", "run_id: a length goes beyond the end, at byte 1"),
        (b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "run_id: a length goes beyond the end"),
        (b"\x12\x02\xc3\x28", "run_id: a string is not UTF-8, at byte 2"),
        (b"\x00\x00", "Activation: a field's number is out of range, at byte 0"),
        (b"\x83\x06", "Activation: an unknown wire type"),
        (b"\x81\x06abc", "Activation: the bytes end in a number"),
    ],
)
def test_malformed_bytes_are_refused_and_named(data: bytes, where: str) -> None:
    with pytest.raises(ValueError, match=where):
        Activation.decode(data)


def test_unknown_fields_are_passed_over() -> None:
    unknown = b"\xa0\x06\x01" + b"\xa1\x06" + bytes(8) + b"\xa2\x06\x03abc" + b"\xa5\x06" + bytes(4)
    assert StartTimer.decode(unknown + b"\x08\x07" + unknown) == StartTimer(seq=7)


def test_repeated_numbers_are_read_packed_or_not() -> None:
    assert Everything.decode(b"\xf8\x01\x03\xfa\x01\x02\x02\x01\xf8\x01\x04").packed == [
        -2,
        1,
        -1,
        2,
    ]
    with pytest.raises(ValueError, match=r"packed: the bytes end in a number"):
        Everything.decode(b"\xfa\x01\x01\xff")


def test_defaults_are_neither_held_nor_sent() -> None:
    empty = StartTimer()
    assert (empty.seq, empty.timer_id, vars(empty)) == (0, "", {})
    assert StartTimer(seq=0, timer_id="").encode() == b""
    assert StartTimer(seq=0) == empty
    assert Activation().jobs == ()
    assert vars(StartTimer.decode(b"\x08\x07")) == {"seq": 7}


def test_a_oneof_names_its_member_and_sends_its_default() -> None:
    assert Job().kind is None
    job = Job(fire_timer=FireTimer(seq=0))
    assert job.kind == "fire_timer"
    assert Job.decode(job.encode()).kind == "fire_timer"
    empty = SearchAttribute(name="n", int_value=0)
    assert SearchAttribute.decode(empty.encode()).content == "int_value"
    assert empty != SearchAttribute(name="n")
    assert Job(fire_timer=None).kind is None
    with pytest.raises(TypeError, match="only one of int_value and text"):
        SearchAttribute(int_value=1, text="")
    both = SearchAttribute(text="a").encode() + SearchAttribute(keyword="b").encode()
    assert vars(SearchAttribute.decode(both)) == {"keyword": "b", "content": "keyword"}


def test_an_optional_field_is_none_or_sent() -> None:
    assert Everything.decode(b"").optional is None
    assert Everything(optional=0).encode() == b"\xa8\x01\x00"
    assert Everything(optional=None).encode() == b""


def test_unknown_names_are_refused() -> None:
    with pytest.raises(TypeError, match="StartTimer has no field 'seqq'"):
        StartTimer(seqq=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Job has no field 'kind'"):
        Job(kind="fire_timer")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes its fields by name"):
        StartTimer(1)  # type: ignore[call-arg]
    timer = StartTimer()
    timer.__dict__["".join(["s", "eq"])] = 5
    assert timer.encode() == b"\x08\x05"
    timer.sequence = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="StartTimer has no field 'sequence'"):
        timer.encode()


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        (Everything(int32="1"), TypeError, "Everything.int32: expected int, not str"),
        (Everything(int32=1.0), TypeError, "Everything.int32: expected int, not float"),
        (Everything(int32=None), TypeError, "Everything.int32: expected int, not NoneType"),
        (Everything(bool=1), TypeError, "Everything.bool: expected bool, not int"),
        (Everything(string=b""), TypeError, "Everything.string: expected str, not bytes"),
        (Everything(bytes=""), TypeError, "Everything.bytes: expected bytes, not str"),
        (Everything(double="1"), TypeError, "Everything.double: expected float, not str"),
        (Everything(packed=5), TypeError, "Everything.packed: expected a sequence, not int"),
        (Everything(strings="ab"), TypeError, "Everything.strings: expected a sequence, not str"),
        (Everything(strings=[1]), TypeError, "Everything.strings: expected str, not int"),
        (Everything(message=Job()), TypeError, "Everything.message: expected Everything, not Job"),
        (
            Activation(jobs=[None]),  # type: ignore[list-item]
            TypeError,
            "Activation.jobs: expected Job, not NoneType",
        ),
        (Everything(int32=2**31), OverflowError, "Everything.int32: 2147483648 is out of range"),
        (Everything(int32=-(2**31) - 1), OverflowError, "Everything.int32"),
        (Everything(enum=2**31), OverflowError, "Everything.enum"),
        (Everything(sint32=2**31), OverflowError, "Everything.sint32"),
        (Everything(uint32=-1), OverflowError, "Everything.uint32"),
        (Everything(uint32=2**32), OverflowError, "Everything.uint32"),
        (Everything(uint64=-1), OverflowError, "Everything.uint64"),
        (Everything(uint64=2**64), OverflowError, "Everything.uint64"),
        (Everything(int64=2**63), OverflowError, "Everything.int64"),
        (Everything(fixed64=2**200), OverflowError, "Everything.fixed64"),
        (Everything(double=10**400), OverflowError, "Everything.double"),
        (Everything(packed=[2**31]), OverflowError, "Everything.packed"),
        (Everything(string="\ud800"), ValueError, "Everything.string: '.ud800' has no UTF-8"),
    ],
)
def test_a_wrong_value_is_named(message: Message, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        message.encode()


class LongInt(int):
    """An int that is one, whatever its class says."""

    def __index__(self) -> int:
        raise AssertionError

    __int__ = __float__ = __index__


def test_subclasses_of_values_are_values() -> None:
    class Kind(enum.IntEnum):
        A = 7

    made = Everything(int32=Kind.A, int64=LongInt(5), double=LongInt(3), float=True)
    again = Everything.decode(made.encode())
    assert (again.int32, again.int64, again.double, again.float) == (7, 5, 3.0, 1.0)


class Sly:
    """A sequence that changes the message while it is written."""

    def __init__(self, change: Any) -> None:
        self.change = change

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> str:
        if index > 0:
            raise IndexError
        self.change()
        return "sly"


def test_any_sequence_will_do_also_one_that_misbehaves() -> None:
    assert Everything.decode(Everything(packed=deque([1, 2])).encode()).packed == [1, 2]
    made = Everything(int32=5, string="x" * 1000, bytes=b"y" * 1000)
    made.strings = Sly(made.__dict__.clear)
    again = Everything.decode(made.encode())
    assert (again.strings, again.int32, len(again.string)) == (["sly"], 5, 1000)
    names = ["a", "b", "c"]
    items = [Everything(strings=Sly(names.clear)), Everything()]
    outer = Everything(message=items[0], strings=names)
    assert Everything.decode(outer.encode()).message.strings == ["sly"]


def nested(depth: int) -> Everything:
    made = Everything(string="innermost")
    for _ in range(depth):
        made = Everything(message=made)
    return made


def test_messages_are_nested_so_deeply_and_no_deeper() -> None:
    deep = nested(DEPTH_MAX)
    assert Everything.decode(deep.encode()) == deep
    with pytest.raises(ValueError, match=r"Everything.message: messages are nested too deeply"):
        nested(DEPTH_MAX + 1).encode()
    inner = deep.encode()
    size = bytes([len(inner) & 0x7F | 0x80, len(inner) >> 7])
    with pytest.raises(ValueError, match=r"message.message: messages are nested too deeply"):
        Everything.decode(b"\xa2\x01" + size + inner)
    knot = Everything()
    knot.message = knot
    with pytest.raises(ValueError, match="nested too deeply"):
        knot.encode()
    with pytest.raises(RecursionError):
        repr(knot)


def test_messages_are_ordinary_objects() -> None:
    timer = StartTimer(timer_id="it's", seq=3)
    assert repr(timer) == """StartTimer(seq=3, timer_id="it's")"""
    assert pickle.loads(pickle.dumps(timer)) == copy.deepcopy(timer) == timer
    assert timer != StartTimer(seq=3)
    assert timer != 3
    assert Activation(jobs=(Job(),)) == Activation(jobs=[Job()])
    with pytest.raises(TypeError, match="unhashable"):
        hash(timer)

    class Named(StartTimer):
        def name(self) -> str:
            return self.timer_id

    assert Named.decode(timer.encode()).name() == "it's"
    assert Command.decode(Command(start_timer=Named(seq=1)).encode()).start_timer == StartTimer(
        seq=1
    )


def test_long_values_and_large_messages() -> None:
    large = Activation(
        jobs=[Job(fire_timer=FireTimer(seq=seq)) for seq in range(20_000)],
        token=b"t" * 3_000_000,
    )
    assert Activation.decode(large.encode()) == large


@pytest.mark.parametrize(
    "fields",
    [
        5,
        (5,),
        ((1, "seq", "int31", False, None, None),),
        ((0, "seq", "int32", False, None, None),),
        ((1, "seq", "message", False, None, None),),
        ((1, "seq", "message", False, int, None),),
        ((1, "missing", "int32", False, None, None),),
        ((1, "seq", "int32", False, None, 5),),
        ((1, "seq", "int32", False, None, None), (1, "b", "int32", False, None, None)),
    ],
)
def test_fields_that_make_no_sense_are_a_type_error(fields: Any) -> None:
    made = type("Broken", (Message,), {"_fields_": fields, "seq": 0, "b": 0})
    with pytest.raises((TypeError, AttributeError)):
        made()


def test_what_is_no_buffer_is_a_type_error() -> None:
    for data in ("text", 5, None):
        with pytest.raises(TypeError):
            StartTimer.decode(data)  # type: ignore[arg-type]


def test_enums_and_methods() -> None:
    assert int(WorkflowStatus.RUNNING) == 1
    method = WorkflowService.GetHistory
    assert METHODS["holdfast.v1.WorkflowService/GetHistory"] is method
    assert (method.server_streaming, method.client_streaming) == (True, False)
    assert method.response.__name__ == "HistoryBatch"
    assert METHODS["holdfast.v1.WorkerService/Replay"].client_streaming
    assert Hello(protocol_versions=[1, 300]).encode()[:4] == b"\x0a\x03\x01\xac"
    assert Payload is dict((m.__name__, m) for m in MESSAGES)["Payload"]


def test_the_messages_are_those_of_the_schema() -> None:
    script = HERE / "generate_messages.py"
    subprocess.run([sys.executable, script, "--check"], check=True)
