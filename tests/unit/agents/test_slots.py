"""What an agent takes next when a slot comes free: of what was announced, or of what the gateway says anew."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest

from podium.agents import worker
from podium.agents.announced import Announced
from podium.agents.batched import BatchedWork
from podium.agents.post import Claimed
from podium.agents.slots import Slots
from podium.agents.stock import Stock
from podium.agents.worker import PodiumWorker
from podium.platform.jobs import AnnouncedRun


class Desk:
    """Announces a queue, and grants what is claimed of it, or not."""

    scores = ready = True

    def __init__(self, runs: list[AnnouncedRun], answer: Claimed) -> None:
        self.runs = runs
        self.answer = answer
        self.asked = 0
        self.claimed: list[AnnouncedRun] = []
        self.all_claimed = anyio.Event()

    async def wait_for_work(self, cursor: int, seconds: float) -> object:
        assert (cursor, seconds) == (-1, 0)
        self.asked += 1
        left = [run for run in self.runs if run not in self.claimed]
        return SimpleNamespace(runs=tuple(left))


async def nothing_is_batched(run: AnnouncedRun) -> None:
    raise AssertionError(run.name)


def made(desk: Desk) -> PodiumWorker:
    """A worker with two slots that is connected to nothing."""
    one = object.__new__(PodiumWorker)
    one._post = desk  # type: ignore[assignment]  # a stand-in
    one._slots = Slots(2)
    one._announced = Announced(one._slots)
    one._hears_gateway = True
    one._batched = BatchedWork(
        one._post,
        Stock(2),
        one._slots,
        one._announced,
        score=nothing_is_batched,
        start_soon=one._start_soon,
        leaving=anyio.Event(),
    )

    async def score(run: AnnouncedRun) -> Claimed:
        desk.claimed.append(run)
        if len(desk.claimed) == len(desk.runs):
            desk.all_claimed.set()
        await anyio.lowlevel.checkpoint()
        return desk.answer

    async def nothing() -> None:
        """Prefect's own queue is empty."""

    one._score = score  # type: ignore[method-assign]
    one.get_and_submit_flow_runs = nothing  # type: ignore[assignment, method-assign]
    return one


async def work(desk: Desk) -> None:
    one = made(desk)
    async with anyio.create_task_group() as tasks:
        one._runs_task_group = tasks
        tasks.start_soon(one._poll_forever)
        with anyio.fail_after(20):
            await desk.all_claimed.wait()
        tasks.cancel_scope.cancel()


def runs(number: int) -> list[AnnouncedRun]:
    return [AnnouncedRun(submission_id=uuid4(), flow_run_id=uuid4(), name=f"iris #{one}") for one in range(number)]


def test_what_was_announced_is_taken_in_its_order_without_asking_again() -> None:
    desk = Desk(runs(12), Claimed.GRANTED)
    anyio.run(work, desk)
    assert desk.claimed == desk.runs
    assert desk.asked <= 2  # and once more when all of it was taken


def test_where_others_take_of_the_queue_as_well_its_head_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SAFETY_POLL_SECONDS", 0.05)
    desk = Desk(runs(6), Claimed.GONE)
    anyio.run(work, desk)
    assert sorted(run.name for run in desk.claimed) == sorted(run.name for run in desk.runs)
    assert desk.asked > 2
