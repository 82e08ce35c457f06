"""The buckets of one gateway process, by class of calls and by who calls."""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from podium.platform.errors import TooManyRequests
from podium.platform.identity import Caller
from podium.platform.rates import PACES, Bucket, Pace, Traffic, is_full, take

_MOST_BUCKETS = 100_000
_MOST_KNOWN = 20_000
_SWEPT = 8
"""Buckets that are looked at, the longest unused first, whenever a new one is made."""


def counted_as(caller: Caller | None, address: str) -> str:
    """Whose bucket a call takes from: that of who calls, or of the address where nobody says who they are."""
    return f"address:{address}" if caller is None else f"{caller.kind}:{caller.person_id or caller.token_id}"


class Pacing:
    """Counts calls, and refuses those that come too fast.

    It is used on the event loop alone, and so needs no lock. Each gateway process counts for itself: behind several of
    them, somebody may call as often as the limit says at each.

    Args:
        paces: In place of the usual ones; `None` for a class without a limit.
        clock: Seconds that only grow.
    """

    def __init__(
        self, paces: Mapping[Traffic, Pace | None] | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paces: dict[Traffic, Pace | None] = {**PACES, **(paces or {})}
        self._clock = clock
        self._buckets: OrderedDict[tuple[Traffic, str], Bucket] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def require(self, traffic: Traffic, who: str) -> None:
        """Count a call.

        Raises:
            TooManyRequests: There were too many; it was not counted.
        """
        pace = self._paces[traffic]
        if pace is None:
            return
        key, moment = (traffic, who), self._clock()
        before = self._buckets.get(key)
        if before is None:
            self._make_room(moment)
        after, seconds = take(before, pace, moment)
        self._buckets[key] = after
        self._buckets.move_to_end(key)
        if seconds:
            raise _too_many(traffic, seconds)

    def require_seldom_new(self, address: str, secret: str) -> None:
        """Count a secret that was not good here before: so many are looked up for an address, and no more.

        What was good before is not counted. So whoever shares an address with somebody who guesses goes on working.

        Raises:
            TooManyRequests: There were too many; it was not looked up.
        """
        if _digest(secret) not in self._known:
            self.require(Traffic.UNSEEN, address)

    def note_unknown(self, address: str) -> None:
        """Count a secret that nobody has.

        Raises:
            TooManyRequests: There were too many from this address.
        """
        self.require(Traffic.FAILURES, address)

    def note_spent(self, secret: str) -> None:
        """Count a call with a token that was good once: no guess, and nothing that others at the address should feel.

        Raises:
            TooManyRequests: There were too many with this one.
        """
        self.require(Traffic.FAILURES, f"token:{_digest(secret).hex()}")

    def note_good(self, secret: str) -> None:
        """Remember a secret that was good, as a digest."""
        digest = _digest(secret)
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _make_room(self, moment: float) -> None:
        """Forget buckets that are full again, and where there are too many, the one that was unused for longest."""
        for key in [key for key, _ in zip(self._buckets, range(_SWEPT), strict=False)]:
            pace = self._paces[key[0]]
            if pace is None or is_full(self._buckets[key], pace, moment):
                del self._buckets[key]
        if len(self._buckets) >= _MOST_BUCKETS:
            self._buckets.popitem(last=False)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()[:16]


_WHAT = {
    Traffic.FAILURES: "Too many calls came with a token that is not good",
    Traffic.UNSEEN: "Too many tokens that are new here came from your address",
    Traffic.SUBMISSIONS: "You submit faster than this platform takes it",
    Traffic.UPLOADS: "You upload more files at once than this platform takes",
    Traffic.SLICES: "You look at images faster than this platform draws them",
    Traffic.SIGN_INS: "Too many people sign in from your address at once",
    Traffic.TOKENS: "You make and revoke tokens faster than this platform takes it",
}


def _too_many(traffic: Traffic, seconds: float) -> TooManyRequests:
    wait = max(1, math.ceil(seconds))
    what = _WHAT.get(traffic, "You call faster than this platform answers")
    return TooManyRequests(
        f"{what}.", remedy=f"Try again in {wait} second{'' if wait == 1 else 's'}.", retry_after=wait
    )
