"""What a rerun would do, before it is started: how much, how long, and what it leaves out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from rescoring import (
    again,
    record,
    release,
    rerun,
    rescore,
    score,
    settle,
    start,
    tell,
    two_phases,
)
from sqlalchemy import select, update
from world import Known, World

from podium.platform.competitions import find_competition
from podium.platform.errors import InvalidInput, NotFound
from podium.platform.models import (
    Agent,
    Attempt,
    Evaluation,
    Pool,
    Submission,
    Task,
    now,
)
from podium.platform.records.reruns import RerunPreview
from podium.platform.reruns import control
from podium.platform.reruns.preview import preview_rerun
from podium.platform.reruns.selection import Selection
from podium.platform.submissions.attempts import cancel_overdue_uploads, cancel_submission


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    return two_phases(world, olga, ada)


def preview(world: World, olga: Known, slug: str, selection: Selection, *, parallel: int | None = None) -> RerunPreview:
    with world.session() as session:
        competition = find_competition(session, slug, world.caller(olga))
        return preview_rerun(session, competition, selection, parallel=parallel)


def test_a_preview_counts_by_phase_and_says_what_is_left_out_and_why(
    world: World, ada: Known, olga: Known, slug: str
) -> None:
    scored = score(world, ada, slug, 2)
    fails = world.submit(ada, slug, phase="2")
    settle(world, fails, "It takes too long.")
    waiting, running, uploading = world.submit(ada, slug), world.submit(ada, slug), world.announce(ada, slug)
    world.claim(running)
    cancelled, never = world.submit(ada, slug), world.announce(ada, slug)
    with world.session() as session:
        cancel_submission(session, cancelled, actor="person:ada", reason="No.")
        session.execute(update(Submission).where(Submission.id == never).values(created=now() - timedelta(hours=2)))
        assert cancel_overdue_uploads(session, seconds=3600) == [never]
    found = preview(world, olga, slug, Selection(phase="second"))
    assert (found.competition, found.total, found.left_out_total) == (slug, 3, 5)
    assert [(one.phase, one.submissions) for one in found.phases] == [("Second", 3)]
    later = "and will be scored by the present version"
    assert [(one.number, one.participant, one.reason) for one in found.left_out] == [
        (4, "ada", f"it is queued, {later}"),
        (5, "ada", f"it is preparing, {later}"),
        (6, "ada", f"it is submitted, {later}"),
        (7, "ada", "it was cancelled"),
        (8, "ada", "its file was never uploaded"),
    ]
    assert [world.submission(one).status for one in (*scored, waiting, uploading)] == [
        "finished",
        "finished",
        "queued",
        "submitted",
    ]

    start(world, olga, slug, Selection(submissions=(1,)))
    taken = preview(world, olga, slug, Selection(phase="2"))
    assert taken.total == 2
    assert (taken.left_out[0].number, taken.left_out[0].reason) == (1, "rerun 1 scores it already")
    assert preview(world, olga, slug, Selection(phase="1")).total == 0


def test_what_the_platform_failed_is_found_and_nothing_else(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug)
    given_up, judged, no_image = (world.submit(ada, slug) for _ in range(3))
    settle(world, given_up, None)
    settle(world, judged, "It takes too long.")
    settle(world, no_image, "There is no such image.")
    with world.session() as session:
        session.execute(
            update(Evaluation).where(Evaluation.submission_id == no_image).values(verdict="image_unavailable")
        )
    for selection in (Selection(platform_failures=True), Selection(phase="2", platform_failures=True)):
        rerun_id = start(world, olga, slug, selection)
        release(world, rerun_id)
        assert list(again(world, rerun_id)) == [2, 4]
        tell(world, rerun_id, control.cancel_rerun)
    assert preview(world, olga, slug, Selection(phase="1", platform_failures=True)).total == 0
    # What counts now says whose fault it is.
    adopted = rescore(world, olga, slug, {2: "Too big.", 4: None}, selection=Selection(platform_failures=True))
    tell(world, adopted, control.adopt_by_hand)
    rerun_id = start(world, olga, slug, Selection(platform_failures=True))
    release(world, rerun_id)
    assert list(again(world, rerun_id)) == [4]


def test_a_preview_tells_how_long_it_takes_by_history_and_slots(
    world: World, ada: Known, olga: Known, slug: str
) -> None:
    score(world, ada, slug, 4)
    selection = Selection(phase="2")
    assert preview(world, olga, slug, selection).expected_seconds is None  # nobody is there
    with world.session() as session:
        pool = session.scalars(select(Pool.id).where(Pool.name == "docker")).one()
        for name, seen, trouble in (("a", 0, ""), ("b", 0, ""), ("gone", 3600, ""), ("ill", 0, "Its disk is full.")):
            last_seen = now() - timedelta(seconds=seen)
            session.add(
                Agent(
                    name=name,
                    pool_id=pool,
                    version="1",
                    slots=2,
                    executor="docker",
                    last_seen=last_seen,
                    trouble=trouble,
                )
            )
        for seconds, attempt in zip((5, 10, 10, 1000), session.scalars(select(Attempt)), strict=True):
            attempt.started, attempt.ended = now(), now() + timedelta(seconds=seconds)
    found = preview(world, olga, slug, selection)
    assert (found.slots, found.parallel) == (4, None)
    assert found.phases[0].typical_seconds == pytest.approx(10, abs=0.1)
    assert found.expected_seconds == pytest.approx(10, abs=0.1)
    assert preview(world, olga, slug, selection, parallel=1).expected_seconds == pytest.approx(40, abs=0.1)
    assert preview(world, olga, slug, selection, parallel=99).expected_seconds == pytest.approx(10, abs=0.1)
    rerun_id = start(world, olga, slug, selection)
    assert rerun(world, rerun_id).expected_seconds == pytest.approx(10, abs=0.1)
    assert record(world, rerun_id).remaining_seconds == pytest.approx(10, abs=0.1)
    with world.session() as session:
        for attempt in session.scalars(select(Attempt)):
            attempt.ended = attempt.started + timedelta(seconds=100)
    # What is long leaves a slot to those who submit meanwhile.
    tell(world, rerun_id, control.cancel_rerun)
    assert preview(world, olga, slug, selection).parallel == 3
    assert rerun(world, start(world, olga, slug, selection)).parallel == 3


def test_a_preview_names_the_tasks_that_have_changed(world: World, ada: Known, olga: Known, slug: str) -> None:
    score(world, ada, slug)
    assert preview(world, olga, slug, Selection(phase="2")).changed_tasks == ()
    with world.session() as session:
        session.execute(update(Task).values(version=2))
    score(world, ada, slug)
    with world.session() as session:
        session.execute(update(Task).values(version=3))
    assert preview(world, olga, slug, Selection(phase="2")).changed_tasks == (
        "Task 0: 1 by version 1, now version 3",
        "Task 0: 1 by version 2, now version 3",
    )


@pytest.mark.parametrize(
    ("selection", "error", "said"),
    [
        (Selection(), InvalidInput, "Nothing was selected"),
        (Selection(phase="1", submissions=(1,)), InvalidInput, "named by number, and chosen in another way"),
        (Selection(platform_failures=True, submissions=(1,)), InvalidInput, "named by number"),
        (Selection(submissions=(1, 7, 9)), NotFound, "'iris' has no submission 7, 9"),
        (Selection(phase="Third"), NotFound, "'iris' has no phase 'Third'"),
    ],
)
def test_a_selection_that_says_nothing_sensible_is_refused(
    world: World, ada: Known, olga: Known, slug: str, selection: Selection, error: type[Exception], said: str
) -> None:
    score(world, ada, slug)
    for refused in (lambda: preview(world, olga, slug, selection), lambda: start(world, olga, slug, selection)):
        with pytest.raises(error, match=said):
            refused()


# Starting.
