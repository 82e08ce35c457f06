"""Ends and removes all that works in a folder, once nobody holds its input open any more: however they ended.

Run as a script, `python guard.py FOLDER`, it imports the standard library alone. The harness closes the input when it
is done; if it is killed, the kernel does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class Guard:
    """Sees to it that nothing of a folder outlives the block."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(folder)], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0


def clean(folder: Path) -> None:
    """Kill what works in the folder or was told of it, unmount what is in it, and remove it."""
    give_up = time.monotonic() + 30
    while (found := _processes(folder)) and time.monotonic() < give_up:
        for pid in found:
            _kill(pid)
        time.sleep(0.1)
    while mounts := _mounts(folder):
        for path in reversed(mounts):
            subprocess.run(["umount", "--lazy", path], check=True)
    _remove_groups(folder / "agent")
    shutil.rmtree(folder)


def _remove_groups(agent: Path) -> None:
    """Remove the control groups of an agent that could not do it; they are named by its folder."""
    owner = hashlib.sha256(str(agent).encode()).hexdigest()[:8]
    root, name = Path("/sys/fs/cgroup"), f"podium/*-{owner}"
    for group in (*root.glob(name), *root.glob(f"*/{name}")):
        for inner in sorted(group.glob("**/"), reverse=True):
            with contextlib.suppress(OSError):
                inner.rmdir()


def _processes(folder: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            where = str((entry / "cwd").readlink())
        except OSError:
            continue
        if line and (str(folder) in line or f"{where}/".startswith(f"{folder}/")):
            found.append(int(entry.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _mounts(folder: Path) -> list[str]:
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [path for path in mounted if path.startswith(f"{folder}/")]


if __name__ == "__main__":
    sys.stdin.read()
    clean(Path(sys.argv[1]))
