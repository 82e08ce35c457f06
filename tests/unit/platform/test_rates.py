"""Token buckets, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.platform.rates import PACES, Bucket, Pace, Traffic, filled, is_full, take

PACE = Pace(burst=3, per_second=0.5)
gaps = st.lists(st.floats(0, 20), max_size=60)
paces = st.builds(Pace, st.floats(1, 50), st.floats(0.01, 50))


def test_a_full_bucket_gives_its_burst_and_then_says_when() -> None:
    bucket: Bucket | None = None
    for _ in range(3):
        bucket, seconds = take(bucket, PACE, 100.0)
        assert seconds == 0
    bucket, seconds = take(bucket, PACE, 100.0)
    assert seconds == 2.0
    bucket, seconds = take(bucket, PACE, 101.0)
    assert seconds == 1.0
    bucket, seconds = take(bucket, PACE, 102.0)
    assert seconds == 0


@given(paces, gaps)
def test_no_more_gets_through_than_the_burst_and_what_was_filled(pace: Pace, waits: list[float]) -> None:
    bucket, moment, let_through = None, 0.0, 0
    for wait in waits:
        moment += wait
        bucket, seconds = take(bucket, pace, moment)
        let_through += seconds == 0
        assert 0 <= bucket.level <= pace.burst
    assert let_through <= pace.burst + moment * pace.per_second + 1e-6


@given(paces, gaps)
def test_who_waits_as_long_as_was_said_gets_through(pace: Pace, waits: list[float]) -> None:
    bucket, moment = None, 0.0
    for wait in waits:
        moment += wait
        bucket, seconds = take(bucket, pace, moment)
        if seconds:
            moment += seconds + 1e-6
            bucket, seconds = take(bucket, pace, moment)
            assert seconds == 0


def test_a_clock_that_goes_back_fills_nothing() -> None:
    assert filled(Bucket(1, 100.0), PACE, 50.0).level == 1


def test_a_bucket_that_is_full_again_can_be_forgotten() -> None:
    bucket, _ = take(None, PACE, 0.0)
    assert not is_full(bucket, PACE, 1.0)
    assert is_full(bucket, PACE, 2.0)


@pytest.mark.parametrize(("burst", "per_second"), [(0.5, 1), (1, 0), (1, -1), (float("inf"), 1), (float("nan"), 1)])
def test_a_pace_at_which_nothing_gets_through_is_none(burst: float, per_second: float) -> None:
    with pytest.raises(ValueError, match="burst"):
        Pace(burst, per_second)


def test_every_class_has_a_pace_and_a_burst_of_submissions_fits() -> None:
    assert set(PACES) == set(Traffic)
    bucket: Bucket | None = None
    for number in range(200):
        bucket, seconds = take(bucket, PACES[Traffic.SUBMISSIONS], number / 100)
        assert seconds == 0
