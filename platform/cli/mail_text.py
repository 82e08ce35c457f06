"""Campaigns in words."""

from __future__ import annotations

from collections.abc import Iterator

from podium.platform.cli.exit_codes import ExitCode
from podium.platform.cli.listings import shown_time
from podium.platform.cli.terminal import printable
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.records.mail import CampaignRecord, RecipientCount

_WORDS = {
    MailStatus.DEFERRED: "put off",
    MailStatus.FAILED: "refused",
    MailStatus.UNSETTLED: "unsettled",
    MailStatus.SUPPRESSED: "not wanted",
    MailStatus.CANCELLED: "cancelled",
}


def campaign_text(campaign: CampaignRecord) -> Iterator[str]:
    """A campaign, in lines."""
    yield printable(f"Campaign {campaign.number} of {campaign.competition}, by {campaign.author}: {campaign.subject}")
    yield printable(f"  to       {campaign.audience}")
    yield f"  status   {printable(progress_text(campaign))}"
    if campaign.scheduled is not None and campaign.status is CampaignStatus.APPROVED:
        yield f"  time     {shown_time(campaign.scheduled)}"
    if campaign.approved_by:
        yield printable(f"  approved {', '.join(campaign.approved_by)}")
    yield from (printable(f"  not      {line}") for line in left_out_text(campaign.left_out))
    yield f"  created  {shown_time(campaign.created)}"
    if campaign.ended is not None:
        yield f"  ended    {shown_time(campaign.ended)}"
    yield from (f"  next     {line}" for line in _next_steps(campaign))


def progress_text(campaign: CampaignRecord) -> str:
    """Where a campaign is, in a line."""
    parts = [campaign.status.value]
    if campaign.total:
        parts.append(f"{campaign.count(MailStatus.SENT):,} of {campaign.total:,} sent")
    parts += [f"{campaign.count(status):,} {word}" for status, word in _WORDS.items() if campaign.count(status)]
    text = ", ".join(parts)
    return f"{text}: {campaign.status_message}" if campaign.status_message else text


def count_text(count: RecipientCount) -> Iterator[str]:
    """How many people there are, in lines."""
    yield "1 recipient" if count.total == 1 else f"{count.total:,} recipients"
    yield from (f"  not      {line}" for line in left_out_text(count.left_out))


def left_out_text(left_out: dict[str, int]) -> Iterator[str]:
    """Who is left out, in lines."""
    meanings = {
        "unconfirmed": "whose address is not known to be theirs",
        "returned": "whose mail came back, or who complained",
        "opted out": "who want no such mail",
        "denied": "who may not take part",
    }
    yield from (f"{number:,} {meanings.get(reason, reason)}" for reason, number in left_out.items())


def _next_steps(campaign: CampaignRecord) -> Iterator[str]:
    which = f"{campaign.competition} {campaign.number}"
    match campaign.status:
        case CampaignStatus.DRAFT:
            yield f"see it: podium mail preview {which}, or in your own mail: podium mail test {which}"
            yield f"approve it: podium mail approve {which}"
        case CampaignStatus.PROPOSED:
            yield f"another organizer: podium mail approve {which}"
        case CampaignStatus.APPROVED:
            yield f"send it: podium mail send {which}, or later: podium mail schedule {which} WHEN"
            yield f"or write it anew: podium mail withdraw {which}"
        case CampaignStatus.SENDING:
            yield f"follow: podium mail show {which} --watch"
        case CampaignStatus.PAUSED:
            yield f"go on: podium mail resume {which}"
        case _:
            pass
    if campaign.count(MailStatus.UNSETTLED):
        yield f"who may have it or not: podium mail outbox {which} --status unsettled"
        yield f"decide about them: podium mail settle {which} --as-sent, or --send-again"


def exit_code_for(campaign: CampaignRecord) -> ExitCode:
    """How a command that waited for a campaign ends: well where everything of it was sent."""
    return ExitCode.OK if campaign.status is CampaignStatus.SENT else ExitCode.JUDGED_BAD
