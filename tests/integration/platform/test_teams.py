"""Teams: made, joined and left; one quota, one place on the boards, whoever does what at the same time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from world import Known, World, board, hours, phase, success

from podium.platform.client import Client
from podium.platform.competitions import find_competition
from podium.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, PodiumError, QuotaExceeded
from podium.platform.identity import find_person
from podium.platform.jobs import ScoringJob
from podium.platform.leaderboard.reading import Reader, read_leaderboard
from podium.platform.leaderboard.verification import board_differences
from podium.platform.models import LeaderboardEntry, Phase, Submission, Team, now
from podium.platform.submissions.results import store_result
from podium.platform.teams import create_team, join_team, leave_team, make_code, own_team

RULES = ("Add", "Add_And_Delete", "Add_And_Delete_Multiple", "Force_Last", "Force_Latest_Multiple", "Force_Best")
Connect = Callable[[str | None], Client]


def with_teams(world: World, *, most: int = 3, deadline: str | None = None, **fields: Any) -> str:  # noqa: ANN401
    olga = world.person("olga", organizer=True)
    rules = {"max_members": most, **({"deadline": deadline} if deadline else {})}
    return world.competition(olga, teams=rules, **fields)


def joined(world: World, slug: str, *names: str) -> list[Known]:
    people = [world.person(name) for name in names]
    for person in people:
        world.join(person, slug)
    return people


def team_up(world: World, slug: str, captain: Known, *others: Known, name: str = "Us") -> None:
    with world.session() as session:
        competition = find_competition(session, slug, None)
        leader = find_person(session, captain.username)
        team = create_team(session, competition, leader, name)
        code = make_code(competition, team, leader).code
    for other in others:
        with world.session() as session:
            competition = find_competition(session, slug, None)
            join_team(session, competition, find_person(session, other.username), code)


def leave(world: World, slug: str, person: Known) -> None:
    with world.session() as session:
        competition, who = find_competition(session, slug, None), find_person(session, person.username)
        leave_team(session, competition, own_team(session, competition, who.id), who, by=who)


def rows(world: World, slug: str, viewer: Known | None = None) -> list[tuple[int | None, str, int, int]]:
    """Rank, name, entries and number of the submission of each row."""
    with world.session() as session:
        competition = find_competition(session, slug, None)
        reader = Reader(viewer.id if viewer else None)
        found = read_leaderboard(session, competition, competition.phases[0], reader, limit=100, offset=0)
        return [(row.rank, row.participant, row.entries, row.submission_number) for row in found.rows]


def differences(world: World, slug: str) -> list[str]:
    with world.session() as session:
        return [one.message for one in board_differences(session, find_competition(session, slug, None))]


def test_the_whole_way_of_a_team(world: World, connect: Connect) -> None:
    slug = with_teams(world, most=3)
    ada, bea, cleo, dora, eve = joined(world, slug, "ada", "bea", "cleo", "dora", "eve")
    as_ada, as_bea, as_cleo, as_dora = (connect(one.token) for one in (ada, bea, cleo, dora))
    assert as_ada.competition(slug).max_team_members == 3
    team = as_ada.create_team(slug, "  The   Night Owls ")
    assert (team.name, team.captain, team.members, team.max_members) == ("The Night Owls", "ada", ("ada",), 3)
    code = as_ada.create_team_code(slug)
    assert code.code not in repr(as_ada.team(slug))
    assert as_bea.join_team(slug, code.code).members == ("ada", "bea")
    assert as_cleo.join_team(slug, code.code).members == ("ada", "bea", "cleo")
    with pytest.raises(Conflict, match="is full: 3 may be in one"):
        as_dora.join_team(slug, code.code)
    with pytest.raises(Conflict, match="You are in the team 'The Night Owls' already"):
        as_bea.create_team(slug, "Another")
    with pytest.raises(Conflict, match="There is a team 'the night owls' already"):
        as_dora.create_team(slug, "the night owls")
    with pytest.raises(Conflict, match="is somebody's username"):
        as_dora.create_team(slug, "EVE")
    for wrong in ("<b>", "...", "a\u200bb", "x" * 61, "Participant abcdefgh"):
        with pytest.raises(InvalidInput, match="can't be a team's name"):
            as_dora.create_team(slug, wrong)
    for forbidden in (
        lambda: as_bea.create_team_code(slug),
        lambda: as_bea.change_team(slug, name="Ours"),
        lambda: as_bea.leave_team(slug, "cleo"),
    ):
        with pytest.raises(NotAllowed, match="Only the captain of the team"):
            forbidden()
    as_ada.leave_team(slug, "cleo")
    with pytest.raises(NotFound, match="No team has this code"):  # whoever was removed knew it
        as_cleo.join_team(slug, code.code)
    with pytest.raises(NotFound, match="You are in no team"):
        as_cleo.team(slug)
    assert as_ada.change_team(slug, name="Owls", captain="bea").captain == "bea"
    as_bea.leave_team(slug, "bea")
    assert as_ada.team(slug).captain == "ada"
    as_ada.leave_team(slug, "ada")
    with world.session() as session:
        assert session.scalar(select(func.count()).select_from(Team)) == 0
    assert as_dora.create_team(slug, "Owls").captain == "dora"
    assert eve.username


def test_a_code_expires_and_is_stored_as_a_hash(world: World, connect: Connect) -> None:
    slug = with_teams(world)
    ada, bea = joined(world, slug, "ada", "bea")
    as_ada = connect(ada.token)
    as_ada.create_team(slug, "Us")
    first, second = as_ada.create_team_code(slug), as_ada.create_team_code(slug)
    assert second.expires - now() > timedelta(days=6)
    with world.session() as session:
        team = session.scalars(select(Team)).one()
        assert second.code.encode() not in (team.code_sha256 or b"")
    with pytest.raises(NotFound, match="No team has this code"):
        connect(bea.token).join_team(slug, first.code)
    with world.session() as session:
        session.execute(update(Team).values(code_expires=now()))
    with pytest.raises(NotFound, match="it has expired"):
        connect(bea.token).join_team(slug, second.code)


def test_who_does_not_take_part_is_in_no_team_and_a_deadline_holds(world: World, connect: Connect) -> None:
    slug = with_teams(world, deadline=hours(1))
    (ada,) = joined(world, slug, "ada")
    bob = world.person("bob")
    with pytest.raises(NotAllowed, match="You have not joined"):
        connect(bob.token).create_team(slug, "Us")
    as_ada = connect(ada.token)
    as_ada.create_team(slug, "Us")
    with world.session() as session:
        find_competition(session, slug, None).team_deadline = now()
    for late in (
        lambda: as_ada.create_team_code(slug),
        lambda: as_ada.leave_team(slug, "ada"),
        lambda: connect(bob.token).join_team(slug, "x"),
    ):
        with pytest.raises(Conflict, match="teams stay as they are"):
            late()
    other = world.competition(world.person("otto", organizer=True), title="Alone")
    world.join(ada, other)
    with pytest.raises(NotFound, match="everybody takes part alone"):
        as_ada.create_team(other, "Us")


def test_members_see_what_is_their_teams_and_others_do_not(world: World, connect: Connect) -> None:
    slug = with_teams(world)
    ada, bea, eve = joined(world, slug, "ada", "bea", "eve")
    team_up(world, slug, ada, bea)
    made = world.score(ada, slug, {"accuracy": 0.5})
    as_bea = connect(bea.token)
    assert [(one.participant, one.team) for one in as_bea.submissions(slug)] == [("ada", "Us")]
    assert as_bea.submission(made).number == 1
    as_bea.logs(made)
    with pytest.raises(NotAllowed, match="Only the participant whose submission it is"):
        as_bea.share_submission(made)
    running = world.submit(ada, slug)
    with pytest.raises(NotAllowed, match="Only who submitted it"):
        as_bea.cancel(running)
    with pytest.raises(NotFound):
        connect(eve.token).submission(made)
    leave(world, slug, bea)
    assert as_bea.submissions(slug) == ()
    with pytest.raises(NotFound):
        as_bea.submission(made)


def test_a_team_has_one_quota_and_nobody_gets_more_by_changing_teams(world: World, connect: Connect) -> None:
    slug = with_teams(world, phases=[phase(max_submissions=3)])
    ada, bea, cleo = joined(world, slug, "ada", "bea", "cleo")
    world.score(ada, slug, {"accuracy": 0.1})
    team_up(world, slug, ada, bea)
    world.score(bea, slug, {"accuracy": 0.2})
    assert connect(ada.token).allowance(slug).left_total == 1
    world.score(ada, slug, {"accuracy": 0.3})
    with pytest.raises(QuotaExceeded):
        world.announce(bea, slug)
    # Who leaves takes what they have used along, and leaves to the team what it has used.
    leave(world, slug, ada)
    assert [connect(one.token).allowance(slug).left_total for one in (ada, bea)] == [1, 0]
    team_up(world, slug, cleo, ada, name="Them")
    assert connect(cleo.token).allowance(slug).left_total == 1
    as_olga = connect(world_token(world, "olga"))
    as_olga.allow_extra(slug, "1", "ada", total=2, reason="The upload broke.")
    assert [connect(one.token).allowance(slug).left_total for one in (cleo, bea)] == [3, 0]


def world_token(world: World, username: str) -> str:
    from podium.platform.identity import issue_token  # noqa: PLC0415

    with world.session() as session:
        return issue_token(session, find_person(session, username), name="tests")[0]


def test_two_members_at_once_take_the_last_submission_once(world: World) -> None:
    slug = with_teams(world, phases=[phase(max_submissions=5, max_submissions_per_day=5)])
    people = joined(world, slug, "ada", "bea", "cleo")
    team_up(world, slug, *people)
    taken, refused = [], []

    def submit(person: Known) -> None:
        for _ in range(4):
            try:
                taken.append(world.announce(person, slug))
            except QuotaExceeded:
                refused.append(person)

    together([lambda one=one: submit(one) for one in people])
    assert (len(taken), len(refused)) == (5, 7)


def together(acts: list[Callable[[], None]]) -> None:
    failed: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # told by the test
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_team_stands_once_where_its_members_stood(world: World) -> None:
    slug = with_teams(world, leaderboards=[board(submission_rule="Force_Best")])
    ada, bea, eve = joined(world, slug, "ada", "bea", "eve")
    world.score(ada, slug, {"accuracy": 0.5})
    world.score(bea, slug, {"accuracy": 0.7})
    world.score(eve, slug, {"accuracy": 0.6})
    before = now()
    team_up(world, slug, ada, bea, name="Us")
    assert rows(world, slug) == [(1, "Us", 2, 2), (2, "eve", 1, 3)]
    world.score(ada, slug, {"accuracy": 0.9})
    assert rows(world, slug) == [(1, "Us", 3, 4), (2, "eve", 1, 3)]
    assert differences(world, slug) == []
    with world.session() as session:
        competition = find_competition(session, slug, None)
        page = {"limit": 10, "offset": 0}
        first = competition.phases[0]
        now_seen = read_leaderboard(session, competition, first, Reader(bea.id), **page)
        assert now_seen.own is not None
        assert (now_seen.own.participant, now_seen.own.team) == ("Us", ("ada", "bea"))
        then = read_leaderboard(session, competition, first, Reader(), as_of=before, **page)
        assert [row.participant for row in then.rows] == ["bea", "eve", "ada"]
        for name in ("us", "BEA"):
            found = read_leaderboard(session, competition, first, Reader(), search=name, **page)
            assert [row.participant for row in found.rows] == ["Us"]
    leave(world, slug, ada)
    world.score(ada, slug, {"accuracy": 0.8})
    assert rows(world, slug) == [(1, "Us", 3, 4), (2, "ada", 1, 5), (3, "eve", 1, 3)]
    leave(world, slug, bea)
    assert rows(world, slug)[0] == (1, "Us", 3, 4)  # nobody takes its place away with them
    assert differences(world, slug) == []


def test_an_anonymous_team_has_one_pseudonym_and_its_members_know_it(world: World) -> None:
    slug = with_teams(world, leaderboards=[board(anonymous=True, submission_rule="Force_Best")])
    ada, bea = joined(world, slug, "ada", "bea")
    team_up(world, slug, ada, bea, name="Secret Names")
    world.score(ada, slug, {"accuracy": 0.5})
    ((_, hidden, _, _),) = rows(world, slug)
    assert hidden.startswith("Participant ")
    assert rows(world, slug, bea)[0][1] == "Secret Names"
    with world.session() as session:
        competition = find_competition(session, slug, None)
        found = read_leaderboard(session, competition, competition.phases[0], Reader(), limit=9, offset=0, search="sec")
        assert found.rows == ()
        shown = read_leaderboard(session, competition, competition.phases[0], Reader(), limit=9, offset=0)
        assert [row.team for row in shown.rows] == [None]


def test_a_phase_that_is_over_stays_as_it_is(world: World) -> None:
    slug = with_teams(world, phases=[phase(end=hours(23)), phase(name="Second", start=hours(24))])
    ada, bea = joined(world, slug, "ada", "bea")
    world.score(ada, slug, {"accuracy": 0.5}, phase="1")
    with world.session() as session:
        first = find_competition(session, slug, None).phases[0]
        session.execute(update(Phase).where(Phase.id == first.id).values(ends=now()))
    team_up(world, slug, ada, bea)
    assert rows(world, slug) == [(1, "ada", 1, 1)]
    assert differences(world, slug) == []


@pytest.mark.parametrize("rule", RULES)
def test_boards_of_teams_are_what_their_submissions_make_of_them(world: World, rule: str) -> None:
    dice = random.Random(rule)
    slug = with_teams(world, most=3, leaderboards=[board(submission_rule=rule)], phases=[phase(max_submissions=None)])
    people = joined(world, slug, *"abcde")
    team_up(world, slug, *people[:2], name="T")
    world.score(people[0], slug, {"accuracy": 0.5})
    for step in range(24):
        person = dice.choice(people)
        roll = dice.random()
        try:
            if roll < 0.6:
                world.score(person, slug, {"accuracy": dice.randint(0, 9) / 10})
            elif roll < 0.7:
                team_up(
                    world, slug, person, *dice.sample([one for one in people if one is not person], 1), name=f"T{step}"
                )
            elif roll < 0.8:
                leave(world, slug, person)
            else:
                decide(world, slug, dice)
        except PodiumError:
            continue
        if step % 5 == 0:
            assert differences(world, slug) == []
    assert differences(world, slug) == []
    names = [name for _, name, _, _ in rows(world, slug)]
    assert rule in {"Add_And_Delete_Multiple", "Force_Latest_Multiple"} or len(set(names)) == len(names)
    with world.session() as session:
        entrants = set(session.scalars(select(LeaderboardEntry.entrant_id)))
        assert entrants & set(session.scalars(select(Team.id)))


def decide(world: World, slug: str, dice: random.Random) -> None:
    from podium.platform.leaderboard.choosing import put_on_leaderboard, take_off_leaderboard  # noqa: PLC0415

    with world.session() as session:
        competition = find_competition(session, slug, None)
        found = session.scalars(select(Submission).where(Submission.competition_id == competition.id)).all()
        if found:
            dice.choice([put_on_leaderboard, take_off_leaderboard])(session, dice.choice(found))


def test_results_and_joining_at_once_leave_one_row_of_the_team(world: World) -> None:
    slug = with_teams(world, most=4, leaderboards=[board(submission_rule="Force_Best")])
    people = joined(world, slug, *"abcd")
    for round_number in range(3):
        jobs = [world.claim(world.submit(one, slug)) for one in people]
        acts: list[Callable[[], None]] = []
        for number, job in enumerate(jobs):

            def finish(job: ScoringJob = job, score: float = number / 10 + round_number) -> None:
                with world.session() as session:
                    store_result(session, success(job, {"accuracy": score}), world.storage)

            acts.append(finish)
        if round_number == 1:
            acts += [lambda: patiently(lambda: team_up(world, slug, people[0], *people[1:]))]
        together(acts)
        assert differences(world, slug) == []
    assert len(rows(world, slug)) == 1


def patiently(act: Callable[[], None]) -> None:
    """As people who are told to try again do."""
    try:
        act()
    except Conflict as error:
        assert "at this very moment" in error.detail  # noqa: PT017
        patiently(act)
