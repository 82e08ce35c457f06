"""A gateway that plays its part over real HTTP, and the command line pointed at it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from podium.platform.cli.app import run

ID = "00000000-0000-0000-0000-000000000007"
OTHER_ID = "00000000-0000-0000-0000-000000000008"
NOW = "2026-01-02T03:04:05+00:00"


@dataclass(frozen=True)
class Call:
    """A request that arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    token: str

    @property
    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Gateway:
    """Answers each call with one value after the other, the last one for ever.

    A value is JSON, text, bytes, or a status with a problem's type.
    """

    answers: dict[str, list[object]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    def on(self, call: str, *values: object) -> None:
        self.answers[call] = list(values)

    def answer(self, call: Call) -> tuple[int, str, bytes]:
        self.calls.append(call)
        values = self.answers.get(f"{call.method} {call.path}")
        if values is None:
            return _problem(404, "not-found", f"Nobody said what {call.method} {call.path} answers.")
        value = values.pop(0) if len(values) > 1 else values[0]
        if isinstance(value, bytes):
            return 200, "application/octet-stream", value
        if isinstance(value, str):
            return 200, "text/csv", value.encode()
        if isinstance(value, tuple):
            return _problem(*value)
        return 200, "application/json", json.dumps(value).encode()

    def called(self, call: str) -> list[Call]:
        return [one for one in self.calls if f"{one.method} {one.path}" == call]


def _problem(status: int, type_: str, detail: str, **more: object) -> tuple[int, str, bytes]:
    body = {"type": type_, "title": "It is so", "status": status, "detail": detail, "remedy": "Do this."} | more
    return status, "application/problem+json", json.dumps(body).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        pass

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        call = Call(
            self.command,
            parts.path.removeprefix("/api/v1"),
            {key: values[0] for key, values in parse_qs(parts.query).items()},
            self.rfile.read(int(self.headers.get("Content-Length", 0))),
            self.headers.get("Authorization", "").removeprefix("Bearer "),
        )
        status, kind, content = self.gateway.answer(call)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  # the names are the base class's


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    it = Gateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"gateway": it}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    it.url = f"http://127.0.0.1:{server.server_port}"
    yield it
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings are kept; the environment says nothing else."""
    for name in ("PODIUM_GATEWAY", "PODIUM_TOKEN", "PODIUM_COMPETITION", "PODIUM_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config" / "podium.json"
    monkeypatch.setenv("PODIUM_CONFIG", str(path))
    # Wide enough that help texts and messages do not wrap.
    monkeypatch.setenv("COLUMNS", "200")
    return path


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Podium = Callable[..., Ran]


@pytest.fixture
def podium(
    gateway: Gateway, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Podium:
    """Runs a command against the gateway, signed in."""
    monkeypatch.setenv("PODIUM_GATEWAY", gateway.url)
    monkeypatch.setenv("PODIUM_TOKEN", "secret-token")

    def call(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return call


class Samples:
    """Answers of the gateway, to be changed where a test cares."""

    ID = ID
    OTHER_ID = OTHER_ID

    @staticmethod
    def person(**changes: object) -> dict[str, object]:
        return {
            "username": "ada",
            "name": "Ada L",
            "email": "ada@example.org",
            "is_administrator": False,
            "may_organize": True,
            "created": NOW,
        } | changes

    @staticmethod
    def submission(status: str = "queued", version: int = 1, **changes: object) -> dict[str, object]:
        return {
            "id": ID,
            "number": 3,
            "competition": "iris",
            "phase": "Final",
            "participant": "ada",
            "filename": "predictions.zip",
            "size": 1234,
            "message": "more trees",
            "status": status,
            "status_message": "",
            "ahead": None,
            "version": version,
            "created": NOW,
            "queued": NOW,
            "started": None,
            "ended": None,
            "on_leaderboard": status == "finished",
            "scores": [{"key": "accuracy", "value": 0.93}] if status == "finished" else [],
        } | changes

    @staticmethod
    def evaluation(**changes: object) -> dict[str, object]:
        return {
            "id": OTHER_ID,
            "task": "Main task",
            "status": "succeeded",
            "verdict": None,
            "message": "",
            "scores": [{"key": "accuracy", "value": 0.93}],
            "outputs": [],
            "programs": [],
            "timings": {},
        } | changes

    @staticmethod
    def signed(url: str, method: str = "GET") -> dict[str, object]:
        return {"method": method, "url": url, "headers": {}, "expires": NOW}

    @staticmethod
    def column(**changes: object) -> dict[str, object]:
        return {
            "key": "accuracy",
            "title": "Accuracy",
            "sorting": "desc",
            "precision": 3,
            "is_primary": True,
            "computation": None,
        } | changes

    @staticmethod
    def row(rank: int | None, participant: str, *scores: float | None, **changes: object) -> dict[str, object]:
        return {
            "rank": rank,
            "participant": participant,
            "submission_id": ID,
            "submission_number": 3,
            "submitted": NOW,
            "scores": list(scores),
            "fact_sheet": {},
            "entries": 2,
        } | changes

    @classmethod
    def board(cls, *rows: dict[str, object], **changes: object) -> dict[str, object]:
        return {
            "competition": "iris",
            "competition_title": "Iris",
            "title": "Results",
            "phase": "Final",
            "columns": [cls.column()],
            "questions": [],
            "rows": list(rows),
            "total": len(rows),
            "updated": NOW,
        } | changes

    @staticmethod
    def summary(**changes: object) -> dict[str, object]:
        return {
            "slug": "iris",
            "title": "Iris [bold]flowers[/bold]",
            "description": "Tell them apart.",
            "organizer": "grace",
            "published": True,
            "phase": "Final",
            "deadline": NOW,
            "participants": 12,
            "submissions": 345,
            "reward": None,
            "created": NOW,
        } | changes

    @staticmethod
    def phase(number: int = 1, name: str = "Final", **changes: object) -> dict[str, object]:
        return {
            "number": number,
            "name": name,
            "description": "",
            "start": NOW,
            "end": None,
            "status": "open",
            "max_submissions_per_day": 5,
            "max_submissions": None,
            "execution_time_limit": 600,
            "only_result_submissions": True,
            "tasks": [],
        } | changes

    @classmethod
    def competition(cls, **changes: object) -> dict[str, object]:
        question = {
            "key": "model",
            "type": "select",
            "title": "Which model?",
            "selection": ["forest", "net"],
            "is_required": True,
            "is_on_leaderboard": True,
        }
        return {
            "summary": cls.summary(),
            "terms": "Be fair.",
            "terms_is_html": False,
            "terms_sha256": "ab" * 32,
            "registration_auto_approve": True,
            "docker_image": "x",
            "contact_email": None,
            "phases": [cls.phase()],
            "pages": [],
            "fact_sheet": [question],
            "columns": [cls.column()],
            "leaderboard_title": "Results",
            "leaderboard_hidden": False,
            "submission_rule": "Force_Best",
            "participation": None,
            "may_organize": False,
        } | changes

    @staticmethod
    def bundle(status: str, **changes: object) -> dict[str, object]:
        return {
            "id": ID,
            "filename": "iris.zip",
            "size": 99,
            "status": status,
            "message": "",
            "problems": [],
            "competition": None,
            "created": NOW,
        } | changes


@pytest.fixture
def samples() -> type[Samples]:
    return Samples
