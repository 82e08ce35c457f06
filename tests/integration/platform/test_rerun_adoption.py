"""New results take the place of the old ones: all at once, everywhere, and with a report that stays."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from rescored_board import ALIKE, by_number, changes, competition, one_each, ranks, report, three_people
from rescoring import (
    Outcome,
    adopt,
    again,
    finish,
    killed_after,
    release,
    require_board_from_scratch,
    rerun,
    rescore,
    score_again,
    settle,
    standing,
    start,
)
from sqlalchemy import select, text, update
from world import HTTP, Known, RunningGateway, World, eventually

from podium.platform.bundles.content import SubmissionRule
from podium.platform.client import Client
from podium.platform.errors import Conflict
from podium.platform.jobs import OutputKind
from podium.platform.lifecycle import RerunStatus, SubmissionStatus
from podium.platform.models import (
    Adoption,
    Evaluation,
    Event,
    LeaderboardEntry,
    Rerun,
    Score,
    Submission,
    Task,
)
from podium.platform.reruns import control, driving
from podium.platform.reruns.selection import Selection

Connect = Callable[[str | None], Client]
AUTOMATIC = Adoption.AUTOMATIC
BEHIND = "1 submission could not be scored again and would keep the old result (#2)."


@pytest.fixture
def people(world: World) -> list[Known]:
    return three_people(world)


@pytest.fixture
def slug(world: World, olga: Known, people: list[Known]) -> str:
    return one_each(world, olga, people)


# All of it changes.


def test_scores_status_board_and_ranks_are_the_new_ones(
    world: World, gateway: RunningGateway, connect: Connect, olga: Known, people: list[Known], slug: str
) -> None:
    before = by_number(world, 1)
    with world.session() as session:
        session.execute(update(Task).values(version=2))
    rerun_id = rescore(
        world, olga, slug, {1: {"accuracy": 0.1}, 2: {"accuracy": 0.6}, 3: {"accuracy": 0.7}}, adoption=AUTOMATIC
    )
    found = rerun(world, rerun_id)
    assert (found.status, found.held_back) == (RerunStatus.ADOPTED, "")
    assert found.status_message == "3 new results were adopted."
    assert found.ended is not None
    assert ranks(world, gateway, slug) == [(1, "cleo", [0.7]), (2, "bob", [0.6]), (3, "ada", [0.1])]
    require_board_from_scratch(world, slug)

    record = connect(people[0].token).submission(before.id)
    assert (record.number, record.status, record.on_leaderboard) == (1, SubmissionStatus.FINISHED, True)
    assert [(score.key, score.value) for score in record.scores] == [("accuracy", 0.1)]
    assert record.rescored == "Scored again by rerun 1: The truth was wrong."
    assert record.version == before.version + 1
    (evaluation,) = record.evaluations
    assert (evaluation.task_version, evaluation.attempt, len(record.attempts)) == (2, 1, 1)
    with world.session() as session:
        query = select(Event).where(Event.subject_id == before.id).order_by(Event.id.desc())
        event = session.scalars(query).first()
        assert event is not None
        assert (event.before, event.after, event.actor) == ("finished", "finished", "flow:rerun-phase")
        assert event.reason == "Rerun 1: The truth was wrong."
        # What was scored first is kept.
        old = session.scalars(select(Evaluation).where(Evaluation.submission_id == before.id)).one()
        assert session.get_one(Score, (old.id, "accuracy")).value == 0.9
        assert (old.task_version, old.status) == (1, "succeeded")
        events = session.scalars(select(Event).where(Event.subject_id == rerun_id).order_by(Event.id)).all()
        assert [one.after for one in events] == ["waiting", "running", "ready", "adopted"]


def test_a_reader_sees_all_of_the_old_or_all_of_the_new(
    world: World, olga: Known, people: list[Known], slug: str
) -> None:
    rerun_id = start(world, olga, slug, adoption=AUTOMATIC)
    score_again(world, rerun_id, {1: {"accuracy": 0.1}, 2: "It takes too long.", 3: {"accuracy": 0.7}})
    with world.session() as session:
        driving.finish_if_done(session, rerun_id)
    # It is held back, for one would fail.
    seen: list[object] = []
    stop = threading.Event()

    def look() -> object:
        # One statement sees one moment.
        query = select(
            Submission.number, Submission.status, Submission.status_message, Submission.results_id.is_not(None)
        ).add_columns(Submission.on_leaderboard, LeaderboardEntry.scores, Rerun.status)
        joined = query.outerjoin(
            LeaderboardEntry, (LeaderboardEntry.submission_id == Submission.id) & LeaderboardEntry.until.is_(None)
        ).join(Rerun, Rerun.id == rerun_id)
        with world.session() as session:
            rows = session.execute(joined.where(Submission.rerun_id.is_(None)).order_by(Submission.number)).all()
            return [tuple(row) for row in rows]

    def watch() -> None:
        while not stop.is_set():
            if (now := look()) not in seen:
                seen.append(now)

    before = look()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        eventually(lambda: bool(seen))
        killed_after(world, lambda session: control.adopt_by_hand(session, session.get_one(Rerun, rerun_id), actor="x"))
        assert look() == before
        adopt(world, rerun_id)
        after = look()
    finally:
        stop.set()
        watcher.join(10)
    assert after == [
        (1, "finished", "", True, True, [0.1], "adopted"),
        (2, "failed", "It takes too long.", True, False, None, "adopted"),
        (3, "finished", "", True, True, [0.7], "adopted"),
    ]
    assert seen in ([before], [before, after])


def test_every_way_leads_to_the_new_results(
    world: World, gateway: RunningGateway, connect: Connect, olga: Known, people: list[Known]
) -> None:
    slug = competition(world, olga, people, enable_detailed_results=True)
    agent, client = world.agent_token(), connect(people[0].token)

    def score(submission_id: UUID, word: str, accuracy: float) -> UUID:
        attempt = gateway.claim(agent, submission_id)
        evaluation_id = attempt.job.evaluations[0].evaluation_id
        attempt.log("scoring_stdout", 0, f"{word}\n")
        outputs = [attempt.put(kind, f"<p>{word} {kind}".encode()) for kind in OutputKind]
        report = {"program": "scoring", "step": "scoring", "image": "python:3", "image_digest": f"sha256:{word}"}
        result = {
            "evaluation_id": str(evaluation_id),
            "outcome": "succeeded",
            "scores": {"accuracy": accuracy},
            "outputs": outputs,
            "programs": [{**report, "exit_status": 0, "wall_seconds": 1.0}],
        }
        assert attempt.result([result]).status_code == 204
        return evaluation_id

    submission_id = world.submit(people[0], slug)
    old = score(submission_id, "old", 0.1)
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    new = score(again(world, rerun_id)[1], "new", 0.2)
    finish(world, rerun_id)

    def seen() -> tuple[str, str, set[str], str, list[float]]:
        record = client.submission(submission_id)
        (evaluation,) = record.evaluations
        files = {
            HTTP.get(client.output_file(submission_id, evaluation.id, output.kind).url).text.split()[0]
            for output in evaluation.outputs
        }
        (page,) = client.detailed_results(submission_id).pages
        content = client.detailed_result_page(submission_id, page.evaluation_id)
        (piece,) = client.logs(submission_id).pieces
        digest = evaluation.programs[0].image_digest or ""
        return (piece.text, content.decode(), files, digest, [score.value for score in record.scores])

    page = f"detailed_{'results'}"
    assert seen() == ("old\n", f"<p>old {page}", {"<p>old"}, "sha256:old", [0.1])
    adopt(world, rerun_id)
    assert seen() == ("new\n", f"<p>new {page}", {"<p>new"}, "sha256:new", [0.2])
    assert client.logs(submission_id).ended
    for kind in OutputKind:
        path = f"/submissions/{submission_id}/evaluations"
        assert gateway.call("GET", f"{path}/{old}/{kind}", people[0].token).status_code == 404
        assert gateway.call("GET", f"{path}/{new}/{kind}", people[0].token).status_code == 200
    (row,) = client.leaderboard(slug).rows
    assert (row.submission_id, row.has_detailed_results, row.entries) == (submission_id, True, 1)


# When it is held back, and by hand.


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        (
            {1: "It takes too long.", 2: {"accuracy": 1}, 3: "Too big."},
            "2 submissions that finished would now fail (#1, #3); the first says: It takes too long.",
        ),
        (
            {1: {"accuracy": 1}, 2: {"accuracy": 1}, 3: None},
            BEHIND.replace("#2", "#3"),
        ),
        (
            {1: "Too big.", 2: None, 3: {"accuracy": 1}},
            f"1 submission that finished would now fail (#1); the first says: Too big. {BEHIND}",
        ),
    ],
)
def test_what_would_do_harm_waits_for_a_persons_word(
    world: World, olga: Known, slug: str, outcomes: Mapping[int, Outcome], why: str
) -> None:
    board_before = standing(world, slug)
    rerun_id = rescore(world, olga, slug, outcomes, adoption=AUTOMATIC)
    found = rerun(world, rerun_id)
    assert (found.status, found.held_back) == (RerunStatus.READY, why)
    assert standing(world, slug) == board_before
    assert by_number(world, 1).results_id is None
    assert adopt(world, rerun_id).status is RerunStatus.ADOPTED
    expected = {number: list(one.values()) for number, one in outcomes.items() if isinstance(one, dict)}
    kept = {number: board_before[number] for number, one in outcomes.items() if one is None}
    assert standing(world, slug) == {**expected, **kept}
    require_board_from_scratch(world, slug)


def test_one_that_had_failed_may_fail_again_and_hold_nothing_back(
    world: World, olga: Known, people: list[Known], slug: str
) -> None:
    for _ in range(2):
        settle(world, world.submit(people[0], slug), "It takes too long.")
    rerun_id = rescore(
        world,
        olga,
        slug,
        {1: {"accuracy": 1}, 2: {"accuracy": 1}, 3: {"accuracy": 1}, 4: "Too big."},
        adoption=AUTOMATIC,
    )
    assert rerun(world, rerun_id).status is RerunStatus.ADOPTED
    assert (by_number(world, 4).status, by_number(world, 4).status_message) == ("failed", "Too big.")
    # The platform gave up on the other: its old verdict stays.
    assert (by_number(world, 5).status_message, by_number(world, 5).results_id) == ("It takes too long.", None)


def test_results_are_adopted_by_hand_when_all_are_there_and_once(world: World, olga: Known, slug: str) -> None:
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    with pytest.raises(Conflict, match="Rerun 1 is running; results are adopted when all of them are there"):
        adopt(world, rerun_id)
    score_again(world, rerun_id, ALIKE)
    assert (finish(world, rerun_id).status, standing(world, slug)[1]) == (RerunStatus.READY, [0.9])
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: adopt(world, rerun_id), range(3)))
    adopted = rerun(world, rerun_id)
    version, scored = by_number(world, 1).version, standing(world, slug)
    assert adopt(world, rerun_id).version == adopted.version
    assert (by_number(world, 1).version, standing(world, slug)) == (version, scored)
    with world.session() as session:
        events = session.scalars(select(Event.after).where(Event.subject_id == rerun_id).order_by(Event.id)).all()
    assert list(events) == ["waiting", "running", "ready", "adopted"]


# What stands on the board.


def test_who_had_failed_comes_onto_the_board_and_who_fails_leaves_it(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known], slug: str
) -> None:
    settle(world, world.submit(world_person(world, slug, "dan"), slug), "It takes too long.")
    rerun_id = rescore(
        world, olga, slug, {1: "Too big.", 2: {"accuracy": 0.6}, 3: {"accuracy": 0.3}, 4: {"accuracy": 0.8}}
    )
    found = report(world, rerun_id)
    assert (found.now_failing, found.now_finished, found.changed, found.moved) == (1, 1, 2, 2)
    adopt(world, rerun_id)
    assert ranks(world, gateway, slug) == [(1, "dan", [0.8]), (2, "bob", [0.6]), (3, "cleo", [0.3])]
    failed, finished = by_number(world, 1), by_number(world, 4)
    assert (failed.status, failed.status_message, failed.on_leaderboard) == ("failed", "Too big.", False)
    assert (finished.status, finished.status_message, finished.on_leaderboard) == ("finished", "", True)
    require_board_from_scratch(world, slug)


def world_person(world: World, slug: str, name: str) -> Known:
    person = world.person(name)
    world.join(person, slug)
    return person


@pytest.mark.parametrize(
    ("rule", "outcomes", "expected"),
    [
        (SubmissionRule.FORCE_BEST, {2: "Too big."}, {3: [0.5]}),
        (SubmissionRule.FORCE_BEST, {2: {"accuracy": 0.2}}, {3: [0.5]}),
        (SubmissionRule.FORCE_BEST, {1: {"accuracy": 1.0}}, {1: [1.0]}),
        (SubmissionRule.FORCE_LAST, {3: "Too big."}, {2: [0.9]}),
        (SubmissionRule.FORCE_LATEST_MULTIPLE, {2: "Too big."}, {1: [0.1], 3: [0.5]}),
        (SubmissionRule.ADD, {1: "Too big."}, {2: [0.9]}),
        (SubmissionRule.ADD_AND_DELETE, {1: {"accuracy": 0.2}}, {1: [0.2]}),
        (SubmissionRule.ADD_AND_DELETE_MULTIPLE, {2: {"accuracy": 0.2}}, {1: [0.1]}),
    ],
)
def test_the_rule_says_what_stands_after_it(
    world: World,
    olga: Known,
    people: list[Known],
    rule: SubmissionRule,
    outcomes: Mapping[int, Outcome],
    expected: dict[int, list[float]],
) -> None:
    slug = competition(world, olga, people, rule=rule.value)
    for accuracy in (0.1, 0.9, 0.5):
        world.score(people[0], slug, {"accuracy": accuracy})
    rerun_id = rescore(world, olga, slug, outcomes, selection=Selection(submissions=tuple(outcomes)))
    adopt(world, rerun_id)
    assert standing(world, slug) == expected
    require_board_from_scratch(world, slug)


@pytest.mark.parametrize(
    "rule",
    [
        SubmissionRule.FORCE_BEST,
        SubmissionRule.FORCE_LAST,
        SubmissionRule.FORCE_LATEST_MULTIPLE,
        SubmissionRule.ADD,
        SubmissionRule.ADD_AND_DELETE_MULTIPLE,
    ],
)
@pytest.mark.parametrize("first", ["result", "adoption"])
def test_a_fresh_result_at_the_same_moment_comes_before_or_after_all_of_it(
    world: World, olga: Known, people: list[Known], rule: SubmissionRule, first: str
) -> None:
    slug, ada = competition(world, olga, people, rule=rule.value), people[0]
    for accuracy in (0.5, 0.7):
        world.score(ada, slug, {"accuracy": accuracy})
    rerun_id = rescore(world, olga, slug, {1: {"accuracy": 0.8}, 2: "Too big."})
    job = world.claim(world.submit(ada, slug))
    steps: dict[str, Callable[[], object]] = {
        "result": lambda: world.finish(job, {"accuracy": 0.6}),
        "adoption": lambda: adopt(world, rerun_id),
    }
    second = next(one for one in steps if one != first)
    # Both wait for the participant's row; who asked first gets it first.
    with ThreadPoolExecutor(2) as pool:
        with world.session() as session:
            session.execute(text("SELECT 1 FROM participants FOR UPDATE"))
            doing = [pool.submit(steps[first])]
            eventually(lambda: waiting_for_locks(world) >= 1)
            doing.append(pool.submit(steps[second]))
            eventually(lambda: waiting_for_locks(world) >= 2)
        for one in doing:
            one.result(30)
    expected = {
        SubmissionRule.FORCE_BEST: {1: [0.8]},
        SubmissionRule.FORCE_LAST: {3: [0.6]},
        SubmissionRule.FORCE_LATEST_MULTIPLE: {1: [0.8], 3: [0.6]},
        SubmissionRule.ADD: {1: [0.8]},
        SubmissionRule.ADD_AND_DELETE_MULTIPLE: {1: [0.8]},
    }
    assert standing(world, slug) == expected[rule]
    require_board_from_scratch(world, slug)


def waiting_for_locks(world: World) -> int:
    with world.database.engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        return int(connection.scalar(text(query)) or 0)


def test_results_that_pour_in_while_results_are_adopted_leave_the_right_board(
    world: World, olga: Known, people: list[Known]
) -> None:
    slug = competition(world, olga, people, rule="Force_Best")
    for at in range(6):
        world.score(people[at % 3], slug, {"accuracy": at / 10})
    rerun_id = rescore(world, olga, slug, {at + 1: {"accuracy": (5 - at) / 10} for at in range(6)})
    jobs = [world.claim(world.submit(people[at % 3], slug)) for at in range(9)]

    def work(at: int) -> None:
        if at == 4:
            adopt(world, rerun_id)
        else:
            world.finish(jobs[at - (at > 4)], {"accuracy": 0.25 + at / 100})

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(10)))
    require_board_from_scratch(world, slug)
    assert standing(world, slug) == {1: [0.5], 2: [0.4], 15: [pytest.approx(0.34)]}


@pytest.mark.parametrize("rule", SubmissionRule)
def test_whatever_is_scored_and_scored_again_the_board_is_the_one_from_scratch(
    world: World, olga: Known, people: list[Known], rule: SubmissionRule
) -> None:
    chance = random.Random(rule.value)
    columns = ({"key": "accuracy"}, {"key": "loss", "sorting": "asc"})
    slug = competition(world, olga, people, *columns, rule=rule.value)
    waiting: list[UUID] = []

    def outcome() -> Outcome:
        keys = chance.sample(["accuracy", "loss", "other"], chance.randint(1, 3))
        scores = {key: float(chance.randint(0, 3)) for key in keys}
        return chance.choices([scores, "It takes too long.", None], [6, 2, 1])[0]

    for _ in range(4):
        waiting += [world.submit(chance.choice(people), slug) for _ in range(chance.randint(2, 5))]
        chance.shuffle(waiting)  # results come in another order than submissions
        for _ in range(chance.randint(1, len(waiting))):
            settle(world, waiting.pop(), outcome())
        require_board_from_scratch(world, slug)
        rerun_id = start(world, olga, slug)
        release(world, rerun_id)
        for submission_id in again(world, rerun_id).values():
            settle(world, submission_id, outcome())
        if finish(world, rerun_id).status is RerunStatus.READY:
            adopt(world, rerun_id)
        require_board_from_scratch(world, slug)


# One after another.


def test_a_second_rerun_is_compared_with_what_counts_now(world: World, olga: Known, slug: str) -> None:
    first = rescore(world, olga, slug, ALIKE, adoption=AUTOMATIC)
    kept = report(world, first)
    second = rescore(world, olga, slug, {1: {"accuracy": 0.7}}, selection=Selection(submissions=(1,)))
    (row,) = report(world, second).differences
    assert (row.old_scores, row.new_scores, row.old_rank, row.new_rank) == ((0.5,), (0.7,), 1, 1)
    adopt(world, second)
    record = by_number(world, 1)
    assert record.results_id == again(world, second)[1]
    assert standing(world, slug) == {1: [0.7], 2: [0.5], 3: [0.5]}
    # What the first one did is told as it was.
    assert changes(report(world, first)) == changes(kept)
    with world.session() as session:
        assert session.scalars(select(Submission).where(Submission.origin_id == record.id)).all() != []
    require_board_from_scratch(world, slug)
