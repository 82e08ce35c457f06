"""What dead attempts may have left on the agent's host: containers, control groups, folders, volumes."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from podium.agents.executors.measuring import owned_groups

from .agent_process import AGENT_NAME
from .breakages import waits
from .podium_site import Site

_READY = "podium-ready-"
"""How containers are called that were made ahead: those of them that wait for a program are nobody's orphans."""


def wait_until_gone(site: Site, *, seconds: float) -> list[str]:
    """Wait for the agent's sweep; what is there after that long is an orphan."""
    give_up = time.monotonic() + seconds
    while (found := left_behind(site)) and time.monotonic() < give_up:
        time.sleep(0.5)
    return found


def left_behind(site: Site) -> list[str]:
    """What no attempt has any more, when none is under way."""
    client = site.engine.client()
    try:
        names = [one["Names"][0].removeprefix("/") for one in client.containers(all=True)]
        ready = {name for name in names if name.startswith(_READY) and waits(client, name)}
        volumes = [str(one["Name"]) for one in client.volumes()["Volumes"] or []]
    finally:
        client.close()
    folder = site.folder / "agent"
    groups = [group for group in _groups(folder) if group.name not in ready]
    prepared = [one for one in folder.glob("prepared/*") if one.name not in ready]
    left = [*groups, *prepared, *folder.glob("attempts/*")]
    return [*(set(names) - ready), *volumes, *(str(path) for path in left)]


def _groups(folder: Path) -> list[Path]:
    owner = f"{AGENT_NAME}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"
    root, group = Path("/sys/fs/cgroup"), owned_groups(owner)
    return [inner for top in (root, *root.glob("*/")) for inner in (top / group).glob("*/")]
