"""The gateway's application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline

from podium.platform.gateway import problems
from podium.platform.gateway.access import authorize, require_table_complete
from podium.platform.gateway.guards import HEADERS, Guards
from podium.platform.gateway.routes import (
    agents,
    bundles,
    competitions,
    people,
    phases,
    pools,
    reruns,
    scaling,
    storage,
    submissions,
    tasks,
)
from podium.platform.gateway.services import Services
from podium.platform.settings import ServerSettings
from podium.platform.version import VERSION


def create_app(settings: ServerSettings) -> FastAPI:
    """The gateway, ready to be served."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services: Services = app.state.services
        await services.notices.start()
        services.dispatcher.start()
        yield
        services.dispatcher.stop()
        await services.notices.stop()
        services.orchestration.close()
        services.database.close()

    app = FastAPIOffline(
        title="Podium",
        version=VERSION,
        summary="Data-science competitions: bundles in, scored leaderboards out.",
        openapi_url="/api/openapi.json",
        docs_url="/api/docs",
        static_url="/api/docs-static",
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = Services.of(settings)
    modules = (people, competitions, phases, bundles, submissions, reruns, tasks, agents, pools, scaling, storage)
    routers = [module.router for module in modules]
    require_table_complete(routers)
    for router in routers:
        app.include_router(router, prefix="/api/v1", dependencies=[Depends(authorize)])
    app.add_middleware(Guards)
    problems.install(app, HEADERS)
    return app
