"""Leaderboards of a CodaLab bundle: one section for all of them, with their columns beside them.

Columns stand in the order of their `rank`, those of a column group side by side at the place of the group. The one
with the largest `selection_default` ranks, else the first. `computed` columns are over ranks: `Avg` and `MRR`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from podium.platform.bundles.content import ColumnContent, Computation, LeaderboardContent, Sorting, SubmissionRule
from podium.platform.bundles.fields import Section, Value, did_you_mean
from podium.platform.bundles.findings import shown
from podium.platform.bundles.v1_computed import read_computed
from podium.platform.bundles.v2_leaderboards import (
    DEFAULT_PRECISION,
    MAX_COLUMN_TITLE_LENGTH,
    MAX_KEY_LENGTH,
    MAX_PRECISION,
    MAX_TITLE_LENGTH,
)
from podium.platform.bundles.yaml_source import Entry, Mapping, Scalar

LEADERBOARD_FIELDS = ("leaderboards", "columns", "column_groups")
BOARD_FIELDS = ("label", "rank")
GROUP_FIELDS = ("label", "rank")
COLUMN_FIELDS = (
    "label",
    "leaderboard",
    "column_group",
    "rank",
    "sort",
    "numeric_format",
    "hidden",
    "selection_default",
    "computed",
)


@dataclass(frozen=True, slots=True)
class _Named:
    """A leaderboard or a column group: named by its key in the file, and by columns through its label too."""

    key: str
    label: str
    rank: int
    section: Section


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it was read; `order` is where it stands, and `selection` how much it wants to rank."""

    key: str
    title: str
    board: str
    order: tuple[int, int, int, int]
    selection: int
    section: Section
    sorting: Sorting
    precision: int
    hidden: bool
    computation: Computation | None
    sources: tuple[str, ...]
    weights: tuple[float, ...]


def read_leaderboards(
    value: Value | None, rule: SubmissionRule, *, hidden: bool, anonymous: bool
) -> tuple[LeaderboardContent, ...]:
    """Read the section `leaderboard`; what stands on each leaderboard, and who sees it, is the same."""
    section = value.section("the leaderboard", LEADERBOARD_FIELDS) if value else None
    if section is None:
        return ()
    boards = sorted(_named(section, "leaderboards", "a leaderboard", BOARD_FIELDS), key=lambda board: board.rank)
    groups = _named(section, "column_groups", "a column group", GROUP_FIELDS)
    columns = _columns(section, boards, groups)
    contents = []
    for board in boards:
        own = sorted((column for column in columns if column.board == board.key), key=lambda column: column.order)
        if own or not columns:
            contents.append(replace(_board(board, own, rule, hidden=hidden), anonymous=anonymous))
        else:
            board.section.whole.warning("No column names this leaderboard, so it is left out.")
    if len(contents) > 1:
        boards[1].section.whole.warning(
            "There are several leaderboards; the first one is shown and ranks.",
            "Give the one that counts the least `rank`, or move all columns to one.",
        )
    return tuple(contents)


def _named(section: Section, name: str, what: str, fields: Collection[str]) -> list[_Named]:
    value = section.value(name)
    if value is None:
        if name == "leaderboards":
            section.required(name, "Write each one as a name with its `label` and `rank` below.")
        return []
    if not isinstance(value.node, Mapping):
        value.expected(f"{what} by its name", "Write each one as a name with its `label` and `rank` below.")
        return []
    whole = Section(value, value.node)
    if name == "leaderboards" and not value.node.entries:
        value.error("`leaderboards` is empty.", "A competition needs a leaderboard.")
    found: list[_Named] = []
    for position, entry in enumerate(value.node.entries, start=1):
        inner = whole.at(entry)
        # A group may be a name and nothing more.
        bare = isinstance(entry.value, Scalar) and entry.value.tag == "null" and name == "column_groups"
        if bare:
            inner = replace(inner, node=Mapping(entry.line, ()))
        if one := inner.section(what, fields):
            label = one.text("label", max_length=MAX_TITLE_LENGTH)
            rank = one.number("rank", default=position)
            _check_length(inner, entry.key, MAX_KEY_LENGTH)
            found.append(_Named(entry.key, label or ("" if name == "column_groups" else entry.key), rank, one))
    return found


def _check_length(place: Value, key: str, maximum: int) -> None:
    if len(key) > maximum:
        place.error(f"The name has {len(key)} characters; up to {maximum} are allowed.")
    elif not key.strip():
        place.error("The name is empty.")


def _columns(section: Section, boards: Sequence[_Named], groups: Sequence[_Named]) -> list[_Column]:
    value = section.required("columns", "A leaderboard needs a column to rank by.")
    if value is None:
        return []
    if not isinstance(value.node, Mapping):
        value.expected("columns by their keys", "Write each one as the name of a score with its fields below.")
        return []
    if not value.node.entries:
        value.error("`columns` is empty.", "A leaderboard needs a column to rank by.")
    whole = Section(value, value.node)
    columns: list[_Column] = []
    first_of_group: dict[str, int] = {}
    for position, entry in enumerate(value.node.entries, start=1):
        if one := whole.at(entry).section("a column", COLUMN_FIELDS):
            columns.append(_column(entry, position, one, boards, groups, first_of_group))
    _check_sources(columns)
    return columns


def _column(
    entry: Entry,
    position: int,
    section: Section,
    boards: Sequence[_Named],
    groups: Sequence[_Named],
    first_of_group: dict[str, int],
) -> _Column:
    _check_length(section.whole, entry.key, MAX_KEY_LENGTH)
    board = _board_of(section, boards)
    group = _find(section.value("column_group"), groups, "column group")
    rank = section.number("rank", default=position)
    order = (rank, position, rank, position)
    if group:
        order = (group.rank, first_of_group.setdefault(group.key, position), rank, position)
    computation, sources, weights = read_computed(section)
    return _Column(
        key=entry.key,
        title=_title(section, group, entry.key),
        board=board.key if board else "",
        order=order,
        selection=section.number("selection_default", default=0),
        section=section,
        sorting=_sorting(section, computation),
        precision=section.number("numeric_format", default=DEFAULT_PRECISION, maximum=MAX_PRECISION),
        hidden=section.flag("hidden", default=False),
        computation=computation,
        sources=sources,
        weights=weights,
    )


def _board_of(section: Section, boards: Sequence[_Named]) -> _Named | None:
    value = section.value("leaderboard")
    if value is None and len(boards) == 1:
        section.place_of("leaderboard").warning(
            "`leaderboard` is missing; the only one is taken.", f"Write `leaderboard: {boards[0].key}`."
        )
        return boards[0]
    if value is None:
        if boards:
            section.required("leaderboard", f"Name one of {_listed(boards)}.")
        return None
    return _find(value, boards, "leaderboard")


def _find(value: Value | None, named: Sequence[_Named], what: str) -> _Named | None:
    """Find what a column refers to: by an alias of its whole section, which has the label, or by its name."""
    if value is None:
        return None
    if isinstance(value.node, Mapping):
        label = value.node.get("label")
        word = label.value.text.strip() if label and isinstance(label.value, Scalar) else ""
    else:
        word = value.text() or ""
    folded = word.casefold()
    for one in named:
        if folded and folded in (one.label.casefold(), one.key.casefold()):
            return one
    if named or what == "column group":
        value.error(f"There is no {what} {shown(word)}.", did_you_mean(word, [one.key for one in named]))
    return None


def _title(section: Section, group: _Named | None, key: str) -> str:
    label = section.text("label") or key
    title = f"{group.label} {label}".strip() if group else label
    if len(title) > MAX_COLUMN_TITLE_LENGTH:
        section.place_of("label").warning(
            f"The title {shown(title)} is longer than {MAX_COLUMN_TITLE_LENGTH} characters, and is cut.",
            "Shorten the column's label, or its group's.",
        )
        title = title[: MAX_COLUMN_TITLE_LENGTH - 1].rstrip() + "…"
    return title


def _sorting(section: Section, computation: Computation | None) -> Sorting:
    is_average = computation is Computation.AVERAGE_RANK
    value = section.value("sort")
    if value is None:
        if is_average:
            section.place_of("computed").warning(
                "`sort` is missing: the least average of ranks stands first. CodaLab puts the largest there.",
                "Write `sort: asc`.",
            )
        return Sorting.ASC if is_average else Sorting.DESC
    sorting = value.choice(Sorting) or Sorting.DESC
    if is_average and sorting is Sorting.DESC:
        value.warning("With `sort: desc`, the worst average of ranks stands first.", "Write `sort: asc`.")
    return sorting


def _check_sources(columns: Sequence[_Column]) -> None:
    """A computed column is made from columns of its board that hold a score, or are computed before it."""
    by_key = {column.key: column for column in columns}
    computed: set[str] = set()
    for column in columns:
        place = column.section.place_of("computed")
        for key in column.sources:
            source = by_key.get(key)
            if source is None:
                place.error(f"There is no column {shown(key)}.", did_you_mean(key, by_key))
            elif source.board != column.board:
                place.error(f"The column {shown(key)} is on another leaderboard.", "Compute columns from their own.")
            elif source.section.value("computed") and key not in computed:
                place.error(
                    f"The column {shown(key)} is computed after this one, or is this one.", "Put it before this one."
                )
        if column.section.value("computed"):
            computed.add(column.key)


def _board(board: _Named, columns: Sequence[_Column], rule: SubmissionRule, *, hidden: bool) -> LeaderboardContent:
    indexes = {column.key: index for index, column in enumerate(columns)}
    most = max((column.selection for column in columns), default=0)
    primary = next((at for at, column in enumerate(columns) if most and column.selection == most), 0)
    return LeaderboardContent(
        title=board.label,
        key=board.key,
        submission_rule=rule,
        hidden=hidden,
        primary_index=primary,
        columns=tuple(_content(column, indexes) for column in columns),
    )


def _content(column: _Column, indexes: dict[str, int]) -> ColumnContent:
    return ColumnContent(
        index=indexes[column.key],
        title=column.title,
        key=column.key,
        sorting=column.sorting,
        computation=column.computation,
        computation_indexes=tuple(indexes[key] for key in column.sources if key in indexes),
        precision=column.precision,
        hidden=column.hidden,
        computation_weights=column.weights,
    )


def _listed(boards: Sequence[_Named]) -> str:
    return ", ".join(shown(board.key) for board in boards[:10])
