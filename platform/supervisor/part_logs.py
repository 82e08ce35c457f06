"""The logs of the parts: one file each, rotated by size whenever the part starts."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

ROTATE_BYTES = 10 * 1024 * 1024
KEPT = 3
_TAIL_BYTES = 64 * 1024


def open_log(file: Path) -> BinaryIO:
    """Open a log to append to; a large one is put aside first (`NAME.log.1` is the newest of three)."""
    if file.exists() and file.stat().st_size > ROTATE_BYTES:
        for number in range(KEPT - 1, 0, -1):
            older = file.with_name(f"{file.name}.{number}")
            if older.exists():
                older.rename(file.with_name(f"{file.name}.{number + 1}"))
        file.rename(file.with_name(f"{file.name}.1"))
    return file.open("ab")


def last_lines(file: Path, *, since: int = 0, count: int = 20) -> list[str]:
    """Return the last lines of a log.

    Args:
        file: The log; a missing one has no lines.
        since: Only what was written after this many bytes.
        count: How many lines at most.
    """
    try:
        with file.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(since, size - _TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
