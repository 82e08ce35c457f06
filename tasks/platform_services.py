"""What the platform's own flows stand on: its database and Prefect, and that they are alive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from prefect.context import FlowRunContext

from podium.platform.database import Database
from podium.platform.flow_leases import alive
from podium.platform.mail.news import tell_people
from podium.platform.orchestration import Orchestration
from podium.platform.settings import ServerSettings, read_settings


@dataclass(frozen=True, slots=True)
class PlatformServices:
    """Settings, database and Prefect."""

    settings: ServerSettings
    database: Database
    orchestration: Orchestration


@contextmanager
def platform_services(flow: str = "") -> Iterator[PlatformServices]:
    """Connect to everything while the block runs; with the name of a flow, hold its lease."""
    settings = read_settings()
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    tell_people(database, settings)
    orchestration = Orchestration(settings.prefect_api_url)
    try:
        with holding_lease(database, flow) if flow else nullcontext():
            yield PlatformServices(settings, database, orchestration)
    finally:
        orchestration.close()
        database.close()


def holding_lease(database: Database, flow: str) -> AbstractContextManager[None]:
    """Say that the flow run that this is a part of is alive, while the block runs."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return nullcontext()
    return alive(database, context.flow_run.id, flow)
