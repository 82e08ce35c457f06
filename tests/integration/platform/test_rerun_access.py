"""Who may do what with reruns, tasks, datasets and phases, and what participants see of what scores them again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from rescoring import adopt, again, finish, release, rerun, rescore, score_again, settle, standing, start
from sqlalchemy import func, select
from world import HTTP, Known, RunningGateway, World, board, eventually, phase, problem_of, sha256_of, zip_of

from podium.platform.events import rerun_topic
from podium.platform.gateway.routes import reruns
from podium.platform.jobs import OutputKind
from podium.platform.models import ExtraAllowance, Phase, Rerun, TaskVersion, now
from podium.platform.records.reruns import RerunRecord
from podium.platform.reruns import control
from podium.platform.submissions.allowances import quota_left

SELECTION = {"phase": "1"}
RERUN = {**SELECTION, "reason": "The truth was wrong.", "adoption": "manual"}
ROUTES: tuple[tuple[str, str, Mapping[str, Any] | None], ...] = (
    ("POST", "/reruns/preview", SELECTION),
    ("POST", "/reruns", RERUN),
    ("GET", "/reruns", None),
    ("GET", "/reruns/1", None),
    ("POST", "/reruns/1/pause", None),
    ("POST", "/reruns/1/resume", None),
    ("GET", "/reruns/1/report", None),
    ("GET", "/reruns/1/report.csv", None),
    ("POST", "/reruns/1/adopt", None),
    ("POST", "/reruns/1/cancel", None),
    ("GET", "/tasks/0/versions", None),
    ("POST", "/tasks/0/versions", {"reason": "x"}),
    ("PATCH", "/phases/1", {"paused": True, "pause_message": "Wait."}),
    ("PATCH", "/windows", {"registration_end": "2099-01-01 00:00:00+00:00"}),
    ("GET", "/phases/1/extra-allowances", None),
    ("PUT", "/phases/1/extra-allowances/ada", {"total": 1, "reason": "x"}),
    ("GET", "/queue", None),
)
"""Every call about reruns, tasks and phases, in an order in which an organizer might make them."""


@pytest.fixture
def slug(world: World, ada: Known, olga: Known) -> str:
    made = world.competition(olga, slug="iris", enable_detailed_results=True)
    world.join(ada, made)
    return made


def callers(world: World) -> dict[str, str | None]:
    """Those who organize nothing here, by what they are."""
    bob = world.person("bob")
    world.join(bob, "iris")
    return {
        "anonymous": None,
        "participant": bob.token,
        "stranger": world.person("sam").token,
        "another organizer": world.person("otto", organizer=True).token,
        "agent": world.agent_token(),
    }


def state_of(world: World, rerun_id: UUID) -> tuple[Any, ...]:
    """All that the routes could have changed."""
    with world.session() as session:
        found = session.get_one(Rerun, rerun_id)
        first = session.scalars(select(Phase).order_by(Phase.position)).first()
        assert first is not None
        tables = (Rerun, TaskVersion, ExtraAllowance)
        counts = [session.scalar(select(func.count()).select_from(table)) for table in tables]
        return found.status, found.version, first.paused, first.competition.registration_ends, counts


def published_paths(gateway: RunningGateway) -> Iterator[str]:
    for path in HTTP.get(f"{gateway.address}/api/openapi.json").json()["paths"]:
        yield path.removeprefix("/api/v1/competitions/{slug}")


def test_the_routes_below_are_all_there_are(gateway: RunningGateway) -> None:
    known = {
        path.replace("/1", "/{number}").replace("/0", "/{index}").replace("/ada", "/{username}")
        for _, path, _ in ROUTES
    }
    known = {path.replace("/phases/{number}", "/phases/{phase}") for path in known}
    about = ("/reruns", "/tasks", "/phases", "/windows", "/queue")
    assert {path for path in published_paths(gateway) if path.startswith(about)} == known


@pytest.mark.parametrize(("published", "expected"), [(True, 403), (False, 404)])
def test_nobody_else_does_any_of_it(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str, *, published: bool, expected: int
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    tokens = {**callers(world), "its own participant": ada.token}
    if not published:
        assert gateway.call("PATCH", f"/competitions/{slug}", olga.token, json={"published": False}).status_code == 200
    before = state_of(world, rerun_id)
    for method, path, body in ROUTES:
        for who, token in tokens.items():
            answer = gateway.call(method, f"/competitions/{slug}{path}", token, json=body)
            code = {"anonymous": 401, "agent": 403}.get(who, expected)
            assert (who, method, path, answer.status_code) == (who, method, path, code)
            assert "truth" not in problem_of(answer)["detail"]
            # What there is, and what there is not, look the same from outside.
            unknown = gateway.call(method, f"/competitions/{slug}{path.replace('1', '77')}", token, json=body)
            assert problem_of(unknown)["detail"] == problem_of(answer)["detail"]
    assert state_of(world, rerun_id) == before


@pytest.mark.parametrize("who", ["organizer", "administrator"])
def test_its_organizers_and_administrators_do_all_of_it(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str, who: str
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    known = olga if who == "organizer" else world.person("root", administrator=True)
    conflicts = {"/reruns/1/adopt", "/tasks/0/versions"}  # not everything is scored; nothing would be changed
    for method, path, body in ROUTES:
        answer = gateway.call(method, f"/competitions/{slug}{path}", known.token, json=body)
        good = {409} if path in conflicts and method == "POST" else {200, 201}
        assert answer.status_code in good, f"{method} {path}: {answer.text}"
    with world.session() as session:
        made = session.scalars(select(Rerun)).one()
        assert (made.requested_by, made.status) == (known.id, "cancelled")


def test_numbers_and_phases_that_are_not_there(gateway: RunningGateway, olga: Known, slug: str) -> None:
    path = f"/competitions/{slug}"
    problem = problem_of(gateway.call("GET", f"{path}/reruns/7", olga.token))
    assert (problem["detail"], problem["status"]) == ("'iris' has no rerun 7.", 404)
    for number in ("x", "9" * 30, "-1"):
        assert gateway.call("GET", f"{path}/reruns/{number}", olga.token).status_code in {404, 422}
    assert gateway.call("GET", f"{path}/phases/9/extra-allowances", olga.token).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "x"},
        {"phase": "1"},
        {"phase": "1", "reason": " "},
        {"phase": "1", "reason": "x", "adoption": "now"},
        {"phase": "1", "reason": "x", "parallel": 0},
        {"phase": "1", "submissions": [1], "reason": "x"},
        {"submissions": [0], "reason": "x"},
        {"submissions": [], "reason": "x"},
        {"submissions": list(range(1, 1002)), "reason": "x"},
        {"phase": "1", "reason": "x", "force": True},
        {"phase": "1", "reason": "x\x00"},
    ],
)
def test_what_is_no_rerun_is_not_started(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str, body: Mapping[str, Any]
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    answer = gateway.call("POST", f"/competitions/{slug}/reruns", olga.token, json=body)
    assert (answer.status_code, problem_of(answer)["type"]) == (422, "invalid-input")
    assert gateway.call("GET", f"/competitions/{slug}/reruns", olga.token).json() == []


def test_a_rerun_over_http_from_its_preview_to_its_report(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    for accuracy in (0.5, 0.6):
        world.score(ada, slug, {"accuracy": accuracy})
    path = f"/competitions/{slug}/reruns"
    shown = gateway.call("POST", f"{path}/preview", olga.token, json={"submissions": [2, 2, 1]}).json()
    assert (shown["total"], shown["left_out"]) == (2, [])
    assert gateway.call("GET", path, olga.token).json() == []
    body = {"submissions": [2, 2], "reason": " Wrong. ", "adoption": "manual", "parallel": 3}
    made = gateway.call("POST", path, olga.token, json=body).json()
    assert (made["number"], made["reason"], made["parallel"], made["total"]) == (1, "Wrong.", 3, 1)
    assert made["selection"] == "submission 2"
    second = gateway.call("POST", path, olga.token, json=RERUN).json()
    assert (second["number"], second["total"]) == (2, 1)
    assert [one["number"] for one in gateway.call("GET", path, olga.token).json()] == [2, 1]
    again_of_all = gateway.call("POST", path, olga.token, json=RERUN)
    assert (again_of_all.status_code, problem_of(again_of_all)["type"]) == (409, "conflict")
    rerun_id = UUID(made["id"])
    score_again(world, rerun_id, {2: {"accuracy": 0.9}})
    finish(world, rerun_id)
    assert gateway.call("POST", f"{path}/1/adopt", olga.token).json()["status"] == "adopted"
    for act in ("pause", "resume", "cancel"):
        answer = gateway.call("POST", f"{path}/1/{act}", olga.token)
        assert (answer.status_code, problem_of(answer)["type"]) == (409, "illegal-transition")
    report = gateway.call("GET", f"{path}/1/report", olga.token).json()
    assert [row["new_scores"] for row in report["differences"]] == [[0.9]]
    assert standing(world, slug) == {2: [0.9]}


# What participants see of what scores them again.


def test_what_scores_a_submission_again_is_not_there_for_its_participant(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    agent = world.agent_token()
    origin_id = world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    own_id = again(world, rerun_id)[1]
    attempt = gateway.claim(agent, own_id)
    evaluation_id = attempt.job.evaluations[0].evaluation_id
    attempt.log("scoring_stdout", 0, "secret\n")
    outputs = [attempt.put(kind, b"<p>secret") for kind in OutputKind]
    result = {
        "evaluation_id": str(evaluation_id),
        "outcome": "succeeded",
        "scores": {"accuracy": 0.987},
        "outputs": outputs,
    }
    calls = [
        ("GET", ""),
        ("GET", "?seen=1&wait=0.1"),
        ("GET", "/logs"),
        ("GET", "/file"),
        ("GET", "/detailed-results"),
        ("GET", f"/detailed-results/{evaluation_id}"),
        *(("GET", f"/evaluations/{evaluation_id}/{kind}") for kind in OutputKind),
        ("POST", "/complete"),
        ("POST", "/cancel"),
    ]
    strangers = {**callers(world), "its participant": ada.token}

    def refused() -> None:
        for method, path in calls:
            for who, token in strangers.items():
                answer = gateway.call(method, f"/submissions/{own_id}{path}", token)
                unknown = gateway.call(method, f"/submissions/{uuid4()}{path}", token)
                assert (who, path, problem_of(answer)) == (who, path, problem_of(unknown))
                assert answer.status_code in {401, 403, 404}

    refused()
    assert attempt.result([result]).status_code == 204
    finish(world, rerun_id)
    refused()
    for method, path in calls[:-2]:
        answer = gateway.call(method, f"/submissions/{own_id}{path}", olga.token)
        assert (path, answer.status_code) == (path, 200)
    # Nothing of it under the participant's own submission either.
    assert gateway.call(
        "GET", f"/submissions/{origin_id}/evaluations/{evaluation_id}/scoring_output", ada.token
    ).is_error
    record = gateway.call("GET", f"/submissions/{origin_id}", ada.token).text
    assert "0.987" not in record
    assert (world.submission(own_id).status, world.submission(origin_id).results_id) == ("finished", None)
    adopt(world, rerun_id)
    assert "0.987" in gateway.call("GET", f"/submissions/{origin_id}", ada.token).text
    # Also then it is seen as the submission, and not as one of its own.
    refused()


def test_it_is_in_no_list_and_in_no_count(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    settle(world, world.submit(ada, slug), "It takes too long.")

    def seen() -> list[Any]:
        path = f"/competitions/{slug}"
        lists = [
            [one["number"] for one in gateway.call("GET", f"{path}/submissions", ada.token).json()],
            [one["number"] for one in gateway.call("GET", f"{path}/submissions?everyone=true", olga.token).json()],
        ]
        (competition,) = gateway.call("GET", "/competitions").json()
        (row,) = gateway.call("GET", f"{path}/leaderboard").json()["rows"]
        allowance = gateway.call("GET", f"{path}/allowance", ada.token).json()
        left = [allowance["left_in_window"], allowance["left_total"], allowance["left_at_once"]]
        return [lists, competition["submissions"], row["entries"], left]

    before = seen()
    assert before == [[[2, 1], [2, 1]], 2, 1, [98, 998, None]]
    for adopted in (False, True):
        rerun_id = start(world, olga, slug)
        release(world, rerun_id)
        first, second = again(world, rerun_id).values()
        assert seen() == before
        settle(world, first, {"accuracy": 0.5})
        assert seen() == before
        settle(world, second, "Too big.")
        assert seen() == before
        finish(world, rerun_id)
        if adopted:
            adopt(world, rerun_id)
        else:
            gateway.call("POST", f"/competitions/{slug}/reruns/1/cancel", olga.token)
        assert seen() == before


def test_a_rerun_takes_no_place_of_those_at_once(world: World, olga: Known, ada: Known) -> None:
    limits = {"max_concurrent_submissions": 1, "max_submissions": 2, "max_submissions_per_day": 2}
    slug = world.competition(olga, slug="iris", phases=[phase(**limits)], leaderboards=[board()])
    world.join(ada, slug)
    world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    world.claim(again(world, rerun_id)[1])
    with world.session() as session:
        left = quota_left(session, session.scalars(select(Phase)).one(), ada.id, now())
    assert (left.in_window, left.total, left.concurrent) == (1, 1, 1)
    world.submit(ada, slug)


def test_who_changes_a_task_needs_datasets_of_their_own(
    world: World, gateway: RunningGateway, olga: Known, slug: str
) -> None:
    root = world.person("root", administrator=True)
    data = zip_of({"truth.csv": "4"})
    body = {"kind": "reference_data", "filename": "t.zip", "size": len(data), "sha256": sha256_of(data)}
    ids = {}
    for person in (olga, root):
        made = gateway.call("POST", "/datasets", person.token, json=body).json()
        gateway.send(made["upload"], content=data)
        ids[person.username] = gateway.call("POST", f"/datasets/{made['id']}/complete", person.token).json()["id"]
    path = f"/competitions/{slug}/tasks/0/versions"
    answers = [
        gateway.call("POST", path, root.token, json={"reason": "x", "reference_data": one}) for one in ids.values()
    ]
    assert [answer.status_code for answer in answers] == [404, 201]
    assert answers[1].json()["actor"] == "person:root"


def test_a_change_between_a_look_and_the_wait_for_the_next_is_not_missed(
    world: World,
    gateway: RunningGateway,
    olga: Known,
    ada: Known,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    read, topic, notices = reruns._read, rerun_topic(rerun_id), gateway.services.notices
    changed: list[bool] = []

    def look_and_be_overtaken(*arguments: Any) -> RerunRecord:  # noqa: ANN401  # those of `_read`
        record = read(*arguments)
        if not changed:
            changed.append(True)
            seen = notices.count(topic)
            with world.session() as session:
                control.pause_rerun(session, session.get_one(Rerun, rerun_id), actor="person:olga")
            eventually(lambda: notices.count(topic) != seen)
        return record

    monkeypatch.setattr(reruns, "_read", look_and_be_overtaken)
    began = time.monotonic()
    path = f"/competitions/{slug}/reruns/1?seen={rerun(world, rerun_id).version}&wait=25"
    assert gateway.call("GET", path, olga.token).json()["status"] == "paused"
    assert time.monotonic() - began < 20


def test_why_a_rerun_waits_is_told_to_organizers(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    gateway.call("POST", f"/competitions/{slug}/reruns/1/pause", olga.token)
    record = gateway.call("GET", f"/submissions/{again(world, rerun_id)[1]}", olga.token).json()
    assert record["status_message"] == "Its rerun is paused."
    assert rerun(world, rerun_id).status == "paused"
    rescored = gateway.call("GET", f"/competitions/{slug}/submissions", ada.token).json()
    assert [(one["status"], one["rescored"]) for one in rescored] == [("finished", "")]


def test_who_is_scored_again_reads_why(
    world: World, gateway: RunningGateway, olga: Known, ada: Known, slug: str
) -> None:
    submission_id = world.score(ada, slug, {"accuracy": 0.5})
    adopt(world, rescore(world, olga, slug, {1: {"accuracy": 0.7}}, reason="Two labels were swapped."))
    record = gateway.call("GET", f"/submissions/{submission_id}", ada.token).json()
    assert record["rescored"] == "Scored again by rerun 1: Two labels were swapped."
