"""The new results of a rerun beside the old ones."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards.layout import facts
from podium.dashboards.markup import Html, element, join, text, unseen
from podium.dashboards.scores import MISSING, full_score_text, is_higher_better, score_text
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.reruns import RerunDifference, RerunReport


def report_facts(report: RerunReport) -> Html:
    """The totals."""
    scored = sum(one.new_status is not None for one in report.differences)
    return facts(
        (
            ("Scored again", f"{scored} of {len(report.differences)}"),
            ("Other results", str(report.changed)),
            ("Ranks that move", str(report.moved)),
            ("Would fail now", str(report.now_failing)),
            ("Would finish now", str(report.now_finished)),
        )
    )


def worth_showing(report: RerunReport, *, everything: bool, most: int) -> tuple[RerunDifference, ...]:
    """The differences to show, in their order: what fails now, changed or moved; or all there are."""
    shown = (one for one in report.differences if everything or one.changed or one.old_rank != one.new_rank)
    return tuple(shown)[:most]


def report_table(differences: Sequence[RerunDifference], columns: Sequence[ColumnRecord]) -> Html:
    """A row for each submission: its rank and its scores, before and after."""
    with_phase = len({one.phase for one in differences}) > 1
    titles = (column.title for column in columns)
    words = ("#", "Participant", *(("Phase",) if with_phase else ()), "Rank", "Status", *titles)
    head = element("thead", element("tr", *(element("th", text(word), scope="col") for word in words)))
    body = element("tbody", *(_line(one, columns, with_phase=with_phase) for one in differences))
    caption = element("caption", unseen("Old and new results, the largest changes of rank first"))
    table = element("table", caption, head, body, class_="podium-table podium-differences")
    return element("div", table, class_="podium-scroll", tabindex="0", role="region", aria_label="Old and new results")


def rank_words(old: int | None, new: int | None) -> str:
    """How a rank moves, such as `up 2 places`."""
    if old == new:
        return "not ranked" if old is None else "stays"
    if old is None:
        return "comes onto the leaderboard"
    if new is None:
        return "leaves the leaderboard"
    places = abs(old - new)
    return f"{'up' if new < old else 'down'} {places} place{'' if places == 1 else 's'}"


def rank_arrow(old: int | None, new: int | None) -> tuple[str, str]:
    """The arrow of a move and its kind, `better`, `worse` or `same`."""
    if old == new:
        return "=", "same"
    if new is None or (old is not None and new > old):
        return f"▼{'' if new is None or old is None else new - old}", "worse"
    return f"▲{'' if old is None else old - new}", "better"


def score_kind(old: float | None, new: float | None, column: ColumnRecord) -> str:
    """Whether a score gets `better`, `worse` or stays the `same`, by its column's direction."""
    if old == new:
        return "same"
    if new is None or old is None:
        return "worse" if new is None else "better"
    return "better" if (new > old) == is_higher_better(column) else "worse"


def _line(one: RerunDifference, columns: Sequence[ColumnRecord], *, with_phase: bool) -> Html:
    scores = zip(columns, _padded(one.old_scores, columns), _padded(one.new_scores, columns), strict=True)
    return element(
        "tr",
        element("th", text(one.number), scope="row"),
        element("td", text(one.participant), class_="name"),
        element("td", text(one.phase)) if with_phase else "",
        element("td", _rank(one)),
        element("td", _status(one)),
        *(element("td", _score(one, old, new, column)) for column, old, new in scores),
    )


def _padded(scores: Sequence[float | None], columns: Sequence[ColumnRecord]) -> Sequence[float | None]:
    return [*scores, *([None] * len(columns))][: len(columns)]


def _rank(one: RerunDifference) -> Html:
    if one.new_status is None or (one.old_rank is None and one.new_rank is None):
        return text(_place(one.old_rank))
    arrow, kind = rank_arrow(one.old_rank, one.new_rank)
    shown = element("span", text(arrow), class_=f"move {kind}", aria_hidden="true")
    moves = unseen(f", {rank_words(one.old_rank, one.new_rank)}")
    if one.old_rank == one.new_rank:
        return join(text(_place(one.new_rank)), text(" "), shown, moves)
    return join(_change(_place(one.old_rank), _place(one.new_rank), kind), text(" "), shown, moves)


def _status(one: RerunDifference) -> Html:
    if one.new_status is None:
        return text(f"{one.old_status}, not scored again")
    message = element("small", text(one.message)) if one.message else Html("")
    if one.new_status is one.old_status:
        return join(text(one.new_status), message)
    kind = "better" if one.new_status.value == "finished" else "worse"
    return join(_change(one.old_status, one.new_status, kind), message)


def _score(one: RerunDifference, old: float | None, new: float | None, column: ColumnRecord) -> Html:
    before = score_text(old, column.precision)
    if one.new_status is None:
        return text(before)
    after = score_text(new, column.precision)
    kind = score_kind(old, new, column)
    if kind == "same":
        return text(after)
    if before == after and old is not None and new is not None:
        # The column's digits hide what differs.
        before, after = full_score_text(old), full_score_text(new)
    return _change(before, after, kind)


def _change(old: str, new: str, kind: str) -> Html:
    return join(
        element("span", text(old), class_="old"),
        element("span", text(" → "), class_="arrow", aria_hidden="true"),
        unseen(" becomes "),
        element("span", text(new), class_=f"new {kind}"),
    )


def _place(rank: int | None) -> str:
    return MISSING if rank is None else str(rank)
