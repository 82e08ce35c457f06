"""How long a part that died waits."""

from __future__ import annotations

from podium.platform.supervisor.backoff import Backoff


def test_delays_double_up_to_half_a_minute() -> None:
    backoff = Backoff()
    delays = [backoff.next_delay(0) for _ in range(9)]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_a_minute_of_health_is_a_new_beginning() -> None:
    backoff = Backoff()
    for _ in range(6):
        backoff.next_delay(59.9)
    assert backoff.next_delay(60) == 0.5
    assert backoff.failures == 1


def test_a_part_that_dies_for_days_still_has_a_delay() -> None:
    backoff = Backoff(failures=10_000)
    assert backoff.next_delay(0) == 30
