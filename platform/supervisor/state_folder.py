"""The one folder in which everything is that Podium keeps on a machine.

lock                  held by the supervisor that runs
up.json               its ports, its parts and how they are
secret-key            signs requests to storage
admin-token, agent-*-token
postgres/  prefect/  storage/  gateway/  dashboards/  agent-cpu/  agent-docker/
logs/NAME.log
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from podium.platform.errors import Conflict, PlatformFault
from podium.platform.supervisor.secret_files import secret_once

_SYSTEM_WIDE = Path("/var/lib/podium")


class AlreadyRunning(Conflict):
    """Another supervisor holds the state folder."""

    type = "already-running"
    title = "Podium runs already"


def default_state_folder(environment: Mapping[str, str]) -> Path:
    """Return PODIUM_STATE; else /var/lib/podium for root, and for others a folder below their XDG_STATE_HOME."""
    if named := environment.get("PODIUM_STATE"):
        return Path(named)
    if os.geteuid() == 0:
        return _SYSTEM_WIDE
    base = environment.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "podium"


class StateFolder:
    """The state folder and what is where in it.

    Args:
        path: The folder; `make` makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.live_file = self.path / "up.json"

    def make(self) -> None:
        """Make the folder: open to pass through, since PostgreSQL runs as another user; what is in it is private.

        Raises:
            PlatformFault: It can't be made or written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o755)
        except OSError as error:
            raise self._unusable(error) from error
        self.private("logs")

    def _unusable(self, error: OSError) -> PlatformFault:
        return PlatformFault(
            f"The state folder {self.path} cannot be used: {error.strerror}.",
            remedy="Choose another one: podium up --state FOLDER.",
        )

    def private(self, name: str) -> Path:
        """Return a folder inside that only its owner may enter; made when missing."""
        folder = self.path / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def log(self, part: str) -> Path:
        """Return the log of a part."""
        return self.path / "logs" / f"{part}.log"

    def secret_key(self) -> str:
        """Return the key that signs requests to storage; made at the first start."""
        return secret_once(self.path / "secret-key")

    def lock(self) -> IO[str]:
        """Take the folder for this process and its forks, for as long as the returned file is open.

        Raises:
            AlreadyRunning: Another supervisor has it.
        """
        try:
            file = (self.path / "lock").open("w")
        except OSError as error:
            raise self._unusable(error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise AlreadyRunning(
                f"Podium already runs with the state folder {self.path}.",
                remedy="See podium status; stop it with podium down, or use another folder: podium up --state FOLDER.",
            ) from None
        return file
