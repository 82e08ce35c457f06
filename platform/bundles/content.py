"""What a bundle says, as typed values. The parsers make these; competition creation stores them.

Every time is aware UTC. Every file is a path inside the bundle, normalized, with `/` between the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from podium.platform.bundles.submission_formats import SubmissionFormat


class SubmissionRule(StrEnum):
    """Which of a participant's submissions stand on the leaderboard (Codabench's six rules)."""

    ADD = "Add"  # the participant puts one there
    ADD_AND_DELETE = "Add_And_Delete"  # ... and may take it off
    ADD_AND_DELETE_MULTIPLE = "Add_And_Delete_Multiple"  # ... any number of them
    FORCE_LAST = "Force_Last"  # the latest
    FORCE_LATEST_MULTIPLE = "Force_Latest_Multiple"  # all of them
    FORCE_BEST = "Force_Best"  # the best


class Ranking(StrEnum):
    """How a leaderboard makes ranks of its columns."""

    LEXICOGRAPHIC = "lexicographic"  # by the primary column; where that is equal by the next one, and so on
    MEAN_RANK = "mean_rank"  # by the mean of the row's ranks in each column
    MEDIAN_RANK = "median_rank"  # by their median


class SubmissionWindow(StrEnum):
    """The time that a limit on submissions counts in."""

    CALENDAR_DAY = "day"  # a calendar day in the phase's time zone
    SLIDING_DAY = "sliding_day"  # the last 24 hours
    SLIDING_WEEK = "sliding_week"  # the last 7 days

    def in_words(self, time_zone: str) -> str:
        """How often, as the end of `2 submissions ...`: `a day (UTC)`, `within 24 hours`, `within 7 days`."""
        match self:
            case SubmissionWindow.CALENDAR_DAY:
                return f"a day ({time_zone})"
            case SubmissionWindow.SLIDING_DAY:
                return "within 24 hours"
            case SubmissionWindow.SLIDING_WEEK:
                return "within 7 days"


class Sorting(StrEnum):
    """Which way of a column is better."""

    ASC = "asc"
    DESC = "desc"


class Computation(StrEnum):
    """How a computed column is made from others."""

    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE_RANK = "average_rank"  # the mean of the submission's ranks in other columns (v1.5's `Avg`)
    MEAN_RECIPROCAL_RANK = "mean_reciprocal_rank"  # the mean of 1 / rank (v1.5's `MRR`)


RANK_COMPUTATIONS = frozenset({Computation.AVERAGE_RANK, Computation.MEAN_RECIPROCAL_RANK})
"""Computations over ranks: their values depend on who else stands on the board."""


class Protocol(StrEnum):
    """By which contract a task's programs are run: what they find where, and what their commands are relative to."""

    V2 = "v2"  # Codabench
    V1_5 = "v1.5"  # CodaLab competitions


class CompetitionType(StrEnum):
    """A label that organizers choose."""

    COMPETITION = "competition"
    BENCHMARK = "benchmark"


class FactSheetType(StrEnum):
    """What kind of answer a question of the fact sheet takes."""

    CHECKBOX = "checkbox"
    TEXT = "text"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class FileInBundle:
    """A file or a folder of the bundle; a folder is zipped when it is stored.

    Attributes:
        path: Where it lies in the bundle, without a trailing slash.
        is_folder: Whether it is a folder.
    """

    path: str
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Relaxations:
    """Rules of the sandbox that a competition does without, each by its name. Shown to everyone.

    Attributes:
        network: `host:port` that programs may reach, through the agent's proxy and in no other way.
        root: Programs run as root inside of their container, still without any capability.
    """

    network: tuple[str, ...] = ()
    root: bool = False

    def in_words(self) -> tuple[str, ...]:
        """What these mean, a sentence each; nothing where every rule holds."""
        sentences = []
        if self.network:
            sentences.append(
                f"Programs, those of submissions too, may connect to {', '.join(self.network)}; "
                "what they can read can leave that way."
            )
        if self.root:
            sentences.append("Programs run as root inside of their container, without any capability.")
        return tuple(sentences)


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A dataset that is on the platform already, named by its key."""

    key: str


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page of the competition: Markdown or HTML text."""

    title: str
    file: str
    text: str


@dataclass(frozen=True, slots=True)
class TaskContent:
    """A scoring program with its data. `index` is the bundle's own name for it."""

    index: str
    name: str
    description: str
    scoring_program: FileInBundle | StoredDataset
    ingestion_program: FileInBundle | StoredDataset | None
    input_data: FileInBundle | StoredDataset | None
    reference_data: FileInBundle | StoredDataset | None
    ingestion_only_during_scoring: bool
    protocol: Protocol = Protocol.V2


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task that is on the platform already, named by its key."""

    index: str
    key: str


@dataclass(frozen=True, slots=True)
class SolutionContent:
    """An example submission for some tasks; `tasks` are indexes of tasks."""

    index: str
    name: str
    description: str
    tasks: tuple[str, ...]
    source: FileInBundle | StoredDataset


@dataclass(frozen=True, slots=True)
class PhaseContent:
    """A time window in which submissions are scored by the phase's tasks.

    Attributes:
        end: `None` for a phase that never ends.
        tasks: Indexes of tasks, in the bundle's order.
        max_submissions_per_day: Per participant and `submission_window`; `None` for no limit, 0 for none allowed.
        max_submissions: Per participant; `None` for no limit, 0 for none allowed.
        execution_time_limit: Seconds of wall clock per step.
        accepts_container_submissions: A submission is the image of a container, as `docker save` writes it.
        limits: The organizer's own limits besides that one, by their names in `podium.platform.limits`; `None` for
            none of its own.
        max_concurrent_submissions: Per participant, under way at once; `None` for no limit.
        time_zone: IANA name of the one whose calendar days count.
        failed_submissions_given_back: So many of a participant's submissions that failed by their own fault don't
            count.
        submission_format: What its results look like; `None` where the bundle does not say.
    """

    name: str
    description: str
    start: datetime
    end: datetime | None
    tasks: tuple[str, ...]
    max_submissions_per_day: int | None
    max_submissions: int | None
    execution_time_limit: int
    auto_migrate_to_this_phase: bool
    hide_output: bool
    hide_prediction_output: bool
    hide_score_output: bool
    accepts_only_result_submissions: bool
    starting_kit: FileInBundle | StoredDataset | None
    public_data: FileInBundle | StoredDataset | None
    accepts_container_submissions: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    max_concurrent_submissions: int | None = None
    time_zone: str = "UTC"
    submission_window: SubmissionWindow = SubmissionWindow.CALENDAR_DAY
    failed_submissions_given_back: int = 0
    submission_format: SubmissionFormat | None = None


@dataclass(frozen=True, slots=True)
class FactSheetQuestion:
    """A question that every submission answers. `selection` is empty unless `type` is select."""

    key: str
    type: FactSheetType
    title: str
    selection: tuple[str, ...]
    is_required: bool
    is_on_leaderboard: bool


@dataclass(frozen=True, slots=True)
class ColumnContent:
    """A column of a leaderboard; `key` is the name of the score that fills it.

    Attributes:
        computation: How it is made from `computation_indexes`, or `None` for a score from the scoring program.
        precision: Digits after the point when shown; stored scores keep all of theirs.
        computation_weights: Of the columns in `computation_indexes`, for ranks; empty for equal ones.
        ranking_precision: Digits after the point that count when rows are ranked; `None` for all.
        tie_tolerance: Values that are no further apart than this are the same when rows are ranked.
        exclude_from_ranking: It is shown and does not rank.
    """

    index: int
    title: str
    key: str
    sorting: Sorting
    computation: Computation | None
    computation_indexes: tuple[int, ...]
    precision: int
    hidden: bool
    computation_weights: tuple[float, ...] = ()
    ranking_precision: int | None = None
    tie_tolerance: float = 0.0
    exclude_from_ranking: bool = False


@dataclass(frozen=True, slots=True)
class LeaderboardContent:
    """A leaderboard; `primary_index` is the index of the column that ranks first.

    Attributes:
        anonymous: Participants and visitors see no names but their own.
        freeze_hours: So many hours before a phase ends, everyone but organizers sees its board as it stood then, until
            the phase is over; `None` for a board that is never frozen.
        rank_change_hours: So far before the newest submission lies the rank that a row's change is told from.
        organizers_are_baselines: What organizers submit stands among the others without a rank.
    """

    title: str
    key: str
    submission_rule: SubmissionRule
    hidden: bool
    primary_index: int
    columns: tuple[ColumnContent, ...]
    ranking: Ranking = Ranking.LEXICOGRAPHIC
    anonymous: bool = False
    freeze_hours: float | None = None
    rank_change_hours: float = 96.0
    organizers_are_baselines: bool = False


@dataclass(frozen=True, slots=True)
class TeamRules:
    """That participants may stand on the leaderboards as teams.

    Attributes:
        max_members: Of a team.
        deadline: From then on teams stay as they are; `None` for no such moment.
    """

    max_members: int
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class CompetitionContent:
    """A whole competition, as its bundle says it.

    Attributes:
        start: When the competition begins; `None` where only its phases say so.
        end: When it is over; `None` where only its phases say so.
        registration_start: From when people may register; `None` for no such moment.
        registration_end: Until when they may; `None` for no such moment.
        teams: `None` where everybody takes part alone.
    """

    title: str
    description: str
    image: str
    terms: str
    terms_file: str
    registration_auto_approve: bool
    docker_image: str
    queue: str | None
    enable_detailed_results: bool
    show_detailed_results_in_submission_panel: bool
    show_detailed_results_in_leaderboard: bool
    auto_run_submissions: bool
    can_participants_make_submissions_public: bool
    make_programs_available: bool
    make_input_data_available: bool
    competition_type: CompetitionType
    reward: str | None
    contact_email: str | None
    forum_enabled: bool
    fact_sheet: tuple[FactSheetQuestion, ...]
    pages: tuple[PageContent, ...]
    tasks: tuple[TaskContent | StoredTask, ...]
    solutions: tuple[SolutionContent, ...]
    phases: tuple[PhaseContent, ...]
    leaderboards: tuple[LeaderboardContent, ...]
    relaxations: Relaxations = field(default_factory=Relaxations)
    start: datetime | None = None
    end: datetime | None = None
    registration_start: datetime | None = None
    registration_end: datetime | None = None
    teams: TeamRules | None = None
