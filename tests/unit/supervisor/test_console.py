"""What is said, and to whom."""

from __future__ import annotations

import io

import pytest

from podium.platform.supervisor.console import Console, duration


def test_lines_go_to_the_stream_and_with_their_time_into_the_log() -> None:
    stream, log = io.StringIO(), io.StringIO()
    console = Console(stream, log=log)
    console.say("one\ntwo")
    console.drop_stream()
    console.say("three")
    assert stream.getvalue() == "one\ntwo\n"
    assert [line[20:] for line in log.getvalue().splitlines()] == ["one", "two", "three"]


def test_a_reader_who_went_away_is_not_missed() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    log = io.StringIO()
    console = Console(Gone(), log=log)
    console.say("one")
    console.say("two")
    assert log.getvalue().count("\n") == 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (65, "65 s"), (600, "10 min"), (7500, "2 h 5 min"), (360_000, "4 d 4 h")],
)
def test_spans_of_time_read_well(seconds: float, said: str) -> None:
    assert duration(seconds) == said
