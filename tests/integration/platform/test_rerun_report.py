"""The report of a rerun: what has changed for whom, from the first result on, and for good."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from rescored_board import ALIKE, by_number, changes, competition, one_each, ranks, report, three_people
from rescoring import (
    adopt,
    again,
    finish,
    release,
    require_board_from_scratch,
    rerun,
    rescore,
    settle,
    standing,
    start,
)
from sqlalchemy import select, text, update
from world import Known, RunningGateway, World, phase

from podium.platform.client import Client
from podium.platform.models import (
    Adoption,
    Phase,
    RerunItem,
    Submission,
)
from podium.platform.reruns.selection import Selection

Connect = Callable[[str | None], Client]
AUTOMATIC = Adoption.AUTOMATIC


@pytest.fixture
def people(world: World) -> list[Known]:
    return three_people(world)


@pytest.fixture
def slug(world: World, olga: Known, people: list[Known]) -> str:
    return one_each(world, olga, people)


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

    # A watcher may be woken for nothing, by what was told just before it came, and then asks again.
    def wait_for_submission() -> object:
        client = connect(people[0].token)
        while (found := client.submission(submission_id, seen=version, wait=20)).version == version:
            pass
        return found.rescored

    def wait_for_rerun() -> object:
        path = f"/competitions/{slug}/reruns/1?seen={number}&wait=20"
        while (found := gateway.call("GET", path, olga.token).json())["version"] == number:
            pass
        return found["status"]

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
