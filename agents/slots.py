"""The slots of an agent: what has them, and what it has asked for besides, so that nothing is taken twice."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import anyio

from podium.platform.jobs import AnnouncedRun


class Slots:
    """Who holds the slots. A holder is a submission, or a flow run that Prefect's own queue brought.

    Args:
        number: How many can be scored at a time.
    """

    def __init__(self, number: int) -> None:
        self.limiter = anyio.CapacityLimiter(number)
        self._held: set[UUID] = set()

    @property
    def is_free(self) -> bool:
        """Whether there is one for whatever comes."""
        return self.limiter.available_tokens >= 1

    def give(self, holder: UUID) -> None:
        """Set a free slot aside."""
        self.limiter.acquire_on_behalf_of_nowait(holder)
        self._held.add(holder)

    def hold(self, runs: Iterable[AnnouncedRun]) -> None:
        """Remember that these are asked for, before there are slots for them."""
        self._held.update(run.submission_id for run in runs)

    def release(self, holder: UUID) -> None:
        """Forget a holder, and free the slot that it may have had."""
        self._held.discard(holder)
        # It has none while it waits for one, and Prefect's own part may have freed it.
        with suppress(RuntimeError):
            self.limiter.release_on_behalf_of(holder)

    def not_held(self, runs: Iterable[AnnouncedRun]) -> tuple[AnnouncedRun, ...]:
        """Those of these that are not asked for yet."""
        return tuple(run for run in runs if run.submission_id not in self._held)
