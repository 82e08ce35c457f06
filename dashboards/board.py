"""A leaderboard as a table: HTML that depends on nothing but its arguments, so that the same board is the same text.

A browser leaves an element alone whose text has not changed; this is what keeps a board that refreshes from flickering.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from podium.dashboards.layout import facts
from podium.dashboards.markup import Html, element, join, text, unseen
from podium.dashboards.navigation import PageName
from podium.dashboards.scores import (
    MISSING,
    answer_text,
    direction_arrow,
    direction_words,
    full_score_text,
    is_higher_better,
    ordinal,
    score_text,
    tied_ranks,
    unranked_reason,
)
from podium.dashboards.times import ago, clock, phase_words, stamp
from podium.platform.bundles.content import FactSheetQuestion
from podium.platform.records.competitions import ColumnRecord, PhaseRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow

_MEDALS = {1: "gold", 2: "silver", 3: "bronze"}


@dataclass(frozen=True, slots=True)
class BoardView:
    """How a board is shown to one viewer.

    Attributes:
        viewer: Username of the viewer, `None` for a visitor.
        changed: Participants whose row changed since the viewer last looked.
        tied: Ranks that several rows of the whole board share, as far as it is known.
        own: The viewer's best row, which is pinned above the others where it is none of them.
        by_task: Whether the scores of each task are shown too, where there are several.
    """

    viewer: str | None = None
    changed: frozenset[str] = frozenset()
    tied: frozenset[int] = frozenset()
    own: LeaderboardRow | None = None
    by_task: bool = False


def board_table(board: LeaderboardRecord, rows: Sequence[LeaderboardRow], view: BoardView) -> Html:
    """The table of some rows of a board, ranked ones first."""
    ranked = [row for row in rows if row.is_placed]
    unranked = [row for row in rows if not row.is_placed]
    bodies = []
    if view.own is not None and view.own.submission_id not in {row.submission_id for row in rows}:
        bodies.append(element("tbody", _row(board, view.own, view), class_="pinned"))
    bodies.append(element("tbody", *(_row(board, row, view) for row in ranked)))
    if unranked:
        bodies.append(element("tbody", _divider(_width(board, view)), *(_row(board, row, view) for row in unranked)))
    caption = element("caption", unseen(f"{board.title}, phase {board.phase}, ranked rows first"))
    return element("table", caption, _head(board, view), *bodies, class_="podium-board")


def changed_participants(before: Sequence[LeaderboardRow], after: Sequence[LeaderboardRow]) -> frozenset[str]:
    """Participants whose rank or scores are others than before, or who are new."""
    known = {row.participant: (row.rank, row.submission_id, row.scores) for row in before}
    return frozenset(
        row.participant for row in after if known.get(row.participant) != (row.rank, row.submission_id, row.scores)
    )


def view_of(
    rows: Sequence[LeaderboardRow],
    viewer: str | None,
    changed: Collection[str] = (),
    own: LeaderboardRow | None = None,
    *,
    by_task: bool = False,
) -> BoardView:
    """The view of some rows by a viewer."""
    return BoardView(viewer=viewer, changed=frozenset(changed), tied=tied_ranks(rows), own=own, by_task=by_task)


def _width(board: LeaderboardRecord, view: BoardView) -> int:
    of_tasks = len(_task_columns(board, view))
    return 4 + int(_has_results(board)) + len(board.columns) + of_tasks + len(board.questions)


def _task_columns(board: LeaderboardRecord, view: BoardView) -> Sequence[tuple[int, int]]:
    return board.task_columns if view.by_task else ()


def _head(board: LeaderboardRecord, view: BoardView) -> Html:
    cells = [
        _sortable("rank", text("Rank"), class_="rank"),
        _sortable("participant", text("Participant"), class_="who"),
        *(_column_heading(column) for column in board.columns),
        *(_column_heading(board.columns[at], board.tasks[task]) for task, at in _task_columns(board, view)),
        _sortable(
            "entries",
            text("Entries"),
            first="desc",
            class_="number",
            title="Submissions that were scored in this phase",
        ),
        *([element("th", text("Results"), scope="col", class_="results")] if _has_results(board) else []),
        _sortable("submitted", text("Submitted (UTC)"), first="desc", class_="time"),
        *(_sortable(f"fact {question.key}", text(question.title), class_="fact") for question in board.questions),
    ]
    return element("thead", element("tr", *cells))


def _sortable(key: str, words: Html, *, first: str = "asc", **attributes: str) -> Html:
    """A heading whose button sorts the rows by its column (see `sorting.js`), at first in the order `first`."""
    button = element("button", words, type="button")
    return element("th", button, scope="col", data_sort=key, data_first=first, **attributes)


def _column_heading(column: ColumnRecord, task: str = "") -> Html:
    """The heading of a column, or of what one task gave in it."""
    how = f", computed: {column.computation}" if column.computation else ""
    arrow = element("span", direction_arrow(column), class_="arrow", aria_hidden="true")
    of_task = element("span", text(task), class_="task") if task else Html("")
    return _sortable(
        f"column {column.key} {task}".rstrip(),
        join(of_task, text(column.title), Html(" "), arrow, unseen(f"({direction_words(column)})")),
        first="desc" if is_higher_better(column) else "asc",
        class_=_score_class(column, task),
        title=f"{column.title}{f' of {task}' if task else ''} ({direction_words(column)}){how}",
    )


def _score_class(column: ColumnRecord, task: str = "") -> str:
    if task:
        return "number of-task"
    return "number primary" if column.is_primary else "number"


def _divider(width: int) -> Html:
    return element("tr", element("th", text("Not ranked"), colspan=str(width), scope="rowgroup"), class_="divider")


def _row(board: LeaderboardRecord, row: LeaderboardRow, view: BoardView) -> Html:
    is_own = row.is_of(view.viewer)
    placed = row.is_placed
    kinds = {
        "own": is_own,
        "changed": row.participant in view.changed,
        "unranked": not placed,
        "baseline": row.is_baseline,
    }
    mark = baseline_mark() if row.is_baseline else rank_mark(row.rank, is_tied=row.rank in view.tied)
    order = row.place or row.rank
    cells = [
        element("td", mark, rank_change(row), class_="rank", data_v="" if order is None else str(order)),
        element("th", _participant(row, board.columns, is_own=is_own), scope="row", class_="who"),
        *(_score_cell(score, column) for column, score in zip(board.columns, row.scores, strict=False)),
        *(
            _score_cell(board.task_score(row, task, at), board.columns[at], board.tasks[task])
            for task, at in _task_columns(board, view)
        ),
        element("td", text(row.entries), class_="number"),
        *([element("td", _results_link(row), class_="results")] if _has_results(board) else []),
        element("td", text(stamp(row.submitted)), class_="time", title=clock(row.submitted)),
        *(_fact_cell(question, row) for question in board.questions),
    ]
    return element("tr", *cells, class_=" ".join(kind for kind, applies in kinds.items() if applies) or None)


def _has_results(board: LeaderboardRecord) -> bool:
    return any(row.has_detailed_results for row in board.rows)


def _results_link(row: LeaderboardRow) -> Html:
    """The way to a row's detailed results, in a tab of its own: the board stays where it is."""
    if not row.has_detailed_results:
        return Html("")
    return element(
        "a",
        text("Details"),
        unseen(f" of submission {row.submission_number} by {row.participant}"),
        href=f"{PageName.RESULTS}?submission={row.submission_id}",
        target="_blank",
        rel="noopener",
    )


def baseline_mark() -> Html:
    """What stands for the rank of a baseline."""
    return element("small", text("baseline"), class_="baseline", title="For comparison: it takes no rank")


def rank_mark(rank: int | None, *, is_tied: bool) -> Html:
    """A rank. The first three wear a medal that says so in words too."""
    if rank is None:
        return join(element("span", MISSING, aria_hidden="true"), unseen("not ranked"))
    tie = element("small", text("tie"), class_="tie", title=f"Shares rank {rank}") if is_tied else Html("")
    if rank in _MEDALS:
        mark = element(
            "span", text(ordinal(rank)), class_=f"medal {_MEDALS[rank]}", title=f"{_MEDALS[rank].capitalize()} medal"
        )
        return join(mark, tie)
    return join(element("span", text(rank), class_="plain"), tie)


def rank_change(row: LeaderboardRow) -> Html:
    """By how much somebody has risen or fallen, with words for those who don't see the arrow."""
    if row.rank is None or not row.rank_change:
        return Html("")
    ranks = abs(row.rank_change)
    way, mark, said = ("up", "▲", "risen") if row.rank_change > 0 else ("down", "▼", "fallen")
    before = f"It was {ordinal(row.previous_rank)}" if row.previous_rank is not None else None
    return element(
        "small",
        element("span", text(f"{mark}{ranks}"), aria_hidden="true"),
        unseen(f", {said} by {ranks}"),
        class_=f"change {way}",
        title=before,
    )


def _participant(row: LeaderboardRow, columns: Sequence[ColumnRecord], *, is_own: bool) -> Html:
    title = row.participant if row.team is None else f"{row.participant}: {', '.join(row.team) or 'nobody any more'}"
    name = element("span", text(row.participant), class_="name", title=title)
    team = element("small", text("team"), unseen(f" of {', '.join(row.team)}"), class_="team") if row.team else Html("")
    you = element("span", text("you"), class_="you") if is_own else Html("")
    reason = element("small", text(unranked_reason(row, columns)), class_="reason") if not row.is_placed else Html("")
    return join(name, team, you, reason)


def _score_cell(score: float | None, column: ColumnRecord, task: str = "") -> Html:
    shown = text(score_text(score, column.precision))
    if score is None:
        shown = join(element("span", shown, aria_hidden="true"), unseen("no score"))
    return element(
        "td",
        shown,
        class_=_score_class(column, task),
        data_v="" if score is None else full_score_text(score),
        title=None if score is None else full_score_text(score),
    )


def _fact_cell(question: FactSheetQuestion, row: LeaderboardRow) -> Html:
    answer = answer_text(question, row.fact_sheet)
    return element("td", text(answer), class_="fact", title=answer if len(answer) > 30 else None)


def status_line(board: LeaderboardRecord, phase: PhaseRecord, at: datetime, *, is_live: bool) -> Html:
    """Whether the board is live, how long its phase lasts, how long it is, and when it last changed."""
    live = element("span", text("Live" if is_live else "Not live"), class_="live" if is_live else "live off")
    length = "1 row" if board.total == 1 else f"{board.total} rows"
    words = (phase_words(phase, at), length) if board.total else (phase_words(phase, at),)
    parts = [live, *(element("span", text(part)) for part in words)]
    if board.updated is not None:
        when = element("time", text(f"({clock(board.updated)})"), datetime=board.updated.isoformat())
        parts.append(element("span", text(f"last change {ago(board.updated, at)} "), when))
    return element("p", *parts, class_="podium-status")


def own_place(row: LeaderboardRow, board: LeaderboardRecord, drawing: Html | None = None) -> Html:
    """The viewer's own row, above the board, with a small figure of their history where there is one."""
    rank = f"{ordinal(row.rank)} of {board.total}" if row.rank is not None else "not ranked"
    if row.rank is not None and row.rank_change:
        rank += f" ({'▲' if row.rank_change > 0 else '▼'}{abs(row.rank_change)})"
    scores = [
        (column.title, score_text(score, column.precision))
        for column, score in zip(board.columns, row.scores, strict=False)
        if score is not None
    ]
    return element(
        "section",
        element("p", text("Your place"), class_="word"),
        element("p", text(rank), class_="rank"),
        facts([*scores[:4], ("Entries", str(row.entries))]),
        drawing or "",
        class_="podium-own",
        aria_label="Your place",
    )
