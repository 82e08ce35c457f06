"""What the stand-in for the gateway answers to organizers of many: participants, submissions, datasets, and health."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from podium.platform.bundles.content import SubmissionWindow
from podium.platform.errors import NotFound
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import (
    ColumnEdit,
    ContentEdit,
    ContentPreview,
    ContentRecord,
    LeaderboardEdit,
    PhaseEdit,
)
from podium.platform.records.organizing import (
    Blame,
    BulkAct,
    BulkRecord,
    DatasetUse,
    FailureCount,
    HealthView,
    HealthWarning,
    Outcome,
    ParticipantLine,
    ParticipantPage,
    SubmissionLine,
    SubmissionPage,
)
from podium.platform.records.submissions import QueueRecord, ScoreRecord
from podium.platform.records.teams import TeamRecord

SPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def make_health(queue: QueueRecord, **changes: object) -> HealthView:
    failures = (
        FailureCount(Blame.SUBMISSION, Verdict.NO_SCORES, 7),
        FailureCount(Blame.SUBMISSION, Verdict.TIME_LIMIT, 2),
        FailureCount(Blame.PLATFORM, None, 1),
    )
    health = HealthView(
        queue=queue,
        failures=failures,
        repeated=(),
        ended_lately=121,
        finished_lately=111,
        lost_attempts=3,
        pending_participants=1,
        stored_bytes={"datasets": 310 * 1024**2, "submissions": 2 * 1024**3, "outputs": 90 * 1024**2},
        used_bytes=24 * 10**8,
        quota_bytes=10**10,
        warnings=(
            HealthWarning("1 person waits for your approval.", "Approve or deny them.", "participants"),
            HealthWarning("7 submissions failed alike.", "Look at one of them.", "submissions"),
        ),
    )
    return replace(health, **changes)


def make_participant(username: str, status: ParticipantStatus, **changes: object) -> ParticipantLine:
    line = ParticipantLine(
        username=username,
        name=f"{username.capitalize()} of the Meadow",
        status=status,
        joined=ago(days=3),
        terms_accepted=True,
        submissions=4,
        finished=3,
        failed=1,
        latest=ago(hours=2),
        on_leaderboard=1,
    )
    return replace(line, **changes)


def make_line(number: int, status: SubmissionStatus = SubmissionStatus.FINISHED, **changes: object) -> SubmissionLine:
    is_finished = status is SubmissionStatus.FINISHED
    line = SubmissionLine(
        id=uuid5(SPACE, f"line-{number}"),
        number=number,
        participant=("ada", "ben", "caro")[number % 3],
        phase="Development",
        filename=f"model-{number}.zip",
        size=12_000,
        status=status,
        verdict=Verdict.NO_SCORES if status is SubmissionStatus.FAILED else None,
        message="The scoring program wrote no scores." if status is SubmissionStatus.FAILED else "",
        on_leaderboard=is_finished,
        created=ago(minutes=number),
        ended=ago(minutes=number - 1) if is_finished else None,
        attempts=1,
        scores=(ScoreRecord("accuracy", 1 - 1 / (number + 2)),) if is_finished else (),
    )
    return replace(line, **changes)


def make_content(slug: str) -> ContentRecord:
    phase = PhaseEdit(
        name="Development",
        description="Train and try.",
        start=ago(days=9),
        end=ago(days=2),
        max_submissions_per_day=5,
        max_submissions=100,
        max_concurrent_submissions=None,
        submission_window=SubmissionWindow.CALENDAR_DAY,
        time_zone="UTC",
        failed_submissions_given_back=0,
        execution_time_limit=600,
        limits={},
        hide_output=False,
        hide_prediction_output=False,
        hide_score_output=False,
    )
    columns = (ColumnEdit("accuracy", "Accuracy", 2, hidden=False), ColumnEdit("loss", "Log loss", 4, hidden=True))
    content = ContentEdit(
        title="Iris, the challenge",
        description="Tell three kinds of flowers from four lengths.",
        contact_email="ada@example.org",
        reward=None,
        docker_image="podium/python:3.11",
        registration_auto_approve=False,
        start=None,
        end=None,
        registration_start=None,
        registration_end=None,
        terms="Be fair. **No second accounts.**",
        terms_is_html=False,
        pages=(PageRecord("Overview", "# Flowers\n\nFour lengths each.", is_html=False),),
        phases=(phase, replace(phase, name="Final", start=ago(days=2), end=None)),
        leaderboards=(LeaderboardEdit("Results", hidden=False, columns=columns),),
    )
    return ContentRecord(slug, "1", content)


@dataclass
class Lists:
    """What organizers look through; tests change it while it is served."""

    people: list[ParticipantLine] = field(default_factory=list)
    lines: list[SubmissionLine] = field(default_factory=list)
    datasets: list[DatasetUse] = field(default_factory=list)
    teams: list[TeamRecord] = field(default_factory=list)
    health: HealthView | None = None
    content: ContentRecord | None = None
    preview_of_content: ContentPreview | None = None

    def answers(self, rest: list[str]) -> bool:
        return rest[0] in {"health", "datasets", "content", "teams"} or rest[1:] == ["page"]

    def answer(self, rest: list[str], query: Mapping[str, str], queue: QueueRecord) -> object:
        match rest:
            case ["health"]:
                return self.health or make_health(queue)
            case ["datasets"]:
                return self.datasets
            case ["content"]:
                return self.content
            case ["teams"]:
                return self.teams
            case ["participants", "page"]:
                return self._participants(query)
            case ["submissions", "page"]:
                return self._submissions(query)
        raise NotFound("There is no such call.")

    def acts(self, rest: list[str]) -> bool:
        return rest[0] == "content" or rest[:2] in (["participants", "decisions"], ["submissions", "bulk"])

    def act(self, rest: list[str], body: Mapping[str, object]) -> object:
        match rest:
            case ["participants", "decisions"]:
                return self._decide(body)
            case ["submissions", "bulk", *preview]:
                return self._in_bulk(body, is_preview=bool(preview))
            case ["content", "preview"]:
                return self.preview_of_content
        return self.content

    def _participants(self, query: Mapping[str, str]) -> ParticipantPage:
        words, status = query.get("search", ""), query.get("status", "")
        found = [one for one in self.people if words in one.username and status in {"", one.status.value}]
        counts = Counter(one.status.value for one in self.people)
        return ParticipantPage(len(found), dict(counts), tuple(_cut(found, query)))

    def _submissions(self, query: Mapping[str, str]) -> SubmissionPage:
        found = [one for one in self.lines if query.get("status", "") in {"", one.status.value}]
        found = [one for one in found if query.get("participant", "") in one.participant]
        return SubmissionPage(len(found), tuple(_cut(found, query)))

    def _decide(self, body: Mapping[str, object]) -> BulkRecord:
        status = ParticipantStatus(str(body["status"]))
        outcomes = []
        for at, one in enumerate(self.people):
            if one.username in body["usernames"]:
                outcomes.append(Outcome(one.username, done=one.status is not status, message=f"is {status} now"))
                self.people[at] = replace(one, status=status)
        return BulkRecord(status, is_preview=False, outcomes=tuple(outcomes))

    def _in_bulk(self, body: Mapping[str, object], *, is_preview: bool) -> BulkRecord:
        outcomes = tuple(Outcome(f"#{number}", done=True, message="taken off") for number in body["submissions"])
        return BulkRecord(BulkAct(str(body["act"])), is_preview=is_preview, outcomes=outcomes)


def _cut(found: list[object], query: Mapping[str, str]) -> list[object]:
    offset = int(query.get("offset", 0))
    return found[offset : offset + int(query.get("limit", 50))]
