"""News by mail: queued with what they tell of, once, to those who may know; and gathered into one digest a day."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from mailing import LINKS, MailServer, configuration
from rescored_board import one_each, three_people
from rescoring import adopt, fail, give_back, killed_after, rescore
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from world import FUTURE, Known, RunningGateway, World, hours, phase, success

from podium.platform import phase_clock
from podium.platform.client import Client
from podium.platform.competitions import find_competition
from podium.platform.database import Database
from podium.platform.lifecycle import MailStatus, ParticipantStatus, SubmissionStatus
from podium.platform.mail import digests, preferences
from podium.platform.mail.agent_news import tell_of_lost_agents
from podium.platform.mail.driving import Sending, gather_digests, links_of
from podium.platform.mail.links import Subscription
from podium.platform.mail.news import NewsRules, set_news_rules
from podium.platform.mail.submission_news import tell_of_ends
from podium.platform.models import (
    Agent,
    Leaderboard,
    MailFrequency,
    MailKind,
    MailOptOut,
    MailPreference,
    MailSuppression,
    OutboxMessage,
    Participant,
    Person,
    Phase,
    Pool,
    Submission,
    now,
)
from podium.platform.participants import set_participant_status
from podium.platform.submissions.results import store_result

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONG = timedelta(days=1)


@pytest.fixture
def news(database: Database) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """Mail can be sent; who was told what, in the order of time."""
    set_news_rules(database, NewsRules())

    def told() -> list[tuple[str, str]]:
        with database.session() as session:
            rows = session.execute(
                select(Person.username, OutboxMessage.template)
                .join(Person, Person.id == OutboxMessage.person_id)
                .order_by(OutboxMessage.created, Person.username)
            )
            return [(row[0], row[1]) for row in rows]

    yield told
    set_news_rules(database, None)


News = Callable[[], list[tuple[str, str]]]


def prefer(world: World, person: Known, kind: MailKind, frequency: MailFrequency) -> None:
    with world.session() as session:
        preferences.set_frequency(session, person.id, kind, frequency)


def test_an_end_is_told_once_with_its_verdict_and_a_retry_is_none(
    world: World, news: News, slug: str, ada: Known, mail: MailServer
) -> None:
    job = world.claim(world.submit(ada, slug))
    give_back(world, job)
    assert news() == []
    job = world.claim(job.submission_id)
    killed_after(world, lambda session: store_result(session, success(job, {"accuracy": 0.75}), world.storage))
    assert news() == []
    world.finish(job, {"accuracy": 0.75})
    world.finish(job, {"accuracy": 0.75})  # an agent that did not hear the answer
    assert news() == [("ada", "submission-finished")]
    mail.keep()
    sending = Sending(world.database, configuration(mail.port), LINKS)
    sending.singles()
    message = written(mail, "ada")
    assert message["Subject"] == "Submission 1 to Iris is scored"
    assert "Scores: Accuracy 0.75" in body(message)
    assert message["List-Id"] == f"Iris <{slug}.podium.test>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    fail(world, world.claim(world.submit(ada, slug)), "It took **longer** than 60 s: {{reason}}")
    sending.singles()
    message = written(mail, "ada")
    assert "has failed: time limit." in body(message)
    assert "It took **longer** than 60 s: {{reason}}" in body(message)
    # What was hidden since is not told.
    world.score(ada, slug, {"accuracy": 0.5})
    with world.session() as session:
        session.execute(update(Phase).values(hide_score_output=True))
    sending.singles()
    assert "Scores: not shown to participants" in body(written(mail, "ada"))
    assert mail.recipients() == {"ada@example.org": 3}


def written(mail: MailServer, name: str) -> Any:  # noqa: ANN401  # an EmailMessage
    return email.message_from_bytes(mail.message(f"{name}@example.org"), policy=email.policy.default)


def body(message: Any) -> str:  # noqa: ANN401  # an EmailMessage
    return str(message.get_body(("plain",)).get_content())


def test_two_that_tell_the_same_at_once_tell_it_once(world: World, news: News, slug: str, ada: Known) -> None:
    submission = world.submit(ada, slug)

    def tell(_: int) -> int:
        with world.session() as session:
            row = session.get_one(Submission, submission)
            return tell_of_ends(session, [row], SubmissionStatus.FINISHED)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(tell, range(4))) == [0, 0, 0, 1]
    assert news() == [("ada", "submission-finished")]


def test_nothing_is_queued_where_no_mail_can_be_sent(world: World, database: Database, slug: str, ada: Known) -> None:
    world.score(ada, slug, {"accuracy": 0.5})
    with world.session() as session:
        assert session.scalars(select(OutboxMessage)).all() == []


def test_who_must_not_get_any_has_none_queued(world: World, news: News, slug: str) -> None:
    people = {name: world.person(name) for name in ("unconfirmed", "returned", "never", "stopped", "denied", "gets")}
    for one in people.values():
        world.join(one, slug)
    prefer(world, people["never"], MailKind.PHASE, MailFrequency.NONE)
    with world.session() as session:
        competition = find_competition(session, slug, None)
        session.get_one(Person, people["unconfirmed"].id).email_confirmed = None
        session.add(MailSuppression(address="returned@example.org", cause="bounce"))
        session.add(MailOptOut(competition_id=competition.id, person_id=people["stopped"].id))
        session.get_one(Participant, (competition.id, people["denied"].id)).status = ParticipantStatus.DENIED
        reopen(session)
        phase_clock.tick(session)
    assert news() == [("ada", "phase-opens"), ("gets", "phase-opens")]


def reopen(session: Session, **dates: datetime | None) -> None:
    """Let the phase have begun a minute ago."""
    session.execute(update(Phase).values(**{"opening_told": None, "starts": now() - MINUTE, **dates}))


def test_each_phase_is_told_once_and_again_where_its_dates_make_it_news(
    world: World, news: News, olga: Known, ada: Known
) -> None:
    phases = [phase(start=hours(-1), end=hours(100)), phase(name="Second", start=hours(100), end=FUTURE)]
    slug = world.competition(olga, phases=phases)
    world.join(ada, slug)
    with ThreadPoolExecutor(3) as pool:  # the flow and two gateways
        list(pool.map(lambda _: tick(world), range(3)))
    assert news() == [("ada", "phase-opens")]
    move(world, starts=now() + HOUR)
    tick(world)
    assert news() == [("ada", "phase-opens")]
    move(world, starts=now() - MINUTE)
    tick(world)
    tick(world)
    assert news() == [("ada", "phase-opens")] * 2
    # It closes soon: told once, not again for half an hour more, but for any less.
    ends = [now() + 10 * HOUR, now() + 10.5 * HOUR, now() + 9 * HOUR, now() + 90 * HOUR, now() + 20 * HOUR]
    move(world, starts=now() - 100 * HOUR)
    counts = []
    for end in ends:
        move(world, ends=end)
        tick(world)
        tick(world)
        counts.append(Counter(template for _, template in news())["phase-closes"])
    assert counts == [1, 1, 2, 2, 3]
    # Nor of what only organizers see, or is paused, or began long ago.
    with world.session() as session:
        reopen(session, paused=now())
    tick(world)
    with world.session() as session:
        reopen(session, paused=None, starts=now() - 30 * HOUR)
    tick(world)
    assert Counter(template for _, template in news()) == {"phase-opens": 2, "phase-closes": 3}


def tick(world: World) -> None:
    with world.session() as session:
        phase_clock.tick(session)


def move(world: World, **dates: datetime) -> None:
    with world.session() as session:
        session.execute(update(Phase).where(Phase.position == 0).values(**dates))


def test_a_decision_is_told_once_whoever_makes_it_twice(
    world: World, news: News, slug: str, ada: Known, olga: Known
) -> None:
    def decide(status: ParticipantStatus) -> None:
        with world.session() as session:
            competition = find_competition(session, slug, None)
            person = session.get_one(Person, ada.id)
            set_participant_status(session, competition, person, status, actor="tests")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decide, [ParticipantStatus.DENIED] * 2))
    decide(ParticipantStatus.PENDING)
    decide(ParticipantStatus.APPROVED)
    assert news() == [("ada", "registration-denied"), ("ada", "registration-accepted")]


def test_who_has_another_rank_after_a_rerun_is_told_and_nobody_else(world: World, news: News, olga: Known) -> None:
    slug = one_each(world, olga, three_people(world))
    with world.session() as session:
        session.execute(text("DELETE FROM mail_outbox"))
    # ada stays first; bob and cleo change places.
    scores = {1: {"accuracy": 0.9}, 2: {"accuracy": 0.1}, 3: {"accuracy": 0.3}}
    rerun_id = rescore(world, olga, slug, scores)
    assert news() == []
    adopt(world, rerun_id)
    assert news() == [("bob", "rank-changed"), ("cleo", "rank-changed")]
    with world.session() as session:
        filled = session.scalars(select(OutboxMessage.filled_in).order_by(OutboxMessage.id)).all()
    assert {(one["old_rank"], one["new_rank"], one["reason"]) for one in filled} == {
        ("2", "3", "The truth was wrong."),
        ("3", "2", "The truth was wrong."),
    }
    # On a board that is frozen, nobody sees what has changed.
    with world.session() as session:
        session.execute(update(Phase).values(ends=now() + HOUR))
        session.execute(update(Leaderboard).values(freeze_hours=2.0))
    adopt(world, rescore(world, olga, slug, {1: {"accuracy": 0.0}, 2: {"accuracy": 0.9}, 3: {"accuracy": 0.8}}))
    assert len(news()) == 2


def test_a_lost_agent_is_told_to_those_who_see_it_and_an_empty_pool_to_organizers(
    world: World, news: News, slug: str, olga: Known
) -> None:
    world.person("root", administrator=True)
    with world.session() as session:
        pool = session.scalars(select(Pool).where(Pool.name == "docker")).one()
        for name in ("one", "two"):
            seen = now() - 11 * MINUTE
            session.add(Agent(pool=pool, name=name, version="1", slots=1, executor="docker", last_seen=seen))

    def look(heard_for: timedelta = LONG) -> int:
        with world.session() as session:
            return tell_of_lost_agents(session, heard_for)

    assert look(MINUTE) == 0  # the gateway itself was away
    with ThreadPoolExecutor(2) as gateways:
        assert sum(gateways.map(look, [LONG] * 2)) == 2
    assert sorted(news()) == [("olga", "pool-empty"), ("root", "agent-lost")]
    with world.session() as session:
        lost = select(OutboxMessage.filled_in).where(OutboxMessage.template == "agent-lost")
        assert session.scalars(lost).one()["agents"] == "one, two"
        # It comes and goes.
        session.execute(update(Agent).values(loss_told=now() - HOUR))
    assert look() == 0


# Digests.


@pytest.fixture
def daily(world: World, news: News, slug: str, ada: Known) -> str:
    """ada wants digests, has two pieces of news of one kind, and one of a kind that she wants at once."""
    for kind in (MailKind.SUBMISSION, MailKind.RANK):
        prefer(world, ada, kind, MailFrequency.DAILY)
    for score in (0.25, 0.5):
        world.score(ada, slug, {"accuracy": score})
    with world.session() as session:
        reopen(session)
        phase_clock.tick(session)
    return slug


def make_due(world: World) -> None:
    with world.session() as session:
        session.execute(update(OutboxMessage).where(OutboxMessage.for_digest).values(due=now() - MINUTE))


def statuses(world: World) -> Counter[tuple[str, MailStatus]]:
    with world.session() as session:
        rows = session.execute(select(OutboxMessage.template, OutboxMessage.status))
        return Counter((str(row[0]), row[1]) for row in rows)


def test_what_is_wanted_daily_is_one_message_a_day_whatever_is_killed(
    world: World, daily: str, ada: Known, mail: MailServer
) -> None:
    mail.keep()
    sending = Sending(world.database, configuration(mail.port), LINKS)
    sending.singles()
    assert [mail.recipients(), statuses(world)[("submission-finished", MailStatus.QUEUED)]] == [
        {"ada@example.org": 1},
        2,
    ]
    gather_digests(world.database, 7)
    assert ("digest", MailStatus.QUEUED) not in statuses(world)  # it is not the hour yet
    make_due(world)
    killed_after(world, lambda session: digests.gather(session, 7))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: gather_digests(world.database, 7), range(3)))
    assert statuses(world) == {
        ("phase-opens", MailStatus.SENT): 1,
        ("submission-finished", MailStatus.GATHERED): 2,
        ("digest", MailStatus.QUEUED): 1,
    }
    # What comes late is told tomorrow.
    world.score(ada, daily, {"accuracy": 0.75})
    make_due(world)
    gather_digests(world.database, 7)
    sending.singles()
    sending.singles()
    assert mail.recipients() == {"ada@example.org": 2}
    message = written(mail, "ada")
    said = body(message)
    assert message["Subject"].startswith("News of ")
    assert message["List-Unsubscribe"]
    assert [line for line in said.splitlines() if line.startswith("- ")] == [
        "- Submission 1 in First is scored: Accuracy 0.25",
        "- Submission 2 in First is scored: Accuracy 0.50",
    ]
    with world.session() as session:
        late = session.scalars(select(OutboxMessage).where(OutboxMessage.for_digest, OutboxMessage.status == "queued"))
        assert late.one().due > now()


def test_an_empty_digest_is_none_and_what_would_come_too_late_is_told_at_once(
    world: World, daily: str, ada: Known
) -> None:
    prefer(world, ada, MailKind.SUBMISSION, MailFrequency.NONE)
    make_due(world)
    gather_digests(world.database, 7)
    assert statuses(world)[("submission-finished", MailStatus.SUPPRESSED)] == 2
    assert not [one for one, _ in statuses(world) if one == "digest"]
    prefer(world, ada, MailKind.PHASE, MailFrequency.DAILY)
    with world.session() as session:
        reopen(session, starts=now() - 2 * MINUTE, ends=now() + MINUTE)
        phase_clock.tick(session)
        row = select(OutboxMessage.for_digest).where(OutboxMessage.template == "phase-opens")
        assert sorted(session.scalars(row)) == [False, False]


def test_a_digest_is_stopped_in_one_click_and_had_again(
    world: World, gateway: RunningGateway, daily: str, ada: Known, connect: Callable[[str | None], Client]
) -> None:
    stop = links_of(world.settings).unsubscribe(Subscription(ada.id, MailKind.DIGEST)).split("/api/v1")[1]
    client = connect(ada.token)
    client.choose_mail("agent", "none")

    def chosen() -> dict[str, str]:
        return {kind: often for kind, often in client.own_mail().frequencies.items() if often != "at_once"}

    had = {"submission": "daily", "rank": "daily", "agent": "none"}
    assert chosen() == had
    assert "daily summary" in gateway.call("GET", stop).text
    for _ in range(2):
        assert gateway.call("POST", stop, content="List-Unsubscribe=One-Click").status_code == 200
        assert set(chosen().values()) == {"none"}
    assert gateway.call("POST", stop, content="act=again").status_code == 200
    assert chosen() == had
    gateway.call("POST", stop)
    client.choose_mail("rank", "daily")
    assert chosen() == {"submission": "none", "rank": "daily", "agent": "none"}
    with world.session() as session:
        assert session.get(MailPreference, (ada.id, MailKind.DIGEST)) is None
