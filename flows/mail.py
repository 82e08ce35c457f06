"""`send-mass-email` and `deliver-mail`: each recipient gets a message once, whatever dies meanwhile."""

from __future__ import annotations

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.orchestration import DELIVER_MAIL, SEND_MASS_EMAIL
from podium.tasks.mail import begin_campaign, deliver_waiting, end_campaign, end_round, send_campaign
from podium.tasks.platform_services import platform_services


@flow(name=SEND_MASS_EMAIL)
def send_mass_email(campaign_id: UUID) -> State[None]:
    """Send a campaign. It may be killed at any point, and begun again."""
    with platform_services(SEND_MASS_EMAIL) as services:
        if not begin_campaign(services, campaign_id):
            return Completed(name="Skipped", message="There is nothing to do: it is paused, over, or gone.")
        ended = send_campaign(services, campaign_id)
        return Completed(message=end_campaign(services, campaign_id, ended))


@flow(name=DELIVER_MAIL)
def deliver_mail(round_id: UUID) -> State[None]:
    """Make digests that are due, and send what waits outside of campaigns. It may be killed, and begun again."""
    with platform_services(DELIVER_MAIL) as services:
        ended = deliver_waiting(services)
        end_round(services, round_id, ended)
        return Completed(message=ended.halted or "Everything that was due was sent, or put off.")
