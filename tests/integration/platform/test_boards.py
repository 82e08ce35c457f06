"""Stored boards: what scored submissions make of them, at every moment, whoever writes at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from rescoring import rescore
from sqlalchemy import select, text, update
from world import Known, RunningGateway, World, board, hours, phase, success

from podium.platform.competitions import find_competition
from podium.platform.leaderboard.choosing import put_on_leaderboard, take_off_leaderboard
from podium.platform.leaderboard.live_boards import LiveBoard
from podium.platform.leaderboard.ranked_boards import ranked_board
from podium.platform.leaderboard.rules import board_rules
from podium.platform.leaderboard.sort_keys import keys_tell_the_order
from podium.platform.leaderboard.standing import ranked_entries
from podium.platform.leaderboard.verification import board_differences
from podium.platform.leaderboard.whole_board import board_of, scored_submissions
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Adoption, LeaderboardEntry, PhaseBoard, Submission, now
from podium.platform.submissions.results import store_result, store_results

Table = list[tuple[UUID, tuple[float | None, ...], int | None]]
COLUMNS = ({"key": "a", "ranking_precision": 1}, {"key": "b", "sorting": "asc"})
RULES = ("Add", "Add_And_Delete", "Add_And_Delete_Multiple", "Force_Last", "Force_Latest_Multiple", "Force_Best")


def from_scratch(world: World, slug: str) -> Table:
    """The board, made of nothing but submissions and scores."""
    with world.session() as session:
        competition = find_competition(session, slug, None)
        rules = competition.leaderboards[0]
        standing = board_of(rules, scored_submissions(session, competition.phases[0], rules, {}))
        ranked = ranked_entries(board_rules(rules), [one.entry() for one in standing.values()])
        return [(one.entry.item, tuple(one.entry.values), one.rank) for one in ranked]


def choose(world: World, rule: str, dice: random.Random) -> None:
    """Have another submission of somebody stand there, or one no more."""
    is_to_go = rule != "Add" and dice.random() < 0.5
    with world.session() as session:
        able = select(Submission).where(
            Submission.status == SubmissionStatus.FINISHED,
            Submission.on_leaderboard.is_(is_to_go),
            ~Submission.is_baseline,
            Submission.rerun_id.is_(None),
        )
        if found := session.scalars(able.order_by(Submission.number)).all():
            (take_off_leaderboard if is_to_go else put_on_leaderboard)(session, dice.choice(found))


def scores(dice: random.Random) -> dict[str, float]:
    found = {"a": dice.choice([0.1, 0.12, 0.5, 0.9]), "b": float(dice.randrange(3))}
    return {key: value for key, value in found.items() if dice.random() > 0.1}


@pytest.mark.parametrize("rule", RULES)
def test_a_board_is_what_its_submissions_make_of_it_now_and_at_every_moment(
    world: World, olga: Known, rule: str
) -> None:
    dice = random.Random(rule)
    slug = world.competition(olga, leaderboards=[board(*COLUMNS, submission_rule=rule, organizers_are_baselines=True)])
    known = [world.person(name) for name in ("ann", "bob", "cyd")] + [olga]
    for person in known:
        world.join(person, slug)
    seen: list[tuple[datetime, Table]] = []
    for step in range(13):
        if step % 3 == 2 and rule.startswith("Add"):
            choose(world, rule, dice)
        elif step in (6, 12):
            with world.session() as session:
                numbers = session.scalars(select(Submission.number).where(Submission.rerun_id.is_(None))).all()
            rescore(world, olga, slug, {n: scores(dice) for n in numbers if n % 3}, adoption=Adoption.AUTOMATIC)
        else:
            world.score(dice.choice(known), slug, scores(dice))
        with world.session() as session:
            moment = session.scalars(text("SELECT clock_timestamp()")).one()
        seen.append((moment, from_scratch(world, slug)))
    with world.session() as session:
        competition = find_competition(session, slug, None)
        assert board_differences(session, competition) == []
        first, rules = competition.phases[0], board_rules(competition.leaderboards[0])
        state = session.get_one(PhaseBoard, first.id)
        assert keys_tell_the_order(rules)
        for moment, expected in seen:
            places = ranked_board(session, first.id, rules, version=state.version, moment=moment).page(99, 0)
            assert [(one.entry.item, tuple(one.entry.values), one.rank) for one in places] == expected
        live, whole = LiveBoard(session, first.id, state), places
        assert live.total == len(whole)
        for size in (1, 2, 99):
            pages = [one for offset in range(0, len(whole), size) for one in live.page(size, offset)]
            assert [(one.entry.item, one.place, one.rank) for one in pages] == [
                (one.entry.item, one.place, one.rank) for one in whole
            ]
        everyone = live.of_entrants([person.id for person in known])
        each = [live.of_entrants([person.id]) for person in known]
        told = {one.entry.item: (one.place, one.rank) for one in whole}
        assert {one.entry.item: (one.place, one.rank) for one in everyone} == told
        assert {one.entry.item: (one.place, one.rank) for own in each for one in own} == told


def test_results_at_once_leave_one_best_row_of_each_and_nobody_waits_forever(world: World, olga: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(*COLUMNS, submission_rule="Force_Best")])
    ann, bob = (world.person(name) for name in ("ann", "bob"))
    for person in (ann, bob):
        world.join(person, slug)
    failed: list[BaseException] = []
    for attempt in range(4):
        jobs = [world.claim(world.submit(person, slug)) for person in (ann, bob, bob, ann)]
        results = [success(job, {"a": attempt + at / 10, "b": 1}) for at, job in enumerate(jobs)]
        together = threading.Barrier(3)

        def store(*stored: Any, together: threading.Barrier = together) -> None:  # noqa: ANN401  # results
            try:
                together.wait(10)
                with world.session() as session:
                    if len(stored) == 1:
                        store_result(session, stored[0], world.storage)
                    else:
                        store_results(session, stored, world.storage)
            except BaseException as error:  # noqa: BLE001  # whatever it is, the test tells
                failed.append(error)

        threads = [threading.Thread(target=store, args=chosen) for chosen in (results[:2], results[2:3], results[3:])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failed == []
        with world.session() as session:
            rows = session.scalars(select(LeaderboardEntry).where(LeaderboardEntry.until.is_(None))).all()
            assert {row.person_id: row.scores[0] for row in rows} == {ann.id: attempt + 0.3, bob.id: attempt + 0.2}
            assert len(rows) == 2
            assert board_differences(session, find_competition(session, slug, None)) == []
    with world.session() as session:
        moments = session.scalars(select(LeaderboardEntry.since).order_by(LeaderboardEntry.id)).all()
        assert moments == sorted(moments)
        assert session.scalars(select(PhaseBoard.version)).one() == 12


def get(gateway: RunningGateway, path: str, token: str | None, **query: Any) -> Any:  # noqa: ANN401  # JSON
    answer = gateway.call("GET", path, token, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_nothing_newer_than_the_freeze_is_told_by_any_way(world: World, gateway: RunningGateway, olga: Known) -> None:
    rules = board({"key": "a"}, freeze_hours=12, submission_rule="Force_Best", rank_change_hours=1)
    slug = world.competition(olga, phases=[phase(end=hours(10))], leaderboards=[rules])
    ann, bob, late = (world.person(name) for name in ("ann", "bob", "late"))
    for person, score in ((ann, 0.8), (bob, 0.6)):
        world.join(person, slug)
        world.score(person, slug, {"a": score})
    early = now() - timedelta(hours=3)
    with world.session() as session:
        session.execute(update(Submission).values(created=early, ended=early))
        session.execute(update(LeaderboardEntry).values(since=early, submitted=early))
    path = f"/competitions/{slug}/leaderboard"
    before = {token: get(gateway, path, token) for token in (None, bob.token)}
    world.score(bob, slug, {"a": 0.9})
    world.join(late, slug)
    world.score(late, slug, {"a": 1.0})
    for token, found in before.items():
        assert get(gateway, path, token) == found
        asked = get(gateway, path, token, as_of=now().isoformat())
        assert asked["rows"] == found["rows"]
        assert asked["version"] == found["version"]
        assert get(gateway, path, token, search="late")["total"] == 0
        assert [point["scores"] for point in get(gateway, f"{path}/history", token)] == [[0.8]]
        assert [p["scores"] for p in get(gateway, f"{path}/history", token, participant="BOB")] == [[0.6]]
        assert gateway.call("GET", f"{path}/history?participant=late", token).status_code == 404
    assert before[bob.token]["own"]["rank"] == 2
    assert get(gateway, path, late.token)["own"] is None
    live = get(gateway, path, olga.token)
    changes = [(row["participant"], row["previous_rank"], row["rank_change"]) for row in live["rows"]]
    assert changes == [("late", None, None), ("bob", 2, 0), ("ann", 1, -2)]
    steps = get(gateway, f"{path}/history", olga.token, participant="ann")
    assert [(step["rank"], step["scores"]) for step in steps] == [(1, [0.8]), (3, [0.8])]
    assert [step["submission_number"] for step in get(gateway, f"{path}/history", olga.token)] == [1, 3, 4]
    assert get(gateway, path, olga.token, as_of=early.isoformat())["rows"] == [
        {**row, "previous_rank": None, "rank_change": None} for row in before[None]["rows"]
    ]


def test_an_anonymous_board_tells_no_name_by_search_or_history(
    world: World, gateway: RunningGateway, olga: Known
) -> None:
    slug = world.competition(olga, leaderboards=[board(anonymous=True)])
    people: Mapping[str, Known] = {name: world.person(name) for name in ("annabel", "anton")}
    for person in people.values():
        world.join(person, slug)
        world.score(person, slug, {"accuracy": 0.5})
    path, ann = f"/competitions/{slug}/leaderboard", people["annabel"]
    found = get(gateway, path, ann.token, search="AN")
    assert ([row["participant"] for row in found["rows"]], found["total"]) == (["annabel"], 1)
    assert get(gateway, path, None, search="an")["total"] == 0
    assert get(gateway, path, olga.token, search="an")["total"] == 2
    assert len(get(gateway, f"{path}/history", ann.token, participant="annabel")) == 1
    for name in ("anton", "nobody"):
        for token in (None, ann.token):
            assert gateway.call("GET", f"{path}/history?participant={name}", token).status_code == 403


def test_a_board_that_was_spoiled_is_told_and_repaired(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga)
    ann, bob = (world.person(name) for name in ("ann", "bob"))
    for person in (ann, bob):
        world.join(person, slug)
        world.score(person, slug, {"accuracy": 0.5})
    with world.session() as session:
        session.execute(update(LeaderboardEntry).where(LeaderboardEntry.number == 1).values(scores=[0.7]))
        session.execute(text("DELETE FROM leaderboard_entries WHERE number = 2"))
    path = f"/competitions/{slug}/leaderboard"
    told = get(gateway, f"{path}/verification", olga.token)
    assert [one["message"] for one in told] == [
        "has scores (0.7), and should have (0.5)",
        "should stand there, and does not",
        "is counted as 2 rows, and has 1",
    ]
    assert gateway.call("POST", f"{path}/repair", olga.token).json() == told
    assert get(gateway, f"{path}/verification", olga.token) == []
    assert [row["rank"] for row in get(gateway, path, None)["rows"]] == [1, 1]
