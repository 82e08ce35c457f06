"""To whom a campaign goes: a question, written down; `podium.platform.mail.recipients` answers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from podium.platform.errors import InvalidInput
from podium.platform.lifecycle import ParticipantStatus

PEOPLE_NAMED = 1000
"""People who may be named one by one."""
_STATUSES = (ParticipantStatus.APPROVED, ParticipantStatus.PENDING)
"""Who was denied gets nothing."""


class Who(StrEnum):
    """Among whom recipients are looked for."""

    PARTICIPANTS = "participants"
    ORGANIZERS = "organizers"
    PEOPLE = "people"  # participants and organizers who are named


@dataclass(frozen=True, slots=True)
class Audience:
    """A question: which people. What is not set leaves nobody out.

    Attributes:
        who: Among whom.
        status: Participants of this status; by default those who were approved. `None` for those who wait too.
        phase: Participants who submitted in this phase, by its number from 1 or its name; what follows is of that
            phase alone then.
        submitted: With a submission, or without any.
        failed: Whose latest submission has failed.
        top: At one of the first so many ranks of the phase's leaderboard; members of teams too.
        usernames: Who is named.
    """

    who: Who = Who.PARTICIPANTS
    status: ParticipantStatus | None = ParticipantStatus.APPROVED
    phase: str | None = None
    submitted: bool | None = None
    failed: bool = False
    top: int | None = None
    usernames: tuple[str, ...] = ()

    def stored(self) -> dict[str, Any]:
        """As it is kept, and as the API has it."""
        return {
            "who": str(self.who),
            "status": None if self.status is None else str(self.status),
            "phase": self.phase,
            "submitted": self.submitted,
            "failed": self.failed,
            "top": self.top,
            "usernames": list(self.usernames),
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Audience:
        """As it was kept."""
        status = stored["status"]
        return cls(
            who=Who(stored["who"]),
            status=None if status is None else ParticipantStatus(status),
            phase=stored["phase"],
            submitted=stored["submitted"],
            failed=stored["failed"],
            top=stored["top"],
            usernames=tuple(stored["usernames"]),
        )

    def in_words(self) -> str:
        """To whom it goes, for people."""
        if self.who is Who.ORGANIZERS:
            return "the organizers"
        if self.who is Who.PEOPLE:
            names = ", ".join(self.usernames[:10])
            return names if len(self.usernames) <= 10 else f"{names} and {len(self.usernames) - 10} more"
        which = {
            ParticipantStatus.APPROVED: "participants",
            ParticipantStatus.PENDING: "people who wait to be approved",
        }.get(self.status or ParticipantStatus.DENIED, "participants, and people who wait to be approved")
        return " ".join([which, *self._conditions()])

    def _conditions(self) -> Iterator[str]:
        where = f" in phase {self.phase}" if self.phase is not None else ""
        if self.top is not None:
            yield f"at the first {self.top} ranks{where}" if self.top > 1 else f"at the first rank{where}"
        if self.failed:
            yield f"whose latest submission{where} has failed"
        if self.submitted is False:
            yield f"without a submission{where}"
        elif self.submitted or (where and self.top is None and not self.failed):
            yield f"with a submission{where}"


def require_question(audience: Audience) -> None:
    """Go on only if the question makes sense.

    Raises:
        InvalidInput: It does not; the message says all that is wrong.
    """
    if faults := list(_faults(audience)):
        raise InvalidInput(" ".join(faults))


def _faults(audience: Audience) -> Iterator[str]:
    narrowed = (audience.phase, audience.submitted, audience.top) != (None, None, None) or audience.failed
    if audience.who is Who.PEOPLE and not audience.usernames:
        yield "Name the people to write to."
    if audience.who is not Who.PEOPLE and audience.usernames:
        yield "People are named, and chosen in another way too."
    if audience.who is not Who.PARTICIPANTS and narrowed:
        yield "Phases, submissions and ranks choose among participants only."
    if len(audience.usernames) > PEOPLE_NAMED:
        yield f"More than {PEOPLE_NAMED} people are named."
    if audience.status is not None and audience.status not in _STATUSES:
        yield "Nothing is sent to people who were denied."
    if audience.top is not None and audience.top < 1:
        yield "The first ranks are from 1 on."
    if audience.submitted is False and (audience.failed or audience.top is not None):
        yield "Nobody without a submission has one that failed, or a rank."
