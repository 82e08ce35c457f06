"""How fast one may call, through a gateway of this process: its settings, its answers, and whose call it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
from world import PREDICTIONS, World, problem_of, sha256_of

from podium.platform.gateway.app import create_app
from podium.platform.identity import find_person, issue_token
from podium.platform.rates import Pace, Traffic
from podium.platform.settings import ServerSettings

Call = Callable[..., httpx.Response]
Serve = Callable[..., Call]
NEW = {"filename": "p.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}


@pytest.fixture
def serve(world: World) -> Iterator[Serve]:
    """Makes gateways with settings of their own, which are called without a network."""
    apps = []
    with asyncio.Runner() as runner:

        def start(**changes: Any) -> Call:  # noqa: ANN401  # settings
            settings = ServerSettings.model_validate({**dict(world.settings), **changes})
            app = create_app(settings)
            apps.append(app)

            def call(
                method: str,
                path: str,
                token: str | None = None,
                *,
                address: str = "192.0.2.7",
                headers: Mapping[str, str] | None = None,
                **options: Any,  # noqa: ANN401  # httpx's own
            ) -> httpx.Response:
                async def ask() -> httpx.Response:
                    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
                    async with httpx.AsyncClient(transport=transport, base_url="http://gateway/api/v1") as http:
                        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
                        return await http.request(method, path.lstrip("/"), headers=sent, **options)

                return runner.run(ask())

            return call

        yield start
    for app in apps:
        app.state.services.orchestration.close()
        app.state.services.database.close()


def test_who_calls_too_fast_is_told_when_to_come_back(world: World, serve: Serve) -> None:
    call = serve(rate_limits={"reads": {"burst": 3, "per_second": 0.1}})
    ada, bob = world.person("ada"), world.person("bob")
    assert [call("GET", "/me", ada.token).status_code for _ in range(3)] == [200] * 3
    answer = call("GET", "/me", ada.token)
    problem = problem_of(answer)
    assert (answer.status_code, problem["type"]) == (429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert f"Try again in {answer.headers['retry-after']} second" in problem["remedy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    # Neither another token of hers nor another address is somebody else; other people and other calls are.
    with world.session() as session:
        other, _ = issue_token(session, find_person(session, "ada"), name="other")
    assert call("GET", "/me", other, address="192.0.2.8").status_code == 429
    assert call("GET", "/me", bob.token).status_code == 200
    assert call("GET", "/competitions").status_code == 200
    assert call("POST", "/people/ada/tokens", ada.token, json={"name": "x"}).status_code == 201


def test_visitors_are_counted_by_their_address(serve: Serve) -> None:
    call = serve(rate_limits={"reads": {"burst": 2, "per_second": 0.1}})
    assert [call("GET", "/competitions").status_code for _ in range(3)] == [200, 200, 429]
    assert call("GET", "/competitions", address="192.0.2.8").status_code == 200


def test_guessing_is_refused_and_neighbours_go_on(world: World, serve: Serve) -> None:
    call = serve(rate_limits={"failures": {"burst": 3, "per_second": 0.1}})
    assert [call("GET", "/me", f"pod_{number}").status_code for number in range(4)] == [401, 401, 401, 429]
    assert call("GET", "/me", headers={"Authorization": "Basic x"}).status_code == 429
    # Who has a good token is let in all the same, and a visitor too.
    assert call("GET", "/me", world.person("ada").token).status_code == 200
    assert call("GET", "/competitions").status_code == 200
    assert call("GET", "/me", "pod_9", address="192.0.2.8").status_code == 401


def test_new_tokens_are_looked_up_so_often_for_an_address(world: World, serve: Serve) -> None:
    call = serve(rate_limits={"unseen": {"burst": 3, "per_second": 0.1}})
    ada, bob = world.person("ada"), world.person("bob")
    assert call("GET", "/me", ada.token).status_code == 200
    assert [call("GET", "/me", f"pod_{number}").status_code for number in range(3)] == [401, 401, 429]
    assert call("GET", "/me", bob.token).status_code == 429
    assert [call("GET", "/me", ada.token).status_code for _ in range(9)] == [200] * 9
    assert call("GET", "/me", bob.token, address="192.0.2.8").status_code == 200


def test_a_token_that_was_revoked_is_nobody_elses_trouble(world: World, serve: Serve) -> None:
    call = serve(rate_limits={"failures": {"burst": 2, "per_second": 0.1}})
    ada = world.person("ada")
    (token,) = call("GET", "/tokens", ada.token).json()
    assert call("DELETE", f"/tokens/{token['id']}", ada.token).status_code == 200
    assert [call("GET", "/me", ada.token).status_code for _ in range(3)] == [401, 401, 429]
    assert call("GET", "/me", "pod_guess").status_code == 401


def test_an_address_is_believed_from_the_operators_proxies_alone(world: World, serve: Serve) -> None:
    limits = {"reads": {"burst": 1, "per_second": 0.1}}

    def statuses(call: Call, address: str) -> list[int]:
        said = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(2)]
        return [call("GET", "/competitions", address=address, headers=one).status_code for one in said]

    assert statuses(serve(rate_limits=limits), "127.0.0.1") == [200, 429]
    proxied = serve(rate_limits=limits, trusted_proxies="10.0.0.0/8, 127.0.0.1")
    assert statuses(proxied, "10.1.2.3") == [200, 200]
    assert statuses(proxied, "192.0.2.7") == [200, 429]
    # What the proxy added counts, and not what somebody claimed to it.
    forged = [{"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"} for number in range(2)]
    answers = [proxied("GET", "/competitions", address="10.1.2.3", headers=one).status_code for one in forged]
    assert answers == [200, 429]


def test_a_burst_of_submissions_passes(world: World, serve: Serve) -> None:
    call = serve()
    olga = world.person("olga", organizer=True)
    slug = world.competition(olga, slug="iris")
    people = [world.person(f"p{number}") for number in range(8)]
    for person in people:
        world.join(person, slug)
    # Of one person two hundred would pass too: see the unit tests of the rule.
    answers = [
        call("POST", f"/competitions/{slug}/submissions", people[number % 8].token, json=NEW).status_code
        for number in range(80)
    ]
    assert answers == [201] * 80


def test_a_class_without_a_limit_and_the_usual_ones(serve: Serve) -> None:
    call = serve(rate_limits={"reads": None})
    assert {call("GET", "/competitions").status_code for _ in range(5)} == {200}
    settings = ServerSettings.model_fields["rate_limits"]
    assert settings.get_default() == {}
    assert (
        Pace(2, 1)
        == ServerSettings.model_validate(
            {
                "database_url": "postgresql://x",
                "storage_url": "file:///x",
                "secret_key": "x" * 32,
                "rate_limits": '{"reads": {"burst": 2, "per_second": 1}}',
            }
        ).rate_limits[Traffic.READS]
    )


def test_over_tls_browsers_are_told_to_stay(serve: Serve) -> None:
    call = serve(public_url="https://podium.example.org")
    assert call("GET", "/health").headers["strict-transport-security"] == "max-age=31536000"


def test_the_pages_of_the_api_may_load_what_they_need(serve: Serve) -> None:
    answer = serve()("GET", "../docs")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "script-src 'self'" in policy
    assert "connect-src 'self'" in policy
