"""The phase that somebody means by a number or a name, as the gateway would take it."""

from __future__ import annotations

from podium.platform.errors import NotFound
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord


def chosen_phase(competition: CompetitionRecord, named: str | int | None = None) -> PhaseRecord:
    """A phase by its number or name; without one the one that is open, else the latest that began.

    Raises:
        NotFound: There is none of that name.
    """
    phases = competition.phases
    if named is None:
        opened = [phase for phase in phases if phase.status == "open"]
        begun = [phase for phase in phases if phase.status == "over"]
        return opened[0] if opened else begun[-1] if begun else phases[0]
    for phase in phases:
        if str(named) == str(phase.number) or str(named).casefold() == phase.name.casefold():
            return phase
    known = ", ".join(f"{phase.number} '{phase.name}'" for phase in phases)
    raise NotFound(f"'{competition.summary.slug}' has no phase '{str(named)[:80]}'.", remedy=f"Its phases are {known}.")
