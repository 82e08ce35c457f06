"""The HTML of a public leaderboard: it depends on nothing but the board, so that the same board is the same bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from podium.platform.bundles.content import Ranking, Sorting
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow
from podium.platform.records.score_text import MISSING, score_text

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8").strip()
_SCRIPT = (_FOLDER / "page.js").read_text(encoding="utf-8").strip()
_MEDALS = 3
VERSION_MARK = "@version@"
"""Stands in a page where its version goes, which is made of all the rest of it."""


@dataclass(frozen=True, slots=True)
class PhaseLink:
    """A phase of the competition, for the way from one board to another."""

    number: int
    name: str
    begins: datetime
    ends: datetime | None


def page_policy(embedders: Sequence[str]) -> str:
    """The Content-Security-Policy of a page: its own script and style, its own address, and who may frame it."""
    frames = " ".join(embedders) or "'none'"
    return (
        f"default-src 'none'; script-src '{_digest(_SCRIPT)}'; style-src '{_digest(_STYLE)}'; connect-src 'self'; "
        f"frame-ancestors {frames}; base-uri 'none'; form-action 'none'"
    )


def board_page(board: LeaderboardRecord, phases: Sequence[PhaseLink], number: int) -> str:
    """A board as a page, with `VERSION_MARK` where its version goes.

    Args:
        board: What a visitor may see of it.
        phases: All phases of the competition.
        number: Of the phase whose board it is, from 1.
    """
    here = next((phase for phase in phases if phase.number == number), None)
    title = f"{board.competition_title}: {board.title}"
    main = "".join(
        (
            f'<p class="above">{escape(board.title)}</p><h1>{escape(board.competition_title)}</h1>',
            _status(board, here),
            _phases(phases, number),
            *(f'<p class="notice" role="note">{escape(words)}</p>' for words in _notices(board)),
            _table(board) if board.rows else _nothing(here),
            _footer(number),
        )
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-version="{VERSION_MARK}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main>{main}</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _time(moment: datetime, *, kind: str = "%Y-%m-%d %H:%M UTC") -> str:
    utc = moment.astimezone(UTC)
    return f'<time datetime="{utc.isoformat()}">{utc.strftime(kind)}</time>'


def _status(board: LeaderboardRecord, phase: PhaseLink | None) -> str:
    said = [f"<span>Phase {escape(board.phase)}</span>"]
    if phase is not None:
        until = f" to {_time(phase.ends)}" if phase.ends is not None else ", no deadline"
        said.append(f"<span>{_time(phase.begins)}{until}</span>")
    if board.total:
        said.append(f"<span>{board.total:,} row{'' if board.total == 1 else 's'}</span>")
    if board.updated is not None:
        said.append(f"<span>last change {_time(board.updated)}</span>")
    return f'<p class="status">{" ".join(said)}</p>'


def _phases(phases: Sequence[PhaseLink], number: int) -> str:
    if len(phases) < 2:
        return ""
    links = "".join(
        f'<li><a href="leaderboard.html?phase={phase.number}"{" aria-current=page" if phase.number == number else ""}>'
        f"{escape(phase.name)}</a></li>"
        for phase in phases
    )
    return f'<nav aria-label="Phases"><ul>{links}</ul></nav>'


def _notices(board: LeaderboardRecord) -> list[str]:
    said = []
    if board.frozen_since is not None:
        said.append(
            f"The board is frozen: this is how it stood at {board.frozen_since.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        )
    if board.anonymous:
        said.append("Names are hidden on this board.")
    if len(board.rows) < board.total:
        said.append(f"These are the first {len(board.rows):,} of {board.total:,} rows; the CSV has all of them.")
    return said


def _table(board: LeaderboardRecord) -> str:
    changes = any(row.rank_change for row in board.rows)
    heads = [
        _head("Rank", kind="number", class_="rank"),
        _head("Participant", kind="text", class_="who"),
        *(_column_head(column) for column in board.columns),
        _head("Entries", kind="number", class_="number", first="desc"),
        _head("Submitted (UTC)", kind="text", class_="time", first="desc"),
        *(_head(question.title, kind="text") for question in board.questions),
        *(_column_head(board.columns[at], board.tasks[task]) for task, at in board.task_columns),
    ]
    rows = "".join(_row(board, row) for row in board.rows)
    caption = f"{board.competition_title}, phase {board.phase}: {board.title}, best first"
    return (
        '<input class="find" type="search" placeholder="Find a participant" aria-label="Find a participant" hidden>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Leaderboard">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{''.join(heads)}</tr></thead><tbody>{rows}</tbody></table>"
        f'</div><p class="legend">{escape(" ".join(_legend(board, has_changes=changes)))}</p>'
    )


def _head(title: str, *, kind: str, class_: str = "", first: str = "asc", more: str = "") -> str:
    return f'<th scope="col" class="{class_}" data-sort="{kind}" data-first="{first}">{escape(title)}{more}</th>'


def _column_head(column: ColumnRecord, task: str = "") -> str:
    first = "desc" if column.sorting is Sorting.DESC else "asc"
    better = "higher is better" if column.sorting is Sorting.DESC else "lower is better"
    class_ = "number primary" if column.is_primary and not task else "number"
    of_task = f' <small class="quiet">{escape(task)}</small>' if task else ""
    more = f'{of_task}<span class="unseen"> ({better})</span>'
    return _head(column.title, kind="number", class_=class_, first=first, more=more)


def _row(board: LeaderboardRecord, row: LeaderboardRow) -> str:
    kinds = "baseline" if row.is_baseline else "" if row.is_placed else "unranked"
    scores = "".join(
        _score_cell(score, column, is_primary=column.is_primary)
        for column, score in zip(board.columns, row.scores, strict=True)
    )
    of_tasks = "".join(
        _score_cell(board.task_score(row, task, at), board.columns[at], is_primary=False)
        for task, at in board.task_columns
    )
    facts = "".join(f"<td>{escape(row.fact_sheet.get(question.key, ''))}</td>" for question in board.questions)
    name = escape(row.participant)
    title = escape(f"{row.participant}: {', '.join(row.team)}") if row.team else name
    return (
        f'<tr class="{kinds}"><td class="rank" data-v="{row.place or row.rank or ""}">{_rank(row)}</td>'
        f'<th scope="row" class="who" title="{title}">{name}</th>{scores}'
        f'<td class="number" data-v="{row.entries}">{row.entries}</td>'
        f'<td class="time" data-v="{row.submitted.astimezone(UTC).isoformat()}">'
        f"{_time(row.submitted, kind='%Y-%m-%d %H:%M')}</td>{facts}{of_tasks}</tr>"
    )


def _score_cell(score: float | None, column: ColumnRecord, *, is_primary: bool) -> str:
    return (
        f'<td class="{"number primary" if is_primary else "number"}" '
        f'data-v="{"" if score is None else repr(score)}">{_score(score, column)}</td>'
    )


def _score(score: float | None, column: ColumnRecord) -> str:
    if score is None:
        return f'<span aria-hidden="true">{MISSING}</span><span class="unseen">no score</span>'
    return score_text(score, column.precision)


def _rank(row: LeaderboardRow) -> str:
    if row.is_baseline:
        return '<small class="quiet">baseline</small>'
    if row.rank is None:
        return f'<span aria-hidden="true">{MISSING}</span><span class="unseen">not ranked</span>'
    medal = f" p{row.rank}" if row.rank <= _MEDALS else ""
    return f'<span class="place{medal}">{row.rank}</span>{_change(row.rank_change)}'


def _change(ranks: int | None) -> str:
    if not ranks:
        return ""
    way, mark, said = ("up", "▲", "risen by") if ranks > 0 else ("down", "▼", "fallen by")
    return (
        f'<small class="change {way}"><span aria-hidden="true">{mark}{abs(ranks)}</span>'
        f'<span class="unseen">, {said} {abs(ranks)}</span></small>'
    )


def _legend(board: LeaderboardRecord, *, has_changes: bool) -> list[str]:
    ways = (
        f"{column.title}: {'higher' if column.sorting is Sorting.DESC else 'lower'} is better"
        for column in board.columns
    )
    said = [f"{', '.join(ways)}."]
    if board.ranking is not Ranking.LEXICOGRAPHIC:
        of = "mean" if board.ranking is Ranking.MEAN_RANK else "median"
        said.append(f"Ranked by the {of} of the ranks in each column.")
    if board.tasks:
        said.append(f"A score is the mean over the {len(board.tasks)} tasks, whose own scores stand at the right.")
    if any(row.is_baseline for row in board.rows):
        said.append("Baselines are there to be compared with, and take no rank.")
    if has_changes:
        said.append("Arrows say how many ranks somebody has risen or fallen.")
    return [*said, "Equal scores share a rank."]


def _nothing(phase: PhaseLink | None) -> str:
    when = f"The phase begins on {_time(phase.begins)}." if phase is not None else ""
    return (
        f'<p class="empty"><strong>No scored submission yet</strong>{when} The board is here with the first score.</p>'
    )


def _footer(number: int) -> str:
    query = escape(urlencode({"phase": number}))
    return (
        f'<footer>This page keeps itself up to date. <a href="leaderboard.csv?{query}">CSV</a> · '
        f'<a href="leaderboard.json?{query}">JSON</a> · Podium</footer>'
    )
