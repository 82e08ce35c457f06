"""The proof that containers on this host have no network: a program in one looks for ways out."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import Image, OnOutput, Program, ProgramEnd

_SECONDS = 30.0

_LOOK = """
import json, os, socket, sys
def lines(path):
    try:
        return open(path).read().splitlines()
    except OSError:
        return []
def reached(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
print(json.dumps({
    "namespace": os.readlink("/proc/self/ns/net"),
    "interfaces": sorted(line.split(":")[0].strip() for line in lines("/proc/net/dev")[2:]),
    "routes": len(lines("/proc/net/route")[1:]),
    "reached": reached(int(sys.argv[1])),
}))
"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of a proof.

    Attributes:
        holds: The container was alone.
        ran: The program that looks could run at all; without Python in the image it can't.
        why: What was wrong, in words.
        end: How the program ended, with what was measured.
    """

    holds: bool
    ran: bool
    why: str
    end: ProgramEnd


def prove_no_network(image: Image, run: Callable[[Program, float, OnOutput], ProgramEnd]) -> Proof:
    """Look for a way out of a container that `run` makes from `image` the way it makes all others."""
    written: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        program = Program(
            name=f"podium-proof-{uuid.uuid4().hex[:12]}",
            image=image,
            command=("python3", "-c", _LOOK, str(port)),
            mounts=(),
            limits=Limits(memory_bytes=256 * MIB, temporary_bytes=16 * MIB, wall_seconds=_SECONDS),
            working_folder="/",
            labels={"step": "proof"},
        )
        end = run(program, time.monotonic() + _SECONDS, lambda _, piece: written.append(piece))
    return _judge(b"".join(written), end)


def _judge(written: bytes, end: ProgramEnd) -> Proof:
    try:
        saw = json.loads(written)
        found = _ways_out(saw)
    except (ValueError, KeyError, TypeError):
        return Proof(holds=False, ran=False, why=end.start_error or f"the proof ended with {end.exit_status}", end=end)
    return Proof(holds=not found, ran=True, why="; ".join(found), end=end)


def _ways_out(saw: dict[str, object]) -> list[str]:
    found = []
    if saw["namespace"] == str(Path("/proc/self/ns/net").readlink()):
        found.append("it shares the agent's network")
    if saw["interfaces"] != ["lo"]:
        found.append(f"it has the network interfaces {saw['interfaces']}")
    if saw["routes"]:
        found.append("it has a route")
    if saw["reached"]:
        found.append("it reached a port of the host")
    return found
