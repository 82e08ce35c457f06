"""What an agent has claimed ahead: submissions of batches that wait a moment for a slot, where these are soon free."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from podium.platform.jobs import AnnouncedRun, ScoringJob

AHEAD_SECONDS = 0.7
"""As much work of all slots is claimed ahead, by how long the last ones took."""
AHEAD = 8
"""As many submissions wait at the most."""
WAIT_SECONDS = 3.0
"""How long one may wait here; then others may have it."""
RECENT = 8


@dataclass(frozen=True, slots=True)
class Ahead:
    """A submission that was claimed ahead, and until when it may wait."""

    run: AnnouncedRun
    attempt_id: UUID
    until: float


class Stock:
    """Submissions that were claimed ahead, the first first, and how many there should be.

    Times are seconds of one clock.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._seconds: deque[float] = deque(maxlen=RECENT)
        self._waiting: deque[Ahead] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, seconds: float) -> None:
        """Remember how long a slot was taken by one of a batch."""
        self._seconds.append(seconds)

    @property
    def target(self) -> int:
        """How many to have: none where nothing is known, or where they take long."""
        if not self._seconds:
            return 0
        return min(AHEAD, int(AHEAD_SECONDS * self._slots / max(statistics.mean(self._seconds), 0.001)))

    @property
    def lacks(self) -> int:
        """How many to claim now: none while there are enough, so that one call brings several."""
        return self.target - len(self) if len(self) <= self.target // 3 else 0

    def add(self, run: AnnouncedRun, job: ScoringJob, moment: float) -> None:
        """Let one wait that was claimed a moment ago: not so long that its lease could run out."""
        self._waiting.append(Ahead(run, job.attempt_id, moment + min(WAIT_SECONDS, job.lease_seconds / 4)))

    def take(self) -> AnnouncedRun | None:
        """The one that waits longest, to be scored now."""
        return self._waiting.popleft().run if self._waiting else None

    def drop(self, attempts: Collection[UUID]) -> list[AnnouncedRun]:
        """Forget those whose attempts are over."""
        return self._remove([one for one in self._waiting if one.attempt_id in attempts])

    def overdue(self, moment: float) -> list[AnnouncedRun]:
        """Take out those that have waited too long."""
        return self._remove([one for one in self._waiting if one.until <= moment])

    def clear(self) -> list[AnnouncedRun]:
        """Take out all of them."""
        return self._remove(list(self._waiting))

    def _remove(self, some: list[Ahead]) -> list[AnnouncedRun]:
        for one in some:
            self._waiting.remove(one)
        return [one.run for one in some]
