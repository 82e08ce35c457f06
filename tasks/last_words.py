"""The last line that a program wrote to stderr, made fit for a message, and what it hints at."""

from __future__ import annotations

import re

from podium.platform.jobs import Limits
from podium.platform.limits import LIMITS

_SHOWN_CHARACTERS = 200
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_HINTS = (
    (r"too many open files|EMFILE", "open_files"),
    (r"no space left on device|ENOSPC", "temporary_bytes"),
    (r"can't start new thread|resource temporarily unavailable|cannot fork|EAGAIN", "processes"),
    (r"file too large|EFBIG", "file_bytes"),
    (r"cannot allocate memory|\bMemoryError\b|bad_alloc|ENOMEM|out of memory", "memory_bytes"),
)


def last_line(tail: bytes) -> str:
    """The last line with something on it of what a program wrote; cut where it is long, and safe to show."""
    text = _COLOURS.sub("", tail.decode(errors="replace"))
    for line in reversed(re.split(r"[\r\n]+", text)):
        words = " ".join("".join(shown for shown in map(_shown, line)).split())
        if words:
            return words if len(words) <= _SHOWN_CHARACTERS else f"{words[:_SHOWN_CHARACTERS]}…"
    return ""


def hint(line: str, limits: Limits) -> str:
    """The limit that a program most likely met that complains so, in a sentence; empty where there is none."""
    for pattern, name in _HINTS:
        if re.search(pattern, line, re.IGNORECASE):
            limit = LIMITS[name]
            where = "`/tmp`" if name == "temporary_bytes" else f"`{limit.key}`"
            return f" The limit of {where} is {limit.shown(getattr(limits, name))}."
    return ""


def _shown(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() and not _INVISIBLE.match(character) else "?"
