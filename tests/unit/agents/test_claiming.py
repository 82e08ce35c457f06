"""What an agent sets aside before it claims, and takes back whatever comes of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from podium.agents.executors.gpus import Gpus
from podium.agents.post import Claimed, Post
from podium.agents.settings import AgentSettings, read_agent_settings
from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.jobs import AnnouncedRun, Claim, Handback
from podium.tasks.gateway import GatewayKeeps, GatewayRefused


class Desk:
    """A gateway that answers claims with what it was told to."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.claims: list[Claim] = []

    def claim(self, claim: Claim, *, agent: str) -> object:
        assert agent == "an-agent"
        self.claims.append(claim)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Nothing."""


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def gpus() -> Gpus:
    return Gpus(["0", "1"])


@pytest.fixture
def post(tmp_path: Path, desk: Desk, gpus: Gpus) -> Post:
    made = Post(AgentSettings.model_validate({"token": "t", "name": "an-agent", "folder": tmp_path}))
    executor = SimpleNamespace(gpus=gpus)
    made.gateway.close()
    made.gateway = desk  # type: ignore[assignment] -- a stand-in
    made._executor = executor  # type: ignore[assignment]
    made._workplace = SimpleNamespace(executor=executor, claims={})  # type: ignore[assignment]
    return made


def run(gpus: int = 0) -> AnnouncedRun:
    return AnnouncedRun(submission_id=uuid4(), flow_run_id=uuid4(), name="iris #1", gpus=gpus)


def test_gpus_are_an_attempts_from_its_claim_to_its_end(post: Post, desk: Desk, gpus: Gpus) -> None:
    desk.answer = SimpleNamespace(attempt_id=uuid4())
    wanted = run(gpus=2)
    assert post.free_gpus == 2
    assert post.claim(wanted) is Claimed.GRANTED
    assert desk.claims[-1].gpus == 2
    assert gpus.of(str(desk.answer.attempt_id)) == ("0", "1")
    assert post.free_gpus == 0
    claims_of(post).clear()  # its flow has begun
    post.release(wanted)
    post.release(wanted)
    assert post.free_gpus == 2


def claims_of(post: Post) -> dict[Any, Any]:
    """What was claimed and has not begun."""
    assert post._workplace is not None
    return post._workplace.claims


def test_what_was_claimed_and_never_began_is_handed_back(
    post: Post, desk: Desk, gpus: Gpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, object]] = []

    class OfTheAttempt:
        def __init__(self, _: str, token: str) -> None:
            self.token = token

        def hand_back(self, attempt_id: object, handback: Handback, *, patience: float) -> None:
            assert handback.reason
            assert not handback.stopping
            said.append((self.token, attempt_id))

        def close(self) -> None:
            """Nothing."""

    monkeypatch.setattr("podium.agents.post.GatewayClient", OfTheAttempt)
    desk.answer = SimpleNamespace(attempt_id=uuid4(), attempt_token="of the attempt")
    wanted = run(gpus=1)
    assert post.claim(wanted) is Claimed.GRANTED
    post.release(wanted)
    post.release(wanted)
    assert said == [("of the attempt", desk.answer.attempt_id)]
    assert post.free_gpus == 2


def test_nothing_is_claimed_for_which_there_is_no_gpu_now(post: Post, desk: Desk, gpus: Gpus) -> None:
    assert gpus.take("another", 2)
    assert post.claim(run(gpus=1)) is Claimed.KEPT
    assert desk.claims == []
    desk.answer = SimpleNamespace(attempt_id=uuid4())
    assert post.claim(run()) is Claimed.GRANTED


@pytest.mark.parametrize(
    ("answer", "claimed"),
    [(GatewayRefused("another was first"), Claimed.GONE), (GatewayKeeps("it needs more"), Claimed.KEPT)],
)
def test_a_refused_claim_gives_gpus_back(post: Post, desk: Desk, answer: Exception, claimed: Claimed) -> None:
    desk.answer = answer
    assert post.claim(run(gpus=1)) is claimed
    assert post.free_gpus == 2


def test_a_gateway_that_is_away_costs_no_gpu(post: Post, desk: Desk) -> None:
    desk.answer = PlatformFault("it is away")
    with pytest.raises(PlatformFault):
        post.claim(run(gpus=1))
    assert post.free_gpus == 2


def test_relaxations_are_allowed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_agent_settings().relaxations == frozenset()
    monkeypatch.setenv("PODIUM_AGENT_RELAXATIONS", "network, root,")
    assert read_agent_settings().relaxations == {"network", "root"}
    monkeypatch.setenv("PODIUM_AGENT_RELAXATIONS", "privileged")
    with pytest.raises(InvalidInput, match="PODIUM_AGENT_RELAXATIONS"):
        read_agent_settings()
