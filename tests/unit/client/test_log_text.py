"""Log text of programs that nobody knows."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.client.log_text import LogText, readable

BEL, ESC = "\x07", "\x1b"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain\ttext é 日本\n", "plain\ttext é 日本\n"),
        (f"{ESC}[31mred{ESC}[0m {ESC}[1;38;5;196mbold{ESC}[m", "red bold"),
        (f"{ESC}[2J{ESC}[H{ESC}[3A{ESC}[?25lgone?", "gone?"),
        (f"{ESC}]0;owned{BEL}title", "title"),
        (f"{ESC}]8;;http://evil/{ESC}\\click{ESC}]8;;{ESC}\\", "click"),
        (f"{ESC}]52;c;cm0gLXJmIH4={BEL}clipboard", "clipboard"),
        (f"{ESC}P1$tx{ESC}\\device", "device"),
        (f"{ESC}cfull reset{ESC}7{ESC}(0", "full reset"),
        ("10%\r20%\r30%\r\n", "10%\n20%\n30%\n"),
        ("bell\x07 back\x08 nul\x00 c1\x9b31m", "bell\ufffd back\ufffd nul\ufffd c1\ufffd31m"),
        ("right\u202eleft\u2066", "right\ufffdleft\ufffd"),
    ],
)
def test_nothing_steers_a_terminal(written: str, shown: str) -> None:
    assert readable(written) == shown


@given(st.text(alphabet=st.sampled_from(f"ab;0[]\\Pm{ESC}{BEL}\r\n\x9b"), max_size=40), st.lists(st.integers(0, 40)))
def test_pieces_show_what_the_whole_does_wherever_they_are_cut(text: str, cuts: list[int]) -> None:
    log = LogText()
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    shown = "".join(log.add(text[start:end]) for start, end in pairwise(edges)) + log.rest()
    assert shown == readable(text)
    assert ESC not in shown
    assert "\r" not in shown


def test_an_escape_that_never_ends_holds_little_back() -> None:
    log = LogText()
    shown = log.add(f"{ESC}]" + "x" * 10_000)
    assert len(shown) >= 10_000
