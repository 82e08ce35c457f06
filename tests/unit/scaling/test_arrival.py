"""What somebody is told who waits while scaling brings an agent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from podium.platform.scaling.arrival import Arrival, arrival_words

LATER = datetime(2026, 11, 27, 4, 10, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arrival", "words"),
    [
        (Arrival(), "Pool 'gpu' has no agents while nothing waits: one is started within 30 s"),
        (
            Arrival(usual=90),
            "Pool 'gpu' has no agents while nothing waits: one is started within 30 s, which takes about 90 s",
        ),
        (Arrival(since=5), "An agent of pool 'gpu' is being started, for 5 s so far"),
        (Arrival(since=5, usual=90), "An agent of pool 'gpu' is being started and is there in about 85 s"),
        (Arrival(since=89.9, usual=90), "An agent of pool 'gpu' is being started and is there in about 1 s"),
        (
            Arrival(since=150, usual=90),
            "An agent of pool 'gpu' is being started, for 2 min so far; it usually takes 90 s",
        ),
        (
            Arrival(usual=90, put_off_until=LATER),
            "No agent of pool 'gpu' is running, and one could not be started: that is tried again at 04:10:11 UTC",
        ),
        # What is on its way counts, whatever failed before.
        (Arrival(since=5, put_off_until=LATER), "An agent of pool 'gpu' is being started, for 5 s so far"),
    ],
)
def test_words(arrival: Arrival, words: str) -> None:
    assert arrival_words("gpu", arrival) == words
