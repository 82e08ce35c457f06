"""What the API answers of the gateway itself: its health, and what was wrong with a call."""

from __future__ import annotations

from dataclasses import dataclass

from podium.platform.bundles.problems import Problem


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """Whether the gateway and what it stands on answer. `parts` maps a part to `ok` or what is wrong."""

    status: str
    version: str
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """An error answer (RFC 9457, `application/problem+json`).

    Attributes:
        type: A word for programs, such as `quota-exceeded`.
        remedy: What to do about it; may be empty.
        problems: Every single problem, where there may be several (bundles, fields).
    """

    type: str
    title: str
    status: int
    detail: str
    remedy: str = ""
    problems: tuple[Problem, ...] = ()
