"""All submissions of a competition as a table: read in pieces, so that a million take no more memory than a thousand.

Each piece is a transaction of its own, which is over before anybody waits for the network: a slow reader holds nothing
of the database. A submission that changes in between stands there once, as it was when its piece was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import LateralFromClause
from sqlalchemy.types import NullType

from podium.platform.bundles.content import RANK_COMPUTATIONS
from podium.platform.database import Database
from podium.platform.leaderboard.columns import ColumnRule, column_values, finite
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
    TableColumn("excluded", Kind.FLAG, "Whether an organizer keeps it off the leaderboard."),
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
_STATUS = [column.name for column in COLUMNS].index("status")
_DIGESTS = [column.name for column in COLUMNS].index("image_digest")
_REMEMBERED = 1000


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
    """The rows of a table in the order of their numbers, so many at once.

    While one piece is written the next one is read, but no more than that: whoever reads slowly holds up nobody.
    """
    query = _query(plan).limit(at_once)
    make = _RowMaker(plan)

    def read(after: int) -> Sequence[Any]:
        with database.session() as session:
            # Nothing of it is an object of the session: asked by the connection, rows cost half as much.
            return session.connection().execute(query, {"after": after}).all()

    with ThreadPoolExecutor(1, thread_name_prefix="export") as ahead:
        found = read(0)
        while found:
            following = ahead.submit(read, found[-1][0])
            yield [make(row) for row in found]
            found = following.result()


def _query(plan: ExportPlan) -> Select[Any]:
    """The cells of `COLUMNS`, then the answers, then what each task gave: ids of tasks, and values by key."""
    origin, adopted = aliased(Submission), aliased(Submission)
    results = _results(plan, func.coalesce(Submission.results_id, Submission.id))
    query = (
        select(
            Submission.number,
            cast(Submission.id, Text),
            Person.username,
            Phase.name,
            Phase.position + 1,
            cast(Submission.status, Text),
            results.c.verdict,
            Submission.status_message,
            Submission.message,
            Submission.filename,
            Submission.size,
            Submission.sha256,
            Submission.created,
            Submission.started,
            Submission.ended,
            Submission.on_leaderboard,
            Submission.excluded,
            Submission.counts,
            origin.number,
            Rerun.number,
            results.c.wall_seconds,
            results.c.cpu_seconds,
            results.c.peak_memory_bytes,
            results.c.pool,
            results.c.digests,
            *(Submission.fact_sheet[key].astext for key in plan.questions),
            results.c.tasks,
            *(results.c[f"score_{at}"] for at in range(len(plan.scored_keys))),
        )
        .join(Person, Person.id == Submission.person_id)
        .join(Phase, Phase.id == Submission.phase_id)
        .outerjoin(origin, origin.id == Submission.origin_id)
        .outerjoin(adopted, adopted.id == Submission.results_id)
        .outerjoin(Rerun, Rerun.id == adopted.rerun_id)
        .join(results, true())
        .where(
            Submission.competition_id == plan.competition_id,
            Submission.rerun_id.is_(None),
            Submission.number > bindparam("after", type_=Integer),
        )
        .order_by(Submission.number)
    )
    return query if plan.phase_id is None else query.where(Submission.phase_id == plan.phase_id)


def _results(plan: ExportPlan, submission_id: ColumnElement[UUID]) -> LateralFromClause:
    """What came of a submission: one row, whatever there is of evaluations; in the order of its tasks."""
    programs, scores = _programs(), _scores(plan)

    def in_order(value: Any) -> Any:  # noqa: ANN401  # an aggregate, of whatever it is of
        return func.array_agg(aggregate_order_by(value, Evaluation.position))

    def first(value: Any) -> Any:  # noqa: ANN401
        return in_order(value).filter(value.is_not(None))[1]

    def as_it_comes(value: Any) -> Any:  # noqa: ANN401
        # Without a type, the driver's lists are not gone through again.
        return type_coerce(in_order(value), NullType())

    return (
        select(
            first(cast(Evaluation.verdict, Text)).label("verdict"),
            func.sum(programs.c.wall_seconds).label("wall_seconds"),
            func.sum(programs.c.cpu_seconds).label("cpu_seconds"),
            func.max(programs.c.peak_memory_bytes).label("peak_memory_bytes"),
            first(Pool.name).label("pool"),
            func.string_agg(programs.c.digests, aggregate_order_by(literal_column("' '"), Evaluation.position)).label(
                "digests"
            ),
            as_it_comes(cast(Evaluation.task_id, Text)).label("tasks"),
            *(as_it_comes(scores.c[f"score_{at}"]).label(f"score_{at}") for at in range(len(plan.scored_keys))),
        )
        .select_from(Evaluation)
        .outerjoin(Attempt, Attempt.id == Evaluation.attempt_id)
        .outerjoin(Agent, Agent.id == Attempt.agent_id)
        .outerjoin(Pool, Pool.id == Agent.pool_id)
        .join(programs, true())
        .join(scores, true())
        .where(Evaluation.submission_id == submission_id)
        .lateral("results")
    )


def _programs() -> LateralFromClause:
    """What was measured of an evaluation's programs, all together."""
    of_one = func.jsonb_to_recordset(Evaluation.programs).table_valued(
        column("wall_seconds", Double),
        column("cpu_seconds", Double),
        column("peak_memory_bytes", Numeric),
        column("image_digest", Text),
    )
    measured = of_one.render_derived("program", with_types=True)
    return select(
        func.sum(measured.c.wall_seconds).label("wall_seconds"),
        func.sum(measured.c.cpu_seconds).label("cpu_seconds"),
        cast(func.max(measured.c.peak_memory_bytes), BigInteger).label("peak_memory_bytes"),
        func.string_agg(func.nullif(measured.c.image_digest, ""), literal_column("' '")).label("digests"),
    ).lateral("programs")


def _scores(plan: ExportPlan) -> LateralFromClause:
    """What an evaluation gave, a column for each key."""
    values = (
        func.max(Score.value).filter(Score.key == key).label(f"score_{at}") for at, key in enumerate(plan.scored_keys)
    )
    return select(func.count().label("count"), *values).where(Score.evaluation_id == Evaluation.id).lateral("scores")


class _RowMaker:
    """Makes rows of a table of what `_query` gives."""

    def __init__(self, plan: ExportPlan) -> None:
        self._plan = plan
        self._keys = plan.scored_keys
        self._tasks_at = len(COLUMNS) + len(plan.questions)
        self._has_computed = any(rule.computation is not None for rule in plan.rules)
        self._wanted = [str(task) for task in plan.tasks]
        self._places: dict[tuple[str, ...], tuple[int | None, ...]] = {}
        self._digests: dict[str, str] = {}

    def __call__(self, row: Sequence[Any]) -> Row:
        """A row of the table."""
        cells: list[Cell] = list(row[: self._tasks_at])
        if digests := cells[_DIGESTS]:
            assert isinstance(digests, str)
            cells[_DIGESTS] = self._distinct(digests)
        tasks: Sequence[str] = row[self._tasks_at] or ()
        # By key, and in each of them by task.
        scores: Sequence[Sequence[float | None]] = [given or () for given in row[self._tasks_at + 1 :]]
        cells += self._values(len(tasks), scores) if row[_STATUS] == SubmissionStatus.FINISHED else self._nothing()
        for place in self._places_of(tuple(tasks)):
            cells += [None if place is None else given[place] for given in scores]
        return cells

    def _values(self, tasks: int, scores: Sequence[Sequence[float | None]]) -> Sequence[float | None]:
        """The values of the leaderboard's columns."""
        if tasks == 1 and not self._has_computed:
            # What nearly every row of a large table is.
            return [finite(given[0]) for given in scores]
        by_task = [
            {key: value for key, given in zip(self._keys, scores, strict=True) if (value := given[at]) is not None}
            for at in range(tasks)
        ]
        values = column_values(self._plan.rules, by_task)
        return [values[at] for at in self._plan.shown]

    def _nothing(self) -> Sequence[None]:
        return [None] * len(self._plan.shown)

    def _places_of(self, tasks: tuple[str, ...]) -> tuple[int | None, ...]:
        """Where each task of the table stands among those of a submission."""
        if tasks not in self._places:
            self._places[tasks] = tuple(tasks.index(task) if task in tasks else None for task in self._wanted)
        return self._places[tasks]

    def _distinct(self, digests: str) -> str:
        if digests not in self._digests:
            if len(self._digests) >= _REMEMBERED:
                self._digests.clear()
            self._digests[digests] = " ".join(dict.fromkeys(digests.split(" ")))
        return self._digests[digests]
