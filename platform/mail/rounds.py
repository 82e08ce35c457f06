"""When mail needs a flow: campaigns whose time has come, and rounds for what waits outside of campaigns.

And what is seen to without one: messages that a sender left behind in a campaign that nobody sends any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.events import campaign_topic
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import WAITING_MAIL, CampaignStatus, MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.campaigns import send_campaign
from podium.platform.models import MailCampaign, MailRound, OutboxMessage, now

ABANDONED = timedelta(hours=1)
"""How long after it was claimed no sender can still have a message: mail servers are not waited for as long."""


def due_campaigns(session: Session) -> Sequence[UUID]:
    """Campaigns without a flow that are to be begun, or go on, now; those that wait longest first."""
    moment = now()
    goes_on = (MailCampaign.status == CampaignStatus.SENDING) & (MailCampaign.due <= moment)
    begins = (MailCampaign.status == CampaignStatus.APPROVED) & (MailCampaign.scheduled <= moment)
    return session.scalars(
        select(MailCampaign.id)
        .where(MailCampaign.ended.is_(None), MailCampaign.flow_run_id.is_(None), or_(goes_on, begins))
        .order_by(MailCampaign.due.nulls_last(), MailCampaign.id)
    ).all()


def send_on_time(session: Session, campaign: MailCampaign) -> None:
    """Send a campaign whose time has come; its row is locked."""
    is_due = campaign.scheduled is not None and campaign.scheduled <= now()
    if campaign.status is CampaignStatus.APPROVED and is_due:
        send_campaign(session, campaign, actor="gateway", reason="Its time has come.")


def begin_round(session: Session) -> Sequence[UUID]:
    """The round that has no flow; one is begun where something is due, or was left behind, and there is none."""
    open_one = select(MailRound.id, MailRound.flow_run_id).where(MailRound.ended.is_(None))
    found = session.execute(open_one).first()
    if found is None and session.scalar(select(exists().where(*_singly_due()))):
        session.execute(insert(MailRound).values(id=new_id(), created=now(), dispatches=0).on_conflict_do_nothing())
        found = session.execute(open_one).first()
    return [found.id] if found is not None and found.flow_run_id is None else []


def _singly_due() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    waits = OutboxMessage.status.in_(WAITING_MAIL) & (OutboxMessage.due <= now())
    return OutboxMessage.campaign_id.is_(None), or_(waits, OutboxMessage.status == MailStatus.SENDING)


def settle_abandoned(session: Session) -> int:
    """Settle what dead senders have left in campaigns that are cancelled or paused; return how many may have arrived.

    Of a campaign that goes on, its next sender does so.
    """
    left = session.scalars(
        select(MailCampaign)
        .where(
            MailCampaign.status.in_((CampaignStatus.CANCELLED, CampaignStatus.PAUSED)),
            exists().where(
                OutboxMessage.campaign_id == MailCampaign.id,
                OutboxMessage.status == MailStatus.SENDING,
                OutboxMessage.claimed < now() - ABANDONED,
            ),
        )
        .with_for_update(of=MailCampaign, skip_locked=True)
    ).all()
    unsettled = 0
    for campaign in left:
        unsettled += outbox.settle_left(session, campaign.id)
        if campaign.status is CampaignStatus.CANCELLED:
            outbox.cancel_waiting(session, campaign.id)
        campaign.version += 1
        notify(session, campaign_topic(campaign.id))
    return unsettled
