"""Detailed results: the pages that scoring programs write about a submission, while they run and at their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform import competitions
from podium.platform.errors import NotAllowed, NotFound
from podium.platform.identity import Caller
from podium.platform.jobs import OutputKind
from podium.platform.leaderboard.linked_results import board_shows_detailed_results
from podium.platform.leaderboard.reading import shown_name
from podium.platform.lifecycle import AttemptStatus
from podium.platform.models import Evaluation, Submission
from podium.platform.records.submissions import DetailedResult, DetailedResults
from podium.platform.storage import Storage
from podium.platform.submissions.manifest import live_results_key
from podium.platform.submissions.views import hidden_outputs
from podium.platform.team_members import is_ones_own


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that can be read: the stored object, and what the API says of it."""

    key: str
    record: DetailedResult


def require_visible(session: Session, submission: Submission, caller: Caller | None) -> None:
    """Go on only if the caller may see the submission's detailed results.

    Its owner, and who is in the team that it is for, may where the phase and the competition say so, its organizers
    always, and everyone who may see the leaderboard where it leads to them, for a submission that stands on it.

    Raises:
        NotFound: The submission is no business of the caller's.
        NotAllowed: The organizers have hidden them from its owner.
    """
    if competitions.may_organize(submission.competition, caller):
        return
    owns = caller is not None and is_ones_own(session, submission, caller.person_id)
    if owns and OutputKind.DETAILED_RESULTS not in hidden_outputs(submission):
        return
    if submission.on_leaderboard and board_shows_detailed_results(submission.competition, submission.phase):
        return
    if owns:
        raise NotAllowed("The organizers have hidden the detailed results.")
    raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")


def detailed_results(
    session: Session, submission: Submission, storage: Storage, caller: Caller | None
) -> DetailedResults:
    """The pages of a submission that there are now; on an anonymous board without its participant's name."""
    return DetailedResults(
        submission_id=submission.id,
        competition=submission.competition.slug,
        phase=submission.phase.name,
        number=submission.number,
        participant=shown_name(session, submission, caller),
        pages=tuple(page.record for page in _pages(submission, storage)),
    )


def page_key(submission: Submission, evaluation_id: UUID, storage: Storage) -> str:
    """The stored object of one page.

    Raises:
        NotFound: There is no such page, or not yet.
    """
    for page in _pages(submission, storage):
        if page.record.evaluation_id == evaluation_id:
            return page.key
    raise NotFound("There is no such detailed result.", remedy="It may not be written yet.")


def _pages(submission: Submission, storage: Storage) -> Iterator[_Page]:
    results = submission.results
    active = next((one.id for one in results.attempts if one.status is AttemptStatus.ACTIVE), None)
    for evaluation in results.evaluations:
        page = _final(evaluation) or (_live(evaluation, active, storage) if active is not None else None)
        if page is not None:
            yield page


def _final(evaluation: Evaluation) -> _Page | None:
    for output in evaluation.outputs:
        if output.kind is OutputKind.DETAILED_RESULTS:
            record = DetailedResult(evaluation.id, evaluation.task.name, output.size, output.sha256, is_live=False)
            return _Page(output.content, record)
    return None


def _live(evaluation: Evaluation, attempt_id: UUID, storage: Storage) -> _Page | None:
    key = live_results_key(attempt_id, evaluation.id)
    found = storage.find(key)
    if found is None:
        return None
    record = DetailedResult(evaluation.id, evaluation.task.name, found.size, found.version, is_live=True)
    return _Page(key, record)
