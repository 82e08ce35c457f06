"""What the API answers about mail: campaigns, their messages, and how somebody wants mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from podium.platform.lifecycle import CampaignStatus, MailStatus

KIND_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "announcement": "What organizers announce",
        "submission": "My submission is scored, or has failed",
        "registration": "Organizers have accepted or denied me",
        "phase": "A phase opens, or closes soon",
        "rank": "A rerun has changed my rank",
        "agent": "An agent is lost, or nothing scores my competition",
    }
)
"""What mail of each kind is about, for people who choose how they want it."""
FREQUENCY_WORDS: Mapping[str, str] = MappingProxyType(
    {"at_once": "At once", "daily": "Once a day, in one message", "none": "Never"}
)
"""How often they want it."""


@dataclass(frozen=True, slots=True)
class AudienceRecord:
    """To whom a campaign goes: what is not set leaves nobody out.

    Attributes:
        who: `participants`, `organizers` or `people`, who are named.
        status: Of participants; `None` for those too who wait to be approved.
        phase: By its number from 1 or its name.
        submitted: With a submission, or without any.
        failed: Whose latest submission has failed.
        top: At one of the first so many ranks.
    """

    who: str = "participants"
    status: str | None = "approved"
    phase: str | None = None
    submitted: bool | None = None
    failed: bool = False
    top: int | None = None
    usernames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign.

    Attributes:
        number: From 1 in its competition.
        audience: To whom it goes, in words.
        author: Who wrote what it says now.
        approved_by: Who has approved it, as it is now.
        needs_second: Whether somebody else than its author must approve it.
        status_message: Why it is where it is.
        version: Grows with every change; ask with `seen=version` to wait for the next.
        scheduled: When it is to be sent.
        total: Its recipients, once it is approved.
        left_out: People who were not made recipients, by reason.
        counts: Its messages by status.
    """

    id: UUID
    number: int
    competition: str
    subject: str
    body: str
    audience: str
    question: AudienceRecord
    author: str
    approved_by: tuple[str, ...]
    needs_second: bool
    status: CampaignStatus
    status_message: str
    version: int
    scheduled: datetime | None
    total: int
    left_out: dict[str, int]
    counts: dict[str, int]
    created: datetime
    started: datetime | None
    ended: datetime | None

    def count(self, *statuses: MailStatus) -> int:
        """How many of its messages are in one of these."""
        return sum(self.counts.get(str(status), 0) for status in statuses)


@dataclass(frozen=True, slots=True)
class RecipientCount:
    """How many people a campaign would go to now.

    Attributes:
        left_out: How many would be left out, by reason.
        trouble: Why nothing can be sent to anybody, such as that there is no mail server; empty where it can.
    """

    total: int
    left_out: dict[str, int]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """A message as one recipient gets it.

    Attributes:
        to: The address; shortened for whoever is no administrator.
        headers: Those that say something, with the address as in `to`.
        left_out: Why this person gets none; empty for one who does.
    """

    to: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]
    left_out: str


@dataclass(frozen=True, slots=True)
class OutboxLine:
    """One message of a campaign.

    Attributes:
        address: Where it went last; empty before. Shortened for whoever is no administrator.
        reply: What the mail server said last, or why it was not sent.
        due: When it is tried again.
    """

    username: str
    address: str
    status: MailStatus
    attempts: int
    reply: str
    due: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A page of the messages of a campaign; `total` counts all that a filter leaves."""

    total: int
    rows: tuple[OutboxLine, ...]


@dataclass(frozen=True, slots=True)
class SuppressionRecord:
    """An address to which nothing is sent any more, and why."""

    address: str
    cause: str
    detail: str
    created: datetime


@dataclass(frozen=True, slots=True)
class MailPreferences:
    """How somebody wants mail.

    Attributes:
        address: Where it goes.
        reachable: Whether anything is sent there; if not, `trouble` says why.
        frequencies: `at_once`, `daily` or `none`, by what mail is about.
        stopped: Competitions whose announcements they have stopped.
    """

    address: str
    reachable: bool
    trouble: str
    frequencies: dict[str, str]
    stopped: tuple[str, ...]
