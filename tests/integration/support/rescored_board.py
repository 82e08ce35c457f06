"""A competition with one submission of each of three people, and what is seen of it before and after a rerun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from world import Known, RunningGateway, World, board

from podium.platform.models import Rerun, Submission
from podium.platform.records.reruns import RerunReport
from podium.platform.reruns.views import rerun_report

PEOPLE = ("ada", "bob", "cleo")
ALIKE = {number: {"accuracy": 0.5} for number in (1, 2, 3)}


def three_people(world: World) -> list[Known]:
    """Those who take part."""
    return [world.person(name) for name in PEOPLE]


def competition(world: World, olga: Known, people: list[Known], *columns: Mapping[str, Any], **fields: Any) -> str:  # noqa: ANN401
    """A competition with its participants; `rule` is that of its leaderboard."""
    shown = board(*columns, submission_rule=fields.pop("rule", "Force_Last"), **fields.pop("board", {}))
    slug = world.competition(olga, slug="iris", leaderboards=[shown], **fields)
    for person in people:
        world.join(person, slug)
    return slug


def one_each(world: World, olga: Known, people: list[Known]) -> str:
    """One submission each: ada leads with 0.9, then bob with 0.6 and cleo with 0.3."""
    made = competition(world, olga, people)
    for person, accuracy in zip(people, (0.9, 0.6, 0.3), strict=True):
        world.score(person, made, {"accuracy": accuracy})
    return made


def report(world: World, rerun_id: UUID) -> RerunReport:
    """The report of a rerun, as it is now."""
    with world.session() as session:
        return rerun_report(session, session.get_one(Rerun, rerun_id))


def ranks(world: World, gateway: RunningGateway, slug: str) -> list[tuple[int | None, str, list[float | None]]]:
    """Ranks, people and scores on the leaderboard, as anybody sees them."""
    rows = gateway.call("GET", f"/competitions/{slug}/leaderboard").json()["rows"]
    return [(row["rank"], row["participant"], row["scores"]) for row in rows]


def by_number(world: World, number: int) -> Submission:
    """The submission of that number, not those that score it again."""
    with world.session() as session:
        query = select(Submission).where(Submission.number == number, Submission.rerun_id.is_(None))
        return session.scalars(query).one()


def changes(found: RerunReport) -> dict[int, tuple[Any, ...]]:
    """What a report says of each submission, by number: status, scores and rank, the old and the new."""
    return {
        row.number: (row.old_status, row.new_status, row.old_scores, row.new_scores, row.old_rank, row.new_rank)
        for row in found.differences
    }
