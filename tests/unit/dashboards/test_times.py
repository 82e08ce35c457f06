from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from stand_in import make_phase

from podium.dashboards import times

AT = datetime(2026, 8, 3, 9, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=3), "a few seconds"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=2, seconds=1), "2 minutes 1 second"),
        (timedelta(hours=1, seconds=5), "1 hour"),
        (timedelta(days=2, hours=3, minutes=4), "2 days 3 hours"),
        (timedelta(days=1), "1 day"),
        (-timedelta(days=1), "1 day"),
    ],
)
def test_a_span_has_its_two_largest_units(duration: timedelta, words: str):
    assert times.span(duration) == words


def test_clocks_are_utc_whatever_zone_a_time_comes_in():
    moment = AT.astimezone(timezone(timedelta(hours=2)))
    assert times.clock(moment) == "Mon 3 Aug 2026, 09:00 UTC"
    assert times.stamp(moment) == "2026-08-03 09:00"
    assert times.seconds_clock(moment) == "09:00:07 UTC"


def test_how_long_ago_changes_with_the_minute_only():
    assert times.ago(AT - timedelta(seconds=59), AT) == "just now"
    assert times.ago(AT - timedelta(seconds=61), AT) == times.ago(AT - timedelta(seconds=119), AT) == "1 minute ago"
    assert times.ago(AT - timedelta(days=3), AT) == "3 days ago"
    assert times.ago(AT + timedelta(seconds=5), AT) == "just now"


def test_a_countdown_ends():
    assert times.countdown(AT + timedelta(hours=2), AT) == "2 hours left"
    assert times.countdown(AT, AT) == "over"
    assert times.countdown(None, AT) == "no deadline"


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (2, 3, "opens in 1 day 23 hours"),
        (-1, None, "open, no deadline"),
        (-1, 2, "open, 1 day 23 hours left"),
        (-3, -2, "over since 2 days"),
        (-3, 0, "just over"),
    ],
)
def test_a_phase_is_said_by_the_clock(start: float, end: float | None, words: str):
    phase = make_phase(start=start, end=end)
    assert times.phase_words(phase, times.now()) == words


def test_an_endless_phase_says_so():
    assert times.phase_window(make_phase(end=None)).endswith("UTC, without an end")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4213, "0.42 s"), (12.34, "12.3 s"), (245, "4 min 05 s"), (7260, "2 h 01 min")],
)
def test_a_measured_duration_is_short(seconds: float, words: str):
    assert times.duration(seconds) == words
