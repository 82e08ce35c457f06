"""A participant's wish to submit: who may, when, how often, with what answers, and what arrives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from world import FUTURE, PAST, PREDICTIONS, Known, World, hours, phase, zip_of

from podium.platform.errors import InvalidInput, NotAllowed, NotFound, PodiumError, QuotaExceeded, TooLarge
from podium.platform.identity import find_person
from podium.platform.lifecycle import IllegalTransition, ParticipantStatus, SubmissionStatus
from podium.platform.models import Competition, Evaluation, Event, Participant, Submission
from podium.platform.records.people import Allowance
from podium.platform.submissions import allowances, creation
from podium.platform.submissions.allowances import allowance
from podium.platform.submissions.attempts import DoesNotFit, cancel_submission
from podium.platform.submissions.creation import complete_submission
from podium.platform.submissions.participation import NotParticipating
from podium.platform.submissions.windows import PhaseClosed, choose_phase

BEGIN = datetime(2030, 6, 1, 12, tzinfo=UTC)
END = datetime(2030, 7, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def organizer(world: World) -> Known:
    return world.person("olga", organizer=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is for submissions: the first item."""
    moment = [BEGIN]
    for module in (creation, allowances):
        monkeypatch.setattr(module, "now", lambda: moment[0])
    return moment


def allowed(world: World, person: Known, slug: str) -> Allowance:
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        return allowance(session, competition, choose_phase(competition, None, creation.now()), person.id)


def count(world: World) -> int:
    with world.session() as session:
        return session.scalars(select(func.count()).select_from(Submission)).one()


def test_a_submission_is_reserved_with_an_evaluation_for_each_task(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer, tasks=2)
    world.join(ada, slug)
    submission_id = world.announce(ada, slug)
    with world.session() as session:
        submission = session.get_one(Submission, submission_id)
        assert (submission.status, submission.number, submission.version) == (SubmissionStatus.SUBMITTED, 1, 1)
        assert [evaluation.position for evaluation in submission.evaluations] == [0, 1]
        event = session.scalars(select(Event).where(Event.subject_id == submission_id)).one()
        assert (event.before, event.after, event.actor) == (None, "submitted", "person:ada")


def test_numbers_go_up_in_each_competition_by_itself(world: World, organizer: Known, ada: Known) -> None:
    numbers = []
    for slug in (world.competition(organizer), world.competition(organizer)):
        world.join(ada, slug)
        numbers += [world.submission(world.announce(ada, slug)).number for _ in range(2)]
    assert numbers == [1, 2, 1, 2]


def test_of_fifty_at_once_exactly_the_limit_is_reserved(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer, phases=[phase(max_submissions_per_day=5, max_submissions=50)])
    world.join(ada, slug)

    def submit(_: int) -> str:
        try:
            world.announce(ada, slug)
        except QuotaExceeded:
            return "refused"
        return "reserved"

    with ThreadPoolExecutor(50) as threads:
        results = list(threads.map(submit, range(50)))
    assert results.count("reserved") == count(world) == 5
    left = allowed(world, ada, slug)
    assert (left.can, left.left_in_window, left.left_total) == (False, 0, 45)


def test_a_day_is_a_day_in_utc(world: World, organizer: Known, ada: Known, clock: list[datetime]) -> None:
    slug = world.competition(organizer, phases=[phase(max_submissions_per_day=1, max_submissions=2)])
    world.join(ada, slug)
    clock[0] = datetime(2030, 6, 1, 23, 59, 59, tzinfo=UTC)
    world.announce(ada, slug)
    with pytest.raises(QuotaExceeded, match="2030-06-02 00:00 UTC"):
        world.announce(ada, slug)
    assert allowed(world, ada, slug).changes == datetime(2030, 6, 2, tzinfo=UTC)
    clock[0] = datetime(2030, 6, 2, tzinfo=UTC)
    world.announce(ada, slug)
    clock[0] = datetime(2030, 6, 3, tzinfo=UTC)
    with pytest.raises(QuotaExceeded):
        world.announce(ada, slug)
    assert count(world) == 2


def test_a_quota_is_of_one_person_in_one_phase(world: World, organizer: Known, ada: Known) -> None:
    bob = world.person("bob")
    phases = [
        phase(max_submissions=1, end=hours(1)),
        phase(name="Second", max_submissions=1, start=hours(2), end=FUTURE),
    ]
    slug = world.competition(organizer, phases=phases)
    for person in (ada, bob):
        world.join(person, slug)
        world.announce(person, slug)
        with pytest.raises(QuotaExceeded):
            world.announce(person, slug)
    with pytest.raises(PhaseClosed):
        world.announce(ada, slug, phase="second")


def test_a_phase_is_open_from_its_start_until_before_its_end_to_the_instant(
    world: World, organizer: Known, ada: Known, clock: list[datetime]
) -> None:
    slug = world.competition(organizer, phases=[phase(start=BEGIN.isoformat(), end=END.isoformat())])
    world.join(ada, slug)
    tried = []
    for moment in (BEGIN - SECOND, BEGIN - INSTANT, BEGIN, END - INSTANT, END, END + SECOND):
        clock[0] = moment
        try:
            world.announce(ada, slug, phase="1")
            tried.append("open")
        except PhaseClosed as closed:
            tried.append(closed.detail)
    upcoming = "Phase 'First' begins on 2030-06-01 at 12:00:00 UTC."
    over = "Phase 'First' ended on 2030-07-01 at 12:00:00 UTC."
    assert tried == [upcoming, upcoming, "open", "open", over, over]


def test_an_allowance_says_why_not_and_until_when(
    world: World, organizer: Known, ada: Known, clock: list[datetime]
) -> None:
    slug = world.competition(organizer, phases=[phase(start=BEGIN.isoformat(), end=END.isoformat())])
    assert "You have not joined" in allowed(world, ada, slug).reason
    world.join(ada, slug)
    assert allowed(world, ada, slug).can
    clock[0] = BEGIN - SECOND
    early = allowed(world, ada, slug)
    assert (early.can, early.changes) == (False, BEGIN)
    clock[0] = END
    late = allowed(world, ada, slug)
    assert (late.can, late.changes) == (False, None)
    assert "ended on 2030-07-01" in late.reason


def test_the_phase_that_is_meant(world: World, organizer: Known, clock: list[datetime]) -> None:
    phases = [
        phase(start="2030-01-01", end="2030-02-01"),
        phase(name="Final round", start="2030-03-01", end="2030-04-01"),
    ]
    slug = world.competition(organizer, phases=phases)
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        found = {
            month: choose_phase(competition, None, datetime(2030, month, 15, tzinfo=UTC)).name for month in (1, 2, 3, 5)
        }
        assert found == {1: "First", 2: "First", 3: "Final round", 5: "Final round"}
        assert choose_phase(competition, None, datetime(2029, 1, 1, tzinfo=UTC)).name == "First"
        for name in ("2", "final ROUND"):
            assert choose_phase(competition, name, BEGIN).name == "Final round"
        for name in ("0", "3", "", "-1", "final"):
            with pytest.raises(NotFound, match="1 'First', 2 'Final round'"):
                choose_phase(competition, name, BEGIN)


def test_who_does_not_take_part(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer, registration_auto_approve=False)
    reasons = []
    for status in (None, ParticipantStatus.PENDING, ParticipantStatus.DENIED):
        if status is ParticipantStatus.PENDING:
            world.join(ada, slug)
        elif status is not None:
            set_status(world, ada, status)
        with pytest.raises(NotParticipating) as refused:
            world.announce(ada, slug)
        reasons.append(refused.value.detail)
    assert reasons == [
        f"You have not joined '{slug}'.",
        "The organizers have not approved you yet.",
        "The organizers have denied you.",
    ]
    with pytest.raises(NotAllowed, match="have denied you"):
        world.join(ada, slug)
    set_status(world, ada, ParticipantStatus.APPROVED)
    world.announce(ada, slug)
    assert count(world) == 1


def set_status(world: World, person: Known, status: ParticipantStatus) -> None:
    with world.session() as session:
        session.execute(update(Participant).where(Participant.person_id == person.id).values(status=status))


def test_new_terms_must_be_accepted_again(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    with world.session() as session:
        session.execute(update(Competition).values(terms="New.", terms_sha256="1" * 64))
    with pytest.raises(NotParticipating, match="The terms have changed since you joined"):
        world.announce(ada, slug)
    world.join(ada, slug)
    world.announce(ada, slug)
    assert count(world) == 1


FACT_SHEET = {
    "method": {"type": "text", "title": "Method", "is_required": True},
    "size": {"type": "select", "title": "Size", "selection": ["small", "large"]},
    "public": {"type": "checkbox", "title": "Public?"},
}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({}, r"'method' \(Method\) must be answered"),
        ({"method": ""}, r"'method' \(Method\) must be answered"),
        ({"method": "trees", "size": "huge"}, "'size' must be one of small, large"),
        ({"method": "trees", "public": "yes"}, "'public' must be true or false"),
        ({"method": "x" * 2001}, "'method' is longer than 2000 characters"),
        ({"method": "trees", "other": "1"}, "'other' is not a question"),
        ({"size": "huge", "other": "1"}, "'other' is not a question; 'method' .*; 'size' must be"),
    ],
)
def test_answers_that_do_not_fit(
    world: World, organizer: Known, ada: Known, answers: dict[str, str], message: str
) -> None:
    slug = world.competition(organizer, fact_sheet=FACT_SHEET)
    world.join(ada, slug)
    with pytest.raises(InvalidInput, match=message):
        world.announce(ada, slug, fact_sheet=answers)
    assert count(world) == 0


def test_answers_that_fit_are_kept_in_the_order_of_the_questions(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer, fact_sheet=FACT_SHEET)
    world.join(ada, slug)
    answers = {"public": "true", "size": "", "method": "trees"}
    submission = world.submission(world.announce(ada, slug, fact_sheet=answers))
    assert submission.fact_sheet == {"method": "trees", "public": "true"}


def test_a_file_that_is_too_large(world: World, organizer: Known, ada: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    monkeypatch.setattr(world.settings, "submission_bytes", len(PREDICTIONS) - 1)
    with pytest.raises(TooLarge):
        world.announce(ada, slug)
    assert count(world) == 0


def test_what_arrives_must_be_what_was_announced_and_may_be_sent_again(
    world: World, organizer: Known, ada: Known
) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    submission_id = world.announce(ada, slug)
    with pytest.raises(NotFound, match="Nothing has been uploaded yet"):
        world.complete(submission_id)
    for wrong, message in ((PREDICTIONS + b"x", "bytes arrived"), (PREDICTIONS[::-1], "its SHA-256 differs")):
        world.upload(submission_id, wrong)
        with pytest.raises(InvalidInput, match=message):
            world.complete(submission_id)
        assert world.submission(submission_id).status is SubmissionStatus.SUBMITTED
    world.upload(submission_id)
    world.complete(submission_id)
    submission = world.submission(submission_id)
    assert (submission.status, submission.version) == (SubmissionStatus.QUEUED, 2)
    assert submission.content is not None
    assert world.storage.path(submission.content).read_bytes() == PREDICTIONS


def test_completing_twice_changes_nothing(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    submission_id = world.submit(ada, slug)
    queued = world.submission(submission_id).queued
    world.complete(submission_id)
    world.claim(submission_id)
    world.complete(submission_id)
    submission = world.submission(submission_id)
    assert (submission.status, submission.queued) == (SubmissionStatus.PREPARING, queued)


def test_completing_at_the_same_time_queues_once_and_tells_nobody_of_trouble(
    world: World, organizer: Known, ada: Known
) -> None:
    """A client that lost the answer says it again while the first call is still at work."""
    slug = world.competition(organizer)
    world.join(ada, slug)
    submission_id = world.announce(ada, slug)
    world.upload(submission_id)
    with world.session() as late:
        submission = late.get_one(Submission, submission_id)
        assert submission.content is None
        world.complete(submission_id)
        assert not complete_submission(late, submission, world.storage, actor="tests")
    assert world.submission(submission_id).version == 2


def test_content_is_proven_by_sending_it_and_not_by_knowing_its_checksum(
    world: World, organizer: Known, ada: Known
) -> None:
    slug = world.competition(organizer)
    bob = world.person("bob")
    for person in (ada, bob):
        world.join(person, slug)
    world.submit(ada, slug)
    copied = world.announce(bob, slug)
    with pytest.raises(NotFound, match="Nothing has been uploaded yet"):
        world.complete(copied)


def test_a_cancelled_submission_is_not_completed(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    for uploaded in (False, True):
        submission_id = world.announce(ada, slug)
        if uploaded:
            world.upload(submission_id)
        with world.session() as session:
            cancel_submission(session, submission_id, actor="tests", reason="Changed my mind.")
        with pytest.raises(IllegalTransition, match="cancelled can't become queued"):
            world.complete(submission_id)


def test_a_phase_takes_zips_or_images_and_says_which(world: World, organizer: Known, ada: Known) -> None:
    usual = world.competition(organizer)
    images = world.competition(organizer, title="Images", phases=[phase(accepts_container_submissions=True)])
    for slug in (usual, images):
        world.join(ada, slug)
    with pytest.raises(InvalidInput, match=r"takes no images of containers, and 'image.tar.gz' is a tar"):
        world.announce(ada, usual, filename="image.tar.gz")
    with pytest.raises(InvalidInput, match=r"takes images of containers, and 'predictions.zip' is none.*docker save"):
        world.announce(ada, images)
    assert count(world) == 0
    for name in ("image.tar", "image.TAR.GZ", "image.tgz"):
        world.announce(ada, images, filename=name)
    assert not world.claim(world.submit(ada, usual)).container_submission
    with pytest.raises(DoesNotFit, match="runs containers"):  # an agent of which nothing is known
        world.claim(world.submit(ada, images, filename="image.tar"))


def test_a_refused_submission_leaves_no_trace(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer, phases=[phase(start=PAST, end="2021-01-01")])
    world.join(ada, slug)
    with pytest.raises(PodiumError):
        world.announce(ada, slug)
    with world.session() as session:
        assert session.scalars(select(Evaluation)).all() == []
        assert session.scalars(select(Competition.next_submission_number)).one() == 1
        assert session.scalars(select(Event).where(Event.subject == "submission")).all() == []


def test_equal_files_are_kept_once(world: World, organizer: Known, ada: Known) -> None:
    slug = world.competition(organizer)
    world.join(ada, slug)
    contents = {world.submission(world.submit(ada, slug)).content for _ in range(2)}
    other: UUID = world.submit(ada, slug, data=zip_of({"other.csv": "4"}))
    assert len(contents) == 1
    assert world.submission(other).content not in contents


def test_people_are_found_whatever_the_case(world: World, ada: Known) -> None:
    with world.session() as session:
        assert find_person(session, "ADA").id == ada.id
