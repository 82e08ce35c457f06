"""Times as people give and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from podium.platform.cli.moments import expected_text, moment_from, span_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0.04, "0 s"),
        (1.44, "1.4 s"),
        (9, "9 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (119, "2 min"),
        (3599, "1 h"),
        (4200, "1 h 10 min"),
        (47 * 3600, "47 h"),
        (50 * 3600, "2 d 2 h"),
        (48 * 3600, "2 d"),
    ],
)
def test_a_span_is_as_exact_as_one_wants_to_know(seconds: float, text: str):
    assert span_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-31T12:00Z", "2026-05-31T12:00:00+00:00"),
        ("2026-05-31T12:00:30+02:00", "2026-05-31T12:00:30+02:00"),
        ("2026-05-31 12:00 UTC", "2026-05-31T12:00:00+00:00"),
        ("2026-05-31T12:00:00.5-0330", "2026-05-31T12:00:00.500000-03:30"),
    ],
)
def test_a_date_with_its_zone_is_taken_as_it_is(text: str, moment: str, capsys: pytest.CaptureFixture[str]):
    assert moment_from(text, "--end").isoformat() == moment
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("text", "time"), [("2026-05-31", "00:00"), ("2026-05-31T12:30", "12:30")])
def test_without_a_zone_it_is_utc_and_said(text: str, time: str, capsys: pytest.CaptureFixture[str]):
    assert moment_from(text, "--end").isoformat() == f"2026-05-31T{time}:00+00:00"
    assert capsys.readouterr().err == f"--end {text} has no time zone: it is taken as 2026-05-31 {time} UTC\n"


def test_now_is_a_moment():
    assert abs((moment_from("now", "--end") - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize("text", ["", "tomorrow", "1-6-2026", "2026-02-30", "2026-05-31 UTC", "2026-05-31+05:00"])
def test_what_is_no_date_is_refused(text: str):
    with pytest.raises(typer.BadParameter, match="not a date"):
        moment_from(text, "--end")


def test_what_is_expected_is_said_in_utc_and_from_now():
    now = datetime.now(UTC)
    assert expected_text(now - timedelta(seconds=5)) == ""
    assert expected_text(now + timedelta(days=3, seconds=5)).startswith(f"at about {now + timedelta(days=3):%Y-%m-%d} ")
    assert expected_text(now + timedelta(minutes=2, seconds=1)).endswith(" UTC (in 2 min)")
