"""When what is driven by flows of the platform's own gets its next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from podium.platform.driven import PAUSES, rests

NOON = datetime(2031, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_first_flow_begins_at_once() -> None:
    assert not rests(0, None, NOON)
    assert not rests(0, NOON, NOON)


def test_each_further_flow_waits_for_longer() -> None:
    assert list(PAUSES) == sorted(PAUSES)
    for dispatches, pause in enumerate(PAUSES[1:], start=1):
        assert rests(dispatches, NOON, NOON + pause - SECOND)
        assert not rests(dispatches, NOON, NOON + pause)


def test_after_the_last_flow_nothing_is_waited_for() -> None:
    assert not rests(len(PAUSES), NOON, NOON)


def test_half_an_hour_without_a_store_is_outlasted() -> None:
    assert sum(PAUSES, timedelta()) > timedelta(minutes=30)
