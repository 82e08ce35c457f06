"""The whole life of a submission over HTTP: a participant's client on one side, a fake agent on the other."""

from __future__ import annotations

import threading
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from stand_in_prefect import StandInPrefect
from world import (
    HTTP,
    PREDICTIONS,
    Agency,
    Known,
    RunningGateway,
    World,
    eventually,
    phase,
    problem_of,
    sha256_of,
    zip_of,
)

from podium.platform.client import Client
from podium.platform.jobs import OutputKind
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Event, Token
from podium.platform.records.submissions import SubmissionRecord
from podium.platform.storage import content_key

Connect = Callable[[str | None], Client]
SOON = 10.0  # half of what the calls would wait: they were woken, however busy the machine is
"""Seconds within which a watcher must hear of a change."""


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    made = world.competition(olga, enable_detailed_results=True)
    world.join(ada, made)
    return made


@pytest.fixture
def agent(world: World) -> str:
    return world.agent_token()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "predictions.zip"
    path.write_bytes(PREDICTIONS)
    return path


class Watcher:
    """Waits in a thread, and knows how long it took to hear."""

    def __init__(self, wait: Callable[[], object]) -> None:
        self.heard: object = None
        self._wait = wait
        self._ended = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        time.sleep(0.3)  # so that the call is held by the gateway

    def _run(self) -> None:
        self.heard = self._wait()
        self._ended = time.monotonic()

    def seconds_since(self, moment: float) -> float:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self._ended - moment


def test_the_whole_way(
    gateway: RunningGateway,
    world: World,
    prefect: StandInPrefect,
    connect: Connect,
    ada: Known,
    slug: str,
    agent: str,
    file: Path,
) -> None:
    client = connect(ada.token)
    created = client.submit(slug, file, message="more trees")
    assert (created.status, created.number, created.message) == (SubmissionStatus.QUEUED, 1, "more trees")
    eventually(lambda: len(prefect.runs_of(created.id)) == 1)

    attempt = gateway.claim(agent, created.id)
    assert HTTP.get(attempt.job.submission.request.url).content == PREDICTIONS
    for source in (attempt.job.evaluations[0].scoring_program, attempt.job.evaluations[0].reference_data):
        assert source is not None
        content = HTTP.get(source.request.url).content
        assert (len(content), sha256_of(content)) == (source.size, source.sha256)

    seen = [client.submission(created.id).status.value]
    for stage in ("running", "scoring"):
        assert attempt.beat(stage)["stop"] is False
        seen.append(client.submission(created.id).status.value)
    assert seen == ["preparing", "running", "scoring"]

    for _ in range(2):  # the same chunk again, from an agent that did not hear the answer
        assert attempt.log("scoring_stdout", 0, "one\n").status_code == 204
    attempt.log("scoring_stdout", 4, "two\x00\n")
    page = client.logs(created.id)
    assert [(piece.text, piece.stream, piece.task, piece.attempt) for piece in page.pieces] == [
        ("one\n", "scoring_stdout", "Task 0", 1),
        ("two\N{REPLACEMENT CHARACTER}\n", "scoring_stdout", "Task 0", 1),
    ]
    assert not page.ended

    html, zipped = b"<h1>Well done</h1>", zip_of({"scores.json": "{}"})
    outputs = [attempt.put(OutputKind.SCORING_OUTPUT, zipped), attempt.put(OutputKind.DETAILED_RESULTS, html)]
    report = {
        "program": "scoring",
        "step": "scoring",
        "image": "python:3",
        "image_digest": "sha256:1",
        "exit_status": 0,
        "wall_seconds": 1.5,
    }
    evaluation = {
        "evaluation_id": str(attempt.job.evaluations[0].evaluation_id),
        "outcome": "succeeded",
        "scores": {"accuracy": 0.1 + 0.2, "extra": 7},
        "outputs": outputs,
        "programs": [report],
        "timings": {"run": 1.5},
    }
    assert [attempt.result([evaluation]).status_code for _ in range(2)] == [204, 204]

    done = client.submission(created.id)
    assert (done.status, done.on_leaderboard, done.status_message) == (SubmissionStatus.FINISHED, True, "")
    assert [(score.key, score.value) for score in done.scores] == [("accuracy", 0.1 + 0.2)]
    (evaluated,) = done.evaluations
    assert evaluated.status == "succeeded"
    assert {output.kind: output.size for output in evaluated.outputs} == {
        "scoring_output": len(zipped),
        "detailed_results": len(html),
    }
    assert (evaluated.programs[0].wall_seconds, evaluated.programs[0].peak_memory_bytes) == (1.5, None)
    signed = client.output_file(created.id, evaluated.id, "detailed_results")
    assert HTTP.get(signed.url).content == html
    assert client.logs(created.id).ended

    (row,) = client.leaderboard(slug).rows
    assert (row.rank, row.participant, row.scores, row.entries) == (1, "ada", (0.1 + 0.2,), 1)
    with world.session() as session:
        query = select(Event).where(Event.subject_id == created.id).order_by(Event.id)
        events = [(event.after, event.actor) for event in session.scalars(query)]
    assert events == [
        ("submitted", "person:ada"),
        ("queued", "person:ada"),
        ("preparing", "agent:docker"),
        ("running", "attempt:1"),
        ("scoring", "attempt:1"),
        ("finished", "attempt:1"),
    ]
    # One for each change of state, and one as it came onto the leaderboard.
    assert done.version == len(events) + 1
    assert not list((world.storage.root / "incoming").rglob("*"))


def test_watchers_hear_of_every_change_at_once(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str, agent: str
) -> None:
    client = connect(ada.token)
    submission_id = world.submit(ada, slug)
    attempt: Agency | None = None

    def change(step: str) -> None:
        nonlocal attempt
        if attempt is None:
            attempt = gateway.claim(agent, submission_id)
        elif step == "finished":
            attempt.succeed({"accuracy": 1})
        else:
            attempt.beat(step)

    for step in ("preparing", "running", "scoring", "finished"):
        version = client.submission(submission_id).version
        watcher = Watcher(lambda version=version: client.submission(submission_id, seen=version, wait=20))
        began = time.monotonic()
        change(step)
        ended = time.monotonic()
        assert watcher.seconds_since(ended) < SOON, f"{step}, which took {ended - began} s"
        assert isinstance(watcher.heard, SubmissionRecord)
        assert watcher.heard.status == step


def test_a_watcher_is_answered_at_once_when_something_has_changed_already(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    began = time.monotonic()
    assert connect(ada.token).submission(submission_id, seen=1, wait=20).version == 2
    assert time.monotonic() - began < 5


def test_a_watcher_hears_nothing_new_when_its_time_is_over(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    assert connect(ada.token).submission(submission_id, seen=2, wait=0.2).version == 2


def test_readers_of_logs_hear_of_lines_and_of_the_end_at_once(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str, agent: str
) -> None:
    client = connect(ada.token)
    attempt = gateway.claim(agent, world.submit(ada, slug))
    submission_id = attempt.job.submission_id
    watcher = Watcher(lambda: client.logs(submission_id, wait=20))
    attempt.log("scoring_stdout", 0, "one\n")
    assert watcher.seconds_since(time.monotonic()) < SOON
    cursor = client.logs(submission_id).cursor
    watcher = Watcher(lambda: client.logs(submission_id, after=cursor, wait=20))
    attempt.succeed({"accuracy": 1})
    assert watcher.seconds_since(time.monotonic()) < SOON
    assert client.logs(submission_id, after=cursor).ended


def test_an_agent_hears_of_work_at_once(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str, agent: str, file: Path
) -> None:
    wake = gateway.call("GET", "/agent/wake", agent).json()
    watcher = Watcher(
        lambda: gateway.call("GET", "/agent/wake", agent, params={"cursor": wake["cursor"], "wait": 20}).json()
    )
    connect(ada.token).submit(slug, file)
    assert watcher.seconds_since(time.monotonic()) < SOON
    assert isinstance(watcher.heard, dict)
    assert watcher.heard["work"] is True


def test_the_client_waits_to_the_end(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str, agent: str
) -> None:
    client = connect(ada.token)
    submission_id = world.submit(ada, slug)
    watcher = Watcher(lambda: client.wait(submission_id, timeout=120))
    attempt = gateway.claim(agent, submission_id)
    failed = {
        "evaluation_id": str(attempt.job.evaluations[0].evaluation_id),
        "outcome": "user_error",
        "verdict": "time_limit",
        "message": "Your program was stopped after 600 seconds.",
    }
    assert attempt.result([failed]).status_code == 204
    assert watcher.seconds_since(time.monotonic()) < SOON
    assert isinstance(watcher.heard, SubmissionRecord)
    assert (watcher.heard.status, watcher.heard.evaluations[0].verdict) == ("failed", "time_limit")
    assert watcher.heard.status_message == "Your program was stopped after 600 seconds."


def test_an_attempt_that_is_over_is_told_so_in_every_way(
    gateway: RunningGateway, world: World, connect: Connect, ada: Known, slug: str, agent: str
) -> None:
    attempt = gateway.claim(agent, world.submit(ada, slug))
    cancelled = connect(ada.token).cancel(attempt.job.submission_id)
    assert (cancelled.status, cancelled.status_message) == ("cancelled", "Cancelled by its participant.")
    assert attempt.beat("running")["stop"] is True
    late = [
        attempt.log("scoring_stdout", 0, "late\n"),
        attempt.succeed({"accuracy": 1}),
        attempt.call("handback", json={"reason": "late"}),
    ]
    assert [problem_of(answer)["type"] for answer in late] == ["superseded"] * 3
    record = connect(ada.token).submission(attempt.job.submission_id)
    assert (record.status, record.version, record.scores) == ("cancelled", cancelled.version, ())
    assert connect(ada.token).logs(record.id).pieces == ()


def test_what_is_given_back_is_dispatched_again(
    gateway: RunningGateway, world: World, prefect: StandInPrefect, ada: Known, slug: str, agent: str
) -> None:
    submission_id = world.submit(ada, slug)
    attempt = gateway.claim(agent, submission_id)
    assert attempt.call("handback", json={"reason": "The agent stops."}).status_code == 204
    eventually(lambda: len(prefect.runs_of(submission_id)) == 1)
    assert [run["idempotency_key"] for run in prefect.runs_of(submission_id)] == [f"{submission_id}/1"]
    gateway.claim(agent, submission_id).succeed({"accuracy": 1})
    assert world.submission(submission_id).status is SubmissionStatus.FINISHED


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_score_that_is_no_finite_number_does_not_come_in(
    gateway: RunningGateway, world: World, ada: Known, slug: str, agent: str, number: str
) -> None:
    attempt = gateway.claim(agent, world.submit(ada, slug))
    evaluation_id = attempt.job.evaluations[0].evaluation_id
    body = (
        f'{{"attempt_id": "{attempt.job.attempt_id}", "evaluations": [{{"evaluation_id": "{evaluation_id}",'
        f' "outcome": "succeeded", "scores": {{"accuracy": {number}}}}}]}}'
    )
    answer = attempt.call("result", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert problem_of(answer)["type"] == "invalid-input"
    assert attempt.succeed({"accuracy": 1}).status_code == 204


def test_scores_whose_sum_no_number_can_hold_do_not_keep_a_result_out(
    gateway: RunningGateway, world: World, ada: Known, olga: Known, agent: str
) -> None:
    columns = [
        {"index": 0, "key": "a", "title": "A"},
        {"index": 1, "key": "b", "title": "B"},
        {"index": 2, "key": "sum", "title": "Sum", "computation": "sum", "computation_indexes": [0, 1]},
    ]
    board = {"title": "R", "key": "r", "submission_rule": "Force_Last", "columns": columns}
    slug = world.competition(olga, leaderboards=[board])
    world.join(ada, slug)
    attempt = gateway.claim(agent, world.submit(ada, slug))
    assert attempt.succeed({"a": 1e308, "b": 1.5e308}).status_code == 204
    rows = gateway.call("GET", f"/competitions/{slug}/leaderboard").json()["rows"]
    assert [row["scores"] for row in rows] == [[1e308, 1.5e308, None]]


@pytest.mark.parametrize(
    ("flags", "hidden"),
    [
        ({"hide_output": True}, {"prediction_output", "scoring_output", "detailed_results", "logs", "scores"}),
        ({"hide_prediction_output": True}, {"prediction_output"}),
        ({"hide_score_output": True}, {"scoring_output", "detailed_results", "scores"}),
    ],
)
def test_what_a_phase_hides_participants_get_in_no_way_and_organizers_do(
    gateway: RunningGateway,
    world: World,
    connect: Connect,
    ada: Known,
    olga: Known,
    agent: str,
    flags: dict[str, bool],
    hidden: set[str],
) -> None:
    slug = world.competition(olga, phases=[phase(**flags)], enable_detailed_results=True)
    world.join(ada, slug)
    attempt = gateway.claim(agent, world.submit(ada, slug))
    attempt.log("scoring_stdout", 0, "secret\n")
    outputs = [attempt.put(kind, b"x") for kind in OutputKind]
    evaluation_id = attempt.job.evaluations[0].evaluation_id
    result = {
        "evaluation_id": str(evaluation_id),
        "outcome": "succeeded",
        "scores": {"accuracy": 1},
        "outputs": outputs,
    }
    assert attempt.result([result]).status_code == 204
    submission_id = attempt.job.submission_id
    everything = {*OutputKind, "logs", "scores"}
    for known, unseen in ((ada, hidden), (olga, set[str]())):
        assert everything - unseen == shown(gateway, known, submission_id, evaluation_id)
        record = connect(known.token).submission(submission_id)
        assert {output.kind for output in record.evaluations[0].outputs} == set(OutputKind) - unseen


def shown(gateway: RunningGateway, known: Known, submission_id: UUID, evaluation_id: UUID) -> set[str]:
    """What a person can get of a submission."""
    path = f"/submissions/{submission_id}"
    record = gateway.call("GET", path, known.token).json()
    found = {kind.value for kind in OutputKind if can_get(gateway, known, f"{path}/evaluations/{evaluation_id}/{kind}")}
    if can_get(gateway, known, f"{path}/logs"):
        found.add("logs")
    assert bool(record["scores"]) == bool(record["evaluations"][0]["scores"])
    return found | ({"scores"} if record["scores"] else set())


def can_get(gateway: RunningGateway, known: Known, path: str) -> bool:
    answer = gateway.call("GET", path, known.token)
    assert answer.is_success or problem_of(answer)["type"] == "not-allowed"
    return answer.is_success


def test_the_token_of_an_attempt_is_not_kept_as_it_is(
    gateway: RunningGateway, world: World, ada: Known, slug: str, agent: str
) -> None:
    attempt = gateway.claim(agent, world.submit(ada, slug))
    with world.session() as session:
        token = session.scalars(select(Token).where(Token.attempt_id == attempt.job.attempt_id)).one()
        assert attempt.job.attempt_token.encode() not in token.secret_sha256
        assert token.expires is not None


def test_small_files_come_with_the_messages_that_name_them(
    world: World, gateway: RunningGateway, agent: str, ada: Known, slug: str
) -> None:
    agency = gateway.claim(agent, world.submit(ada, slug))
    assert agency.job.submission.content == PREDICTIONS
    output = zip_of({"scores.json": "{}"})
    said = {"kind": "scoring_output", "sha256": sha256_of(output), "size": len(output)}
    evaluation = {"evaluation_id": str(agency.job.evaluations[0].evaluation_id), "outcome": "succeeded"}

    wrong = {**said, "content": b64encode(output[:-1]).decode()}
    answer = agency.result([{**evaluation, "scores": {"accuracy": 1}, "outputs": [wrong]}])
    assert problem_of(answer)["detail"] == "A file in a message is not what is announced there."

    right = {**said, "content": b64encode(output).decode()}
    for _ in range(2):  # the answer to the first was lost
        assert agency.result([{**evaluation, "scores": {"accuracy": 1}, "outputs": [right]}]).status_code == 204
    stored = world.storage.path(content_key(sha256_of(output)))
    assert stored.read_bytes() == output
    assert stored.stat().st_mode & 0o777 == 0o400
    assert list((world.storage.root / "content").rglob(".part-*")) == []
