"""Detailed results that a leaderboard leads to: whether it does, and for which submissions there are any."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.jobs import OutputKind
from podium.platform.models import Competition, Evaluation, Output, Phase, Submission


def board_shows_detailed_results(competition: Competition, phase: Phase) -> bool:
    """Whether everyone who sees the phase's leaderboard may see the detailed results of what stands on it."""
    return (
        competition.published
        and competition.enable_detailed_results
        and competition.show_detailed_results_in_leaderboard
        and not competition.leaderboards[0].hidden
        and not phase.hide_output
        and not phase.hide_score_output
    )


def submissions_with_results(session: Session, submissions: Collection[UUID]) -> frozenset[UUID]:
    """Those of the submissions that have a detailed result."""
    return frozenset(
        session.scalars(
            select(Submission.id)
            .join(Evaluation, Evaluation.submission_id == func.coalesce(Submission.results_id, Submission.id))
            .join(Output, Output.evaluation_id == Evaluation.id)
            .where(Submission.id.in_(submissions), Output.kind == OutputKind.DETAILED_RESULTS)
        )
    )
