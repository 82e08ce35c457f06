"""What an agent knows of the queue: submissions that it could take next, and that there is news of them."""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from podium.agents.slots import Slots
from podium.platform.jobs import AnnouncedRun

SHARES_SECONDS = 30.0
"""For how long after another agent was first the head of the queue is asked for anew with each free slot."""


class Announced:
    """Submissions that the gateway announced and that nobody has taken yet, as far as is known here."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._runs: tuple[AnnouncedRun, ...] = ()
        self._shares_until = float("-inf")
        self._news = anyio.Event()

    def hear(self, runs: Iterable[AnnouncedRun]) -> None:
        """Know these, and no others."""
        self._runs = self._slots.not_held(runs)

    def take(self) -> tuple[AnnouncedRun, ...]:
        """All that are known; they are not any more."""
        runs, self._runs = self._runs, ()
        return runs

    def keep(self, runs: Iterable[AnnouncedRun]) -> None:
        """Have these taken next: they stay good until there is news, unless other agents take of them as well."""
        if not self._runs and anyio.current_time() > self._shares_until:
            self.hear(runs)

    def forget(self) -> None:
        """Know none, so that the gateway is asked."""
        self._runs = ()

    def share(self) -> None:
        """Know none, and keep none for a while: others take of them as well."""
        self._runs, self._shares_until = (), anyio.current_time() + SHARES_SECONDS

    def tell(self) -> None:
        """Wake who waits: there is something to take, or a slot for it."""
        self._news.set()

    def await_news(self) -> None:
        """Let only what is told from now on wake who waits."""
        self._news = anyio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for news, and no longer than this."""
        with anyio.move_on_after(seconds):
            await self._news.wait()
