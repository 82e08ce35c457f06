"""Keeping an attempt alive, and giving it up."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from podium.platform.jobs import Heartbeat, HeartbeatAnswer, Limits, ScoringJob, SignedRequest, Source
from podium.platform.lifecycle import Stage
from podium.tasks.attempt import AttemptInHand, reason_of
from podium.tasks.programs import ExecutorFault
from podium.tasks.workplace import Workplace


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ExecutorFault("The engine is gone.", remedy="Start it."), "The engine is gone. Start it."),
        (OSError(errno.ENOSPC, "No space", "/secret/path"), "The disk of the agent's host is full."),
        (OSError(errno.EACCES, "Denied", "/secret/path"), "PermissionError on the agent's host"),
        (KeyError("secret"), "KeyError on the agent's host"),
    ],
)
def test_the_reason_is_for_people_and_tells_nothing_of_the_host(error: Exception, says: str) -> None:
    assert reason_of(error) == says


class StandInGateway:
    """Takes heartbeats."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []

    def with_token(self, token: str) -> StandInGateway:
        assert token == "of the attempt"
        return self

    def heartbeat(self, _: UUID, beat: Heartbeat) -> HeartbeatAnswer:
        self.stages.append(beat.stage)
        return HeartbeatAnswer(lease_expires=datetime.now(UTC))

    def close(self) -> None:
        """Nothing."""


@pytest.fixture
def gateway() -> StandInGateway:
    return StandInGateway()


@pytest.fixture
def attempt(tmp_path: Path, gateway: StandInGateway) -> Iterator[AttemptInHand]:
    executor = SimpleNamespace(release_images=lambda _: None)
    workplace = Workplace("an-agent", gateway, SimpleNamespace(), executor, tmp_path)  # type: ignore[arg-type]
    request = SignedRequest(method="GET", url="http://nowhere", expires=datetime.now(UTC))
    job = ScoringJob(
        attempt_id=uuid4(),
        attempt_number=1,
        attempt_token="of the attempt",
        submission_id=uuid4(),
        competition="iris",
        phase="First",
        submission=Source(request=request, sha256="0" * 64, size=1),
        image="python",
        limits=Limits(),
        score_keys=("accuracy",),
        evaluations=(),
        heartbeat_seconds=0.5,
    )
    made = AttemptInHand(workplace, job)
    yield made
    made.close()


def test_a_stage_that_lasts_is_told(attempt: AttemptInHand, gateway: StandInGateway) -> None:
    attempt.enter(Stage.SCORING)
    time.sleep(0.4)  # less than until the next regular heartbeat
    assert gateway.stages == [Stage.SCORING]


def test_a_stage_that_is_over_at_once_costs_no_call_and_the_lease_is_kept_until_the_end(
    attempt: AttemptInHand, gateway: StandInGateway
) -> None:
    attempt.enter(Stage.SCORING)
    attempt.has_ended()
    time.sleep(0.3)
    assert gateway.stages == []
    time.sleep(0.6)  # the gateway is away, and the result waits for it
    assert gateway.stages == [Stage.SCORING]
