"""What the gateway's API answers, as plain dataclasses that gateway and client share.

The gateway declares them as its response models, so that the published OpenAPI document says the same; the client
builds them from JSON. The standard library alone: a participant's install has no pydantic. Times are aware UTC,
sizes bytes, durations seconds, ids UUIDs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from podium.platform.bundles.content import (
    Computation,
    FactSheetQuestion,
    Relaxations,
    Sorting,
    SubmissionRule,
    SubmissionWindow,
)
from podium.platform.bundles.problems import Problem
from podium.platform.lifecycle import (
    AttemptStatus,
    BundleStatus,
    EvaluationStatus,
    MigrationStatus,
    ParticipantStatus,
    SubmissionStatus,
    Verdict,
)
from podium.platform.limits import in_words


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """Whether the gateway and what it stands on answer. `parts` maps a part to `ok` or what is wrong."""

    status: str
    version: str
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class SignedRequestRecord:
    """A request that may be made until it expires, without a token. `max_bytes` bounds the body of a PUT."""

    method: str
    url: str
    headers: dict[str, str]
    expires: datetime
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PartsRecord:
    """A large file's parts, which may be sent one by one and at the same time.

    Attributes:
        part_bytes: The size of each but the last.
        count: How many there are; the first is number 1.
        there: Those that have arrived.
        checksum: By what the store checks a part on its arrival: `md5` in a header `Content-MD5`, or `sha-256` in
            `Content-Digest`.
    """

    part_bytes: int
    count: int
    there: tuple[int, ...] = ()
    checksum: str = "md5"


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file that was announced, and how to send it: whole, or where there are `parts`, part by part."""

    id: UUID
    filename: str
    size: int
    sha256: str
    upload: SignedRequestRecord
    parts: PartsRecord | None = None


@dataclass(frozen=True, slots=True)
class StorageRecord:
    """How much room a person's files take, in bytes.

    Attributes:
        own_quota: What was set for this person; `None` where everybody's quota holds.
        by_kind: What takes it: `submissions`, `bundles`, `datasets`, `outputs` of one's competitions, `competitions`
            for their logos.
    """

    username: str
    quota: int
    used: int
    own_quota: int | None = None
    by_kind: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredFileRecord:
    """A file that takes room of a person's.

    Attributes:
        kind: `submission`, `bundle` or `dataset`.
        name: What it is called, for people.
        in_use: Why it can't be removed; empty if it can.
    """

    kind: str
    id: UUID
    name: str
    size: int
    created: datetime
    in_use: str = ""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person who has an account.

    Attributes:
        may_organize: Whether they may make competitions.
        organizes: Whether they own a competition or collaborate in one; told of oneself alone.
    """

    username: str
    name: str
    email: str
    is_administrator: bool
    may_organize: bool
    created: datetime
    organizes: bool = False


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token, without its secret. `hint` is its beginning, to tell it from others."""

    id: UUID
    name: str
    hint: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. `secret` is shown this once and stored nowhere."""

    secret: str
    token: TokenRecord


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task of a phase, as people may see it."""

    index: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class MigrationRecord:
    """The auto-migration into a phase.

    Attributes:
        status: `running` or `finished`.
        message: What it waits for, or what came of it.
        copied: Submissions that were taken over so far.
    """

    status: MigrationStatus
    message: str
    copied: int
    started: datetime
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """A phase of a competition.

    Attributes:
        number: From 1, in the order of time.
        status: `upcoming`, `open` or `over`, at the moment of the answer.
        max_submissions_per_day: Per participant and `submission_window`; `None` for no limit.
        max_concurrent_submissions: Per participant, under way at the same time; `None` for no limit.
        time_zone: Whose calendar days are meant, by its IANA name.
        submission_window: `day` for calendar days, `sliding_day` for 24 hours, `sliding_week` for 7 days.
        failed_submissions_given_back: So many that failed by their own fault don't count.
        paused: Nothing is taken at the moment, for the reason in `pause_message`.
        auto_migrate: What stands on the leaderboard of the phase before is scored in this one when it begins.
        migration: How far that is; `None` before it begins.
        container_submissions: What is submitted is the image of a container, as `docker save` writes it.
        execution_time_limit: The same as the limit `wall_seconds`.
        limits: What programs may use, by the names in `podium.platform.limits`; what is not limited is left out.
    """

    number: int
    name: str
    description: str
    start: datetime
    end: datetime | None
    status: str
    max_submissions_per_day: int | None
    max_submissions: int | None
    execution_time_limit: int
    only_result_submissions: bool
    tasks: tuple[TaskRecord, ...]
    limits: dict[str, float] = field(default_factory=dict)
    container_submissions: bool = False
    max_concurrent_submissions: int | None = None
    time_zone: str = "UTC"
    submission_window: str = "day"
    failed_submissions_given_back: int = 0
    paused: bool = False
    pause_message: str = ""
    auto_migrate: bool = False
    migration: MigrationRecord | None = None

    def quota_in_words(self) -> str:
        """What each participant may submit, in a few words; empty where nothing limits it."""
        counts = (
            (self.max_submissions_per_day, SubmissionWindow(self.submission_window).in_words(self.time_zone)),
            (self.max_submissions, "in all"),
            (self.max_concurrent_submissions, "at a time"),
        )
        return ", ".join(f"{count} {span}" for count, span in counts if count is not None)


@dataclass(frozen=True, slots=True)
class PageRecord:
    """A page of a competition: Markdown, or HTML where `is_html`."""

    title: str
    text: str
    is_html: bool


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """A column of a leaderboard."""

    key: str
    title: str
    sorting: Sorting
    precision: int
    is_primary: bool
    computation: Computation | None


@dataclass(frozen=True, slots=True)
class CompetitionSummary:
    """A competition in a list.

    Attributes:
        phase: Name of the phase that is open, `None` between phases, before and after.
        deadline: End of that phase.
        may_organize: Whether the person who asks organizes it.
        collaborators: Who organizes it with its owner, `organizer`.
    """

    slug: str
    title: str
    description: str
    organizer: str
    published: bool
    phase: str | None
    deadline: datetime | None
    participants: int
    submissions: int
    reward: str | None
    created: datetime
    may_organize: bool = False
    collaborators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompetitionRecord:
    """A competition, whole.

    Attributes:
        terms_sha256: What a participant accepts; it changes when the terms do.
        participation: Of the person who asks: `pending`, `approved`, `denied`, or `None` for nobody's.
        may_organize: Whether the person who asks organizes this competition.
        relaxations: Rules of the sandbox that its programs do without.
        start: Before it nothing may be submitted in any phase; `None` for no bound, as with the others.
        registration_end: From then on nobody may join.
    """

    summary: CompetitionSummary
    terms: str
    terms_is_html: bool
    terms_sha256: str
    registration_auto_approve: bool
    docker_image: str
    contact_email: str | None
    phases: tuple[PhaseRecord, ...]
    pages: tuple[PageRecord, ...]
    fact_sheet: tuple[FactSheetQuestion, ...]
    columns: tuple[ColumnRecord, ...]
    leaderboard_title: str
    leaderboard_hidden: bool
    submission_rule: SubmissionRule
    participation: ParticipantStatus | None
    may_organize: bool
    relaxations: Relaxations = field(default_factory=Relaxations)
    start: datetime | None = None
    end: datetime | None = None
    registration_start: datetime | None = None
    registration_end: datetime | None = None

    def limits_in_words(self) -> list[str]:
        """What programs may use, in a sentence for all phases in which it is the same."""
        phases: dict[str, list[str]] = {}
        for phase in self.phases:
            phases.setdefault(in_words(phase.limits), []).append(phase.name)
        phases.pop("", None)  # the gateway does not say
        if len(phases) == 1:
            return [f"Programs may use: {words}." for words in phases]
        return [f"Programs may use in {' and '.join(names)}: {words}." for words, names in phases.items()]


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """A person's part in a competition."""

    username: str
    name: str
    status: ParticipantStatus
    joined: datetime


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """An uploaded bundle on its way to becoming a competition.

    Attributes:
        problems: What is wrong with it; warnings also where a competition was created.
        message: What happened, where the status alone does not say it.
        competition: Slug of the competition that came of it.
    """

    id: UUID
    filename: str
    size: int
    status: BundleStatus
    message: str
    problems: tuple[Problem, ...]
    competition: str | None
    created: datetime


@dataclass(frozen=True, slots=True)
class BundleUpload:
    """A bundle that may be uploaded now."""

    bundle: BundleRecord
    upload: SignedRequestRecord
    parts: PartsRecord | None = None


@dataclass(frozen=True, slots=True)
class ExtraAllowanceRecord:
    """What an organizer allows one participant of a phase on top of its limits."""

    participant: str
    phase: str
    per_window: int
    total: int
    concurrent: int
    reason: str
    granted_by: str
    created: datetime


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
class Allowance:
    """Whether a person may submit to a phase now, and what is left.

    Attributes:
        reason: Why not, in a sentence; empty when one may.
        phase: The phase that this is about; `None` where none is open.
        left_in_window: Within the phase's `submission_window`; `None` for no limit.
        left_total: In all; `None` for no limit.
        left_at_once: Beside what is under way; `None` for no limit.
        changes: When the answer may become another one, where that is known.
        window: What `left_in_window` counts in, in words: `a day (UTC)`, `within 24 hours`.
        extra: What the organizers have allowed this person on top.
    """

    can: bool
    reason: str
    phase: str | None
    left_in_window: int | None
    left_total: int | None
    changes: datetime | None
    left_at_once: int | None = None
    window: str = "a day (UTC)"
    extra: ExtraAllowanceRecord | None = None


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

    def __str__(self) -> str:
        parts = [f"Submission {self.number} of {self.competition}: {self.status.value}"]
        parts += [self.status_message] if self.status_message else []
        return " - ".join([*parts, *map(str, self.scores)])


@dataclass(frozen=True, slots=True)
class SubmissionUpload:
    """A submission whose file may be uploaded now."""

    submission: SubmissionRecord
    upload: SignedRequestRecord
    parts: PartsRecord | None = None


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


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """A row of a leaderboard.

    Attributes:
        rank: From 1; ties share one and the next is skipped (1, 2, 2, 4). `None` for a row that is not ranked,
            because a score that the ranking needs is missing.
        scores: One per column, in the columns' order; `None` where there is none.
        entries: Submissions of this participant that were scored in this phase.
        has_detailed_results: Whether there are detailed results of it that a reader of the board may see.
    """

    rank: int | None
    participant: str
    submission_id: UUID
    submission_number: int
    submitted: datetime
    scores: tuple[float | None, ...]
    fact_sheet: dict[str, str]
    entries: int
    has_detailed_results: bool = False


@dataclass(frozen=True, slots=True)
class LeaderboardRecord:
    """A leaderboard of a phase. `total` counts all its rows; `updated` is when an entry last changed."""

    competition: str
    competition_title: str
    title: str
    phase: str
    columns: tuple[ColumnRecord, ...]
    questions: tuple[FactSheetQuestion, ...]
    rows: tuple[LeaderboardRow, ...]
    total: int
    updated: datetime | None

    def __str__(self) -> str:
        lines = [f"{self.title}: {self.competition_title}, phase {self.phase}, {len(self.rows)} of {self.total} rows"]
        for row in self.rows:
            scores = (score for score in zip(self.columns, row.scores, strict=True) if score[1] is not None)
            shown = ", ".join(f"{column.key}={score:.{column.precision}f}" for column, score in scores)
            rank = "-" if row.rank is None else f"{row.rank}."
            lines.append(f"{rank} {row.participant}: {shown or 'no scores'}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class AgentRun:
    """A submission that an agent has at the moment."""

    competition: str
    number: int
    submission_id: UUID
    attempt: int
    stage: str
    started: datetime


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent as it last said it was.

    Attributes:
        trouble: Why it takes no work; empty when it takes some.
        alive: Whether it was heard of in the last minute.
        cordoned: Since when it takes nothing new, because somebody said so; also of the whole pool.
        runs: What it has at the moment, the oldest first.
        notice: What its operator should do, such as to upgrade; may be empty.
        token: How the token begins that it last said hello with.
    """

    name: str
    pool: str
    version: str
    slots: int
    executor: str
    labels: dict[str, str]
    trouble: str
    last_seen: datetime
    alive: bool
    cordoned: datetime | None = None
    runs: tuple[AgentRun, ...] = ()
    notice: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A pool of agents.

    Attributes:
        runtime: The engine's runtime that its containers run with; empty for each host's default.
        agents: Those that are alive.
        queued: Submissions that wait in it.
        owner: Whose hosts they are; `None` for the platform's own.
        public: Any organizer may use it.
        cordoned: Since when its agents take nothing new, because somebody said so.
        sees_agents: Whether the caller sees its agents, and what they run.
        is_yours: Whether the caller runs it: issues tokens, cordons, shares.
    """

    name: str
    runtime: str
    agents: int
    queued: int
    owner: str | None = None
    public: bool = False
    cordoned: datetime | None = None
    sees_agents: bool = False
    is_yours: bool = False


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """What an agent of a pool did, or does.

    Attributes:
        agent: Its name; empty for one that was removed.
        status: An `AttemptStatus`.
        seconds: How long it took; `None` while it goes on.
    """

    competition: str
    number: int
    submission_id: UUID
    attempt: int
    agent: str
    status: str
    message: str
    started: datetime
    seconds: float | None


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool with its agents and what they did lately.

    Attributes:
        users: Organizers with whom it is shared.
        competitions: Those that are scored in it.
        oldest_seconds: How long the first in its queue waits.
        outcomes: Attempts that ended in the last 24 hours, by status.
        median_seconds: How long those of them took that ended well; `None` without any.
        attempts: The latest, the newest first.
    """

    pool: PoolRecord
    users: tuple[str, ...]
    competitions: tuple[str, ...]
    agents: tuple[AgentRecord, ...]
    oldest_seconds: float | None
    outcomes: dict[str, int]
    median_seconds: float | None
    attempts: tuple[PastAttempt, ...]


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """An error answer (RFC 9457, `application/problem+json`).

    Attributes:
        type: A word for programs, such as `quota-exceeded`.
        remedy: What to do about it; may be empty.
        problems: Every single problem, where there may be several (bundles, fields).
    """

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    problems: tuple[Problem, ...] = ()
