"""What bears a number within its competition, by which people name it: reruns and campaigns, each from 1."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from podium.platform.errors import NotFound
from podium.platform.models import Competition, MailCampaign, Rerun

Numbered = TypeVar("Numbered", MailCampaign, Rerun)


def next_number(session: Session, kind: type[Numbered], competition: Competition) -> int:
    """The number of a new one. Whoever asks at the same moment waits until this transaction is over."""
    session.execute(select(Competition.id).where(Competition.id == competition.id).with_for_update())
    return 1 + (session.scalar(select(func.max(kind.number)).where(kind.competition_id == competition.id)) or 0)


def find_numbered(
    session: Session, kind: type[Numbered], competition: Competition, number: int, *, lock: bool, word: str, listed: str
) -> Numbered:
    """The one with this number.

    Args:
        lock: Whether nobody else may change it until this transaction is over.
        word: What it is called.
        listed: The command that lists them.

    Raises:
        NotFound: There is none.
    """
    query = select(kind).where(kind.competition_id == competition.id, kind.number == number)
    if lock:
        query = query.with_for_update(of=kind).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound(
            f"'{competition.slug}' has no {word} {number}.", remedy=f"List them with `{listed} {competition.slug}`."
        )
    return found
