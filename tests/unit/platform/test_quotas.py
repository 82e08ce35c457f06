"""What is left of a quota."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.errors import InvalidInput, QuotaExceeded
from podium.platform.quotas import DRAFT, Counted, Extra, Left, Quota, left_of, require_left, window_start

NOON = datetime(2030, 5, 6, 12, 30, 15, 7, tzinfo=UTC)
MIDNIGHT = datetime(2030, 5, 7, tzinfo=UTC)
DAY, WEEK = SubmissionWindow.SLIDING_DAY, SubmissionWindow.SLIDING_WEEK
NONE = Extra()


def ago(*hours: float, failed: bool = False, under_way: bool = False, moment: datetime = NOON) -> list[Counted]:
    return [Counted(moment - timedelta(hours=number), failed, under_way) for number in hours]


def used(today: int, before: int = 0) -> list[Counted]:
    return ago(*[1.0] * today, *[30.0] * before)


@pytest.mark.parametrize(
    ("per_day", "total", "used_today", "used_total", "left_today", "left_total", "allowed", "renews"),
    [
        (None, None, 7, 70, None, None, True, None),
        (5, 100, 0, 0, 5, 100, True, None),
        (5, 100, 4, 50, 1, 50, True, None),
        (5, 100, 5, 50, 0, 50, False, MIDNIGHT),
        (5, 100, 9, 50, 0, 50, False, MIDNIGHT),
        (5, 100, 2, 98, 2, 2, True, None),
        (5, 100, 2, 100, 0, 0, False, None),
        (5, 100, 5, 100, 0, 0, False, None),
        (5, 100, 0, 120, 0, 0, False, None),
        (5, None, 5, 500, 0, None, False, MIDNIGHT),
        (None, 3, 2, 2, None, 1, True, None),
        (None, 3, 2, 3, None, 0, False, None),
    ],
)
def test_what_is_left(
    per_day: int | None,
    total: int | None,
    used_today: int,
    used_total: int,
    left_today: int | None,
    left_total: int | None,
    allowed: bool,  # noqa: FBT001  # a column of the table
    renews: datetime | None,
) -> None:
    left = left_of(Quota(per_day, total), NONE, used(used_today, used_total - used_today), NOON)
    assert (left_today, left_total, allowed, renews) == (left.in_window, left.total, left.allowed, left.renews)


def test_cases_that_crowdai_was_tried_with(cases: Path) -> None:
    told = json.loads((cases / "leaderboards" / "submissions_remaining.json").read_text("utf-8"))
    limit, now = told["limit"], datetime.fromisoformat(told["now"])
    quotas = {
        "day": Quota(limit, None, window=DAY),
        "week": Quota(limit, None, window=WEEK),
        "round": Quota(None, limit),
        "draft challenge, not running": DRAFT,
    }
    assert {case["period"] for case in told["cases"]} == set(quotas)
    for case in told["cases"]:
        made = ago(*case["submitted_hours_ago"], moment=now)
        left = left_of(quotas[case["period"]], NONE, made, now)
        (remaining,) = [rest for rest in (left.in_window, left.total, left.concurrent) if rest is not None]
        resets = datetime.fromisoformat(case["reset"]) if case["reset"] else None
        assert (remaining, left.resets) == (case["remaining"], resets), case
        assert left.allowed == (remaining > 0)
        assert left.renews == (resets if remaining == 0 else None)
        if case["period"] in ("day", "week"):
            counted = sum(one.created > window_start(quotas[case["period"]], now) for one in made)
            assert counted == case["counted"]


@pytest.mark.parametrize(
    ("zone", "moment", "start", "end"),
    [
        ("UTC", "2026-03-29T12:00Z", "2026-03-29T00:00Z", "2026-03-30T00:00Z"),
        ("Europe/Paris", "2026-01-10T22:59:59Z", "2026-01-09T23:00Z", "2026-01-10T23:00Z"),
        ("Europe/Paris", "2026-01-10T23:00Z", "2026-01-10T23:00Z", "2026-01-11T23:00Z"),
        ("Asia/Kolkata", "2026-01-10T18:30Z", "2026-01-10T18:30Z", "2026-01-11T18:30Z"),
        # Days of 23 and of 25 hours.
        ("Europe/Paris", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Paris", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("America/New_York", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        # Clocks are put forward at midnight, which there is none of, and back to it, so that there are two.
        ("Africa/Cairo", "2026-04-23T20:00Z", "2026-04-22T22:00Z", "2026-04-23T22:00Z"),
        ("Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        ("America/Havana", "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
    ],
)
def test_a_day_is_one_of_the_time_zone(zone: str, moment: str, start: str, end: str) -> None:
    now, began, over = map(datetime.fromisoformat, (moment, start, end))
    quota = Quota(1, None, time_zone=zone)
    assert window_start(quota, now) == began
    assert window_start(quota, now).tzinfo is UTC
    assert left_of(quota, NONE, [Counted(began - timedelta(microseconds=1))], now).allowed
    left = left_of(quota, NONE, [Counted(began)], now)
    assert (left.allowed, left.renews) == (False, over)
    assert left.renews is not None
    assert left_of(quota, NONE, [Counted(began)], over).allowed
    assert not left_of(quota, NONE, [Counted(began)], over - timedelta(microseconds=1)).allowed


def test_what_left_a_sliding_window_to_the_moment_does_not_count() -> None:
    quota = Quota(1, None, window=DAY)
    assert window_start(quota, NOON) == NOON - timedelta(days=1)
    assert left_of(quota, NONE, ago(24), NOON).allowed
    left = left_of(quota, NONE, ago(23, 22), NOON)
    # Both have to leave: there is room for one.
    assert (left.renews, left.resets) == (NOON + timedelta(hours=2), NOON + timedelta(hours=1))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/passwd", "a" * 5000, "\0"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="There is no time zone"):
        left_of(Quota(1, 1, time_zone=name), NONE, [], NOON)


def test_failed_ones_are_given_back_in_the_window_and_in_all() -> None:
    quota = Quota(3, 6, failed_given_back=1, window=DAY)
    made = ago(50, 49, failed=True) + ago(48) + ago(5, 4, failed=True) + ago(3)
    left = left_of(quota, NONE, made, NOON)
    assert (left.in_window, left.total) == (1, 1)
    # The one that failed first is given back, so that the window gives one back when the next one leaves.
    assert left.resets == NOON + timedelta(hours=19)
    assert left_of(replace(quota, failed_given_back=9), NONE, made, NOON).total == 4


def test_extra_is_added_to_the_limits_that_there_are() -> None:
    extra = Extra(per_window=2, total=3, concurrent=1)
    left = left_of(Quota(5, 10, 1), extra, used(5), NOON)
    assert (left.in_window, left.total, left.concurrent, left.allowed) == (2, 8, 2, True)
    left = left_of(Quota(None, None), extra, used(5), NOON)
    assert (left.in_window, left.total, left.concurrent) == (None, None, None)
    assert "The phase allows you 7 submissions a day (UTC)" in left_of(Quota(5, 100), extra, used(7), NOON).reason


def test_under_way_at_once() -> None:
    quota = Quota(None, None, concurrent=2)
    left = left_of(quota, NONE, ago(1, 2, under_way=True) + ago(3), NOON)
    assert (left.concurrent, left.renews) == (0, None)
    assert left.reason == "The phase allows 2 submissions at a time, and yours are still under way."
    assert left_of(quota, NONE, ago(1, under_way=True) + ago(2, 3), NOON).concurrent == 1
    assert left_of(DRAFT, NONE, ago(1, under_way=True), NOON).reason == (
        "The phase allows 1 submission at a time, and yours is still under way."
    )


@pytest.mark.parametrize(
    ("quota", "made", "reason"),
    [
        (Quota(2, None), used(2), "The phase allows 2 submissions a day (UTC), and those of today are used."),
        (Quota(1, None, time_zone="Europe/Paris"), used(1),
         "The phase allows 1 submission a day (Europe/Paris), and those of today are used."),
        (Quota(2, None, window=DAY), used(2), "The phase allows 2 submissions within 24 hours, and they are used."),
        (Quota(2, None, window=WEEK), used(2), "The phase allows 2 submissions within 7 days, and they are used."),
        (Quota(2, 3), used(2, 1), "The phase allows 3 submissions in all, and they are used."),
        (Quota(2, 9, 1), ago(1, 1, under_way=True),
         "The phase allows 2 submissions a day (UTC), and those of today are used."),
    ],
)  # fmt: skip
def test_reasons_are_sentences(quota: Quota, made: list[Counted], reason: str) -> None:
    assert left_of(quota, NONE, made, NOON).reason == reason


@pytest.mark.parametrize(
    ("quota", "extra"),
    [
        (Quota(0, None), Extra(per_window=1)),
        (Quota(0, 100), Extra(per_window=1)),
        (Quota(5, 0), Extra(total=1)),
        (Quota(0, 0, 0), Extra(1, 1, 1)),
    ],
)
def test_none_at_all_is_said_as_such_and_lifted_for_one_person(quota: Quota, extra: Extra) -> None:
    left = left_of(quota, NONE, [], NOON)
    assert (left.allowed, left.renews, left.reason) == (
        False,
        None,
        "The phase takes no submissions from participants.",
    )
    assert left_of(quota, extra, [], NOON).allowed
    left = left_of(quota, extra, used(1), NOON)
    assert not left.allowed
    assert "takes no submissions" not in left.reason


def test_extra_for_another_limit_does_not_lift_one_of_none() -> None:
    assert not left_of(Quota(0, 100), Extra(total=5), [], NOON).allowed


def test_a_refusal_says_when_it_renews() -> None:
    with pytest.raises(QuotaExceeded, match="after 2030-05-07 00:00 UTC"):
        require_left(left_of(Quota(2, 9), NONE, used(2), NOON))
    # To the minute, and not before it.
    with pytest.raises(QuotaExceeded, match="after 2030-05-07 11:31 UTC"):
        require_left(left_of(Quota(2, 9, window=DAY), NONE, used(2), NOON))
    with pytest.raises(QuotaExceeded) as refused:
        require_left(left_of(Quota(2, 2), NONE, used(0, 2), NOON))
    assert refused.value.remedy == ""
    require_left(Left(1, 1, None, "", None))


MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants them naive
LIMITS = st.none() | st.integers(0, 12)
ZONES = ("UTC", "Europe/Paris", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Kiritimati")
QUOTAS = st.builds(
    Quota,
    LIMITS,
    LIMITS,
    LIMITS,
    st.sampled_from(SubmissionWindow),
    st.sampled_from(ZONES),
    st.integers(0, 4),
)
EXTRAS = st.builds(Extra, st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
STATES = st.sampled_from([(False, False), (True, False), (False, True)])
MADE = st.lists(st.tuples(st.integers(0, 9 * 86_400), STATES), max_size=20)


def at(moment: datetime, made: list[tuple[int, tuple[bool, bool]]]) -> list[Counted]:
    return [Counted(moment - timedelta(seconds=seconds), *state) for seconds, state in made]


def no_less(more: Left, less: Left) -> bool:
    pairs = ((more.in_window, less.in_window), (more.total, less.total), (more.concurrent, less.concurrent))
    return all(a == b if a is None or b is None else a >= b for a, b in pairs)


@given(QUOTAS, EXTRAS, MADE, MOMENTS)
def test_never_below_nothing_and_never_above_the_limits(
    quota: Quota, extra: Extra, made: list[tuple[int, tuple[bool, bool]]], moment: datetime
) -> None:
    left = left_of(quota, extra, at(moment, made), moment)
    for rest, limit, more in (
        (left.in_window, quota.per_window, extra.per_window),
        (left.total, quota.total, extra.total),
        (left.concurrent, quota.concurrent, extra.concurrent),
    ):
        assert (rest is None) == (limit is None)
        assert rest is None or limit is None or 0 <= rest <= limit + more
    if left.in_window is not None and left.total is not None:
        assert left.in_window <= left.total
    assert left.allowed == (0 not in (left.in_window, left.total, left.concurrent))


@given(QUOTAS, EXTRAS, MADE, st.tuples(st.integers(0, 9 * 86_400), STATES), MOMENTS)
def test_more_submissions_leave_no_more_and_more_allowance_no_less(
    quota: Quota,
    extra: Extra,
    made: list[tuple[int, tuple[bool, bool]]],
    another: tuple[int, tuple[bool, bool]],
    moment: datetime,
) -> None:
    left = left_of(quota, extra, at(moment, made), moment)
    assert no_less(left, left_of(quota, extra, at(moment, [*made, another]), moment))
    assert no_less(left, left_of(quota, NONE, at(moment, made), moment))
    generous = replace(quota, failed_given_back=quota.failed_given_back + 1)
    assert no_less(left_of(generous, extra, at(moment, made), moment), left)


@given(QUOTAS, EXTRAS, MADE, MOMENTS)
def test_what_is_given_back_is_never_more_than_its_number_nor_than_what_failed(
    quota: Quota, extra: Extra, made: list[tuple[int, tuple[bool, bool]]], moment: datetime
) -> None:
    high = replace(quota, per_window=100, total=1000)
    with_it = left_of(high, extra, at(moment, made), moment)
    without = left_of(replace(high, failed_given_back=0), extra, at(moment, made), moment)
    failed = sum(state[0] for _, state in made)
    for more, less in ((with_it.in_window, without.in_window), (with_it.total, without.total)):
        assert more is not None
        assert less is not None
        assert 0 <= more - less <= min(failed, quota.failed_given_back)


@given(QUOTAS, EXTRAS, MADE, MOMENTS)
def test_it_is_allowed_again_when_it_renews_and_not_before(
    quota: Quota, extra: Extra, made: list[tuple[int, tuple[bool, bool]]], moment: datetime
) -> None:
    quota = replace(quota, concurrent=None)
    submissions = at(moment, made)
    left = left_of(quota, extra, submissions, moment)
    if left.renews is None:
        return
    assert not left.allowed
    assert left.renews > moment
    assert left_of(quota, extra, submissions, left.renews).allowed
    assert not left_of(quota, extra, submissions, left.renews - timedelta(microseconds=1)).allowed


@given(QUOTAS, EXTRAS, MADE, MOMENTS)
def test_a_window_gives_something_back_when_it_resets_and_not_before(
    quota: Quota, extra: Extra, made: list[tuple[int, tuple[bool, bool]]], moment: datetime
) -> None:
    high = replace(quota, per_window=100, total=None)
    submissions = at(moment, made)
    left = left_of(high, extra, submissions, moment)
    assert left.in_window is not None
    assert (left.resets is None) == (left.in_window == 100 + extra.per_window)
    if left.resets is not None:
        before = left_of(high, extra, submissions, left.resets - timedelta(microseconds=1)).in_window
        after = left_of(high, extra, submissions, left.resets).in_window
        assert before == left.in_window
        assert after is not None
        assert after > left.in_window


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(SubmissionWindow))
def test_one_submission_after_the_other_takes_exactly_the_smaller_limit(
    per_window: int, total: int, window: SubmissionWindow
) -> None:
    made = 0
    while left_of(Quota(per_window, total, window=window), NONE, used(made), NOON).allowed:
        made += 1
    assert min(per_window, total) == made


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_day_begins_at_midnight_and_its_moments_are_in_it(moment: datetime, zone: str) -> None:
    quota = Quota(1, None, time_zone=zone)
    start = window_start(quota, moment)
    over = left_of(quota, NONE, [Counted(moment)], moment).renews
    assert over is not None
    assert start <= moment < over
    assert timedelta(hours=23) <= over - start <= timedelta(hours=25)
    assert window_start(quota, over) == over
    local = start.astimezone(ZoneInfo(zone))
    assert local.date() == moment.astimezone(ZoneInfo(zone)).date()
    assert (local - timedelta(microseconds=1)).date() < local.date()


def test_a_moment_with_another_offset_is_the_same_moment() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=14)))
    assert left_of(Quota(1, None), NONE, used(1), elsewhere) == left_of(Quota(1, None), NONE, used(1), NOON)
