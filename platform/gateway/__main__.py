"""`python -m podium.platform.gateway`: serves the gateway with the settings of the environment."""

from __future__ import annotations

import contextlib
import sys

from uvicorn.config import STARTUP_FAILURE

from podium.platform.errors import PodiumError
from podium.platform.gateway.app import create_app
from podium.platform.gateway.serving import GatewayServer
from podium.platform.settings import read_settings


def main() -> int:
    """Serve until stopped."""
    try:
        settings = read_settings()
        app = create_app(settings)
    except PodiumError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    server = GatewayServer(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        # The application does it, for the proxies that the operator names alone.
        proxy_headers=False,
        server_header=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else STARTUP_FAILURE


if __name__ == "__main__":
    sys.exit(main())
