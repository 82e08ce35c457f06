"""People, competitions, submissions, a gateway and an agent, made and driven the way that Podium does it."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import yaml
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.bundles.reader import read_bundle
from podium.platform.competitions import find_competition
from podium.platform.database import Database
from podium.platform.gateway.app import create_app
from podium.platform.gateway.services import Services
from podium.platform.gateway.serving import GatewayServer
from podium.platform.identity import Caller, add_person, authenticate, find_person, issue_token
from podium.platform.jobs import OutputKind, ScoringJob
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import Bundle, Pool, Submission, now
from podium.platform.participants import join_competition
from podium.platform.settings import ServerSettings
from podium.platform.storage import FileStorage
from podium.platform.submissions.claiming import claim_submission
from podium.platform.submissions.creation import complete_submission, create_submission, upload_key
from podium.platform.submissions.results import store_result
from podium.platform.submissions.windows import choose_phase
from podium.platform.transitions import move_bundle
from podium.tasks.competitions import store_files, write_competition

# It drops a connection before the server does, which would otherwise end some just as they are used again.
HTTP = httpx.Client(timeout=30, verify=False, limits=httpx.Limits(keepalive_expiry=2))
"""For requests that need no token. It makes no secure connections, and so loads no certificates."""
PAST = "2020-01-01 00:00:00+00:00"
FUTURE = "2100-01-01 00:00:00+00:00"


def zip_of(files: Mapping[str, str]) -> bytes:
    """A zip archive, in memory."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            # Without the time: tests are named by such archives, and must have one name in every process.
            archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


PREDICTIONS = zip_of({"predictions.csv": "1,2,3"})


def sha256_of(data: bytes) -> str:
    """The SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def eventually(check: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """What an answer says is wrong; it must say so in the one form that errors have."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "remedy", "problems"}
    assert problem["status"] == answer.status_code
    return problem


@dataclass(frozen=True)
class Known:
    """A person with a token."""

    username: str
    id: UUID
    token: str


class World:
    """Makes what tests need, through Podium's own code."""

    def __init__(self, settings: ServerSettings, database: Database, storage: FileStorage, folder: Path) -> None:
        self.settings = settings
        self.database = database
        self.storage = storage
        self.folder = folder

    def session(self) -> AbstractContextManager[Session]:
        """One transaction."""
        return self.database.session()

    def person(self, username: str, *, organizer: bool = False, administrator: bool = False) -> Known:
        """Register a person and issue a token."""
        with self.session() as session:
            person = add_person(
                session,
                username=username,
                email=f"{username}@example.org",
                may_organize=organizer,
                is_administrator=administrator,
            )
            secret, _ = issue_token(session, person, name="tests")
        return Known(username, person.id, secret)

    def agent_token(self, pool: str = "docker") -> str:
        """A token of a pool, which is made if there is none of that name."""
        with self.session() as session:
            found = session.scalar(select(Pool).where(Pool.name == pool))
            if found is None:
                found = Pool(name=pool)
                session.add(found)
                session.flush()
            return issue_token(session, found, name="tests")[0]

    def caller(self, known: Known) -> Caller:
        """The person as a caller of the gateway."""
        with self.session() as session:
            return authenticate(session, known.token)

    def bundle_folder(
        self,
        *,
        title: str = "Iris",
        tasks: int | list[dict[str, Any]] = 1,
        **fields: Any,  # noqa: ANN401  # YAML
    ) -> Path:
        """A small valid bundle, as a folder; `fields` replace those of its competition.yaml."""
        if isinstance(tasks, int):
            programs = {"scoring_program": "scoring_program", "reference_data": "reference_data"}
            tasks = [{"index": index, "name": f"Task {index}", **programs} for index in range(tasks)]
        folder = self.folder / f"bundle-{uuid4()}"
        content = {
            "version": 2,
            "title": title,
            "image": "logo.png",
            "terms": "terms.md",
            "registration_auto_approve": True,
            "pages": [{"title": "Overview", "file": "overview.md"}],
            "tasks": tasks,
            "phases": [phase(tasks=[task["index"] for task in tasks])],
            "leaderboards": [board()],
            **fields,
        }
        for name, text in {
            "competition.yaml": yaml.safe_dump(content),
            "logo.png": "GIF89a: a picture",
            "terms.md": "Be fair.",
            "overview.md": "# Iris",
            "scoring_program/metadata.yaml": "command: python3 $program/score.py",
            "scoring_program/score.py": "print('scored')",
            "reference_data/truth.csv": "1,2,3",
        }.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    def bundle_row(self, owner: Known, **values: Any) -> UUID:  # noqa: ANN401  # columns of the table
        """A bundle that is being read."""
        with self.session() as session:
            bundle = Bundle(owner_id=owner.id, filename="bundle.zip", size=1, sha256="0" * 64, **values)
            session.add(bundle)
            session.flush()
            for status in (BundleStatus.QUEUED, BundleStatus.READING):
                move_bundle(session, bundle, status, actor="tests")
            return bundle.id

    def competition(
        self,
        owner: Known,
        *,
        slug: str | None = None,
        draft: bool = False,
        **fields: Any,  # noqa: ANN401  # of the bundle
    ) -> str:
        """Make a competition of a bundle, and return its slug."""
        bundle_id = self.bundle_row(owner, slug=slug, draft=draft)
        with read_bundle(self.bundle_folder(**fields)) as reading:
            content = reading.accepted()
            assert reading.files is not None
            stored = store_files.fn(self.database, self.storage, reading.files, content)
            return write_competition.fn(
                self.database,
                bundle_id,
                content,
                stored,
                reading.problems,
                now(),
                self.settings.limit_maxima,
                self.settings.storage_quota_bytes,
            )

    def join(self, person: Known, slug: str) -> None:
        """Take part, accepting the present terms."""
        with self.session() as session:
            competition = find_competition(session, slug, None)
            join_competition(
                session,
                competition,
                find_person(session, person.username),
                terms_sha256=competition.terms_sha256,
                address=None,
                user_agent="tests",
            )

    def announce(
        self,
        person: Known,
        slug: str,
        *,
        data: bytes = PREDICTIONS,
        phase: str | None = None,
        fact_sheet: Mapping[str, str] | None = None,
        filename: str = "predictions.zip",
    ) -> UUID:
        """Reserve a submission; its file is not uploaded yet."""
        with self.session() as session:
            competition = find_competition(session, slug, self.caller(person))
            return create_submission(
                session,
                competition,
                choose_phase(competition, phase, now()),
                person.id,
                filename=filename,
                size=len(data),
                sha256=sha256_of(data),
                message="",
                fact_sheet=fact_sheet or {},
                max_bytes=self.settings.submission_bytes,
                quota_bytes=self.settings.storage_quota_bytes,
                actor=f"person:{person.username}",
            ).id

    def upload(self, submission_id: UUID, data: bytes = PREDICTIONS) -> None:
        """Put a submission's file where its signed request would."""
        with self.session() as session:
            path = self.storage.path_of(upload_key(session.get_one(Submission, submission_id)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def complete(self, submission_id: UUID) -> None:
        """Queue a submission whose file is there."""
        with self.session() as session:
            submission = session.get_one(Submission, submission_id)
            complete_submission(session, submission, self.storage, actor="tests")

    def submit(self, person: Known, slug: str, **options: Any) -> UUID:  # noqa: ANN401  # those of `announce`
        """A queued submission."""
        submission_id = self.announce(person, slug, **options)
        self.upload(submission_id, options.get("data", PREDICTIONS))
        self.complete(submission_id)
        return submission_id

    def claim(self, submission_id: UUID, *, pool: str = "docker", patient: bool = True) -> ScoringJob:
        """Begin an attempt; a `patient` one as if the wait before a retry were over."""
        with self.session() as session:
            if patient:
                session.execute(update(Submission).where(Submission.id == submission_id).values(not_before=None))
            return claim_submission(
                session,
                submission_id,
                flow_run_id=uuid4(),
                agent=None,
                pool=session.scalars(select(Pool).where(Pool.name == pool)).one(),
                storage=self.storage,
                settings=self.settings,
            )

    def finish(self, job: ScoringJob, *scores: Mapping[str, float]) -> None:
        """End an attempt with scores, one mapping for each of its evaluations."""
        with self.session() as session:
            store_result(session, success(job, *scores), self.storage)

    def score(self, person: Known, slug: str, *scores: Mapping[str, float], **options: Any) -> UUID:  # noqa: ANN401
        """A finished submission."""
        submission_id = self.submit(person, slug, **options)
        self.finish(self.claim(submission_id), *scores)
        return submission_id

    def submission(self, submission_id: UUID) -> Submission:
        """The row, as it is now."""
        with self.session() as session:
            return session.get_one(Submission, submission_id)


def phase(**fields: Any) -> dict[str, Any]:  # noqa: ANN401  # YAML
    """A phase of a bundle that is open now."""
    return {
        "name": "First",
        "start": PAST,
        "end": FUTURE,
        "tasks": [0],
        "max_submissions_per_day": 100,
        "max_submissions": 1000,
        **fields,
    }


def board(*columns: Mapping[str, Any], **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # YAML
    """A leaderboard of a bundle; without columns it has one, `accuracy`."""
    chosen = columns or ({"key": "accuracy", "title": "Accuracy"},)
    return {
        "title": "Results",
        "key": "main",
        "submission_rule": "Force_Last",
        "columns": [{"index": index, "title": column["key"], **column} for index, column in enumerate(chosen)],
        **fields,
    }


def hours(number: float) -> str:
    """That many hours from now, as a bundle writes it."""
    return (datetime.now(UTC) + timedelta(hours=number)).isoformat()


def evaluation_results(job: ScoringJob, scores: Sequence[Mapping[str, float]]) -> list[dict[str, Any]]:
    """Results of a job whose evaluations all succeeded, as an agent writes them."""
    return [
        {"evaluation_id": str(evaluation.evaluation_id), "outcome": "succeeded", "scores": dict(found)}
        for evaluation, found in zip(job.evaluations, scores, strict=True)
    ]


def success(job: ScoringJob, *scores: Mapping[str, float]) -> Any:  # noqa: ANN401  # a ScoringResult
    """The result of an attempt that went well."""
    return result_of(job, evaluation_results(job, scores))


def result_of(job: ScoringJob, evaluations: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401  # a ScoringResult
    """A result as it reads after its way over the wire."""
    from podium.platform.jobs import ScoringResult  # noqa: PLC0415

    return ScoringResult.model_validate({"attempt_id": job.attempt_id, "evaluations": list(evaluations)})


class RunningGateway:
    """A real gateway, served by uvicorn in a thread."""

    def __init__(self, settings: ServerSettings) -> None:
        self.address = settings.public_url
        app = create_app(settings)
        self.services: Services = app.state.services
        self._server = GatewayServer(app, log_level="critical", timeout_graceful_shutdown=1)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = urlsplit(self.address).port
        assert port is not None
        self._socket.bind(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._http = httpx.Client(base_url=f"{self.address}/api/v1", timeout=30, verify=False)

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.stop()
        self._socket.close()

    def stop(self) -> None:
        """Stop serving, as the operator does."""
        self._server.should_exit = True
        self._thread.join(10)

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:  # noqa: ANN401
        """One plain request; `options` are httpx's own."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._http.request(method, path, headers={**headers, **options.pop("headers", {})}, **options)

    def send(self, request: Mapping[str, Any], **options: Any) -> httpx.Response:  # noqa: ANN401
        """Make a signed request, as it says."""
        return HTTP.request(request["method"], request["url"], headers=request["headers"], **options)

    def claim(self, agent: str, submission_id: UUID) -> Agency:
        """Claim a submission as an agent, as if the wait before a retry were over."""
        with self.services.database.session() as session:
            session.execute(update(Submission).where(Submission.id == submission_id).values(not_before=None))
        claim = {"submission_id": str(submission_id), "flow_run_id": str(uuid4())}
        answer = self.call("POST", "/agent/claims", agent, json=claim)
        assert answer.status_code == 201, answer.text
        return Agency(self, ScoringJob.model_validate_json(answer.content))


class Agency:
    """An attempt in the hands of a fake agent, which runs nothing and speaks HTTP."""

    def __init__(self, gateway: RunningGateway, job: ScoringJob) -> None:
        self.gateway = gateway
        self.job = job

    def call(self, what: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        """Say something about the attempt."""
        path = f"/attempts/{self.job.attempt_id}/{what}"
        return self.gateway.call("POST", path, self.job.attempt_token, **options)

    def beat(self, stage: str) -> dict[str, Any]:
        """Send a heartbeat."""
        answer = self.call("heartbeat", json={"stage": stage})
        assert answer.status_code == 200, answer.text
        beat: dict[str, Any] = answer.json()
        return beat

    def log(self, stream: str, offset: int, text: str) -> httpx.Response:
        """Send a piece of a log, of the first evaluation."""
        evaluation_id = str(self.job.evaluations[0].evaluation_id)
        chunk = {"evaluation_id": evaluation_id, "stream": stream, "offset": offset, "text": text}
        return self.call("logs", json={"chunks": [chunk]})

    def put(self, kind: OutputKind, data: bytes, *, evaluation: int = 0) -> dict[str, Any]:
        """Upload an output, and return what the result says of it."""
        request = self.job.evaluations[evaluation].outputs[kind]
        answer = self.gateway.send(request.model_dump(mode="json"), content=data)
        assert answer.status_code == 201, answer.text
        return {"kind": str(kind), "sha256": sha256_of(data), "size": len(data)}

    def result(self, evaluations: Sequence[Mapping[str, Any]]) -> httpx.Response:
        """End the attempt."""
        return self.call("result", json={"attempt_id": str(self.job.attempt_id), "evaluations": list(evaluations)})

    def succeed(self, *scores: Mapping[str, float]) -> httpx.Response:
        """End the attempt with scores."""
        return self.result(evaluation_results(self.job, scores))
