"""A leaderboard as somebody may see it, read whole for one way out: JSON, CSV or a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from podium.platform.gateway.board_access import board_seen
from podium.platform.gateway.board_csv import board_csv
from podium.platform.gateway.board_page.page import PhaseLink, board_page
from podium.platform.identity import Caller
from podium.platform.leaderboard.reading import Reader, read_leaderboard, shown_board
from podium.platform.models import Competition, Phase
from podium.platform.records.leaderboards import LeaderboardRecord

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
    """A phase's board as somebody may see it, and from what their view of it follows.

    Attributes:
        state: Differs when what stands on it or around its rows does; names of people are not in it.
    """

    competition: Competition
    phase: Phase
    reader: Reader
    state: tuple[object, ...]


def find_board(session: Session, slug: str, caller: Caller | None, phase: str | None) -> BoardSight:
    """The board of that competition and phase, if the caller may see it.

    Raises:
        NotFound: There is no such competition or phase, or it is a draft of somebody else's.
        NotAllowed: The organizers have hidden the board.
    """
    competition, chosen, reader = board_seen(session, slug, caller, phase)
    shown = shown_board(session, competition, chosen, reader)
    board = shown.board
    state = (
        (chosen.id, shown.tag, shown.frozen, competition.title, board.title, board.anonymous, board.ranking),
        tuple((column.key, column.title, column.hidden, column.precision) for column in board.columns),
        tuple((one.name, one.starts, one.ends) for one in competition.phases),
    )
    return BoardSight(competition, chosen, reader, state)


def board_in_form(
    session: Session, sight: BoardSight, form: Form, *, as_of: datetime | None = None
) -> tuple[str, datetime | None]:
    """A board in a form, as it stands or as it stood, and when it changed last."""
    rows = EVERY_ROW if form is Form.CSV else FIRST_ROWS
    record = read_leaderboard(session, sight.competition, sight.phase, sight.reader, limit=rows, offset=0, as_of=as_of)
    if form is Form.CSV:
        return board_csv(record), record.updated
    if form is Form.JSON:
        return _adapter().dump_json(record).decode(), record.updated
    phases = [PhaseLink(phase.position + 1, phase.name, phase.starts, phase.ends) for phase in sight.competition.phases]
    return board_page(record, phases, sight.phase.position + 1), record.updated


@cache
def _adapter() -> TypeAdapter[LeaderboardRecord]:
    return TypeAdapter(LeaderboardRecord)
