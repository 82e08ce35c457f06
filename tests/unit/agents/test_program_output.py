"""Output on its way to the log."""

from __future__ import annotations

import socket
import struct
import tracemalloc

import pytest

from podium.agents.executors.program_output import CUT_MARK, LOST_MARK, AttachedOutput, CappedOutput


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxL", kind, len(payload)) + payload


@pytest.fixture
def kept() -> list[tuple[str, bytes]]:
    return []


def capped(kept: list[tuple[str, bytes]], log_bytes: int = 100) -> CappedOutput:
    return CappedOutput(lambda stream, piece: kept.append((stream, piece)), log_bytes=log_bytes)


def read(output: CappedOutput, sent: bytes) -> None:
    engine, agent = socket.socketpair()
    reader = AttachedOutput(agent, output, name="x")
    engine.sendall(sent)
    engine.close()
    reader.finish(5)


def test_streams_are_told_apart(kept: list[tuple[str, bytes]]) -> None:
    output = capped(kept)
    read(output, frame(1, b"out") + frame(2, b"err") + frame(1, b"") + frame(1, b"more"))
    assert kept == [("stdout", b"out"), ("stderr", b"err"), ("stdout", b"more")]
    assert not output.truncated
    assert output.stderr_head == b"err"


def test_each_stream_has_its_own_cap(kept: list[tuple[str, bytes]]) -> None:
    output = capped(kept, log_bytes=5)
    for piece in (b"123", b"456", b"789"):
        output.take("stdout", piece)
    output.take("stderr", b"12345")
    # The mark is there as soon as the stream is cut, though the program goes on.
    assert kept == [("stdout", b"123"), ("stdout", b"45"), ("stdout", CUT_MARK), ("stderr", b"12345")]
    assert output.truncated == {"stdout"}


def test_stream_that_breaks_off_is_known_to_be_cut(kept: list[tuple[str, bytes]]) -> None:
    output = capped(kept)
    read(output, frame(1, b"whole") + frame(1, b"half a frame")[:-3])
    assert kept[0] == ("stdout", b"whole")
    assert kept[-2:] == [("stdout", LOST_MARK), ("stderr", LOST_MARK)]
    assert output.truncated == {"stdout", "stderr"}


def test_consumer_that_failed_is_left_alone() -> None:
    calls = []

    def fail(*_: object) -> None:
        calls.append(1)
        raise RuntimeError("x")

    output = CappedOutput(fail, log_bytes=100)
    output.take("stdout", b"1")
    output.take("stdout", b"2")
    assert len(calls) == 1
    assert isinstance(output.failure, RuntimeError)


def test_output_that_never_ends_is_given_up(kept: list[tuple[str, bytes]]) -> None:
    engine, agent = socket.socketpair()
    output = capped(kept)
    reader = AttachedOutput(agent, output, name="x")
    reader.finish(0.1)
    assert output.truncated == {"stdout", "stderr"}
    engine.close()


def test_a_gigabyte_without_a_line_end_is_drained_and_never_held() -> None:
    kept = 0

    def count(_: object, piece: bytes) -> None:
        nonlocal kept
        kept += len(piece)

    output = CappedOutput(count, log_bytes=1_000_000)
    piece = b"x" * 65536
    tracemalloc.start()
    for _ in range(2**30 // len(piece)):
        output.take("stdout", piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept == 1_000_000 + len(CUT_MARK)
    assert peak < 1_000_000
