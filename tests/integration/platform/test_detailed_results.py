"""Detailed results over HTTP: live and at the end, for whom they are meant, and as what they are served."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from world import Agency, Known, RunningGateway, World, board, phase, problem_of

from podium.platform.client import Client
from podium.platform.jobs import OutputKind

Connect = Callable[[str | None], Client]
PAGE = b"<h1>Well done</h1><script>alert(1)</script>"


@pytest.fixture
def agent(world: World) -> str:
    return world.agent_token()


def begin(gateway: RunningGateway, world: World, agent: str, olga: Known, ada: Known, **fields: Any) -> Agency:  # noqa: ANN401
    """An attempt at ada's submission to a new competition; `fields` are those of its bundle."""
    slug = world.competition(olga, **{"enable_detailed_results": True, **fields})
    world.join(ada, slug)
    return gateway.claim(agent, world.submit(ada, slug))


def put_live(attempt: Agency, page: bytes) -> httpx.Response:
    request = attempt.job.evaluations[0].live_results
    assert request is not None
    return attempt.gateway.send(request.model_dump(mode="json"), content=page)


def finish(attempt: Agency, page: bytes = PAGE) -> None:
    evaluation = {
        "evaluation_id": str(attempt.job.evaluations[0].evaluation_id),
        "outcome": "succeeded",
        "scores": {"accuracy": 1},
        "outputs": [attempt.put(OutputKind.DETAILED_RESULTS, page)],
    }
    assert attempt.result([evaluation]).status_code == 204


def path_of(attempt: Agency, *, page: bool = True) -> str:
    path = f"/submissions/{attempt.job.submission_id}/detailed-results"
    return f"{path}/{attempt.job.evaluations[0].evaluation_id}" if page else path


def test_a_page_is_seen_while_it_is_written_and_at_its_end(
    gateway: RunningGateway, world: World, connect: Connect, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada)
    client, submission = connect(ada.token), attempt.job.submission_id
    evaluation = attempt.job.evaluations[0].evaluation_id
    assert client.detailed_results(submission).pages == ()
    assert problem_of(gateway.call("GET", path_of(attempt), ada.token))["type"] == "not-found"
    versions = []
    for content in (b"<p>1", b"<p>2, and longer"):
        assert put_live(attempt, content).status_code == 201
        (page,) = client.detailed_results(submission).pages
        assert (page.evaluation_id, page.task, page.size, page.is_live) == (evaluation, "Task 0", len(content), True)
        assert client.detailed_result_page(submission, evaluation) == content
        versions.append(page.version)
    finish(attempt)
    results = client.detailed_results(submission)
    (page,) = results.pages
    assert (results.participant, results.number, page.is_live, page.size) == ("ada", 1, False, len(PAGE))
    assert len({*versions, page.version}) == 3
    assert client.detailed_result_page(submission, evaluation) == PAGE
    assert not list((world.storage.root / "incoming").rglob(f"*{evaluation}*"))


def test_a_page_of_an_attempt_that_was_given_back_is_not_seen_any_more(
    gateway: RunningGateway, world: World, connect: Connect, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada)
    put_live(attempt, b"<p>old")
    attempt.call("handback", json={"reason": "The disk is full."})
    assert connect(ada.token).detailed_results(attempt.job.submission_id).pages == ()
    again = gateway.claim(agent, attempt.job.submission_id)
    assert connect(ada.token).detailed_results(attempt.job.submission_id).pages == ()
    put_live(again, b"<p>new")
    assert gateway.call("GET", path_of(attempt), ada.token).content == b"<p>new"


def test_a_live_page_has_a_cap(gateway: RunningGateway, world: World, olga: Known, ada: Known, agent: str) -> None:
    attempt = begin(gateway, world, agent, olga, ada)
    request = attempt.job.evaluations[0].live_results
    assert request is not None
    assert put_live(attempt, b"x" * ((request.max_bytes or 0) + 1)).status_code == 413


def test_nothing_is_uploaded_live_where_no_detailed_results_are_kept(
    gateway: RunningGateway, world: World, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada, enable_detailed_results=False)
    assert attempt.job.evaluations[0].live_results is None


def test_a_browser_keeps_the_scripts_of_a_page_away_from_everything(
    gateway: RunningGateway, world: World, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada)
    put_live(attempt, PAGE)
    answers = [gateway.call("GET", path_of(attempt), ada.token)]
    finish(attempt)
    answers.append(gateway.call("GET", path_of(attempt), ada.token))
    for answer in answers:
        assert answer.content == PAGE
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert policy["sandbox"] == "allow-scripts"
        for directive in ("default-src", "connect-src", "form-action", "base-uri", "frame-ancestors"):
            assert policy[directive] == "'none'"


HIDDEN_FROM_PARTICIPANTS = (
    {"phases": [phase(hide_output=True)]},
    {"phases": [phase(hide_score_output=True)]},
)


@pytest.mark.parametrize(
    ("fields", "who"),
    [
        ({}, {"olga", "ada", "bob", "visitor"}),
        ({"show_detailed_results_in_leaderboard": False}, {"olga", "ada"}),
        # The panel's flag hides it there; on the board everyone sees it, the owner included.
        ({"show_detailed_results_in_submission_panel": False}, {"olga", "ada", "bob", "visitor"}),
        (
            {"show_detailed_results_in_submission_panel": False, "show_detailed_results_in_leaderboard": False},
            {"olga"},
        ),
        ({"leaderboards": [board(hidden=True)]}, {"olga", "ada"}),
        *((fields, {"olga"}) for fields in HIDDEN_FROM_PARTICIPANTS),
    ],
    ids=["open", "not on the board", "not in the panel", "nowhere", "hidden board", "hidden output", "hidden scores"],
)
def test_a_page_is_for_those_whom_the_organizer_shows_it(
    fields: dict[str, Any], who: set[str], gateway: RunningGateway, world: World, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada, **fields)
    put_live(attempt, b"<p>live")
    people = {"olga": olga.token, "ada": ada.token, "bob": world.person("bob").token, "visitor": None}
    # While it is written it is no business of the leaderboard's.
    in_panel = fields.get("show_detailed_results_in_submission_panel", True) and "ada" in who
    assert readers(gateway, attempt, people) == ({"olga", "ada"} if in_panel else {"olga"})
    finish(attempt)
    assert readers(gateway, attempt, people) == who
    if "visitor" in who:
        rows = gateway.call("GET", f"/competitions/{attempt.job.competition}/leaderboard").json()["rows"]
        assert [row["has_detailed_results"] for row in rows] == [True]
        gateway.call("PATCH", f"/competitions/{attempt.job.competition}", olga.token, json={"published": False})
        assert readers(gateway, attempt, people) <= {"olga", "ada"}


def readers(gateway: RunningGateway, attempt: Agency, people: dict[str, str | None]) -> set[str]:
    found = set()
    for name, token in people.items():
        answers = [gateway.call("GET", path_of(attempt, page=page), token) for page in (True, False)]
        assert len({answer.is_success for answer in answers}) == 1
        if answers[0].is_success:
            found.add(name)
        else:
            expected = {"not-found"} if name in {"bob", "visitor"} else {"not-allowed"}
            assert {problem_of(answer)["type"] for answer in answers} == expected
    return found


def test_the_board_says_nothing_of_pages_that_it_does_not_lead_to(
    gateway: RunningGateway, world: World, olga: Known, ada: Known, agent: str
) -> None:
    attempt = begin(gateway, world, agent, olga, ada, show_detailed_results_in_leaderboard=False)
    finish(attempt)
    (row,) = gateway.call("GET", f"/competitions/{attempt.job.competition}/leaderboard").json()["rows"]
    assert row["has_detailed_results"] is False


@pytest.mark.parametrize("hidden", [False, True])
def test_what_could_not_be_kept_is_told_with_scores_that_count_unless_it_is_hidden(
    hidden: bool,  # noqa: FBT001  # pytest passes it by name
    gateway: RunningGateway,
    world: World,
    connect: Connect,
    olga: Known,
    ada: Known,
    agent: str,
) -> None:
    attempt = begin(gateway, world, agent, olga, ada, phases=[phase(hide_score_output=hidden)])
    refused = "The output `link` is refused: it is a symbolic link."
    evaluation = {
        "evaluation_id": str(attempt.job.evaluations[0].evaluation_id),
        "outcome": "succeeded",
        "scores": {"accuracy": 1},
        "message": refused,
    }
    assert attempt.result([evaluation]).status_code == 204
    for person, told in ((olga, refused), (ada, "" if hidden else refused)):
        record = connect(person.token).submission(attempt.job.submission_id)
        assert record.status == "finished"
        assert record.evaluations[0].message == told


def test_what_is_not_there_is_not_found(gateway: RunningGateway, ada: Known) -> None:
    nowhere = UUID(int=0)
    for path in (f"/submissions/{nowhere}/detailed-results", f"/submissions/{nowhere}/detailed-results/{nowhere}"):
        for token in (None, ada.token):
            assert problem_of(gateway.call("GET", path, token))["type"] == "not-found"
