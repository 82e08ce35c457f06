"""The filter of system calls, read as the kernel reads it."""

from __future__ import annotations

import struct

import pytest

from podium.agents.executors.system_calls import call_filter

ALLOWED, NOT_PERMITTED, NO_SUCH_FAMILY = 0x7FFF0000, 0x00050001, 0x00050061
X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003


def answer(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """What the kernel does with a call."""
    seen = struct.pack("=IIQ6Q", number, architecture, 0, argument, 0, 0, 0, 0, 0)
    at = held = 0
    while True:
        code, yes, no, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("=I", seen, value)
            case 0x15:
                at += yes if held == value else no
            case 0x35:
                at += yes if held >= value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(code)


@pytest.mark.parametrize(
    ("machine", "architecture", "ordinary", "keyctl", "socket"),
    [("x86_64", X86, (0, 1, 56, 59, 231), 250, 41), ("aarch64", ARM, (63, 64, 220, 221, 93), 219, 198)],
)
def test_what_is_refused(machine: str, architecture: int, ordinary: tuple[int, ...], keyctl: int, socket: int) -> None:
    program = call_filter(machine)
    assert {answer(program, architecture, number) for number in ordinary} == {ALLOWED}
    assert {answer(program, architecture, number) for number in (keyctl, 425, 428)} == {NOT_PERMITTED}
    assert {answer(program, architecture, socket, family) for family in (1, 2, 10, 16)} == {ALLOWED}
    assert {answer(program, architecture, socket, family) for family in (17, 38, 40)} == {NO_SUCH_FAMILY}


def test_other_architectures_do_not_lead_around_it() -> None:
    program = call_filter("x86_64")
    assert answer(program, I386, 1) == NOT_PERMITTED
    assert answer(program, X86, 0x40000000 + 1) == NOT_PERMITTED


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert call_filter("riscv64") == b""
