"""What can be wrong with a bundle, said so that an organizer can mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from podium.platform.errors import InvalidInput


class Severity(StrEnum):
    """How much a problem matters."""

    ERROR = "error"  # the bundle is refused
    WARNING = "warning"  # the bundle is read, and the organizer should look


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a bundle.

    Attributes:
        severity: Whether the bundle is refused for it.
        message: What is wrong, in a sentence.
        file: The file inside the bundle, `""` for the bundle itself.
        line: The line in that file, from 1; `None` where there is no line.
        field: The path of the field, such as `phases[1].tasks[0]`; `""` where there is none.
        suggestion: What to do, in a sentence; `""` when the message says it.
    """

    severity: Severity
    message: str
    file: str = ""
    line: int | None = None
    field: str = ""
    suggestion: str = ""

    def __str__(self) -> str:
        where = ":".join(part for part in (self.file, str(self.line or "")) if part)
        parts = [part for part in (where, self.field) if part]
        text = f"{': '.join(parts)}: {self.message}" if parts else self.message
        return f"{text} {self.suggestion}" if self.suggestion else text


class BundleRefused(InvalidInput):
    """A bundle that can't become a competition; `problems` holds everything that was found."""

    type = "bundle-refused"
    title = "The bundle has problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = sum(problem.severity is Severity.ERROR for problem in self.problems)
        super().__init__(
            f"The bundle has {errors} problem{'' if errors == 1 else 's'}.",
            remedy="Mend what is listed, check it with `podium bundle check`, and upload it again.",
        )


class ContentRefused(InvalidInput):
    """A change of a competition's content that can't be made; `problems` holds everything that was found."""

    type = "content-refused"
    title = "The change has problems"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = sum(problem.severity is Severity.ERROR for problem in self.problems)
        super().__init__(
            f"The change has {errors} problem{'' if errors == 1 else 's'}, and nothing of it was saved.",
            remedy="Mend what is listed, and save it again.",
        )
