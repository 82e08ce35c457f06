"""Participants and submissions by the page, acts on many of them at once, and a competition's health."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from world import Known, World, board

from podium.platform.client import Client
from podium.platform.errors import Conflict, NotFound
from podium.platform.leaderboard.verification import board_differences
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus, Verdict
from podium.platform.models import Competition, LeaderboardEntry, Submission, TermsAcceptance
from podium.platform.records.organizing import Blame, BulkAct

Connect = Callable[[str | None], Client]


@pytest.fixture
def owner(connect: Connect, olga: Known) -> Client:
    return connect(olga.token)


def fail(world: World, person: Known, slug: str, verdict: Verdict | None, message: str) -> int:
    """A submission that failed with a verdict, or that the platform gave up."""
    submission_id = world.submit(person, slug)
    job = world.claim(submission_id)
    world.finish(job, {"accuracy": 0.1})
    with world.session() as session:
        submission = session.get_one(Submission, submission_id)
        submission.status = SubmissionStatus.FAILED
        submission.status_message = message
        session.query(LeaderboardEntry).filter_by(submission_id=submission_id).delete()
        submission.on_leaderboard = False
        if verdict is not None:
            submission.evaluations[0].status = "failed"  # type: ignore[assignment]
            submission.evaluations[0].verdict = verdict
            submission.evaluations[0].message = message
        return submission.number


def test_submissions_are_found_by_filters_and_page(world: World, owner: Client, ada: Known, slug: str) -> None:
    bob = world.person("bob")
    world.join(bob, slug)
    world.score(ada, slug, {"accuracy": 0.5})
    world.score(bob, slug, {"accuracy": 0.75})
    fail(world, ada, slug, Verdict.NO_SCORES, "=evil")
    world.submit(bob, slug)
    page = owner.submission_page(slug, limit=3)
    assert (page.total, [one.number for one in page.rows]) == (4, [4, 3, 2])
    assert [one.number for one in owner.submission_page(slug, limit=3, offset=3).rows] == [1]
    for wanted, numbers in (
        ({"status": SubmissionStatus.FINISHED}, [2, 1]),
        ({"verdict": Verdict.NO_SCORES}, [3]),
        ({"participant": "AD"}, [3, 1]),
        ({"on_leaderboard": True}, [2]),
        ({"phase": 1, "until": page.rows[1].created}, [2, 1]),
        ({"since": page.rows[0].created}, [4]),
    ):
        assert [one.number for one in owner.submission_page(slug, **wanted).rows] == numbers, wanted


def test_each_of_many_is_answered_for_by_itself(world: World, owner: Client, olga: Known, ada: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule="Add")])
    world.join(ada, slug)
    first = world.score(ada, slug, {"accuracy": 0.5})
    second = world.score(ada, slug, {"accuracy": 0.25})
    world.submit(ada, slug)
    preview = owner.preview_bulk(slug, BulkAct.CANCEL, (1, 3))
    assert [(one.name, one.done) for one in preview.outcomes] == [("#1", False), ("#3", True)]
    assert world.submission(first).on_leaderboard
    done = owner.act_in_bulk(slug, BulkAct.CANCEL, (1, 3), reason="A double.")
    assert [one.done for one in done.outcomes] == [False, True]
    assert owner.submission_page(slug).rows[0].message == "Cancelled by an organizer: A double."
    line = owner.audit(slug)[0]
    assert (line.act, line.after, line.reason) == ("act on several submissions", "cancelled: #3", "A double.")
    with pytest.raises(NotFound, match="no submission 9"):
        owner.act_in_bulk(slug, BulkAct.CANCEL, (1, 9), reason="A double.")
    # By the rule `Add` the first stands there until the other takes its place.
    (put,) = owner.preview_bulk(slug, BulkAct.PUT_ON_LEADERBOARD, (2,)).outcomes
    assert "in the place of #1" in put.message
    assert owner.act_in_bulk(slug, BulkAct.PUT_ON_LEADERBOARD, (2,), reason="She asked.").done == 1
    assert [row.submission_number for row in owner.leaderboard(slug).rows] == [2]
    assert (world.submission(first).on_leaderboard, world.submission(second).on_leaderboard) == (False, True)
    assert owner.act_in_bulk(slug, BulkAct.TAKE_OFF_LEADERBOARD, (2,), reason="Copied.").done == 1
    assert [row.submission_number for row in owner.leaderboard(slug).rows] == [1]
    assert [
        one.done for one in owner.act_in_bulk(slug, BulkAct.TAKE_OFF_LEADERBOARD, (1, 2), reason="Copied.").outcomes
    ] == [True, False]
    assert owner.leaderboard(slug).total == 0


def test_what_is_kept_off_stays_off_until_an_organizer_puts_it_back(
    world: World, owner: Client, connect: Connect, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule="Force_Best")])
    world.join(ada, slug)
    for accuracy in (0.25, 0.75):
        world.score(ada, slug, {"accuracy": accuracy})
    seen = world.submission(connect(ada.token).numbered_submission(slug, 2).id).version
    (refused,) = owner.preview_bulk(slug, BulkAct.PUT_ON_LEADERBOARD, (1,)).outcomes
    assert not refused.done
    assert owner.act_in_bulk(slug, BulkAct.TAKE_OFF_LEADERBOARD, (2,), reason="Copied.").done == 1

    def standing() -> list[int | None]:
        with world.session() as session:
            assert board_differences(session, session.scalars(select(Competition)).one()) == []
        return [row.submission_number for row in owner.leaderboard(slug).rows]

    # The next best stands there instead, and another result does not bring it back.
    assert standing() == [1]
    # Its participant and the organizers see why.
    shown = connect(ada.token).numbered_submission(slug, 2)
    assert (shown.excluded, shown.on_leaderboard, shown.version > seen) == (True, False, True)
    assert [one.excluded for one in connect(ada.token).submissions(slug)] == [True, False]
    assert [one.excluded for one in owner.submission_page(slug).rows] == [True, False]
    world.score(ada, slug, {"accuracy": 0.5})
    assert standing() == [3]
    assert owner.act_in_bulk(slug, BulkAct.PUT_ON_LEADERBOARD, (2,), reason="It was hers.").done == 1
    assert standing() == [2]
    assert not connect(ada.token).numbered_submission(slug, 2).excluded


def test_nobody_chooses_what_an_organizer_keeps_off(
    world: World, owner: Client, connect: Connect, olga: Known, ada: Known
) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule="Add_And_Delete")])
    world.join(ada, slug)
    submission_id = world.score(ada, slug, {"accuracy": 0.5})
    owner.act_in_bulk(slug, BulkAct.TAKE_OFF_LEADERBOARD, (1,), reason="Copied.")
    with pytest.raises(Conflict, match="An organizer keeps this submission off"):
        connect(ada.token).put_on_leaderboard(submission_id)


def test_participants_are_searched_and_decided_about_together(
    world: World, owner: Client, ada: Known, slug: str
) -> None:
    for name in ("bob", "bea"):
        world.join(world.person(name), slug)
    world.score(ada, slug, {"accuracy": 0.5})
    record = owner.decide_participants(slug, ["ADA", "bob", "zoe"], ParticipantStatus.PENDING, reason="Who are you?")
    assert {one.name: one.done for one in record.outcomes} == {"ada": True, "bob": True, "zoe": False}
    page = owner.participant_page(slug, search="b")
    assert [(one.username, one.status.value) for one in page.rows] == [("bob", "pending"), ("bea", "approved")]
    assert (page.total, page.by_status) == (2, {"pending": 2, "approved": 1})
    (line,) = owner.participant_page(slug, search="ada").rows
    assert (line.submissions, line.finished, line.on_leaderboard, line.terms_accepted) == (1, 1, 1, True)
    with world.session() as session:
        for accepted in session.scalars(select(TermsAcceptance)):
            session.delete(accepted)
    (line,) = owner.participant_page(slug, search="ada", status=ParticipantStatus.PENDING).rows
    assert not line.terms_accepted
    again = owner.decide_participants(slug, ["ada"], ParticipantStatus.PENDING)
    assert again.outcomes[0].message == "is pending already"
    assert owner.audit(slug)[0].reason == "Who are you?"


def test_health_says_what_fails_whose_doing_it_is_and_what_to_do(
    world: World, owner: Client, ada: Known, slug: str
) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    for _ in range(3):
        fail(world, ada, slug, Verdict.EXIT_STATUS, "Traceback\nKeyError: 'species'\n")
    fail(world, ada, slug, None, "The agent was lost three times.")
    health = owner.competition_health(slug)
    assert (health.ended_lately, health.finished_lately) == (5, 1)
    assert [(one.blame, one.verdict, one.count) for one in health.failures] == [
        (Blame.SUBMISSION, Verdict.EXIT_STATUS, 3),
        (Blame.PLATFORM, None, 1),
    ]
    assert [(one.message, one.count, one.numbers) for one in health.repeated] == [("KeyError: 'species'", 3, (4, 3, 2))]
    words = " ".join(one.words for one in health.warnings)
    assert "3 submissions of 1 participant failed with the same words" in words
    assert "1 submission failed through no fault of its own." in words
    assert health.stored_bytes["datasets"] > 0
    assert health.used_bytes <= health.quota_bytes
    (used,) = [one for one in owner.competition_datasets(slug) if one.kind == "scoring_program"]
    assert used.is_current
    assert "version 1 (present)" in used.used[0]


def test_a_board_is_changed_without_waiting_for_a_result_that_is_being_stored(
    world: World, owner: Client, ada: Known, slug: str
) -> None:
    submission_id = world.submit(ada, slug)
    with world.session() as session:
        # As a result does, which then wants the participant.
        session.get_one(Submission, submission_id, with_for_update=True)
        for act in (BulkAct.PUT_ON_LEADERBOARD, BulkAct.TAKE_OFF_LEADERBOARD):
            (left_out,) = owner.act_in_bulk(slug, act, (1,), reason="In time.").outcomes
            assert (left_out.done, left_out.message) == (False, "it is queued: only what is finished has scores")
