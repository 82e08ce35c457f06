"""Campaigns as HTML: cards with a bar that shows how far each is, and the tables of their messages."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards import times
from podium.dashboards.mail_words import (
    MESSAGE_WORDS,
    approval_words,
    left_out_words,
    people,
    progress_words,
    status_words,
)
from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.scores import MISSING
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import CampaignRecord, MessagePreview, OutboxLine

_MARKS = {
    CampaignStatus.DRAFT: "✎",
    CampaignStatus.PROPOSED: "?",
    CampaignStatus.APPROVED: "…",
    CampaignStatus.SENDING: "●",
    CampaignStatus.PAUSED: "‖",
    CampaignStatus.SENT: "✓",
    CampaignStatus.CANCELLED: "✕",
}


def campaign_cards(campaigns: Sequence[CampaignRecord]) -> Html:
    """Campaigns, the latest first."""
    cards = (element("li", campaign_card(one), class_=one.status) for one in campaigns)
    return element("ol", *cards, class_="podium-reruns podium-campaigns")


def campaign_card(campaign: CampaignRecord) -> Html:
    """A campaign: what and to whom, and how far it is."""
    to = f"To {campaign.audience}" + (f": {people(campaign.total)}" if campaign.total else "")
    return join(
        element("h3", text(f"Campaign {campaign.number}: {campaign.subject}")),
        element("p", text(to), class_="reason"),
        element("p", _status(campaign), text(" "), text(status_words(campaign)), class_="podium-sentence"),
        progress_bar(campaign) if campaign.total else "",
        element("p", text(progress_words(campaign)), class_="far") if campaign.total else "",
        element("p", text("; ".join(_small(campaign))), class_="small"),
    )


def progress_bar(campaign: CampaignRecord) -> Html:
    """How far a campaign is: what was sent, failed, is unsettled and under way, out of all."""
    counts = (
        ("finished", campaign.count(MailStatus.SENT)),
        ("failed", campaign.count(MailStatus.FAILED)),
        ("given-up", campaign.count(MailStatus.UNSETTLED)),
        ("under-way", campaign.count(MailStatus.SENDING)),
    )
    total = max(campaign.total, 1)
    parts = [element("span", class_=kind, style=f"width:{100 * count / total:.2f}%") for kind, count in counts if count]
    ended = campaign.total - campaign.count(MailStatus.QUEUED, MailStatus.DEFERRED, MailStatus.SENDING)
    return element(
        "div",
        *parts,
        class_=f"podium-bar {campaign.status}",
        role="progressbar",
        aria_valuemin="0",
        aria_valuemax=str(campaign.total),
        aria_valuenow=str(ended),
        aria_label=f"Campaign {campaign.number}: {ended} of {campaign.total} done",
    )


def messages_table(rows: Sequence[OutboxLine]) -> Html:
    """The messages of a campaign, one for each recipient."""
    heads = ("Recipient", "Address", "Status", "Tries", "What the mail server said", "When (UTC)")
    lines = [
        (
            one.username,
            one.address or MISSING,
            MESSAGE_WORDS[one.status],
            str(one.attempts),
            one.reply or MISSING,
            _when(one),
        )
        for one in rows
    ]
    return scrolled_table("Messages", heads, lines)


def headers_table(preview: MessagePreview) -> Html:
    """The headers of a message that say something."""
    return scrolled_table("Headers", ("Header", "Says"), list(preview.headers.items()))


def _when(one: OutboxLine) -> str:
    if one.ended is not None:
        return times.stamp(one.ended)
    return f"again {times.stamp(one.due)}" if one.due is not None and one.attempts else MISSING


def _status(campaign: CampaignRecord) -> Html:
    mark = element("span", text(_MARKS[campaign.status]), class_="mark", aria_hidden="true")
    return element("span", mark, text(campaign.status), class_=f"podium-state {campaign.status}")


def _small(campaign: CampaignRecord) -> list[str]:
    parts = (
        f"written by {campaign.author} on {times.clock(campaign.created)}",
        approval_words(campaign),
        f"begun {times.clock(campaign.started)}" if campaign.started is not None else "",
        f"ended {times.clock(campaign.ended)}" if campaign.ended is not None else "",
        left_out_words(campaign.left_out).replace("Left", "left", 1).rstrip("."),
    )
    return [part for part in parts if part]
