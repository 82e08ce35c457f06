"""Campaigns and their messages as the API answers them."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from podium.platform.errors import InvalidInput
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import WAITING_MAIL, MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.addresses import mail_address, masked
from podium.platform.mail.audience import Audience
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.eligibility import Reason, why_not
from podium.platform.mail.filling import Recipient, common_values, own_values, phase_of
from podium.platform.mail.letters import CampaignLetters
from podium.platform.mail.links import MailLinks
from podium.platform.mail.outbox import Claimed
from podium.platform.mail.variables import used_in
from podium.platform.models import Competition, MailApproval, MailCampaign, MailKind, OutboxMessage, Person
from podium.platform.records.mail import AudienceRecord, CampaignRecord, MessagePreview, OutboxLine, OutboxPage

SHOWN_HEADERS = ("From", "Reply-To", "To", "Subject", "Message-ID", "List-Id", "List-Unsubscribe", "Auto-Submitted")


def campaign_record(session: Session, campaign: MailCampaign, *, needs_second: bool) -> CampaignRecord:
    """A campaign with its progress."""
    return _record(campaign, outbox.counts(session, campaign.id), needs_second=needs_second)


def campaign_records(session: Session, competition: Competition, *, needs_second: bool) -> list[CampaignRecord]:
    """All campaigns of a competition with their progress, the latest first."""
    found = session.scalars(
        select(MailCampaign)
        .where(MailCampaign.competition_id == competition.id)
        .options(joinedload(MailCampaign.author), selectinload(MailCampaign.approvals).joinedload(MailApproval.person))
        .order_by(MailCampaign.number.desc())
    ).all()
    counts = outbox.counts_of(session, [one.id for one in found])
    return [_record(one, counts[one.id], needs_second=needs_second) for one in found]


def _record(campaign: MailCampaign, counts: Mapping[MailStatus, int], *, needs_second: bool) -> CampaignRecord:
    audience = Audience.of(campaign.audience)
    return CampaignRecord(
        id=campaign.id,
        number=campaign.number,
        competition=campaign.competition.slug,
        subject=campaign.subject,
        body=campaign.body,
        audience=audience.in_words(),
        question=AudienceRecord(
            who=str(audience.who),
            status=None if audience.status is None else str(audience.status),
            phase=audience.phase,
            submitted=audience.submitted,
            failed=audience.failed,
            top=audience.top,
            usernames=audience.usernames,
        ),
        author=campaign.author.username,
        approved_by=tuple(one.person.username for one in campaign.approvals),
        needs_second=needs_second,
        status=campaign.status,
        status_message=campaign.status_message,
        version=campaign.version,
        scheduled=campaign.scheduled,
        total=campaign.total,
        left_out=dict(campaign.left_out),
        counts={str(status): number for status, number in counts.items()},
        created=campaign.created,
        started=campaign.started,
        ended=campaign.ended,
    )


def preview(
    session: Session,
    campaign: MailCampaign,
    person: Person,
    configuration: MailConfiguration,
    links: MailLinks,
    *,
    show_address: bool,
) -> MessagePreview:
    """A campaign's message as somebody gets it, but for the link that stops it, which is theirs; nothing is sent.

    Raises:
        InvalidInput: Nobody can send to their address.
    """
    to = mail_address(person.email)
    if to is None:
        raise InvalidInput(f"No mail can be sent to the address of '{person.username}'.")
    reason = session.scalar(
        select(why_not(MailKind.ANNOUNCEMENT, campaign.competition_id)).where(Person.id == person.id)
    )
    claimed = Claimed(
        id=new_id(),
        kind=MailKind.ANNOUNCEMENT,
        competition_id=campaign.competition_id,
        recipient=Recipient(person.id, person.username, person.name, person.email),
        to=to,
        attempts=0,
        subject=None,
        body=None,
        filled_in={},
    )
    letter = next(CampaignLetters(campaign, configuration, links.harmless()).written(session, [claimed]))
    message = email.message_from_bytes(letter.message, policy=email.policy.default)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    shown = str(to) if show_address else masked(str(to))
    return MessagePreview(
        to=shown,
        subject=str(message["Subject"]),
        text=text.get_content(),
        html=html.get_content(),
        headers={name: str(message[name]).replace(str(to), shown) for name in SHOWN_HEADERS if message[name]},
        left_out="" if reason is None else Reason(reason).value,
    )


def queue_test(session: Session, campaign: MailCampaign, person: Person, links: MailLinks) -> None:
    """Send a campaign's message to whoever writes it, marked as a test."""
    phase = phase_of(campaign)
    recipient = Recipient(person.id, person.username, person.name, person.email)
    uses = used_in(campaign.subject, campaign.body)
    own = own_values(session, campaign.competition_id, phase.id, [recipient], uses)[person.id]
    outbox.queue_message(
        session,
        person.id,
        MailKind.TEST,
        subject=f"Test: {campaign.subject}"[:200],
        body=campaign.body,
        filled_in={**common_values(campaign.competition, phase, links), **own, "unsubscribe_link": ""},
        competition_id=campaign.competition_id,
    )


def outbox_page(
    session: Session,
    campaign: MailCampaign,
    *,
    status: MailStatus | None,
    search: str,
    limit: int,
    offset: int,
    show_addresses: bool,
) -> OutboxPage:
    """A page of a campaign's messages, by username. Addresses are the operators' business, not the organizers'."""
    conditions = [OutboxMessage.campaign_id == campaign.id]
    if status is not None:
        conditions.append(OutboxMessage.status == status)
    if search:
        conditions.append(outbox.matching(search))
    joined = select(OutboxMessage, Person.username).join(Person, Person.id == OutboxMessage.person_id)
    total = session.scalar(
        select(func.count())
        .select_from(OutboxMessage)
        .join(Person, Person.id == OutboxMessage.person_id)
        .where(*conditions)
    )
    rows = session.execute(joined.where(*conditions).order_by(Person.username).limit(limit).offset(offset)).all()
    return OutboxPage(
        total=total or 0,
        rows=tuple(
            OutboxLine(
                username=username,
                address=message.address if show_addresses else masked(message.address),
                status=message.status,
                attempts=message.attempts,
                reply=message.reply if show_addresses else _without(message.address, message.reply),
                due=message.due if message.status in WAITING_MAIL else None,
                ended=message.ended,
            )
            for message, username in rows
        ),
    )


def _without(address: str, reply: str) -> str:
    """What a mail server said, without the address, which it often repeats."""
    if not address:
        return reply
    return re.sub(re.escape(address), masked(address), reply, flags=re.IGNORECASE)
