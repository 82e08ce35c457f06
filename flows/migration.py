"""`migrate-phase`: what stands on the leaderboard of the phase before is scored in this phase too."""

from __future__ import annotations

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.orchestration import MIGRATE_PHASE
from podium.tasks.migrations import end_migration, take_over
from podium.tasks.platform_services import platform_services


@flow(name=MIGRATE_PHASE)
def migrate_phase(phase_id: UUID) -> State[None]:
    """Take over what is scored. It may be killed at any point, and begun again."""
    with platform_services(MIGRATE_PHASE) as services:
        copied = 0
        while part := take_over(services, phase_id):
            copied += part
        ended = end_migration(services, phase_id)
        rest = "" if ended else " The rest is taken over when it is scored."
        taken = "1 submission was" if copied == 1 else f"{copied} submissions were"
        return Completed(message=f"{taken} taken over.{rest}")
