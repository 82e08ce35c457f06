"""The problems of a bundle, written for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypedDict

from podium.platform.bundles.problems import Problem, Severity


class ProblemJson(TypedDict):
    """One problem, as JSON has it; see `Problem` for the fields."""

    severity: str
    message: str
    file: str
    line: int | None
    field: str
    suggestion: str


class ReportJson(TypedDict):
    """All problems, counted."""

    errors: int
    warnings: int
    problems: list[ProblemJson]


def problems_text(problems: Sequence[Problem]) -> str:
    """Write problems for a terminal: file by file, in the order given, and their number at the end."""
    lines: list[str] = []
    for file, group in groupby(problems, key=lambda problem: problem.file):
        lines.append(file or "The bundle")
        for problem in group:
            lines += _lines(problem)
        lines.append("")
    return "\n".join([*lines, problem_counts(problems)])


def problem_counts(problems: Sequence[Problem]) -> str:
    """Count errors and warnings in a sentence."""
    errors, warnings = _count(problems, Severity.ERROR), _count(problems, Severity.WARNING)
    counts = " and ".join(_plural(count, word) for count, word in ((errors, "error"), (warnings, "warning")) if count)
    if not counts:
        return "No problems found."
    return f"{counts}: {'the bundle is refused' if errors else 'the bundle can be used'}."


def problems_json(problems: Sequence[Problem]) -> ReportJson:
    """Give problems as values that `json.dumps` takes."""
    return ReportJson(
        errors=_count(problems, Severity.ERROR),
        warnings=_count(problems, Severity.WARNING),
        problems=[
            ProblemJson(
                severity=problem.severity.value,
                message=problem.message,
                file=problem.file,
                line=problem.line,
                field=problem.field,
                suggestion=problem.suggestion,
            )
            for problem in problems
        ],
    )


def _lines(problem: Problem) -> list[str]:
    place = ", ".join(part for part in (f"line {problem.line}" if problem.line else "", problem.field) if part)
    first = f"  {problem.severity.value}: " + (f"{place}: " if place else "") + problem.message
    return [first, f"      {problem.suggestion}"] if problem.suggestion else [first]


def _count(problems: Sequence[Problem], severity: Severity) -> int:
    return sum(problem.severity is severity for problem in problems)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
