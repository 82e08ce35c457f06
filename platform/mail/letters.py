"""From rows of the outbox to messages: of a campaign, and of everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform.mail.addresses import mail_address
from podium.platform.mail.audience import Audience, Who
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.filling import common_values, own_values, phase_of
from podium.platform.mail.frame import frame
from podium.platform.mail.links import MailLinks, Subscription
from podium.platform.mail.messages import Letterhead, Stationery
from podium.platform.mail.outbox import Claimed
from podium.platform.mail.variables import VARIABLES, Variable
from podium.platform.mail.wording import Wording, Written, wording
from podium.platform.models import Competition, MailCampaign, MailKind, now

_PLATFORM = "Podium"
UNSTOPPABLE = frozenset({MailKind.TEST, MailKind.CONFIRMATION})
"""Nobody gets these but who asked for them."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready for the mail server.

    Attributes:
        attempts: How often it was tried before.
    """

    id: UUID
    to: str
    envelope_sender: str
    message: bytes
    attempts: int


class Letters(Protocol):
    """Makes messages of rows."""

    def written(self, session: Session, claimed: Sequence[Claimed]) -> Iterator[Letter]:
        """A message for each row."""


class CampaignLetters:
    """The messages of a campaign: what it says is read once.

    Raises:
        InvalidInput: It says something that can't be sent.
    """

    def __init__(self, campaign: MailCampaign, configuration: MailConfiguration, links: MailLinks) -> None:
        competition, phase = campaign.competition, phase_of(campaign)
        self._competition_id, self._phase_id = competition.id, phase.id
        self._configuration, self._links = configuration, links
        common = common_values(competition, phase, links)
        self._wording = campaign_wording(campaign, links).settled(common)
        self._stationery = Stationery(letterhead(configuration, competition, MailKind.ANNOUNCEMENT))

    def written(self, session: Session, claimed: Sequence[Claimed]) -> Iterator[Letter]:
        """A message for each row; what differs between them is looked up for all at once."""
        recipients = [one.recipient for one in claimed]
        values = own_values(session, self._competition_id, self._phase_id, recipients, self._wording.uses)
        for one in claimed:
            stop = self._links.unsubscribe(
                Subscription(one.recipient.person_id, MailKind.ANNOUNCEMENT, self._competition_id)
            )
            written = self._wording.written({**values[one.recipient.person_id], "unsubscribe_link": stop})
            yield _letter(one, self._configuration, self._stationery, written, stop)


def campaign_wording(campaign: MailCampaign, links: MailLinks) -> Wording:
    """What a campaign says, in its frame.

    Raises:
        InvalidInput: It says something that can't be sent.
    """
    competition = campaign.competition
    is_organizers = Audience.of(campaign.audience).who is Who.ORGANIZERS
    why = f"You get this because you {'organize' if is_organizers else 'take part in'} {competition.title}."
    around = frame(
        heading=competition.title,
        why=why,
        link=links.of_competition(competition.slug)["competition_link"],
        stops="Stop messages of this competition",
    )
    return wording(campaign.subject, campaign.body, around)


def letterhead(configuration: MailConfiguration, competition: Competition | None, kind: MailKind) -> Letterhead:
    """From whom mail comes, to whom answers go, and to what list it belongs. Answers go to the organizers."""
    domain = configuration.sender.domain
    if competition is None:
        return Letterhead(configuration.sender, _PLATFORM, list_id=f"{kind}.{domain}", list_name=_PLATFORM)
    answers = mail_address(competition.contact_email or "") or mail_address(competition.organizer.email)
    return Letterhead(
        sender=configuration.sender,
        sender_name=f"{competition.title} ({_PLATFORM})",
        reply_to=answers,
        reply_name=f"Organizers of {competition.title}",
        list_id=f"{competition.slug}.{domain}",
        list_name=competition.title,
    )


class SingleLetters:
    """The messages outside of campaigns, each of which says something else."""

    def __init__(self, configuration: MailConfiguration, links: MailLinks) -> None:
        self._configuration, self._links = configuration, links

    def written(self, session: Session, claimed: Sequence[Claimed]) -> Iterator[Letter]:
        """A message for each row."""
        for one in claimed:
            competition = session.get(Competition, one.competition_id) if one.competition_id is not None else None
            stop = "" if one.kind in UNSTOPPABLE else self._links.unsubscribe(_subscription(one))
            values = {**one.filled_in, "unsubscribe_link": stop}
            written = _single_wording(one, competition, self._links, values).written(values)
            stationery = Stationery(letterhead(self._configuration, competition, one.kind))
            yield _letter(one, self._configuration, stationery, written, stop)


def _single_wording(one: Claimed, competition: Competition | None, links: MailLinks, values: dict[str, str]) -> Wording:
    around = frame(
        heading=competition.title if competition is not None else _PLATFORM,
        why=_WHY.get(one.kind, f"{_PLATFORM} tells you what concerns you."),
        link=links.of_competition(competition.slug)["competition_link"] if competition is not None else "",
        stops="" if one.kind in UNSTOPPABLE else "Stop such messages",
    )
    variables = {name: Variable("", is_link=name.endswith("_link")) for name in {*values, *VARIABLES}}
    return wording(one.subject or "", one.body or "", around, variables=variables)


_WHY = {
    MailKind.TEST: "This is a test, to you alone.",
    MailKind.CONFIRMATION: f"Somebody gave this address to {_PLATFORM}. If it was not you, nothing happens.",
}


def _subscription(one: Claimed) -> Subscription:
    of = one.competition_id if one.kind is MailKind.ANNOUNCEMENT else None
    return Subscription(one.recipient.person_id, one.kind, of)


def _letter(
    one: Claimed, configuration: MailConfiguration, stationery: Stationery, written: Written, stop: str
) -> Letter:
    message = stationery.message(
        written,
        to=one.to,
        to_name=one.recipient.name or one.recipient.username,
        outbox_id=one.id,
        moment=now(),
        unsubscribe=stop,
    )
    return Letter(one.id, str(one.to), configuration.envelope_sender(one.id), message, one.attempts)
