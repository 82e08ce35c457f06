"""What is left of a quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.errors import QuotaExceeded
from podium.platform.quotas import Left, Quota, Used, left_of, require_left, start_of_day

NOON = datetime(2030, 5, 6, 12, 30, 15, 7, tzinfo=UTC)
MIDNIGHT = datetime(2030, 5, 7, tzinfo=UTC)


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
    left = left_of(Quota(per_day, total), Used(used_today, used_total), NOON)
    assert (left_today, left_total, allowed, renews) == (left.today, left.total, left.allowed, left.renews)


LIMITS = st.none() | st.integers(1, 1000)


@given(LIMITS, LIMITS, st.integers(0, 2000), st.integers(0, 2000))
def test_never_below_nothing_and_never_above_the_limits(
    per_day: int | None, total: int | None, today: int, before: int
) -> None:
    left = left_of(Quota(per_day, total), Used(today, today + before), NOON)
    assert (per_day is None, total is None) == (left.today is None, left.total is None)
    if left.today is not None and per_day is not None:
        assert 0 <= left.today <= per_day
    if left.total is not None and total is not None:
        assert 0 <= left.total <= total
    if left.today is not None and left.total is not None:
        assert left.today <= left.total
    assert left.allowed == (left.today != 0 and left.total != 0)


@given(st.integers(1, 50), st.integers(1, 50))
def test_one_submission_after_the_other_takes_exactly_the_smaller_limit(per_day: int, total: int) -> None:
    made = 0
    while left_of(Quota(per_day, total), Used(made, made), NOON).allowed:
        made += 1
    assert min(per_day, total) == made


@given(st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)))  # noqa: DTZ001  # hypothesis wants it naive
def test_the_next_day_begins_after_now_and_within_a_day(moment: datetime) -> None:
    renews = left_of(Quota(1, None), Used(1, 1), moment).renews
    assert renews is not None
    assert timedelta(0) < renews - moment <= timedelta(days=1)
    assert start_of_day(renews) == renews


def test_a_refusal_says_when_it_renews() -> None:
    with pytest.raises(QuotaExceeded, match="after 2030-05-07 00:00 UTC"):
        require_left(left_of(Quota(2, 9), Used(2, 2), NOON))
    with pytest.raises(QuotaExceeded) as refused:
        require_left(left_of(Quota(2, 2), Used(0, 2), NOON))
    assert refused.value.remedy == ""
    require_left(Left(1, 1, "", None))


@pytest.mark.parametrize("quota", [Quota(0, None), Quota(0, 100), Quota(5, 0)])
def test_none_at_all_is_said_as_such(quota: Quota) -> None:
    left = left_of(quota, Used(0, 0), datetime(2026, 1, 1, tzinfo=UTC))
    assert (left.allowed, left.renews, left.reason) == (
        False,
        None,
        "The phase takes no submissions from participants.",
    )
