"""Numbers and times as the reasons of scaling say them."""

from __future__ import annotations


def number(count: int, thing: str) -> str:
    """`1 agent`, `2 agents`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
