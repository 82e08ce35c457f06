"""What those who organize a competition may do with it: one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from podium.platform.errors import NotAllowed
from podium.platform.models import Competition


class Standing(StrEnum):
    """What somebody is to a competition, as far as organizing it goes."""

    ADMINISTRATOR = "administrator"
    OWNER = "owner"
    COLLABORATOR = "collaborator"
    NONE = "none"


class Power(StrEnum):
    """Something that may be done with a competition."""

    ORGANIZE = "organize it"  # everything that is not named here
    SHARE = "choose its collaborators"


POWERS: Mapping[Standing, frozenset[Power]] = MappingProxyType(
    {
        Standing.ADMINISTRATOR: frozenset(Power),
        Standing.OWNER: frozenset(Power),
        Standing.COLLABORATOR: frozenset({Power.ORGANIZE}),
        Standing.NONE: frozenset(),
    }
)
"""Who may do what. Whatever ends a competition, or gives it away, belongs with `SHARE`: not with collaborators."""


class Someone(Protocol):
    """Whoever calls, as far as this needs to know."""

    @property
    def person_id(self) -> UUID | None:
        """The person, `None` for agents and attempts."""
        ...

    @property
    def username(self) -> str:
        """Their name."""
        ...

    @property
    def is_administrator(self) -> bool:
        """Whether they administrate the platform."""
        ...

    @property
    def may_organize(self) -> bool:
        """Whether they may make competitions."""
        ...


def standing_of(competition: Competition | None, caller: Someone | None) -> Standing:
    """What the caller is to a competition; where there is none yet, to one that they would make."""
    if caller is None or caller.person_id is None:
        return Standing.NONE
    if caller.is_administrator:
        return Standing.ADMINISTRATOR
    if competition is None:
        return Standing.OWNER if caller.may_organize else Standing.NONE
    if competition.organizer_id == caller.person_id:
        return Standing.OWNER
    if any(one.person_id == caller.person_id for one in competition.collaborators):
        return Standing.COLLABORATOR
    return Standing.NONE


def has_power(competition: Competition, caller: Someone | None, power: Power) -> bool:
    """Whether the caller may do something with a competition."""
    return power in POWERS[standing_of(competition, caller)]


def require_power(competition: Competition, caller: Someone, power: Power) -> None:
    """Go on only if the caller may do this with the competition.

    Raises:
        NotAllowed: They may not.
    """
    if not has_power(competition, caller, power):
        who = "organizers" if power is Power.ORGANIZE else "owner"
        raise NotAllowed(f"Only the {who} of '{competition.slug}' may do this.")
