"""What a rerun scores, as an organizer says it on a form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from podium.platform.errors import InvalidInput
from podium.platform.records.competitions import PhaseRecord

MOST_NUMBERS = 1000
"""What the gateway takes at once."""
_DASH = re.compile("\\s*[-\N{EN DASH}]\\s*")
_PART = re.compile(r"#?(\d{1,9})(?:-#?(\d{1,9}))?")


class Choice(StrEnum):
    """The ways to say what is scored again."""

    PHASE = "All of a phase"
    NUMBERS = "Some submissions"
    PLATFORM = "What Podium failed"


class Arguments(TypedDict):
    """The arguments of `preview_rerun` and `start_rerun`."""

    phase: str | int | None
    submissions: tuple[int, ...] | None
    platform_failures: bool | None
    parallel: int | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What to score again.

    Attributes:
        phase: As `phase_reference` says it; `None` for every phase, where only Podium's failures are meant.
        numbers: Submissions as they were written.
        parallel: How many at the same time at most; `None` for as many as there are slots.
    """

    choice: Choice
    phase: str | int | None
    numbers: str
    parallel: int | None

    def arguments(self) -> Arguments:
        """The selection as the client takes it.

        Raises:
            InvalidInput: The numbers are none.
        """
        return Arguments(
            phase=None if self.choice is Choice.NUMBERS else self.phase,
            submissions=read_numbers(self.numbers) if self.choice is Choice.NUMBERS else None,
            platform_failures=True if self.choice is Choice.PLATFORM else None,
            parallel=self.parallel,
        )


def phase_reference(phases: Sequence[PhaseRecord], number: int) -> str | int:
    """A phase by its name, with which the rerun is then described; by its number where the name could be another's."""
    names = {phase.number: phase.name.casefold() for phase in phases}
    name = names[number]
    is_another = name.strip().isdigit() or list(names.values()).count(name) > 1
    return number if is_another else next(phase.name for phase in phases if phase.number == number)


def read_numbers(words: str) -> tuple[int, ...]:
    """Numbers of submissions, such as `3, 7, 12-20`, each once and in order.

    Raises:
        InvalidInput: There are none, something else stands among them, or they are too many.
    """
    numbers: set[int] = set()
    for part in filter(None, re.split(r"[,;\s]+", _DASH.sub("-", words))):
        found = _PART.fullmatch(part)
        if found is None:
            raise InvalidInput(f"“{part}” is no number of a submission.", remedy="Write them as in 3, 7, 12-20.")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first or last - first >= MOST_NUMBERS:
            raise InvalidInput(
                f"“{part}” is no range of submissions.", remedy="Write the lower number first, as in 12-20."
            )
        numbers.update(range(first, last + 1))
    if not numbers:
        raise InvalidInput("No submission is named.", remedy="Write their numbers, as in 3, 7, 12-20.")
    if len(numbers) > MOST_NUMBERS:
        raise InvalidInput(f"These are {len(numbers)} submissions, and {MOST_NUMBERS} can be named at once.")
    return tuple(sorted(numbers))
