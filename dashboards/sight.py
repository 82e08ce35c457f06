"""What a viewer of a leaderboard sees now, and whether that is the same as a moment ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from podium.dashboards import source, times
from podium.dashboards.cards import phase_state
from podium.dashboards.choice import listed_competitions
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer, Piece
from podium.platform.client.api import Client
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary, PhaseRecord
from podium.platform.records.leaderboards import LeaderboardRecord


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer wants to see of a board; see `Piece`."""

    page: int = 1
    search: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """A page of a phase's leaderboard with all that stands around it, as one viewer sees it at one moment.

    Attributes:
        slug: The competition, empty where there is none to choose.
        number: The phase's number, `None` where the competition is not known or has none.
        piece: What of the board is looked at, `None` where the phase is not known.
        phase_state: `upcoming`, `open` or `over`; empty without a phase.
        board: `None` where none is asked for: hidden, or not begun.
    """

    slug: str
    number: int | None
    wanted: Wanted
    piece: Piece | None
    who: Viewer | None
    listed: Answer[tuple[CompetitionSummary, ...]]
    found: Answer[CompetitionRecord] | None
    phase: PhaseRecord | None
    phase_state: str
    board: Answer[LeaderboardRecord] | None

    @property
    def competition(self) -> CompetitionRecord | None:
        """The competition, where it is known."""
        return self.found.value if self.found is not None else None

    @property
    def is_hidden(self) -> bool:
        """Whether the organizer keeps this board from the viewer."""
        return _is_hidden(self.competition)

    @property
    def viewer(self) -> str | None:
        """Username of the viewer, `None` for a visitor."""
        return self.who.username if self.who is not None else None

    @property
    def gateway(self) -> Client | None:
        """The viewer's own access, `None` for a visitor."""
        return self.who.gateway if self.who is not None else None

    @property
    def face(self) -> tuple[object, ...]:
        """All that makes the page look as it does, save the clock: equal faces need no new drawing."""
        listed = tuple((summary.slug, summary.title) for summary in self.listed.value or ())
        phases = self.competition.phases if self.competition is not None else None
        return (
            *(listed, type(self.listed.trouble)),
            *(phases, self.is_hidden, type(self.found.trouble) if self.found is not None else None),
            self.phase_state,
            *((self.board.value, type(self.board.trouble)) if self.board is not None else ()),
        )


def look(slug: str, number: int | None, wanted: Wanted, who: Viewer | None) -> Sight:
    """What there is to see now of a page of a phase's leaderboard."""
    gateway = who.gateway if who is not None else None
    found = source.competition(slug, gateway) if slug else None
    competition = found.value if found is not None else None
    phases = competition.phases if competition is not None else ()
    phase = next((phase for phase in phases if phase.number == number), None)
    state = phase_state(phase, times.now()) if phase is not None else ""
    board, piece = None, None
    if phase is not None and state != "upcoming" and not _is_hidden(competition):
        piece = Piece(slug, str(phase.number), wanted.page, wanted.search, wanted.as_of)
        board = source.board(piece, gateway)
    return Sight(slug, number, wanted, piece, who, listed_competitions(who), found, phase, state, board)


def _is_hidden(competition: CompetitionRecord | None) -> bool:
    return competition is not None and competition.leaderboard_hidden and not competition.may_organize
