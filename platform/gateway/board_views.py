"""A leaderboard as somebody may see it, read whole for one way out: JSON, CSV or a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from podium.platform import competitions
from podium.platform.errors import NotAllowed
from podium.platform.gateway.board_csv import board_csv
from podium.platform.gateway.board_page.page import PhaseLink, board_page
from podium.platform.identity import Caller
from podium.platform.leaderboard.entries import leaderboard_topic
from podium.platform.leaderboard.reading import read_leaderboard
from podium.platform.leaderboard.standing import frozen_since
from podium.platform.models import Competition, Phase, now
from podium.platform.records.leaderboards import LeaderboardRecord
from podium.platform.submissions.windows import choose_phase

FIRST_ROWS = 1000
"""Rows of the page and the JSON; the CSV has all of them."""
EVERY_ROW = 1_000_000


class Form(StrEnum):
    """In which form a board goes out."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.CSV: "text/csv; charset=utf-8",
    Form.HTML: "text/html; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class BoardSight:
    """A phase whose board somebody may see, and from what their view of it follows besides its rows.

    Attributes:
        topic: Under which changes of its rows are told.
        frozen: The moment as of which it is shown, where that is not now.
        face: Differs when what stands around the rows does.
    """

    competition: Competition
    phase: Phase
    is_organizer: bool
    topic: str
    frozen: datetime | None
    face: tuple[object, ...]


def find_board(session: Session, slug: str, caller: Caller | None, phase: str | None) -> BoardSight:
    """The board of that competition and phase, if the caller may see it.

    Raises:
        NotFound: There is no such competition or phase, or it is a draft of somebody else's.
        NotAllowed: The organizers have hidden the board.
    """
    competition = competitions.find_competition(session, slug, caller)
    organizes = competitions.may_organize(competition, caller)
    board = competition.leaderboards[0]
    if board.hidden and not organizes:
        raise NotAllowed("The organizers have hidden this leaderboard.")
    chosen = choose_phase(competition, phase, now())
    frozen = None if organizes else frozen_since(chosen.ends, board.freeze_hours, now(), board.unfrozen)
    face = (
        (chosen.id, frozen, competition.title, board.title, board.anonymous, board.ranking),
        tuple((column.key, column.title, column.hidden, column.precision) for column in board.columns),
        tuple((one.name, one.starts, one.ends) for one in competition.phases),
    )
    return BoardSight(competition, chosen, organizes, leaderboard_topic(chosen.id), frozen, face)


def read_board(session: Session, sight: BoardSight, caller: Caller | None, *, rows: int) -> LeaderboardRecord:
    """The first rows of a board, as the caller may see them."""
    return read_leaderboard(
        session,
        sight.competition,
        sight.phase,
        for_organizer=sight.is_organizer,
        viewer_id=caller.person_id if caller else None,
        limit=rows,
        offset=0,
    )


def board_in_form(
    session: Session, sight: BoardSight, caller: Caller | None, form: Form
) -> tuple[str, datetime | None]:
    """A board in a form, as the caller may see it, and when it changed last."""
    record = read_board(session, sight, caller, rows=EVERY_ROW if form is Form.CSV else FIRST_ROWS)
    if form is Form.CSV:
        return board_csv(record), record.updated
    if form is Form.JSON:
        return _adapter().dump_json(record).decode(), record.updated
    phases = [PhaseLink(phase.position + 1, phase.name, phase.starts, phase.ends) for phase in sight.competition.phases]
    return board_page(record, phases, sight.phase.position + 1), record.updated


@cache
def _adapter() -> TypeAdapter[LeaderboardRecord]:
    return TypeAdapter(LeaderboardRecord)
