"""`python -m podium.platform.gateway`: serves the gateway with the settings of the environment."""

from __future__ import annotations

import sys

import uvicorn

from podium.platform.errors import PodiumError
from podium.platform.gateway.app import create_app
from podium.platform.settings import read_settings


def main() -> int:
    """Serve until stopped."""
    try:
        settings = read_settings()
        app = create_app(settings)
    except PodiumError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Watchers hold connections for up to 30 s; a stop should not wait for all of them.
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_level="warning",
        timeout_graceful_shutdown=5,
        access_log=False,
        # The application does it, for the proxies that the operator names alone.
        proxy_headers=False,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
