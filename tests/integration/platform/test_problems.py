"""Every error leaves the gateway in the same form, and says what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from stand_in_prefect import StandInPrefect
from world import HTTP, Known, RunningGateway, World, problem_of

from podium.platform.gateway.rules import BODY_BYTES
from podium.platform.identity import find_person, issue_token
from podium.platform.jobs import MIB

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def zeros(number: int) -> Iterator[bytes]:
    """A body whose length is not announced."""
    for _ in range(number // MIB + 1):
        yield b" " * MIB


def test_a_path_that_is_not_there(gateway: RunningGateway) -> None:
    problem = problem_of(gateway.call("GET", "/nothing"))
    assert (problem["status"], problem["type"], problem["title"]) == (404, "not-found", "Not Found")


def test_a_method_that_is_not_there(gateway: RunningGateway) -> None:
    answer = gateway.call("PUT", "/me")
    assert (answer.status_code, problem_of(answer)["type"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


def test_a_thing_that_is_not_there_comes_with_what_to_do(gateway: RunningGateway) -> None:
    problem = problem_of(gateway.call("GET", "/competitions/iris"))
    assert problem["detail"] == "There is no competition 'iris'."
    assert problem["remedy"] == "List those there are with `podium competitions`."


def test_a_body_with_several_faults_names_each(gateway: RunningGateway, olga: Known) -> None:
    body = {"filename": "b.zip", "size": 0, "sha256": "x", "colour": "red"}
    problem = problem_of(gateway.call("POST", "/bundles", olga.token, json=body))
    assert (problem["status"], problem["type"]) == (422, "invalid-input")
    assert {found["field"] for found in problem["problems"]} == {"size", "sha256", "colour"}
    assert {found["severity"] for found in problem["problems"]} == {"error"}


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "", "\ufeff{}", '{"a": 1e'])
def test_a_body_that_is_no_object(gateway: RunningGateway, olga: Known, body: str) -> None:
    answer = gateway.call(
        "POST", "/bundles", olga.token, content=body.encode(), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, problem_of(answer)["type"]) == (422, "invalid-input")


def test_a_body_of_brackets_alone(gateway: RunningGateway, olga: Known) -> None:
    answer = gateway.call(
        "POST", "/bundles", olga.token, content=b"[" * 100_000, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, problem_of(answer)["type"]) == (400, "bad-request")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/submissions/not-an-id", "submission_id"),
        ("/competitions?limit=0", "limit"),
        ("/competitions?limit=1001", "limit"),
        ("/competitions?offset=-1", "offset"),
        ("/competitions?offset=x", "offset"),
        ("/submissions/00000000-0000-0000-0000-000000000000?wait=31", "wait"),
        ("/submissions/00000000-0000-0000-0000-000000000000?wait=nan", "wait"),
    ],
)
def test_parameters_that_are_none(gateway: RunningGateway, olga: Known, path: str, field: str) -> None:
    problem = problem_of(gateway.call("GET", path, olga.token))
    assert problem["status"] == 422
    assert [found["field"] for found in problem["problems"]] == [field]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/competitions?search=%00", None),
        ("GET", "/competitions/%00", None),
        ("POST", "/people/%00/tokens", {"name": "x"}),
        ("POST", "/people/root/tokens", {"name": "a\x00b"}),
        ("POST", "/people", {"username": "bob", "email": "bob@example.org", "name": "\x00"}),
        ("GET", "/competitions?offset=99999999999999999999999999", None),
        ("GET", "/submissions/00000000-0000-0000-0000-000000000000/logs?after=99999999999999999999", None),
        ("POST", "/bundles", {"filename": "b.zip", "size": 10**30, "sha256": "0" * 64}),
    ],
)
def test_what_the_database_can_not_hold_is_the_callers_mistake(
    gateway: RunningGateway, world: World, method: str, path: str, body: dict[str, object] | None
) -> None:
    root = world.person("root", administrator=True)
    answer = gateway.call(method, path, root.token, json=body)
    assert answer.status_code in {404, 413, 422}, answer.text
    assert problem_of(answer)["detail"]


def test_a_submission_with_a_character_that_can_not_be_stored(
    gateway: RunningGateway, world: World, olga: Known
) -> None:
    slug = world.competition(olga, fact_sheet={"method": {"type": "text", "title": "Method"}})
    ada = world.person("ada")
    world.join(ada, slug)
    body = {"filename": "p.zip", "size": 1, "sha256": "0" * 64}
    for more in ({"message": "a\x00b"}, {"fact_sheet": {"method": "a\x00b"}}):
        answer = gateway.call("POST", f"/competitions/{slug}/submissions", ada.token, json={**body, **more})
        assert (answer.status_code, problem_of(answer)["type"]) == (422, "invalid-input")
    left = gateway.call("GET", f"/competitions/{slug}/allowance", ada.token).json()
    assert left["left_in_window"] == 100


def test_a_body_that_is_announced_too_large(gateway: RunningGateway, olga: Known) -> None:
    answer = gateway.call("POST", "/bundles", olga.token, content=b" " * (BODY_BYTES + 1))
    assert (answer.status_code, problem_of(answer)["type"]) == (413, "too-large")


def test_a_body_that_turns_out_too_large(gateway: RunningGateway, olga: Known) -> None:
    answer = gateway.call("POST", "/bundles", olga.token, content=zeros(BODY_BYTES))
    assert (answer.status_code, problem_of(answer)["type"]) == (413, "too-large")


def test_podiums_own_mistake_says_nothing_of_the_inside(
    gateway: RunningGateway, world: World, olga: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("podium.platform.gateway.routes.people.person_record", fail)
    answer = gateway.call("GET", "/me", olga.token)
    problem = problem_of(answer)
    assert (problem["status"], problem["type"]) == (500, "platform-fault")
    assert "secret" not in answer.text
    assert SECURITY.items() <= answer.headers.items()


def test_a_database_that_is_away_is_a_fault_of_the_platform(
    gateway: RunningGateway, olga: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = gateway.services.database.engine
    engine.dispose()
    monkeypatch.setattr(engine.dialect, "connect", _refuse)
    problem = problem_of(gateway.call("GET", "/me", olga.token))
    assert (problem["status"], problem["type"]) == (503, "platform-fault")
    health = gateway.call("GET", "/health").json()
    assert (health["status"], health["parts"]["prefect"]) == ("degraded", "ok")
    assert health["parts"]["database"] == "The database can't be reached."


def _refuse(*_: object, **__: object) -> None:
    raise psycopg.OperationalError("connection refused")


def test_health_says_which_part_is_away(gateway: RunningGateway, prefect: StandInPrefect) -> None:
    assert gateway.call("GET", "/health").json()["status"] == "ok"
    prefect.stop()
    health = gateway.call("GET", "/health").json()
    assert (health["status"], health["parts"]) == ("degraded", {"database": "ok", "prefect": "does not answer"})


def test_every_answer_has_the_headers_that_browsers_heed(gateway: RunningGateway, world: World, olga: Known) -> None:
    with world.session() as session:
        secret, _ = issue_token(session, find_person(session, "olga"), name="other")
    for answer in (
        gateway.call("GET", "/me", secret),
        gateway.call("GET", "/me"),
        gateway.call("GET", "/nothing"),
        gateway.call("POST", "/bundles", olga.token, content=b" " * (BODY_BYTES + 1)),
        HTTP.get(f"{gateway.address}/api/openapi.json"),
        HTTP.get(f"{gateway.address}/api/v1/storage/x"),
    ):
        assert SECURITY.items() <= answer.headers.items()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert UUID(answer.headers["x-request-id"])
        assert "strict-transport-security" not in answer.headers  # it is reached over plain HTTP
