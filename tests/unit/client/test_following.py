"""Submitting, waiting and following, against a gateway that plays its part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest

from podium.platform.bundles.problems import BundleRefused
from podium.platform.client import AnotherVersion, Client, Patience, WaitedTooLong
from podium.platform.client.waiting import Wait
from podium.platform.errors import NotFound, PlatformFault
from podium.platform.lifecycle import BundleStatus, SubmissionStatus

ID = UUID(int=7)
NOW = "2026-01-02T03:04:05+00:00"


def submission(status: str, version: int, number: int = 3, **changes: object) -> dict[str, Any]:
    return {
        "id": str(ID),
        "number": number,
        "competition": "iris",
        "phase": "Final",
        "participant": "ada",
        "filename": "s.zip",
        "size": 1,
        "message": "",
        "status": status,
        "status_message": "",
        "ahead": None,
        "version": version,
        "created": NOW,
        "queued": None,
        "started": None,
        "ended": None,
        "on_leaderboard": False,
    } | changes


def bundle(status: str, **changes: object) -> dict[str, Any]:
    return {
        "id": str(ID),
        "filename": "b.zip",
        "size": 1,
        "status": status,
        "message": "",
        "problems": [],
        "competition": None,
        "created": NOW,
    } | changes


def signed(**changes: object) -> dict[str, Any]:
    return {"method": "PUT", "url": "https://store.example.org/x", "headers": {"x": "y"}, "expires": NOW} | changes


class Gateway:
    """Answers each path with one JSON value after the other, the last one for ever."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        name = f"{request.method} {request.url.path.removeprefix('/api/v1')}"
        answers = next(answers for key, answers in self.answers.items() if name.replace(str(ID), "ID") == key)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)


def test_submitting_announces_uploads_and_completes(tmp_path: Path, client_for: Callable[..., Client]):
    path = tmp_path / "predictions.csv"
    path.write_text("1,2", encoding="utf-8")
    gateway = Gateway(
        **{
            "POST /competitions/iris/submissions": [{"submission": submission("submitted", 1), "upload": signed()}],
            "PUT /x": [None],
            "POST /submissions/ID/complete": [httpx.Response(503), submission("queued", 2)],
        }
    )
    created: list[UUID] = []
    made = client_for(gateway).submit(
        "iris", path, message="trees", fact_sheet={"model": "forest"}, on_created=lambda one: created.append(one.id)
    )
    assert made.status is SubmissionStatus.QUEUED
    assert created == [ID]
    announced, put, *_ = gateway.requests
    body = json.loads(announced.content)
    assert body["filename"] == "predictions.csv.zip"
    assert body["fact_sheet"] == {"model": "forest"}
    assert "phase" not in body
    assert put.headers["x"] == "y"
    assert "authorization" not in put.headers
    assert int(put.headers["content-length"]) == body["size"] == len(put.read())
    assert [request.method for request in gateway.requests] == ["POST", "PUT", "POST", "POST"]


def test_waiting_follows_every_change(client_for: Callable[..., Client]):
    path = "GET /submissions/ID"
    gateway = Gateway(
        **{
            path: [
                submission("queued", 2, ahead=1),
                submission("queued", 2, ahead=1),
                httpx.Response(502),
                submission("running", 3),
                submission("finished", 4),
            ]
        }
    )
    seen: list[str] = []
    ended = client_for(gateway).wait(ID, on_change=lambda one: seen.append(one.status))
    assert ended.status is SubmissionStatus.FINISHED
    assert seen == ["queued", "running", "finished"]
    queries = [parse_qs(request.url.query.decode()) for request in gateway.requests]
    assert queries[0] == {}
    assert queries[1] == {"seen": ["2"], "wait": ["20.0"]}
    assert queries[-1]["seen"] == ["3"]


def test_a_failed_submission_is_no_error(client_for: Callable[..., Client]):
    gateway = Gateway(**{"GET /submissions/ID": [submission("failed", 2)]})
    assert client_for(gateway).wait(ID).status is SubmissionStatus.FAILED


def test_a_wait_ends_with_its_time(client_for: Callable[..., Client]):
    gateway = Gateway(**{"GET /submissions/ID": [submission("queued", 2)]})
    with pytest.raises(WaitedTooLong, match="not done after 0 seconds") as caught:
        client_for(gateway).wait(ID, timeout=0)
    assert "goes on by itself" in caught.value.remedy


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def wait_of(clock: Clock, timeout: float | None = None) -> Wait:
    return Wait(timeout, "It", clock=clock, patience=Patience(sleep=clock.sleep))


def test_a_wait_outlives_an_outage_but_not_a_long_one():
    clock = Clock()
    failures = 0

    def fail(held: float) -> str:
        nonlocal failures
        failures += 1
        if clock.now < 250:
            raise PlatformFault("down")
        return "up"

    assert wait_of(clock).ask(fail) == "up"
    assert failures > 10
    clock = Clock()
    with pytest.raises(PlatformFault):
        wait_of(clock).ask(lambda held: (_ for _ in ()).throw(PlatformFault("down")))
    assert 300 <= clock.now - 100 < 310


def test_a_gateway_of_another_version_is_not_waited_for():
    clock = Clock()
    with pytest.raises(AnotherVersion):
        wait_of(clock).ask(lambda held: (_ for _ in ()).throw(AnotherVersion("what?")))
    assert clock.now == 100


def test_a_gateway_that_never_holds_an_answer_is_not_flooded():
    clock = Clock()
    wait = wait_of(clock, 10)
    asked = 0
    while clock.now < 110:
        wait.require_time()
        wait.ask(lambda held: None)
        asked += 1
    with pytest.raises(WaitedTooLong):
        wait.require_time()
    assert asked < 40


def test_after_news_the_next_question_is_asked_at_once():
    clock = Clock()
    wait = wait_of(clock)
    wait.ask(lambda held: "news")
    wait.bring_news()
    wait.ask(lambda held: "nothing")
    assert clock.now == 100
    wait.ask(lambda held: "nothing")
    assert clock.now > 100


def test_an_answer_is_held_no_longer_than_there_is_time():
    clock = Clock()
    wait = wait_of(clock, 5)
    held: list[float] = []
    wait.ask(held.append)
    clock.sleep(3)
    wait.ask(held.append)
    assert held == [5, 2]


def piece(sequence: int, text: str) -> dict[str, Any]:
    return {"sequence": sequence, "attempt": 1, "task": "t", "stream": "scoring_stdout", "text": text}


def test_logs_are_followed_by_their_cursor(client_for: Callable[..., Client]):
    gateway = Gateway(
        **{
            "GET /submissions/ID/logs": [
                {"pieces": [piece(1, "a")], "cursor": 1, "ended": False},
                {"pieces": [], "cursor": 1, "ended": False},
                {"pieces": [piece(2, "b"), piece(3, "c")], "cursor": 3, "ended": True},
            ]
        }
    )
    assert [one.text for one in client_for(gateway).follow_logs(ID)] == ["a", "b", "c"]
    assert [parse_qs(request.url.query.decode())["after"] for request in gateway.requests] == [["0"], ["1"], ["1"]]


def test_logs_without_following_stop_at_what_there_is(client_for: Callable[..., Client]):
    gateway = Gateway(
        **{
            "GET /submissions/ID/logs": [
                {"pieces": [piece(1, "a")], "cursor": 1, "ended": False},
                {"pieces": [piece(2, "b")], "cursor": 2, "ended": False},
                {"pieces": [], "cursor": 2, "ended": False},
            ]
        }
    )
    assert [one.text for one in client_for(gateway).follow_logs(ID, follow=False)] == ["a", "b"]
    assert all(parse_qs(request.url.query.decode())["wait"] == ["0"] for request in gateway.requests)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "competition.yaml").write_text("title: Iris", encoding="utf-8")
    return tmp_path


def bundle_gateway(*states: dict[str, Any]) -> Gateway:
    return Gateway(
        **{
            "POST /bundles": [{"bundle": bundle("uploading"), "upload": signed()}],
            "PUT /x": [None],
            "POST /bundles/ID/complete": [bundle("queued")],
            "GET /bundles/ID": list(states),
        }
    )


def test_a_competition_comes_of_a_folder(folder: Path, client_for: Callable[..., Client]):
    seen: list[str] = []
    gateway = bundle_gateway(bundle("queued"), bundle("reading"), bundle("created", competition="iris"))
    made = client_for(gateway).create_competition(folder, slug="iris", on_change=lambda one: seen.append(one.status))
    assert made.competition == "iris"
    assert seen == ["uploading", "queued", "reading", "created"]
    assert parse_qs(gateway.requests[-1].url.query.decode())["seen"] == ["reading"]


def test_a_bundle_need_not_be_waited_for(folder: Path, client_for: Callable[..., Client]):
    made = client_for(bundle_gateway()).create_competition(folder, wait=False)
    assert made.status is BundleStatus.QUEUED


def test_a_refused_bundle_raises_with_its_problems(folder: Path, client_for: Callable[..., Client]):
    refused = bundle("refused", problems=[{"severity": "error", "message": "No phases."}])
    with pytest.raises(BundleRefused) as caught:
        client_for(bundle_gateway(refused)).create_competition(folder)
    assert caught.value.problems[0].message == "No phases."


def test_a_bundle_that_podium_failed_is_a_fault(folder: Path, client_for: Callable[..., Client]):
    with pytest.raises(PlatformFault, match="Disk full"):
        client_for(bundle_gateway(bundle("failed", message="Disk full."))).create_competition(folder)


def competition(*, may_organize: bool) -> dict[str, Any]:
    return {
        "summary": {
            "slug": "iris",
            "title": "Iris",
            "description": "",
            "organizer": "ada",
            "published": True,
            "phase": None,
            "deadline": None,
            "participants": 1,
            "submissions": 1,
            "reward": None,
            "created": NOW,
        },
        "terms": "",
        "terms_is_html": False,
        "terms_sha256": "",
        "registration_auto_approve": True,
        "docker_image": "x",
        "contact_email": None,
        "phases": [],
        "pages": [],
        "fact_sheet": [],
        "columns": [],
        "leaderboard_title": "",
        "leaderboard_hidden": False,
        "submission_rule": "Add",
        "participation": None,
        "may_organize": may_organize,
    }


@pytest.mark.parametrize("who", ["organizer", "participant"])
def test_a_submission_is_found_by_its_number(who: str, client_for: Callable[..., Client]):
    may_organize = who == "organizer"

    def gateway() -> Gateway:
        return Gateway(
            **{
                "GET /competitions/iris": [competition(may_organize=may_organize)],
                "GET /competitions/iris/submissions": [
                    [submission("finished", 4, number=9), submission("finished", 4, number=8)],
                    [submission("finished", 4, number=3)],
                    [],
                ],
            }
        )

    playing = gateway()
    assert client_for(playing).numbered_submission("iris", 3).number == 3
    queries = [parse_qs(request.url.query.decode()) for request in playing.requests]
    assert queries[2]["offset"] == ["2"]
    assert queries[1].get("everyone") == (["true"] if may_organize else None)
    with pytest.raises(NotFound, match="no submission 5 in iris"):
        client_for(gateway()).numbered_submission("iris", 5)


def test_an_outage_is_told_with_pauses_that_grow():
    clock, told, failures = Clock(), list[str](), 4

    def call(_: float) -> str:
        nonlocal failures
        failures -= 1
        if failures:
            raise PlatformFault("The gateway is out of reach.")
        return "there"

    patience = Patience(sleep=clock.sleep, tell=told.append)
    assert Wait(None, "It", patience, clock=clock).ask(call) == "there"
    assert told == [f"The gateway is out of reach. Trying again in {seconds} s." for seconds in ("2.0", "3.4", "5.8")]
