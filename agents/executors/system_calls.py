"""The system calls that a program in bubblewrap is refused, as the kernel's own filter reads them.

Namespaces do not cover the whole kernel: keyrings, io_uring and the sockets of virtual machines lead past them, and
what only an administrator may call has no business in a program. A container engine brings such a filter along.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # instructions of classic BPF
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in what the kernel shows to a filter
_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000
_NOT_PERMITTED, _NO_SUCH_FAMILY = 1, 97  # EPERM, EAFNOSUPPORT
_OTHER_ABI = 0x40000000  # x32: other numbers for the same calls
_FAMILIES = (1, 2, 10, 16)  # local, IPv4, IPv6, netlink: all in the program's own network namespace


# The numbers of x86-64 and of 64-bit ARM. Since 2019, new calls have one number on all machines.
_REFUSED = """
add_key 248 217             request_key 249 218        keyctl 250 219
bpf 321 280                 perf_event_open 298 241    userfaultfd 323 282
io_uring_setup 425 425      io_uring_enter 426 426     io_uring_register 427 427
kcmp 312 272                fanotify_init 300 262      syslog 103 116
ptrace 101 117              process_vm_readv 310 270   process_vm_writev 311 271
pidfd_getfd 438 438         process_madvise 440 440
name_to_handle_at 303 264   open_by_handle_at 304 265  quotactl 179 60
mount 165 40                umount2 166 39             pivot_root 155 41
open_tree 428 428           move_mount 429 429         mount_setattr 442 442
fsopen 430 430              fsconfig 431 431           fsmount 432 432
fspick 433 433              unshare 272 97             setns 308 268
init_module 175 105         finit_module 313 273       delete_module 176 106
kexec_load 246 104          kexec_file_load 320 294    reboot 169 142
swapon 167 224              swapoff 168 225            acct 163 89
clock_settime 227 112       settimeofday 164 170       vhangup 153 58
"""


@dataclass(frozen=True, slots=True)
class _Machine:
    architecture: int
    socket: int
    refused: tuple[int, ...]


def _numbers(column: int) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in _REFUSED.split()[column::3]))


_MACHINES = {
    "x86_64": _Machine(architecture=0xC000003E, socket=41, refused=_numbers(1)),
    "aarch64": _Machine(architecture=0xC00000B7, socket=198, refused=_numbers(2)),
}


def call_filter(machine: str = "") -> bytes:
    """The filter for this machine, as `bwrap --seccomp` reads it; empty where the numbers of its calls are not known.

    Args:
        machine: Another machine, by the name that `platform.machine` has for it.
    """
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    refuse = _instruction(_RETURN, _REFUSE | _NOT_PERMITTED)
    allow = _instruction(_RETURN, _ALLOW)
    program = [
        # Calls of another architecture have other numbers: they would go around the list.
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_IF_EQUAL, found.architecture, yes=1),
        refuse,
        _instruction(_LOAD, _NUMBER),
        _instruction(_JUMP_IF_AT_LEAST, _OTHER_ABI, no=1),
        refuse,
    ]
    for number in found.refused:
        program += [_instruction(_JUMP_IF_EQUAL, number, no=1), refuse]
    program += [
        _instruction(_JUMP_IF_EQUAL, found.socket, yes=1),
        allow,
        _instruction(_LOAD, _FIRST_ARGUMENT),
    ]
    for family in _FAMILIES:
        program += [_instruction(_JUMP_IF_EQUAL, family, no=1), allow]
    return b"".join([*program, _instruction(_RETURN, _REFUSE | _NO_SUCH_FAMILY)])


def _instruction(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
