"""Bundles, competitions and what they are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET
from sqlalchemy.orm import Mapped, mapped_column, relationship

from podium.platform.bundles.content import (
    CompetitionType,
    Computation,
    Protocol,
    Ranking,
    Sorting,
    SubmissionRule,
    SubmissionWindow,
)
from podium.platform.lifecycle import BundleStatus, MigrationStatus, ParticipantStatus, PhaseStatus
from podium.platform.models.base import Base, FlowDriven, Identified, Timed, now, status_type
from podium.platform.models.people import Person, Pool

NOW = "now"
"""A bundle's `start` that means: when the competition is made."""


class Bundle(Identified, Timed, FlowDriven, Base):
    """An uploaded bundle on its way to becoming a competition.

    `content` is where it lies once it is complete, until its owner removes the file. `start`, if any, is when its
    first phase is to begin, whatever the bundle says: `now` or a time in ISO 8601.
    """

    __tablename__ = "bundles"
    __table_args__ = (Index("ix_bundles_content", "content", postgresql_where=text("content IS NOT NULL")),)

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str | None] = mapped_column(String(200))
    status: Mapped[BundleStatus] = mapped_column(
        status_type(BundleStatus, "bundle_status"), default=BundleStatus.UPLOADING
    )
    message: Mapped[str] = mapped_column(default="")
    problems: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    slug: Mapped[str | None] = mapped_column(String(60))
    start: Mapped[str | None] = mapped_column(String(40))
    draft: Mapped[bool] = mapped_column(default=False)
    competition_id: Mapped[UUID | None] = mapped_column(ForeignKey("competitions.id", ondelete="SET NULL"))

    owner: Mapped[Person] = relationship()
    competition: Mapped[Competition | None] = relationship()


class Dataset(Identified, Timed, Base):
    """A zip that programs are run from or with. Its content never changes: a new content is a new row."""

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("owner_id", "kind", "sha256"),
        # Whether anything refers to some content is asked of every table that can.
        Index("ix_datasets_content", "content"),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(255))
    content: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)


class Competition(Identified, Timed, Base):
    """A competition. The flags have the names and meanings of the bundle's fields.

    Submissions are taken within `[starts, ends)` and people may join within `[registration_starts,
    registration_ends)`; what is null does not bound. Without `max_team_members` there are no teams; from
    `team_deadline` on they stay as they are.
    """

    __tablename__ = "competitions"
    __table_args__ = (UniqueConstraint("slug"),)

    slug: Mapped[str] = mapped_column(String(60))
    organizer_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="RESTRICT"), index=True)
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("pools.id", ondelete="RESTRICT"))
    published: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str] = mapped_column(String(256))
    description: Mapped[str] = mapped_column(default="")
    image_name: Mapped[str] = mapped_column(String(255), default="")
    image_content: Mapped[str | None] = mapped_column(String(200))
    image_size: Mapped[int] = mapped_column(BigInteger, default=0)
    terms: Mapped[str] = mapped_column(default="")
    terms_is_html: Mapped[bool] = mapped_column(default=False)
    terms_sha256: Mapped[str] = mapped_column(String(64))
    registration_auto_approve: Mapped[bool]
    docker_image: Mapped[str] = mapped_column(String(128))
    relaxations: Mapped[dict[str, Any]] = mapped_column(default=dict)
    enable_detailed_results: Mapped[bool]
    show_detailed_results_in_submission_panel: Mapped[bool]
    show_detailed_results_in_leaderboard: Mapped[bool]
    auto_run_submissions: Mapped[bool]
    can_participants_make_submissions_public: Mapped[bool]
    make_programs_available: Mapped[bool]
    make_input_data_available: Mapped[bool]
    competition_type: Mapped[CompetitionType] = mapped_column(status_type(CompetitionType, "competition_type"))
    reward: Mapped[str | None] = mapped_column(String(256))
    contact_email: Mapped[str | None] = mapped_column(String(320))
    forum_enabled: Mapped[bool]
    fact_sheet: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    starts: Mapped[datetime | None]
    ends: Mapped[datetime | None]
    registration_starts: Mapped[datetime | None]
    registration_ends: Mapped[datetime | None]
    max_team_members: Mapped[int | None]
    team_deadline: Mapped[datetime | None]
    next_submission_number: Mapped[int] = mapped_column(Integer, default=1)

    organizer: Mapped[Person] = relationship()
    pool: Mapped[Pool] = relationship()
    pages: Mapped[list[Page]] = relationship(order_by="Page.position", cascade="all, delete-orphan")
    phases: Mapped[list[Phase]] = relationship(
        order_by="Phase.position", cascade="all, delete-orphan", back_populates="competition"
    )
    leaderboards: Mapped[list[Leaderboard]] = relationship(
        order_by="Leaderboard.position", cascade="all, delete-orphan"
    )
    solutions: Mapped[list[Solution]] = relationship(order_by="Solution.position", cascade="all, delete-orphan")
    collaborators: Mapped[list[Collaborator]] = relationship(
        order_by="Collaborator.created", cascade="all, delete-orphan"
    )


class Collaborator(Timed, Base):
    """A person who organizes a competition with its owner, by the powers of `podium.platform.collaborators`."""

    __tablename__ = "collaborators"
    __table_args__ = (Index("ix_collaborators_person_id", "person_id"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    added_by: Mapped[str] = mapped_column(String(200), default="")

    person: Mapped[Person] = relationship()


class Page(Identified, Base):
    """A page of a competition."""

    __tablename__ = "pages"
    __table_args__ = (UniqueConstraint("competition_id", "position"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    is_html: Mapped[bool]


class Task(Identified, Timed, Base):
    """A scoring program with its data; phases of one or several competitions use it.

    What stands here is its present version, `version`; all of them stand in `task_versions`.
    """

    __tablename__ = "tasks"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    scoring_program_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    ingestion_program_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    input_data_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    reference_data_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    ingestion_only_during_scoring: Mapped[bool] = mapped_column(default=False)
    protocol: Mapped[Protocol] = mapped_column(status_type(Protocol, "protocol"), default=Protocol.V2)
    version: Mapped[int] = mapped_column(default=1)

    scoring_program: Mapped[Dataset] = relationship(foreign_keys=[scoring_program_id])
    ingestion_program: Mapped[Dataset | None] = relationship(foreign_keys=[ingestion_program_id])
    input_data: Mapped[Dataset | None] = relationship(foreign_keys=[input_data_id])
    reference_data: Mapped[Dataset | None] = relationship(foreign_keys=[reference_data_id])


class TaskVersion(Base):
    """What a task was made of in one of its versions. Rows are only ever added."""

    __tablename__ = "task_versions"

    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    scoring_program_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    ingestion_program_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    input_data_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    reference_data_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[datetime] = mapped_column(default=now)


class DatasetUpload(Identified, Timed, Base):
    """A dataset whose file is on its way; it becomes a `Dataset` when it is complete."""

    __tablename__ = "dataset_uploads"

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    dataset_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)


class Solution(Identified, Base):
    """An example submission of the organizer's for some tasks."""

    __tablename__ = "solutions"
    __table_args__ = (UniqueConstraint("competition_id", "position"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    task_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid(as_uuid=True)))


class Phase(Identified, Base):
    """A time window `[starts, ends)` in which submissions are accepted; `ends` is null for a phase without end.

    The limits are those of `podium.platform.quotas`, for each participant. While `paused` is set nothing is accepted,
    for the reason in `pause_message`. `submission_format` is read by `format_from_json`. `announced` is what was last
    told of its window; the clock decides. `opening_told` and `closing_told` are of which opening and of which end
    participants were told by mail.
    """

    __tablename__ = "phases"
    __table_args__ = (
        UniqueConstraint("competition_id", "position"),
        CheckConstraint("ends IS NULL OR ends > starts", name="ends_after_it_starts"),
        CheckConstraint("execution_time_limit > 0", name="execution_time_limit_is_positive"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(256))
    description: Mapped[str] = mapped_column(default="")
    starts: Mapped[datetime]
    ends: Mapped[datetime | None]
    max_submissions_per_day: Mapped[int | None]
    max_submissions: Mapped[int | None]
    max_concurrent_submissions: Mapped[int | None]
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    submission_window: Mapped[SubmissionWindow] = mapped_column(
        status_type(SubmissionWindow, "submission_window"), default=SubmissionWindow.CALENDAR_DAY
    )
    failed_submissions_given_back: Mapped[int] = mapped_column(default=0)
    paused: Mapped[datetime | None]
    pause_message: Mapped[str] = mapped_column(String(1000), default="")
    announced: Mapped[PhaseStatus] = mapped_column(
        status_type(PhaseStatus, "phase_status"), default=PhaseStatus.UPCOMING
    )
    opening_told: Mapped[datetime | None]
    closing_told: Mapped[datetime | None]
    execution_time_limit: Mapped[int]
    auto_migrate_to_this_phase: Mapped[bool]
    hide_output: Mapped[bool]
    hide_prediction_output: Mapped[bool]
    hide_score_output: Mapped[bool]
    accepts_only_result_submissions: Mapped[bool]
    accepts_container_submissions: Mapped[bool] = mapped_column(default=False)
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict)
    submission_format: Mapped[dict[str, Any]] = mapped_column(default=dict)
    starting_kit_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))
    public_data_id: Mapped[UUID | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"))

    competition: Mapped[Competition] = relationship(back_populates="phases")
    tasks: Mapped[list[PhaseTask]] = relationship(order_by="PhaseTask.position", cascade="all, delete-orphan")
    migration: Mapped[PhaseMigration | None] = relationship(cascade="all, delete-orphan", uselist=False)

    @property
    def asked_limits(self) -> dict[str, float]:
        """What the organizer asks of limits, by their names in `podium.platform.limits`."""
        return {**self.limits, "wall_seconds": float(self.execution_time_limit)}


class ExtraAllowance(Timed, Base):
    """What an organizer allows one participant in a phase beyond its limits. The latest reason stands here."""

    __tablename__ = "extra_allowances"
    __table_args__ = (
        CheckConstraint("per_window >= 0 AND total >= 0 AND concurrent >= 0", name="nothing_is_taken_away"),
    )

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    per_window: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    concurrent: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(1000), default="")
    granted_by: Mapped[str] = mapped_column(String(200), default="")

    person: Mapped[Person] = relationship()


class PhaseMigration(FlowDriven, Base):
    """The auto-migration into a phase: of what stands on the leaderboard of the phase before."""

    __tablename__ = "phase_migrations"

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[MigrationStatus] = mapped_column(
        status_type(MigrationStatus, "migration_status"), default=MigrationStatus.RUNNING
    )
    message: Mapped[str] = mapped_column(default="")
    copied: Mapped[int] = mapped_column(default=0)
    started: Mapped[datetime] = mapped_column(default=now)
    ended: Mapped[datetime | None]


class PhaseTask(Base):
    """A task in a phase, at its position; `index` is the bundle's own name for it."""

    __tablename__ = "phase_tasks"

    phase_id: Mapped[UUID] = mapped_column(ForeignKey("phases.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    index: Mapped[str] = mapped_column(String(60))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("tasks.id", ondelete="RESTRICT"))

    task: Mapped[Task] = relationship()


class Leaderboard(Identified, Base):
    """A leaderboard's rules; a phase's board is its rows of `leaderboard_entries`.

    `freeze_hours` before a phase ends its board freezes for everyone but organizers, until the phase is over or
    `unfrozen`. On an `anonymous` board others have pseudonyms, which nobody can make without `pseudonym_key`.
    """

    __tablename__ = "leaderboards"
    __table_args__ = (
        UniqueConstraint("competition_id", "position"),
        CheckConstraint("freeze_hours > 0 AND rank_change_hours >= 0", name="hours_are_not_negative"),
    )

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(36))
    submission_rule: Mapped[SubmissionRule] = mapped_column(status_type(SubmissionRule, "submission_rule"))
    hidden: Mapped[bool]
    primary_index: Mapped[int]
    ranking: Mapped[Ranking] = mapped_column(status_type(Ranking, "ranking"), default=Ranking.LEXICOGRAPHIC)
    anonymous: Mapped[bool] = mapped_column(default=False)
    pseudonym_key: Mapped[UUID] = mapped_column(default=uuid4)
    freeze_hours: Mapped[float | None] = mapped_column(Double)
    unfrozen: Mapped[datetime | None]
    rank_change_hours: Mapped[float] = mapped_column(Double, default=96.0)
    organizers_are_baselines: Mapped[bool] = mapped_column(default=False)

    columns: Mapped[list[Column]] = relationship(order_by="Column.index", cascade="all, delete-orphan")


class Column(Identified, Base):
    """A column of a leaderboard: a score by its key, or computed from other columns by their indexes."""

    __tablename__ = "columns"
    __table_args__ = (UniqueConstraint("leaderboard_id", "index"), UniqueConstraint("leaderboard_id", "key"))

    leaderboard_id: Mapped[UUID] = mapped_column(ForeignKey("leaderboards.id", ondelete="CASCADE"))
    index: Mapped[int]
    key: Mapped[str] = mapped_column(String(36))
    title: Mapped[str] = mapped_column(String(36))
    sorting: Mapped[Sorting] = mapped_column(status_type(Sorting, "sorting"))
    computation: Mapped[Computation | None] = mapped_column(status_type(Computation, "computation"))
    computation_indexes: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    computation_weights: Mapped[list[float]] = mapped_column(ARRAY(Double), default=list)
    precision: Mapped[int]
    hidden: Mapped[bool]
    ranking_precision: Mapped[int | None]
    tie_tolerance: Mapped[float] = mapped_column(Double, default=0.0)
    exclude_from_ranking: Mapped[bool] = mapped_column(default=False)


class Participant(Timed, Base):
    """A person's part in a competition."""

    __tablename__ = "participants"
    __table_args__ = (Index("ix_participants_person_id", "person_id"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), primary_key=True)
    status: Mapped[ParticipantStatus] = mapped_column(status_type(ParticipantStatus, "participant_status"))

    person: Mapped[Person] = relationship()


class TermsAcceptance(Identified, Base):
    """That a person accepted a text of terms: only ever added to."""

    __tablename__ = "terms_acceptances"
    __table_args__ = (Index("ix_terms_acceptances_competition_id_person_id", "competition_id", "person_id"),)

    competition_id: Mapped[UUID] = mapped_column(ForeignKey("competitions.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    terms_sha256: Mapped[str] = mapped_column(String(64))
    accepted: Mapped[datetime] = mapped_column(default=now)
    address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(String(400), default="")
