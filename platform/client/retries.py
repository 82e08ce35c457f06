"""When a request is worth making again, and how long to wait before."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx

_PASSING_STATUSES = frozenset({502, 503, 504})
LONGEST_RETRY_AFTER = 60
"""Seconds for which a client waits at most because it was asked to; what is longer is for a person to decide."""


def _unsaid(_: str) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is made, and the pauses between.

    Attributes:
        tries: Requests in all, the first one too.
        first_pause: Seconds before the second; each later pause is 1.7 times as long, with up to half of it taken
            off by chance, so that many clients do not come back at the same moment.
        sleep: Waits some seconds; a test may give another one.
        tell: Told, in a sentence, why there is a pause and how long it is.
    """

    tries: int = 5
    first_pause: float = 0.5
    sleep: Callable[[float], None] = field(default=time.sleep)
    tell: Callable[[str], None] = field(default=_unsaid)

    def pauses(self) -> Iterator[float]:
        """The seconds to wait after each try but the last."""
        for turn in range(self.tries - 1):
            # No secret depends on this chance.
            yield self.first_pause * 1.7**turn * random.uniform(0.5, 1.0)  # noqa: S311

    def pause(self, seconds: float, why: str) -> None:
        """Wait before the next try, and say so.

        Args:
            seconds: How long.
            why: What was wrong with the last try, as a sentence.
        """
        self.tell(f"{why} Trying again in {seconds:.1f} s.")
        self.sleep(seconds)


def was_never_sent(error: httpx.TransportError) -> bool:
    """Whether a request that ended so can't have had any effect."""
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))


def seconds_until_retry(response: httpx.Response, *, is_repeatable: bool) -> float | None:
    """How long an answer asks to wait before the same request is made again; `None` when it should not be.

    Args:
        response: The answer.
        is_repeatable: Whether making the request twice has the effect of making it once.
    """
    after = response.headers.get("retry-after", "")
    asked = float(after) if after.isdecimal() else None
    if asked is not None and asked > LONGEST_RETRY_AFTER:
        return None
    if response.status_code == 429:
        # Refused at the door, so safe for every request; but a quota does not come back within seconds.
        return None if asked is None or b'"quota-exceeded"' in response.content else asked
    if response.status_code in _PASSING_STATUSES and is_repeatable:
        return asked or 0.0
    return None
