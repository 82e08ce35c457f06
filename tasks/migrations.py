"""The steps of `migrate-phase`."""

from __future__ import annotations

from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE

from podium.platform.phase_migration import finish_if_done, migrate_part
from podium.tasks.platform_services import PlatformServices


@task(cache_policy=NO_CACHE)
def take_over(services: PlatformServices, phase_id: UUID) -> int:
    """Take over some more; return how many. Their flow runs are made by the gateway."""
    with services.database.session() as session:
        return len(migrate_part(session, phase_id))


@task(cache_policy=NO_CACHE)
def end_migration(services: PlatformServices, phase_id: UUID) -> bool:
    """End the migration if nothing is left that could still be taken over."""
    with services.database.session() as session:
        return finish_if_done(session, phase_id)
