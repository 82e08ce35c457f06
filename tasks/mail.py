"""The steps of `send-mass-email` and `deliver-mail`, and the report of a campaign in Prefect's pages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from sqlalchemy.orm import Session

from podium.platform.errors import Conflict, InvalidInput
from podium.platform.lifecycle import MailStatus
from podium.platform.mail import driving, outbox
from podium.platform.mail.audience import Audience
from podium.platform.mail.configuration import require_mail
from podium.platform.mail.driving import Sending, links_of
from podium.platform.mail.sender import Ended
from podium.platform.models import MailCampaign
from podium.tasks.platform_services import PlatformServices
from podium.tasks.workplace import AGENT_LEAVES

logger = logging.getLogger(__name__)
_WORDS = {
    MailStatus.SENT: "taken by the mail server",
    MailStatus.QUEUED: "waiting",
    MailStatus.SENDING: "being sent",
    MailStatus.DEFERRED: "put off by the mail server, to be tried again",
    MailStatus.FAILED: "refused",
    MailStatus.UNSETTLED: "which may have arrived or not",
    MailStatus.SUPPRESSED: "not sent: opted out, denied, or unreachable since",
    MailStatus.CANCELLED: "cancelled",
}


def begin_campaign(services: PlatformServices, campaign_id: UUID) -> bool:
    """Begin, or go on; tell whether there is anything to do."""
    with services.database.session() as session:
        return driving.begin_campaign(session, campaign_id)


@task(task_run_name="send campaign {campaign_id}", cache_policy=NO_CACHE)
def send_campaign(services: PlatformServices, campaign_id: UUID) -> Ended:
    """Send a campaign until nothing of it is due soon, or it is paused or cancelled, or this agent has to end."""
    sending = _sending(services)
    return sending.campaign(campaign_id) if isinstance(sending, Sending) else sending


@task(task_run_name="deliver what waits", cache_policy=NO_CACHE)
def deliver_waiting(services: PlatformServices) -> Ended:
    """Make the digests that are due, and send what waits outside of campaigns."""
    driving.gather_digests(services.database, services.settings.mail_digest_hour)
    sending = _sending(services)
    return sending.singles() if isinstance(sending, Sending) else sending


def _sending(services: PlatformServices) -> Sending | Ended:
    """What sends; or why nothing can be sent."""
    try:
        configuration = require_mail(services.settings)
    except (Conflict, InvalidInput) as error:
        return Ended(halted=str(error))
    return Sending(services.database, configuration, links_of(services.settings), AGENT_LEAVES.is_set)


@task(cache_policy=NO_CACHE)
def end_campaign(services: PlatformServices, campaign_id: UUID, ended: Ended) -> str:
    """End a campaign of which nothing is left; return how far it is."""
    context = FlowRunContext.get()
    flow_run_id = context.flow_run.id if context is not None and context.flow_run is not None else None
    with services.database.session() as session:
        campaign = driving.end_campaign(session, campaign_id, ended, flow_run_id)
        if campaign is None:
            return "It is gone."
        _publish(session, campaign)
        return f"{campaign.status}. {campaign.status_message}".strip()


def end_round(services: PlatformServices, round_id: UUID, ended: Ended) -> None:
    """End a round of mail."""
    with services.database.session() as session:
        driving.end_round(session, round_id, ended)


def _publish(session: Session, campaign: MailCampaign) -> None:
    """Show the report in Prefect's pages."""
    slug = campaign.competition.slug
    try:
        create_markdown_artifact(
            key=f"mail-{slug}-{campaign.number}",
            markdown=report_in_markdown(campaign, outbox.counts(session, campaign.id)),
            description=f"Campaign {campaign.number} of {slug}",
        )
    except Exception:  # whatever Prefect has against it, the messages are sent
        logger.exception("the report of campaign %s of %s was not shown in Prefect", campaign.number, slug)


def report_in_markdown(campaign: MailCampaign, counts: Mapping[MailStatus, int]) -> str:
    """The report as Prefect's pages show it: numbers, no names. That database is the operators'."""
    lines = [
        f"# Campaign {campaign.number} of {campaign.competition.slug}",
        "",
        f"{campaign.status.capitalize()}. {' '.join(campaign.status_message.split())}",
        "",
        f"* to {_audience(Audience.of(campaign.audience))}: {campaign.total} recipients",
        *(f"* {number} left out: {reason}" for reason, number in campaign.left_out.items()),
        "",
        "| messages | |",
        "| ---: | --- |",
        *(f"| {counts[status]} | {words} |" for status, words in _WORDS.items() if counts.get(status)),
    ]
    return "\n".join(lines)


def _audience(audience: Audience) -> str:
    """To whom it goes, without names."""
    return "people who are named" if audience.usernames else " ".join(audience.in_words().split()).replace("|", "/")
