"""The gateway's application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from podium.platform.gateway import problems
from podium.platform.gateway.access import let_in, require_table_complete
from podium.platform.gateway.door import PREFIX, Door
from podium.platform.gateway.guards import DOCS_PATH, Guards, headers_for
from podium.platform.gateway.routes import (
    agents,
    audit,
    bundles,
    choices,
    collaborators,
    competitions,
    content,
    exports,
    images,
    leaderboards,
    offers,
    organizing,
    people,
    phases,
    pools,
    prefect,
    public_boards,
    reruns,
    scaling,
    sign_in,
    slices,
    storage,
    stored_files,
    submissions,
    tasks,
    teams,
    uploads,
)
from podium.platform.gateway.services import Services
from podium.platform.settings import ServerSettings
from podium.platform.version import VERSION

ROUTES = (
    people,
    sign_in,
    competitions,
    leaderboards,
    public_boards,
    content,
    organizing,
    collaborators,
    phases,
    bundles,
    submissions,
    choices,
    offers,
    reruns,
    tasks,
    teams,
    exports,
    images,
    slices,
    audit,
    agents,
    prefect,
    pools,
    scaling,
    storage,
    uploads,
    stored_files,
)
"""The modules of routes."""


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
        await services.prefect_proxy.close()
        services.orchestration.close()
        services.database.close()
        services.slices.close()
        if services.provider is not None:
            services.provider.close()

    app = FastAPIOffline(
        title="Podium",
        version=VERSION,
        summary="Data-science competitions: bundles in, scored leaderboards out.",
        openapi_url="/api/openapi.json",
        docs_url=DOCS_PATH,
        static_url="/api/docs-static",
        redoc_url=None,
        lifespan=lifespan,
    )
    services = app.state.services = Services.of(settings)
    routers = [module.router for module in ROUTES]
    require_table_complete(routers)
    for router in routers:
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(let_in)])
    headers = headers_for(settings.public_url)
    # The last one is the outermost.
    app.add_middleware(Door, routers=routers, database=services.database, pacing=services.pacing)
    app.add_middleware(Guards, headers=headers)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    problems.install(app, headers)
    return app
