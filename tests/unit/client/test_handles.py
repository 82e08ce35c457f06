"""Competitions and submissions as a notebook holds them, against a gateway that plays its part."""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from podium.client import (
    Client,
    Competition,
    Conflict,
    FormatMismatch,
    InvalidInput,
    Leaderboard,
    NotFound,
    PlatformFault,
    PodiumError,
    Submission,
    WaitedTooLong,
    connecting,
)
from podium.platform.lifecycle import SubmissionStatus, Verdict

ID = UUID(int=7)
NOW = "2026-01-02T03:04:05+00:00"
FORMAT = {
    "file": "predictions.csv",
    "kind": "csv",
    "columns": [{"name": "species", "type": "any", "values": ["daisy"], "may_be_empty": False}],
    "rows": 2,
    "shape": [],
    "files": [],
}


def submission(status: str, version: int = 1, **changes: object) -> dict[str, Any]:
    return {
        "id": str(ID),
        "number": 3,
        "competition": "iris",
        "phase": "Final",
        "participant": "ada",
        "filename": "predictions.csv.zip",
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


def evaluation(**changes: object) -> dict[str, Any]:
    return {
        "id": str(UUID(int=9)),
        "task": "Classify",
        "status": "failed",
        "verdict": "memory_limit",
        "message": "more than 4 GiB",
        "scores": [],
        "outputs": [{"kind": "scoring_output", "size": 3, "sha256": sha256(b"abc").hexdigest()}],
        "programs": [],
        "timings": {},
    } | changes


def phase(number: int, name: str, status: str, **changes: object) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "description": "",
        "start": NOW,
        "end": None,
        "status": status,
        "max_submissions_per_day": None,
        "max_submissions": None,
        "execution_time_limit": 60,
        "only_result_submissions": True,
        "tasks": [],
        "submission_format": FORMAT,
    } | changes


COMPETITION: dict[str, Any] = {
    "summary": {
        "slug": "iris",
        "title": "Iris",
        "description": "",
        "organizer": "olga",
        "published": True,
        "phase": "Final",
        "deadline": None,
        "participants": 1,
        "submissions": 0,
        "reward": None,
        "created": NOW,
    },
    "terms": "Be fair.",
    "terms_is_html": False,
    "terms_sha256": "ab" * 32,
    "registration_auto_approve": True,
    "docker_image": "x",
    "contact_email": None,
    "phases": [phase(1, "First", "over"), phase(2, "Final", "open")],
    "pages": [],
    "fact_sheet": [],
    "columns": [],
    "leaderboard_title": "Results",
    "leaderboard_hidden": False,
    "submission_rule": "Force_Best",
    "participation": "approved",
    "may_organize": False,
}
SIGNED = {"method": "PUT", "url": "https://store.example.org/x", "headers": {}, "expires": NOW}


class Gateway:
    """Answers each call with one value after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {"GET /competitions/iris": [COMPETITION]}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/v1").replace(str(ID), "ID")
        answers = self.answers[f"{request.method} {path}"]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, stream=httpx.ByteStream(answer.content))
        return httpx.Response(200, json=answer)

    def asked(self) -> list[str]:
        return [f"{request.method} {request.url.path.rpartition('/')[2]}" for request in self.requests]


@pytest.fixture
def gateway(client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()
    client = client_for(made)
    for module in ("submission", "competition"):
        monkeypatch.setattr(f"podium.client.{module}.connected", lambda *_: client)
    return made


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("PODIUM_GATEWAY", "PODIUM_URL", "PODIUM_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.json"
    monkeypatch.setenv("PODIUM_CONFIG", str(path))
    connecting._clients.clear()
    yield path
    connecting._clients.clear()


def announced(gateway: Gateway, *statuses: object, repeats: int | None = None, earlier: Sequence[object] = ()) -> None:
    gateway.answers |= {
        "GET /competitions/iris/submissions": [list(earlier)],
        "POST /competitions/iris/submissions": [
            {"submission": submission("submitted"), "upload": SIGNED, "repeats": repeats}
        ],
        "PUT /x": list(statuses) or [None],
        "POST /submissions/ID/complete": [submission("queued", 2)],
    }


def test_making_one_asks_nothing(gateway: Gateway):
    assert repr(Competition("iris")) == "Competition('iris')"
    assert repr(Submission(ID)) == f"Submission('{ID}')"
    assert repr(Submission("iris/3")) == "Submission('iris/3')"
    assert gateway.requests == []


def test_a_value_is_written_checked_and_sent(gateway: Gateway):
    announced(gateway, repeats=2)
    made = Competition("iris").submit(["daisy"] * 2, message="trees", answers={"deep": True, "layers": 3})
    assert made.require_record().status is SubmissionStatus.QUEUED
    assert made.notes == (
        "predictions.csv (20 bytes) made of a list",
        "It has the same content as your submission 2.",
    )
    body = json.loads(next(one for one in gateway.requests if one.method == "POST").content)
    assert (body["phase"], body["message"]) == ("2", "trees")
    assert body["fact_sheet"] == {"deep": "true", "layers": "3"}
    sent = next(one.content for one in gateway.requests if one.method == "PUT")
    with zipfile.ZipFile(io.BytesIO(sent)) as archive:
        assert archive.read("predictions.csv") == b"species\ndaisy\ndaisy\n"


def test_what_does_not_fit_is_never_announced(gateway: Gateway):
    with pytest.raises(FormatMismatch) as caught:
        Competition("iris").submit(["rose"])
    assert len(caught.value.problems) == 2
    assert gateway.asked() == ["GET iris"]


def test_a_phase_is_chosen_by_number_or_name(gateway: Gateway):
    iris = Competition("iris")
    assert [iris.phase(named).name for named in (None, 1, "1", "FINAL")] == ["Final", "First", "First", "Final"]
    with pytest.raises(NotFound, match="1 'First', 2 'Final'"):
        iris.phase("third")
    assert gateway.asked() == ["GET iris"]


def test_an_upload_that_broke_off_goes_on_with_the_same_call(gateway: Gateway, caplog: pytest.LogCaptureFixture):
    announced(gateway, httpx.Response(403))
    iris = Competition("iris")
    with pytest.raises(PlatformFault):
        iris.submit(["daisy"] * 2, message="m")
    assert f"The same call again goes on with it (or resume='{ID}')" in caplog.text
    put = next(one for one in gateway.requests if one.method == "PUT").content
    body = json.loads(next(one for one in gateway.requests if one.method == "POST").content)
    left = submission("submitted", message="m", size=body["size"])
    announced(gateway, earlier=[submission("finished"), left])
    upload = {"filename": "x", "size": body["size"], "sha256": body["sha256"], "upload": SIGNED, "parts": None}
    gateway.answers["POST /uploads/ID"] = [{"id": str(ID), "kind": "submission", "created": NOW, **upload}]
    gateway.requests.clear()
    again = iris.submit(["daisy"] * 2, message="m")
    assert again.notes[1] == "The upload of submission 3 goes on where it broke off."
    assert gateway.asked() == ["GET iris", "GET submissions", f"POST {ID}", "PUT x", "POST complete"]
    assert next(one for one in gateway.requests if one.method == "PUT").content == put
    # With another note it is another submission.
    gateway.requests.clear()
    iris.submit(["daisy"] * 2, message="other")
    assert "POST submissions" in gateway.asked()
    gateway.requests.clear()
    iris.submit(["daisy"] * 2, resume=str(ID))
    assert "POST submissions" not in gateway.asked()
    with pytest.raises(InvalidInput, match="its note and answers already"):
        iris.submit(["daisy"] * 2, resume=ID, message="m")


def test_an_interrupted_wait_leaves_all_as_it_was(gateway: Gateway, caplog: pytest.LogCaptureFixture):
    scores = [{"key": "accuracy", "value": 0.5}]
    path = "GET /submissions/ID"
    gateway.answers[path] = [
        submission("queued", 2),
        KeyboardInterrupt(),
        submission("running", 3),
        submission("finished", 4, scores=scores, evaluations=[evaluation(status="succeeded", verdict=None)]),
    ]
    handle = Submission(ID)
    with pytest.raises(KeyboardInterrupt):
        handle.wait()
    assert f"The submission goes on: Submission('{ID}').wait()" in caplog.text
    assert handle.wait().scores == {"accuracy": 0.5}
    before = len(gateway.requests)
    assert (handle.status, handle.verdict, handle.message) == ("finished", None, "")
    assert len(gateway.requests) == before


@pytest.mark.parametrize("timeout", [None, float("inf"), float("nan"), -1, "long"])
def test_every_wait_has_an_end(gateway: Gateway, timeout: object):
    for call in (Submission(ID).wait, Submission(ID).logs):
        with pytest.raises(InvalidInput, match="no time to wait"):
            call(timeout=timeout)  # type: ignore[arg-type]  # what people may write
    gateway.answers["GET /submissions/ID"] = [submission("queued")]
    with pytest.raises(WaitedTooLong, match="not done after 0 seconds"):
        Submission(ID).wait(timeout=0)


def test_trouble_with_the_network_is_told_once(
    gateway: Gateway, client_for: Callable[..., Client], caplog: pytest.LogCaptureFixture
):
    trouble = connecting._Trouble()
    for pause in (1, 2, 3):
        trouble(f"The gateway can't be reached. Trying again in {pause}.0 s.")
    trouble("The store can't be reached. Trying again in 1.0 s.")
    assert [one.levelno for one in caplog.records] == [logging.WARNING] * 2
    assert "Trying again in 1.0 s." in caplog.text


def test_what_an_organizer_keeps_off_says_so(gateway: Gateway):
    gateway.answers["GET /submissions/ID"] = [submission("finished", excluded=True, evaluations=[evaluation()])]
    off = Submission(str(ID))
    assert off.excluded
    assert "keeps this submission off the leaderboard" in off._repr_html_()


def test_a_failure_says_why(gateway: Gateway, tmp_path: Path):
    gateway.answers["GET /submissions/ID"] = [
        submission("failed", status_message="<b>too much</b>", evaluations=[evaluation()])
    ]
    gateway.answers[f"GET /submissions/ID/evaluations/{UUID(int=9)}/scoring_output"] = [SIGNED | {"method": "GET"}]
    gateway.answers["GET /x"] = [httpx.Response(200, content=b"abc")]
    failed = Submission(str(ID))
    assert (failed.status, failed.verdict, failed.scores) == ("failed", Verdict.MEMORY_LIMIT, {})
    page = failed._repr_html_()
    assert "&lt;b&gt;too much&lt;/b&gt;" in page
    assert "<b>too" not in page
    (output,) = failed.outputs()
    assert (output.kind, output.task, output.size) == ("scoring_output", "Classify", 3)
    assert output.download(tmp_path) == tmp_path / "iris-3-scoring_output.zip"
    with pytest.raises(Conflict):
        output.download(tmp_path)


def test_logs_come_in_lines(gateway: Gateway):
    pieces = [
        {"sequence": at, "attempt": 1, "task": "T", "stream": stream, "text": text}
        for at, (stream, text) in enumerate(
            [("stdout", "be"), ("stderr", "\x1b[31mwarn\n"), ("stdout", "gin\nlas"), ("stdout", "t")], start=1
        )
    ]
    gateway.answers["GET /submissions/ID/logs"] = [
        {"pieces": pieces[:2], "cursor": 2, "ended": False},
        {"pieces": pieces[2:], "cursor": 4, "ended": True},
    ]
    assert list(Submission(ID).logs(follow=True)) == [
        "==> stderr (task T, attempt 1) <==",
        "warn",
        "==> stdout (task T, attempt 1) <==",
        "begin",
        "last",
    ]
    gateway.answers["GET /submissions/ID/logs"] = [{"pieces": pieces, "cursor": 4, "ended": True}]
    assert list(Submission(ID).logs(stream="stdout")) == ["begin", "last"]


def test_a_reference_is_an_id_or_a_number_of_a_competition(gateway: Gateway):
    gateway.answers |= {
        "GET /competitions/iris/submissions": [[submission("queued")], []],
        "POST /submissions/ID/cancel": [submission("cancelled")],
    }
    assert Competition("iris").submission(3).id == ID
    assert repr(Submission(ID).cancel()) == "<Submission 3 of iris: cancelled>"
    with pytest.raises(InvalidInput, match="neither the id"):
        Submission("third")


def test_taking_part_takes_a_yes(gateway: Gateway):
    gateway.answers["POST /competitions/iris/participants"] = [
        {"username": "ada", "name": "", "status": "approved", "joined": NOW}
    ]
    iris = Competition("iris")
    with pytest.raises(InvalidInput, match="accepts the terms"):
        iris.join()
    assert iris.terms == "Be fair."
    assert iris.join(accept_terms=True).status == "approved"


def test_a_leaderboard_is_rows_dicts_or_a_frame(gateway: Gateway):
    row = {
        "rank": 1,
        "participant": "<ada>",
        "submission_id": str(ID),
        "submission_number": 3,
        "submitted": NOW,
        "scores": [0.25],
        "fact_sheet": {},
        "entries": 2,
    }
    column = {
        "key": "accuracy",
        "title": "Accuracy",
        "sorting": "desc",
        "precision": 2,
        "is_primary": True,
        "computation": None,
    }
    gateway.answers["GET /competitions/iris/leaderboard"] = [
        {
            "competition": "iris",
            "competition_title": "Iris",
            "title": "Results",
            "phase": "Final",
            "columns": [column],
            "questions": [],
            "rows": [row],
            "total": 1,
            "updated": NOW,
        }
    ]
    board = Competition("iris").leaderboard()
    assert isinstance(board, Leaderboard)
    assert (len(board), board[0].participant, board.columns) == (1, "<ada>", ("accuracy",))
    frame = board.to_dataframe()
    assert frame[["participant", "accuracy"]].to_dict("records") == [{"participant": "<ada>", "accuracy": 0.25}]
    assert "&lt;ada&gt;" in board._repr_html_()
    assert "<td style='text-align:left'>0.25</td>" in board._repr_html_()


def test_data_is_fetched_once_and_unpacked(gateway: Gateway, tmp_path: Path):
    def offered(text: str, kind: str = "public_data") -> dict[str, Any]:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("training.csv", text)
        gateway.answers["GET /x"] = [httpx.Response(200, content=packed.getvalue())]
        gateway.answers[f"GET /competitions/iris/files/{UUID(int=5)}"] = [SIGNED | {"method": "GET"}]
        return {
            "id": str(UUID(int=5)),
            "kind": kind,
            "name": "data.zip",
            "size": 1,
            "sha256": sha256(packed.getvalue()).hexdigest(),
            "phases": ["Final"],
            "task": "",
        }

    gateway.answers["GET /competitions/iris/files"] = [[offered("a")]]
    iris, folder = Competition("iris"), tmp_path / "data"
    assert iris.download_data(folder) == folder
    assert (folder / "public_data" / "training.csv").read_text() == "a"
    fetched = gateway.asked().count("GET x")
    iris.download_data(folder)
    assert gateway.asked().count("GET x") == fetched
    gateway.answers["GET /competitions/iris/files"] = [[offered("b")]]
    iris.download_data(folder, phase=2)
    assert (folder / "public_data" / "training.csv").read_text() == "b"
    assert sorted(path.name for path in folder.iterdir()) == [".public_data.sha256", "public_data"]
    with pytest.raises(NotFound, match="nothing to download in First"):
        iris.download_data(folder, phase=1)
    (tmp_path / "mine" / "public_data").mkdir(parents=True)
    with pytest.raises(Conflict, match="not from here"):
        iris.download_data(tmp_path / "mine")
    gateway.answers["GET /competitions/iris/files"] = [[offered("c", kind="../../etc")]]
    iris.download_data(folder)
    assert (folder / "etc" / "training.csv").read_text() == "c"


def test_who_and_where_come_from_the_environment_or_the_saved_login(no_settings: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(PodiumError, match="No gateway is known"):
        connecting.connected()
    monkeypatch.setenv("PODIUM_URL", "podium.example.org")
    monkeypatch.setenv("PODIUM_TOKEN", "t")
    client = connecting.connected()
    assert client.gateway == "https://podium.example.org"
    assert connecting.connected() is client
    monkeypatch.delenv("PODIUM_TOKEN")
    no_settings.write_text(json.dumps({"gateway": "https://other.example.org", "tokens": {}}))
    no_settings.chmod(0o644)
    with pytest.warns(UserWarning, match="Others on this machine can read your tokens"):
        connecting.connected()
    no_settings.chmod(0o600)
    monkeypatch.delenv("PODIUM_URL")
    assert connecting.connected().gateway == "https://other.example.org"


def test_a_notebook_shows_errors_without_a_traceback(monkeypatch: pytest.MonkeyPatch):
    error = InvalidInput("It is wrong.", remedy="Mend it.")
    assert error._render_traceback_() == ["InvalidInput: It is wrong. Mend it."]
    monkeypatch.setenv("PODIUM_DEBUG", "1")
    with pytest.raises(NotImplementedError):
        error._render_traceback_()
