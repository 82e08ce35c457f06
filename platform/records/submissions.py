"""What the API answers of submissions: their evaluations, attempts, logs, outputs and queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from podium.platform.lifecycle import AttemptStatus, EvaluationStatus, SubmissionStatus, Verdict
from podium.platform.records.storage import PartsRecord, SignedRequestRecord


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """How a competition's submissions stand in the queue of its pool, for its organizers.

    Attributes:
        pool: The pool's name.
        agents: Agents of it that live and are well.
        slots: Submissions that they score at the same time.
        queued: Of this competition, without reruns.
        queued_reruns: Of this competition, reruns and migrated ones, which wait behind all others.
        under_way: Of this competition, held by agents now.
        queued_in_pool: Of all competitions of the pool.
        oldest_seconds: How long the first of this competition's queued submissions has waited; `None` without any.
        typical_seconds: How long an attempt takes, by phase, from what was scored lately.
        reason: Why nothing can be taken at the moment; empty when agents take what is queued.
    """

    pool: str
    agents: int
    slots: int
    queued: int
    queued_reruns: int
    under_way: int
    queued_in_pool: int
    oldest_seconds: float | None
    typical_seconds: dict[str, float]
    reason: str


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A score of one evaluation, under the key that the scoring program gave it."""

    key: str
    value: float

    def __str__(self) -> str:
        return f"{self.key}={self.value:g}"


@dataclass(frozen=True, slots=True)
class OutputFileRecord:
    """An output that can be downloaded."""

    kind: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ProgramRecord:
    """What was measured of a program. `None` where the host can't measure it.

    Attributes:
        limit: The limit that it exceeded, by its name in `podium.platform.limits`; `None` for none.
        note: What else there is to know, such as that a process of it was killed though it ended well.
    """

    program: str
    step: str
    image: str
    image_digest: str
    exit_status: int | None
    limit: str | None
    wall_seconds: float
    cpu_seconds: float | None
    peak_memory_bytes: int | None
    peak_processes: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """A submission by one task.

    Attributes:
        task_version: The version of the task that it was, or will be, scored by.
        attempt: The number of the attempt that settled it; `None` before.
    """

    id: UUID
    task: str
    status: EvaluationStatus
    verdict: Verdict | None
    message: str
    scores: tuple[ScoreRecord, ...]
    outputs: tuple[OutputFileRecord, ...]
    programs: tuple[ProgramRecord, ...]
    timings: dict[str, float]
    task_version: int = 1
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try at a submission."""

    number: int
    status: AttemptStatus
    agent: str
    message: str
    started: datetime
    ended: datetime | None
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class SubmissionRecord:
    """A submission.

    Attributes:
        number: From 1 in its competition.
        status_message: Why it is where it is: the verdict, or what it waits for.
        ahead: Submissions before it in its queue; `None` unless it is queued.
        version: Grows with every change; ask with `seen=version` to wait for the next.
        scores: Of the leaderboard's visible columns, computed ones too.
        expected: When it will be scored, by history; `None` where nothing can be said.
        rescored: The rerun whose results count now, in words; empty where the first ones do.
        migrated_from: The number of the submission of the phase before that this one was made from.
        shared: Its participant lets everybody have its file.
        team: The team that it was made for, or that its participant has joined since; empty where there is none.
        excluded: An organizer keeps it off the leaderboard; see `excluded_words`.
    """

    id: UUID
    number: int
    competition: str
    phase: str
    participant: str
    filename: str
    size: int
    message: str
    status: SubmissionStatus
    status_message: str
    ahead: int | None
    version: int
    created: datetime
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    on_leaderboard: bool
    scores: tuple[ScoreRecord, ...] = ()
    fact_sheet: dict[str, str] = field(default_factory=dict)
    evaluations: tuple[EvaluationRecord, ...] = ()
    attempts: tuple[AttemptRecord, ...] = ()
    expected: datetime | None = None
    rescored: str = ""
    migrated_from: int | None = None
    shared: bool = False
    team: str = ""
    excluded: bool = False

    def __str__(self) -> str:
        parts = [f"Submission {self.number} of {self.competition}: {self.status.value}"]
        parts += [self.status_message] if self.status_message else []
        return " - ".join([*parts, *map(str, self.scores)])


def excluded_words(contact: str | None = None) -> str:
    """What it means that an organizer keeps a submission off the leaderboard, and whom to ask."""
    return (
        "An organizer keeps this submission off the leaderboard. Its scores stay as they are, but it takes no rank "
        f"until an organizer puts it there again. Ask the organizers why{f': {contact}' if contact else ''}."
    )


@dataclass(frozen=True, slots=True)
class SubmissionUpload:
    """A submission whose file may be uploaded now.

    Attributes:
        repeats: The number of the latest submission of the same participant to the same phase that had the same
            content; `None` where there is none.
    """

    submission: SubmissionRecord
    upload: SignedRequestRecord
    parts: PartsRecord | None = None
    repeats: int | None = None


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Text of one stream of a submission's logs. `sequence` orders the pieces of a submission."""

    sequence: int
    attempt: int
    task: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class LogPage:
    """Pieces after a cursor.

    Attributes:
        cursor: Ask with `after=cursor` for what follows.
        ended: The submission has ended and no more will come.
    """

    pieces: tuple[LogPiece, ...]
    cursor: int
    ended: bool


@dataclass(frozen=True, slots=True)
class DetailedResult:
    """A page that a scoring program wrote about a submission: HTML of an organizer's program, not to be trusted.

    Attributes:
        version: Another one whenever the page has changed.
        is_live: The program is still writing it.
    """

    evaluation_id: UUID
    task: str
    size: int
    version: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class DetailedResults:
    """The detailed results of a submission that there are now, in the order of its tasks."""

    submission_id: UUID
    competition: str
    phase: str
    number: int
    participant: str
    pages: tuple[DetailedResult, ...]
