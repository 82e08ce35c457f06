"""Who may see and import images: whoever may see the dataset or the submission that they belong to.

A dataset is its owner's, and of those who organize a competition that uses it. A submission is its participant's and
the team's, and of those who organize its competition.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from podium.platform import audit, competitions
from podium.platform.errors import NotFound
from podium.platform.identity import Caller
from podium.platform.models import (
    Competition,
    Dataset,
    Image,
    ImportSession,
    Phase,
    PhaseTask,
    Solution,
    Submission,
    TaskVersion,
)
from podium.platform.team_members import is_ones_own


@dataclass(frozen=True, slots=True)
class Target:
    """What images belong to: a dataset or a submission.

    Attributes:
        owner_id: Whose room the images take.
    """

    dataset: Dataset | None
    submission: Submission | None
    owner_id: UUID

    @property
    def words(self) -> str:
        """What people call it."""
        if self.dataset is not None:
            return words_of(self.dataset)
        assert self.submission is not None
        return words_of(self.submission)


def words_of(one: Dataset | Submission) -> str:
    """What people call a dataset or a submission."""
    if isinstance(one, Dataset):
        return f"dataset {one.name}"
    return f"submission {one.number} of {one.competition.slug}"


def dataset_target(session: Session, dataset_id: UUID, caller: Caller) -> Target:
    """A dataset whose images the caller may see and import.

    Raises:
        NotFound: There is none, or it is somebody else's: the two look the same from outside.
    """
    dataset = session.get(Dataset, dataset_id)
    if dataset is None or not _may_have(session, dataset, caller):
        raise NotFound("You have no dataset of that id.", remedy="List yours with `podium storage files`.")
    return Target(dataset, None, dataset.owner_id)


def submission_target(session: Session, submission_id: UUID, caller: Caller) -> Target:
    """A submission whose images the caller may see and import.

    What its participant imports takes the participant's room; what an organizer does, the organizer's.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    submission = session.get(Submission, submission_id)
    own = submission is not None and submission.rerun_id is None and is_ones_own(session, submission, caller.person_id)
    if submission is None or not (own or competitions.may_organize(submission.competition, caller)):
        raise NotFound("You have no submission of that id.", remedy="List yours with `podium submissions`.")
    if own:
        audit.as_oneself(session)
    else:
        audit.about(session, submission.competition)
    owner_id = submission.person_id if own else submission.competition.organizer_id
    return Target(None, submission, owner_id)


def find_import(session: Session, session_id: UUID, caller: Caller, *, lock: bool = False) -> ImportSession:
    """An import session that the caller may see.

    Args:
        lock: Let nobody else change it before this transaction ends.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    found = session.get(ImportSession, session_id)
    if found is None or not _may_see(session, found, caller):
        raise NotFound(
            "You have no import session of that id.", remedy="List yours with `podium images sessions --dataset ID`."
        )
    if lock:
        session.refresh(found, with_for_update={"of": ImportSession})
    return found


def find_image(session: Session, image_id: UUID, caller: Caller) -> Image:
    """An image that the caller may see.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    found = session.get(Image, image_id)
    if found is None or not _may_see(session, found, caller):
        raise NotFound("You have no image of that id.", remedy="List yours with `podium images list --dataset ID`.")
    return found


def _may_see(session: Session, one: ImportSession | Image, caller: Caller) -> bool:
    try:
        if one.dataset_id is not None:
            dataset_target(session, one.dataset_id, caller)
        else:
            assert one.submission_id is not None
            submission_target(session, one.submission_id, caller)
    except NotFound:
        return False
    return True


def _may_have(session: Session, dataset: Dataset, caller: Caller) -> bool:
    if caller.is_administrator or dataset.owner_id == caller.person_id:
        return True
    used = select(Competition.id).where(competitions.organized_by(caller.person_id), _uses(dataset.id))
    return bool(session.scalar(select(used.exists())))


def _uses(dataset_id: UUID) -> ColumnElement[bool]:
    """The condition that a competition uses a dataset, or has used it in an earlier version of a task."""
    kinds = ("scoring_program_id", "ingestion_program_id", "input_data_id", "reference_data_id")
    in_a_task = (
        exists()
        .where(Phase.competition_id == Competition.id)
        .where(PhaseTask.phase_id == Phase.id)
        .where(TaskVersion.task_id == PhaseTask.task_id)
        .where(or_(*(getattr(TaskVersion, kind) == dataset_id for kind in kinds)))
        .correlate(Competition)
    )
    in_a_phase = (
        exists()
        .where(Phase.competition_id == Competition.id)
        .where(or_(Phase.starting_kit_id == dataset_id, Phase.public_data_id == dataset_id))
        .correlate(Competition)
    )
    in_a_solution = (
        exists()
        .where(Solution.competition_id == Competition.id, Solution.dataset_id == dataset_id)
        .correlate(Competition)
    )
    return or_(in_a_task, in_a_phase, in_a_solution)
