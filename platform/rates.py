"""How often somebody may call: token buckets, as a pure rule.

A bucket holds up to `burst` calls and fills by `per_second`. Whoever has been quiet may call `burst` times at once, and
from then on as fast as it fills.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Traffic(StrEnum):
    """A class of calls that share a bucket, one for each caller."""

    READS = "reads"
    BOARDS = "boards"  # whole boards, made once for all
    CHANGES = "changes"
    SUBMISSIONS = "submissions"
    UPLOADS = "uploads"  # bundles and datasets
    SIGNED = "signed"  # signed requests to storage, by address
    SLICES = "slices"  # of images, drawn for who looks at them
    AGENTS = "agents"
    ATTEMPTS = "attempts"
    FAILURES = "failures"  # tokens that nobody has, by address
    UNSEEN = "unseen"  # tokens that this gateway has not seen good, by address
    TOKENS = "tokens"  # making and revoking them
    SIGN_INS = "sign_ins"  # at the provider, by address: the pages' machine makes them for all who use pages


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a bucket empties and fills: `burst` calls at once, then `per_second`."""

    burst: float
    per_second: float

    def __post_init__(self) -> None:
        """Refuse a pace at which nothing ever gets through."""
        if not (1 <= self.burst < math.inf and 0 < self.per_second < math.inf):
            raise ValueError("`burst` must be 1 or more, and `per_second` more than 0")


PACES: Mapping[Traffic, Pace] = MappingProxyType(
    {
        Traffic.READS: Pace(3000, 100),
        Traffic.BOARDS: Pace(10_000, 1000),
        Traffic.CHANGES: Pace(600, 10),
        Traffic.SUBMISSIONS: Pace(300, 2),
        Traffic.UPLOADS: Pace(60, 0.5),
        Traffic.SIGNED: Pace(6000, 300),
        Traffic.SLICES: Pace(600, 30),
        Traffic.AGENTS: Pace(10_000, 500),
        Traffic.ATTEMPTS: Pace(1000, 50),
        Traffic.FAILURES: Pace(60, 0.5),
        Traffic.UNSEEN: Pace(1000, 50),
        Traffic.TOKENS: Pace(60, 0.2),
        Traffic.SIGN_INS: Pace(600, 10),
    }
)
"""What holds unless the operator says otherwise. Two hundred submissions within seconds fit, even of one person."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left in a bucket, as of a moment in seconds."""

    level: float
    moment: float


def filled(bucket: Bucket | None, pace: Pace, moment: float) -> Bucket:
    """The bucket as it is at `moment`; one that was never used is full."""
    if bucket is None:
        return Bucket(pace.burst, moment)
    gained = max(0.0, moment - bucket.moment) * pace.per_second
    return Bucket(min(pace.burst, bucket.level + gained), moment)


def take(bucket: Bucket | None, pace: Pace, moment: float) -> tuple[Bucket, float]:
    """Take a call out of a bucket.

    Returns:
        The bucket afterwards, and for how many seconds there is no call in it; 0 where one was taken. What is refused
        takes nothing, so that whoever waits so long gets through.
    """
    now = filled(bucket, pace, moment)
    if now.level >= 1:
        return Bucket(now.level - 1, moment), 0.0
    return now, (1 - now.level) / pace.per_second


def is_full(bucket: Bucket, pace: Pace, moment: float) -> bool:
    """Whether a bucket is as one that was never used, and can be forgotten."""
    return filled(bucket, pace, moment).level >= pace.burst
