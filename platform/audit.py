"""The audit log: what organizers and administrators did, written in the transaction in which they did it.

The gateway says who makes a call (`acting`), the domain says what came of it: every `record_event` does, and `note`
where there is no event. Just before such a transaction is committed, its line is added; where it is rolled back, there
is none.
Secrets, bodies and files never come here: a line has names, states and the reason that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform.models import AuditEntry, Competition
from podium.platform.powers import Someone, Standing, standing_of

_CHANGES, _COMPETITION, _ONES_OWN = "audit-changes", "audit-competition", "audit-ones-own"
_MOST = 2000
"""Characters of a text in a line."""


@dataclass(frozen=True, slots=True)
class Act:
    """A call that changes something, as the gateway knows it before it runs.

    Attributes:
        act: What is done, such as `change a phase`.
        subject: What it is done to, such as `phase`.
        named: The names in its path besides the competition's, such as `1`.
        address: Where the call comes from, `None` where that is no IP address.
    """

    caller: Someone
    token_id: UUID
    token_name: str
    address: str | None
    request_id: UUID
    route: str
    act: str
    subject: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What came of an act: of what, and what it was before and after, in words."""

    subject: str
    name: str
    before: str
    after: str
    reason: str


class _Running:
    """An act under way; `None` as soon as its line is written, or it is over."""

    def __init__(self, act: Act | None) -> None:
        self.act = act

    def end(self) -> None:
        self.act = None


_running: ContextVar[_Running | None] = ContextVar("podium_audit", default=None)


@contextmanager
def acting(act: Act | None) -> Iterator[Callable[[], None]]:
    """What is changed inside is changed by this act, until what is given here is called. It leaves one line at most."""
    running = _Running(act)
    token = _running.set(running)
    try:
        yield running.end
    finally:
        _running.reset(token)


def _present() -> Act | None:
    running = _running.get()
    return running.act if running else None


def note(
    session: Session, subject: str, *, name: str = "", before: str | None = None, after: str, reason: str = ""
) -> None:
    """Say what an act has changed; outside of one nothing is kept."""
    if _present() is not None:
        session.info.setdefault(_CHANGES, []).append(Change(subject, name, before or "", after, reason))


def about(session: Session, competition: Competition) -> None:
    """Say which competition the act is about."""
    if _present() is not None:
        session.info[_COMPETITION] = competition


def as_oneself(session: Session) -> None:
    """Say that whoever acts does what any participant may with what is theirs: that is nobody else's business."""
    session.info[_ONES_OWN] = True


def write(session: Session) -> None:
    """Add the line of an act that has changed something to its transaction, which is about to be committed."""
    changes: list[Change] = session.info.pop(_CHANGES, [])
    competition: Competition | None = session.info.pop(_COMPETITION, None)
    ones_own = session.info.pop(_ONES_OWN, False)
    running = _running.get()
    act = running.act if running else None
    if act is None or not changes or ones_own or act.caller.person_id is None:
        return
    standing = standing_of(competition, act.caller)
    if standing is Standing.NONE:
        return
    assert running is not None
    running.end()
    change = next((one for one in changes if one.subject == act.subject), changes[0])
    words = [act.subject, *([change.name] if change.name else act.named)]
    session.add(
        AuditEntry(
            person_id=act.caller.person_id,
            username=act.caller.username,
            role=standing,
            token_id=act.token_id,
            token_name=act.token_name,
            address=act.address,
            request_id=act.request_id,
            route=act.route[:200],
            act=act.act,
            competition_id=competition.id if competition else None,
            competition=competition.slug if competition else None,
            object=" ".join(words)[:300],
            before=change.before[:_MOST],
            after=change.after[:_MOST],
            reason=change.reason[:_MOST],
        )
    )


def plain_address(host: str | None) -> str | None:
    """An address as the log keeps it; `None` for what is none, such as the name of a socket."""
    try:
        return str(ip_address(host or ""))
    except ValueError:
        return None
