"""What organizers do with a campaign: write, approve, schedule, send, pause, resume and cancel it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.errors import Conflict, InvalidInput
from podium.platform.events import campaign_topic, pool_topic, record_event
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.audience import Audience
from podium.platform.mail.recipients import Count, chosen_people, freeze
from podium.platform.mail.wording import wording
from podium.platform.models import Competition, MailApproval, MailCampaign, OutboxMessage, Person, now
from podium.platform.numbered import find_numbered, next_number
from podium.platform.orchestration import PLATFORM_POOL
from podium.platform.transitions import move_campaign

_WRITABLE = frozenset({CampaignStatus.DRAFT, CampaignStatus.PROPOSED})


def draft_campaign(
    session: Session,
    competition: Competition,
    author_id: UUID,
    *,
    audience: Audience,
    subject: str,
    body: str,
    actor: str,
) -> MailCampaign:
    """Begin a campaign. Nothing is sent, and nobody is chosen yet.

    Raises:
        InvalidInput: Something in it can't be sent, or the audience makes no sense.
        NotFound: The audience has a phase, or somebody, that is not there.
    """
    wording(subject, body)
    chosen_people(session, competition, audience)
    campaign = MailCampaign(
        competition=competition,
        number=next_number(session, MailCampaign, competition),
        author_id=author_id,
        audience=audience.stored(),
        subject=subject.strip(),
        body=body,
    )
    session.add(campaign)
    session.flush()
    record_event(
        session,
        subject="campaign",
        subject_id=campaign.id,
        before=None,
        after=CampaignStatus.DRAFT,
        actor=actor,
        reason=f"To {audience.in_words()}: {campaign.subject}",
        name=str(campaign.number),
    )
    return campaign


def find_campaign(session: Session, competition: Competition, number: int, *, lock: bool = False) -> MailCampaign:
    """A competition's campaign by its number.

    Raises:
        NotFound: There is none.
    """
    return find_numbered(
        session, MailCampaign, competition, number, lock=lock, word="campaign", listed="podium mail list"
    )


def change_campaign(
    session: Session,
    campaign: MailCampaign,
    author_id: UUID,
    *,
    audience: Audience | None = None,
    subject: str | None = None,
    body: str | None = None,
    seen: int | None = None,
    actor: str,
) -> None:
    """Write something else; whoever does so is its author from now on, and what was approved is approved no more.

    Args:
        seen: The version that whoever writes has read; `None` to write over any.

    Raises:
        InvalidInput, NotFound: As for `draft_campaign`.
        Conflict: It is approved, or has changed since it was read.
    """
    _require_writable(campaign)
    if seen is not None:
        _require_seen(campaign, seen)
    wording(campaign.subject if subject is None else subject, campaign.body if body is None else body)
    if audience is not None:
        chosen_people(session, campaign.competition, audience)
        campaign.audience = audience.stored()
    campaign.subject = campaign.subject if subject is None else subject.strip()
    campaign.body = campaign.body if body is None else body
    campaign.author_id = author_id
    campaign.version += 1
    session.execute(delete(MailApproval).where(MailApproval.campaign_id == campaign.id))
    session.flush()
    if campaign.status is CampaignStatus.PROPOSED:
        move_campaign(session, campaign, CampaignStatus.DRAFT, actor=actor, reason="Changed.")
    else:
        record_event(
            session,
            subject="campaign",
            subject_id=campaign.id,
            before=CampaignStatus.DRAFT,
            after=CampaignStatus.DRAFT,
            actor=actor,
            reason=f"To {Audience.of(campaign.audience).in_words()}: {campaign.subject}",
            name=str(campaign.number),
        )
    notify(session, campaign_topic(campaign.id))


def _require_writable(campaign: MailCampaign) -> None:
    if campaign.status not in _WRITABLE:
        raise Conflict(
            f"Campaign {campaign.number} is {campaign.status}: what it says is fixed.",
            remedy="Withdraw it first: `podium mail withdraw`."
            if campaign.status is CampaignStatus.APPROVED
            else "Write another one.",
        )


def _require_seen(campaign: MailCampaign, seen: int) -> None:
    if campaign.version != seen:
        raise Conflict(f"Campaign {campaign.number} has changed since you read it.", remedy="Read it again.")


def approve_campaign(
    session: Session, campaign: MailCampaign, person_id: UUID, *, seen: int, needs_second: bool, actor: str
) -> None:
    """Approve a campaign as it is. With the last approval that it needs, its recipients are fixed.

    Args:
        seen: The version that whoever approves has seen.
        needs_second: Whether somebody else than its author must approve it.

    Raises:
        Conflict: It has changed since, or is approved already, or would go to nobody.
    """
    if campaign.status not in _WRITABLE:
        raise Conflict(f"Campaign {campaign.number} is {campaign.status} already.")
    _require_seen(campaign, seen)
    if session.get(MailApproval, (campaign.id, person_id)) is None:
        session.add(MailApproval(campaign_id=campaign.id, person_id=person_id))
        session.flush()
    session.refresh(campaign, ["approvals"])
    if needs_second and all(one.person_id == campaign.author_id for one in campaign.approvals):
        if campaign.status is CampaignStatus.DRAFT:
            reason = "Another organizer must approve it."
            move_campaign(session, campaign, CampaignStatus.PROPOSED, actor=actor, reason=reason)
        return
    count = freeze(session, campaign)
    if not count.total:
        raise Conflict(f"Campaign {campaign.number} would go to nobody.{_left_out(count)}")
    move_campaign(
        session,
        campaign,
        CampaignStatus.APPROVED,
        actor=actor,
        frozen=now(),
        total=count.total,
        left_out=count.left_out,
    )


def _left_out(count: Count) -> str:
    reasons = ", ".join(f"{number} {reason}" for reason, number in count.left_out.items())
    return f" Left out: {reasons}." if reasons else ""


def withdraw_campaign(session: Session, campaign: MailCampaign, *, actor: str) -> None:
    """Make it a draft again: its recipients are not fixed any more. Saying it again changes nothing.

    Raises:
        IllegalTransition: Something of it was sent, or it was cancelled.
    """
    if campaign.status is CampaignStatus.DRAFT:
        return
    move_campaign(
        session,
        campaign,
        CampaignStatus.DRAFT,
        actor=actor,
        reason="Withdrawn.",
        frozen=None,
        total=0,
        left_out={},
        scheduled=None,
    )
    session.execute(delete(OutboxMessage).where(OutboxMessage.campaign_id == campaign.id))
    session.execute(delete(MailApproval).where(MailApproval.campaign_id == campaign.id))


def schedule_campaign(session: Session, campaign: MailCampaign, when: datetime | None, *, actor: str) -> None:
    """Send it at some time; `None` for when somebody says so.

    Raises:
        Conflict: It is not approved, or is being sent.
        InvalidInput: The time is over.
    """
    if campaign.status is not CampaignStatus.APPROVED:
        raise Conflict(
            f"Campaign {campaign.number} is {campaign.status}; only one that is approved, and not sent, has a time.",
            remedy="Approve it first." if campaign.status in _WRITABLE else "",
        )
    if when is not None and when <= now():
        raise InvalidInput("This time is over.", remedy="Give one to come, or send it now with `podium mail send`.")
    before, campaign.scheduled = campaign.scheduled, when
    campaign.version += 1
    record_event(
        session,
        subject="campaign",
        subject_id=campaign.id,
        before=f"{before:%Y-%m-%d %H:%M}" if before else "no time",
        after=f"{when:%Y-%m-%d %H:%M}" if when else "no time",
        actor=actor,
        name=str(campaign.number),
    )
    notify(session, campaign_topic(campaign.id))


def send_campaign(session: Session, campaign: MailCampaign, *, actor: str, reason: str = "") -> None:
    """Send it, now. Saying it again changes nothing.

    Raises:
        Conflict: It is not approved, or over.
    """
    if campaign.status is not CampaignStatus.SENDING:
        if campaign.status is not CampaignStatus.APPROVED:
            raise Conflict(
                f"Campaign {campaign.number} is {campaign.status}; only one that is approved can be sent.",
                remedy=_WAYS.get(campaign.status, ""),
            )
        _go_on(session, campaign, actor=actor, reason=reason)


def pause_campaign(session: Session, campaign: MailCampaign, *, actor: str, reason: str = "Paused.") -> None:
    """Send nothing more until it is resumed; what a mail server gets at this moment, it gets. Idempotent.

    Raises:
        IllegalTransition: It is not being sent.
    """
    if campaign.status is not CampaignStatus.PAUSED:
        move_campaign(session, campaign, CampaignStatus.PAUSED, actor=actor, reason=reason, flow_run_id=None)
        outbox.release(session, campaign.id)


def resume_campaign(session: Session, campaign: MailCampaign, *, actor: str) -> None:
    """Go on with a campaign that is paused. Saying it again changes nothing.

    Raises:
        Conflict: It is not paused.
    """
    if campaign.status is not CampaignStatus.SENDING:
        _require_paused(campaign)
        _go_on(session, campaign, actor=actor, reason="Resumed.")


def _require_paused(campaign: MailCampaign) -> None:
    if campaign.status is not CampaignStatus.PAUSED:
        raise Conflict(f"Campaign {campaign.number} is {campaign.status}, not paused.")


_WAYS = {
    CampaignStatus.DRAFT: "Approve it first: `podium mail approve`.",
    CampaignStatus.PROPOSED: "Another organizer must approve it: `podium mail approve`.",
    CampaignStatus.PAUSED: "Go on with it: `podium mail resume`.",
}


def _go_on(session: Session, campaign: MailCampaign, *, actor: str, reason: str) -> None:
    move_campaign(
        session,
        campaign,
        CampaignStatus.SENDING,
        actor=actor,
        reason=reason,
        due=now(),
        flow_run_id=None,
    )
    notify(session, pool_topic(PLATFORM_POOL))


def cancel_campaign(session: Session, campaign: MailCampaign, *, actor: str) -> None:
    """Whoever has not got it never will; what a mail server gets at this moment, it gets. Idempotent.

    Raises:
        IllegalTransition: All of it was sent.
    """
    if campaign.status is CampaignStatus.CANCELLED:
        return
    move_campaign(session, campaign, CampaignStatus.CANCELLED, actor=actor, reason="Cancelled.")
    outbox.release(session, campaign.id)
    outbox.cancel_waiting(session, campaign.id)


def settle_campaign(
    session: Session, campaign: MailCampaign, usernames: tuple[str, ...], *, send_again: bool, actor: str
) -> int:
    """Decide about messages that may have arrived or not: they count as sent, or are sent again. Return how many.

    Args:
        usernames: Those to these people; all of them, without any.

    Raises:
        Conflict: It was cancelled, or there are none.
    """
    if campaign.status is CampaignStatus.CANCELLED and send_again:
        raise Conflict(f"Campaign {campaign.number} was cancelled.")
    those = [OutboxMessage.campaign_id == campaign.id, OutboxMessage.status == MailStatus.UNSETTLED]
    if usernames:
        named = select(Person.id).where(func.lower(Person.username).in_([name.lower() for name in usernames]))
        those.append(OutboxMessage.person_id.in_(named))
    after = MailStatus.QUEUED if send_again else MailStatus.SENT
    changed = session.execute(
        update(OutboxMessage)
        .where(*those)
        .values(
            status=after,
            handed=None,
            claim_id=None,
            due=now(),
            ended=None if send_again else now(),
            reply="An organizer had it sent again." if send_again else "An organizer took it for sent.",
        )
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not changed:
        raise Conflict(f"Campaign {campaign.number} has no such message that is unsettled.")
    record_event(
        session,
        subject="campaign",
        subject_id=campaign.id,
        before=MailStatus.UNSETTLED,
        after=after,
        actor=actor,
        reason=f"{len(changed)} messages",
        name=str(campaign.number),
    )
    if send_again and campaign.status is CampaignStatus.SENT:
        _go_on(session, campaign, actor=actor, reason="Unsettled messages are sent again.")
    else:
        if campaign.status is CampaignStatus.SENT:
            campaign.status_message = unsettled_text(session, campaign.id)
        campaign.version += 1
        notify(session, campaign_topic(campaign.id))
    return len(changed)


def unsettled_text(session: Session, campaign_id: UUID) -> str:
    """What is said of a campaign that is sent, where some messages may have arrived or not."""
    number = outbox.counts(session, campaign_id).get(MailStatus.UNSETTLED, 0)
    if not number:
        return ""
    they = "1 message" if number == 1 else f"{number} messages"
    return f"{they} may have arrived or not: `podium mail settle` decides."
