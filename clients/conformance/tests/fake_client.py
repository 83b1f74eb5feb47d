"""A driver for a small client that misbehaves as it is told: `fake_client.py FAULT SOCKET`."""

from __future__ import annotations

import sys
from typing import Any

from conformance.__main__ import PROTO
from conformance.codec import Codec
from conformance.peer import Failed, Peer
from conformance.schema import Schema

CODEC = Codec(Schema.read(PROTO))
HEALTH = "holdfast.v1.OperatorService/Health"


def health(peer: Peer, fault: str) -> str:
    stream = 1
    opened: dict[str, Any] = {"method": HEALTH}
    if fault != "no end":
        opened["end"] = True
    peer.send_frame({"stream": 0 if fault == "stream 0" else stream, "open": opened})
    while True:
        try:
            frame = peer.frame(None, pings=True)
        except Failed:
            if fault == "keeps open":
                continue
            peer.close()
            return "health DISCONNECTED - 0"
        if "ping" in frame and fault != "no pong":
            peer.send_frame({"pong": {"id": frame["ping"].get("id", 0)}})
        if "end" in frame:
            return f"health {'INTERNAL' if fault == 'wrong status' else 'OK'} - 1"


def main(fault: str, socket: str) -> int:
    peer: Peer | None = None
    for line in sys.stdin:
        command = line.split()[0]
        if command == "quit":
            return 3 if fault == "exit code" else 0
        if command == "connect":
            peer = Peer.dial(CODEC, socket, "fake")
            versions = [2] if fault == "version 2" else [1]
            peer.greet({"protocol_versions": versions})
            answer = "connect OK -"
        else:
            assert peer is not None
            answer = health(peer, fault)
        print(answer, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
