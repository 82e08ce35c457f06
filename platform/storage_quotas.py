"""How much room a person's files may take: counted by the database, and held to in one transaction.

A participant's submissions are the participant's; bundles, datasets, a competition's logo and everything that scoring
leaves behind are the organizer's, for it was the organizer who asked for it. Images are whose the dataset or the
submission is, together with what was uploaded for them. A file counts from the moment that it is
announced, so that two uploads at once can't take the same room, until it is removed or its upload is given up. Copies
that the platform makes of a submission, for a rerun or the next phase, cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from podium.platform.errors import StorageFull
from podium.platform.models import Person, StorageCharge
from podium.platform.quantities import Unit, shown_amount

KINDS = ("submissions", "bundles", "datasets", "outputs", "competitions", "images")
"""What a person's room is taken by; what they are is said above."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a person's files take, in bytes.

    Attributes:
        quota: What they may take.
        by_kind: What they take, by kind; kinds that take nothing are left out.
    """

    quota: int
    by_kind: dict[str, int]

    @property
    def used(self) -> int:
        """All kinds together."""
        return sum(self.by_kind.values())

    @property
    def left(self) -> int:
        """What is free; nothing where they take more than they may, as after the quota was lowered."""
        return max(0, self.quota - self.used)


def usage_of(session: Session, person_id: UUID, *, default: int) -> Usage:
    """What a person's files take now, and may take.

    Args:
        default: The quota of who has none of their own.
    """
    rows = session.execute(
        select(StorageCharge.kind, func.sum(StorageCharge.bytes))
        .where(StorageCharge.owner_id == person_id)
        .group_by(StorageCharge.kind)
    )
    own = session.scalar(select(Person.storage_quota_bytes).where(Person.id == person_id))
    return Usage(default if own is None else own, {kind: int(taken) for kind, taken in rows if taken})


def require_room(session: Session, person_id: UUID, size: int, *, default: int) -> None:
    """Go on only if a file of that size still has room. Until the transaction ends, nobody else takes it.

    Raises:
        StorageFull: It has not.
    """
    _hold(session, person_id)
    usage = usage_of(session, person_id, default=default)
    if size > usage.left:
        raise StorageFull(
            f"This file has {_shown(size)}, and you have {_shown(usage.left)} of {_shown(usage.quota)} left.",
            remedy="`podium storage files` lists what takes the room; remove some, or ask the operator for more.",
        )


def require_within(session: Session, person_id: UUID, *, default: int) -> None:
    """Go on only if what was written in this transaction is within the person's quota.

    Raises:
        StorageFull: It is not.
    """
    _hold(session, person_id)
    usage = usage_of(session, person_id, default=default)
    if usage.used > usage.quota:
        raise StorageFull(
            f"With this, your files take {_shown(usage.used)}; they may take {_shown(usage.quota)}.",
            remedy="`podium storage files` lists what takes the room; remove some, or ask the operator for more.",
        )


def require_room_for_outputs(session: Session, organizer_id: UUID, *, default: int) -> None:
    """Go on only if what scoring leaves behind may still be kept. What is under way is kept in any case.

    Raises:
        StorageFull: The organizer's room is used up.
    """
    usage = usage_of(session, organizer_id, default=default)
    if usage.used > usage.quota:
        raise StorageFull(
            "The organizer of this competition has no room left for results.",
            remedy="Tell the organizer; nothing was taken from your limits.",
        )


def put_together(session: Session, *, most: int = 500) -> None:
    """Make one charge of many, for as many people. Who sums them up meanwhile finds the same sum."""
    session.execute(
        text(
            "WITH many AS (SELECT owner_id, kind, max(id) AS latest FROM storage_charges"
            " GROUP BY owner_id, kind HAVING count(*) > 20 LIMIT :most),"
            " gone AS (DELETE FROM storage_charges USING many WHERE storage_charges.owner_id = many.owner_id"
            " AND storage_charges.kind = many.kind AND storage_charges.id <= many.latest"
            " RETURNING storage_charges.owner_id, storage_charges.kind, storage_charges.bytes)"
            " INSERT INTO storage_charges (owner_id, kind, bytes)"
            " SELECT owner_id, kind, sum(bytes) FROM gone GROUP BY owner_id, kind HAVING sum(bytes) <> 0"
        ),
        {"most": most},
    )


def _hold(session: Session, person_id: UUID) -> None:
    """Let nobody else take room of this person's before this transaction ends."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))


def _shown(size: int) -> str:
    return shown_amount(size, Unit.BYTES)
