"""How many messages may go out now, by what went out within the last minute: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
_LEAST_WINDOW = 6.0
"""Seconds within which a rate is kept, so that a minute's mail does not go out in a second."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` messages within any `seconds`."""

    seconds: float
    count: int


def window(per_minute: int) -> Window:
    """The rate as a window that is as short as it can be: a tenth of a minute, or as long as one message takes."""
    seconds = max(_LEAST_WINDOW, 60.0 / per_minute)
    return Window(seconds, max(1, int(per_minute * seconds / 60.0)))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may go out now.

    Attributes:
        total: Messages in all; `None` for any number.
        per_domain: Messages to each domain; `None` for any number.
        used: Messages to each domain that went out within the window already.
    """

    total: int | None = None
    per_domain: int | None = None
    used: Mapping[str, int] = field(default_factory=dict)

    @property
    def full_domains(self) -> tuple[str, ...]:
        """Domains to which nothing more may go now."""
        most = self.per_domain
        return () if most is None else tuple(sorted(name for name, used in self.used.items() if used >= most))


def left_by(urgent: Mapping[str, int], allowance: Allowance) -> Allowance:
    """What is left for others when so many urgent messages to each domain have gone, as far as they may go now."""
    most, used = allowance.per_domain, dict(allowance.used)
    total = allowance.total
    for domain, count in urgent.items():
        before = used.get(domain, 0)
        goes = count if most is None else min(count, max(0, most - before))
        used[domain] = before + goes
        total = None if total is None else max(0, total - goes)
    return Allowance(total, most, used)


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """A message that waits, and to which domain it goes."""

    item: T
    domain: str


def admitted(waiting: Iterable[Waiting[T]], allowance: Allowance) -> list[T]:
    """Those of some messages, in their order, that may go out now."""
    used = dict(allowance.used)
    found: list[T] = []
    for one in waiting:
        if allowance.total is not None and len(found) >= allowance.total:
            break
        if allowance.per_domain is not None and used.get(one.domain, 0) >= allowance.per_domain:
            continue
        used[one.domain] = used.get(one.domain, 0) + 1
        found.append(one.item)
    return found
