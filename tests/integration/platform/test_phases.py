"""Phases while they run: when they take submissions, what organizers change of them, and what is told of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, update
from world import Known, RunningGateway, World, phase, problem_of

from podium.platform import competition_views, competitions, offered_files, participants, phase_clock
from podium.platform.database import Database
from podium.platform.lifecycle import MigrationStatus, PhaseStatus
from podium.platform.models import Competition, Event, Participant, Phase, PhaseMigration, TermsAcceptance
from podium.platform.phase_clock import Ticked, tick
from podium.platform.submissions import allowances, creation, windows
from podium.platform.submissions.windows import PhaseClosed, RegistrationClosed

MAY, JUNE, JULY, AUGUST = (datetime(2030, month, 1, 12, tzinfo=UTC) for month in (5, 6, 7, 8))
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is: the first item."""
    moment = [JUNE + DAY]
    for module in (creation, allowances, participants, competition_views, offered_files, phase_clock):
        monkeypatch.setattr(module, "now", lambda: moment[0])
    return moment


@pytest.fixture
def slug(world: World, olga: Known, ada: Known) -> str:
    """Two phases, in June and in July, each but for its last day."""
    first = phase(start=JUNE.isoformat(), end=(JULY - DAY).isoformat())
    second = phase(name="Second", start=JULY.isoformat(), end=(AUGUST - DAY).isoformat())
    made = world.competition(olga, phases=[first, second])
    world.join(ada, made)
    return made


class Desk:
    """Somebody who changes phases through the gateway."""

    def __init__(self, gateway: RunningGateway, slug: str, token: str) -> None:
        self.gateway, self.slug, self.token = gateway, slug, token

    def ask(self, named: str = "1", **body: Any) -> httpx.Response:  # noqa: ANN401  # JSON
        path = f"/competitions/{self.slug}/phases/{named}"
        return self.gateway.call("PATCH", path, self.token, json=json.loads(json.dumps(body, default=str)))

    def change(self, named: str = "1", **body: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
        answer = self.ask(named, **body)
        assert answer.status_code == 200, answer.text
        phases: list[dict[str, Any]] = answer.json()["phases"]
        return next(one for one in phases if named in (str(one["number"]), one["name"]))

    def refusal(self, named: str = "1", **body: Any) -> str:  # noqa: ANN401  # JSON
        problem = problem_of(self.ask(named, **body))
        assert (problem["type"], problem["status"]) == ("invalid-input", 422)
        return str(problem["detail"])

    def windows(self, **body: Any) -> httpx.Response:  # noqa: ANN401  # JSON
        path = f"/competitions/{self.slug}/windows"
        return self.gateway.call("PATCH", path, self.token, json=json.loads(json.dumps(body, default=str)))


@pytest.fixture
def desk(gateway: RunningGateway, slug: str, olga: Known) -> Desk:
    return Desk(gateway, slug, olga.token)


def told(gateway: RunningGateway, person: Known, slug: str, named: str = "1") -> dict[str, Any]:
    path = f"/competitions/{slug}/allowance"
    found: dict[str, Any] = gateway.call("GET", path, person.token, params={"phase": named}).json()
    return found


def heard(world: World, person: Known, slug: str, named: str = "1") -> str:
    try:
        world.announce(person, slug, phase=named)
    except PhaseClosed as closed:
        return closed.detail
    return "taken"


def events_of(world: World, subject: str) -> list[tuple[str, str | None, str, str]]:
    with world.session() as session:
        events = session.scalars(select(Event).where(Event.subject == subject).order_by(Event.id)).all()
    return [(event.actor, event.before, event.after, event.reason) for event in events]


def stored(world: World, position: int = 0) -> Phase:
    with world.session() as session:
        return session.scalars(select(Phase).where(Phase.position == position)).one()


def test_the_competitions_window_bounds_its_phases_to_the_instant(
    world: World, gateway: RunningGateway, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    start, end = JUNE + 2 * DAY, JUNE + 4 * DAY
    assert desk.windows(start=start, end=end).status_code == 200
    tried = []
    for moment in (JUNE, start - INSTANT, start, end - INSTANT, end):
        clock[0] = moment
        said = told(gateway, ada, slug)
        tried.append(
            (heard(world, ada, slug), said["can"], said["changes"] and datetime.fromisoformat(said["changes"]))
        )
    early, late = (
        "The competition begins on 2030-06-03 at 12:00:00 UTC.",
        "The competition ended on 2030-06-05 at 12:00:00 UTC.",
    )
    assert tried == [
        (early, False, start),
        (early, False, start),
        ("taken", True, None),
        ("taken", True, None),
        (late, False, None),
    ]
    assert told(gateway, ada, slug)["reason"] == late


def test_a_competition_that_begins_when_a_phase_is_over_never_opens_it(
    gateway: RunningGateway, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    desk.windows(start=JULY)
    said = told(gateway, ada, slug)
    assert (said["can"], said["changes"]) == (False, None)
    assert datetime.fromisoformat(told(gateway, ada, slug, "2")["changes"]) == JULY


def test_people_join_within_the_registration_window_alone(
    world: World, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    start, end = JUNE + 2 * DAY, JUNE + 4 * DAY
    assert desk.windows(registration_start=start, registration_end=end).status_code == 200
    tried = []
    for at, moment in enumerate((start - INSTANT, start, end - INSTANT, end)):
        clock[0] = moment
        try:
            world.join(world.person(f"person{at}"), slug)
        except RegistrationClosed as closed:
            tried.append(closed.detail)
        else:
            tried.append("joined")
    assert tried == [
        "Registration begins on 2030-06-03 at 12:00:00 UTC.",
        *["joined"] * 2,
        "Registration ended on 2030-06-05 at 12:00:00 UTC.",
    ]
    with world.session() as session:
        assert len(session.scalars(select(Participant)).all()) == 3


def test_who_takes_part_may_accept_newer_terms_when_registration_is_over(
    world: World, gateway: RunningGateway, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    desk.windows(registration_end=JUNE)
    with world.session() as session:
        session.execute(update(Competition).values(terms="New.", terms_sha256="1" * 64))
    assert "terms have changed" in told(gateway, ada, slug)["reason"]
    path = f"/competitions/{slug}/participants"
    answer = gateway.call("POST", path, ada.token, json={"terms_sha256": "1" * 64})
    assert answer.status_code == 201, answer.text
    assert told(gateway, ada, slug)["can"]
    bob = world.person("bob")
    problem = problem_of(gateway.call("POST", path, bob.token, json={"terms_sha256": "1" * 64}))
    assert (problem["type"], problem["status"]) == ("registration-closed", 409)
    with world.session() as session:
        accepted = session.scalars(select(TermsAcceptance.person_id)).all()
    assert accepted == [ada.id] * 2


def test_a_pause_is_told_with_its_message_until_it_ends(
    world: World, gateway: RunningGateway, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    shown = desk.change(paused=True, pause_message=" The data is wrong. ")
    assert (shown["paused"], shown["pause_message"], shown["status"]) == (True, "The data is wrong.", "open")
    why = "Phase 'First' is paused by its organizers: The data is wrong."
    assert heard(world, ada, slug) == why
    said = told(gateway, ada, slug)
    assert (said["can"], said["reason"], said["changes"]) == (False, why, None)
    began = stored(world).paused
    desk.change(paused=True, pause_message="Nearly there.")
    assert stored(world).paused == began
    assert "Nearly there." in heard(world, ada, slug)
    shown = desk.change(paused=False)
    assert (shown["paused"], shown["pause_message"]) == (False, "")
    assert heard(world, ada, slug) == "taken"
    desk.change(paused=False)  # changes nothing
    desk.change(paused=False, max_submissions=7)
    assert events_of(world, "phase") == [
        ("person:olga", None, "paused", "pause: None → The data is wrong."),
        ("person:olga", None, "paused", "pause: The data is wrong. → Nearly there."),
        ("person:olga", None, "resumed", "pause: Nearly there. → None"),
        ("person:olga", None, "changed", "max_submissions: 1000 → 7"),
    ]


def test_what_was_submitted_before_a_pause_is_scored(
    world: World, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    queued, announced = world.submit(ada, slug, phase="1"), world.announce(ada, slug, phase="1")
    desk.change(paused=True, pause_message="Wait.")
    world.upload(announced)
    world.complete(announced)
    for submission_id in (queued, announced):
        world.finish(world.claim(submission_id), {"accuracy": 1})
        assert world.submission(submission_id).status == "finished"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"paused": True}, "needs a message"),
        ({"paused": True, "pause_message": "  "}, "needs a message"),
        ({"pause_message": "Soon."}, "`paused` was not asked for"),
        ({"paused": False, "pause_message": "Soon."}, "`paused` was not asked for"),
    ],
)
def test_a_pause_and_its_message_come_together(world: World, desk: Desk, body: dict[str, Any], named: str) -> None:
    assert named in desk.refusal(**body)
    assert (stored(world).paused, events_of(world, "phase")) == (None, [])


def test_dates_that_do_not_go_are_all_named_at_once_and_nothing_changes(
    world: World, desk: Desk, clock: list[datetime]
) -> None:
    told = desk.refusal("2", start=JUNE, end=MAY, without_end=True, paused=True)
    assert told.startswith("Phase 'Second' can't be changed like that: ")
    assert told.count(";") == 2
    assert "it would begin on 2030-06-01 12:00:00 UTC, and 'First' ends on 2030-06-30 12:00:00 UTC" in told
    assert "a phase that has an end is not without one" in told
    assert "a pause needs a message" in told
    told = desk.refusal(start=AUGUST, end=JULY, paused=True)
    assert told.count(";") == 1
    assert "it would end on 2030-07-01 12:00:00 UTC, and begin on 2030-08-01 12:00:00 UTC" in told
    assert "'Second' begins on 2030-07-01 12:00:00 UTC" in desk.refusal(end=JULY + INSTANT)
    assert "only the last phase may have no end, and 'Second' follows" in desk.refusal(without_end=True)
    assert "it would end on" in desk.refusal(end=JUNE)  # a moment is no phase
    assert (stored(world).starts, stored(world).ends) == (JUNE, JULY - DAY)
    assert (stored(world, 1).starts, stored(world, 1).ends, stored(world, 1).paused) == (JULY, AUGUST - DAY, None)
    assert events_of(world, "phase") == []


def test_dates_and_limits_hold_from_now_on_and_are_remembered(
    world: World, gateway: RunningGateway, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    clock[0] = MAY
    assert "begins on 2030-06-01" in heard(world, ada, slug)
    shown = desk.change(
        "First", start=MAY, max_submissions=1, max_concurrent_submissions=1, without_limits=["max_submissions_per_day"]
    )
    assert (shown["max_submissions"], shown["max_submissions_per_day"], shown["max_concurrent_submissions"]) == (
        1,
        None,
        1,
    )
    assert datetime.fromisoformat(shown["start"]) == MAY
    assert heard(world, ada, slug) == "taken"
    said = told(gateway, ada, slug)
    assert (said["left_total"], said["left_in_window"], said["left_at_once"]) == (0, None, 0)
    shown = desk.change("Second", without_end=True, max_submissions=0)
    assert (shown["end"], shown["max_submissions"]) == (None, 0)
    clock[0] = datetime(2090, 1, 1, tzinfo=UTC)
    assert told(gateway, ada, slug, "2")["reason"] == "The phase takes no submissions from participants."
    assert events_of(world, "phase") == [
        (
            "person:olga",
            None,
            "changed",
            (
                "start: 2030-06-01 12:00:00 UTC → 2030-05-01 12:00:00 UTC; max_submissions_per_day: 100 → None; "
                "max_submissions: 1000 → 1; max_concurrent_submissions: None → 1"
            ),
        ),
        ("person:olga", None, "changed", "end: 2030-07-31 12:00:00 UTC → None; max_submissions: 1000 → 0"),
    ]


def test_phases_may_touch_as_those_of_codalab_do(
    world: World, ada: Known, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    desk.change(end=JULY)
    desk.change("2", paused=True, pause_message="Wait.")
    desk.change(max_submissions=5)
    clock[0] = JULY
    assert [heard(world, ada, slug, named).split(" ")[-1] for named in ("1", "2")] == ["UTC.", "Wait."]


def test_two_who_move_dates_at_once_do_not_make_phases_overlap(
    world: World, gateway: RunningGateway, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked at both phases before either has moved one."""
    looked = Barrier(2)
    choose = windows.choose_phase

    def slowly(competition: Competition, named: str | None, moment: datetime) -> Phase:
        found = choose(competition, named, moment)
        looked.wait(60)
        return found

    monkeypatch.setattr("podium.platform.gateway.routes.phases.choose_phase", slowly)
    middle = JULY - DAY / 2
    wishes = [{"named": "1", "end": middle + DAY / 4}, {"named": "2", "start": middle - DAY / 4}]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda wish: desk.ask(**wish), wishes))
    assert sorted(answer.status_code for answer in answers) == [200, 422]
    ends = stored(world).ends
    assert ends is not None
    assert ends <= stored(world, 1).starts


def test_two_who_move_windows_at_once_are_checked_against_each_other(
    world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Barrier(2)
    require = competitions.require_organizer

    def slowly(*arguments: Any) -> None:  # noqa: ANN401  # passed on
        require(*arguments)
        looked.wait(60)

    monkeypatch.setattr(competitions, "require_organizer", slowly)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda wish: desk.windows(**wish), [{"start": JULY}, {"end": JUNE}]))
    assert sorted(answer.status_code for answer in answers) == [200, 422]


def test_windows_are_changed_whole_or_not_at_all_and_remembered(world: World, desk: Desk) -> None:
    problem = problem_of(desk.windows(start=JULY, end=JUNE, registration_start=JULY, registration_end=JULY))
    assert problem["detail"].count("is not after") == 2
    assert "`end` (2030-06-01 12:00:00 UTC) is not after `start` (2030-07-01 12:00:00 UTC)" in problem["detail"]
    assert events_of(world, "competition") == []
    answer = desk.windows(start=JUNE, end=JULY, registration_end=JULY)
    assert [answer.json()[name] is None for name in ("start", "end", "registration_start", "registration_end")] == [
        *(False, False, True, False)
    ]
    assert "`start`" in problem_of(desk.windows(start=AUGUST))["detail"]  # against the end that stands
    desk.windows(start=JUNE)  # changes nothing
    assert desk.windows(unbounded=["start", "end"]).json()["end"] is None
    assert events_of(world, "competition") == [
        (
            "person:olga",
            None,
            "changed",
            "start: 2030-06-01 12:00:00 UTC; end: 2030-07-01 12:00:00 UTC; registration_end: 2030-07-01 12:00:00 UTC",
        ),
        ("person:olga", None, "changed", "start: none; end: none"),
    ]


def test_only_organizers_and_administrators_change_phases(
    world: World, gateway: RunningGateway, ada: Known, slug: str, desk: Desk
) -> None:
    other = world.person("otto", organizer=True)
    root = world.person("root", administrator=True)
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("PATCH", "phases/1", {"max_submissions": 3}),
        ("PATCH", "windows", {"end": "2040-01-01"}),
        ("GET", "phases/1/extra-allowances", None),
        ("PUT", "phases/1/extra-allowances/ada", {"total": 1, "reason": "Ill."}),
        ("GET", "queue", None),
    ]
    for token, status in ((None, 401), (ada.token, 403), (other.token, 403), (root.token, 200)):
        for method, path, body in calls:
            answer = gateway.call(method, f"/competitions/{slug}/{path}", token, json=body)
            assert answer.status_code == status, (path, answer.text)
            if status != 200:
                problem_of(answer)
    assert [actor for actor, *_ in events_of(world, "phase")] == ["person:root"]
    assert told(gateway, ada, slug)["extra"]["granted_by"] == "person:root"


@pytest.mark.parametrize("named", ["0", "3", "third", "-1", "%20", "a" * 3000])
def test_a_phase_that_is_not_there(gateway: RunningGateway, slug: str, olga: Known, named: str) -> None:
    for method, path in (("PATCH", ""), ("GET", "/extra-allowances")):
        answer = gateway.call(method, f"/competitions/{slug}/phases/{named}{path}", olga.token, json={"paused": False})
        problem = problem_of(answer)
        assert problem["status"] == 404
        assert problem["remedy"] == "Its phases are 1 'First', 2 'Second'."
        assert len(problem["detail"]) < 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"start": "yesterday"}, ["start"]),
        ({"start": "2030-02-30", "end": ""}, ["end", "start"]),
        ({"start": 5}, ["start"]),
        ({"end": ["2030-01-01"]}, ["end"]),
        ({"end": True}, ["end"]),
        ({"max_submissions": -1, "max_submissions_per_day": "many"}, ["max_submissions", "max_submissions_per_day"]),
        ({"max_submissions": 1.5}, ["max_submissions"]),
        ({"max_submissions": 10**30}, ["max_submissions"]),
        ({"max_concurrent_submissions": 0}, ["max_concurrent_submissions"]),
        ({"without_limits": ["max_points"]}, ["without_limits.0"]),
        ({"paused": "maybe"}, ["paused"]),
        ({"pause_message": "x" * 1001, "paused": True}, ["pause_message"]),
        ({"name": "Other"}, ["name"]),
    ],
)
def test_a_body_that_can_not_be_read_names_its_fields(
    world: World, desk: Desk, body: dict[str, Any], fields: list[str]
) -> None:
    problem = problem_of(desk.ask(**body))
    assert (problem["type"], problem["status"]) == ("invalid-input", 422)
    assert sorted({one["field"] for one in problem["problems"]}) == fields
    assert all(field in problem["detail"] for field in fields)
    assert events_of(world, "phase") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"paused"', b"null"])
def test_a_body_that_is_none(desk: Desk, content: bytes) -> None:
    path = f"/competitions/{desk.slug}/phases/1"
    assert (
        problem_of(
            desk.gateway.call("PATCH", path, desk.token, content=content, headers={"content-type": "application/json"})
        )["status"]
        == 422
    )


def test_two_wishes_for_one_thing_are_refused_by_name(world: World, desk: Desk) -> None:
    told = desk.refusal(max_submissions=3, max_submissions_per_day=1, without_limits=["max_submissions"])
    assert "`max_submissions`" in told
    assert "per_day" not in told
    assert (
        "`registration_end`"
        in problem_of(desk.windows(registration_end=JULY, unbounded=["registration_end"]))["detail"]
    )
    assert stored(world).max_submissions == 1000


def test_a_body_that_asks_for_nothing_changes_nothing(world: World, desk: Desk) -> None:
    desk.change()
    desk.change(start=None, end=None, max_submissions=None, without_limits=None, paused=None)
    assert desk.windows().status_code == 200
    assert events_of(world, "phase") == events_of(world, "competition") == []


# What happens at their dates.


def ticked(world: World) -> Ticked:
    with world.session() as session:
        return tick(session)


def announced(world: World) -> list[tuple[str | None, str]]:
    return [(before, after) for actor, before, after, _ in events_of(world, "phase") if actor == "flow:tick"]


def migrating(world: World, position: int = 1) -> None:
    with world.session() as session:
        session.execute(update(Phase).where(Phase.position == position).values(auto_migrate_to_this_phase=True))


def test_what_opens_and_ends_is_told_once(world: World, slug: str, clock: list[datetime]) -> None:
    migrating(world)
    found = []
    for moment in (MAY, JUNE - INSTANT, JUNE, JUNE + DAY, JULY - DAY, JULY, AUGUST):
        clock[0] = moment
        first, second = ticked(world), ticked(world)
        found.append((first.opened, first.ended, len(first.migrating)))
        assert (second.opened, second.ended) == (0, 0)
        assert second.migrating == first.migrating
    assert found == [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 1)]
    assert announced(world) == [("upcoming", "open"), ("open", "over")] * 2
    with world.session() as session:
        migration = session.scalars(select(PhaseMigration)).one()
    assert (migration.phase_id, migration.status, migration.started) == (stored(world, 1).id, "running", JULY)


def test_of_two_ticks_at_once_one_tells(world: World, slug: str, clock: list[datetime]) -> None:
    migrating(world)
    clock[0] = JULY
    late: list[Ticked] = []
    with world.session() as session:
        early = tick(session)
        thread = threading.Thread(target=lambda: late.append(ticked(world)))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # it waits for the first
    thread.join(30)
    assert [(one.opened, one.ended, len(one.migrating)) for one in (early, *late)] == [(1, 1, 1), (0, 0, 1)]
    assert sorted(announced(world), key=str) == [("upcoming", "open"), ("upcoming", "over")]


def test_many_ticks_at_once_tell_once(world: World, slug: str, clock: list[datetime]) -> None:
    migrating(world)
    clock[0] = JULY
    start = Barrier(6)

    def one(_: int) -> Ticked:
        start.wait(60)
        return ticked(world)

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(one, range(6)))
    assert (sum(one.opened for one in found), sum(one.ended for one in found)) == (1, 1)
    assert len(announced(world)) == 2


def test_what_is_moved_back_is_told_again_and_migrated_once(
    world: World, slug: str, desk: Desk, clock: list[datetime]
) -> None:
    migrating(world)
    clock[0] = JULY
    ticked(world)
    with world.session() as session:
        session.execute(update(PhaseMigration).values(status=MigrationStatus.FINISHED, ended=JULY))
    desk.change("2", start=JULY + 2 * DAY)
    desk.change("1", end=JULY + DAY)
    assert (ticked(world).opened, stored(world).announced, stored(world, 1).announced) == (1, "open", "upcoming")
    clock[0] = JULY + 3 * DAY
    again = ticked(world)
    assert (again.opened, again.ended, again.migrating) == (1, 1, [])
    of_second = [one for one in announced(world) if one[0] == "upcoming" or one[1] == "upcoming"]
    assert of_second.count(("open", "upcoming")) == 1
    with world.session() as session:
        assert session.scalars(select(PhaseMigration.started)).one() == JULY


def test_a_phase_without_end_is_never_over(world: World, slug: str, desk: Desk, clock: list[datetime]) -> None:
    desk.change("2", without_end=True)
    clock[0] = datetime(2900, 1, 1, tzinfo=UTC)
    ticked(world)
    assert (stored(world).announced, stored(world, 1).announced) == ("over", "open")
    again = ticked(world)
    assert (again.opened, again.ended, list(again.migrating)) == (0, 0, [])


@pytest.fixture
def older(make_database_url: Callable[..., str], world: World) -> Iterator[World]:
    """A world in a database of its own, which was made by a version that announced nothing."""
    database = Database(make_database_url(), pool_size=2)
    yield World(world.settings, database, world.storage, world.folder)
    database.close()


def test_nothing_is_told_of_phases_that_had_begun_before_podium_told_anything(older: World) -> None:
    olga = older.person("olga", organizer=True)
    phases = [
        phase(end="2021-01-01"),
        phase(name="Second", start="2021-01-02", end="2099-01-01", auto_migrate_to_this_phase=True),
        phase(name="Third", start="2099-01-02"),
    ]
    older.competition(olga, phases=phases)
    config = Config()
    config.set_main_option("script_location", "podium.platform:migrations")
    for move, to in ((command.downgrade, "0002"), (command.upgrade, "head")):
        with older.database.engine.begin() as connection:
            config.attributes["connection"] = connection
            move(config, to)
    assert [stored(older, at).announced for at in range(3)] == [
        PhaseStatus.OVER,
        PhaseStatus.OPEN,
        PhaseStatus.UPCOMING,
    ]
    found = ticked(older)
    assert (found.opened, found.ended, list(found.migrating)) == (0, 0, [])
    assert announced(older) == []
