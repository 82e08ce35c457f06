"""The new results of a rerun beside the old ones: scores, status and ranks. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from podium.platform.leaderboard.whole_board import (
    Scored,
    Values,
    board_of,
    ranks_of,
    scored_submissions,
    values_of,
)
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Leaderboard, Phase, Rerun, RerunItem, Submission
from podium.platform.reruns.selection import failed_by_platform

Compared = SubmissionStatus | None
Ranks = Mapping[UUID, int | None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One submission, before and after. `after` is `None` where there is no new result, and the old one stays."""

    item: RerunItem
    origin: Submission
    before: SubmissionStatus
    after: Compared
    message: str
    old_scores: Values
    new_scores: Values
    old_rank: int | None
    new_rank: int | None

    @property
    def loses(self) -> bool:
        """Whether one that is finished would fail."""
        return self.before is SubmissionStatus.FINISHED and self.after is SubmissionStatus.FAILED

    @property
    def stays_behind(self) -> bool:
        """Whether one that is finished would keep an old score among new ones."""
        return self.before is SubmissionStatus.FINISHED and self.after is None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences, in the order of the rerun, and what would stand on the boards of the phases.

    `ranks` has, by phase, the rank of each participant or team before and after.
    """

    differences: Sequence[Difference]
    boards: Mapping[UUID, Mapping[UUID, Scored]]
    ranks: Mapping[UUID, tuple[Ranks, Ranks]]


def compare(session: Session, rerun: Rerun) -> Comparison:
    """Compare what stands with what would stand, for every phase that the rerun touches."""
    items = session.scalars(
        select(RerunItem)
        .where(RerunItem.rerun_id == rerun.id)
        .order_by(RerunItem.position)
        .options(
            joinedload(RerunItem.origin).joinedload(Submission.person),
            joinedload(RerunItem.submission).options(selectinload(Submission.evaluations)),
        )
        .execution_options(populate_existing=True)
    ).all()
    board = rerun.competition.leaderboards[0]
    afters = {item.origin_id: _after(item.submission) for item in items}
    boards: dict[UUID, Mapping[UUID, Scored]] = {}
    old_ranks: dict[UUID, dict[UUID, int | None]] = {}
    new_ranks: dict[UUID, dict[UUID, int | None]] = {}
    phases = {phase.id: phase for phase in rerun.competition.phases}
    for phase_id in {item.origin.phase_id for item in items}:
        replaced = _replaced([item for item in items if item.origin.phase_id == phase_id], afters)
        boards[phase_id] = board_of(board, scored_submissions(session, phases[phase_id], board, replaced))
        old_ranks[phase_id] = ranks_of(board, _present(session, phases[phase_id], board))
        new_ranks[phase_id] = ranks_of(board, boards[phase_id])
    values = values_of(session, board, _sources(items))
    none: Values = [None] * len(board.columns)
    return Comparison(
        [
            Difference(
                item=item,
                origin=item.origin,
                before=item.origin.status,
                after=afters[item.origin_id],
                message=item.submission.status_message if item.submission and item.submission.ended else "",
                old_scores=_scores(item.origin.status, values.get(item.origin.results_id or item.origin_id), none),
                new_scores=_scores(afters[item.origin_id], values.get(item.submission_id or item.origin_id), none),
                old_rank=old_ranks[item.origin.phase_id].get(item.origin.entrant_id),
                new_rank=new_ranks[item.origin.phase_id].get(item.origin.entrant_id),
            )
            for item in items
        ],
        boards,
        {phase_id: (old_ranks[phase_id], new_ranks[phase_id]) for phase_id in boards},
    )


def _after(submission: Submission | None) -> Compared:
    """What a submission would be by its new result; `None` while there is none, or where Podium could make none."""
    if submission is None or submission.ended is None or failed_by_platform(submission):
        return None
    return submission.status if submission.status is not SubmissionStatus.CANCELLED else None


def _replaced(items: Sequence[RerunItem], afters: Mapping[UUID, Compared]) -> dict[UUID, UUID | None]:
    return {
        item.origin_id: item.submission_id if afters[item.origin_id] is SubmissionStatus.FINISHED else None
        for item in items
        if afters[item.origin_id] is not None
    }


def _present(session: Session, phase: Phase, board: Leaderboard) -> dict[UUID, Scored]:
    """What stands on a phase's board now."""
    return {one: row for one, row in scored_submissions(session, phase, board, {}).items() if row.stands}


def _sources(items: Sequence[RerunItem]) -> set[UUID]:
    old = {item.origin.results_id or item.origin_id for item in items}
    return old | {item.submission_id for item in items if item.submission_id is not None}


def _scores(status: Compared, values: Values | None, none: Values) -> Values:
    return values if values is not None and status is SubmissionStatus.FINISHED else none
