"""New results take the place of the old ones: scores, status and leaderboard, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.leaderboard.entries import hold_all_participants
from podium.platform.leaderboard.whole_board import write_board
from podium.platform.lifecycle import RerunStatus
from podium.platform.mail.rank_news import tell_of_ranks
from podium.platform.models import Adoption, Rerun, RerunItem
from podium.platform.reruns.comparison import Comparison, Difference, compare
from podium.platform.submissions.transitions import Adopted, adopt_results
from podium.platform.transitions import move_rerun


def adopt(session: Session, rerun: Rerun, *, actor: str) -> Comparison:
    """Adopt all new results of a rerun that is ready; what Podium could not score keeps its old result.

    The board is made from scratch out of what counts now, under the locks that results of fresh submissions take:
    one that is stored at the same time comes before all of it or after all of it.

    Raises:
        IllegalTransition: The rerun is not ready, or a submission has changed meanwhile; nothing was changed.
    """
    hold_all_participants(session, rerun.competition_id)
    comparison = compare(session, rerun)
    new = [difference for difference in comparison.differences if difference.after is not None]
    adopt_results(
        session,
        [_adopted(difference) for difference in new],
        actor=actor,
        reason=f"Rerun {rerun.number}: {rerun.reason}",
    )
    phases = {phase.id: phase for phase in rerun.competition.phases}
    for phase_id, standing in sorted(comparison.boards.items()):
        write_board(session, phases[phase_id], rerun.competition.leaderboards[0], standing)
    keep_differences(session, rerun, comparison)
    tell_of_ranks(session, rerun, comparison.ranks)
    kept = len(comparison.differences) - len(new)
    said = "1 new result was adopted" if len(new) == 1 else f"{len(new)} new results were adopted"
    if kept:
        said += f"; {kept} could not be scored and {'keeps' if kept == 1 else 'keep'} the old one"
    move_rerun(session, rerun, RerunStatus.ADOPTED, actor=actor, reason=f"{said}.")
    return comparison


def finish(session: Session, rerun: Rerun, *, actor: str) -> Comparison:
    """End a rerun of which everything is scored: it is ready, and adopted at once where that is asked for and safe.

    Raises:
        IllegalTransition: It is not running any more.
    """
    comparison = compare(session, rerun)
    held_back = why_held_back(comparison.differences) if rerun.adoption is Adoption.AUTOMATIC else ""
    move_rerun(session, rerun, RerunStatus.READY, actor=actor, reason="Everything is scored.", held_back=held_back)
    if rerun.adoption is Adoption.AUTOMATIC and not held_back:
        return adopt(session, rerun, actor=actor)
    return comparison


def why_held_back(differences: Sequence[Difference]) -> str:
    """Why results are not adopted without a person's word; empty where they are.

    A scoring program that is broken fails everyone, and a score that could not be made again would stand among others
    that were made by another version: neither should happen to a board while nobody looks.
    """
    losing = [difference for difference in differences if difference.loses]
    behind = [difference for difference in differences if difference.stays_behind]
    said = []
    if losing:
        said.append(
            f"{_count(losing)} that finished would now fail ({_numbers(losing)}); the first says: {losing[0].message}"
        )
    if behind:
        said.append(f"{_count(behind)} could not be scored again and would keep the old result ({_numbers(behind)}).")
    return " ".join(said)


def _count(differences: Sequence[Difference]) -> str:
    return "1 submission" if len(differences) == 1 else f"{len(differences)} submissions"


def _numbers(differences: Sequence[Difference]) -> str:
    named = ", ".join(f"#{difference.origin.number}" for difference in differences[:5])
    return f"{named} and {len(differences) - 5} more" if len(differences) > 5 else named


def keep_differences(session: Session, rerun: Rerun, comparison: Comparison) -> None:
    """Remember what stood before and what stands after: later there is nothing to compare any more."""
    rows = insert(RerunItem)
    session.execute(
        rows.on_conflict_do_update(
            index_elements=["rerun_id", "position"],
            set_={
                name: getattr(rows.excluded, name)
                for name in ("old_status", "new_status", "old_scores", "new_scores", "old_rank", "new_rank")
            },
        ),
        [
            {
                "rerun_id": rerun.id,
                "position": difference.item.position,
                "origin_id": difference.item.origin_id,
                "submission_id": difference.item.submission_id,
                "old_status": difference.before,
                "new_status": difference.after,
                "old_scores": difference.old_scores,
                "new_scores": difference.new_scores,
                "old_rank": difference.old_rank,
                "new_rank": difference.new_rank,
            }
            for difference in comparison.differences
        ],
    )


def _adopted(difference: Difference) -> Adopted:
    assert difference.item.submission_id is not None
    assert difference.after is not None
    return Adopted(
        submission_id=difference.item.origin_id,
        before=difference.before,
        after=difference.after,
        results_id=difference.item.submission_id,
        message=difference.message,
    )
