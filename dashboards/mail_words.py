"""Campaigns in words: how far one is, what can be done with it, and what that would mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from podium.dashboards import times
from podium.dashboards.markup import sentence
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import CampaignRecord, RecipientCount

WRITABLE = frozenset({CampaignStatus.DRAFT, CampaignStatus.PROPOSED})
"""Where what a campaign says, and to whom it goes, may still change."""
STATUS_WORDS: Mapping[CampaignStatus, str] = MappingProxyType(
    {
        CampaignStatus.DRAFT: "Being written: nobody is chosen yet, and nothing is sent.",
        CampaignStatus.PROPOSED: "Waits for another organizer to approve it.",
        CampaignStatus.APPROVED: "What it says and who gets it is fixed. Nothing is sent yet.",
        CampaignStatus.SENDING: "Being sent.",
        CampaignStatus.PAUSED: "Paused: nothing more is sent until it is resumed.",
        CampaignStatus.SENT: "Nothing of it is left to be sent.",
        CampaignStatus.CANCELLED: "Cancelled: who has not got it never will.",
    }
)
MESSAGE_WORDS: Mapping[MailStatus, str] = MappingProxyType(
    {
        MailStatus.SENT: "sent",
        MailStatus.QUEUED: "queued",
        MailStatus.SENDING: "being sent",
        MailStatus.DEFERRED: "put off",
        MailStatus.FAILED: "failed",
        MailStatus.UNSETTLED: "unsettled",
        MailStatus.SUPPRESSED: "suppressed",
        MailStatus.CANCELLED: "cancelled",
    }
)
_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "unconfirmed": "whose address is not known to be theirs",
        "returned": "whose mail came back, or who complained",
        "opted out": "who want no such mail",
        "denied": "who may not take part",
    }
)


def status_words(campaign: CampaignRecord) -> str:
    """Where a campaign is: when it is sent, what the gateway says, else what the status means."""
    if campaign.status is CampaignStatus.APPROVED and campaign.scheduled is not None:
        return f"Is sent by itself on {times.clock(campaign.scheduled)}."
    if campaign.status in {CampaignStatus.PAUSED, CampaignStatus.SENDING} and campaign.status_message:
        return f"{STATUS_WORDS[campaign.status]} {sentence(campaign.status_message)}"
    return STATUS_WORDS[campaign.status]


def progress_words(campaign: CampaignRecord) -> str:
    """How far it is, such as `40 of 120 sent; 70 queued, 8 put off, 2 failed`; empty while nobody is chosen."""
    if not campaign.total:
        return ""
    rest = [
        f"{campaign.count(status):,} {word}"
        for status, word in MESSAGE_WORDS.items()
        if status is not MailStatus.SENT and campaign.count(status)
    ]
    done = f"{campaign.count(MailStatus.SENT):,} of {campaign.total:,} sent"
    return "; ".join(part for part in (done, ", ".join(rest)) if part)


def people(count: int) -> str:
    """So many people, in words."""
    return "1 person" if count == 1 else f"{count:,} people"


def left_out_words(left_out: Mapping[str, int]) -> str:
    """Who of the audience gets nothing, and why; empty where everyone gets it."""
    parts = [f"{number:,} {_REASONS.get(reason, reason)}" for reason, number in left_out.items() if number]
    return f"Left out: {', '.join(parts)}." if parts else ""


def count_words(count: RecipientCount) -> str:
    """To how many it would go now."""
    return f"It would go to {people(count.total)} now. {left_out_words(count.left_out)}".strip()


def approval_words(campaign: CampaignRecord) -> str:
    """Who has approved it, or has to."""
    if campaign.approved_by:
        return f"approved by {', '.join(campaign.approved_by)}"
    if campaign.needs_second and campaign.status in WRITABLE:
        return f"somebody else than {campaign.author} must approve it"
    return ""


def deeds_of(campaign: CampaignRecord, username: str) -> tuple[str, ...]:
    """What an organizer can do with a campaign now."""
    match campaign.status:
        case CampaignStatus.DRAFT:
            return ("approve", "cancel")
        case CampaignStatus.PROPOSED:
            may_approve = not campaign.needs_second or username != campaign.author
            return ("approve", "withdraw", "cancel") if may_approve else ("withdraw", "cancel")
        case CampaignStatus.APPROVED:
            return ("send", "withdraw", "cancel")
        case CampaignStatus.SENDING:
            return ("pause", "cancel")
        case CampaignStatus.PAUSED:
            return ("resume", "cancel")
        case CampaignStatus.SENT | CampaignStatus.CANCELLED:
            return ()


def is_first_of_two(campaign: CampaignRecord, username: str) -> bool:
    """Whether somebody else must approve it too when this organizer does."""
    return campaign.needs_second and username == campaign.author


def approving_words(campaign: CampaignRecord, username: str, count: RecipientCount | None, *, unsaved: bool) -> str:
    """What approving would do."""
    known = f" {count_words(count)}" if count is not None else ""
    lost = " What you have typed and not saved is not in it." if unsaved else ""
    if is_first_of_two(campaign, username):
        return (
            f"Propose campaign {campaign.number} as it is?{known}{lost} Another organizer must approve it before it "
            "can be sent."
        )
    return (
        f"Approve campaign {campaign.number} as it is?{known}{lost} What it says and who gets it is fixed then: "
        "whoever joins or submits later is not added. Nothing is sent yet."
    )


def sending_words(campaign: CampaignRecord) -> str:
    """What sending would do."""
    return (
        f"Send campaign {campaign.number}, “{campaign.subject}”, to {people(campaign.total)} now? "
        "It can be paused, but what was sent can't be taken back."
    )


def withdrawing_words(campaign: CampaignRecord) -> str:
    """What withdrawing would throw away."""
    lost = "its approvals, its list of recipients" if campaign.total else "its approvals"
    time = " and its time" if campaign.scheduled is not None else ""
    return f"Make campaign {campaign.number} a draft again? It loses {lost}{time}; nothing was sent."


def cancelling_words(campaign: CampaignRecord) -> str:
    """What cancelling would throw away."""
    waiting = campaign.count(MailStatus.QUEUED, MailStatus.DEFERRED)
    lost = "" if not waiting else f"It never gets to {people(waiting)}."
    sent = campaign.count(MailStatus.SENT)
    kept = f" What {people(sent)} got stays with them." if sent else ""
    return f"Cancel campaign {campaign.number} for good? {lost or 'Nothing of it is ever sent.'}{kept}"
