"""Bundles, reruns, phases and migrations change here only: one conditional UPDATE, one event row, one notice.

Submissions, of which many change at once, have `podium.platform.submissions.transitions`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from podium.platform.database import notify
from podium.platform.events import bundle_topic, campaign_topic, import_topic, record_event, rerun_topic
from podium.platform.lifecycle import (
    BUNDLE_TRANSITIONS,
    CAMPAIGN_TRANSITIONS,
    IMPORT_TRANSITIONS,
    MIGRATION_TRANSITIONS,
    PHASE_TRANSITIONS,
    RERUN_TRANSITIONS,
    BundleStatus,
    CampaignStatus,
    IllegalTransition,
    ImportStatus,
    MigrationStatus,
    PhaseStatus,
    RerunStatus,
    origins,
)
from podium.platform.models import Bundle, ImportSession, MailCampaign, Phase, PhaseMigration, Rerun, now


def move_bundle(
    session: Session,
    bundle: Bundle,
    after: BundleStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Bundle, checked by SQLAlchemy
) -> None:
    """Change a bundle's status, if the table allows it from the status that it has in the database.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    before = bundle.status
    result = session.execute(
        update(Bundle)
        .where(Bundle.id == bundle.id, Bundle.status == before)
        .where(Bundle.status.in_(origins(BUNDLE_TRANSITIONS, after)))
        .values(status=after, message=reason, **values)
    )
    _require_changed(result, "bundle", before, after)
    _tell_of(session, bundle, "bundle", before, after, actor=actor, reason=reason)
    notify(session, bundle_topic(bundle.id))


def move_rerun(
    session: Session,
    rerun: Rerun,
    after: RerunStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of Rerun, checked by SQLAlchemy
) -> None:
    """Change a rerun's status, if the table allows it from the status that it has in the database.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    if after in {RerunStatus.ADOPTED, RerunStatus.CANCELLED}:
        values["ended"] = now()
    before = rerun.status
    result = session.execute(
        update(Rerun)
        .where(Rerun.id == rerun.id, Rerun.status == before)
        .where(Rerun.status.in_(origins(RERUN_TRANSITIONS, after)))
        .values(status=after, status_message=reason, version=Rerun.version + 1, **values)
    )
    _require_changed(result, "rerun", before, after)
    _tell_of(session, rerun, "rerun", before, after, actor=actor, reason=reason)
    notify(session, rerun_topic(rerun.id))


def move_import(
    session: Session,
    row: ImportSession,
    after: ImportStatus,
    *,
    actor: str,
    reason: str = "",
    run: int | None = None,
    **values: Any,  # noqa: ANN401  # columns of ImportSession, checked by SQLAlchemy
) -> None:
    """Change an import session's status, if the table allows it from the status that it has in the database.

    Args:
        run: Only while this is its latest run.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached, or another run has begun; nothing was
            changed.
    """
    before = row.status
    statement = (
        update(ImportSession)
        .where(ImportSession.id == row.id, ImportSession.status == before)
        .where(ImportSession.status.in_(origins(IMPORT_TRANSITIONS, after)))
        .values(status=after, message=reason, version=ImportSession.version + 1, **values)
    )
    result = session.execute(statement if run is None else statement.where(ImportSession.runs == run))
    _require_changed(result, "import session", before, after)
    _tell_of(session, row, "import", before, after, actor=actor, reason=reason, name=str(row.id))
    notify(session, import_topic(row.id))


def move_campaign(
    session: Session,
    campaign: MailCampaign,
    after: CampaignStatus,
    *,
    actor: str,
    reason: str = "",
    **values: Any,  # noqa: ANN401  # columns of MailCampaign, checked by SQLAlchemy
) -> None:
    """Change a campaign's status, if the table allows it from the status that it has in the database.

    Raises:
        IllegalTransition: The status is one from which `after` can't be reached; nothing was changed.
    """
    values["ended"] = now() if after in {CampaignStatus.SENT, CampaignStatus.CANCELLED} else None
    before = campaign.status
    result = session.execute(
        update(MailCampaign)
        .where(MailCampaign.id == campaign.id, MailCampaign.status == before)
        .where(MailCampaign.status.in_(origins(CAMPAIGN_TRANSITIONS, after)))
        .values(status=after, status_message=reason, version=MailCampaign.version + 1, **values)
    )
    _require_changed(result, "campaign", before, after)
    _tell_of(session, campaign, "campaign", before, after, actor=actor, reason=reason, name=str(campaign.number))
    notify(session, campaign_topic(campaign.id))


def announce_phase(session: Session, phase: Phase, after: PhaseStatus, *, actor: str) -> bool:
    """Remember that a phase has opened or ended; tell whether that is news.

    Of several that announce the same at once, one does.
    """
    before = phase.announced
    result = session.execute(
        update(Phase)
        .where(Phase.id == phase.id, Phase.announced == before)
        .where(Phase.announced.in_(origins(PHASE_TRANSITIONS, after)))
        .values(announced=after)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        return False
    session.refresh(phase)
    record_event(session, subject="phase", subject_id=phase.id, before=before, after=after, actor=actor)
    return True


def finish_migration(session: Session, migration: PhaseMigration, *, actor: str, message: str) -> None:
    """End the migration into a phase.

    Raises:
        IllegalTransition: It has ended before.
    """
    before, after = MigrationStatus.RUNNING, MigrationStatus.FINISHED
    result = session.execute(
        update(PhaseMigration)
        .where(PhaseMigration.phase_id == migration.phase_id)
        .where(PhaseMigration.status.in_(origins(MIGRATION_TRANSITIONS, after)))
        .values(status=after, message=message, ended=now())
    )
    _require_changed(result, "migration", before, after)
    session.refresh(migration)
    record_event(
        session,
        subject="migration",
        subject_id=migration.phase_id,
        before=before,
        after=after,
        actor=actor,
        reason=message,
    )


def _require_changed(result: Any, subject: str, before: str, after: str) -> None:  # noqa: ANN401  # a CursorResult
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise IllegalTransition(f"A {subject} that is {before} can't become {after}.")


def _tell_of(
    session: Session,
    row: Bundle | Rerun | ImportSession | MailCampaign,
    subject: str,
    before: str,
    after: str,
    *,
    actor: str,
    reason: str,
    name: str = "",
) -> None:
    """Have the row be what the database now has, and the change among the events."""
    session.refresh(row)
    record_event(
        session, subject=subject, subject_id=row.id, before=before, after=after, actor=actor, reason=reason, name=name
    )
