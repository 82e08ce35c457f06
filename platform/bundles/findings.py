"""What a reader finds on its way through a bundle: collected, so that everything is said at once."""

from __future__ import annotations

from podium.platform.bundles.problems import Problem, Severity

MAX_PROBLEMS = 200
_SHOWN_CHARACTERS = 80


class EnoughFound(Exception):
    """More problems than anyone reads; the rest of the bundle is left unread."""


class Findings:
    """A growing list of problems, each said once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    @property
    def refused(self) -> bool:
        """Whether one of the problems is an error."""
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def add(self, problem: Problem) -> None:
        """Note a problem.

        Raises:
            EnoughFound: There are `MAX_PROBLEMS` by now.
        """
        if len(self._problems) >= MAX_PROBLEMS:
            self._problems[_unlisted()] = None
            raise EnoughFound
        self._problems[problem] = None

    def error(
        self, message: str, *, file: str = "", line: int | None = None, field: str = "", suggestion: str = ""
    ) -> None:
        """Note a problem for which the bundle is refused."""
        self.add(Problem(Severity.ERROR, message, file, line, field, suggestion))

    def warning(
        self, message: str, *, file: str = "", line: int | None = None, field: str = "", suggestion: str = ""
    ) -> None:
        """Note a problem that the organizer should look at."""
        self.add(Problem(Severity.WARNING, message, file, line, field, suggestion))

    def in_order(self) -> tuple[Problem, ...]:
        """All problems by file and line; those of the bundle itself first, and errors before warnings of a line."""
        return tuple(
            sorted(
                self._problems,
                key=lambda problem: (problem.file, problem.line or 0, problem.severity is Severity.WARNING),
            )
        )


def shown(text: str) -> str:
    """Give a text of the organizer as it can stand in a message: on one line, quoted, and not too long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…")


def plain(text: str, limit: int = 60) -> str:
    """Give a word of the organizer for a place where quotes would be odd; nothing in it can move a cursor."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut if cut.isprintable() else repr(cut)


def _unlisted() -> Problem:
    message = f"There are more than {MAX_PROBLEMS} problems; the others are not listed."
    return Problem(Severity.ERROR, message, suggestion="Mend these and check again.")
