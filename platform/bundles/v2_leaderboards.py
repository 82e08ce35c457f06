"""Leaderboards of a version 2 bundle, with their columns."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from podium.platform.bundles.content import (
    RANK_COMPUTATIONS,
    ColumnContent,
    Computation,
    LeaderboardContent,
    Ranking,
    Sorting,
    SubmissionRule,
)
from podium.platform.bundles.fields import NO_LINE, Section, Value
from podium.platform.bundles.findings import shown
from podium.platform.bundles.yaml_source import Scalar

LEADERBOARD_FIELDS = (
    "title",
    "key",
    "submission_rule",
    "hidden",
    "primary_index",
    "columns",
    "ranking",
    "anonymous",
    "freeze_hours",
    "rank_change_hours",
    "organizers_are_baselines",
)
COLUMN_FIELDS = (
    "index",
    "title",
    "key",
    "sorting",
    "computation",
    "computation_indexes",
    "computation_weights",
    "precision",
    "hidden",
    "ranking_precision",
    "tie_tolerance",
    "exclude_from_ranking",
)
MAX_TITLE_LENGTH = 64
MAX_KEY_LENGTH = 36
MAX_COLUMN_TITLE_LENGTH = 36
MAX_PRECISION = 15
DEFAULT_PRECISION = 2
DEFAULT_RANK_CHANGE_HOURS = 96.0
MAX_HOURS = 24.0 * 366

# Many bundles number their leaderboards; the order of the list is what counts.
_IGNORED_LEADERBOARD_FIELDS = ("index",)


@dataclass(frozen=True, slots=True)
class _Column:
    section: Section
    content: ColumnContent


def read_leaderboards(values: Collection[Value]) -> tuple[LeaderboardContent, ...]:
    """Read the list of leaderboards."""
    boards: list[LeaderboardContent] = []
    keys = _Different("key", "leaderboard")
    for number, value in enumerate(values):
        if section := value.section("a leaderboard", LEADERBOARD_FIELDS, _IGNORED_LEADERBOARD_FIELDS):
            board = _leaderboard(section)
            keys.check(section, board.key)
            boards.append(board)
        if number == 1:
            value.warning(
                "Codabench shows the first leaderboard alone; Podium reads every one.",
                "Delete those that are not meant to be seen.",
            )
    return tuple(boards)


def _leaderboard(section: Section) -> LeaderboardContent:
    columns = _columns(section.required_items("columns", "A leaderboard needs a column to rank by."))
    primary_index = _primary_index(section, [column.content.index for column in columns])
    _check_that_the_primary_ranks(columns, primary_index)
    return LeaderboardContent(
        title=section.required_text("title", max_length=MAX_TITLE_LENGTH),
        key=section.required_text("key", max_length=MAX_KEY_LENGTH),
        submission_rule=section.choice("submission_rule", SubmissionRule, default=SubmissionRule.ADD),
        hidden=section.flag("hidden", default=False),
        primary_index=primary_index,
        columns=tuple(column.content for column in columns),
        ranking=section.choice("ranking", Ranking, default=Ranking.LEXICOGRAPHIC),
        anonymous=section.flag("anonymous", default=False),
        freeze_hours=_freeze_hours(section),
        rank_change_hours=section.decimal(
            "rank_change_hours", default=DEFAULT_RANK_CHANGE_HOURS, minimum=0, maximum=MAX_HOURS
        ),
        organizers_are_baselines=section.flag("organizers_are_baselines", default=False),
    )


def _freeze_hours(section: Section) -> float | None:
    """Read how long before the end of a phase its board freezes; without the field, and for 0, it never does."""
    return section.decimal("freeze_hours", default=0.0, minimum=0, maximum=MAX_HOURS) or None


def _check_that_the_primary_ranks(columns: Collection[_Column], primary_index: int) -> None:
    for column in columns:
        if column.content.index == primary_index and column.content.exclude_from_ranking:
            column.section.place_of("exclude_from_ranking").error(
                "The column that ranks first can't be excluded from the ranking.",
                "Let another one rank first with `primary_index`, or leave this out.",
            )


def _primary_index(section: Section, indexes: Collection[int]) -> int:
    wanted = section.number("primary_index", default=0)
    if wanted in indexes or not indexes:
        return wanted
    value = section.value("primary_index")
    if value:
        value.error(f"No column has the index {wanted}.", f"The columns are {_listed(indexes)}.")
        return wanted
    section.place_of("columns").warning(
        f"No column has the index 0, so the one with index {min(indexes)} ranks.",
        "Say which one ranks with `primary_index`.",
    )
    return min(indexes)


def _columns(values: Collection[Value]) -> list[_Column]:
    columns: list[_Column] = []
    keys, indexes = _Different("key", "column"), _Different("index", "column")
    for value in values:
        if section := value.section("a column", COLUMN_FIELDS):
            column = _column(section)
            keys.check(section, column.content.key)
            if column.content.index >= 0:
                indexes.check(section, str(column.content.index))
                columns.append(column)
    _check_computations(columns)
    return sorted(columns, key=lambda column: column.content.index)


def _column(section: Section) -> _Column:
    index = section.required("index", "Number the columns from 0.")
    number = index.number() if index else None
    computation = section.value("computation")
    computed = computation.choice(Computation) if computation and not _is_blank(computation) else None
    # The less the average of the ranks, the better, unless somebody says otherwise.
    usual_sorting = Sorting.ASC if computed is Computation.AVERAGE_RANK else Sorting.DESC
    return _Column(
        section,
        ColumnContent(
            index=-1 if number is None else number,
            title=section.required_text("title", max_length=MAX_COLUMN_TITLE_LENGTH),
            key=section.required_text("key", max_length=MAX_KEY_LENGTH),
            sorting=section.choice("sorting", Sorting, default=usual_sorting),
            computation=computed,
            computation_indexes=_computation_indexes(section),
            precision=section.number("precision", default=DEFAULT_PRECISION, maximum=MAX_PRECISION),
            hidden=section.flag("hidden", default=False),
            computation_weights=_computation_weights(section),
            ranking_precision=_ranking_precision(section),
            tie_tolerance=section.decimal("tie_tolerance", default=0.0, minimum=0),
            exclude_from_ranking=section.flag("exclude_from_ranking", default=False),
        ),
    )


def _ranking_precision(section: Section) -> int | None:
    value = section.value("ranking_precision")
    if value is None:
        return None
    if section.value("tie_tolerance") is not None:
        section.place_of("tie_tolerance").error(
            "A column has `ranking_precision` or `tie_tolerance`, and not both.",
            "Round the values, or say how far apart they may be to be the same.",
        )
    return value.number(maximum=MAX_PRECISION)


def _is_blank(value: Value) -> bool:
    return isinstance(value.node, Scalar) and not value.node.text.strip()


def _computation_indexes(section: Section) -> tuple[int, ...]:
    """Read a list of indexes of columns; exports write it as one text, with commas."""
    value = section.value("computation_indexes")
    if value is None or _is_blank(value):
        return ()
    found: list[int] = []
    for part in _split(value):
        number = part.number()
        if number in found:
            part.warning(f"Column {number} is listed twice, and counts once.")
        elif number is not None:
            found.append(number)
    return tuple(found)


def _computation_weights(section: Section) -> tuple[float, ...]:
    """Read a list of numbers; one text with commas will do, as for the indexes."""
    value = section.value("computation_weights")
    if value is None or _is_blank(value):
        return ()
    weights = [part.decimal() for part in _split(value)]
    return tuple(weight for weight in weights if weight is not None)


def _split(value: Value) -> tuple[Value, ...]:
    if not isinstance(value.node, Scalar):
        return value.items()
    texts = value.node.text.split(",")
    return tuple(replace(value, node=Scalar(value.line, text.strip(), "str")) for text in texts)


def _check_computations(columns: Collection[_Column]) -> None:
    indexes = {column.content.index for column in columns}
    for column in columns:
        _check_computation(column, indexes)
    computed = [column for column in columns if column.content.computation]
    graph = {column.content.index: set(column.content.computation_indexes) for column in computed}
    graph = {index: sources - {index} for index, sources in graph.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[int] = error.args[1]
        column = next(column for column in computed if column.content.index in circle)
        column.section.place_of("computation_indexes").error(
            f"These columns are computed from each other in a circle: {', '.join(map(str, circle))}.",
            "Compute columns from scores, or from columns that don't come back to them.",
        )


def _check_computation(column: _Column, indexes: Collection[int]) -> None:
    content, sources = column.content, column.section.place_of("computation_indexes")
    if content.computation and not content.computation_indexes:
        column.section.place_of("computation").error(
            f"`computation: {content.computation.value}` needs `computation_indexes`.",
            "List the indexes of the columns that it is computed from.",
        )
    if content.computation_indexes and column.section.value("computation") is None:
        sources.warning(
            "`computation_indexes` does nothing without `computation`.",
            "Add avg, sum, min, max, average_rank or mean_reciprocal_rank, or leave it out.",
        )
        return
    _check_weights(column)
    if content.index in content.computation_indexes:
        sources.error(f"Column {content.index} is computed from itself.", "Leave its own index out.")
    for missing in sorted(set(content.computation_indexes) - set(indexes)):
        sources.error(f"No column has the index {missing}.", f"The columns are {_listed(indexes)}.")


def _check_weights(column: _Column) -> None:
    content, place = column.content, column.section.place_of("computation_weights")
    weights, sources = len(content.computation_weights), len(content.computation_indexes)
    if weights and content.computation not in RANK_COMPUTATIONS:
        place.warning("`computation_weights` are for `average_rank` and `mean_reciprocal_rank`, and are ignored.")
    elif weights and weights != sources:
        place.error(
            f"The number of weights ({weights}) is not that of the columns ({sources}).",
            "Give each of `computation_indexes` one.",
        )


class _Different:
    """Values of one field that are to be different in every item of a list."""

    def __init__(self, field: str, what: str) -> None:
        self._field = field
        self._what = what
        self._places: dict[str, str] = {}

    def check(self, section: Section, text: str) -> None:
        if not text:
            return
        place = section.place_of(self._field)
        if text in self._places:
            place.error(
                f"The {self._field} {shown(text)} is taken by the {self._what} {self._places[text]}.",
                f"Give each {self._what} its own {self._field}.",
            )
        self._places.setdefault(text, f"on {place.where}" if place.line != NO_LINE else f"of {place.where}")


def _listed(indexes: Collection[int]) -> str:
    return ", ".join(map(str, sorted(indexes)[:20])) + (", …" if len(indexes) > 20 else "")
