"""The last line of stderr, made fit for a message."""

from __future__ import annotations

import pytest

from podium.platform.jobs import Limits
from podium.tasks.last_words import hint, last_line


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (b"", ""),
        (b"\n \n\t\n", ""),
        (b"first\nlast\n\n", "last"),
        (b"50 %\r100 %\r", "100 %"),
        (b"\x1b[31mred\x1b[0m\n", "red"),
        (b"a\x00b\x07c", "a?b?c"),
        ("\u202egnp.exe".encode(), "?gnp.exe"),
        (b"\xff\xfe half of a letter", "\ufffd\ufffd half of a letter"),
        (b"  much   room\there  ", "much room here"),
    ],
)
def test_last_line(written: bytes, line: str) -> None:
    assert last_line(written) == line


def test_a_long_line_is_cut_where_it_can_be_seen() -> None:
    assert last_line(b"x" * 5000) == "x" * 200 + "…"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("OSError: [Errno 24] Too many open files", "The limit of `open_files` is 4,096."),
        ("dd: No space left on device", "The limit of `/tmp` is 512 MiB."),
        ("RuntimeError: can't start new thread", "The limit of `processes` is 256."),
        ("OSError: [Errno 27] File too large", "The limit of `file_size` is 2 GiB."),
        ("numpy.core._exceptions.MemoryError", "The limit of `memory` is 4 GiB."),
        ("ValueError: no", ""),
    ],
)
def test_hints(line: str, says: str) -> None:
    assert hint(line, Limits()).strip() == says
