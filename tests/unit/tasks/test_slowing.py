"""An agent that the gateway asks for fewer calls."""

from __future__ import annotations

from uuid import UUID

import httpx
import pytest

from podium.platform.errors import PlatformFault, TooManyRequests
from podium.platform.jobs import Heartbeat
from podium.tasks import gateway as module
from podium.tasks.gateway import GatewayClient, asked_pause, checked

ATTEMPT = UUID(int=7)
BEAT = Heartbeat(stage="running")


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def slow(seconds: int) -> httpx.Response:
    body = {"type": "too-many-requests", "detail": "You call too fast.", "remedy": "Wait."}
    return httpx.Response(429, json=body, headers={"Retry-After": str(seconds)})


def client(*answers: httpx.Response) -> GatewayClient:
    left = list(answers)
    transport = httpx.MockTransport(lambda _: left.pop(0) if len(left) > 1 else left[0])
    return GatewayClient(
        "http://gateway", "t", connections=httpx.Client(transport=transport, base_url="http://gateway")
    )


def test_it_waits_as_long_as_it_is_asked_to_and_goes_on(clock: Clock) -> None:
    answer = {"lease_expires": "2026-01-02T03:04:05Z"}
    beaten = client(slow(3), slow(2), httpx.Response(200, json=answer)).heartbeat(ATTEMPT, BEAT)
    assert beaten is not None
    assert clock.slept == [3.0, 2.0]


def test_it_does_not_wait_for_ever(clock: Clock) -> None:
    with pytest.raises(PlatformFault, match="429"):
        client(slow(10)).heartbeat(ATTEMPT, BEAT)
    assert sum(clock.slept) <= module.SLOWED_SECONDS


def test_a_wait_that_is_too_long_is_not_begun(clock: Clock) -> None:
    with pytest.raises(PlatformFault):
        client(slow(3600)).heartbeat(ATTEMPT, BEAT)
    assert clock.slept == []


def test_it_is_no_refusal_of_what_was_asked() -> None:
    with pytest.raises(TooManyRequests, match="too fast") as raised:
        checked(slow(7))
    assert raised.value.retry_after == 7
    assert asked_pause(httpx.Response(429)) == 1.0
    assert asked_pause(httpx.Response(503, headers={"Retry-After": "9"})) == 0.0
