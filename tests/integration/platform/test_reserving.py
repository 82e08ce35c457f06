"""What participants may still submit: limits under pressure, windows by the clock, and what does not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from world import PREDICTIONS, Known, RunningGateway, World, evaluation_results, phase, problem_of, result_of, sha256_of

from podium.platform.errors import NotFound, QuotaExceeded
from podium.platform.identity import find_person
from podium.platform.jobs import Handback
from podium.platform.lifecycle import SubmissionStatus
from podium.platform.models import Competition, Event, Phase, Rerun, Submission, now
from podium.platform.models.reruns import Adoption
from podium.platform.quotas import Extra
from podium.platform.records.people import Allowance
from podium.platform.submissions import allowances, creation
from podium.platform.submissions.allowances import allow_extra, allowance
from podium.platform.submissions.attempts import cancel_submission, hand_back
from podium.platform.submissions.results import store_result
from podium.platform.submissions.windows import choose_phase

NOON = datetime(2030, 6, 5, 12, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
USED = "The phase allows 2 submissions in all, and they are used."


@pytest.fixture
def organizer(world: World) -> Known:
    return world.person("olga", organizer=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What time it is for submissions: the first item."""
    moment = [NOON]
    for module in (creation, allowances):
        monkeypatch.setattr(module, "now", lambda: moment[0])
    return moment


def limited(world: World, organizer: Known, *participants: Known, **limits: Any) -> str:  # noqa: ANN401  # YAML
    """A competition of one phase with these limits and no others."""
    fields = {"max_submissions_per_day": None, "max_submissions": None, **limits}
    slug = world.competition(
        organizer, phases=[phase(**{name: value for name, value in fields.items() if value is not None})]
    )
    absent = {name: None for name, value in fields.items() if value is None}
    with world.session() as session:
        chosen = select(Competition.id).where(Competition.slug == slug).scalar_subquery()
        session.execute(update(Phase).where(Phase.competition_id == chosen).values(limits={}, **absent))
    for person in participants:
        world.join(person, slug)
    return slug


def allowed(world: World, person: Known, slug: str, named: str | None = None) -> Allowance:
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        return allowance(session, competition, choose_phase(competition, named, creation.now()), person.id)


def try_to(world: World, person: Known, slug: str, named: str | None = None) -> str:
    try:
        world.announce(person, slug, phase=named)
    except QuotaExceeded as refused:
        return str(refused)
    return "reserved"


def fail(world: World, submission_id: UUID, verdict: str = "time_limit") -> None:
    """Let a submission fail by its own fault."""
    job = world.claim(submission_id)
    failed = [
        {**one, "outcome": "user_error", "verdict": verdict, "scores": {}}
        for one in evaluation_results(job, [{}] * len(job.evaluations))
    ]
    with world.session() as session:
        store_result(session, result_of(job, failed), world.storage)


def fail_by_the_platform(world: World, submission_id: UUID) -> None:
    for _ in range(3):
        job = world.claim(submission_id)
        with world.session() as session:
            hand_back(session, job.attempt_id, Handback(reason="The disk is full."))
    assert world.submission(submission_id).status is SubmissionStatus.FAILED


def cancel(world: World, submission_id: UUID) -> None:
    with world.session() as session:
        cancel_submission(session, submission_id, actor="tests", reason="Changed my mind.")


def grant(world: World, person: Known, slug: str, extra: Extra, reason: str = "They were ill.") -> None:
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        allow_extra(
            session,
            competition,
            competition.phases[0],
            find_person(session, person.username),
            extra,
            reason=reason,
            actor="person:olga",
        )


def all_at_once(calls: Sequence[Any]) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(lambda call: call(), calls))


def test_of_fifty_calls_at_once_exactly_the_limit_gets_a_place(
    world: World, gateway: RunningGateway, organizer: Known, ada: Known
) -> None:
    slug = limited(world, organizer, ada, max_submissions_per_day=5)
    body = {"filename": "p.zip", "size": len(PREDICTIONS), "sha256": sha256_of(PREDICTIONS)}

    def submit() -> str:
        answer = gateway.call("POST", f"/competitions/{slug}/submissions", ada.token, json=body)
        return "reserved" if answer.status_code == 201 else str(problem_of(answer)["type"])

    assert Counter(all_at_once([submit] * 50)) == {"reserved": 5, "quota-exceeded": 45}
    with world.session() as session:
        numbers = sorted(session.scalars(select(Submission.number)))
    assert numbers == [1, 2, 3, 4, 5]
    told = gateway.call("GET", f"/competitions/{slug}/allowance", ada.token).json()
    assert (told["can"], told["left_in_window"], told["left_total"]) == (False, 0, None)
    assert told["reason"] == "The phase allows 5 submissions a day (UTC), and those of today are used."
    assert datetime.fromisoformat(told["changes"]) > now()


@pytest.mark.parametrize("limit", ["max_submissions", "max_concurrent_submissions"])
def test_the_other_limits_hold_under_pressure_too(world: World, organizer: Known, ada: Known, limit: str) -> None:
    slug = limited(world, organizer, ada, **{limit: 5})
    heard = all_at_once([lambda: try_to(world, ada, slug)] * 50)
    assert heard.count("reserved") == 5
    assert not allowed(world, ada, slug).can


def test_people_and_phases_do_not_take_from_each_other(world: World, organizer: Known, ada: Known) -> None:
    bob = world.person("bob")
    phases = [
        phase(max_submissions_per_day=2, end="2029-01-01"),
        phase(name="Second", max_submissions=3, start="2029-01-02", end="2031-01-01"),
    ]
    slug = world.competition(organizer, phases=phases)
    for person in (ada, bob):
        world.join(person, slug)
    with world.session() as session:  # both are open at once, as no bundle can say
        session.execute(update(Phase).where(Phase.position == 1).values(starts=now() - timedelta(days=1)))
    wishes = [(person, named) for person in (ada, bob) for named in ("1", "2")] * 12
    heard = all_at_once([lambda wish=wish: (*wish, try_to(world, wish[0], slug, wish[1])) for wish in wishes])
    got = Counter((person.username, named) for person, named, answer in heard if answer == "reserved")
    assert got == {("ada", "1"): 2, ("ada", "2"): 3, ("bob", "1"): 2, ("bob", "2"): 3}


def test_what_the_platform_failed_or_what_never_ran_is_given_back(world: World, organizer: Known, ada: Known) -> None:
    slug = limited(world, organizer, ada, max_submissions=2)
    left = []
    fail_by_the_platform(world, world.submit(ada, slug))
    left.append(allowed(world, ada, slug).left_total)
    for submission_id in (world.announce(ada, slug), world.submit(ada, slug)):
        cancel(world, submission_id)
    left.append(allowed(world, ada, slug).left_total)
    # What an agent had, and the platform queued again, has not run either.
    lost = world.submit(ada, slug)
    with world.session() as session:
        hand_back(session, world.claim(lost).attempt_id, Handback(reason="Restarts.", stopping=True))
    cancel(world, lost)
    left.append(allowed(world, ada, slug).left_total)
    ran = world.submit(ada, slug)
    world.claim(ran)
    cancel(world, ran)
    left.append(allowed(world, ada, slug).left_total)
    fail(world, world.submit(ada, slug))
    left.append(allowed(world, ada, slug).left_total)
    assert left == [2, 2, 2, 1, 0]
    assert try_to(world, ada, slug) == USED
    assert (allowed(world, ada, slug).reason, allowed(world, ada, slug).changes) == (USED, None)


def test_an_image_that_could_not_be_had_costs_nothing_however_the_rest_went(
    world: World, organizer: Known, ada: Known
) -> None:
    """One task has no image at the first attempt, the other is scored by the second."""
    slug = world.competition(organizer, tasks=2, phases=[phase(tasks=[0, 1], max_submissions=2)])
    world.join(ada, slug)
    for verdict, left in (("image_unavailable", 2), ("time_limit", 1)):
        submission_id = world.submit(ada, slug)
        job = world.claim(submission_id)
        first, second = evaluation_results(job, [{}, {}])
        faults = [{**first, "outcome": "user_error", "verdict": verdict}, {**second, "outcome": "platform_error"}]
        with world.session() as session:
            assert store_result(session, result_of(job, faults), world.storage)
        world.finish(world.claim(submission_id), {"accuracy": 1})
        assert world.submission(submission_id).status is SubmissionStatus.FAILED
        assert allowed(world, ada, slug).left_total == left
    # A fault of their own counts, though another task then misses its image.
    submission_id = world.submit(ada, slug)
    job = world.claim(submission_id)
    first, second = evaluation_results(job, [{}, {}])
    faults = [{**first, "outcome": "user_error", "verdict": "time_limit"}, {**second, "outcome": "platform_error"}]
    with world.session() as session:
        store_result(session, result_of(job, faults), world.storage)
    fail(world, submission_id, "image_unavailable")
    assert allowed(world, ada, slug).left_total == 0


def test_some_that_failed_by_their_own_fault_are_given_back(world: World, organizer: Known, ada: Known) -> None:
    slug = limited(world, organizer, ada, max_submissions=2, failed_submissions_given_back=1)
    left = []
    for _ in range(2):
        fail(world, world.submit(ada, slug))
        left.append(allowed(world, ada, slug).left_total)
    world.score(ada, slug, {"accuracy": 1})
    left.append(allowed(world, ada, slug).left_total)
    assert left == [2, 1, 0]
    assert try_to(world, ada, slug) == USED


def test_one_at_a_time_is_free_again_when_it_ends(world: World, organizer: Known, ada: Known) -> None:
    slug = limited(world, organizer, ada, max_concurrent_submissions=1)
    busy = "The phase allows 1 submission at a time, and yours is still under way."
    first = world.announce(ada, slug)
    assert (try_to(world, ada, slug), allowed(world, ada, slug).left_at_once) == (busy, 0)
    cancel(world, first)
    second = world.submit(ada, slug)
    job = world.claim(second)
    assert (try_to(world, ada, slug), allowed(world, ada, slug).reason) == (busy, busy)
    world.finish(job, {"accuracy": 1})
    assert allowed(world, ada, slug).can
    fail(world, world.submit(ada, slug))
    fail_by_the_platform(world, world.submit(ada, slug))
    assert try_to(world, ada, slug) == "reserved"


def test_one_that_takes_days_is_still_under_way(
    world: World, organizer: Known, ada: Known, clock: list[datetime]
) -> None:
    slug = limited(world, organizer, ada, max_submissions_per_day=5, max_concurrent_submissions=1)
    world.announce(ada, slug)
    clock[0] += timedelta(days=3)
    assert "yours is still under way" in try_to(world, ada, slug)
    assert allowed(world, ada, slug).left_in_window == 5


def test_an_extra_allowance_is_one_persons_alone_and_is_told(world: World, organizer: Known, ada: Known) -> None:
    bob = world.person("bob")
    slug = limited(
        world, organizer, ada, bob, max_submissions_per_day=1, max_submissions=1, max_concurrent_submissions=1
    )
    for person in (ada, bob):
        world.announce(person, slug)
    grant(world, ada, slug, Extra(per_window=2, total=2, concurrent=2))
    heard = all_at_once([lambda person=person: try_to(world, person, slug) for person in (ada, bob) * 10])
    assert heard.count("reserved") == 2
    with world.session() as session:
        owners = Counter(session.scalars(select(Submission.person_id)))
    assert owners == {ada.id: 3, bob.id: 1}
    told = allowed(world, ada, slug)
    assert told.reason == "The phase allows you 3 submissions in all, and they are used."
    assert told.extra is not None
    assert (told.extra.per_window, told.extra.total, told.extra.concurrent) == (2, 2, 2)
    assert (told.extra.reason, told.extra.granted_by) == ("They were ill.", "person:olga")
    assert allowed(world, bob, slug).extra is None
    # What is granted again takes the place of what was.
    grant(world, ada, slug, Extra(), reason="A mistake.")
    assert "allows 1 submission in all" in allowed(world, ada, slug).reason
    with world.session() as session:
        events = session.scalars(select(Event).where(Event.subject == "allowance").order_by(Event.id)).all()
    assert [(one.subject_id, one.before, one.after, one.actor) for one in events] == [
        (ada.id, "none", "+2 +2 +2", "person:olga"),
        (ada.id, "+2 +2 +2", "+0 +0 +0", "person:olga"),
    ]
    assert events[0].reason == f"{slug}, phase First: They were ill."


def test_an_extra_allowance_opens_a_phase_that_takes_none(world: World, organizer: Known, ada: Known) -> None:
    bob = world.person("bob")
    slug = limited(world, organizer, ada, bob)
    with world.session() as session:
        session.execute(update(Phase).values(max_submissions=0, max_submissions_per_day=0))
    none = "The phase takes no submissions from participants."
    assert (try_to(world, ada, slug), allowed(world, ada, slug).reason) == (none, none)
    grant(world, ada, slug, Extra(per_window=1, total=1))
    assert allowed(world, ada, slug).can
    assert (try_to(world, ada, slug), try_to(world, bob, slug)) == ("reserved", none)
    assert "you 1 submission in all" in try_to(world, ada, slug)


def test_who_does_not_take_part_is_allowed_nothing_extra(world: World, organizer: Known, ada: Known) -> None:
    slug = limited(world, organizer, max_submissions=1)
    with pytest.raises(NotFound, match="'ada' does not take part"):
        grant(world, ada, slug, Extra(total=1))


@pytest.mark.parametrize(
    ("zone", "last", "first"),
    [
        ("UTC", "2030-06-05T23:59:59.999999+00:00", "2030-06-06T00:00:00+00:00"),
        ("Asia/Kolkata", "2030-06-05T18:29:59.999999+00:00", "2030-06-05T18:30:00+00:00"),
        # The clocks are put back: a day of 25 hours.
        ("Europe/Paris", "2030-10-27T22:59:59.999999+00:00", "2030-10-27T23:00:00+00:00"),
    ],
)
def test_a_day_is_one_of_the_phases_time_zone(
    world: World, organizer: Known, ada: Known, clock: list[datetime], zone: str, last: str, first: str
) -> None:
    slug = limited(world, organizer, ada, max_submissions_per_day=1, time_zone=zone)
    before, after = datetime.fromisoformat(last), datetime.fromisoformat(first)
    clock[0] = before - timedelta(hours=3)
    assert try_to(world, ada, slug) == "reserved"
    clock[0] = before
    assert f"a day ({zone}), and those of today are used. Submit again after {after:%Y-%m-%d %H:%M}" in try_to(
        world, ada, slug
    )
    told = allowed(world, ada, slug)
    assert (told.can, told.changes, told.window) == (False, after, f"a day ({zone})")
    clock[0] = after
    assert try_to(world, ada, slug) == "reserved"
    assert "Submit again" in try_to(world, ada, slug)


@pytest.mark.parametrize(
    ("window", "period", "words"),
    [
        ("sliding_day", timedelta(days=1), "within 24 hours"),
        ("sliding_week", timedelta(days=7), "within 7 days"),
    ],
)
def test_a_window_that_slides(
    world: World,
    organizer: Known,
    ada: Known,
    clock: list[datetime],
    window: str,
    period: timedelta,
    words: str,
) -> None:
    slug = limited(world, organizer, ada, max_submissions_per_day=2, submission_window=window)
    hour = timedelta(hours=1)
    for at in (NOON, NOON + hour):
        clock[0] = at
        assert try_to(world, ada, slug) == "reserved"
    heard = []
    for at in (NOON + period - INSTANT, NOON + period, NOON + period + INSTANT, NOON + hour + period):
        clock[0] = at
        told = allowed(world, ada, slug)
        heard.append((told.can, told.changes, try_to(world, ada, slug).split(",")[0]))
        assert told.window == words
    full = f"The phase allows 2 submissions {words}"
    assert heard == [
        (False, NOON + period, full),
        (True, None, "reserved"),
        (False, NOON + hour + period, full),
        (True, None, "reserved"),
    ]


def test_reruns_and_what_was_migrated_never_count(world: World, organizer: Known, ada: Known) -> None:
    slug = limited(world, organizer, ada, max_submissions_per_day=2, max_submissions=2, max_concurrent_submissions=2)
    origin = world.score(ada, slug, {"accuracy": 1})
    with world.session() as session:
        first = session.get_one(Submission, origin)
        rerun = Rerun(
            competition_id=first.competition_id,
            number=1,
            requested_by=organizer.id,
            reason="New data.",
            adoption=Adoption.MANUAL,
            total=1,
        )
        session.add(rerun)
        session.flush()
        again = {"rerun_id": rerun.id, "origin_id": origin, "number": first.number}
        migrated = {"origin_id": origin, "number": 1000, "counts": False, "ended": None}
        for values in (again, migrated):
            session.add(
                Submission(
                    competition_id=first.competition_id,
                    phase_id=first.phase_id,
                    person_id=ada.id,
                    filename="p.zip",
                    size=1,
                    sha256="0" * 64,
                    status=SubmissionStatus.QUEUED,
                    queued=now(),
                    **values,
                )
            )
    told = allowed(world, ada, slug)
    assert (told.can, told.left_in_window, told.left_total, told.left_at_once) == (True, 1, 1, 2)
    assert try_to(world, ada, slug) == "reserved"
    assert try_to(world, ada, slug) == USED
