"""A campaign as a form has it, and as the gateway wants it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from podium.dashboards.selection import phase_reference
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.mail import AudienceRecord, CampaignRecord

WHO = {"participants": "Participants", "organizers": "The organizers", "people": "People by name"}
STATUSES = {"approved": "Who may take part", "pending": "Who waits to be approved", "all": "Both"}
SUBMITTED = {"any": "Whether they submitted or not", "with": "With a submission", "without": "Without a submission"}
EVERY_PHASE = 0
_ANSWERS = {"any": None, "with": True, "without": False}
_BETWEEN = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """What stands in the boxes of the form.

    Attributes:
        phase: Its number; `EVERY_PHASE` for none.
        names: Usernames, with spaces, commas or line ends between.
    """

    subject: str = ""
    body: str = ""
    who: str = "participants"
    status: str = "approved"
    submitted: str = "any"
    failed: bool = False
    top: int | None = None
    phase: int = EVERY_PHASE
    names: str = ""


def wish_of(campaign: CampaignRecord, phases: Sequence[PhaseRecord]) -> Wish:
    """A campaign as the form first shows it."""
    asked = campaign.question
    return Wish(
        subject=campaign.subject,
        body=campaign.body,
        who=asked.who,
        status=asked.status or "all",
        submitted=next(word for word, answer in _ANSWERS.items() if answer is asked.submitted),
        failed=asked.failed,
        top=asked.top,
        phase=_number(asked.phase, phases),
        names="\n".join(asked.usernames),
    )


def audience_of(wish: Wish, phases: Sequence[PhaseRecord]) -> AudienceRecord:
    """To whom it is to go. What stands in boxes that the form does not show for this kind is left out."""
    if wish.who == "organizers":
        return AudienceRecord(who="organizers")
    if wish.who == "people":
        return AudienceRecord(who="people", usernames=named_in(wish.names))
    return AudienceRecord(
        status=None if wish.status == "all" else wish.status,
        phase=str(phase_reference(phases, wish.phase)) if wish.phase else None,
        submitted=_ANSWERS[wish.submitted],
        failed=wish.failed,
        top=wish.top,
    )


def named_in(words: str) -> tuple[str, ...]:
    """Usernames, each once."""
    return tuple(dict.fromkeys(filter(None, _BETWEEN.split(words))))


def _number(phase: str | None, phases: Sequence[PhaseRecord]) -> int:
    if phase is None:
        return EVERY_PHASE
    by_name = [one.number for one in phases if one.name.casefold() == phase.casefold()]
    by_number = [one.number for one in phases if str(one.number) == phase]
    return next(iter([*by_number, *by_name]), EVERY_PHASE)
