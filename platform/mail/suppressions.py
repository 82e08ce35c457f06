"""Addresses to which nothing is sent any more: no such mailbox, or its owner has complained."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.errors import NotFound
from podium.platform.models import MailCause, MailSuppression, now


def suppress_address(session: Session, address: str, cause: MailCause, *, detail: str, by: str) -> bool:
    """Send nothing more to an address; tell whether that is news."""
    made = session.scalar(
        insert(MailSuppression)
        .values(address=address.lower()[:320], cause=cause, detail=detail[:500], by=by[:200], created=now())
        .on_conflict_do_nothing()
        .returning(MailSuppression.address)
    )
    return made is not None


def list_suppressions(session: Session, *, limit: int) -> Sequence[MailSuppression]:
    """The latest of them first."""
    return session.scalars(select(MailSuppression).order_by(MailSuppression.created.desc()).limit(limit)).all()


def allow_address(session: Session, address: str) -> None:
    """Send to an address again.

    Raises:
        NotFound: It is sent to.
    """
    gone = session.scalar(
        delete(MailSuppression).where(MailSuppression.address == address.lower()).returning(MailSuppression.address)
    )
    if gone is None:
        raise NotFound(f"Nothing keeps mail from '{address[:80]}'.")
