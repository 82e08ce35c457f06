"""All submissions of a competition as a table: read in pieces, so that a million take no more memory than a thousand.

Each piece is a transaction of its own, which is over before anybody waits for the network: a slow reader holds nothing
of the database. A submission that changes in between stands there once, as it was when its piece was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from podium.platform.bundles.content import RANK_COMPUTATIONS
from podium.platform.database import Database
from podium.platform.leaderboard.columns import ColumnRule, column_values
from podium.platform.leaderboard.entries import questions_of
from podium.platform.leaderboard.rules import column_rules
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import (
    Agent,
    Attempt,
    Competition,
    Evaluation,
    Person,
    Phase,
    Pool,
    Rerun,
    Score,
    Submission,
)
from podium.platform.submissions.tables import Cell, Kind, Row, TableColumn

ROWS_AT_ONCE = 5000

COLUMNS = (
    TableColumn("number", Kind.WHOLE, "Of the submission in its competition."),
    TableColumn("id", Kind.TEXT, "Of the submission on the platform."),
    TableColumn("participant", Kind.TEXT, "Who submitted it, by user name."),
    TableColumn("phase", Kind.TEXT, "Name of its phase."),
    TableColumn("phase_number", Kind.WHOLE, "Number of its phase, from 1."),
    TableColumn("status", Kind.TEXT, "`finished`, `failed`, `cancelled`, or where it is on its way."),
    TableColumn(
        "verdict", Kind.TEXT, "Why it failed by its own fault, such as `time_limit`; of the first task that did."
    ),
    TableColumn("status_message", Kind.TEXT, "What happened, in a sentence."),
    TableColumn("message", Kind.TEXT, "What the participant wrote about it."),
    TableColumn("filename", Kind.TEXT, "Of what was submitted."),
    TableColumn("size", Kind.WHOLE, "Of what was submitted, in bytes."),
    TableColumn("sha256", Kind.TEXT, "Of what was submitted."),
    TableColumn("created", Kind.MOMENT, "When it was submitted."),
    TableColumn("started", Kind.MOMENT, "When its scoring began."),
    TableColumn("ended", Kind.MOMENT, "When it was over."),
    TableColumn("on_leaderboard", Kind.FLAG, "Whether it stands on the leaderboard."),
    TableColumn("counts", Kind.FLAG, "Whether it uses up quota."),
    TableColumn(
        "migrated_from", Kind.WHOLE, "Number of the submission in the phase before that it was taken over from."
    ),
    TableColumn("rerun", Kind.WHOLE, "Number of the rerun whose results count; empty for the first ones."),
    TableColumn("wall_seconds", Kind.NUMBER, "On the clock, all of its programs together."),
    TableColumn("cpu_seconds", Kind.NUMBER, "CPU time, all of its programs together; empty where it was not measured."),
    TableColumn("peak_memory_bytes", Kind.WHOLE, "The most that one of its programs had at once."),
    TableColumn("pool", Kind.TEXT, "Where it was scored."),
    TableColumn("image_digest", Kind.TEXT, "Of the images of its programs, with a blank between different ones."),
)
"""The columns of every table. After them come `answer.KEY`, `score.KEY` and `score[TASK].KEY`."""


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What a table is to have; no session is needed any more.

    Attributes:
        phase_id: The one phase to write, or `None` for all.
        questions: Keys of the fact sheet.
        rules: The leaderboard's columns, in order.
        shown: Positions in `rules` of those whose value is a submission's own: not those over ranks.
        tasks: Names that the bundle has for tasks, by their ids.
    """

    competition_id: UUID
    phase_id: UUID | None
    questions: tuple[str, ...]
    rules: tuple[ColumnRule, ...]
    shown: tuple[int, ...]
    tasks: Mapping[UUID, str]

    @property
    def scored_keys(self) -> tuple[str, ...]:
        """Keys of the columns that scoring programs fill."""
        return tuple(rule.key for rule in self.rules if rule.computation is None)

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """The columns of the table, in order."""
        return (
            *COLUMNS,
            *(TableColumn(f"answer.{key}", Kind.TEXT) for key in self.questions),
            *(TableColumn(f"score.{self.rules[at].key}", Kind.NUMBER) for at in self.shown),
            *(
                TableColumn(f"score[{index}].{key}", Kind.NUMBER)
                for index in self.tasks.values()
                for key in self.scored_keys
            ),
        )


def plan_export(competition: Competition, phase: Phase | None) -> ExportPlan:
    """What a table of these submissions has, of all phases or of one."""
    rules = column_rules(competition.leaderboards[0])
    tasks: dict[UUID, str] = {}
    for one in [phase] if phase else competition.phases:
        for entry in one.tasks:
            tasks.setdefault(entry.task_id, entry.index)
    return ExportPlan(
        competition_id=competition.id,
        phase_id=phase.id if phase else None,
        questions=tuple(question.key for question in questions_of(competition)),
        rules=tuple(rules),
        shown=tuple(at for at, rule in enumerate(rules) if rule.computation not in RANK_COMPUTATIONS),
        tasks=tasks,
    )


def read_rows(database: Database, plan: ExportPlan, *, at_once: int = ROWS_AT_ONCE) -> Iterator[list[Row]]:
    """The rows of a table in the order of their numbers, so many at once."""
    after = 0
    while True:
        with database.session() as session:
            found = session.execute(_submissions(plan, after).limit(at_once)).all()
            results = _results(session, plan, [row.results_id for row in found])
        if not found:
            return
        after = found[-1].number
        yield [_row(plan, row, results.get(row.results_id, _Results())) for row in found]


@dataclass(slots=True)
class _Results:
    """What came of a submission: of its evaluations, in the order of its tasks."""

    verdict: str | None = None
    wall_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    pool: str | None = None
    digests: dict[str, None] = field(default_factory=dict)
    scores: list[dict[str, float]] = field(default_factory=list)
    tasks: list[UUID] = field(default_factory=list)

    def add(self, task_id: UUID, verdict: str | None, programs: Sequence[Mapping[str, Any]], pool: str | None) -> None:
        self.verdict = self.verdict or verdict
        self.pool = self.pool or pool
        self.tasks.append(task_id)
        self.scores.append({})
        for program in programs:
            self.wall_seconds = (self.wall_seconds or 0.0) + program["wall_seconds"]
            if (cpu := program.get("cpu_seconds")) is not None:
                self.cpu_seconds = (self.cpu_seconds or 0.0) + cpu
            if (peak := program.get("peak_memory_bytes")) is not None:
                self.peak_memory_bytes = max(self.peak_memory_bytes or 0, peak)
            if digest := program.get("image_digest"):
                self.digests[digest] = None


def _submissions(plan: ExportPlan, after: int) -> Select[Any]:
    origin, adopted = aliased(Submission), aliased(Submission)
    query = (
        select(
            Submission.number,
            Submission.id,
            Person.username,
            Phase.name.label("phase"),
            Phase.position,
            Submission.status,
            Submission.status_message,
            Submission.message,
            Submission.filename,
            Submission.size,
            Submission.sha256,
            Submission.created,
            Submission.started,
            Submission.ended,
            Submission.on_leaderboard,
            Submission.counts,
            Submission.fact_sheet,
            origin.number.label("origin"),
            Rerun.number.label("rerun"),
            func.coalesce(Submission.results_id, Submission.id).label("results_id"),
        )
        .join(Person, Person.id == Submission.person_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(origin, origin.id == Submission.origin_id)
        .outerjoin(adopted, adopted.id == Submission.results_id)
        .outerjoin(Rerun, Rerun.id == adopted.rerun_id)
        .where(
            Submission.competition_id == plan.competition_id, Submission.rerun_id.is_(None), Submission.number > after
        )
        .order_by(Submission.number)
    )
    return query if plan.phase_id is None else query.where(Submission.phase_id == plan.phase_id)


def _results(session: Session, plan: ExportPlan, ids: Sequence[UUID]) -> dict[UUID, _Results]:
    found: dict[UUID, _Results] = {}
    by_evaluation: dict[UUID, dict[str, float]] = {}
    evaluations = (
        select(
            Evaluation.id,
            Evaluation.submission_id,
            Evaluation.task_id,
            Evaluation.verdict,
            Evaluation.programs,
            Pool.name,
        )
        .outerjoin(Attempt, Attempt.id == Evaluation.attempt_id)
        .outerjoin(Agent, Agent.id == Attempt.agent_id)
        .outerjoin(Pool, Pool.id == Agent.pool_id)
        .where(Evaluation.submission_id == any_(_ids(ids)))
        .order_by(Evaluation.submission_id, Evaluation.position)
    )
    for row in session.execute(evaluations):
        results = found.setdefault(row.submission_id, _Results())
        results.add(row.task_id, row.verdict, row.programs, row.name)
        by_evaluation[row.id] = results.scores[-1]
    scores = select(Score.evaluation_id, Score.key, Score.value).where(
        Score.evaluation_id == any_(_ids(list(by_evaluation))), Score.key.in_(plan.scored_keys)
    )
    for evaluation_id, key, value in session.execute(scores):
        by_evaluation[evaluation_id][key] = value
    return found


def _ids(ids: Sequence[UUID]) -> Any:  # noqa: ANN401  # an expression of an array, for which `any_` has no type
    # One parameter, however many there are.
    return bindparam("ids", list(ids), type_=ARRAY(Uuid(as_uuid=True)))


def _row(plan: ExportPlan, row: Any, results: _Results) -> Row:  # noqa: ANN401  # the columns of `_submissions`
    scores = results.scores if row.status is SubmissionStatus.FINISHED else []
    values = column_values(plan.rules, scores)
    by_task = dict(zip(results.tasks, results.scores, strict=True))
    cells: list[Cell] = [
        row.number,
        str(row.id),
        row.username,
        row.phase,
        row.position + 1,
        str(row.status),
        results.verdict,
        row.status_message,
        row.message,
        row.filename,
        row.size,
        row.sha256,
        _utc(row.created),
        _utc(row.started),
        _utc(row.ended),
        row.on_leaderboard,
        row.counts,
        row.origin,
        row.rerun,
        results.wall_seconds,
        results.cpu_seconds,
        results.peak_memory_bytes,
        results.pool,
        " ".join(results.digests) or None,
    ]
    cells += [_text(row.fact_sheet.get(key)) for key in plan.questions]
    cells += [values[at] for at in plan.shown]
    cells += [by_task.get(task, {}).get(key) for task in plan.tasks for key in plan.scored_keys]
    return cells


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _text(answer: object) -> str | None:
    return None if answer is None else str(answer)
