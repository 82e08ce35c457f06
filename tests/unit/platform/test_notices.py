"""What watchers wait for, without a database: how notices are counted."""

from __future__ import annotations

import pytest

from podium.platform import notices
from podium.platform.database import Database
from podium.platform.notices import Notices


@pytest.fixture
def listener() -> Notices:
    return Notices(Database("postgresql://nobody@127.0.0.1:1/nothing"))


def test_each_notice_counts_for_its_topic_alone(listener: Notices) -> None:
    before = listener.count("a"), listener.count("b")
    listener._tell("a")
    assert listener.count("a") > before[0]
    assert listener.count("b") == before[1]


def test_old_topics_are_forgotten_and_no_count_ever_falls(listener: Notices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "TOPICS", 3)
    seen: dict[str, int] = {}
    for number in range(20):
        listener._tell(f"topic {number % 7}")
        for topic in [f"topic {each}" for each in range(7)]:
            assert listener.count(topic) >= seen.get(topic, 0)
            seen[topic] = listener.count(topic)
    assert len(listener._numbers) == 3


def test_a_lost_connection_counts_for_all(listener: Notices) -> None:
    listener._tell("a")
    before = listener.count("a"), listener.count("never heard of")
    listener._forget_all()
    assert listener.count("a") > before[0]
    assert listener.count("never heard of") > before[1]
