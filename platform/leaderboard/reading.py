"""A phase's leaderboard as somebody may see it: ranked, with names or without, live or as of a moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session, selectinload

from podium.platform.competitions import may_organize
from podium.platform.identity import Caller
from podium.platform.leaderboard.board_views import BoardView, Place
from podium.platform.leaderboard.entries import column_record, questions_of, visible_columns
from podium.platform.leaderboard.linked_results import board_shows_detailed_results, submissions_with_results
from podium.platform.leaderboard.live_boards import LiveBoard
from podium.platform.leaderboard.names import pseudonym
from podium.platform.leaderboard.ranked_boards import ranked_board, ranks_at
from podium.platform.leaderboard.rules import board_rules
from podium.platform.leaderboard.selection import MULTIPLE
from podium.platform.leaderboard.sort_keys import keys_tell_the_order
from podium.platform.leaderboard.standing import BoardRules, frozen_since, rank_change, window_border
from podium.platform.leaderboard.task_scores import TaskScores, task_names, task_scores
from podium.platform.models import (
    Competition,
    Leaderboard,
    Participant,
    Person,
    Phase,
    PhaseBoard,
    Submission,
    Team,
    TeamMember,
    now,
)
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow
from podium.platform.team_members import team_of

_SETTLED = timedelta(minutes=1)
"""What stood there longer ago than this is stored for certain: no transaction takes so long."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a board.

    Attributes:
        viewer_id: They see their own name, and their team's; `None` for a visitor.
        for_organizer: Whether hidden columns, names and what a frozen board keeps back are shown.
    """

    viewer_id: UUID | None = None
    for_organizer: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A phase's board as of the moment that a reader may and wants to see.

    Attributes:
        frozen: When it froze, where it is frozen for the reader.
        moment: As of when it is shown; `None` for as it stands.
        version: The board's present one.
    """

    phase: Phase
    board: Leaderboard
    rules: BoardRules
    state: PhaseBoard | None
    frozen: datetime | None
    moment: datetime | None

    @property
    def version(self) -> int:
        """The board's present version."""
        return self.state.version if self.state else 0

    @property
    def tag(self) -> str:
        """Changes with what is shown. Of a frozen board it does not tell that there are newer results."""
        if self.moment is None:
            return str(self.version)
        settling = "" if self.frozen or now() - self.moment > _SETTLED else f"-{self.version}"
        return f"at-{self.moment.isoformat()}{settling}"

    def view(self, session: Session) -> BoardView:
        """Where its rows are to be had."""
        if self.moment is None and keys_tell_the_order(self.rules):
            return LiveBoard(session, self.phase.id, self.state)
        return ranked_board(session, self.phase.id, self.rules, version=self.version, moment=self.moment)


def shown_board(
    session: Session, competition: Competition, phase: Phase, reader: Reader, as_of: datetime | None = None
) -> Shown:
    """The board that a reader is shown: nothing newer than the freeze, for all but organizers."""
    board = competition.leaderboards[0]
    moment = now()
    frozen = None if reader.for_organizer else frozen_since(phase.ends, board.freeze_hours, moment, board.unfrozen)
    asked = as_of if as_of is not None and as_of < moment else None
    bound = min((one for one in (frozen, asked) if one is not None), default=None)
    state = session.get(PhaseBoard, phase.id, populate_existing=True)
    return Shown(phase, board, board_rules(board), state, frozen, bound)


def read_leaderboard(
    session: Session,
    competition: Competition,
    phase: Phase,
    reader: Reader,
    *,
    limit: int,
    offset: int,
    search: str = "",
    as_of: datetime | None = None,
) -> LeaderboardRecord:
    """A page of a phase's leaderboard; `limit` and `offset` cut the rows after ranking.

    Args:
        search: Only rows of participants in whose name this is, however it is capitalized. Names that the reader is not
            shown are not found.
        as_of: What stood there then; of a frozen board, what stood there when it froze, if that was earlier.
    """
    shown = shown_board(session, competition, phase, reader, as_of)
    board, view = shown.board, shown.view(session)
    entrants = entrants_of(session, competition, reader.viewer_id)
    is_anonymous = board.anonymous and not reader.for_organizer
    if search.strip():
        named = view.of_entrants(_entrants_named(session, competition, search.strip()))
        found = [one for one in named if not is_anonymous or _is_named(one, entrants)]
        page, total = found[offset : offset + limit], len(found)
    else:
        page, total = list(view.page(limit, offset)), view.total
    own = list(view.of_entrants(entrants)[:1]) if entrants else []
    columns = visible_columns(board, for_organizer=reader.for_organizer)
    questions = questions_of(competition, on_leaderboard_only=True)
    tasks = task_names(phase)
    rows = _Rows(
        session,
        competition,
        shown,
        reader,
        entrants,
        positions=[board.columns.index(column) for column in columns],
        answers=frozenset(question.key for question in questions),
        tasks=tasks,
    ).of([*page, *own])
    return LeaderboardRecord(
        competition=competition.slug,
        competition_title=competition.title,
        title=board.title,
        phase=phase.name,
        columns=tuple(column_record(column, board) for column in columns),
        questions=questions,
        rows=rows[: len(page)],
        total=total,
        updated=view.updated,
        ranking=board.ranking,
        anonymous=board.anonymous,
        frozen_since=shown.frozen,
        version=shown.tag,
        as_of=None if as_of is None else shown.moment,
        own=rows[-1] if own else None,
        tasks=tasks,
    )


def entrants_of(session: Session, competition: Competition, person_id: UUID | None) -> frozenset[UUID]:
    """As whom somebody stands on boards: as themselves, and as the team that they are in."""
    if person_id is None:
        return frozenset()
    team = team_of(session, competition, person_id)
    return frozenset({person_id} if team is None else {person_id, team.id})


def _is_named(place: Place, own: frozenset[UUID]) -> bool:
    return place.entry.is_baseline or place.entrant_id in own


def _entrants_named(session: Session, competition: Competition, name: str) -> list[UUID]:
    """Participants and teams in whose name, or in a member's, a text is."""
    query = (
        select(Participant.person_id)
        .join(Person, Person.id == Participant.person_id)
        .where(
            Participant.competition_id == competition.id,
            func.lower(Person.username).contains(name.lower(), autoescape=True),
        )
    )
    people = list(session.scalars(query))
    if competition.max_team_members is None:
        return people
    teams = select(Team.id).where(
        Team.competition_id == competition.id,
        or_(
            func.lower(Team.name).contains(name.lower(), autoescape=True),
            Team.members.any(TeamMember.person_id.in_(people)),
        ),
    )
    return [*people, *session.scalars(teams)]


@dataclass(slots=True)
class _Rows:
    """Makes what a reader sees of the rows of a board."""

    session: Session
    competition: Competition
    shown: Shown
    reader: Reader
    entrants: frozenset[UUID]
    positions: Sequence[int]
    answers: frozenset[str]
    tasks: tuple[str, ...]
    teams: Mapping[UUID, Team] = field(default_factory=dict)

    def of(self, places: Sequence[Place]) -> tuple[LeaderboardRow, ...]:
        """The rows at these places."""
        if not places:
            return ()
        shown = {one.entry.item for one in places}
        query = select(Submission).where(Submission.id.in_(shown)).options(selectinload(Submission.person))
        submissions = {submission.id: submission for submission in self.session.scalars(query)}
        entrants = {one.entrant_id for one in places}
        counts = _entry_counts(self.session, self.competition, self.shown, entrants)
        self.teams = _teams(self.session, self.competition, entrants)
        with_results = frozenset[UUID]()
        if board_shows_detailed_results(self.competition, self.shown.phase):
            with_results = submissions_with_results(self.session, shown)
        by_task: Mapping[UUID, TaskScores] = {}
        if self.tasks:
            by_task = task_scores(self.session, self.shown.rules, places, submissions, self.positions)
        is_multiple = self.shown.board.submission_rule in MULTIPLE
        previous = _previous_ranks(self.session, self.shown, by_submission=is_multiple)
        return tuple(
            self._row(
                one,
                submissions[one.entry.item],
                counts.get(one.entrant_id, 0),
                previous.get(one.entry.item if is_multiple else one.entrant_id),
                has_results=one.entry.item in with_results,
                by_task=by_task.get(one.entry.item, ()),
            )
            for one in places
        )

    def _row(
        self,
        place: Place,
        submission: Submission,
        entries: int,
        previous: int | None,
        *,
        has_results: bool,
        by_task: TaskScores,
    ) -> LeaderboardRow:
        is_anonymous = self.shown.board.anonymous and not self.reader.for_organizer
        is_named = not is_anonymous or _is_named(place, self.entrants)
        team = self.teams.get(place.entrant_id)
        name = team.name if team is not None else submission.person.username
        # A baseline has no rank that could have changed, whatever else the same person has there.
        before = None if place.entry.is_baseline else previous
        return LeaderboardRow(
            rank=place.rank,
            participant=name if is_named else pseudonym(self.shown.board.pseudonym_key, place.entrant_id),
            submission_id=submission.id,
            submission_number=submission.number,
            submitted=submission.created,
            scores=tuple(place.entry.values[at] for at in self.positions),
            fact_sheet={key: text for key, text in submission.fact_sheet.items() if key in self.answers},
            entries=entries,
            has_detailed_results=has_results,
            is_baseline=place.entry.is_baseline,
            combined_rank=place.combined_rank,
            place=place.place,
            previous_rank=before,
            rank_change=rank_change(before, place.rank),
            team=tuple(member.person.username for member in team.members) if team is not None and is_named else None,
            task_scores=by_task,
        )


def _previous_ranks(session: Session, shown: Shown, *, by_submission: bool) -> Mapping[UUID, int]:
    """The ranks at the beginning of the time over which the board tells changes."""
    newest = session.scalar(_NEWEST, {"phase": shown.phase.id, "by": shown.moment})
    border = window_border([] if newest is None else [newest], shown.board.rank_change_hours)
    if border is None:
        return {}
    return ranks_at(
        session, shown.phase.id, shown.rules, version=shown.version, moment=border, by_submission=by_submission
    )


# In SQL: an index of what was scored has these very conditions.
_NEWEST = text(
    "SELECT created FROM submissions WHERE phase_id = :phase AND status = 'finished' AND rerun_id IS NULL"
    " AND (CAST(:by AS timestamptz) IS NULL OR ended <= :by) ORDER BY created DESC LIMIT 1"
)
_COUNTS = text(
    "SELECT person_id, count(*) FROM submissions WHERE phase_id = :phase AND person_id = ANY(:entrants)"
    " AND status = 'finished' AND rerun_id IS NULL AND (CAST(:by AS timestamptz) IS NULL OR ended <= :by)"
    " GROUP BY person_id"
)
# Where there are teams, what was made for one is not its participant's.
_COUNTS_WITH_TEAMS = text(
    "SELECT person_id, count(*) FROM submissions WHERE phase_id = :phase AND person_id = ANY(:entrants)"
    " AND status = 'finished' AND rerun_id IS NULL AND (CAST(:by AS timestamptz) IS NULL OR ended <= :by)"
    " AND team_id IS NULL GROUP BY person_id UNION ALL"
    " SELECT team_id, count(*) FROM submissions WHERE phase_id = :phase AND team_id = ANY(:entrants)"
    " AND status = 'finished' AND rerun_id IS NULL AND (CAST(:by AS timestamptz) IS NULL OR ended <= :by)"
    " GROUP BY team_id"
)


def shown_name(session: Session, submission: Submission, caller: Caller | None) -> str:
    """What the participant or the team of a submission is called to somebody whom the leaderboard led to it."""
    board = submission.competition.leaderboards[0]
    if board.anonymous and not (submission.is_baseline or may_organize(submission.competition, caller)):
        viewer_id = caller.person_id if caller else None
        own = entrants_of(session, submission.competition, viewer_id)
        if submission.person_id != viewer_id and submission.entrant_id not in own:
            return pseudonym(board.pseudonym_key, submission.entrant_id)
    return submission.team.name if submission.team is not None else submission.person.username


def _teams(session: Session, competition: Competition, entrants: Collection[UUID]) -> dict[UUID, Team]:
    """Those of the entrants that are teams, with their members."""
    if competition.max_team_members is None:
        return {}
    query = select(Team).where(Team.id.in_(entrants))
    loaded = query.options(selectinload(Team.members).joinedload(TeamMember.person))
    return {team.id: team for team in session.scalars(loaded)}


def _entry_counts(
    session: Session, competition: Competition, shown: Shown, entrants: Collection[UUID]
) -> dict[UUID, int]:
    """How many submissions of each participant and team were scored, up to a moment if there is one."""
    query = _COUNTS if competition.max_team_members is None else _COUNTS_WITH_TEAMS
    found = session.execute(query, {"phase": shown.phase.id, "entrants": list(entrants), "by": shown.moment})
    return {row[0]: row[1] for row in found}
