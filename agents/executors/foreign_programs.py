"""Recognizing a binary that is for another processor.

The kernel refuses to execute it. What starts a program then does as shells have always done, and takes it for a script:
the shell stumbles over the binary and complains about its first lines, which says nothing to anybody.
"""

from __future__ import annotations

import os
import posixpath
import re

from podium.agents.executors.engine_errors import StartError
from podium.tasks.programs import Program

_SHELL_STATUSES = frozenset({2, 126, 127})
_CANNOT_EXECUTE = 126
_ELF = b"\x7fELF"
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def foreign_program(program: Program, status: int, stderr_head: bytes) -> StartError | None:
    """Say so where a program's command was a binary that a shell took for a script."""
    if status not in _SHELL_STATUSES or not program.command:
        return None
    command = program.command[0]
    as_a_script = re.match(rb"(?:sh: )?%b: (?:line )?\d+: " % re.escape(command.encode()), stderr_head)
    if not as_a_script or not (_ELF in stderr_head or _is_binary(program, command)):
        return None
    return StartError(
        _CANNOT_EXECUTE, f"The command `{command}` is not a program that this host's processor can execute."
    )


def _is_binary(program: Program, command: str) -> bool:
    """Whether the command is a binary in one of the program's read-only folders; those in the image can't be seen."""
    path = posixpath.normpath(posixpath.join(program.working_folder or "/", command))
    for mount in program.mounts:
        if mount.read_only and path.startswith(f"{mount.target}/"):
            try:
                descriptor = os.open(mount.source / path.removeprefix(f"{mount.target}/"), _FILE)
            except OSError:
                return False
            try:
                return os.read(descriptor, len(_ELF)) == _ELF
            finally:
                os.close(descriptor)
    return False
