"""What `podium up` says: a line per part, then where everything is, then whatever goes wrong."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TextIO


class Console:
    """Writes lines for people to one or more streams.

    Args:
        stream: Where to write; standard output by default.
        log: Where to write as well, each line with its time.
    """

    def __init__(self, stream: TextIO | None = None, *, log: TextIO | None = None) -> None:
        self._stream: TextIO | None = stream or sys.stdout
        self._log = log

    def drop_stream(self) -> None:
        """Write to the log alone from now on."""
        self._stream = None

    def say(self, text: str) -> None:
        """Write text, one line or several. A stream that nobody reads any more is dropped and not missed."""
        lines = text.splitlines() or [""]
        if self._stream is not None:
            try:
                self._stream.writelines(f"{line}\n" for line in lines)
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None
        if self._log is not None:
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            with contextlib.suppress(OSError):
                self._log.writelines(f"{now} {line}\n" for line in lines)
                self._log.flush()

    def part(self, name: str, text: str) -> None:
        """Write a line about a part."""
        self.say(f"  {name:<13} {text}")

    def tail(self, lines: Sequence[str]) -> None:
        """Write the last lines of a log, set off from what is Podium's own."""
        for line in lines:
            self.say(f"    | {line}")

    def summary(self, addresses: Mapping[str, str]) -> None:
        """Write where everything is."""
        width = max((len(name) for name in addresses), default=0)
        self.say("")
        for name, address in addresses.items():
            self.say(f"  {name:<{width}}   {address}")
        self.say("")


def duration(seconds: float) -> str:
    """Return a span of time as people say it: 0.4 s, 12 s, 3 min, 2 h 5 min, 4 d 3 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
