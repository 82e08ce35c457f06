"""The calls about competitions, the people in them, and their leaderboards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from podium.platform.client.connection import Calls, segment
from podium.platform.client.conversion import records_from_json
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord, CompetitionSummary
from podium.platform.records.leaderboards import BoardDifference, LeaderboardRecord, LeaderboardRow, RankPoint
from podium.platform.records.people import Allowance, ParticipantRecord

Cell: TypeAlias = str | int | float | None

_PAGE = 500


class CompetitionCalls(Calls):
    """Competitions, participants and leaderboards. A `phase` is a phase's number, from 1, or its name."""

    def competitions(
        self,
        search: str | None = None,
        *,
        status: str | None = None,
        mine: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> tuple[CompetitionSummary, ...]:
        """The competitions that one may see. Needs no token.

        Args:
            search: Words that each says in its title, address, description or organizer's name.
            status: Only those that are `open`, `upcoming` or `over` now.
            mine: Only those that one takes part in or organizes.
            limit: So many at most.
            offset: Leave out so many of the first.
        """
        query = {"search": search, "status": status, "mine": mine, "limit": limit, "offset": offset}
        return self._records(CompetitionSummary, "/competitions", query=query)

    def competition(self, slug: str) -> CompetitionRecord:
        """A competition, whole.

        Raises:
            NotFound: There is none of this name, or it is not published.
        """
        return self._record(CompetitionRecord, "GET", f"/competitions/{segment(slug)}")

    def publish(self, slug: str) -> CompetitionRecord:
        """Show a competition to everyone. For its organizers."""
        return self._set_published(slug, published=True)

    def unpublish(self, slug: str) -> CompetitionRecord:
        """Hide a competition from everyone but its organizers."""
        return self._set_published(slug, published=False)

    def relax(self, slug: str, *, network: Sequence[str] | None = None, root: bool | None = None) -> CompetitionRecord:
        """Say which rules of the sandbox a competition's programs do without. For its organizers.

        Args:
            slug: The competition.
            network: All the `host:port` that programs may connect to; `None` leaves them as they are.
            root: Whether programs run as root inside of their container; `None` leaves it as it is.

        Raises:
            InvalidInput: An entry of the allow-list can't stand in it.
        """
        body = {"network": None if network is None else list(network), "root": root}
        return self._record(CompetitionRecord, "PATCH", f"/competitions/{segment(slug)}/relaxations", body=body)

    def choose_pool(self, slug: str, pool: str) -> CompetitionRecord:
        """Have a competition scored in another pool from now on, with all that is queued. For its organizers.

        Raises:
            NotFound: There is no such pool that one may use.
        """
        return self._record(CompetitionRecord, "PATCH", f"/competitions/{segment(slug)}", body={"pool": pool})

    def _set_published(self, slug: str, *, published: bool) -> CompetitionRecord:
        return self._record(CompetitionRecord, "PATCH", f"/competitions/{segment(slug)}", body={"published": published})

    def join(self, slug: str, terms_sha256: str) -> ParticipantRecord:
        """Accept a competition's terms and take part in it; again, when the terms have changed.

        Args:
            slug: The competition.
            terms_sha256: `CompetitionRecord.terms_sha256` of the terms that were read.

        Raises:
            Conflict: The terms have changed since they were read.
            NotAllowed: The organizers have denied it.
        """
        body = {"terms_sha256": terms_sha256}
        path = f"/competitions/{segment(slug)}/participants"
        return self._record(ParticipantRecord, "POST", path, body=body, is_repeatable=True)

    def participants(self, slug: str) -> tuple[ParticipantRecord, ...]:
        """Everyone who asked to take part. For the organizers."""
        return self._records(ParticipantRecord, f"/competitions/{segment(slug)}/participants")

    def decide_participant(self, slug: str, username: str, status: ParticipantStatus) -> ParticipantRecord:
        """Approve or deny a participant. For the organizers."""
        path = f"/competitions/{segment(slug)}/participants/{segment(username)}"
        return self._record(ParticipantRecord, "PATCH", path, body={"status": status.value})

    def allowance(self, slug: str, phase: str | int | None = None) -> Allowance:
        """Whether one may submit now, why not, and what is left."""
        return self._record(Allowance, "GET", f"/competitions/{segment(slug)}/allowance", query={"phase": phase})

    def leaderboard(
        self,
        slug: str,
        phase: str | int | None = None,
        *,
        limit: int | None = None,
        offset: int | None = None,
        search: str | None = None,
        as_of: datetime | None = None,
    ) -> LeaderboardRecord:
        """A page of a phase's leaderboard, best first. `rows_of` makes dicts of it, for a data frame.

        Args:
            search: Only rows of participants in whose name this is, with the ranks that they have on the whole board.
            as_of: What stood there at that moment, which is aware.

        Raises:
            NotAllowed: The leaderboard is hidden.
            NotFound: No such competition or phase.
        """
        query = {"phase": phase, "limit": limit, "offset": offset, "search": search, "as_of": _moment(as_of)}
        return self._record(LeaderboardRecord, "GET", f"/competitions/{segment(slug)}/leaderboard", query=query)

    def leaderboard_csv(self, slug: str, phase: str | int | None = None, *, as_of: datetime | None = None) -> str:
        """The whole leaderboard of a phase as CSV, in full precision."""
        path = f"/competitions/{segment(slug)}/leaderboard.csv"
        return self._connection.request("GET", path, query={"phase": phase, "as_of": _moment(as_of)}).text

    def leaderboard_history(
        self, slug: str, phase: str | int | None = None, *, participant: str | None = None
    ) -> tuple[RankPoint, ...]:
        """The steps of a participant's rank and scores, the oldest first; without one, those of the best of the board.

        Raises:
            NotAllowed: The leaderboard is hidden, or anonymous and they are somebody else.
            NotFound: No such competition or phase, or they are not on the board.
        """
        path = f"/competitions/{segment(slug)}/leaderboard/history"
        return self._records(RankPoint, path, query={"phase": phase, "participant": participant})

    def verify_leaderboard(self, slug: str) -> tuple[BoardDifference, ...]:
        """Where the stored leaderboards are not what the scored submissions make of them: nowhere, if all is well."""
        return self._records(BoardDifference, f"/competitions/{segment(slug)}/leaderboard/verification")

    def repair_leaderboard(self, slug: str) -> tuple[BoardDifference, ...]:
        """Make the stored leaderboards what they should be; what differed is told."""
        path = f"/competitions/{segment(slug)}/leaderboard/repair"
        return records_from_json(BoardDifference, self._json(self._connection.request("POST", path)))

    def leaderboard_snapshot(self, slug: str, phase: str | int | None = None) -> LeaderboardRecord:
        """The first thousand rows of a phase's leaderboard at once, up to some seconds old for visitors."""
        path = f"/competitions/{segment(slug)}/leaderboard.json"
        return self._record(LeaderboardRecord, "GET", path, query={"phase": phase})

    def leaderboard_page(self, slug: str, phase: str | int | None = None) -> str:
        """A phase's leaderboard as a page of HTML that stands by itself."""
        path = f"/competitions/{segment(slug)}/leaderboard.html"
        return self._connection.request("GET", path, query={"phase": phase}).text

    def whole_leaderboard(
        self,
        slug: str,
        phase: str | int | None = None,
        *,
        limit: int | None = None,
        search: str | None = None,
        as_of: datetime | None = None,
    ) -> LeaderboardRecord:
        """A phase's leaderboard with all its rows, or the first `limit` of them, fetched page by page."""
        wanted = limit if limit is not None else sys.maxsize
        board = self.leaderboard(slug, phase, limit=min(wanted, _PAGE), search=search, as_of=as_of)
        rows = [*board.rows]
        while len(rows) < min(wanted, board.total):
            size = min(wanted - len(rows), _PAGE)
            page = self.leaderboard(slug, phase, limit=size, offset=len(rows), search=search, as_of=as_of).rows
            if not page:
                break
            rows += page
        return replace(board, rows=tuple(rows))

    def each_leaderboard_row(self, slug: str, phase: str | int | None = None) -> Iterator[LeaderboardRow]:
        """Every row of a leaderboard, best first; a page is fetched when its first row is asked for."""
        offset = 0
        while rows := self.leaderboard(slug, phase, limit=_PAGE, offset=offset).rows:
            yield from rows
            offset += len(rows)

    def standing(self, slug: str, participant: str, phase: str | int | None = None) -> LeaderboardRow | None:
        """A participant's best row on a leaderboard, or `None` for somebody who is not on it."""
        rows = self.each_leaderboard_row(slug, phase)
        return next((row for row in rows if row.participant == participant), None)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def rows_of(board: LeaderboardRecord) -> list[dict[str, Cell]]:
    """The rows of a leaderboard as dicts, for `pandas.DataFrame(rows_of(board))`.

    A column stands under its key, and so does an answer of the fact sheet; a missing score is `None`. Where the phase
    has several tasks, what one of them gave stands under `key (task)`.
    """
    return [
        {
            "rank": row.rank,
            "participant": row.participant,
            **{column.key: score for column, score in zip(board.columns, row.scores, strict=True)},
            **{question.key: row.fact_sheet.get(question.key) for question in board.questions},
            "entries": row.entries,
            "submitted": row.submitted.isoformat(),
            "submission_id": str(row.submission_id),
            "baseline": row.is_baseline,
            "combined_rank": row.combined_rank,
            **{
                f"{board.columns[at].key} ({board.tasks[task]})": board.task_score(row, task, at)
                for task, at in board.task_columns
            },
        }
        for row in board.rows
    ]
