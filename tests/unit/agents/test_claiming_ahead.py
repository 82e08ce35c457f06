"""What an agent claims ahead for slots that are soon free, and in which order these are given away."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import anyio
import anyio.lowlevel
import pytest

from podium.agents.announced import Announced
from podium.agents.batched import BatchedWork
from podium.agents.slots import Slots
from podium.agents.stock import Stock
from podium.agents.worker import PodiumWorker
from podium.platform.errors import PlatformFault
from podium.platform.jobs import AnnouncedRun


class Desk:
    """Grants what is claimed, but for some, and remembers it."""

    scores = ready = True

    def __init__(self) -> None:
        self.refused: set[UUID] = set()
        self.away = False
        self.claims: list[tuple[list[AnnouncedRun], list[AnnouncedRun]]] = []
        self.begun: list[AnnouncedRun] = []
        self.put_back_: list[AnnouncedRun] = []

    def claim_several(self, runs: Sequence[AnnouncedRun], ahead: Sequence[AnnouncedRun]) -> dict[UUID, Any]:
        self.claims.append((list(runs), list(ahead)))
        if self.away:
            raise PlatformFault("It is away.")
        job = SimpleNamespace(attempt_id=uuid4(), lease_seconds=60)
        return {run.submission_id: job for run in (*runs, *ahead) if run.submission_id not in self.refused}

    def put_back(self, run: AnnouncedRun) -> None:
        self.put_back_.append(run)

    def release(self, run: AnnouncedRun) -> None:
        """Nothing."""


def batched(number: int, *, gpus: int = 0) -> list[AnnouncedRun]:
    return [
        AnnouncedRun(submission_id=uuid4(), flow_run_id=uuid4(), name=f"iris #{one}", gpus=gpus, batched=True)
        for one in range(number)
    ]


async def never(run: AnnouncedRun) -> None:
    raise AssertionError(f"{run.name} has begun in spite of the stand-in")


class Agent:
    """A worker with two slots that is connected to nothing, and whose runs last until they are ended."""

    def __init__(self, desk: Desk, *, seconds: float | None = 0.19) -> None:
        self.desk = desk
        self.stock = Stock(2)
        if seconds is not None:
            self.stock.note(seconds)
        self.slots = Slots(2)
        self.worker = worker = object.__new__(PodiumWorker)
        worker._post = desk  # type: ignore[assignment]  # a stand-in
        worker._slots = self.slots
        worker._announced = Announced(self.slots)
        worker._leaving = anyio.Event()
        self.batched = worker._batched = BatchedWork(
            worker._post,
            self.stock,
            self.slots,
            worker._announced,
            score=never,
            start_soon=worker._start_soon,
            leaving=worker._leaving,
        )

        def begin(run: AnnouncedRun) -> None:
            self.batched._under_way += 1
            desk.begun.append(run)

        self.batched._begin = begin  # type: ignore[method-assign]

    def ends(self, run: AnnouncedRun) -> None:
        self.batched._under_way -= 1
        self.slots.release(run.submission_id)

    async def take(self, runs: Sequence[AnnouncedRun]) -> tuple[AnnouncedRun, ...]:
        async with anyio.create_task_group() as tasks:
            self.worker._runs_task_group = tasks
            return self.worker._take(runs)


def test_free_slots_are_claimed_for_in_one_call_and_the_next_ones_ahead() -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(12)
        one = Agent(desk)
        left = await one.take(runs)
        assert desk.claims == [(runs[:2], [])]  # none ahead: nothing of a batch is under way yet
        assert (desk.begun, list(left)) == (runs[:2], runs[2:])
        left = await one.take(left)
        assert desk.claims[1:] == [([], runs[2:9])]  # as much as two slots do in 0.7 s
        assert len(one.stock) == 7
        one.ends(runs[0])
        left = await one.take(left)
        assert desk.begun == runs[:3]
        assert len(desk.claims) == 2
        assert list(left) == runs[9:]

    anyio.run(work)


@pytest.mark.parametrize("seconds", [None, 5.0])
def test_nothing_is_claimed_ahead_where_slots_are_not_soon_free(seconds: float | None) -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(6)
        one = Agent(desk, seconds=seconds)
        await one.take(await one.take(runs))
        assert desk.claims == [(runs[:2], [])]

    anyio.run(work)


def test_what_needs_a_gpu_is_never_claimed_ahead() -> None:
    async def work() -> None:
        desk, runs, with_gpus = Desk(), batched(2), batched(4, gpus=1)
        one = Agent(desk)
        await one.take(await one.take([*runs, *with_gpus]))
        assert desk.claims == [(runs, [])]

    anyio.run(work)


def test_a_fresh_submission_at_the_head_of_the_queue_goes_before_what_was_claimed_ahead() -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(6)
        one, scored = Agent(desk), list[AnnouncedRun]()

        async def score(run: AnnouncedRun) -> None:
            await anyio.lowlevel.checkpoint()
            scored.append(run)

        one.worker._score_announced = score  # type: ignore[method-assign]
        await one.take(await one.take(runs))
        one.ends(runs[0])
        fresh = AnnouncedRun(submission_id=uuid4(), flow_run_id=uuid4(), name="iris #99")
        await one.take([fresh])
        assert (scored, desk.begun) == ([fresh], runs[:2])
        one.slots.release(fresh.submission_id)
        await one.take([])
        assert desk.begun == runs[:3]

    anyio.run(work)


def test_slots_of_what_is_refused_are_free_again_and_what_was_had_goes_on() -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(3)
        desk.refused = {runs[0].submission_id}
        one = Agent(desk)
        await one.take(runs)
        assert desk.begun == [runs[1]]
        assert one.slots.limiter.available_tokens == 1
        assert runs[0] in one.slots.not_held(runs)

    anyio.run(work)


def test_a_gateway_that_is_away_costs_no_slot() -> None:
    async def work() -> None:
        desk = Desk()
        desk.away = True
        one, runs = Agent(desk), batched(3)
        await one.take(runs)
        assert one.slots.limiter.available_tokens == 2
        assert list(one.slots.not_held(runs)) == runs
        assert one.batched.may_claim(0)

    anyio.run(work)


def test_an_agent_that_leaves_puts_back_what_is_granted_ahead_after_that() -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(6)
        one = Agent(desk)
        left = await one.take(runs)
        one.worker.leave()
        await one.take(left)
        assert desk.put_back_ == runs[2:]
        assert not len(one.stock)

    anyio.run(work)


def test_where_nothing_is_granted_ahead_it_is_not_asked_for_again_at_once() -> None:
    async def work() -> None:
        desk, runs = Desk(), batched(8)
        one = Agent(desk)
        left = await one.take(runs)
        desk.refused = {run.submission_id for run in left}
        await one.take(left)
        await one.take(left)
        assert len(desk.claims) == 2

    anyio.run(work)
