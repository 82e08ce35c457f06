"""Submissions of batches: several are claimed with one call, some of them ahead of the slots that come free next."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from uuid import UUID

import anyio
import anyio.to_thread

from podium.agents.announced import SHARES_SECONDS, Announced
from podium.agents.post import Post
from podium.agents.slots import Slots
from podium.agents.stock import Stock
from podium.platform.jobs import TOGETHER, AnnouncedRun, ScoringJob

logger = logging.getLogger("podium.agents")
STOCK_SECONDS = 0.5
"""How often it is seen whether something has waited too long for a slot."""
AT_ONCE = TOGETHER // 2
"""Slots for which one call claims."""


def is_claimed_together(run: AnnouncedRun) -> bool:
    """Whether it may be claimed with others: GPUs are set aside for one at a time."""
    return run.batched and not run.gpus


class BatchedWork:
    """Claims submissions of batches and has them scored, each in its slot.

    Args:
        post: Makes the claims, in calls that block.
        stock: What is claimed ahead.
        score: Scores one that is claimed.
        start_soon: Runs a coroutine function beside everything else.
        leaving: Is set when nothing may wait for a slot here any more.
    """

    def __init__(
        self,
        post: Post,
        stock: Stock,
        slots: Slots,
        announced: Announced,
        *,
        score: Callable[[AnnouncedRun], Awaitable[None]],
        start_soon: Callable[..., None],
        leaving: anyio.Event,
    ) -> None:
        self._post = post
        self._stock = stock
        self._slots = slots
        self._announced = announced
        self._score = score
        self._start_soon = start_soon
        self._leaving = leaving
        self._under_way = 0
        self._is_claiming = False
        self._not_ahead_until = float("-inf")

    @property
    def lacks(self) -> int:
        """How many more should be claimed ahead."""
        return self._stock.lacks

    def may_claim(self, chosen: int) -> bool:
        """Whether one more may be claimed with so many that are chosen: one such call at a time, of not too many."""
        return not self._is_claiming and chosen < AT_ONCE

    def begin_ahead(self) -> None:
        """Give free slots to what was claimed ahead."""
        while len(self._stock) and self._slots.is_free:
            run = self._stock.take()
            assert run is not None
            self._slots.give(run.submission_id)
            self._begin(run)

    def claim(self, together: Sequence[AnnouncedRun], others: Sequence[AnnouncedRun]) -> None:
        """Claim for slots that are set aside, and some of the others for the slots that come free next."""
        ahead = self._ahead(together, others)
        if together or ahead:
            self._is_claiming = True
            self._start_soon(self._claim, together, ahead)

    def _ahead(self, together: Sequence[AnnouncedRun], others: Sequence[AnnouncedRun]) -> list[AnnouncedRun]:
        """What to claim ahead of these: only while others of batches are under way, for their slots come free soon."""
        if self._is_claiming or not self._under_way or anyio.current_time() < self._not_ahead_until:
            return []
        number = min(self._stock.lacks, TOGETHER - len(together))
        chosen = [run for run in others if is_claimed_together(run)][:number]
        self._slots.hold(chosen)
        return chosen

    async def _claim(self, runs: Sequence[AnnouncedRun], ahead: Sequence[AnnouncedRun]) -> None:
        jobs: dict[UUID, ScoringJob] = {}
        try:
            jobs = await anyio.to_thread.run_sync(self._post.claim_several, runs, ahead)
        except Exception as error:  # noqa: BLE001  # what was granted without being heard is lost with its lease
            logger.warning("%d submissions could not be claimed: %s", len(runs) + len(ahead), error)
            self._announced.forget()
        else:
            if any(run.submission_id not in jobs for run in runs):
                self._announced.share()
        finally:
            self._is_claiming = False
        for run in runs:
            if run.submission_id in jobs:
                self._begin(run)
            else:
                self._slots.release(run.submission_id)
        for run in ahead:
            if run.submission_id in jobs:
                self._stock.add(run, jobs[run.submission_id], anyio.current_time())
            else:
                self._slots.release(run.submission_id)
        if ahead and not any(run.submission_id in jobs for run in ahead):
            self._not_ahead_until = anyio.current_time() + SHARES_SECONDS
        if self._leaving.is_set():
            await self.put_back_all()
        self._announced.tell()

    def _begin(self, run: AnnouncedRun) -> None:
        self._under_way += 1
        self._start_soon(self._score_one, run)

    async def _score_one(self, run: AnnouncedRun) -> None:
        """Score one that is claimed and has its slot."""
        began = anyio.current_time()
        try:
            await self._score(run)
            self._stock.note(anyio.current_time() - began)
        except Exception:
            # Whatever it was, the slot comes free; the lease of what was claimed runs out, and it is queued again.
            logger.exception("%s could not be scored", run.name)
        finally:
            self._under_way -= 1
            self._post.release(run)
            self._slots.release(run.submission_id)
            self._announced.tell()

    def forget(self, attempts: Collection[UUID]) -> None:
        """Drop what was claimed ahead and is over by now."""
        for run in self._stock.drop(attempts):
            self._post.forget(run)
            self._slots.release(run.submission_id)

    async def put_back_all(self) -> None:
        """Let others have all that waits for a slot here."""
        await self._put_back(self._stock.clear())

    async def _put_back(self, runs: Iterable[AnnouncedRun]) -> None:
        for run in runs:
            await anyio.to_thread.run_sync(self._post.put_back, run)
            self._slots.release(run.submission_id)

    async def tidy_forever(self) -> None:
        """Let others have what has waited too long for a slot here."""
        while True:
            await anyio.sleep(STOCK_SECONDS)
            await self._put_back(self._stock.overdue(anyio.current_time()))
