"""What the routes stand on, made once for a gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from podium.platform import audit
from podium.platform.database import Database
from podium.platform.dispatch import Dispatcher
from podium.platform.gateway.board_snapshots import BoardSnapshots
from podium.platform.gateway.pacing import Pacing
from podium.platform.gateway.prefect_proxy import PrefectProxy
from podium.platform.gateway.slice_drawing import SliceDrawing
from podium.platform.mail.news import tell_people
from podium.platform.notices import Notices
from podium.platform.orchestration import Orchestration
from podium.platform.settings import ServerSettings
from podium.platform.sign_in.configuration import read_provider
from podium.platform.sign_in.provider import Provider
from podium.platform.storage import Storage, open_storage


@dataclass(frozen=True, slots=True)
class Services:
    """Database, storage, Prefect and news; and the provider that people sign in at, where there is one."""

    settings: ServerSettings
    database: Database
    storage: Storage
    orchestration: Orchestration
    dispatcher: Dispatcher
    notices: Notices
    prefect_proxy: PrefectProxy
    provider: Provider | None
    boards: BoardSnapshots
    slices: SliceDrawing
    pacing: Pacing

    @classmethod
    def of(cls, settings: ServerSettings) -> Services:
        """Connect everything that the settings name; nothing is started."""
        provider = read_provider(settings)
        database = Database(settings.database_url.get_secret_value())
        database.before_commit(audit.write)
        tell_people(database, settings)
        orchestration = Orchestration(settings.prefect_api_url)
        storage = open_storage(settings)
        return cls(
            settings=settings,
            database=database,
            storage=storage,
            orchestration=orchestration,
            dispatcher=Dispatcher(
                database,
                orchestration,
                upload_seconds=settings.upload_seconds,
                lease_seconds=settings.lease_seconds,
            ),
            notices=Notices(database),
            prefect_proxy=PrefectProxy(settings.prefect_api_url),
            provider=Provider(provider) if provider is not None else None,
            boards=BoardSnapshots(database),
            slices=SliceDrawing(settings, storage),
            pacing=Pacing(settings.rate_limits),
        )


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


WithServices = Annotated[Services, Depends(_services)]
"""Parameter of a route that needs the services."""
