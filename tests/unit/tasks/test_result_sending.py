"""Results that are sent several in a call, until each is taken or refused."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from podium.platform.errors import PlatformFault
from podium.platform.jobs import Refusal, ResultAnswer, ResultAnswers, ScoringResult, ScoringResults
from podium.tasks import result_sending
from podium.tasks.gateway import GatewayRefused
from podium.tasks.result_sending import ResultSender


class Desk:
    """A gateway that takes results, but for those that it was told of."""

    def __init__(self) -> None:
        self.away = 0
        self.refuses_together = False
        self.refusals: dict[UUID, list[int]] = {}
        self.calls: list[list[UUID]] = []
        self.alone: list[UUID] = []
        self.handed_back: list[UUID] = []
        self.beats: list[UUID] = []

    def post_results(self, results: ScoringResults) -> ResultAnswers:
        if self.away:
            self.away -= 1
            raise PlatformFault("It is away.")
        ids = [one.result.attempt_id for one in results.results]
        assert [one.token for one in results.results] == [f"token of {one}" for one in ids]
        if self.refuses_together and len(ids) > 1:
            raise GatewayRefused("One of them is not right.")
        self.calls.append(ids)
        return ResultAnswers(answers=tuple(ResultAnswer(attempt_id=one, refusal=self._refusal(one)) for one in ids))

    def _refusal(self, attempt_id: UUID) -> Refusal | None:
        statuses = self.refusals.get(attempt_id)
        return Refusal(type="x", status=statuses.pop(0), words="No.") if statuses else None

    def with_token(self, token: str) -> Any:  # noqa: ANN401  # a client of the attempt's
        def post_result(result: ScoringResult, *, patience: float) -> None:
            assert (token, patience) == (f"token of {result.attempt_id}", 0)
            self.alone.append(result.attempt_id)

        def hand_back(attempt_id: UUID, _: object, *, patience: float) -> None:
            assert (token, patience) == (f"token of {attempt_id}", 0)
            self.handed_back.append(attempt_id)

        def heartbeat(attempt_id: UUID, _: object) -> None:
            self.beats.append(attempt_id)

        return SimpleNamespace(post_result=post_result, hand_back=hand_back, heartbeat=heartbeat)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def put(sender: ResultSender, number: int = 1, *, heartbeat_seconds: float = 10) -> list[UUID]:
    ids = [uuid4() for _ in range(number)]
    for one in ids:
        job: Any = SimpleNamespace(attempt_token=f"token of {one}", heartbeat_seconds=heartbeat_seconds)
        sender.put(job, ScoringResult(attempt_id=one, evaluations=()))
    return ids


def sent(desk: Desk, number: int) -> None:
    until = time.monotonic() + 10
    while sum(map(len, desk.calls)) < number:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def sender(desk: Desk) -> ResultSender:
    return ResultSender(desk)  # type: ignore[arg-type]  # a stand-in


def test_what_comes_at_about_the_same_time_goes_in_one_call(desk: Desk, sender: ResultSender) -> None:
    ids = put(sender, 3)
    sent(desk, 3)
    assert desk.calls == [ids]


def test_sixteen_do_not_wait_for_more(desk: Desk, sender: ResultSender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_sending, "LINGER_SECONDS", 60)
    ids = put(sender, 16)
    sent(desk, 16)
    assert desk.calls == [ids]


def test_an_agent_that_leaves_sends_what_it_has(
    desk: Desk, sender: ResultSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_sending, "LINGER_SECONDS", 60)
    ids = put(sender, 2)
    sender.close()
    assert desk.calls == [ids]


def test_a_gateway_that_is_away_gets_them_when_it_is_back(desk: Desk, sender: ResultSender) -> None:
    desk.away = 2
    ids = put(sender, 2, heartbeat_seconds=0)
    sent(desk, 2)
    sender.close()
    assert sorted(one for call in desk.calls for one in call) == sorted(ids)
    assert set(desk.beats) == set(ids)  # their leases were kept meanwhile


def test_what_is_refused_for_good_is_not_sent_again_and_trouble_is(desk: Desk, sender: ResultSender) -> None:
    desk.away = 1  # so that all three are together
    good, superseded, troubled = put(sender, 3)
    desk.refusals = {superseded: [409], troubled: [503, 503]}
    sent(desk, 5)
    sender.close()
    assert [sum(one in call for call in desk.calls) for one in (good, superseded, troubled)] == [1, 1, 3]


def test_one_that_no_gateway_understands_costs_the_others_nothing(desk: Desk, sender: ResultSender) -> None:
    desk.refuses_together = True
    ids = put(sender, 3)
    sender.close()
    assert desk.alone == ids


def test_what_can_not_be_sent_for_long_is_handed_back(
    desk: Desk, sender: ResultSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_sending, "PATIENCE", 0.1)
    desk.away = 1000
    ids = put(sender, 2)
    sender.close()
    assert desk.handed_back == ids


def test_whoever_brings_too_many_waits(desk: Desk, sender: ResultSender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_sending, "WAITING", 2)
    monkeypatch.setattr(result_sending, "LINGER_SECONDS", 0.3)
    put(sender, 2)
    third = threading.Thread(target=put, args=(sender,))
    third.start()
    third.join(0.1)
    assert third.is_alive()
    third.join(10)
    assert not third.is_alive()
    sender.close()
    assert sum(map(len, desk.calls)) == 3
