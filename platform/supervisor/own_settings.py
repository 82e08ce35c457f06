"""Settings that `podium up` has chosen by itself, for commands that run beside it with nothing set."""

from __future__ import annotations

from collections.abc import Mapping

from podium.platform.errors import PodiumError
from podium.platform.supervisor.live_state import read_live_state
from podium.platform.supervisor.state_folder import StateFolder, default_state_folder


def settings_of_state(environment: Mapping[str, str]) -> dict[str, str]:
    """What the gateway of this machine's state folder uses of key, store and address; empty where there is none.

    What the environment names comes before all of it. The database is named for form: a store needs none.
    """
    folder = StateFolder(default_state_folder(environment)).path
    try:
        found = {
            "PODIUM_SECRET_KEY": (folder / "secret-key").read_text().strip(),
            "PODIUM_STORAGE_URL": (folder / "storage").as_uri(),
            "PODIUM_DATABASE_URL": "postgresql:///podium",
        }
    except OSError:
        return {}
    try:
        port = read_live_state(folder / "up.json").ports["gateway"]
    except (PodiumError, OSError, KeyError, ValueError):
        return found
    return {**found, "PODIUM_PUBLIC_URL": f"http://127.0.0.1:{port}"}
