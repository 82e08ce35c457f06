"""Log text as people can read it anywhere: nothing in it steers a terminal, and progress bars become lines.

A program can write any bytes, and a participant's does. Escape sequences for colours and for moving about are taken
out, since they make a log harder to read where they do nothing; what is left of their kind is shown as what it is, a
character that can't be.
"""

from __future__ import annotations

import re

_LONGEST = 512
_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # colours, cursor, erasing
    rf"|\][^\x07\x1b]{{0,{_LONGEST}}}(?:\x07|\x1b\\)"  # titles, links, the clipboard
    rf"|[PX^_][^\x1b]{{0,{_LONGEST}}}\x1b\\"  # device controls
    r"|[ -/]{0,4}[0-OQ-WYZ\\`-~]"  # the short ones
    r")"
)
_UNFINISHED = re.compile(
    r"(?:\r|\x1b(?:"
    r"\[[0-?]{0,64}[ -/]{0,8}"
    rf"|\][^\x07\x1b]{{0,{_LONGEST}}}\x1b?"
    rf"|[PX^_][^\x1b]{{0,{_LONGEST}}}\x1b?"
    r"|[ -/]{0,4}"
    r")?)\Z"
)
# Control characters, and those that turn the direction of text.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class LogText:
    """The text of one stream, made readable piece by piece: what a piece leaves unfinished waits for the next."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """What can be shown now that this text has come."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text)
        self._held = unfinished[0] if unfinished else ""
        return readable(text[: len(text) - len(self._held)])

    def rest(self) -> str:
        """What is left at the end of the stream."""
        held, self._held = self._held, ""
        return readable(held)


def readable(text: str) -> str:
    """A whole text, made readable; each lone carriage return begins a line."""
    plain = _SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", plain)
