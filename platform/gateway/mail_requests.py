"""Bodies of calls about mail."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from podium.platform.gateway.requests import Body, When
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.mail.audience import PEOPLE_NAMED, Audience, Who
from podium.platform.models import MailFrequency

Username = Annotated[str, Field(min_length=1, max_length=200)]


class AudienceWish(Body):
    """To whom a campaign is to go."""

    who: Who = Who.PARTICIPANTS
    status: ParticipantStatus | None = ParticipantStatus.APPROVED
    phase: str | None = Field(default=None, max_length=256)
    submitted: bool | None = None
    failed: bool = False
    top: int | None = Field(default=None, ge=1, le=1_000_000)
    usernames: list[Username] = Field(default=[], max_length=PEOPLE_NAMED)

    def asked(self) -> Audience:
        """The question."""
        return Audience(
            who=self.who,
            status=self.status,
            phase=self.phase,
            submitted=self.submitted,
            failed=self.failed,
            top=self.top,
            usernames=tuple(dict.fromkeys(self.usernames)),
        )


class Counted(Body):
    """An audience to count."""

    audience: AudienceWish = AudienceWish()


class NewCampaign(Body):
    """A campaign to draft; its own rules say what may stand in it."""

    # Spaces at the ends of a line are the organizer's: Markdown means something by them.
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    subject: str = Field(max_length=1000)
    body: str = Field(max_length=100_000)
    audience: AudienceWish = AudienceWish()


class CampaignChange(Body):
    """What it is to say instead; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    subject: str | None = Field(default=None, max_length=1000)
    body: str | None = Field(default=None, max_length=100_000)
    audience: AudienceWish | None = None


class Approval(Body):
    """Approving a campaign as it was read."""

    version: int = Field(ge=1)


class Previewed(Body):
    """For whom to show a message; without a name for the participant who has joined first."""

    username: Username | None = None


class Scheduled(Body):
    """When to send a campaign; null for when somebody says so."""

    when: When | None = None


class Settlement(Body):
    """What to do about messages that may have arrived or not; without names about all of them."""

    send_again: bool
    usernames: list[Username] = Field(default=[], max_length=PEOPLE_NAMED)


class FrequencyChoice(Body):
    """How somebody wants mail."""

    frequency: MailFrequency


class StopChoice(Body):
    """Whether somebody wants no announcements of a competition."""

    stopped: bool


class ToldNotice(Body):
    """What a service that sends mail tells of a message."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)
    event: Literal["bounce", "delay", "complaint"]
    message_id: str = Field(max_length=400)
    status: str = Field(default="", max_length=100)
    detail: str = Field(default="", max_length=2000)
