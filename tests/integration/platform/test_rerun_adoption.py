"""New results take the place of the old ones: all at once, everywhere, and with a report that stays."""

from __future__ import annotations

import csv
import io
import json
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
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
from world import HTTP, Known, RunningGateway, World, board, eventually, phase

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
    Phase,
    Rerun,
    RerunItem,
    Score,
    Submission,
    Task,
)
from podium.platform.records.reruns import RerunReport
from podium.platform.reruns import control, driving
from podium.platform.reruns.selection import Selection
from podium.platform.reruns.views import rerun_report

Connect = Callable[[str | None], Client]
AUTOMATIC = Adoption.AUTOMATIC
BEHIND = "1 submission could not be scored again and would keep the old result (#2)."
PEOPLE = ("ada", "bob", "cleo")
ALIKE = {number: {"accuracy": 0.5} for number in (1, 2, 3)}


@pytest.fixture
def olga(world: World) -> Known:
    return world.person("olga", organizer=True)


@pytest.fixture
def people(world: World) -> list[Known]:
    return [world.person(name) for name in PEOPLE]


def competition(world: World, olga: Known, people: list[Known], *columns: Mapping[str, Any], **fields: Any) -> str:  # noqa: ANN401
    """A competition with its participants; `rule` is that of its leaderboard."""
    shown = board(*columns, submission_rule=fields.pop("rule", "Force_Last"), **fields.pop("board", {}))
    slug = world.competition(olga, slug="iris", leaderboards=[shown], **fields)
    for person in people:
        world.join(person, slug)
    return slug


@pytest.fixture
def slug(world: World, olga: Known, people: list[Known]) -> str:
    """One submission each: ada leads with 0.9, then bob with 0.6 and cleo with 0.3."""
    made = competition(world, olga, people)
    for person, accuracy in zip(people, (0.9, 0.6, 0.3), strict=True):
        world.score(person, made, {"accuracy": accuracy})
    return made


def report(world: World, rerun_id: UUID) -> RerunReport:
    with world.session() as session:
        return rerun_report(session, session.get_one(Rerun, rerun_id))


def ranks(world: World, gateway: RunningGateway, slug: str) -> list[tuple[int | None, str, list[float | None]]]:
    rows = gateway.call("GET", f"/competitions/{slug}/leaderboard").json()["rows"]
    return [(row["rank"], row["participant"], row["scores"]) for row in rows]


def by_number(world: World, number: int) -> Submission:
    with world.session() as session:
        query = select(Submission).where(Submission.number == number, Submission.rerun_id.is_(None))
        return session.scalars(query).one()


def changes(found: RerunReport) -> dict[int, tuple[Any, ...]]:
    return {
        row.number: (row.old_status, row.new_status, row.old_scores, row.new_scores, row.old_rank, row.new_rank)
        for row in found.differences
    }


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
        joined = query.outerjoin(LeaderboardEntry, LeaderboardEntry.submission_id == Submission.id).join(
            Rerun, Rerun.id == rerun_id
        )
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


# The report.


def test_the_report_is_the_same_before_and_after_and_later(
    world: World, olga: Known, people: list[Known], slug: str
) -> None:
    settle(world, world.submit(people[1], slug), "It takes too long.")
    rerun_id = rescore(world, olga, slug, {1: {"accuracy": 0.2}, 2: None, 3: {"accuracy": 0.3}, 4: "Too big."})
    live = report(world, rerun_id)
    assert changes(live) == {
        1: ("finished", "finished", (0.9,), (0.2,), 1, 3),
        2: ("finished", None, (0.6,), (None,), 2, 1),
        3: ("finished", "finished", (0.3,), (0.3,), 3, 2),
        4: ("failed", "failed", (None,), (None,), 2, 1),
    }
    # What has changed stands first, and of that what moved furthest.
    assert [row.number for row in live.differences] == [1, 2, 3, 4]
    assert (live.changed, live.rerun.finished, live.rerun.failed, live.rerun.given_up) == (1, 2, 1, 1)
    assert [row.message for row in live.differences][3] == "Too big."
    adopt(world, rerun_id)
    kept = report(world, rerun_id)
    assert (kept.differences, kept.changed, kept.moved) == (live.differences, live.changed, live.moved)
    for person in people:
        world.score(person, slug, {"accuracy": 1.0})
    later = report(world, rerun_id)
    assert replace(later, rerun=kept.rerun) == kept


def test_the_report_grows_while_it_is_scored(world: World, olga: Known, slug: str) -> None:
    rerun_id = start(world, olga, slug)
    assert {row.new_status for row in report(world, rerun_id).differences} == {None}
    release(world, rerun_id)
    settle(world, again(world, rerun_id)[3], {"accuracy": 1.0})
    found = report(world, rerun_id)
    assert found.differences[0].number == 3
    assert changes(found) == {
        1: ("finished", None, (0.9,), (None,), 1, 2),
        2: ("finished", None, (0.6,), (None,), 2, 3),
        3: ("finished", "finished", (0.3,), (1.0,), 3, 1),
    }
    assert (found.changed, found.moved) == (1, 3)


def test_the_report_as_csv_is_whole_and_no_formula(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known]
) -> None:
    columns = ({"key": "accuracy"}, {"key": "secret", "hidden": True})
    slug = competition(world, olga, people, *columns, phases=[phase(name="=1+1")])
    world.score(people[0], slug, {"accuracy": -0.1 - 0.2, "secret": 7})
    rerun_id = rescore(world, olga, slug, {1: {"accuracy": 1e-17, "secret": 8}})
    path = f"/competitions/{slug}/reruns/1/report.csv"
    answer = gateway.call("GET", path, olga.token)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="iris-rerun-1.csv"'
    heads = ["submission", "participant", "phase", "old status", "new status"]
    scores = ["old accuracy", "new accuracy", "old secret", "new secret"]
    assert list(csv.reader(io.StringIO(answer.text))) == [
        [*heads, *scores, "old rank", "new rank"],
        ["1", "ada", "'=1+1", "finished", "finished", repr(-0.1 - 0.2), "1e-17", "7.0", "8.0", "1", "1"],
    ]
    adopt(world, rerun_id)
    assert gateway.call("GET", path, olga.token).text == answer.text


def test_ranks_are_those_of_the_whole_board_with_columns_computed_and_over_ranks(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known]
) -> None:
    average = {"key": "average", "sorting": "asc", "computation": "average_rank", "computation_indexes": [0, 1]}
    total = {"key": "total", "computation": "sum", "computation_indexes": [0, 1]}
    columns = ({"key": "a"}, {"key": "b"}, total, average)
    slug = competition(world, olga, people, *columns, board={"primary_index": 3})
    for person, a, b in zip(people, (3, 2, 1), (2, 3, 1), strict=True):
        world.score(person, slug, {"a": a, "b": b})
    rerun_id = rescore(world, olga, slug, {3: {"a": 4, "b": 4}}, selection=Selection(submissions=(3,)))
    (row,) = report(world, rerun_id).differences
    assert (row.old_scores[:3], row.new_scores[:3]) == ((1.0, 1.0, 2.0), (4.0, 4.0, 8.0))
    assert (row.old_rank, row.new_rank) == (3, 1)
    adopt(world, rerun_id)
    assert [(rank, name) for rank, name, _ in ranks(world, gateway, slug)] == [(1, "cleo"), (2, "ada"), (3, "bob")]
    assert [scores[3] for _, _, scores in ranks(world, gateway, slug)] == [1.0, 2.5, 2.5]
    require_board_from_scratch(world, slug)


def test_a_phase_of_several_tasks_is_scored_again_whole(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known]
) -> None:
    slug, ada = competition(world, olga, people, tasks=2), people[0]
    submission_id = world.score(ada, slug, {"accuracy": 0.2}, {"accuracy": 0.4})
    rerun_id = start(world, olga, slug)
    release(world, rerun_id)
    job = world.claim(again(world, rerun_id)[1])
    assert [evaluation.task for evaluation in job.evaluations] == ["Task 0", "Task 1"]
    world.finish(job, {"accuracy": 0.4}, {"accuracy": 0.8})
    finish(world, rerun_id)
    adopt(world, rerun_id)
    assert ranks(world, gateway, slug) == [(1, "ada", [pytest.approx(0.6)])]
    record = gateway.call("GET", f"/submissions/{submission_id}", ada.token).json()
    assert [one["scores"][0]["value"] for one in record["evaluations"]] == [0.4, 0.8]
    require_board_from_scratch(world, slug)


def test_several_phases_change_together(world: World, olga: Known, people: list[Known]) -> None:
    phases = [phase(end="2020-01-02 00:00:00+00:00"), phase(name="Second", start="2020-01-03 00:00:00+00:00")]
    slug = competition(world, olga, people, phases=phases)
    for at in (1, 2):
        world.score(people[0], slug, {"accuracy": at / 10}, phase="2")
    with world.session() as session:
        first = session.scalars(select(Phase.id).order_by(Phase.position)).first()
        session.execute(update(Submission).where(Submission.number == 1).values(phase_id=first))
        session.execute(text("DELETE FROM leaderboard_entries"))
        session.execute(update(Submission).values(on_leaderboard=False))
    selection = Selection(submissions=(1, 2))
    rerun_id = rescore(world, olga, slug, {1: {"accuracy": 0.5}, 2: {"accuracy": 0.6}}, selection=selection)
    adopt(world, rerun_id)
    assert (standing(world, slug), standing(world, slug, phase=1)) == ({1: [0.5]}, {2: [0.6]})
    for at in range(2):
        require_board_from_scratch(world, slug, phase=at)


def test_columns_that_are_hidden_are_the_organizers_alone(
    world: World, gateway: RunningGateway, olga: Known, people: list[Known]
) -> None:
    columns = ({"key": "accuracy"}, {"key": "secret", "hidden": True})
    slug = competition(world, olga, people, *columns)
    submission_id = world.score(people[0], slug, {"accuracy": 0.1, "secret": 11})
    rescore(world, olga, slug, {1: {"accuracy": 0.2, "secret": 4321}}, adoption=AUTOMATIC)
    found = gateway.call("GET", f"/competitions/{slug}/reruns/1/report", olga.token).json()
    assert [column["key"] for column in found["columns"]] == ["accuracy", "secret"]
    assert found["differences"][0]["new_scores"] == [0.2, 4321.0]
    for path in (
        f"/submissions/{submission_id}",
        f"/competitions/{slug}/submissions",
        f"/competitions/{slug}/leaderboard",
    ):
        own = gateway.call("GET", path, people[0].token).json()
        assert "4321" not in json.dumps(own)
        assert "0.2" in json.dumps(own)
    assert "4321" in gateway.call("GET", f"/submissions/{submission_id}", olga.token).text


def test_watchers_hear_of_the_adoption(
    world: World, gateway: RunningGateway, connect: Connect, olga: Known, people: list[Known], slug: str
) -> None:
    rerun_id = rescore(world, olga, slug, ALIKE)
    submission_id, version = by_number(world, 1).id, by_number(world, 1).version
    number = rerun(world, rerun_id).version

    def wait_for_submission() -> object:
        return connect(people[0].token).submission(submission_id, seen=version, wait=20).rescored

    def wait_for_rerun() -> object:
        path = f"/competitions/{slug}/reruns/1?seen={number}&wait=20"
        return gateway.call("GET", path, olga.token).json()["status"]

    with ThreadPoolExecutor(2) as pool:
        heard = [pool.submit(one) for one in (wait_for_submission, wait_for_rerun)]
        threading.Event().wait(0.5)
        assert gateway.call("POST", f"/competitions/{slug}/reruns/1/adopt", olga.token).status_code == 200
        assert [one.result(15) for one in heard] == ["Scored again by rerun 1: The truth was wrong.", "adopted"]


def test_what_was_kept_is_kept_for_each(world: World, olga: Known, slug: str) -> None:
    rerun_id = rescore(world, olga, slug, {1: {"accuracy": 0.4}, 2: {"accuracy": 0.5}, 3: {"accuracy": 0.6}})
    with world.session() as session:
        assert {item.old_status for item in session.scalars(select(RerunItem))} == {None}
    adopt(world, rerun_id)
    with world.session() as session:
        items = session.scalars(select(RerunItem).order_by(RerunItem.position)).all()
        assert [(item.old_scores, item.new_scores, item.old_rank, item.new_rank) for item in items] == [
            ([0.9], [0.4], 1, 3),
            ([0.6], [0.5], 2, 2),
            ([0.3], [0.6], 3, 1),
        ]
