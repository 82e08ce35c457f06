"""How a campaign is sent, from its flow: begun, sent until nothing is due soon, and ended. Each may be done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from podium.platform.database import Database, notify
from podium.platform.events import campaign_topic
from podium.platform.lifecycle import WAITING_MAIL, CampaignStatus
from podium.platform.mail import digests, outbox
from podium.platform.mail.campaigns import pause_campaign, unsettled_text
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.letters import CampaignLetters, SingleLetters
from podium.platform.mail.links import MailLinks
from podium.platform.mail.queues import of_queue
from podium.platform.mail.sender import Ended, Sender
from podium.platform.models import MailCampaign, MailRound, OutboxMessage, now
from podium.platform.settings import ServerSettings
from podium.platform.transitions import move_campaign

ACTOR = "flow:send-mass-email"
HALTED = timedelta(minutes=5)
"""How long nothing is tried outside of campaigns after the mail server has taken nothing."""


def links_of(settings: ServerSettings) -> MailLinks:
    """The addresses that stand in mail."""
    return MailLinks(settings.secret_key.get_secret_value(), settings.public_url, settings.pages_url)


def begin_campaign(session: Session, campaign_id: UUID) -> bool:
    """Begin, or go on; tell whether there is anything to do."""
    campaign = lock_campaign(session, campaign_id)
    if campaign is None or campaign.status is not CampaignStatus.SENDING:
        return False
    campaign.started = campaign.started or now()
    return True


def lock_campaign(session: Session, campaign_id: UUID) -> MailCampaign | None:
    """The campaign, locked, as it is now."""
    return session.get(MailCampaign, campaign_id, with_for_update={"of": MailCampaign}, populate_existing=True)


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends one campaign, or what waits outside of all; tell it when to stop.

    Attributes:
        leaves: Whether whoever runs this has to end.
    """

    database: Database
    configuration: MailConfiguration
    links: MailLinks
    leaves: Callable[[], bool] = lambda: False

    def campaign(self, campaign_id: UUID) -> Ended:
        """Send a campaign until nothing of it is due soon, or it is paused or cancelled."""
        with self.database.session() as session:
            campaign = session.get_one(MailCampaign, campaign_id)
            letters = CampaignLetters(campaign, self.configuration, self.links)

        def may_go_on() -> bool:
            with self.database.session() as session:
                status = session.scalar(select(MailCampaign.status).where(MailCampaign.id == campaign_id))
            return status is CampaignStatus.SENDING and not self.leaves()

        def on_progress(trouble: str) -> None:
            with self.database.session() as session:
                tell_progress(session, campaign_id, trouble)

        sender = Sender(
            self.database,
            self.configuration,
            campaign_id,
            letters,
            may_go_on=may_go_on,
            on_progress=on_progress,
        )
        return sender.run()

    def singles(self) -> Ended:
        """Send what waits outside of campaigns."""
        letters = SingleLetters(self.configuration, self.links)
        sender = Sender(self.database, self.configuration, None, letters, may_go_on=lambda: not self.leaves())
        return sender.run()


def tell_progress(session: Session, campaign_id: UUID, trouble: str) -> None:
    """Tell watchers that a campaign has come further, or why it does not."""
    session.execute(
        update(MailCampaign)
        .where(MailCampaign.id == campaign_id, MailCampaign.status == CampaignStatus.SENDING)
        .values(status_message=trouble, version=MailCampaign.version + 1)
    )
    notify(session, campaign_topic(campaign_id))


def end_campaign(session: Session, campaign_id: UUID, ended: Ended, flow_run_id: UUID | None) -> MailCampaign | None:
    """End a campaign of which nothing is left; else say when it goes on. Its flow is another one then.

    Args:
        flow_run_id: Of the flow that has sent it.
    """
    campaign = lock_campaign(session, campaign_id)
    if campaign is not None and campaign.status is CampaignStatus.CANCELLED:
        # What was marked to come next is given back after a campaign was cancelled.
        outbox.cancel_waiting(session, campaign_id)
    if campaign is None or campaign.status is not CampaignStatus.SENDING:
        return campaign
    if ended.halted:
        pause_campaign(session, campaign, actor=ACTOR, reason=ended.halted)
        return campaign
    left = outbox.what_is_left(session, campaign_id)
    if left.due is None and not left.sending:
        move_campaign(session, campaign, CampaignStatus.SENT, actor=ACTOR, reason=unsettled_text(session, campaign_id))
    elif flow_run_id is None or campaign.flow_run_id == flow_run_id:
        campaign.due = max(filter(None, (ended.due, left.due)), default=now())
        campaign.flow_run_id = None
        if left.due is not None and left.due > now():
            campaign.status_message = f"The mail server has put some off; they are tried again at {_clock(left.due)}."
        campaign.version += 1
        notify(session, campaign_topic(campaign_id))
    return campaign


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"


def gather_digests(database: Database, hour: int) -> None:
    """Make all digests that are due, some people's in each transaction."""
    made = 1
    while made:
        with database.session() as session:
            made = digests.gather(session, hour)


def end_round(session: Session, round_id: UUID, ended: Ended) -> None:
    """End a round; the next one begins when something is due again: not at once, where nothing can be sent now."""
    later = now() + HALTED if ended.halted else ended.due if ended.unreachable else None
    if later is not None:
        session.execute(
            update(OutboxMessage)
            .where(of_queue(None), OutboxMessage.status.in_(WAITING_MAIL), OutboxMessage.due < later)
            .values(due=later)
            .execution_options(synchronize_session=False)
        )
    session.execute(update(MailRound).where(MailRound.id == round_id, MailRound.ended.is_(None)).values(ended=now()))
