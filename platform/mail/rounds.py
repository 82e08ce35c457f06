"""When mail needs a flow: campaigns whose time has come, and rounds for what waits outside of campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.identifiers import new_id
from podium.platform.lifecycle import WAITING_MAIL, CampaignStatus, MailStatus
from podium.platform.mail.campaigns import send_campaign
from podium.platform.models import MailCampaign, MailRound, OutboxMessage, now


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
