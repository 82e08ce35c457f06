"""`reconcile` and `tick`: what the platform does every half minute to look after itself."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.orchestration import RECONCILE, TICK
from podium.tasks.platform_services import platform_services
from podium.tasks.upkeep import compare_with_prefect, follow_the_clock


@flow(name=RECONCILE)
def reconcile() -> State[None]:
    """Compare Postgres with Prefect and repair every disagreement."""
    with platform_services() as services:
        return Completed(message=compare_with_prefect(services))


@flow(name=TICK)
def tick() -> State[None]:
    """Open and end phases, and begin migrations."""
    with platform_services() as services:
        return Completed(message=follow_the_clock(services))
