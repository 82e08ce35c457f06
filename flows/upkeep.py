"""`reconcile` and `tick`: what the platform does every half minute to look after itself."""

from __future__ import annotations

from collections.abc import Callable

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.models import now
from podium.platform.orchestration import RECONCILE, TICK
from podium.tasks.platform_services import platform_services
from podium.tasks.upkeep import compare_with_prefect, follow_the_clock


def _named(flow_name: str) -> Callable[[], str]:
    """What a run is called: when it ran, rather than the two words that Prefect makes up for a schedule."""
    return lambda: f"{flow_name} {now():%Y-%m-%d %H:%M:%S}"


@flow(name=RECONCILE, flow_run_name=_named(RECONCILE))
def reconcile() -> State[None]:
    """Compare Postgres with Prefect and repair every disagreement."""
    with platform_services() as services:
        return Completed(message=compare_with_prefect(services))


@flow(name=TICK, flow_run_name=_named(TICK))
def tick() -> State[None]:
    """Open and end phases, and begin migrations."""
    with platform_services() as services:
        return Completed(message=follow_the_clock(services))
