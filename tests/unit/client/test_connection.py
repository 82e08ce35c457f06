"""Addresses, retries, and answers that are no answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from podium.platform.client import AnotherVersion, Client
from podium.platform.client.addresses import is_local, normalized_gateway
from podium.platform.errors import InvalidInput, NotFound, PlatformFault, QuotaExceeded, TooManyRequests

if TYPE_CHECKING:
    from tests.unit.client.conftest import Pauses


class Gateway:
    """Answers with one thing after the other, an error or a response; the last one for ever."""

    def __init__(self, *answers: httpx.Response | type[httpx.TransportError]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        raise answer("It broke.")


def ok() -> httpx.Response:
    return httpx.Response(200, json=[])


def refusal(status: int, type_: str, **headers: str) -> httpx.Response:
    body = {"type": type_, "title": "t", "status": status, "detail": "No."}
    return httpx.Response(status, json=body, headers={"content-type": "application/problem+json", **headers})


@pytest.mark.parametrize(
    ("address", "gateway"),
    [
        ("https://podium.example.org", "https://podium.example.org"),
        (" https://podium.example.org/ ", "https://podium.example.org"),
        ("https://podium.example.org/api/v1/", "https://podium.example.org"),
        ("https://example.org/podium", "https://example.org/podium"),
        ("podium.example.org", "https://podium.example.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_has_one_form(address: str, gateway: str):
    assert normalized_gateway(address) == gateway


@pytest.mark.parametrize(
    "address",
    ["", "ftp://example.org", "https://", "https://a:b@example.org", "https://example.org/?x=1", "h:99999999"],
)
def test_what_is_no_address_is_refused(address: str):
    with pytest.raises(InvalidInput, match="is not the address of a gateway"):
        normalized_gateway(address)


def test_local_gateways_are_told_from_others():
    assert is_local("http://localhost:8000")
    assert not is_local("https://podium.example.org")


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError, 502, 503, 504]
)
def test_a_reading_call_is_made_again(
    trouble: int | type[httpx.TransportError], client_for: Callable[..., Client], pauses: Pauses
):
    gateway = Gateway(*[httpx.Response(trouble) if isinstance(trouble, int) else trouble] * 2, ok())
    assert client_for(gateway).competitions() == ()
    assert len(gateway.requests) == 3
    assert len(pauses.seconds) == 2
    assert 0.25 <= pauses.seconds[0] <= 0.5
    assert pauses.seconds[1] > pauses.seconds[0] * 0.8


def test_patience_has_an_end(client_for: Callable[..., Client]):
    gateway = Gateway(httpx.ConnectError)
    with pytest.raises(PlatformFault, match=r"https://podium\.example\.org can't be reached \(It broke\.\)"):
        client_for(gateway).competitions()
    assert len(gateway.requests) == 5


def test_a_creating_call_is_made_again_only_if_it_never_arrived(client_for: Callable[..., Client]):
    never_sent = Gateway(httpx.ConnectError, refusal(503, "platform-fault"))
    with pytest.raises(PlatformFault, match="No"):
        client_for(never_sent).add_person("ada", "a@example.org")
    assert len(never_sent.requests) == 2
    perhaps = Gateway(httpx.ReadTimeout, ok())
    with pytest.raises(PlatformFault, match="did not answer in time"):
        client_for(perhaps).add_person("ada", "a@example.org")
    assert len(perhaps.requests) == 1


def test_a_gateway_that_asks_for_fewer_requests_gets_fewer(client_for: Callable[..., Client], pauses: Pauses):
    gateway = Gateway(refusal(429, "too-many-requests", **{"retry-after": "7"}), ok())
    assert client_for(gateway).competitions() == ()
    assert pauses.seconds == [7.0]


def test_nobody_waits_for_hours_unasked(client_for: Callable[..., Client], pauses: Pauses):
    gateway = Gateway(httpx.Response(429, headers={"retry-after": "3600"}))
    with pytest.raises(TooManyRequests, match="fewer requests") as caught:
        client_for(gateway).competitions()
    assert "3600 seconds" in caught.value.remedy
    assert pauses.seconds == []


def test_a_used_up_quota_is_not_asked_for_again(client_for: Callable[..., Client], pauses: Pauses):
    gateway = Gateway(refusal(429, "quota-exceeded", **{"retry-after": "5"}))
    with pytest.raises(QuotaExceeded):
        client_for(gateway).competitions()
    assert pauses.seconds == []


def test_a_refusal_is_not_asked_for_again(client_for: Callable[..., Client], pauses: Pauses):
    with pytest.raises(NotFound):
        client_for(Gateway(refusal(404, "not-found"))).competition("iris")
    assert pauses.seconds == []


def test_a_page_of_something_else_is_no_gateway(client_for: Callable[..., Client]):
    with pytest.raises(AnotherVersion, match="not as a Podium gateway does"):
        client_for(Gateway(httpx.Response(200, text="<html>"))).competitions()


def test_a_moved_gateway_is_said_and_the_post_is_not_turned_into_a_get(client_for: Callable[..., Client]):
    gateway = Gateway(httpx.Response(301, headers={"location": "https://new.example.org/api/v1/people"}))
    with pytest.raises(PlatformFault, match="sends requests on to https://new"):
        client_for(gateway).add_person("ada", "a@example.org")


def test_a_circle_of_redirections_is_a_fault(client_for: Callable[..., Client]):
    gateway = Gateway(httpx.Response(301, headers={"location": "/api/v1/competitions"}))
    with pytest.raises(PlatformFault, match="can't be spoken to"):
        client_for(gateway).competitions()


def test_the_token_does_not_follow_to_another_host(client_for: Callable[..., Client]):
    gateway = Gateway(httpx.Response(302, headers={"location": "https://evil.example.com/x"}), ok())
    client_for(gateway).competitions()
    assert gateway.requests[1].url.host == "evil.example.com"
    assert "authorization" not in gateway.requests[1].headers


def test_a_client_closes_with_its_block():
    with Client("localhost:1") as client:
        assert client.gateway == "http://localhost:1"
    with pytest.raises(RuntimeError):
        client.health()
