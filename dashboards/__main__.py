"""`python -m podium.dashboards`: serves the pages until it is told to stop."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from podium.dashboards.server import server_arguments
from podium.dashboards.settings import read_settings
from podium.platform.errors import PodiumError


def main() -> None:
    """Become the Streamlit server, so that a signal to this process reaches it."""
    try:
        settings = read_settings()
    except PodiumError as error:
        sys.exit(str(error))
    print(f"Dashboards on http://{settings.host}:{settings.port}, gateway {settings.gateway}", flush=True)
    script = Path(__file__).parent / "served.py"
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(script), *server_arguments(settings)])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
