"""That something has changed: how it is remembered, and the topics under which watchers hear of it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.models import Event


def record_event(
    session: Session,
    *,
    subject: str,
    subject_id: UUID,
    before: str | None,
    after: str,
    actor: str,
    reason: str = "",
    name: str = "",
) -> None:
    """Remember that something changed, who did it and why; in the audit log too, where it is an organizer's act.

    Args:
        name: What people call it, where the address of the call does not say so.
    """
    audit.note(session, subject, name=name, before=before, after=after, reason=reason)
    session.add(
        Event(subject=subject, subject_id=subject_id, before=before, after=after, actor=actor[:200], reason=reason)
    )


def submission_topic(submission_id: UUID) -> str:
    """The topic under which watchers of a submission are told."""
    return f"submission:{submission_id}"


def bundle_topic(bundle_id: UUID) -> str:
    """The topic under which watchers of a bundle are told."""
    return f"bundle:{bundle_id}"


def pool_topic(pool: str) -> str:
    """The topic under which a pool's agents are told that there is work."""
    return f"pool:{pool}"


def rerun_topic(rerun_id: UUID) -> str:
    """The topic under which watchers of a rerun are told."""
    return f"rerun:{rerun_id}"


def import_topic(session_id: UUID) -> str:
    """The topic under which watchers of an import session are told."""
    return f"import:{session_id}"


def campaign_topic(campaign_id: UUID) -> str:
    """The topic under which watchers of a campaign are told."""
    return f"campaign:{campaign_id}"
