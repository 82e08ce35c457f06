"""What is driven by a flow of the platform's own, and which run each needs: bundles, reruns, imports, mail and so on.

That it gets one is the same for all of them: its row is locked, so that of several who see to it at once one does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from podium.platform.batches import rerun_tags
from podium.platform.database import Database, notify
from podium.platform.errors import PlatformFault
from podium.platform.events import pool_topic
from podium.platform.image_imports import TRIED_AGAIN, UNDER_WAY
from podium.platform.lifecycle import BundleStatus, CampaignStatus, ImportStatus, MigrationStatus, RerunStatus
from podium.platform.mail.rounds import begin_round, due_campaigns, send_on_time
from podium.platform.models import Bundle, ImportSession, MailCampaign, MailRound, Phase, PhaseMigration, Rerun, now
from podium.platform.orchestration import (
    CREATE_COMPETITION,
    DELIVER_MAIL,
    IMPORT_IMAGES,
    MIGRATE_PHASE,
    PLATFORM_POOL,
    RERUN_PHASE,
    SEND_MASS_EMAIL,
    Orchestration,
)
from podium.platform.phase_migration import waiting_for_a_flow
from podium.platform.transitions import move_bundle, move_import

logger = logging.getLogger(__name__)
READ = frozenset({BundleStatus.QUEUED, BundleStatus.READING})
"""A bundle in one of these needs a flow that reads it."""
DRIVEN = frozenset({RerunStatus.WAITING, RerunStatus.RUNNING})
"""A rerun in one of these needs a flow that drives it."""
RERUNS_AT_ONCE = 4
"""Reruns that are driven at the same time, of all competitions; the others wait for their turn."""
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0, 5, 30, 120, 600, 1200))
"""How long after the last flow for a bundle or an import the next one is begun at the earliest: before the first, the
second and so on. A store that is away for half an hour is waited for; what ends whoever reads it does not do so for
ever, for there are no more flows than pauses (for an import: until somebody says to try again)."""
IMPORTS_AT_ONCE = 2
"""Imports that run at the same time, of all people, and one of each; the others wait for their turn."""
CAMPAIGNS_AT_ONCE = 2
"""Campaigns that are sent at the same time, of all competitions; the others wait for their turn."""
Row = TypeVar("Row", Bundle, Rerun, PhaseMigration, ImportSession, MailCampaign, MailRound)


@dataclass(frozen=True, slots=True)
class NeededRun:
    """A flow run to make: one for each key."""

    key: str
    name: str
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Driven(Generic[Row]):
    """A kind of thing that is driven by a flow.

    Args:
        word: What people call one.
        flow: The deployment whose run drives one, on this queue of the platform's own pool.
        parameter: The name by which that flow is given the id.
        needed: The run that a row needs which has none, its row locked; None where it needs none now.
        waiting: The ids of those that seem to need one.
    """

    word: str
    model: type[Row]
    flow: str
    parameter: str
    queue: str
    needed: Callable[[Session, Row], NeededRun | None]
    waiting: Callable[[Session], Sequence[UUID]]

    def dispatch(self, database: Database, orchestration: Orchestration, one: UUID) -> None:
        """Make the flow run of one that needs it and has none."""
        with database.session() as session:
            row = session.get(self.model, one, with_for_update={"of": self.model})
            needed = self.needed(session, row) if row is not None and row.flow_run_id is None else None
            if row is None or needed is None:
                return
            try:
                row.flow_run_id = orchestration.dispatch_flow(
                    self.flow,
                    {self.parameter: one},
                    key=needed.key,
                    name=needed.name,
                    tags=needed.tags,
                    queue=self.queue,
                )
            except PlatformFault as error:
                logger.warning("%s %s could not be dispatched: %s", self.word, one, error)
                return
            row.dispatches += 1
            row.dispatched = now()
            notify(session, pool_topic(PLATFORM_POOL))


def rests(dispatches: int, dispatched: datetime | None, moment: datetime) -> bool:
    """Whether it is too early for the next flow of a bundle or an import that had so many, the last one then."""
    if dispatched is None or dispatches >= len(PAUSES):
        return False
    return moment < dispatched + PAUSES[dispatches]


def _needed_by_bundle(session: Session, bundle: Bundle) -> NeededRun | None:
    if bundle.status not in READ:
        return None
    if rests(bundle.dispatches, bundle.dispatched, now()):
        return None
    if bundle.dispatches >= len(PAUSES):
        reason = f"Podium was interrupted {len(PAUSES)} times while it read the bundle. Tell the operators."
        move_bundle(session, bundle, BundleStatus.FAILED, actor="gateway", reason=reason)
        return None
    return NeededRun(
        key=f"{bundle.id}" if not bundle.dispatches else f"{bundle.id}/{bundle.dispatches + 1}",
        name=f"create {bundle.filename}"[:200],
        tags=[f"bundle:{bundle.id}"],
    )


def _needed_by_rerun(session: Session, rerun: Rerun) -> NeededRun | None:
    if rerun.status not in DRIVEN:
        return None
    driven = session.scalar(select(func.count()).where(Rerun.status.in_(DRIVEN), Rerun.flow_run_id.is_not(None)))
    if (driven or 0) >= RERUNS_AT_ONCE:
        return None
    return NeededRun(
        key=f"{rerun.id}/{rerun.dispatches + 1}",
        name=f"{rerun.competition.slug} rerun {rerun.number}",
        tags=rerun_tags(session, rerun),
    )


def _needed_by_migration(session: Session, migration: PhaseMigration) -> NeededRun | None:
    if migration.status is not MigrationStatus.RUNNING:
        return None
    phase = session.get_one(Phase, migration.phase_id)
    slug, number = phase.competition.slug, phase.position + 1
    return NeededRun(
        key=f"migrate/{phase.id}/{migration.dispatches + 1}",
        name=f"{slug} migrate into phase {number}",
        tags=[f"competition:{slug}", f"phase:{number}"],
    )


def _needed_by_import(session: Session, row: ImportSession) -> NeededRun | None:
    if row.status not in UNDER_WAY:
        return None
    if rests(row.dispatches, row.dispatched, now()):
        return None
    if row.dispatches >= len(PAUSES):
        why = row.message.replace(TRIED_AGAIN, "") or "It was interrupted each time."
        reason = f"Podium has tried {len(PAUSES)} times. {why} Try again later, or tell the operators."
        move_import(session, row, ImportStatus.FAILED, actor="gateway", reason=reason)
        return None
    # Whoever is first of two that look at the same time holds the second.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('podium-imports'))"))
    driven = session.scalars(
        select(ImportSession.person_id).where(
            ImportSession.status.in_(UNDER_WAY), ImportSession.flow_run_id.is_not(None)
        )
    ).all()
    if len(driven) >= IMPORTS_AT_ONCE or row.person_id in driven:
        return None
    return NeededRun(
        key=f"{row.id}/{row.version}/{row.dispatches + 1}",
        name=f"import images {row.id}",
        tags=[f"import:{row.id}"],
    )


def _waiting_imports(session: Session) -> Sequence[UUID]:
    return session.scalars(
        select(ImportSession.id)
        .where(ImportSession.status.in_(UNDER_WAY), ImportSession.flow_run_id.is_(None))
        .order_by(ImportSession.created)
        .limit(100)
    ).all()


def _waiting_bundles(session: Session) -> Sequence[UUID]:
    return session.scalars(select(Bundle.id).where(Bundle.status.in_(READ), Bundle.flow_run_id.is_(None))).all()


def _waiting_reruns(session: Session) -> Sequence[UUID]:
    return session.scalars(
        select(Rerun.id).where(Rerun.status.in_(DRIVEN), Rerun.flow_run_id.is_(None)).order_by(Rerun.created)
    ).all()


def _needed_by_campaign(session: Session, campaign: MailCampaign) -> NeededRun | None:
    send_on_time(session, campaign)
    if campaign.status is not CampaignStatus.SENDING:
        return None
    sending = select(func.count()).where(
        MailCampaign.status == CampaignStatus.SENDING, MailCampaign.flow_run_id.is_not(None)
    )
    if (session.scalar(sending) or 0) >= CAMPAIGNS_AT_ONCE:
        return None
    slug = campaign.competition.slug
    return NeededRun(
        key=f"mail/{campaign.id}/{campaign.dispatches + 1}",
        name=f"{slug} campaign {campaign.number}",
        tags=[f"competition:{slug}", f"campaign:{campaign.number}"],
    )


def _needed_by_round(_: Session, mail: MailRound) -> NeededRun | None:
    if mail.ended is not None:
        return None
    return NeededRun(key=f"mail-round/{mail.id}/{mail.dispatches + 1}", name="deliver mail", tags=["mail"])


BUNDLES = Driven(
    word="bundle",
    model=Bundle,
    flow=CREATE_COMPETITION,
    parameter="bundle_id",
    queue="fast",
    needed=_needed_by_bundle,
    waiting=_waiting_bundles,
)
RERUNS = Driven(
    word="rerun",
    model=Rerun,
    flow=RERUN_PHASE,
    parameter="rerun_id",
    queue="rerun",
    needed=_needed_by_rerun,
    waiting=_waiting_reruns,
)
MIGRATIONS = Driven(
    word="migration into phase",
    model=PhaseMigration,
    flow=MIGRATE_PHASE,
    parameter="phase_id",
    queue="default",
    needed=_needed_by_migration,
    waiting=waiting_for_a_flow,
)
IMPORTS = Driven(
    word="import session",
    model=ImportSession,
    flow=IMPORT_IMAGES,
    parameter="session_id",
    queue="default",
    needed=_needed_by_import,
    waiting=_waiting_imports,
)
CAMPAIGNS = Driven(
    word="campaign",
    model=MailCampaign,
    flow=SEND_MASS_EMAIL,
    parameter="campaign_id",
    queue="default",
    needed=_needed_by_campaign,
    waiting=due_campaigns,
)
ROUNDS = Driven(
    word="round of mail",
    model=MailRound,
    flow=DELIVER_MAIL,
    parameter="round_id",
    queue="fast",
    needed=_needed_by_round,
    waiting=begin_round,
)
AnyDriven = (
    Driven[Bundle]
    | Driven[Rerun]
    | Driven[PhaseMigration]
    | Driven[ImportSession]
    | Driven[MailCampaign]
    | Driven[MailRound]
)
DRIVEN_KINDS: tuple[AnyDriven, ...] = (BUNDLES, RERUNS, MIGRATIONS, IMPORTS, CAMPAIGNS, ROUNDS)
