"""Leaderboards in the database and on every way out."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select, update
from world import FUTURE, Known, RunningGateway, World, board, hours, phase, problem_of

from podium.platform.bundles.content import SubmissionRule
from podium.platform.leaderboard.choosing import put_on_leaderboard
from podium.platform.models import LeaderboardEntry, Score, Submission

COLUMNS = ({"key": "accuracy"}, {"key": "secret", "hidden": True}, {"key": "loss", "sorting": "asc"})


def people(world: World, slug: str, *names: str) -> list[Known]:
    """People who take part."""
    found = [world.person(name) for name in names]
    for person in found:
        world.join(person, slug)
    return found


def scored(world: World, person: Known, slug: str, *values: Mapping[str, float]) -> list[int]:
    """Submissions that were scored so, by their numbers."""
    return [world.submission(world.score(person, slug, value)).number for value in values]


def read(gateway: RunningGateway, slug: str, token: str | None = None, **query: object) -> dict[str, Any]:
    answer = gateway.call("GET", f"/competitions/{slug}/leaderboard", token, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def table(found: Mapping[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row[field] for field in fields) for row in found["rows"]]


@pytest.mark.parametrize(
    ("rule", "standing"),
    [
        (SubmissionRule.FORCE_LAST, [3]),
        (SubmissionRule.FORCE_BEST, [2]),
        (SubmissionRule.FORCE_LATEST_MULTIPLE, [2, 3, 1]),
        (SubmissionRule.ADD, [1]),
        (SubmissionRule.ADD_AND_DELETE, [1]),
        (SubmissionRule.ADD_AND_DELETE_MULTIPLE, [1]),
    ],
)
def test_the_rule_says_which_submissions_stand(
    world: World, gateway: RunningGateway, olga: Known, rule: SubmissionRule, standing: list[int]
) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule=rule.value)])
    (ada,) = people(world, slug, "ada")
    scored(world, ada, slug, {"accuracy": 0.1}, {"accuracy": 0.9}, {"accuracy": 0.5})
    found = read(gateway, slug)
    assert [row["submission_number"] for row in found["rows"]] == standing
    assert {row["entries"] for row in found["rows"]} == {3}
    records = gateway.call("GET", f"/competitions/{slug}/submissions", ada.token).json()
    assert sorted(record["number"] for record in records if record["on_leaderboard"]) == sorted(standing)


def test_results_may_come_in_another_order_than_submissions(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga)
    (ada,) = people(world, slug, "ada")
    first, second = (world.claim(world.submit(ada, slug)) for _ in range(2))
    world.finish(second, {"accuracy": 0.2})
    world.finish(first, {"accuracy": 0.9})
    assert table(read(gateway, slug), "submission_number", "scores") == [(2, [0.2])]


def test_ranks_with_ties_and_rows_without_a_rank(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga)
    for person, scores in zip(
        people(world, slug, "nobody", "last", "tied1", "tied2", "best"),
        ({"other": 1.0}, {"accuracy": -1.0}, {"accuracy": 0.5}, {"accuracy": 0.5}, {"accuracy": 0.75}),
        strict=True,
    ):
        scored(world, person, slug, scores)
    found = read(gateway, slug)
    assert table(found, "rank", "participant") == [
        (1, "best"),
        (2, "tied1"),
        (2, "tied2"),
        (4, "last"),
        (None, "nobody"),
    ]
    assert found["total"] == 5
    page = read(gateway, slug, limit=2, offset=2)
    assert table(page, "rank", "participant") == [(2, "tied2"), (4, "last")]
    assert page["total"] == 5


def test_columns_over_ranks_change_with_who_else_is_there(world: World, gateway: RunningGateway, olga: Known) -> None:
    average = {"key": "average", "computation": "average_rank", "computation_indexes": [0, 1]}
    weighted = {**average, "key": "weighted", "computation_weights": [0.25, 0.75]}
    reciprocal = {**average, "key": "reciprocal", "computation": "mean_reciprocal_rank"}
    columns = ({"key": "accuracy"}, {"key": "loss", "sorting": "asc"}, average, weighted, reciprocal)
    rule = {"primary_index": 2, "submission_rule": SubmissionRule.FORCE_BEST.value}
    slug = world.competition(olga, leaderboards=[board(*columns, **rule)])
    ada, bob = people(world, slug, "ada", "bob")
    # Of ada's own the second is best, by the first column that the average is made from.
    scored(world, ada, slug, {"accuracy": 0.5, "loss": 1}, {"accuracy": 0.6, "loss": 2}, {"accuracy": 0.4, "loss": 3})
    assert table(read(gateway, slug), "submission_number", "scores") == [(2, [0.6, 2.0, 1.0, 1.0, 1.0])]
    scored(world, bob, slug, {"accuracy": 0.5, "loss": 1})
    assert table(read(gateway, slug), "rank", "participant", "scores") == [
        (1, "ada", [0.6, 2.0, 1.5, 1.75, 0.75]),
        (2, "bob", [0.5, 1.0, 1.5, 1.25, 0.75]),
    ]
    assert [column["computation"] for column in read(gateway, slug)["columns"]][2:] == [
        "average_rank",
        "average_rank",
        "mean_reciprocal_rank",
    ]
    rows = list(csv.DictReader(io.StringIO(gateway.call("GET", f"/competitions/{slug}/leaderboard.csv").text)))
    assert [(row["average"], row["weighted"]) for row in rows] == [("1.5", "1.75"), ("1.5", "1.25")]
    records = gateway.call("GET", f"/competitions/{slug}/submissions", ada.token).json()
    assert {score["key"] for record in records for score in record["scores"]} == {"accuracy", "loss"}


def test_a_submission_that_failed_is_not_on_the_board(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga)
    (ada,) = people(world, slug, "ada")
    world.submit(ada, slug)
    found = read(gateway, slug)
    assert (found["rows"], found["total"], found["updated"]) == ([], 0, None)


def test_each_phase_has_its_own_board(world: World, gateway: RunningGateway, olga: Known) -> None:
    phases = [phase(end=hours(1)), phase(name="Second", start=hours(2), end=FUTURE)]
    slug = world.competition(olga, phases=phases)
    (ada,) = people(world, slug, "ada")
    scored(world, ada, slug, {"accuracy": 1})
    assert [len(read(gateway, slug, phase=number)["rows"]) for number in ("1", "2")] == [1, 0]
    assert read(gateway, slug)["phase"] == "First"
    answer = gateway.call("GET", f"/competitions/{slug}/leaderboard", params={"phase": "third"})
    assert "1 'First', 2 'Second'" in problem_of(answer)["remedy"]


def test_a_hidden_column_is_hidden_on_every_way_out(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(*COLUMNS)])
    ada, bob = people(world, slug, "ada", "bob")
    scores = {"accuracy": 0.5, "secret": 0.123456, "loss": 3.0, "unlisted": 0.654321}
    submission_id = world.score(ada, slug, scores)
    path = f"/competitions/{slug}"
    for token in (None, ada.token, bob.token):
        texts = [gateway.call("GET", f"{path}{way}", token).text for way in ("", "/leaderboard", "/leaderboard.csv")]
        if token == ada.token:
            texts.append(gateway.call("GET", f"/submissions/{submission_id}", token).text)
            texts.append(gateway.call("GET", f"{path}/submissions", token).text)
        for text in texts:
            assert "secret" not in text
            assert "0.123456" not in text
            assert "0.654321" not in text
    assert table(read(gateway, slug), "scores") == [([0.5, 3.0],)]
    assert table(read(gateway, slug, olga.token), "scores") == [([0.5, 0.123456, 3.0],)]
    record = gateway.call("GET", f"/submissions/{submission_id}", olga.token).json()
    assert {score["key"]: score["value"] for score in record["evaluations"][0]["scores"]} == scores


def test_a_hidden_board_is_hidden_on_every_way_out(world: World, gateway: RunningGateway, olga: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(hidden=True)])
    (ada,) = people(world, slug, "ada")
    submission_id = world.score(ada, slug, {"accuracy": 0.123456})
    for token in (None, ada.token):
        for way in ("leaderboard", "leaderboard.csv"):
            answer = gateway.call("GET", f"/competitions/{slug}/{way}", token)
            assert problem_of(answer)["detail"] == "The organizers have hidden this leaderboard."
    for path in (f"/submissions/{submission_id}", f"/competitions/{slug}/submissions"):
        assert "0.123456" not in gateway.call("GET", path, ada.token).text
    assert table(read(gateway, slug, olga.token), "scores") == [([0.123456],)]
    assert "0.123456" in gateway.call("GET", f"/submissions/{submission_id}", olga.token).text


def test_the_csv_has_whole_precision_and_no_formulas(world: World, gateway: RunningGateway, olga: Known) -> None:
    fact_sheet = {
        "=method": {"type": "text", "title": "Method", "is_on_leaderboard": True},
        "private": {"type": "text", "title": "Private"},
    }
    slug = world.competition(
        olga, leaderboards=[board({"key": "+accuracy"}, {"key": "loss", "sorting": "asc"})], fact_sheet=fact_sheet
    )
    (ada,) = people(world, slug, "ada")
    answers = {"=method": '=HYPERLINK("http://x")', "private": "unseen"}
    world.score(ada, slug, {"+accuracy": 0.1 + 0.2}, fact_sheet=answers)
    answer = gateway.call("GET", f"/competitions/{slug}/leaderboard.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{slug}-leaderboard.csv"'
    head, row = csv.reader(io.StringIO(answer.text))
    assert head[:8] == ["rank", "participant", "'+accuracy", "loss", "'=method", "entries", "submitted", "submission"]
    assert head[8:] == ["baseline", "combined_rank"]
    assert row[:6] == ["1", "ada", "0.30000000000000004", "", '\'=HYPERLINK("http://x")', "1"]
    (shown,) = read(gateway, slug)["rows"]
    assert shown["fact_sheet"] == {"=method": answers["=method"]}


def test_computed_columns_over_several_tasks(world: World, gateway: RunningGateway, olga: Known) -> None:
    columns = [
        {"key": "a"},
        {"key": "b"},
        {"key": "mean", "computation": "avg", "computation_indexes": [0, 1]},
    ]
    slug = world.competition(olga, tasks=2, leaderboards=[board(*columns, primary_index=2)])
    ada, bob = people(world, slug, "ada", "bob")
    world.score(ada, slug, {"a": 1, "b": 2}, {"a": 3, "b": 6})
    world.score(bob, slug, {"a": 100}, {"a": 100, "b": 100})
    assert table(read(gateway, slug), "rank", "participant", "scores") == [
        (1, "ada", [2.0, 4.0, 3.0]),
        (None, "bob", [100.0, None, None]),
    ]


def test_each_tasks_own_scores_are_told_while_they_are_what_stands_there(
    world: World, gateway: RunningGateway, olga: Known
) -> None:
    average = {"computation": "average_rank", "computation_indexes": [0], "sorting": "asc"}
    columns = [{"key": "a"}, {"key": "secret", "hidden": True}, {"key": "position", **average}]
    slug = world.competition(olga, tasks=2, leaderboards=[board(*columns)])
    ada, bob = people(world, slug, "ada", "bob")
    world.score(ada, slug, {"a": 1, "secret": 7}, {"a": 3, "secret": 9})
    world.score(bob, slug, {"a": 1.5}, {})
    found = read(gateway, slug)
    assert found["tasks"] == ["Task 0", "Task 1"]
    assert table(found, "participant", "scores", "task_scores") == [
        ("ada", [2.0, 1.0], [[1.0, None], [3.0, None]]),
        ("bob", [None, None], [[1.5, None], [None, None]]),
    ]
    # Results that have come since, as by a rerun of which a frozen board must tell nothing.
    with world.session() as session:
        session.execute(update(Score).where(Score.value == 3).values(value=4))
    assert table(read(gateway, slug), "participant", "scores", "task_scores")[0] == ("ada", [2.0, 1.0], [])
    single = world.competition(olga)
    assert read(gateway, single)["tasks"] == []


def test_what_a_participant_has_chosen_stays_when_more_is_scored(world: World, olga: Known) -> None:
    slug = world.competition(olga, leaderboards=[board(submission_rule="Add_And_Delete_Multiple")])
    (ada,) = people(world, slug, "ada")
    scored(world, ada, slug, {"accuracy": 0.1}, {"accuracy": 0.9})
    with world.session() as session:
        put_on_leaderboard(session, session.scalars(select(Submission).where(Submission.number == 2)).one())
    scored(world, ada, slug, {"accuracy": 0.5})
    with world.session() as session:
        entries = session.scalars(select(LeaderboardEntry)).all()
        assert sorted(entry.submission.number for entry in entries) == [1, 2]
