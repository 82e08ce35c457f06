"""From rows of the outbox to messages: of a campaign, and of everything else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from podium.platform.errors import InvalidInput
from podium.platform.lifecycle import MailStatus
from podium.platform.mail.addresses import mail_address
from podium.platform.mail.audience import Audience, Who
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.filling import common_values, own_values, phase_of
from podium.platform.mail.frame import frame
from podium.platform.mail.links import MailLinks, Subscription
from podium.platform.mail.messages import Letterhead, Stationery
from podium.platform.mail.news_letters import PLATFORM, STOPS, Told, digest_wording, news_wording
from podium.platform.mail.news_values import NewsItem, competitions_of, values_of
from podium.platform.mail.outbox import Claimed, settle_unsent
from podium.platform.mail.template_files import TemplateName
from podium.platform.mail.variables import VARIABLES, Variable
from podium.platform.mail.wording import Wording, Written, wording
from podium.platform.models import Competition, MailCampaign, MailKind, OutboxMessage, now

logger = logging.getLogger(__name__)
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
        return Letterhead(configuration.sender, PLATFORM, list_id=f"{kind}.{domain}", list_name=PLATFORM)
    answers = mail_address(competition.contact_email or "") or mail_address(competition.organizer.email)
    return Letterhead(
        sender=configuration.sender,
        sender_name=f"{competition.title} ({PLATFORM})",
        reply_to=answers,
        reply_name=f"Organizers of {competition.title}",
        list_id=f"{competition.slug}.{domain}",
        list_name=competition.title,
    )


class SingleLetters:
    """The messages outside of campaigns: news by their templates, and what says something of its own."""

    def __init__(self, configuration: MailConfiguration, links: MailLinks) -> None:
        self._configuration, self._links = configuration, links
        self._wordings: dict[tuple[str, UUID | None], Wording] = {}
        self._stationery: dict[tuple[MailKind, UUID | None], Stationery] = {}

    def written(self, session: Session, claimed: Sequence[Claimed]) -> Iterator[Letter]:
        """A message for each row, but for what is not to be told any more: those rows are ended."""
        items = _items(session, claimed)
        news = [item for those in items.values() for item in those]
        about = {*(one.competition_id for one in claimed), *(one.competition_id for one in news)}
        competitions = competitions_of(session, about)
        values = values_of(session, news, competitions, self._links)
        for one in claimed:
            competition = competitions.get(one.competition_id) if one.competition_id is not None else None
            told = [(item, found) for item in items.get(one.id, ()) if (found := values[item.id]) is not None]
            if one.template is not None and not told:
                settle_unsent(session, one, MailStatus.SUPPRESSED, "There is nothing left to tell.")
                continue
            try:
                letter = self._letter(one, competition, told)
            except (InvalidInput, KeyError, ValueError) as error:
                # Of another version, perhaps: it must not keep the others waiting.
                logger.exception("message %s can't be written", one.id)
                settle_unsent(session, one, MailStatus.FAILED, f"It can't be written: {error}")
                continue
            yield letter

    def _letter(
        self, one: Claimed, competition: Competition | None, told: Sequence[tuple[NewsItem, Mapping[str, str]]]
    ) -> Letter:
        stop = "" if one.kind in UNSTOPPABLE else self._links.unsubscribe(_subscription(one))
        recipient = one.recipient
        values = {
            "name": recipient.name or recipient.username,
            "username": recipient.username,
            "unsubscribe_link": stop,
        }
        if one.kind is MailKind.DIGEST:
            made, filled_in = digest_wording(
                [Told(item.template, item.competition_id, {**values, **found}) for item, found in told]
            )
            values |= {**one.filled_in, **filled_in}
        elif one.template is not None:
            made = self._news_wording(one, competition)
            values |= told[0][1]
        else:
            values |= one.filled_in
            made = _single_wording(one, competition, self._links, values)
        of = (one.kind, competition.id if competition is not None else None)
        if of not in self._stationery:
            self._stationery[of] = Stationery(letterhead(self._configuration, competition, one.kind))
        stationery = self._stationery[of]
        return _letter(one, self._configuration, stationery, made.written(values), stop)

    def _news_wording(self, one: Claimed, competition: Competition | None) -> Wording:
        """What all news of a kind in a competition have in common is read once."""
        name = TemplateName(one.template or "")
        key = (name, competition.id if competition is not None else None)
        if key not in self._wordings:
            link = self._links.of_competition(competition.slug)["competition_link"] if competition is not None else ""
            self._wordings[key] = news_wording(
                name,
                heading=competition.title if competition is not None else PLATFORM,
                link=link,
                stops="" if one.kind in UNSTOPPABLE else STOPS,
            )
        return self._wordings[key]


def _items(session: Session, claimed: Sequence[Claimed]) -> dict[UUID, list[NewsItem]]:
    """What is told in each message: of a digest, all that was gathered for it, in the order of time."""
    found = {
        one.id: [NewsItem(one.id, TemplateName(one.template), one.competition_id, one.filled_in)]
        for one in claimed
        if one.template in _KNOWN and one.kind is not MailKind.DIGEST
    }
    digests = [one.id for one in claimed if one.kind is MailKind.DIGEST]
    if digests:
        gathered = session.scalars(
            select(OutboxMessage).where(OutboxMessage.digest_id.in_(digests)).order_by(OutboxMessage.id)
        )
        for row in gathered:
            if row.digest_id is not None and row.template in _KNOWN:
                item = NewsItem(row.id, TemplateName(row.template), row.competition_id, row.filled_in)
                found.setdefault(row.digest_id, []).append(item)
    return found


_KNOWN = frozenset(TemplateName)


def _single_wording(one: Claimed, competition: Competition | None, links: MailLinks, values: dict[str, str]) -> Wording:
    around = frame(
        heading=competition.title if competition is not None else PLATFORM,
        why=_TEST if one.kind is MailKind.TEST else f"{PLATFORM} tells you what concerns you.",
        link=links.of_competition(competition.slug)["competition_link"] if competition is not None else "",
        stops="" if one.kind in UNSTOPPABLE else STOPS,
    )
    variables = {name: Variable("", is_link=name.endswith("_link")) for name in {*values, *VARIABLES}}
    return wording(one.subject or "", one.body or "", around, variables=variables)


_TEST = "This is a test, to you alone."


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
