"""Campaigns against a real mail server in a process of its own: once each, whatever breaks."""

from __future__ import annotations

import email
import email.policy
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

import mailing
import pytest
from mailing import Mailing, MailServer
from postfix_server import PostfixServer
from sqlalchemy import Select, event, select, text, update
from sqlalchemy.orm import Session
from world import Known, World, eventually

from podium.platform.database import Database
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import CampaignStatus, MailStatus, ParticipantStatus
from podium.platform.mail import campaigns, outbox, rounds, sender, views
from podium.platform.mail.allowances import Rates
from podium.platform.mail.driving import begin_campaign
from podium.platform.mail.ledger import Ledger, Outcome
from podium.platform.mail.links import Subscription
from podium.platform.mail.preferences import stop
from podium.platform.models import (
    Competition,
    MailCampaign,
    MailKind,
    MailSuppression,
    OutboxMessage,
    Participant,
    Person,
    now,
)


@pytest.fixture
def crowd(world: World, database: Database, slug: str) -> list[str]:
    """Two hundred participants besides ada."""
    names = [f"p{number}" for number in range(200)]
    with database.session() as session:
        session.execute(
            text(
                "INSERT INTO people (id, created, username, email, email_confirmed, name, is_administrator,"
                " may_organize) SELECT gen_random_uuid(), now(), name, name || '@example.org', now(), '', false, false"
                " FROM unnest(CAST(:names AS text[])) name"
            ),
            {"names": names},
        )
        session.execute(
            text(
                "INSERT INTO participants (competition_id, person_id, created, status) SELECT c.id, p.id, now(),"
                " 'approved' FROM competitions c, people p WHERE p.username = ANY(:names)"
            ),
            {"names": names},
        )
    return [f"{name}@example.org" for name in (*names, "ada")]


def test_a_message_arrives_as_it_was_written_with_all_that_mail_programs_want(
    send: Mailing, mail: MailServer, slug: str, ada: Known, world: World
) -> None:
    mail.keep()
    world.score(ada, slug, {"accuracy": 0.5})
    campaign = send.approved(
        slug, body="Dear {{name}}, you are {{rank}} with {{score}}.\n\n<b>Go</b> [on]({{submit_link}})."
    )
    assert send.send(campaign) is CampaignStatus.SENT
    got = email.message_from_bytes(mail.message("ada@example.org"), policy=email.policy.default)
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "Dear ada, you are 1 with 0.50." in plain.get_content()
    assert "&lt;b&gt;Go&lt;/b&gt;" in html.get_content()
    assert got["Subject"] == "Hello ada"
    assert got["To"] == "ada <ada@example.org>"
    assert got["From"] == '"Iris (Podium)" <podium@podium.test>'
    assert got["Reply-To"].endswith("<olga@example.org>")
    assert got["List-Id"] == f"Iris <{slug}.podium.test>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["List-Unsubscribe"].startswith("<https://podium.test/api/v1/mail/unsubscribe/")
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with world.session() as session:
        row = session.scalars(select(OutboxMessage)).one()
    assert got["Message-ID"] == f"<{row.id}@podium.test>"
    assert (row.address, row.status, row.attempts, row.handed) == ("ada@example.org", MailStatus.SENT, 1, None)


def test_what_is_put_off_is_tried_again_and_what_is_refused_is_not(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    mail.tell(
        **{
            "p0@example.org": {"at": "rcpt", "answer": "451 4.7.1 greylisted", "times": 2},
            "p1@example.org": {"at": "data", "answer": "452 4.3.1 full", "times": 1},
            "p2@example.org": {"at": "rcpt", "answer": "550 5.1.1 no such user"},
            "p3@example.org": {"at": "data", "answer": "554 5.7.1 not wanted"},
            "p4@example.org": {"at": "rcpt", "answer": "421 4.3.2 going away", "times": 1},
        }
    )
    campaign = send.approved(slug)
    assert send.send(campaign) is CampaignStatus.SENT
    assert send.counts(campaign) == {MailStatus.SENT: len(crowd) - 2, MailStatus.FAILED: 2}
    assert set(mail.recipients().values()) == {1}
    assert set(crowd) - set(mail.recipients()) == {"p2@example.org", "p3@example.org"}
    with database.session() as session:
        assert [one.address for one in session.scalars(select(MailSuppression))] == ["p2@example.org"]
        tried = select(OutboxMessage.attempts).join(Person).where(Person.username == "p0")
        assert session.scalar(tried) == 3
    # The next campaign leaves out whose mail came back.
    again = send.approved(slug, send=False)
    with database.session() as session:
        assert session.get_one(MailCampaign, again).left_out == {"returned": 1}


def test_a_message_that_may_have_arrived_is_not_sent_again_unless_somebody_says_so(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    mail.tell(
        **{
            "p7@example.org": {"at": "silent", "times": 1},
            "p8@example.org": {"at": "drop", "times": 1},
        }
    )
    campaign = send.approved(slug)
    status = send.send(campaign)
    while status is CampaignStatus.SENDING:  # the mail server could not be reached for a moment
        status = send.send(campaign)
    counts = send.counts(campaign)
    # Whether the connection broke before the last byte was written, only the kernel knows.
    assert counts[MailStatus.UNSETTLED] in {1, 2}
    assert mail.recipients()["p7@example.org"] == 1
    assert max(mail.recipients().values()) == 1
    with database.session() as session:
        assert "settle" in session.get_one(MailCampaign, campaign).status_message
        row = session.get_one(MailCampaign, campaign)
        campaigns.settle_campaign(session, row, ("P7",), send_again=False, actor="tests")
        if counts[MailStatus.UNSETTLED] == 2:
            campaigns.settle_campaign(session, row, (), send_again=True, actor="tests")
    assert send.send(campaign) is CampaignStatus.SENT
    assert send.counts(campaign) == {MailStatus.SENT: len(crowd)}
    assert mail.recipients() == dict.fromkeys(crowd, 1)


def test_a_killed_sender_costs_nobody_a_message_and_sends_none_twice(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    mail.tell(delay=0.02, pipelining=True)
    campaign = send.approved(slug)
    url = database.url.render_as_string(hide_password=False)
    for so_many in (30, 90):
        sender = subprocess.Popen([sys.executable, mailing.__file__, url, str(campaign), str(mail.port)])
        eventually(lambda so_many=so_many: len(mail.taken()) >= so_many)
        os.kill(sender.pid, signal.SIGKILL)
        sender.wait()
    time.sleep(0.1)  # what is on the wire arrives
    mail.tell()
    assert send.send(campaign) is CampaignStatus.SENT
    got, counts = mail.recipients(), send.counts(campaign)
    assert set(counts) <= {MailStatus.SENT, MailStatus.UNSETTLED}
    assert sum(counts.values()) == len(crowd)
    # Of each sender that was killed, what its connections had, and as many that came next.
    assert counts.get(MailStatus.UNSETTLED, 0) <= 2 * (4 + 4)
    assert max(got.values()) == 1
    with database.session() as session:
        unsettled = session.scalars(
            select(OutboxMessage.address).where(OutboxMessage.status == MailStatus.UNSETTLED)
        ).all()
    assert set(crowd) - set(got) <= set(unsettled)


def test_a_sender_that_was_taken_for_dead_sends_nothing_more_and_tells_what_it_knows(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    campaign, first = send.approved(slug), new_id()
    with database.session() as session:
        assert begin_campaign(session, campaign)
        held = outbox.claim(session, campaign, first, Rates(), most=3).messages
    with Ledger(database, first) as ledger:
        assert ledger.hand_over(held[0].id).result(10)
        assert ledger.hand_over(held[0].id).result(10)  # as after a commit of which no answer came
        assert send.send(campaign) is CampaignStatus.SENT
        assert send.counts(campaign) == {MailStatus.SENT: len(crowd) - 1, MailStatus.UNSETTLED: 1}
        assert not ledger.hand_over(held[1].id).result(10)
        ledger.record(Outcome(held[0].id, MailStatus.SENT, "250 taken"))
        ledger.record(Outcome(held[1].id, MailStatus.FAILED, "It never had a say."))
    assert send.counts(campaign) == {MailStatus.SENT: len(crowd)}


def test_a_mail_server_that_takes_nothing_pauses_the_campaign_and_says_why(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    mail.tell(any={"at": "rcpt", "answer": "554 5.7.1 relay access denied"})
    campaign = send.approved(slug)
    assert send.send(campaign) is CampaignStatus.PAUSED
    assert send.counts(campaign) == {MailStatus.QUEUED: len(crowd)}
    with database.session() as session:
        row = session.get_one(MailCampaign, campaign)
        assert "relay access denied" in row.status_message
        campaigns.resume_campaign(session, row, actor="tests")
    mail.tell(any={"at": "data", "answer": "550 5.7.1 looks like spam"})
    assert send.send(campaign) is CampaignStatus.PAUSED
    assert 20 <= send.counts(campaign)[MailStatus.FAILED] <= 24
    assert mail.taken() == []


def test_a_campaign_that_is_paused_stops_at_once_and_one_that_is_cancelled_for_good(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    mail.tell(delay=0.02)
    campaign = send.approved(slug)
    url = database.url.render_as_string(hide_password=False)
    sender = subprocess.Popen([sys.executable, mailing.__file__, url, str(campaign), str(mail.port)])
    eventually(lambda: len(mail.taken()) >= 20)
    with database.session() as session:
        campaigns.pause_campaign(session, _locked(session, campaign), actor="tests")
    at_once = len(mail.taken())
    assert sender.wait(20) == 0
    assert len(mail.taken()) <= at_once + 4 + 4  # what connections had, and what was marked to come next
    counts = send.counts(campaign)
    assert set(counts) == {MailStatus.SENT, MailStatus.QUEUED}
    assert counts[MailStatus.SENT] == len(mail.taken())
    with database.session() as session:
        campaigns.resume_campaign(session, _locked(session, campaign), actor="tests")
    sender = subprocess.Popen([sys.executable, mailing.__file__, url, str(campaign), str(mail.port)])
    eventually(lambda: len(mail.taken()) >= counts[MailStatus.SENT] + 20)
    with database.session() as session:
        campaigns.cancel_campaign(session, _locked(session, campaign), actor="tests")
    assert sender.wait(20) == 0
    assert send.send(campaign) is CampaignStatus.CANCELLED
    assert set(send.counts(campaign)) == {MailStatus.SENT, MailStatus.CANCELLED}
    assert max(mail.recipients().values()) == 1


@pytest.mark.parametrize("way", [CampaignStatus.CANCELLED, CampaignStatus.PAUSED])
def test_what_a_dead_sender_left_in_a_campaign_that_nobody_sends_is_settled(
    send: Mailing, slug: str, crowd: list[str], database: Database, way: CampaignStatus
) -> None:
    campaign = send.approved(slug)
    stop = campaigns.cancel_campaign if way is CampaignStatus.CANCELLED else campaigns.pause_campaign
    with database.session() as session:
        first, second = session.scalars(select(OutboxMessage).limit(2))
        for one in (first, second):
            one.status, one.claimed, one.claim_id = MailStatus.SENDING, now(), new_id()
        first.handed = now()
    with database.session() as session:
        campaigns.send_campaign(session, _locked(session, campaign), actor="tests")
        stop(session, _locked(session, campaign), actor="tests")
        assert rounds.settle_abandoned(session) == 0
    assert send.counts(campaign)[MailStatus.SENDING] == 1
    with database.session() as session:
        session.execute(update(OutboxMessage).values(claimed=now() - rounds.ABANDONED))
        assert rounds.settle_abandoned(session) == 1
    rest = MailStatus.CANCELLED if way is CampaignStatus.CANCELLED else MailStatus.QUEUED
    assert send.counts(campaign) == {MailStatus.UNSETTLED: 1, rest: len(crowd) - 1}


def _locked(session: Session, campaign: UUID) -> MailCampaign:
    return session.get_one(MailCampaign, campaign, with_for_update={"of": MailCampaign})


def test_a_sender_that_has_not_heard_of_it_takes_nothing_more_of_a_campaign_that_is_paused(
    send: Mailing, slug: str, crowd: list[str], database: Database
) -> None:
    campaign = send.approved(slug)
    with database.session() as session:
        campaigns.send_campaign(session, _locked(session, campaign), actor="tests")
    rates = Rates(None, None)
    with database.session() as session:
        assert len(outbox.claim(session, campaign, new_id(), rates, most=5).messages) == 5
    with database.session() as session:
        campaigns.pause_campaign(session, _locked(session, campaign), actor="tests")
    with database.session() as session:
        assert outbox.claim(session, campaign, new_id(), rates, most=5) == outbox.Taken()
    assert send.counts(campaign) == {MailStatus.QUEUED: len(crowd)}


def test_campaigns_are_listed_with_their_counts_by_as_few_questions_as_one(
    send: Mailing, slug: str, crowd: list[str], database: Database
) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))

    def listed() -> tuple[int, list[dict[str, int]]]:
        with database.session() as session:
            competition = session.query(Competition).filter_by(slug=slug).one()
            asked.clear()
            found = views.campaign_records(session, competition, needs_second=False)
            return len(asked), [one.counts for one in found]

    send.approved(slug)
    questions, counts = listed()
    assert counts == [{"queued": len(crowd)}]
    with database.session() as session:
        first = update(OutboxMessage).values(status=MailStatus.SUPPRESSED)
        session.execute(first.where(OutboxMessage.domain != "", OutboxMessage.person_id.in_(_some(3))))
    for _ in range(3):
        send.approved(slug)
    assert listed() == (questions, [*[{"queued": len(crowd)}] * 3, {"queued": len(crowd) - 3, "suppressed": 3}])
    assert questions <= 4


def _some(number: int) -> Select[tuple[UUID]]:
    return select(Person.id).where(Person.username.like("p%")).limit(number)


def test_nobody_gets_what_they_have_stopped_after_it_was_approved(
    send: Mailing, mail: MailServer, slug: str, crowd: list[str], database: Database
) -> None:
    campaign = send.approved(slug)
    with database.session() as session:
        people = {one.username: one for one in session.scalars(select(Person))}
        competition = session.get_one(MailCampaign, campaign).competition_id
        stop(session, Subscription(people["p0"].id, MailKind.ANNOUNCEMENT, competition))
        session.get_one(Participant, (competition, people["p1"].id)).status = ParticipantStatus.DENIED
        people["p2"].email_confirmed = None
        people["p3"].email = "not an address@example.org"
    assert send.send(campaign) is CampaignStatus.SENT
    assert send.counts(campaign) == {
        MailStatus.SENT: len(crowd) - 4,
        MailStatus.SUPPRESSED: 3,
        MailStatus.FAILED: 1,
    }
    with database.session() as session:
        rows = select(Person.username, OutboxMessage.reply).join(OutboxMessage).where(OutboxMessage.status != "sent")
        assert dict(session.execute(rows).all()) == {
            "p0": "opted out",
            "p1": "denied",
            "p2": "unconfirmed",
            "p3": "There is no such address.",
        }


def test_no_more_goes_out_within_a_minute_than_is_allowed(
    send: Mailing, slug: str, crowd: list[str], database: Database
) -> None:
    campaign = send.approved(slug)
    with database.session() as session:
        others = update(OutboxMessage).where(OutboxMessage.campaign_id == campaign).values(domain="example.net")
        half = select(OutboxMessage.id).order_by(OutboxMessage.id).limit(100).scalar_subquery()
        session.execute(others.where(OutboxMessage.id.in_(half)))
    rates = Rates(per_minute=600, domain_per_minute=200)
    taken = []
    for _ in range(4):
        with database.session() as session:
            taken.append(len(outbox.claim(session, campaign, new_id(), rates, most=200).messages))
    # A tenth of a minute is looked at: 60 in all, 20 to each of two domains.
    assert taken == [20, 20, 0, 0]


def _queue(session: Session, kind: MailKind, people: Select[tuple[UUID]]) -> None:
    for person in session.scalars(people).all():
        assert outbox.queue_message(session, person, kind, subject=kind, body="Read this.")


def test_what_somebody_waits_for_goes_before_what_is_for_many(crowd: list[str], ada: Known, database: Database) -> None:
    latecomer = select(Person.id).where(Person.id == ada.id)
    with database.session() as session:
        _queue(session, MailKind.PHASE, _some(100))
        _queue(session, MailKind.SUBMISSION, latecomer)
        _queue(session, MailKind.CONFIRMATION, latecomer)
    with database.session() as session:
        taken = outbox.claim(session, None, new_id(), Rates(per_minute=600), most=4).messages
    assert [one.kind for one in taken] == ["confirmation", "submission", "phase", "phase"]


def test_a_campaign_gets_what_of_the_pace_urgent_messages_leave(
    send: Mailing, slug: str, crowd: list[str], database: Database
) -> None:
    campaign = send.approved(slug)
    rates = Rates(per_minute=600, domain_per_minute=500)
    with database.session() as session:
        campaigns.send_campaign(session, _locked(session, campaign), actor="tests")
        _queue(session, MailKind.PHASE, _some(40))
        _queue(session, MailKind.SUBMISSION, _some(20))
    taken = []
    # What is looked at, a tenth of a minute, has room for 60 in all and 50 to their one domain.
    for queue in (campaign, campaign, None, None):
        with database.session() as session:
            taken.append([one.kind for one in outbox.claim(session, queue, new_id(), rates, most=20).messages])
    assert [len(kinds) for kinds in taken] == [20, 10, 20, 0]
    assert {*taken[2]} == {MailKind.SUBMISSION}


def test_it_signs_in_where_the_mail_server_wants_that(
    send: Mailing, mail: MailServer, slug: str, ada: Known, database: Database
) -> None:
    campaign = send.approved(slug)
    assert send.send(campaign, username="podium", password="wrong") is CampaignStatus.PAUSED
    with database.session() as session:
        row = _locked(session, campaign)
        assert "takes nothing from us: 535" in row.status_message
        campaigns.resume_campaign(session, row, actor="tests")
    assert send.send(campaign, username="podium", password="secret") is CampaignStatus.SENT
    assert mail.recipients() == {"ada@example.org": 1}


def test_debians_mail_server_takes_it_over_tls(
    database: Database, slug: str, world: World, ada: Known, tmp_path: Path
) -> None:
    for name in ("bob", "gone"):
        world.join(world.person(name), slug)
    folder = Path(tempfile.mkdtemp(prefix="podium-postfix-"))
    folder.chmod(0o711)  # Postfix runs as several users
    try:
        with PostfixServer(folder, ["ada", "bob"]) as postfix:
            send = Mailing(database, postfix.port)
            campaign = send.approved(slug, subject="Zoë {{name}}", body="Dear {{name}},\n\n. a dot\n\n.\n\nbye")
            trusted = {"host": "localhost", "security": "starttls", "connections": 2}
            assert send.send(campaign, ca_file=postfix.certificate, **trusted) is CampaignStatus.SENT
            assert send.counts(campaign) == {MailStatus.SENT: 2, MailStatus.FAILED: 1}
            eventually(lambda: bool(postfix.mail_of("ada") and postfix.mail_of("bob")))
            (raw,) = postfix.mail_of("ada")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    got = email.message_from_bytes(raw, policy=email.policy.default)
    plain = got.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().startswith("Dear ada,\n\n. a dot\n\n.\n\nbye\n")
    assert got["Subject"] == "Zoë ada"
    with database.session() as session:
        assert [one.address for one in session.scalars(select(MailSuppression))] == ["gone@example.org"]


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(
    send: Mailing, mail: MailServer, slug: str, ada: Known, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "TROUBLE_SECONDS", (0.01, 0.01))
    campaign = send.approved(slug)
    assert send.send(campaign, security="starttls") is CampaignStatus.SENDING
    with database.session() as session:
        row = session.get_one(MailCampaign, campaign)
        assert row.flow_run_id is None
        assert row.due is not None
        assert row.due > now()
    assert send.counts(campaign) == {MailStatus.QUEUED: 1}
    assert mail.taken() == []
