"""What organizers do with a campaign by a button."""

from __future__ import annotations

from podium.dashboards.deeds import Deed
from podium.dashboards.mail_form import count_now
from podium.dashboards.mail_words import (
    approving_words,
    cancelling_words,
    deeds_of,
    is_first_of_two,
    sending_words,
    withdrawing_words,
)
from podium.dashboards.session import Viewer
from podium.platform.records.mail import CampaignRecord


def deeds(slug: str, campaign: CampaignRecord, who: Viewer, *, unsaved: bool) -> list[Deed]:
    """What can be done with a campaign now; `unsaved` says whether something else was typed meanwhile."""
    made = {
        "approve": lambda: _approve(slug, campaign, who, unsaved=unsaved),
        "send": lambda: _send(slug, campaign, who),
        "pause": lambda: _pause(slug, campaign, who),
        "resume": lambda: _resume(slug, campaign, who),
        "withdraw": lambda: _withdraw(slug, campaign, who),
        "cancel": lambda: _cancel(slug, campaign, who),
    }
    return [made[name]() for name in deeds_of(campaign, who.username)]


def _approve(slug: str, campaign: CampaignRecord, who: Viewer, *, unsaved: bool) -> Deed:
    number, version = campaign.number, campaign.version
    is_first = is_first_of_two(campaign, who.username)
    return Deed(
        "approve",
        "Propose" if is_first else "Approve",
        ":material/how_to_reg:",
        # As it was read: what somebody else has changed since is not approved.
        lambda: who.patient_gateway.approve_campaign(slug, number, version=version),
        "It is proposed: another organizer must approve it." if is_first else f"Campaign {number} is approved.",
        question=approving_words(
            campaign, who.username, count_now(slug, campaign.question, who).value, unsaved=unsaved
        ),
        yes=f"{'Propose' if is_first else 'Approve'} campaign {number}",
        is_primary=True,
    )


def _send(slug: str, campaign: CampaignRecord, who: Viewer) -> Deed:
    return Deed(
        "send",
        "Send",
        ":material/send:",
        lambda: who.patient_gateway.send_campaign(slug, campaign.number),
        f"Campaign {campaign.number} is being sent.",
        question=sending_words(campaign),
        yes=f"Send campaign {campaign.number} now",
        is_primary=True,
    )


def _pause(slug: str, campaign: CampaignRecord, who: Viewer) -> Deed:
    return Deed(
        "pause",
        "Pause",
        ":material/pause:",
        lambda: who.patient_gateway.pause_campaign(slug, campaign.number),
        f"Campaign {campaign.number} is paused.",
    )


def _resume(slug: str, campaign: CampaignRecord, who: Viewer) -> Deed:
    return Deed(
        "resume",
        "Resume",
        ":material/play_arrow:",
        lambda: who.patient_gateway.resume_campaign(slug, campaign.number),
        f"Campaign {campaign.number} goes on.",
        is_primary=True,
    )


def _withdraw(slug: str, campaign: CampaignRecord, who: Viewer) -> Deed:
    return Deed(
        "withdraw",
        "Make it a draft again",
        ":material/undo:",
        lambda: who.patient_gateway.withdraw_campaign(slug, campaign.number),
        f"Campaign {campaign.number} is a draft again.",
        question=withdrawing_words(campaign),
        yes=f"Make campaign {campaign.number} a draft",
    )


def _cancel(slug: str, campaign: CampaignRecord, who: Viewer) -> Deed:
    return Deed(
        "cancel",
        "Cancel",
        ":material/cancel:",
        lambda: who.patient_gateway.cancel_campaign(slug, campaign.number),
        f"Campaign {campaign.number} is cancelled.",
        question=cancelling_words(campaign),
        yes=f"Cancel campaign {campaign.number}",
    )
