"""Records as a notebook shows them. Everything that somebody wrote is escaped: names, messages, file names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from podium.platform.client.log_text import readable
from podium.platform.records.leaderboards import LeaderboardRecord
from podium.platform.records.submissions import SubmissionRecord, excluded_words

_ROWS = 20


def submission_html(record: SubmissionRecord) -> str:
    """A submission: where it is, its scores, and why it failed if it did."""
    facts = [("status", record.status.value)]
    if record.status_message:
        facts.append(("", record.status_message))
    if record.excluded:
        facts.append(("leaderboard", excluded_words()))
    if record.ahead is not None:
        facts.append(("before it", str(record.ahead)))
    facts += [(score.key, f"{score.value:.6g}") for score in record.scores]
    facts += [("file", f"{record.filename} ({record.size:,} bytes)"), ("id", str(record.id))]
    if record.message:
        facts.append(("note", record.message))
    title = f"Submission {record.number} of {record.competition}, {record.phase}"
    rows = ((f"<th style='text-align:left'>{_safe(name)}</th>", _cell(value)) for name, value in facts)
    return _table(title, (), rows)


def leaderboard_html(record: LeaderboardRecord) -> str:
    """The first rows of a leaderboard."""
    head = ("rank", "participant", *(column.title for column in record.columns), "entries")
    rows = (
        (
            _cell("-" if row.rank is None else str(row.rank)),
            _cell(row.participant),
            *(
                _cell("-" if score is None else f"{score:.{column.precision}f}")
                for column, score in zip(record.columns, row.scores, strict=True)
            ),
            _cell(str(row.entries)),
        )
        for row in record.rows[:_ROWS]
    )
    more = f", the first {_ROWS} of {record.total}" if record.total > _ROWS else ""
    return _table(f"{record.title}: {record.competition_title}, {record.phase}{more}", head, rows)


def _table(title: str, head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    names = "".join(f"<th scope='col'>{_safe(name)}</th>" for name in head)
    headed = f"<thead><tr>{names}</tr></thead>" if names else ""
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    caption = f"<caption style='text-align:left'><b>{_safe(title)}</b></caption>"
    return f"<table>{caption}{headed}<tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    return f"<td style='text-align:left'>{_safe(text)}</td>"


def _safe(text: str) -> str:
    return escape(readable(text))
