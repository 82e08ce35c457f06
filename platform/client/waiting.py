"""Waiting for something to change, by calls that the gateway holds open; short outages do not end the wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from podium.platform.client.conversion import AnotherVersion
from podium.platform.errors import PlatformFault, PodiumError

if TYPE_CHECKING:
    from podium.platform.client.retries import Patience

AnswerT = TypeVar("AnswerT")


class Versioned(Protocol):
    """A record that tells how often it has changed."""

    @property
    def version(self) -> int:
        """Grows with each change."""


VersionedT = TypeVar("VersionedT", bound=Versioned)

# The gateway holds an answer for 30 seconds at most; proxies on the way are often less patient.
_HELD_SECONDS = 20.0
_OUTAGE_SECONDS = 300.0
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 15.0


class WaitedTooLong(PodiumError):
    """The time that the caller gave is over. What was waited for goes on."""

    status = 504
    type = "waited-too-long"
    title = "The wait is over, not the work"


@dataclass(slots=True)
class Wait:
    """One wait, with an end or without.

    Attributes:
        timeout: Seconds in all; `None` to wait as long as it takes.
        subject: What is waited for, for the message.
        patience: How to pause, and whom to tell of it.
        shortest_turn: Seconds from one question to the next at least, unless the answer brought news: a gateway that
            holds no answer is not to be asked without a break.
    """

    timeout: float | None
    subject: str
    patience: Patience
    shortest_turn: float = 0.3
    clock: Callable[[], float] = field(default=time.monotonic)
    _began: float = field(init=False)
    _asked: float | None = field(init=False, default=None)
    _has_news: bool = field(init=False, default=False)
    _out_since: float | None = field(init=False, default=None)
    _pause: float = field(init=False, default=_FIRST_PAUSE)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def ask(self, call: Callable[[float], AnswerT]) -> AnswerT:
        """Ask the gateway once more, through its outages.

        Args:
            call: Makes the call; it is given the seconds for which the gateway may hold the answer.

        Raises:
            WaitedTooLong: The time is over.
            PlatformFault: The gateway has been out of reach for five minutes.
        """
        while True:
            self._pace()
            try:
                answer = call(self._remaining(_HELD_SECONDS))
            except AnotherVersion:
                raise
            except PlatformFault as fault:
                now = self.clock()
                self._out_since = self._out_since or now
                if now - self._out_since >= _OUTAGE_SECONDS or self._is_over():
                    raise
                self.patience.pause(self._remaining(self._pause), fault.detail)
                self._pause = min(self._pause * 1.7, _LONGEST_PAUSE)
            else:
                self._out_since, self._pause = None, _FIRST_PAUSE
                return answer

    def follow(
        self,
        read: Callable[[int | None, float], VersionedT],
        *,
        rests: Callable[[VersionedT], bool],
        on_change: Callable[[VersionedT], None],
    ) -> VersionedT:
        """Follow a record until it rests.

        Args:
            read: Makes the call; it is given the version that was seen, `None` at first, and the seconds for which the
                gateway may hold the answer.
            rests: Whether it goes on only if somebody says so.
            on_change: Told of the record, at once and with every change.

        Raises:
            WaitedTooLong: The time is over.
            PlatformFault: The gateway has been out of reach for five minutes.
        """
        record = self.ask(lambda _: read(None, 0))
        on_change(record)
        while not rests(record):
            self.require_time()
            seen = record.version
            latest = self.ask(lambda held: read(seen, held))  # noqa: B023  # asked now
            if latest != record:
                self.bring_news()
                on_change(latest)
            record = latest
        return record

    def bring_news(self) -> None:
        """Say that the last answer was worth its question: the next is asked at once."""
        self._has_news = True

    def require_time(self) -> None:
        """Check that there is time left.

        Raises:
            WaitedTooLong: There is none.
        """
        if self._is_over():
            raise WaitedTooLong(
                f"{self.subject} is not done after {self.timeout:g} seconds.",
                remedy="It goes on by itself: look again later, or wait longer.",
            )

    def _pace(self) -> None:
        if self._asked is not None and not self._has_news:
            self.patience.sleep(max(0.0, self._remaining(self._asked + self.shortest_turn - self.clock())))
        self._asked = self.clock()
        self._has_news = False

    def _is_over(self) -> bool:
        return self.timeout is not None and self.clock() - self._began >= self.timeout

    def _remaining(self, seconds: float) -> float:
        if self.timeout is None:
            return seconds
        return max(0.0, min(seconds, self._began + self.timeout - self.clock()))
