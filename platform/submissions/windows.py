"""When a phase takes submissions and a competition takes participants: by the server's clock, to the second."""

from __future__ import annotations

from datetime import datetime

from podium.platform.errors import Conflict, NotFound
from podium.platform.models import Competition, Phase

_TIME = "%Y-%m-%d at %H:%M:%S"


class PhaseClosed(Conflict):
    """The phase does not take submissions now."""

    type = "phase-closed"
    title = "This phase is not open"


class RegistrationClosed(Conflict):
    """The competition takes no new participants now."""

    type = "registration-closed"
    title = "Registration is not open"


def phase_status(phase: Phase, moment: datetime) -> str:
    """`upcoming`, `open` or `over`: a phase is open from its start, to the second, until before its end."""
    if moment < phase.starts:
        return "upcoming"
    return "open" if phase.ends is None or moment < phase.ends else "over"


def choose_phase(competition: Competition, named: str | None, moment: datetime) -> Phase:
    """The phase of that number (from 1) or name; without a name the one that is open, else the latest that began.

    Raises:
        NotFound: There is no phase of that name; the message lists those there are.
    """
    phases = competition.phases
    if named is not None:
        for phase in phases:
            if named == str(phase.position + 1) or named.casefold() == phase.name.casefold():
                return phase
        known = ", ".join(f"{phase.position + 1} '{phase.name}'" for phase in phases)
        raise NotFound(f"'{competition.slug}' has no phase '{named[:80]}'.", remedy=f"Its phases are {known}.")
    for phase in phases:
        if phase_status(phase, moment) == "open":
            return phase
    begun = [phase for phase in phases if phase_status(phase, moment) == "over"]
    return begun[-1] if begun else phases[0]


def require_open(competition: Competition, phase: Phase, moment: datetime) -> None:
    """Go on only if the phase takes submissions.

    Raises:
        PhaseClosed: It, or the competition, has not begun or is over, with the date; or it is paused, with the reason.
    """
    if reason := why_closed(competition, phase, moment):
        raise PhaseClosed(reason)


def why_closed(competition: Competition, phase: Phase, moment: datetime) -> str:
    """Why a phase takes no submissions at a moment; empty when it does."""
    if competition.starts is not None and moment < competition.starts:
        return f"The competition begins on {competition.starts:{_TIME}} UTC."
    if competition.ends is not None and moment >= competition.ends:
        return f"The competition ended on {competition.ends:{_TIME}} UTC."
    match phase_status(phase, moment):
        case "upcoming":
            return f"Phase '{phase.name}' begins on {phase.starts:{_TIME}} UTC."
        case "over":
            return f"Phase '{phase.name}' ended on {phase.ends:{_TIME}} UTC."
    if phase.paused is not None:
        return f"Phase '{phase.name}' is paused by its organizers: {phase.pause_message}"
    return ""


def next_change(competition: Competition, phase: Phase, moment: datetime) -> datetime | None:
    """When a phase that takes no submissions at a moment will, as far as dates say; `None` where they don't."""
    if phase_status(phase, moment) == "over" or (competition.ends is not None and moment >= competition.ends):
        return None
    opens = max(phase.starts, competition.starts or phase.starts)
    closes = [end for end in (phase.ends, competition.ends) if end is not None]
    return opens if opens > moment and all(opens < end for end in closes) else None


def require_registration_open(competition: Competition, moment: datetime) -> None:
    """Go on only if people may join.

    Raises:
        RegistrationClosed: It has not begun, or is over; the message gives the date.
    """
    if competition.registration_starts is not None and moment < competition.registration_starts:
        raise RegistrationClosed(f"Registration begins on {competition.registration_starts:{_TIME}} UTC.")
    if competition.registration_ends is not None and moment >= competition.registration_ends:
        raise RegistrationClosed(f"Registration ended on {competition.registration_ends:{_TIME}} UTC.")
