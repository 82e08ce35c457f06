"""A real gateway, database and executor for hostile submissions, and the search for what they leave behind."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shutil
import stat
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import docker
from case import Case
from sqlalchemy import make_url, select, update
from world import RunningGateway, World, eventually, phase

from podium.platform.jobs import Claim, EvaluationResult, ScoringJob
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Evaluation, LogText, Submission
from podium.tasks.attempt import claimed
from podium.tasks.gateway import GatewayClient, Transfers
from podium.tasks.programs import Executor
from podium.tasks.scoring import evaluate, post_result, stage, unusable
from podium.tasks.verdicts import Fault
from podium.tasks.workplace import Workplace

CUT_MARK = 200
"""Characters that the platform itself may add to a log."""


def secret(kind: str) -> str:
    """Something that a submission must never see, and that can be searched for."""
    return f"canary-{kind}-{secrets.token_hex(8)}"


def zip_files(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive that is all right."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Everything in a folder: mode and content by path."""
    found: dict[str, tuple[int, bytes | None]] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        found[str(path.relative_to(folder))] = (
            status.st_mode,
            path.read_bytes() if stat.S_ISREG(status.st_mode) else None,
        )
    return found


def command_lines() -> dict[int, str]:
    """What runs on this host."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
    return found


@dataclass(frozen=True)
class Ended:
    """How a hostile submission ended, as the platform stored it."""

    submission: Submission
    evaluation: Evaluation
    result: EvaluationResult
    job: ScoringJob
    logs: Mapping[str, str]
    outputs: Mapping[str, zipfile.ZipFile]
    seconds: float

    @property
    def log(self) -> str:
        """All streams together."""
        return "\n".join(self.logs.values())


@dataclass
class ProvingGround:
    """An agent's place of work, with a gateway that gives it jobs.

    Attributes:
        marker: Stands in the command line of every hostile program, so that a stray one can be found.
        canaries: A folder of the host that no program may see or change.
        known: The right content of every dataset in the cache, by its files.
    """

    world: World
    gateway: RunningGateway
    executor: Executor
    owner: str
    folder: Path
    image: str
    marker: str = field(default_factory=lambda: secret("marker"))
    known: list[dict[str, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for inner in ("agent", "agent/cache", "agent/attempts"):
            (self.folder / inner).mkdir(mode=0o711, exist_ok=True)
        self.canaries = self.folder / "canaries"
        self.canaries.mkdir()
        self.canaries.chmod(0o777)
        self.host_secret, self.truth = secret("host"), secret("truth")
        (self.canaries / "readable").write_text(self.host_secret)
        (self.canaries / "writable").write_text(self.host_secret)
        (self.canaries / "writable").chmod(0o666)
        self.agent_token = self.world.agent_token()
        (self.folder / "agent" / "token").write_text(self.agent_token)
        self.before = tree(self.canaries)
        self._olga = self.world.person(f"olga-{self.owner}", organizer=True)
        self.mallory = self.world.person(f"mallory-{self.owner}")
        self.transfers = Transfers()
        self.workplace = Workplace(
            agent="proving-ground",
            gateway=GatewayClient(self.gateway.address, self.agent_token),
            transfers=self.transfers,
            executor=self.executor,
            folder=self.folder / "agent",
        )

    def close(self) -> None:
        """Let go of everything; afterwards there is nothing left of the owner."""
        self.executor.close()
        self.transfers.close()
        self.workplace.gateway.close()

    def words(self) -> dict[str, str]:
        """What an attacker could know of this platform."""
        url = self.world.settings.database_url.get_secret_value()
        secrets_ = [self.host_secret, self.truth, self.agent_token, url]
        return {
            "marker": self.marker,
            "agent_pid": str(os.getpid()),
            "folder": str(self.folder),
            "attempts": str(self.workplace.attempts),
            "cache": str(self.workplace.cache),
            "canaries": str(self.canaries),
            "gateway_port": self.gateway.address.rsplit(":", 1)[1],
            "prefect_port": self.world.settings.prefect_api_url.split(":")[2].split("/")[0],
            "database_port": str(make_url(url).port),
            # Turned around, so that who searches for them does not find himself.
            "secrets": json.dumps([one[::-1] for one in secrets_]),
        }

    def filled(self, text: str) -> str:
        """A text of a case with its words put in."""
        for name, value in self.words().items():
            text = text.replace(f"«{name}»", value)
        return text

    def competition(self, case: Case) -> str:
        """A competition of the case's programs; its slug."""
        programs: dict[str, dict[str, bytes]] = {
            "scoring_program": _program("score.py", self.filled(case.scorer)),
            "reference_data": {"truth.txt": self.truth.encode()},
            "input_data": {"given.txt": b"given"},
        }
        if case.ingestion:
            programs["ingestion_program"] = _program("ingest.py", self.filled(case.ingestion))
        self.known += [one for one in programs.values() if one not in self.known]
        task: dict[str, Any] = {"index": 0, "name": "Task", **{name: name for name in programs}}
        if case.during_scoring:
            task["ingestion_only_during_scoring"] = True
        bundle = self.world.bundle_folder(
            title=case.name,
            tasks=[task],
            phases=[phase()],
            docker_image=self.image,
            enable_detailed_results=True,
        )
        shutil.rmtree(bundle / "scoring_program")
        shutil.rmtree(bundle / "reference_data")
        for name, files in programs.items():
            (bundle / name).mkdir()
            for inner, content in files.items():
                (bundle / name / inner).write_bytes(content)
        with patch.object(self.world, "bundle_folder", return_value=bundle):
            slug = self.world.competition(self._olga, slug=f"case-{uuid4().hex[:12]}")
        shutil.rmtree(bundle)
        self.world.join(self.mallory, slug)
        return slug

    def archive(self, case: Case) -> bytes:
        """The submission's zip."""
        if case.archive is not None:
            return case.archive()
        files: dict[str, str | bytes] = {}
        if case.program:
            files["metadata.yaml"] = json.dumps({"command": self.filled(case.command)})
            files["run.py"] = self.filled(case.program)
        for name, content in case.files.items():
            files[name] = self.filled(content) if isinstance(content, str) else content
        return zip_files(files)

    def run(self, case: Case) -> Ended:
        """Submit it, claim it as an agent does, and go through the steps of the flow to the stored result."""
        return self.attempt(self.submit(case), case)

    def stop(self) -> None:
        """Have everything that is under way end at once, as when nobody wants it any more."""
        self.workplace.stop([*self.workplace._stops])

    def submit(self, case: Case) -> UUID:
        """Submit it to a competition of its own."""
        return self.world.submit(self.mallory, self.competition(case), data=self.archive(case))

    def logs_of(self, submission_id: UUID) -> dict[str, str]:
        """What was logged so far, by stream."""
        logs: dict[str, str] = {}
        with self.world.session() as session:
            texts = select(LogText).where(LogText.submission_id == submission_id).order_by(LogText.sequence)
            for text in session.scalars(texts):
                logs[text.stream] = logs.get(text.stream, "") + text.text
        return logs

    def attempt(self, submission_id: UUID, case: Case, **changes: object) -> Ended:
        """One attempt at a queued submission; `changes` are of the job that the gateway hands out."""
        flow_run_id = uuid4()
        with self.world.session() as session:
            # As if the pause after trouble of the platform were over.
            session.execute(update(Submission).where(Submission.id == submission_id).values(not_before=None))
        claim = Claim(submission_id=submission_id, flow_run_id=flow_run_id)
        claimed_job = self.workplace.gateway.claim(claim, agent="proving-ground")
        job = claimed_job.model_copy(update={"limits": case.whole_limits, **changes})
        self.workplace.claims[submission_id] = job
        began = time.monotonic()
        with claimed(self.workplace, submission_id, flow_run_id) as attempt:
            staged = stage.fn(attempt)
            if isinstance(staged, Fault):
                results = unusable(attempt, staged)
            else:
                results = [evaluate.fn(attempt, evaluation, staged) for evaluation in job.evaluations]
            post_result.fn(attempt, results)
        return self._ended(submission_id, job, results[0], time.monotonic() - began)

    def _ended(self, submission_id: UUID, job: ScoringJob, result: EvaluationResult, seconds: float) -> Ended:
        with self.world.session() as session:
            submission = session.get_one(Submission, submission_id)
            evaluation = submission.evaluations[0]
            outputs = {
                str(output.kind): zipfile.ZipFile(self.world.storage.root / output.content)
                for output in evaluation.outputs
                if output.kind != "detailed_results"
            }
            assert evaluation.scores is not None
        return Ended(submission, evaluation, result, job, self.logs_of(submission_id), outputs, seconds)

    def traces(self, ended: Ended) -> list[str]:
        """All that is left of an attempt that should be gone, and all that has changed that should not."""
        found = [f"folder {path}" for path in self.workplace.attempts.iterdir()]
        if tree(self.canaries) != self.before:
            found.append("a file of the host was changed")
        found += [f"cache {path.name}" for path in self.workplace.cache.iterdir() if not self._is_pristine(path)]
        eventually(lambda: not self._living(ended), seconds=30)
        for name, output in ended.outputs.items():
            found += [f"{name} has {info.filename!r}" for info in output.infolist() if not _is_plain(info)]
        for stream, text in ended.logs.items():
            if len(text) > ended.job.limits.log_bytes + CUT_MARK:
                found.append(f"{stream} has {len(text)} characters")
        spoken = ended.log + ended.evaluation.message
        tokens = (ended.job.attempt_token, self.agent_token, self.host_secret, self.gateway.address, str(self.folder))
        found += [f"the log tells {token}" for token in tokens if token in spoken]
        return found

    def _living(self, ended: Ended) -> list[str]:
        """Containers, processes and control groups of the attempt, which end a moment after it."""
        attempt = str(ended.job.attempt_id)
        return [
            *containers_with(f"podium.attempt={attempt}"),
            # Those that were made ahead wait for another attempt.
            *[line for line in command_lines().values() if self.marker in line and "read -r _" not in line],
            *groups_of(f"{self.owner}/podium-{str(ended.job.evaluations[0].evaluation_id)[-12:]}"),
        ]

    def _is_pristine(self, folder: Path) -> bool:
        found = tree(folder)
        content = {path: data for path, (_, data) in found.items()}
        modes = {stat.S_IMODE(mode) for mode, _ in found.values()}
        return content in self.known and modes <= {0o644, 0o755}


def _program(name: str, text: str) -> dict[str, bytes]:
    return {"metadata.yaml": f"command: python3 $program/{name}".encode(), name: text.encode()}


def _is_plain(info: zipfile.ZipInfo) -> bool:
    mode = info.external_attr >> 16
    name = info.filename
    is_file = name.endswith("/") or (stat.S_ISREG(mode) and stat.S_IMODE(mode) == 0o644)
    return is_file and not name.startswith("/") and ".." not in name.split("/") and name.isprintable()


def containers_with(label: str) -> list[str]:
    """Containers of the engine, running or not, by a label."""
    client = docker.APIClient()
    try:
        return [one["Names"][0] for one in client.containers(all=True, filters={"label": label})]
    finally:
        client.close()


def groups_of(name: str) -> list[str]:
    """Control groups of programs, by the beginning of their name below `podium/`."""
    return [str(path) for pattern in ("", "*/") for path in Path("/sys/fs/cgroup").glob(f"{pattern}podium/{name}*")]


def is_over(ended: Ended) -> bool:
    """Whether the submission has come to its end."""
    return ended.submission.status in {SubmissionStatus.FINISHED, SubmissionStatus.FAILED}
