"""Submissions, their evaluations and attempts, what came of them, and every change of state."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Double, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.jobs import LogStream, OutputKind
from podium.platform.lifecycle import AttemptStatus, EvaluationStatus, Stage, SubmissionQueue, SubmissionStatus, Verdict
from podium.platform.models.base import Base, Identified, Timed, now, status_type
from podium.platform.models.competitions import Competition, Phase, Task
from podium.platform.models.people import Agent, Person, Pool
from podium.platform.models.teams import Team


class Submission(Identified, Timed, Base):
    """A participant's entry to a phase.

    `counts` says whether it uses up quota: not when the platform failed it, or it was cancelled before it ran.
    `version` grows with every change that a watcher should see. `not_before` holds back the next attempt after one
    that the platform failed. `dispatches` counts the flow runs that were asked for.

    Where `rerun_id` is set this is no entry of its own: it scores `origin_id` again, has its number, and is seen by
    organizers alone. Once its results are adopted, the origin's `results_id` leads to it. An `origin_id` without a
    `rerun_id` is the submission of the phase before that this one was migrated from.

    One that is `excluded` is kept off the leaderboard by an organizer.
    One that `is_baseline` is an organizer's for comparison: it stands on the leaderboard without a rank.

    One with a `team_id` was made for that team, or became its own when the participant joined: the team is who enters
    with it, whoever is in it later.

    `content` is where its file lies. When its participant has removed the file, `files_removed` says so. `shared` is
    since when everybody may have it.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        Index(
            "uq_submissions_competition_id_number",
            "competition_id",
            "number",
            unique=True,
            postgresql_where=text("rerun_id IS NULL"),
        ),
        # A submission is migrated into a phase once, and is scored once by a rerun, whoever tries twice.
        Index(
            "uq_submissions_phase_id_origin_id",
            "phase_id",
            "origin_id",
            unique=True,
            postgresql_where=text("rerun_id IS NULL AND origin_id IS NOT NULL"),
        ),
        Index(
            "uq_submissions_rerun_id_origin_id",
            "rerun_id",
            "origin_id",
            unique=True,
            postgresql_where=text("rerun_id IS NOT NULL"),
        ),
        Index("ix_submissions_phase_id_person_id_created", "phase_id", "person_id", "created"),
        Index(
            "ix_submissions_phase_id_team_id_created",
            "phase_id",
            "team_id",
            "created",
            postgresql_where=text("team_id IS NOT NULL"),
        ),
        # In the order of the queue, so that its head is found without the rest.
        Index("ix_submissions_open", "status", "queue", "queued", "id", postgresql_where=text("ended IS NULL")),
        Index("ix_submissions_content", "content", postgresql_where=text("content IS NOT NULL")),
        # How many of each participant were scored by a moment, and which is the newest: boards tell both.
        Index(
            "ix_submissions_scored_phase_id_person_id_ended",
            "phase_id",
            "person_id",
            "ended",
            postgresql_where=text("status = 'finished' AND rerun_id IS NULL"),
        ),
        Index(
            "ix_submissions_scored_phase_id_created",
            "phase_id",
            "created",
            postgresql_where=text("status = 'finished' AND rerun_id IS NULL"),
        ),
        Index("ix_submissions_shared", "competition_id", "shared", postgresql_where=text("shared IS NOT NULL")),
        CheckConstraint("(ended IS NOT NULL) = (status IN ('finished', 'failed', 'cancelled'))", name="ended_if_over"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"), index=True)
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("teams.id"))
    number: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str | None] = mapped_column(String(200))
    files_removed: Mapped[datetime | None]
    shared: Mapped[datetime | None]
    message: Mapped[str] = mapped_column(String(1000), default="")
    fact_sheet: Mapped[dict[str, Any]] = mapped_column(default=dict)
    status: Mapped[SubmissionStatus] = mapped_column(
        status_type(SubmissionStatus, "submission_status"), default=SubmissionStatus.SUBMITTED
    )
    status_message: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    counts: Mapped[bool] = mapped_column(default=True)
    on_leaderboard: Mapped[bool] = mapped_column(default=False)
    is_baseline: Mapped[bool] = mapped_column(default=False)
    excluded: Mapped[bool] = mapped_column(default=False)
    origin_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"), index=True)
    rerun_id: Mapped[UUID | None] = mapped_column(ForeignKey("reruns.id", ondelete="CASCADE"))
    results_id: Mapped[UUID | None] = mapped_column(ForeignKey("submissions.id", ondelete="SET NULL"))
    queue: Mapped[SubmissionQueue] = mapped_column(
        status_type(SubmissionQueue, "submission_queue"), default=SubmissionQueue.DEFAULT
    )
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey("batches.id", ondelete="SET NULL"), index=True)
    flow_run_id: Mapped[UUID | None]
    dispatches: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    queued: Mapped[datetime | None]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    competition: Mapped[Competition] = relationship()
    phase: Mapped[Phase] = relationship()
    person: Mapped[Person] = relationship()
    team: Mapped[Team | None] = relationship()
    evaluations: Mapped[list[Evaluation]] = relationship(
        order_by="Evaluation.position", cascade="all, delete-orphan", back_populates="submission"
    )
    attempts: Mapped[list[Attempt]] = relationship(
        order_by="Attempt.number", cascade="all, delete-orphan", back_populates="submission"
    )
    origin: Mapped[Submission | None] = relationship(
        foreign_keys=[origin_id], remote_side="Submission.id", viewonly=True
    )
    adopted: Mapped[Submission | None] = relationship(
        foreign_keys=[results_id], remote_side="Submission.id", viewonly=True
    )
    batch: Mapped[Batch | None] = relationship()

    @property
    def entrant_id(self) -> UUID:
        """Who enters with it: its team, else its participant."""
        return self.team_id or self.person_id

    @property
    def results(self) -> Submission:
        """The submission whose evaluations count: of the rerun that was adopted last, else its own."""
        return self.adopted or self


class Batch(Identified, Timed, Base):
    """One flow run that stands for many submissions of a pool: of a rerun, or of a burst."""

    __tablename__ = "batches"
    __table_args__ = (Index("ix_batches_open", "pool_id", postgresql_where=text("ended IS NULL")),)

    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    queue: Mapped[SubmissionQueue] = mapped_column(status_type(SubmissionQueue, "submission_queue"))
    rerun_id: Mapped[UUID | None] = mapped_column(ForeignKey("reruns.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(default=0)
    flow_run_id: Mapped[UUID | None]
    begun: Mapped[datetime | None]
    ended: Mapped[datetime | None]

    pool: Mapped[Pool] = relationship()


class Evaluation(Identified, Base):
    """A submission by one task of its phase. `task_version` is the version that it was, or will be, scored by."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("submission_id", "position"),
        CheckConstraint("verdict IS NULL OR status = 'failed'", name="verdict_only_if_failed"),
    )

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="RESTRICT"))
    position: Mapped[int]
    task_version: Mapped[int] = mapped_column(default=1)
    status: Mapped[EvaluationStatus] = mapped_column(
        status_type(EvaluationStatus, "evaluation_status"), default=EvaluationStatus.WAITING
    )
    verdict: Mapped[Verdict | None] = mapped_column(status_type(Verdict, "verdict"))
    message: Mapped[str] = mapped_column(default="")
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id", ondelete="SET NULL"))
    programs: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    timings: Mapped[dict[str, Any]] = mapped_column(default=dict)

    submission: Mapped[Submission] = relationship(back_populates="evaluations")
    task: Mapped[Task] = relationship()
    scores: Mapped[list[Score]] = relationship(order_by="Score.key", cascade="all, delete-orphan")
    outputs: Mapped[list[Output]] = relationship(order_by="Output.kind", cascade="all, delete-orphan")


class Score(Base):
    """A score that a scoring program gave: finite, whole precision."""

    __tablename__ = "scores"
    __table_args__ = (
        CheckConstraint("value = value AND abs(value) < 'infinity'::float8 AND value <> 'NaN'::float8", name="finite"),
    )

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[float] = mapped_column(Double)


class Output(Base):
    """A file that an evaluation left behind. It takes room of its owner's: the competition's organizer."""

    __tablename__ = "outputs"
    __table_args__ = (Index("ix_outputs_content", "content"),)

    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[OutputKind] = mapped_column(status_type(OutputKind, "output_kind"), primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    content: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)


class Attempt(Identified, Base):
    """One try at a submission by one agent. At most one is active: the database sees to it.

    `agent_token_id` is the token that claimed it: when that is revoked, the attempt is over.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("submission_id", "number"),
        Index("uq_attempts_active", "submission_id", unique=True, postgresql_where=text("status = 'active'")),
        Index("ix_attempts_lease", "lease_expires", postgresql_where=text("status = 'active'")),
        # What was ended from outside, which its agent must hear of.
        Index("ix_attempts_stopped", "agent_id", "ended", postgresql_where=text("status IN ('cancelled', 'lost')")),
        Index("ix_attempts_agent_id_started", "agent_id", "started"),
    )

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    number: Mapped[int]
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agents.id", ondelete="SET NULL"))
    agent_token_id: Mapped[UUID | None] = mapped_column(ForeignKey("tokens.id", ondelete="SET NULL", use_alter=True))
    flow_run_id: Mapped[UUID]
    status: Mapped[AttemptStatus] = mapped_column(
        status_type(AttemptStatus, "attempt_status"), default=AttemptStatus.ACTIVE
    )
    stage: Mapped[Stage] = mapped_column(status_type(Stage, "stage"), default=Stage.PREPARING)
    message: Mapped[str] = mapped_column(default="")
    lease_expires: Mapped[datetime]
    started: Mapped[datetime] = mapped_column(default=now)
    ended: Mapped[datetime | None]
    result_sha256: Mapped[str | None] = mapped_column(String(64))
    timings: Mapped[dict[str, Any]] = mapped_column(default=dict)

    submission: Mapped[Submission] = relationship(back_populates="attempts")
    agent: Mapped[Agent | None] = relationship()


class LogText(Base):
    """Text of one stream of an evaluation, from an offset on. Rows are only ever added."""

    __tablename__ = "log_texts"
    __table_args__ = (
        UniqueConstraint("attempt_id", "evaluation_id", "stream", "offset"),
        Index("ix_log_texts_submission_id_sequence", "submission_id", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    evaluation_id: Mapped[UUID] = mapped_column(ForeignKey("evaluations.id", ondelete="CASCADE"))
    stream: Mapped[LogStream] = mapped_column(status_type(LogStream, "log_stream"))
    offset: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str]


class LeaderboardEntry(Base):
    """That a submission stood on a phase's leaderboard, with these scores, from `since` until `until`.

    Rows are closed and opened, never changed: any board as of any moment are the rows with `since <= moment < until`.
    One without an `until` stands there now. What is of the submission (`submitted`, `number`, `is_baseline`) is here
    too, so that the order of a board is the order of one index.

    `entrant_id` is who has the place: the participant who submitted, or the team for which they did.

    `scores` has one value per column, by the columns' index. `sort_key` has those that rank, in the order in which they
    do, such that less is better (`leaderboard.sort_keys`); it is null for a row that can't be ranked. `rank` is what it
    had when it came there; null for a baseline, and where only the whole board could tell. `is_withdrawn` is of a row
    that its participant took off, where the rule leaves that to them.
    """

    __tablename__ = "leaderboard_entries"
    __table_args__ = (
        Index(
            "uq_leaderboard_entries_phase_id_submission_id",
            "phase_id",
            "submission_id",
            unique=True,
            postgresql_where=text("until IS NULL"),
        ),
        # A page of a board is a piece of this index.
        Index(
            "ix_leaderboard_entries_order",
            "phase_id",
            "sort_key",
            "submitted",
            "number",
            postgresql_include=["is_baseline", "id"],
            postgresql_where=text("until IS NULL"),
        ),
        Index("ix_leaderboard_entries_phase_id_entrant_id_since", "phase_id", "entrant_id", "since"),
        # What stood there once: those still standing would all be in every range, and have the index above.
        Index(
            "ix_leaderboard_entries_period",
            text("tstzrange(since, until)"),
            postgresql_using="gist",
            postgresql_where=text("until IS NOT NULL"),
        ),
        Index("ix_leaderboard_entries_firsts", "phase_id", "since", postgresql_where=text("rank = 1")),
        CheckConstraint("until > since", name="ends_after_it_begins"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"))
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submissions.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"))
    scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    sort_key: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    submitted: Mapped[datetime]
    number: Mapped[int]
    is_baseline: Mapped[bool] = mapped_column(default=False)
    rank: Mapped[int | None]
    entrant_id: Mapped[UUID]
    since: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None]
    is_withdrawn: Mapped[bool] = mapped_column(default=False)

    submission: Mapped[Submission] = relationship()
    person: Mapped[Person] = relationship()


class PhaseBoard(Base):
    """How a phase's leaderboard as a whole is: its row is locked by whoever changes the board, until they commit.

    `version` grows with every result that is placed or changed, `moment` is when it did last and never goes back,
    `changed` is when a row last came or went, and `rows` is how many stand there.
    """

    __tablename__ = "phase_boards"

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    moment: Mapped[datetime]
    changed: Mapped[datetime | None]
    rows: Mapped[int]


class Event(Base):
    """That something changed its state: who did it, when and why. Rows are only ever added."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_subject_id_id", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[UUID]
    before: Mapped[str | None] = mapped_column(String(20))
    after: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(default="")
    time: Mapped[datetime] = mapped_column(default=now)
