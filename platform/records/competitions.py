"""What the API answers of competitions, their phases and bundles."""

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
from podium.platform.bundles.submission_formats import SubmissionFormat
from podium.platform.lifecycle import BundleStatus, MigrationStatus, ParticipantStatus
from podium.platform.limits import in_words
from podium.platform.records.storage import PartsRecord, SignedRequestRecord


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
        submission_format: What results look like; `None` where the organizers did not say.
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
    submission_format: SubmissionFormat | None = None

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
        status: `open` while a phase is, else `upcoming` where one will be, else `over`; empty where nobody says.
        opens: Start of the phase that is next; `None` where none is.
        participation: Of the person who asks, as in `CompetitionRecord`.
        has_image: Whether it has a picture to be shown.
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
    status: str = ""
    opens: datetime | None = None
    participation: ParticipantStatus | None = None
    has_image: bool = False


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
        terms_accepted: When the person who asks accepted terms of it last; `None` where they never did.
        accepted_terms_sha256: Which those were; another one than `terms_sha256` where the terms have changed since.
        may_share: Participants may make their submissions public.
        max_team_members: How many may be in a team; `None` where everybody takes part alone.
        team_deadline: From then on teams stay as they are.
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
    terms_accepted: datetime | None = None
    accepted_terms_sha256: str = ""
    may_share: bool = False
    max_team_members: int | None = None
    team_deadline: datetime | None = None

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
