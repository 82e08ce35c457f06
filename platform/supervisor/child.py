"""Starts one program so that it dies with its parent, then becomes it.

Run as a script: `python -I -S child.py --parent PID --signal N [--uid U --gid G --groups G,G] -- PROGRAM ARGUMENT...`

The kernel is asked to send the signal when the parent dies, however it dies: after a `kill -9` of the supervisor
nothing is left behind. This is a program of its own and not a `preexec_fn`, because that runs between fork and exec,
where a process with threads may do next to nothing safely. Privileges are dropped here, as a change of user clears the
kernel's promise, and because the other user may have no right to read this Python at all.

It imports the standard library alone and never `podium`: it starts in a few milliseconds.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop privileges, ask to die with the parent, and become the program.

    Args:
        arguments: The command line, without the name of this script.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--groups", default="")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(arguments)
    if options.uid is not None:
        os.setgroups([int(group) for group in options.groups.split(",") if group])
        os.setgid(options.gid)
        os.setuid(options.uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, options.signal, 0, 0, 0)
    if os.getppid() != options.parent:
        # The parent died before the kernel was asked: nobody would ever stop this program.
        sys.exit(f"the supervisor {options.parent} is gone")
    try:
        os.execvp(options.program[0], options.program)  # noqa: S606  the point of this program; no shell is wanted
    except OSError as error:
        sys.exit(f"cannot run {options.program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
