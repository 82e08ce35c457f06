"""How much an agent claims ahead, and what becomes of what waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from podium.agents.stock import AHEAD, WAIT_SECONDS, Stock
from podium.platform.jobs import AnnouncedRun


def job(lease_seconds: float = 60) -> Any:  # noqa: ANN401  # stands in for a ScoringJob
    return SimpleNamespace(attempt_id=uuid4(), lease_seconds=lease_seconds)


def run() -> AnnouncedRun:
    return AnnouncedRun(submission_id=uuid4(), flow_run_id=uuid4(), name="iris #1", batched=True)


def noted(*seconds: float, slots: int = 2) -> Stock:
    stock = Stock(slots)
    for one in seconds:
        stock.note(one)
    return stock


def test_only_what_is_known_to_be_short_is_claimed_ahead() -> None:
    assert Stock(2).target == 0
    assert noted(0.27).target == 5
    assert noted(0.27, slots=1).target == 2
    assert noted(0.01).target == noted(0.0).target == AHEAD
    assert noted(1.5).target == noted(60.0).target == 0
    assert noted(600.0, *[0.27] * 8).target == 5  # what is long ago counts no more


def test_several_are_claimed_when_few_are_left() -> None:
    stock = noted(0.27)
    assert stock.lacks == 5
    for _ in range(5):
        stock.add(run(), job(), 0.0)
    lacking = []
    for _ in range(6):
        lacking.append(stock.lacks)
        stock.take()
    assert lacking == [0, 0, 0, 0, 4, 5]


def test_who_waits_longest_is_next() -> None:
    stock, runs = noted(0.27), [run() for _ in range(3)]
    for one in runs:
        stock.add(one, job(), 0.0)
    assert [stock.take() for _ in range(4)] == [*runs, None]


def test_nobody_waits_longer_than_a_moment_and_never_into_the_end_of_its_lease() -> None:
    stock, usual, hurried = noted(0.27), run(), run()
    stock.add(usual, job(), 10.0)
    stock.add(hurried, job(lease_seconds=4), 10.0)
    assert stock.overdue(10.9) == []
    assert stock.overdue(11.0) == [hurried]
    assert stock.overdue(10.0 + WAIT_SECONDS) == [usual]
    assert len(stock) == 0


def test_what_was_stopped_is_dropped_and_no_other() -> None:
    stock, first, second = noted(0.27), run(), run()
    stopped = job()
    stock.add(first, stopped, 0.0)
    stock.add(second, job(), 0.0)
    assert stock.drop([uuid4(), stopped.attempt_id]) == [first]
    assert stock.clear() == [second]
