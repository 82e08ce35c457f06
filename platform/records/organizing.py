"""What the API answers those who organize: submissions and participants by the page, acts on several, and health."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.records.submissions import QueueRecord, ScoreRecord


@dataclass(frozen=True, slots=True)
class SubmissionLine:
    """A submission in an organizer's list.

    Attributes:
        verdict: Of the first of its tasks that failed by the submission's own fault; `None` where there is none.
        message: What was said of it last: the verdict, what it waits for, or why the platform gave up.
        attempts: Tries that were made at what counts.
        excluded: An organizer keeps it off the leaderboard.
    """

    id: UUID
    number: int
    participant: str
    phase: str
    filename: str
    size: int
    status: SubmissionStatus
    verdict: Verdict | None
    message: str
    on_leaderboard: bool
    created: datetime
    ended: datetime | None
    attempts: int
    scores: tuple[ScoreRecord, ...] = ()
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class SubmissionPage:
    """A page of the submissions that a filter leaves, the latest first; `total` counts all of them."""

    total: int
    rows: tuple[SubmissionLine, ...]


@dataclass(frozen=True, slots=True)
class ParticipantLine:
    """A participant in an organizer's list.

    Attributes:
        terms_accepted: Whether they have accepted the present terms; without that they can't submit.
        submissions: Of theirs, without reruns.
        latest: When they submitted last.
        on_leaderboard: Rows of theirs, of all phases.
    """

    username: str
    name: str
    status: ParticipantStatus
    joined: datetime
    terms_accepted: bool
    submissions: int
    finished: int
    failed: int
    latest: datetime | None
    on_leaderboard: int


@dataclass(frozen=True, slots=True)
class ParticipantPage:
    """A page of the participants that a search leaves, those who wait first.

    Attributes:
        total: All that the search leaves.
        by_status: How many there are of each status in the whole competition.
    """

    total: int
    by_status: dict[str, int]
    rows: tuple[ParticipantLine, ...]


class BulkAct(StrEnum):
    """What can be done with several submissions at once. To score them again is a rerun."""

    CANCEL = "cancel"
    PUT_ON_LEADERBOARD = "put_on_leaderboard"
    TAKE_OFF_LEADERBOARD = "take_off_leaderboard"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one thing among several, or would.

    Attributes:
        name: Of the thing: `#7`, or a username.
        done: Whether it was, or would be, done.
        message: What that means, or why not.
    """

    name: str
    done: bool
    message: str


@dataclass(frozen=True, slots=True)
class BulkRecord:
    """What came of an act on several things, each by itself; of a preview, what would.

    Attributes:
        act: What was asked for.
        is_preview: Nothing was done yet.
    """

    act: str
    is_preview: bool
    outcomes: tuple[Outcome, ...]

    @property
    def done(self) -> int:
        """How many were, or would be, done."""
        return sum(one.done for one in self.outcomes)


class Blame(StrEnum):
    """Whose doing a failure was."""

    SUBMISSION = "submission"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How many submissions failed lately in one way. `verdict` is `None` where the platform gave up."""

    blame: Blame
    verdict: Verdict | None
    count: int


@dataclass(frozen=True, slots=True)
class RepeatedError:
    """The same words under several failures: seldom the fault of each."""

    message: str
    count: int
    participants: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class HealthWarning:
    """Something to look at, and what to do about it. `section` is the part of the pages that it is done in."""

    words: str
    remedy: str
    section: str = ""


@dataclass(frozen=True, slots=True)
class HealthView:
    """A competition in one view.

    Attributes:
        failures: Of the last day, the most frequent first.
        ended_lately: Submissions that ended within the last day, whatever came of it.
        lost_attempts: Tries of the last day that were lost, or that the platform failed, and were made again.
        stored_bytes: What its datasets, submissions and outputs take, by kind.
        quota_bytes: What its owner's files may take, and `used_bytes` do.
        warnings: What to look at, the gravest first; empty where all is well.
    """

    queue: QueueRecord
    failures: tuple[FailureCount, ...]
    repeated: tuple[RepeatedError, ...]
    ended_lately: int
    finished_lately: int
    lost_attempts: int
    pending_participants: int
    stored_bytes: dict[str, int]
    used_bytes: int
    quota_bytes: int
    warnings: tuple[HealthWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """A dataset of a competition, and where it is used, in words. `is_current` is false for that of old versions."""

    id: UUID
    kind: str
    name: str
    size: int
    sha256: str
    created: datetime
    is_current: bool
    used: tuple[str, ...] = field(default=())
