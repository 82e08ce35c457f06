"""`rerun-phase`: score submissions again, compare the results, adopt them all at once."""

from __future__ import annotations

from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.orchestration import RERUN_PHASE
from podium.tasks.platform_services import platform_services
from podium.tasks.reruns import begin_rerun, compare_and_adopt, score_all


@flow(name=RERUN_PHASE)
def rerun_phase(rerun_id: UUID) -> State[None]:
    """Drive a rerun to its end. It may be killed at any point, and begun again."""
    with platform_services(RERUN_PHASE) as services:
        if not begin_rerun(services, rerun_id):
            return Completed(name="Skipped", message="There is nothing to do: it is paused, over, or gone.")
        if not score_all(services, rerun_id):
            return Completed(name="Interrupted", message="It was paused or cancelled, or goes on elsewhere.")
        return Completed(message=compare_and_adopt(services, rerun_id))
