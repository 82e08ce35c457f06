"""What the API answers of a competition's content, as its organizers edit it: the fields of `competition.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.bundles.problems import Problem
from podium.platform.records.competitions import PageRecord


@dataclass(frozen=True, slots=True)
class PhaseEdit:
    """What may be edited of a phase. `limits` are amounts as people write them, by the limits' keys."""

    name: str
    description: str
    start: datetime
    end: datetime | None
    max_submissions_per_day: int | None
    max_submissions: int | None
    max_concurrent_submissions: int | None
    submission_window: SubmissionWindow
    time_zone: str
    failed_submissions_given_back: int
    execution_time_limit: int
    limits: dict[str, str]
    hide_output: bool
    hide_prediction_output: bool
    hide_score_output: bool


@dataclass(frozen=True, slots=True)
class ColumnEdit:
    """What may be edited of a column. Its `key` says which one it is, and can't be changed."""

    key: str
    title: str
    precision: int
    hidden: bool


@dataclass(frozen=True, slots=True)
class LeaderboardEdit:
    """What may be edited of a leaderboard."""

    title: str
    hidden: bool
    columns: tuple[ColumnEdit, ...]


@dataclass(frozen=True, slots=True)
class ContentEdit:
    """What may be edited of a competition; every field has the name and the meaning that it has in a bundle.

    Texts stand in the fields themselves: `terms` is the text of the terms, and a page has its `text`. Phases and
    columns can be neither added nor removed.
    """

    title: str
    description: str
    contact_email: str | None
    reward: str | None
    docker_image: str
    registration_auto_approve: bool
    start: datetime | None
    end: datetime | None
    registration_start: datetime | None
    registration_end: datetime | None
    terms: str
    terms_is_html: bool
    pages: tuple[PageRecord, ...]
    phases: tuple[PhaseEdit, ...]
    leaderboards: tuple[LeaderboardEdit, ...]


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """A competition's content at one moment.

    Attributes:
        version: Sent back with a change, so that nobody overwrites what they have not seen.
    """

    competition: str
    version: str
    content: ContentEdit


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What becomes of a field, its values in words. A long text is cut."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ContentPreview:
    """What a change of a competition's content would do.

    Attributes:
        problems: All that is wrong with it, each with its field; with an error among them it is refused whole.
        consequences: What it means for people and for what is under way, a sentence each.
    """

    version: str
    changes: tuple[FieldChange, ...]
    problems: tuple[Problem, ...] = field(default=())
    consequences: tuple[str, ...] = ()
