"""A date means what was written: its time and its offset count."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import CompetitionContent
from podium.platform.bundles.dates import InvalidDate, parse_date, shift_schedule, show_date
from podium.platform.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-30", "2026-01-30T00:00:00"),
        ("2026-1-3", "2026-01-03T00:00:00"),
        ("2026/01/30", "2026-01-30T00:00:00"),
        ("2026-01-30 14:05", "2026-01-30T14:05:00"),
        ("2026-01-30 14:05:06", "2026-01-30T14:05:06"),
        ("2026-01-30T14:05:06Z", "2026-01-30T14:05:06"),
        ("2026-01-30t14:05:06.5z", "2026-01-30T14:05:06.500000"),
        ("2026-01-30 14:00:00 +02:00", "2026-01-30T12:00:00"),
        ("2026-01-30T14:00:00+0200", "2026-01-30T12:00:00"),
        ("2026-01-30 14:00 -5", "2026-01-30T19:00:00"),
        ("2026-01-30 14:00 UTC", "2026-01-30T14:00:00"),
        ("1-30-2026", "2026-01-30T00:00:00"),
        ("8-7-2019", "2019-08-07T00:00:00"),
        ("1/30/2026", "2026-01-30T00:00:00"),
        ("1/30/2026 9:15 pm", "2026-01-30T21:15:00"),
        ("1/30/2026 12:00 AM", "2026-01-30T00:00:00"),
        ("12-31-2026 23:59:59", "2026-12-31T23:59:59"),
        ("January 30, 2026", "2026-01-30T00:00:00"),
        ("30 Jan 2026 10:00", "2026-01-30T10:00:00"),
        ("30-Sep-2026", "2026-09-30T00:00:00"),
        ("  2026-01-30   14:00 ", "2026-01-30T14:00:00"),
    ],
)
def test_every_form_of_real_bundles_is_read(text: str, moment: str):
    assert parse_date(text) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("30-1-2026", "the month comes first", "Write `2026-01-30`."),
        ("2-30-2026", "does not exist", "Write `2026-01-30`,"),
        ("2026-02-29", "does not exist", "2026-01-30"),
        ("13-13-2026", "does not exist", "2026-01-30"),
        ("2026-01-30 25:00", "does not exist", "2026-01-30"),
        ("2026-01-30 13:00 pm", "13 pm is no hour", "2026-01-30"),
        ("2026-01-30 10:00 +15:00", "out of range", "2026-01-30"),
        ("9999-12-31 23:00 -02:00", "does not exist", "2026-01-30"),
        ("1-30-26", "not a date that can be", "2026-01-30"),
        ("1.2.2026", "not a date that can be", "2026-01-30"),
        ("2026-01-30 14:00 CET", "not a date that can be", "2026-01-30"),
        ("tomorrow", "not a date that can be", "2026-01-30"),
        ("", "not a date that can be", "2026-01-30"),
    ],
)
def test_other_dates_get_the_accepted_forms(text: str, message: str, remedy: str):
    with pytest.raises(InvalidDate) as caught:
        parse_date(text)
    assert message in caught.value.detail
    assert remedy in caught.value.remedy


@given(st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_iso_dates_come_back_as_the_same_moment(moment: datetime, minutes: int):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(aware.isoformat()) == aware


@given(st.text(alphabet="0123456789-/:. TZ+amp", max_size=30))
def test_no_text_raises_anything_else(text: str):
    with suppress(InvalidDate):
        assert parse_date(text).tzinfo is UTC


def test_moments_are_shown_to_the_minute():
    assert show_date(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04 UTC"
    assert show_date(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"


def test_a_schedule_moves_as_a_whole(accepted: Callable[..., CompetitionContent]):
    content = accepted()
    now = datetime(2030, 5, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    moved = shift_schedule(content, now)
    assert moved.phases[0].start == now
    assert moved.phases[0].start.tzinfo is UTC
    for before, after in zip(content.phases, moved.phases, strict=True):
        assert after.start - before.start == now - content.phases[0].start
        assert (after.end is None) == (before.end is None)
        if before.end and after.end:
            assert after.end - after.start == before.end - before.start
    assert replace(moved, phases=content.phases) == content


def test_a_schedule_can_not_leave_the_calendar(accepted: Callable[..., CompetitionContent]):
    content = accepted()
    last = replace(content.phases[1], end=datetime(9999, 12, 31, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="after the year 9999"):
        shift_schedule(replace(content, phases=(content.phases[0], last)), datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="aware"):
        shift_schedule(content, datetime(2030, 1, 1))  # noqa: DTZ001 - a naive time is what is tested
