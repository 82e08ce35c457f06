"""Who is counted, and who is refused."""

from __future__ import annotations

import pytest

from podium.platform.errors import TooManyRequests
from podium.platform.gateway import pacing as module
from podium.platform.gateway.pacing import Pacing
from podium.platform.rates import Pace, Traffic

SLOW = {Traffic.READS: Pace(2, 0.1), Traffic.FAILURES: Pace(2, 0.1), Traffic.UNSEEN: Pace(2, 0.1)}


class Clock:
    def __init__(self) -> None:
        self.moment = 0.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pacing(clock: Clock) -> Pacing:
    return Pacing(SLOW, clock=clock)


def test_each_caller_and_each_class_is_counted_for_itself(pacing: Pacing) -> None:
    for who in ("ada", "bob"):
        for _ in range(2):
            pacing.require(Traffic.READS, who)
    with pytest.raises(TooManyRequests) as refused:
        pacing.require(Traffic.READS, "ada")
    assert refused.value.retry_after == 10
    assert refused.value.remedy == "Try again in 10 seconds."
    pacing.require(Traffic.CHANGES, "ada")


def test_who_waits_goes_on(pacing: Pacing, clock: Clock) -> None:
    for _ in range(2):
        pacing.require(Traffic.READS, "ada")
    clock.moment = 10
    pacing.require(Traffic.READS, "ada")
    with pytest.raises(TooManyRequests):
        pacing.require(Traffic.READS, "ada")


def test_a_class_without_a_limit() -> None:
    free = Pacing({Traffic.READS: None})
    for _ in range(10_000):
        free.require(Traffic.READS, "ada")


def test_new_secrets_are_looked_up_so_often_and_those_that_were_good_always(pacing: Pacing) -> None:
    pacing.note_good("good")
    for _ in range(2):
        pacing.require_seldom_new("192.0.2.7", "bad")
    with pytest.raises(TooManyRequests, match="new here"):
        pacing.require_seldom_new("192.0.2.7", "perhaps good")
    pacing.require_seldom_new("192.0.2.7", "good")
    pacing.require_seldom_new("192.0.2.8", "perhaps good")


def test_guesses_are_counted_by_address_and_spent_tokens_by_token(pacing: Pacing) -> None:
    for count in (lambda: pacing.note_unknown("192.0.2.7"), lambda: pacing.note_spent("revoked")):
        for _ in range(2):
            count()
        with pytest.raises(TooManyRequests, match="not good"):
            count()
    pacing.note_unknown("192.0.2.8")
    pacing.note_spent("another")


def test_buckets_do_not_pile_up(pacing: Pacing, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BUCKETS", 50)
    for number in range(1000):
        pacing.require(Traffic.READS, f"caller {number}")
    assert len(pacing._buckets) <= 50
    clock.moment = 1000
    for number in range(20):
        pacing.require(Traffic.READS, f"new {number}")
    assert len(pacing._buckets) <= 20


def test_secrets_are_not_kept(pacing: Pacing) -> None:
    pacing.note_good("pod_secret")
    assert "pod_secret" not in repr(vars(pacing))
