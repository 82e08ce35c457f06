"""Everybody's things by everybody else; `test_access_table.py` tries every route by every role."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from world import PREDICTIONS, Known, RunningGateway, World, problem_of, sha256_of

from podium.platform.identity import hash_secret
from podium.platform.models import Submission, Token

NEW_SUBMISSION = {"filename": "p.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    made = world.competition(olga, slug="iris")
    world.join(ada, made)
    return made


@pytest.mark.parametrize("header", ["Basic YWRhOmFkYQ==", "Bearer", "pod_x", "Bearer pod_unknown", "Bearer \xe4"])
def test_a_header_that_is_no_token_is_refused_even_where_none_is_needed(gateway: RunningGateway, header: str) -> None:
    answer = gateway.call("GET", "/competitions", headers={"Authorization": header.encode("latin-1")})
    assert problem_of(answer)["type"] == "not-authenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_token_is_out_at_once(gateway: RunningGateway, world: World, ada: Known) -> None:
    with world.session() as session:
        query = select(Token.id).where(Token.secret_sha256 == hash_secret(ada.token))
        token_id = session.scalars(query).one()
    assert gateway.call("DELETE", f"/tokens/{token_id}", ada.token).status_code == 200
    assert gateway.call("GET", "/me", ada.token).status_code == 401


def test_the_submission_of_another_is_not_there(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    bob = world.person("bob")
    otto = world.person("otto", organizer=True)
    world.join(bob, slug)
    agent = world.agent_token()
    attempt = gateway.claim(agent, world.submit(ada, slug))
    submission_id, evaluation_id = attempt.job.submission_id, attempt.job.evaluations[0].evaluation_id
    for method, path in (
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/file"),
        ("GET", f"/evaluations/{evaluation_id}/scoring_output"),
        ("POST", "/cancel"),
        ("POST", "/complete"),
    ):
        for stranger in (bob, otto):
            answer = gateway.call(method, f"/submissions/{submission_id}{path}", stranger.token)
            assert (path, answer.status_code) == (path, 404)
            unknown = gateway.call(method, f"/submissions/{uuid4()}{path}", stranger.token)
            assert problem_of(answer) == problem_of(unknown)
    assert world.submission(submission_id).status == "preparing"
    for known in (ada, olga, world.person("root", administrator=True)):
        answer = gateway.call("GET", f"/submissions/{submission_id}", known.token)
        assert answer.json()["participant"] == "ada"


def test_nobody_completes_the_upload_of_another_not_even_an_organizer(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    submission_id = world.announce(ada, slug)
    world.upload(submission_id)
    assert gateway.call("POST", f"/submissions/{submission_id}/complete", olga.token).status_code == 403
    assert world.submission(submission_id).status == "submitted"


def test_an_organizer_cancels_a_submission_and_the_participant_reads_who(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    assert gateway.call("POST", f"/submissions/{submission_id}/cancel", olga.token).status_code == 200
    record = gateway.call("GET", f"/submissions/{submission_id}", ada.token).json()
    assert (record["status"], record["status_message"]) == ("cancelled", "Cancelled by an organizer.")


def test_only_organizers_see_the_submissions_of_everyone(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    bob = world.person("bob")
    world.join(bob, slug)
    for person in (ada, bob):
        world.submit(person, slug)
    path = f"/competitions/{slug}/submissions"
    assert [row["participant"] for row in gateway.call("GET", path, bob.token).json()] == ["bob"]
    assert gateway.call("GET", path, bob.token, params={"everyone": True}).status_code == 403
    everyone = gateway.call("GET", path, olga.token, params={"everyone": True}).json()
    assert [row["participant"] for row in everyone] == ["bob", "ada"]
    assert gateway.call("GET", path, olga.token).json() == []


def test_the_output_of_another_submission_is_not_there_under_ones_own(
    gateway: RunningGateway, world: World, ada: Known, slug: str
) -> None:
    bob = world.person("bob")
    world.join(bob, slug)
    agent = world.agent_token()
    mine, theirs = (gateway.claim(agent, world.submit(person, slug)) for person in (ada, bob))
    path = f"/submissions/{mine.job.submission_id}/evaluations/{theirs.job.evaluations[0].evaluation_id}/scoring_output"
    assert gateway.call("GET", path, ada.token).status_code == 404


def test_a_bundle_of_another_is_not_there(gateway: RunningGateway, world: World, olga: Known) -> None:
    body = {"filename": "b.zip", "size": 1, "sha256": "0" * 64}
    bundle_id = gateway.call("POST", "/bundles", olga.token, json=body).json()["bundle"]["id"]
    otto = world.person("otto", organizer=True)
    for method, path in (("GET", f"/bundles/{bundle_id}"), ("POST", f"/bundles/{bundle_id}/complete")):
        assert gateway.call(method, path, otto.token).status_code == 404
    assert gateway.call("GET", f"/bundles/{bundle_id}", olga.token).status_code == 200


def test_tokens_are_ones_own_business(gateway: RunningGateway, world: World, ada: Known) -> None:
    bob, root = world.person("bob"), world.person("root", administrator=True)
    (token,) = gateway.call("GET", "/tokens", ada.token).json()
    assert "secret" not in token
    assert gateway.call("DELETE", f"/tokens/{token['id']}", bob.token).status_code == 404
    assert gateway.call("POST", "/people/ada/tokens", bob.token, json={"name": "x"}).status_code == 403
    assert gateway.call("POST", "/people/ADA/tokens", ada.token, json={"name": "x"}).status_code == 201
    issued = gateway.call("POST", "/people/ada/tokens", root.token, json={"name": "x"}).json()
    assert gateway.call("GET", "/me", issued["secret"]).json()["username"] == "ada"
    assert gateway.call("DELETE", f"/tokens/{token['id']}", root.token).status_code == 200
    assert gateway.call("GET", "/me", ada.token).status_code == 401


def test_nobody_sees_a_draft_but_its_organizer_and_administrators(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    world.join(ada, slug)
    submission_id = world.submit(ada, slug)
    answer = gateway.call("PATCH", f"/competitions/{slug}", olga.token, json={"published": False})
    assert answer.json()["summary"]["published"] is False
    otto, root = world.person("otto", organizer=True), world.person("root", administrator=True)
    calls = [
        ("GET", "", None),
        ("PATCH", "", {"published": True}),
        ("GET", "/participants", None),
        ("POST", "/participants", {"terms_sha256": "0" * 64}),
        ("PATCH", "/participants/ada", {"status": "denied"}),
        ("GET", "/allowance", None),
        ("GET", "/leaderboard", None),
        ("GET", "/leaderboard.csv", None),
        ("GET", "/submissions", None),
        ("POST", "/submissions", NEW_SUBMISSION),
    ]
    for method, path, body in calls:
        for token in (ada.token, otto.token):
            answer = gateway.call(method, f"/competitions/{slug}{path}", token, json=body)
            assert (path, answer.status_code) == (path, 404)
            unknown = gateway.call(method, f"/competitions/{'x' * len(slug)}{path}", token, json=body)
            assert problem_of(answer)["type"] == problem_of(unknown)["type"] == "not-found"
    for token in (None, ada.token, otto.token):
        assert gateway.call("GET", "/competitions", token).json() == []
    for token in (olga.token, root.token):
        assert [found["slug"] for found in gateway.call("GET", "/competitions", token).json()] == [slug]
        assert gateway.call("GET", f"/competitions/{slug}/leaderboard", token).status_code == 200
    # What one has submitted stays one's own.
    assert gateway.call("GET", f"/submissions/{submission_id}", ada.token).status_code == 200


def test_only_its_organizers_change_a_competition(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, slug: str
) -> None:
    otto = world.person("otto", organizer=True)
    calls = [
        ("PATCH", "", {"published": False}),
        ("GET", "/participants", None),
        ("PATCH", "/participants/ada", {"status": "denied"}),
    ]
    for method, path, body in calls:
        for token in (ada.token, otto.token):
            answer = gateway.call(method, f"/competitions/{slug}{path}", token, json=body)
            assert (path, problem_of(answer)["type"]) == (path, "not-allowed")
    for method, path, body in calls:
        assert gateway.call(method, f"/competitions/{slug}{path}", olga.token, json=body).status_code == 200


def test_an_attempt_speaks_for_itself_alone(gateway: RunningGateway, world: World, ada: Known, slug: str) -> None:
    agent = world.agent_token()
    mine, other = (gateway.claim(agent, world.submit(ada, slug)) for _ in range(2))
    token, other_id = mine.job.attempt_token, other.job.attempt_id
    result = {"attempt_id": str(other_id), "evaluations": []}
    for what, body in (
        ("heartbeat", {"stage": "running"}),
        ("logs", {"chunks": []}),
        ("result", result),
        ("handback", {"reason": "x"}),
    ):
        answer = gateway.call("POST", f"/attempts/{other_id}/{what}", token, json=body)
        assert (what, problem_of(answer)["detail"]) == (what, "This token is for another attempt.")
        assert gateway.call("POST", f"/attempts/{uuid4()}/{what}", token, json=body).status_code == 403
    answer = gateway.call("POST", f"/attempts/{mine.job.attempt_id}/result", token, json=result)
    assert problem_of(answer)["detail"] == "The result is of another attempt."
    assert world.submission(other.job.submission_id).status == "preparing"


def test_an_agent_is_bound_to_its_pool(gateway: RunningGateway, world: World, ada: Known, slug: str) -> None:
    submission_id = world.submit(ada, slug)
    other = world.agent_token("gpu")
    claim = {"submission_id": str(submission_id), "flow_run_id": str(uuid4())}
    unknown = {**claim, "submission_id": str(uuid4())}
    answers = [gateway.call("POST", "/agent/claims", other, json=body) for body in (claim, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert problem_of(answers[0]) == problem_of(answers[1])
    hello = {"name": "a", "pool": "docker", "version": "1", "slots": 1, "executor": "docker"}
    assert gateway.call("POST", "/agent/hello", other, json=hello).status_code == 403
    wake = gateway.call("GET", "/agent/wake", other).json()
    assert wake["runs"] == []
    assert world.submission(submission_id).status == "queued"


def test_an_agent_of_another_contract_is_told_so(gateway: RunningGateway, world: World) -> None:
    agent = world.agent_token()
    claim = {"submission_id": str(uuid4()), "flow_run_id": str(uuid4()), "contract": 99}
    problem = problem_of(gateway.call("POST", "/agent/claims", agent, json=claim))
    assert (problem["status"], problem["type"]) == (409, "contract-differs")


def test_joining_wants_the_present_terms_and_is_noted(
    gateway: RunningGateway, world: World, olga: Known, slug: str
) -> None:
    bob = world.person("bob")
    path = f"/competitions/{slug}/participants"
    assert gateway.call("POST", path, bob.token, json={"terms_sha256": "0" * 64}).status_code == 409
    terms = gateway.call("GET", f"/competitions/{slug}", bob.token).json()
    assert terms["participation"] is None
    for _ in range(2):
        joined = gateway.call("POST", path, bob.token, json={"terms_sha256": terms["terms_sha256"]})
        assert joined.json()["status"] == "approved"
    assert [found["username"] for found in gateway.call("GET", path, olga.token).json()] == ["ada", "bob"]
    denied = gateway.call("PATCH", f"{path}/BOB", olga.token, json={"status": "denied"})
    assert denied.json()["status"] == "denied"
    answer = gateway.call("POST", f"/competitions/{slug}/submissions", bob.token, json=NEW_SUBMISSION)
    assert problem_of(answer)["type"] == "not-participating"
    with world.session() as session:
        assert session.scalars(select(Submission.id)).all() == []


def test_ids_of_attempts_are_not_those_of_submissions(
    gateway: RunningGateway, world: World, ada: Known, slug: str
) -> None:
    submission_id: UUID = world.submit(ada, slug)
    attempt = gateway.claim(world.agent_token(), submission_id)
    answer = gateway.call("GET", f"/submissions/{submission_id}", attempt.job.attempt_token)
    assert problem_of(answer)["type"] == "not-allowed"
