"""Leaderboards by how they are declared, from the bundle to every way out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from world import Known, RunningGateway, World, board, hours, phase

from podium.platform.jobs import OutputKind
from podium.platform.models import Evaluation, Leaderboard, LeaderboardEntry, Output, Submission, Team, TeamMember, now

DICE = {"key": "dice"}
DISTANCE = {"key": "hd", "sorting": "asc"}
GOLDEN: dict[str, Mapping[str, float]] = {
    "ann": {"dice": 0.9, "hd": 5},
    "bob": {"dice": 0.9, "hd": 3},
    "cyd": {"dice": 0.8, "hd": 1},
    "dan": {"dice": 0.7, "hd": 9},
    "eve": {"hd": 1},
}


def read(gateway: RunningGateway, slug: str, token: str | None = None) -> dict[str, Any]:
    answer = gateway.call("GET", f"/competitions/{slug}/leaderboard", token)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def table(found: Mapping[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[field] for field in fields) for row in found["rows"]]


def lines(gateway: RunningGateway, slug: str, token: str | None = None) -> list[dict[str, str]]:
    answer = gateway.call("GET", f"/competitions/{slug}/leaderboard.csv", token)
    return list(csv.DictReader(io.StringIO(answer.text)))


def enter(world: World, slug: str, scores: Mapping[str, Mapping[str, float]]) -> dict[str, Known]:
    """People who take part, each with a scored submission."""
    people = {name: world.person(name) for name in scores}
    for name, person in people.items():
        world.join(person, slug)
        world.score(person, slug, scores[name])
    return people


@pytest.mark.parametrize("ranking", ["mean_rank", "median_rank"])
def test_ranks_by_means_and_medians(world: World, gateway: RunningGateway, olga: Known, ranking: str) -> None:
    slug = world.competition(olga, leaderboards=[board(DICE, DISTANCE, ranking=ranking)])
    enter(world, slug, GOLDEN)
    found = read(gateway, slug)
    assert found["ranking"] == ranking
    expected = [
        ("bob", 1, 1.5, 1),
        ("ann", 2, 2.0, 2),
        ("cyd", 2, 2.0, 3),
        ("dan", 4, 4.0, 4),
        ("eve", None, None, None),
    ]
    assert table(found, "participant", "rank", "combined_rank", "place") == expected
    assert [(row["participant"], row["rank"], row["combined_rank"]) for row in lines(gateway, slug)][:2] == [
        ("bob", "1", "1.5"),
        ("ann", "2", "2.0"),
    ]


def test_ties_as_the_columns_say(world: World, gateway: RunningGateway, olga: Known) -> None:
    columns = (
        {**DICE, "ranking_precision": 1},
        {**DISTANCE, "tie_tolerance": 2},
        {"key": "x", "exclude_from_ranking": True},
    )
    slug = world.competition(olga, leaderboards=[board(*columns)])
    enter(
        world,
        slug,
        {
            "ann": {"dice": 0.88, "hd": 3, "x": 1},
            "bob": {"dice": 0.92, "hd": 1, "x": 2},
            "cyd": {"dice": 0.91, "hd": 3.5, "x": 3},
        },
    )
    assert table(read(gateway, slug), "participant", "rank") == [("ann", 1), ("bob", 1), ("cyd", 3)]


def test_what_organizers_submit_are_baselines(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(DICE, organizers_are_baselines=True)])
    enter(world, slug, {"ann": {"dice": 0.8}, "bob": {"dice": 0.6}})
    world.join(olga, slug)
    for dice in (0.9, 0.7):
        world.score(olga, slug, {"dice": dice})
    found = read(gateway, slug)
    assert table(found, "place", "participant", "rank", "is_baseline") == [
        (1, "olga", None, True),
        (2, "ann", 1, False),
        (3, "olga", None, True),
        (4, "bob", 2, False),
    ]
    assert [row["baseline"] for row in lines(gateway, slug)] == ["true", "false", "true", "false"]


def test_names_are_hidden_on_every_way_out(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga, enable_detailed_results=True, leaderboards=[board(DICE, anonymous=True)])
    people = enter(world, slug, {"annabella": {"dice": 0.8}, "bartholomew": {"dice": 0.6}})
    ann, bob = people.values()
    with world.session() as session:
        ids = [UUID(row["submission_id"]) for row in read(gateway, slug)["rows"]]
        for submission_id in ids:
            evaluation = session.get_one(Submission, submission_id).evaluations[0]
            session.add(_page(evaluation))
    paths = [f"/competitions/{slug}/leaderboard", f"/competitions/{slug}/leaderboard.csv"]
    paths += [f"/submissions/{one}/detailed-results" for one in ids]
    for token, unseen in (
        (None, ("annabella", "bartholomew")),
        (ann.token, ("bartholomew",)),
        (bob.token, ("annabella",)),
    ):
        for path in paths:
            answer = gateway.call("GET", path, token)
            assert answer.status_code == 200, answer.text
            assert not [name for name in unseen if name in answer.text], path
    names = [row[0] for row in table(read(gateway, slug), "participant")]
    assert all(name.startswith("Participant ") for name in names)
    assert names == [row[0] for row in table(read(gateway, slug), "participant")]
    assert [row[0] for row in table(read(gateway, slug, ann.token), "participant")] == ["annabella", names[1]]
    assert [row["participant"] for row in lines(gateway, slug, bob.token)] == [names[0], "bartholomew"]
    assert table(read(gateway, slug, olga.token), "participant") == [("annabella",), ("bartholomew",)]
    assert read(gateway, slug)["anonymous"]


def _page(evaluation: Evaluation) -> Output:
    return Output(
        evaluation_id=evaluation.id,
        owner_id=evaluation.submission.competition.organizer_id,
        kind=OutputKind.DETAILED_RESULTS,
        content="content/aa/aa",
        size=1,
        sha256="a" * 64,
    )


def test_a_frozen_board_shows_what_stood_then_to_all_but_organizers(
    world: World, gateway: RunningGateway, olga: Known
) -> None:
    slug = world.competition(
        olga, phases=[phase(end=hours(10))], leaderboards=[board(DICE, freeze_hours=12, submission_rule="Force_Best")]
    )
    people = enter(world, slug, {"ann": {"dice": 0.8}, "bob": {"dice": 0.6}})
    before_the_freeze = now() - timedelta(hours=3)
    with world.session() as session:
        session.execute(update(Submission).values(created=before_the_freeze, ended=before_the_freeze))
        session.execute(update(LeaderboardEntry).values(since=before_the_freeze, submitted=before_the_freeze))
    world.score(people["bob"], slug, {"dice": 0.9})
    late = world.person("late")
    world.join(late, slug)
    world.score(late, slug, {"dice": 1.0})
    for token in (None, people["bob"].token, late.token):
        found = read(gateway, slug, token)
        assert table(found, "rank", "participant", "scores", "entries") == [(1, "ann", [0.8], 1), (2, "bob", [0.6], 1)]
        assert found["total"] == 2
        assert found["frozen_since"] is not None
        assert found["updated"][:19] == before_the_freeze.isoformat()[:19]
        assert [row["participant"] for row in lines(gateway, slug, token)] == ["ann", "bob"]
    live = [(1, "late", [1.0], 1), (2, "bob", [0.9], 2), (3, "ann", [0.8], 1)]
    assert table(read(gateway, slug, olga.token), "rank", "participant", "scores", "entries") == live
    assert read(gateway, slug, olga.token)["frozen_since"] is None
    with world.session() as session:
        session.execute(update(Leaderboard).values(unfrozen=now()))
    assert table(read(gateway, slug), "rank", "participant", "scores", "entries") == live


def test_a_person_is_in_one_team_of_a_competition_and_names_of_teams_differ(world: World, olga: Known) -> None:
    slug = world.competition(olga)
    ann = world.person("ann")
    world.join(ann, slug)
    with world.session() as session:
        competition_id = session.scalar(text("SELECT id FROM competitions"))
        first, second = (Team(competition_id=competition_id, name=name) for name in ("Blue", "Green"))
        session.add_all([first, second])
        session.flush()
        teams = [first.id, second.id]
        session.add(TeamMember(competition_id=competition_id, person_id=ann.id, team_id=teams[0]))
    wrong: tuple[Team | TeamMember, ...] = (
        Team(competition_id=competition_id, name="bLUE"),
        TeamMember(competition_id=competition_id, person_id=ann.id, team_id=teams[1]),
        # Who does not take part can't be in a team.
        TeamMember(competition_id=competition_id, person_id=olga.id, team_id=teams[1]),
    )
    for row in wrong:
        with pytest.raises(IntegrityError), world.session() as session:
            session.add(row)
