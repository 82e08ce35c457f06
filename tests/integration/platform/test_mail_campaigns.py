"""Campaigns as organizers write, approve and schedule them; and who gets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from mailing import LINKS, Mailing, MailServer, configuration
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from stand_in_prefect import StandInPrefect
from world import Known, RunningGateway, World

from podium.platform.client import Client
from podium.platform.client.returned_mail import SIGNATURE, send_returned, signature
from podium.platform.database import Database
from podium.platform.errors import Conflict, InvalidInput, NotAuthenticated, NotFound
from podium.platform.lifecycle import CampaignStatus, MailStatus, ParticipantStatus
from podium.platform.mail import campaigns, rounds
from podium.platform.mail.audience import Audience, Who
from podium.platform.mail.driving import Sending, end_round
from podium.platform.mail.outbox import queue_message
from podium.platform.mail.recipients import chosen_people, count_recipients
from podium.platform.mail.sender import Ended
from podium.platform.models import (
    Competition,
    MailCampaign,
    MailKind,
    MailRound,
    OutboxMessage,
    Participant,
    Person,
    now,
)
from podium.platform.records.mail import AudienceRecord
from podium.platform.settings import ServerSettings

BODY = "Dear {{name}}, read [this]({{leaderboard_link}})."


@pytest.fixture
def with_mail(settings: ServerSettings, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """The gateway's settings name the mail server."""
    for name, value in {
        "mail_host": "127.0.0.1",
        "mail_port": mail.port,
        "mail_security": "none",
        "mail_from": "podium@podium.test",
    }.items():
        monkeypatch.setattr(settings, name, value)
    return mail


def asked(world: World, slug: str, **question: Any) -> set[str]:  # noqa: ANN401  # of the audience
    with world.session() as session:
        competition = session.scalars(select(Competition).where(Competition.slug == slug)).one()
        ids = chosen_people(session, competition, Audience(**question))
        return set(session.scalars(select(Person.username).where(Person.id.in_(ids))))


def test_who_gets_a_campaign(world: World, olga: Known) -> None:
    slug = world.competition(olga)
    people = {name: world.person(name) for name in ("best", "next", "poor", "idle", "failed", "waits", "gone")}
    for one in people.values():
        world.join(one, slug)
    for name, score in (("best", 0.9), ("next", 0.8), ("poor", 0.1)):
        world.score(people[name], slug, {"accuracy": score})
    failing = world.score(people["failed"], slug, {"accuracy": 0.0})
    cora = world.person("cora")
    with world.session() as session:
        competition = session.scalars(select(Competition)).one()
        session.execute(
            text("UPDATE submissions SET status = 'failed' WHERE id = :id"),
            {"id": failing},
        )
        session.get_one(Participant, (competition.id, people["waits"].id)).status = ParticipantStatus.PENDING
        session.get_one(Participant, (competition.id, people["gone"].id)).status = ParticipantStatus.DENIED
        session.execute(
            text(
                "INSERT INTO collaborators (competition_id, person_id, added_by, created)"
                " VALUES (:competition, :person, '', now())"
            ),
            {"competition": competition.id, "person": cora.id},
        )
    approved = {"best", "next", "poor", "idle", "failed"}
    assert asked(world, slug) == approved
    assert asked(world, slug, status=None) == approved | {"waits"}
    assert asked(world, slug, status=ParticipantStatus.PENDING) == {"waits"}
    assert asked(world, slug, submitted=True) == approved - {"idle"}
    assert asked(world, slug, submitted=False) == {"idle"}
    assert asked(world, slug, phase="first") == approved - {"idle"}
    assert asked(world, slug, phase="1", submitted=False) == {"idle"}
    assert asked(world, slug, failed=True) == {"failed"}
    assert asked(world, slug, top=2) == {"best", "next"}
    assert asked(world, slug, who=Who.ORGANIZERS) == {"olga", "cora"}
    assert asked(world, slug, who=Who.PEOPLE, usernames=("BEST", "cora")) == {"best", "cora"}
    with pytest.raises(NotFound, match="'gone', 'nobody'"):
        asked(world, slug, who=Who.PEOPLE, usernames=("nobody", "best", "gone"))
    with pytest.raises(NotFound, match="no phase"):
        asked(world, slug, phase="third")
    with world.session() as session:
        competition = session.scalars(select(Competition)).one()
        session.get_one(Person, people["idle"].id).email_confirmed = None
        count = count_recipients(session, competition, Audience())
    assert (count.total, count.left_out) == (4, {"unconfirmed": 1})


def test_the_way_of_a_campaign_over_the_api(
    with_mail: MailServer,
    connect: Callable[[str | None], Client],
    gateway: RunningGateway,
    send: Mailing,
    slug: str,
    olga: Known,
    ada: Known,
    database: Database,
    prefect: StandInPrefect,
) -> None:
    client = connect(olga.token)
    draft = client.draft_campaign(slug, subject="Hello {{name}}", body=BODY, audience=AudienceRecord())
    assert (draft.number, draft.status, draft.total) == (1, CampaignStatus.DRAFT, 0)
    with pytest.raises(InvalidInput, match="no variable 'nme'"):
        client.change_campaign(slug, 1, body="Dear {{nme}}")
    count = client.count_recipients(slug, draft.question)
    assert (count.total, count.trouble) == (1, "")
    seen = client.preview_campaign(slug, 1)
    assert (seen.to, seen.subject) == ("a…@example.org", "Hello ada")
    assert "Dear ada" in seen.html
    assert "ada@example.org" not in str(seen)
    assert "unsubscribe/preview>" in seen.headers["List-Unsubscribe"]
    with pytest.raises(Conflict, match="approved"):
        client.send_campaign(slug, 1)
    changed = client.change_campaign(slug, 1, subject="Hello again {{name}}", version=draft.version)
    with pytest.raises(Conflict, match="changed since"):
        client.change_campaign(slug, 1, subject="Over it", version=draft.version)
    with pytest.raises(Conflict, match="changed since"):
        client.approve_campaign(slug, 1, version=draft.version)
    approved = client.approve_campaign(slug, 1, version=changed.version)
    assert (approved.status, approved.total, approved.approved_by) == (CampaignStatus.APPROVED, 1, ("olga",))
    with pytest.raises(Conflict, match="fixed"):
        client.change_campaign(slug, 1, body="else")
    assert client.withdraw_campaign(slug, 1).total == 0
    client.approve_campaign(slug, 1, version=client.campaign(slug, 1).version)
    assert client.send_campaign(slug, 1).status is CampaignStatus.SENDING
    gateway.services.dispatcher.tick()
    (campaign_id,) = _flows(prefect)
    assert send.send(UUID(campaign_id)) is CampaignStatus.SENT
    over = client.campaign(slug, 1)
    assert (over.counts, over.status) == ({"sent": 1}, CampaignStatus.SENT)
    (line,) = client.campaign_outbox(slug, 1).rows
    assert (line.username, line.status, line.address) == ("ada", MailStatus.SENT, "a…@example.org")
    assert with_mail.recipients() == {"ada@example.org": 1}

    # A test goes to whoever asks, and to nobody else.
    client.test_campaign(slug, 1)
    gateway.services.dispatcher.tick()
    Sending(database, configuration(with_mail.port), LINKS).singles()
    assert with_mail.recipients() == {"ada@example.org": 1, "olga@example.org": 1}


def test_another_organizer_must_approve_where_the_platform_asks_for_it(
    with_mail: MailServer,
    connect: Callable[[str | None], Client],
    settings: ServerSettings,
    world: World,
    slug: str,
    olga: Known,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "mail_second_organizer", True)
    cora = world.person("cora")
    first, second = connect(olga.token), connect(cora.token)
    first.add_collaborator(slug, "cora")
    draft = first.draft_campaign(slug, subject="Hello", body=BODY, audience=AudienceRecord())
    proposed = first.approve_campaign(slug, 1, version=draft.version)
    assert (proposed.status, proposed.needs_second) == (CampaignStatus.PROPOSED, True)
    with pytest.raises(Conflict):
        first.send_campaign(slug, 1)
    # Who changes it is its author, and may not approve it alone either.
    changed = second.change_campaign(slug, 1, subject="Hello there")
    assert (changed.status, changed.author, changed.approved_by) == (CampaignStatus.DRAFT, "cora", ())
    assert second.approve_campaign(slug, 1, version=changed.version).status is CampaignStatus.PROPOSED
    version = first.campaign(slug, 1).version
    approved = first.approve_campaign(slug, 1, version=version)
    assert (approved.status, set(approved.approved_by)) == (CampaignStatus.APPROVED, {"olga", "cora"})


def test_a_campaign_goes_out_at_its_time(
    send: Mailing, database: Database, gateway: RunningGateway, prefect: StandInPrefect, slug: str
) -> None:
    campaign = send.approved(slug, send=False)
    with database.session() as session:
        row = session.get_one(MailCampaign, campaign)
        with pytest.raises(InvalidInput, match="over"):
            campaigns.schedule_campaign(session, row, now() - timedelta(seconds=1), actor="tests")
        campaigns.schedule_campaign(session, row, now() + timedelta(hours=1), actor="tests")
    gateway.services.dispatcher.tick()
    assert _flows(prefect) == []
    with database.session() as session:
        session.get_one(MailCampaign, campaign).scheduled = now()
    gateway.services.dispatcher.tick()
    gateway.services.dispatcher.tick()
    assert _flows(prefect) == [str(campaign)]
    with database.session() as session:
        assert session.get_one(MailCampaign, campaign).status is CampaignStatus.SENDING


def _flows(prefect: StandInPrefect) -> list[str]:
    return [run["parameters"]["campaign_id"] for key, run in prefect.runs.items() if key.startswith("mail/")]


def test_one_message_is_queued_once_and_only_with_its_transaction(
    database: Database, ada: Known, mail: MailServer
) -> None:
    def queue(session: Session) -> bool:
        return queue_message(
            session,
            ada.id,
            MailKind.SUBMISSION,
            subject="{{what}} is finished",
            body="**{{what}}** is finished: {{results_link}}",
            filled_in={"what": "*Mine*\r\nBcc: x", "results_link": "https://podium.test/r"},
            key="submission:1",
        )

    with database.session() as session:
        assert queue(session)
        session.rollback()
    with database.session() as session:
        assert queue(session)
        assert not queue(session)
        assert rounds.begin_round(session) == rounds.begin_round(session)
        opened = session.scalars(select(MailRound)).one()
    mail.keep()
    ended = Sending(database, configuration(mail.port), LINKS).singles()
    with database.session() as session:
        end_round(session, opened.id, ended)
        assert rounds.begin_round(session) == []
        assert session.scalars(select(OutboxMessage.status)).all() == [MailStatus.SENT]
    assert b"Subject: *Mine* Bcc: x is finished" in mail.message("ada@example.org")
    assert b"<strong>*Mine* Bcc: x</strong>" in mail.message("ada@example.org")


def test_nothing_is_tried_for_a_while_where_nothing_can_be_sent(database: Database, ada: Known) -> None:
    with database.session() as session:
        queue_message(session, ada.id, MailKind.SUBMISSION, subject="Done", body="Done.")
        opened = rounds.begin_round(session)[0]
    with database.session() as session:
        end_round(session, opened, Ended(halted="The mail server takes nothing."))
        assert rounds.begin_round(session) == []


def altered(path: str) -> str:
    """A signed path with another signature. Not its last character: that has bits which stand for nothing."""
    return f"{path[:-2]}{'A' if path[-2] != 'A' else 'B'}{path[-1]}"


def test_a_link_in_a_message_stops_it_without_a_sign_in(
    with_mail: MailServer, gateway: RunningGateway, send: Mailing, settings: ServerSettings, slug: str, ada: Known
) -> None:
    with_mail.keep()
    send.send(send.approved(slug))
    address = with_mail.message("ada@example.org").split(b"List-Unsubscribe: <")[1].split(b">")[0].decode()
    path = address.removeprefix("https://podium.test/api/v1")
    page = gateway.call("GET", path)
    assert page.status_code == 200
    assert "You get announcements of Iris." in page.text
    assert "form-action 'self'" in page.headers["content-security-policy"]
    # One click, as mail programs make it: RFC 8058.
    done = gateway.call(
        "POST",
        path,
        content="List-Unsubscribe=One-Click",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert done.status_code == 200
    assert gateway.call("GET", "/me/mail", ada.token).json()["stopped"] == [slug]
    assert gateway.call("POST", path, content="act=again").status_code == 200
    assert gateway.call("GET", "/me/mail", ada.token).json()["stopped"] == []
    assert gateway.call("POST", path, content="act=all").status_code == 200
    assert gateway.call("GET", "/me/mail", ada.token).json()["frequencies"]["announcement"] == "none"
    assert gateway.call("POST", path, content="act=again").status_code == 200
    assert gateway.call("GET", "/me/mail", ada.token).json()["frequencies"]["announcement"] == "at_once"
    assert gateway.call("POST", path, content="act=all").status_code == 200
    assert gateway.call("POST", altered(path)).status_code == 404
    with pytest.raises(Conflict, match=r"nobody. Left out: 1 opted out"):
        send.approved(slug)


def test_mail_that_comes_back_is_known_and_its_address_left_alone(
    with_mail: MailServer,
    gateway: RunningGateway,
    send: Mailing,
    settings: ServerSettings,
    slug: str,
    olga: Known,
    ada: Known,
    monkeypatch: pytest.MonkeyPatch,
    connect: Callable[[str | None], Client],
) -> None:
    campaign = send.approved(slug)
    send.send(campaign)
    [(address, message_id)] = with_mail.taken()
    notice = _notice(message_id).encode()
    with pytest.raises(NotAuthenticated, match="secret"):
        send_returned(gateway.address, notice, "x" * 32)
    monkeypatch.setattr(settings, "mail_secret", SecretStr("s" * 32))
    with pytest.raises(NotAuthenticated, match="not good"):
        send_returned(gateway.address, notice, "x" * 32)
    send_returned(gateway.address, notice, "s" * 32)
    assert send.counts(campaign) == {MailStatus.FAILED: 1}
    preferences = connect(ada.token).own_mail()
    assert not preferences.reachable
    with gateway.services.database.session() as session:
        session.execute(text("UPDATE people SET is_administrator = true WHERE username = 'olga'"))
    client = connect(olga.token)
    assert [(one.address, one.cause) for one in client.suppressed_addresses()] == [(address, "bounce")]
    client.allow_address(address)
    with pytest.raises(NotFound):
        client.allow_address(address)
    # A service tells of a complaint.
    told = b'{"event": "complaint", "message_id": "%s", "other": 1}' % message_id.encode()
    for stamp, status in ((0.0, 401), (now().timestamp(), 204)):
        answer = gateway.call(
            "POST", "/mail/notices", content=told, headers={SIGNATURE: signature("s" * 32, told, stamp)}
        )
        assert answer.status_code == status, answer.text
    assert [one.cause for one in client.suppressed_addresses()] == ["complaint"]


def _notice(message_id: str) -> str:
    return f"""\
From: MAILER-DAEMON@mail.test
To: podium@podium.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.test

Final-Recipient: rfc822; ada@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.org>: User unknown

--b
Content-Type: message/rfc822-headers

From: podium@podium.test
Message-ID: {message_id}

--b--
"""


def test_an_address_that_nobody_vouches_for_gets_mail_when_its_owner_says_so(
    with_mail: MailServer,
    connect: Callable[[str | None], Client],
    gateway: RunningGateway,
    world: World,
    database: Database,
) -> None:
    with_mail.keep()
    root = connect(world.person("root", administrator=True).token)
    root.add_person("nina", "nina@example.org", email_confirmed=False)
    nina = connect(root.issue_token("nina", "tests").secret)
    assert "podium mail confirm" in nina.own_mail().trouble
    Sending(database, configuration(with_mail.port), LINKS).singles()
    address = with_mail.message("nina@example.org").replace(b"=\r\n", b"").split(b"/mail/confirmation/")[1].split()[0]
    path = f"/mail/confirmation/{address.decode()}"
    assert "Is this your address?" in gateway.call("GET", path).text
    assert not nina.own_mail().reachable
    assert gateway.call("POST", altered(path)).status_code == 404
    assert gateway.call("POST", path).status_code == 200
    assert nina.own_mail().reachable
    with pytest.raises(Conflict, match="known to be yours"):
        nina.ask_for_confirmation()
    with database.session() as session:
        session.execute(
            text("UPDATE people SET email = 'other@example.org', email_confirmed = NULL WHERE username = 'nina'")
        )
    assert gateway.call("POST", path).status_code == 404
