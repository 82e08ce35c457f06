"""A competition's content while it runs: shown for editing, and changed whole or not at all.

Whoever changes it says which version they have seen. A version is what the content is, with the latest line of the
audit log; where it is another one now, what others did meanwhile is named and nothing is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.bundles.content import CompetitionContent, LeaderboardContent, PhaseContent
from podium.platform.bundles.editing import Edited, Fixed, Json, document_of, read_edit
from podium.platform.bundles.problems import ContentRefused
from podium.platform.database import notify
from podium.platform.edit_consequences import Circumstances, consequences_of
from podium.platform.errors import Conflict
from podium.platform.leaderboard.changes import leaderboard_topic
from podium.platform.leaderboard.content import leaderboard_content
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.limits import LIMITS
from podium.platform.models import (
    AuditEntry,
    Competition,
    Leaderboard,
    Page,
    Participant,
    Phase,
    Submission,
    now,
)
from podium.platform.phase_changes import hold_phases, note_competition_change
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import (
    ColumnEdit,
    ContentEdit,
    ContentPreview,
    ContentRecord,
    LeaderboardEdit,
    PhaseEdit,
)

_NAMED = 5
"""Others' changes that a refusal names."""
_COMPETITION = {
    "title": "title",
    "description": "description",
    "contact_email": "contact_email",
    "reward": "reward",
    "docker_image": "docker_image",
    "registration_auto_approve": "registration_auto_approve",
    "start": "starts",
    "end": "ends",
    "registration_start": "registration_starts",
    "registration_end": "registration_ends",
}
"""Fields of a competition, and the columns that hold them."""
_PHASE = {
    **{name: name for name in PhaseEdit.__dataclass_fields__},
    "start": "starts",
    "end": "ends",
}


class Outdated(Conflict):
    """Somebody else has changed the content since it was read."""

    type = "outdated"
    title = "Somebody else has changed this meanwhile"


def content_record(session: Session, competition: Competition) -> ContentRecord:
    """The content, with its version."""
    content = _content_of(competition)
    return ContentRecord(competition.slug, _version(session, competition, content), content)


def preview_change(
    session: Session, competition: Competition, change: Mapping[str, Json], *, maxima: Mapping[str, float]
) -> ContentPreview:
    """What a change would do; nothing is changed."""
    content = _content_of(competition)
    edited = read_edit(content, change, _fixed(competition), maxima=maxima)
    return ContentPreview(
        version=_version(session, competition, content),
        changes=edited.changes,
        problems=edited.problems,
        consequences=() if edited.refused else _consequences(session, competition, edited),
    )


def change_content(
    session: Session,
    competition: Competition,
    change: Mapping[str, Json],
    *,
    version: str,
    maxima: Mapping[str, float],
    actor: str,
) -> ContentRecord:
    """Change the content. What is submitted or scored from now on goes by it.

    Args:
        change: New values by their fields; what is not named stays.
        version: Of the content that whoever changes it has seen.

    Raises:
        Outdated: It is another one by now; what others changed is named.
        ContentRefused: There are errors; all of them are in its `problems`.
    """
    _lock(session, competition)
    content = _content_of(competition)
    if version.partition(".")[0] != _digest(content):
        raise _outdated(session, competition, version)
    edited = read_edit(content, change, _fixed(competition), maxima=maxima)
    if edited.refused or edited.before is None or edited.after is None:
        raise ContentRefused(edited.problems)
    if edited.changes:
        _apply(session, competition, edited.before, edited.after)
        _leave_a_trace(session, competition, edited, actor)
    session.flush()
    return content_record(session, competition)


def _lock(session: Session, competition: Competition) -> None:
    """Let others who change it, or move a phase's dates, wait; and see what they have left."""
    session.refresh(competition, with_for_update={"of": Competition, "key_share": True})
    hold_phases(session, competition)
    for things in (competition.pages, competition.leaderboards):
        for thing in things:
            session.refresh(thing)


def _version(session: Session, competition: Competition, content: ContentEdit) -> str:
    latest = session.scalar(select(func.max(AuditEntry.id)).where(AuditEntry.competition_id == competition.id))
    return f"{_digest(content)}.{latest or 0}"


def _digest(content: ContentEdit) -> str:
    text = json.dumps(document_of(content), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _outdated(session: Session, competition: Competition, version: str) -> Outdated:
    seen = version.partition(".")[2]
    lines: Sequence[AuditEntry] = ()
    if seen.isdecimal() and len(seen) < 18:
        lines = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.competition_id == competition.id, AuditEntry.id > int(seen))
            .order_by(AuditEntry.id.desc())
            .limit(_NAMED)
        ).all()
    said = "; ".join(
        f"{line.username} at {line.time:%H:%M} UTC: {line.act}" + (f" ({line.after[:200]})" if line.after else "")
        for line in lines
    )
    return Outdated(
        f"This was changed since you read it. {said}." if said else "This was changed since you read it.",
        remedy="Nothing of yours was saved. Read it again, and make your change to that.",
    )


def _content_of(competition: Competition) -> ContentEdit:
    return ContentEdit(
        **{name: getattr(competition, column) for name, column in _COMPETITION.items()},
        terms=competition.terms,
        terms_is_html=competition.terms_is_html,
        pages=tuple(PageRecord(page.title, page.text, page.is_html) for page in competition.pages),
        phases=tuple(_phase_edit(phase) for phase in competition.phases),
        leaderboards=tuple(
            LeaderboardEdit(
                title=board.title,
                hidden=board.hidden,
                columns=tuple(ColumnEdit(one.key, one.title, one.precision, one.hidden) for one in board.columns),
            )
            for board in competition.leaderboards
        ),
    )


def _phase_edit(phase: Phase) -> PhaseEdit:
    plain = {name: getattr(phase, column) for name, column in _PHASE.items() if name != "limits"}
    limits = {LIMITS[name].key: LIMITS[name].shown(amount) for name, amount in phase.limits.items() if name in LIMITS}
    return PhaseEdit(**plain, limits=limits)


def _fixed(competition: Competition) -> Fixed:
    tasks = {entry.index: str(entry.task_id) for phase in competition.phases for entry in phase.tasks}
    return Fixed(
        tasks=tuple(tasks.items()),
        phase_tasks=tuple(tuple(entry.index for entry in phase.tasks) for phase in competition.phases),
        migrating=tuple(phase.auto_migrate_to_this_phase for phase in competition.phases),
        leaderboards=tuple(leaderboard_content(board) for board in competition.leaderboards),
    )


def _apply(session: Session, competition: Competition, before: CompetitionContent, after: CompetitionContent) -> None:
    """Write what differs. What was read alike stays as it is stored, to the last digit."""
    for name, column in _COMPETITION.items():
        if getattr(before, name) != getattr(after, name):
            setattr(competition, column, getattr(after, name))
    if (before.terms, before.terms_file) != (after.terms, after.terms_file):
        competition.terms = after.terms
        competition.terms_is_html = _is_html(after.terms_file)
        competition.terms_sha256 = hashlib.sha256(after.terms.encode()).hexdigest()
    if before.pages != after.pages:
        _write_pages(competition, after)
    for phase, old, new in zip(competition.phases, before.phases, after.phases, strict=True):
        _write_phase(phase, old, new)
    for board, old_board, new_board in zip(
        competition.leaderboards, before.leaderboards, after.leaderboards, strict=True
    ):
        _write_board(board, old_board, new_board)
    if before.leaderboards != after.leaderboards:
        for phase in competition.phases:
            notify(session, leaderboard_topic(phase.id))


def _write_pages(competition: Competition, after: CompetitionContent) -> None:
    for at, page in enumerate(after.pages):
        if at == len(competition.pages):
            competition.pages.append(Page(position=at))
        row = competition.pages[at]
        row.title, row.text, row.is_html = page.title, page.text, _is_html(page.file)
    del competition.pages[len(after.pages) :]


def _write_phase(phase: Phase, old: PhaseContent, new: PhaseContent) -> None:
    for name, column in _PHASE.items():
        if getattr(old, name) != getattr(new, name):
            value = getattr(new, name)
            setattr(phase, column, dict(value) if name == "limits" else value)


def _write_board(board: Leaderboard, old: LeaderboardContent, new: LeaderboardContent) -> None:
    for name in ("title", "hidden"):
        if getattr(old, name) != getattr(new, name):
            setattr(board, name, getattr(new, name))
    by_index = {column.index: column for column in board.columns}
    for was, column in zip(old.columns, new.columns, strict=True):
        for name in ("title", "precision", "hidden"):
            if getattr(was, name) != getattr(column, name):
                setattr(by_index[column.index], name, getattr(column, name))


def _leave_a_trace(session: Session, competition: Competition, edited: Edited, actor: str) -> None:
    before = "; ".join(f"{one.field}: {one.before}" for one in edited.changes)
    after = "; ".join(f"{one.field}: {one.after}" for one in edited.changes)
    note_competition_change(session, competition, before=before, after=after, actor=actor)


def _consequences(session: Session, competition: Competition, edited: Edited) -> tuple[str, ...]:
    if edited.before is None or edited.after is None:
        return ()
    return tuple(consequences_of(edited.before, edited.after, _circumstances(session, competition, now())))


def _circumstances(session: Session, competition: Competition, moment: datetime) -> Circumstances:
    participants = session.scalar(
        select(func.count()).where(
            Participant.competition_id == competition.id, Participant.status == ParticipantStatus.APPROVED
        )
    )
    open_ones: dict[bool, int] = {False: 0, True: 0}
    for status, count in _open_counts(session, competition):
        open_ones[status is SubmissionStatus.QUEUED] += count
    return Circumstances(moment, participants or 0, waiting=open_ones[True], under_way=open_ones[False])


def _open_counts(session: Session, competition: Competition) -> Iterator[tuple[SubmissionStatus, int]]:
    rows = session.execute(
        select(Submission.status, func.count())
        .where(Submission.competition_id == competition.id, Submission.ended.is_(None))
        .group_by(Submission.status)
    )
    yield from ((row[0], row[1]) for row in rows)


def _is_html(file: str) -> bool:
    return file.endswith(".html")
