"""What is broken, and how: each breakage is done to the real part, and undone."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException

from .podium_site import LEASE_SECONDS, Site

KILL, FREEZE, NETWORK, DISK = "kill", "freeze", "network", "disk"
TARGETS: dict[str, tuple[str, ...]] = {
    KILL: ("agent", "gateway", "prefect", "postgres", "dockerd", "container"),
    FREEZE: ("agent", "gateway", "prefect", "postgres", "dockerd", "container"),
    # Dockerd has a socket alone, and a container no network at all.
    NETWORK: ("agent", "gateway", "prefect", "postgres"),
    # Prefect keeps everything in Postgres; the gateway's disk is the store's.
    DISK: ("agent", "gateway", "postgres", "dockerd"),
}
PAST_THE_LEASE = LEASE_SECONDS + 0.7
MOST_SECONDS = LEASE_SECONDS + 7
"""The lease, the tick after it, and some."""
FULL_SECONDS = 2.5
_ENGINE_RESTART_SECONDS = 0.5


@dataclass(frozen=True)
class Breakage:
    """One thing that goes wrong, such as `kill agent`."""

    kind: str
    target: str

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"


ALL = tuple(Breakage(kind, target) for kind, targets in TARGETS.items() for target in targets)


def break_and_mend(
    breakage: Breakage, site: Site, chance: random.Random, *, is_over: Callable[[], bool]
) -> tuple[float, float]:
    """Do it, leave it so for a while, and undo it; return when it began and when it was undone, by `time.time`.

    An agent that is frozen or cut off stays so until the gateway has given up its attempts, which `is_over` tells.

    A part that was killed is started again by whoever looks after it: the supervisor, or the harness for what is not
    the supervisor's.
    """
    begin, undo, seconds = _KINDS[breakage.kind](breakage.target, site, chance)
    began = time.time()
    begin()
    try:
        time.sleep(seconds)
        if breakage.target == "agent" and breakage.kind in (FREEZE, NETWORK):
            while not is_over() and time.time() < began + MOST_SECONDS:
                time.sleep(0.05)
    finally:
        undo()
    return began, time.time()


_Steps = tuple[Callable[[], object], Callable[[], object], float]


def _kill(target: str, site: Site, chance: random.Random) -> _Steps:
    pid = _pid(target, site, chance)
    if target == "dockerd":
        return site.engine.kill, site.engine.start, _ENGINE_RESTART_SECONDS
    if target == "container":
        return (lambda: _kill_container(pid, site, chance)), (lambda: None), 0
    return (lambda: os.kill(pid, signal.SIGKILL)), (lambda: None), 0


def _kill_container(pid: int, site: Site, chance: random.Random) -> None:
    """One that has ended by itself meanwhile leaves it to the next."""
    while True:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pid = _container(site, chance)
        else:
            return


def _freeze(target: str, site: Site, chance: random.Random) -> _Steps:
    # All of Postgres's processes, and all of a container's.
    pids = tree(_pid(target, site, chance)) if target != "dockerd" else [site.engine.pid]
    return (lambda: _send(pids, signal.SIGSTOP)), (lambda: _send(pids, signal.SIGCONT)), PAST_THE_LEASE


def _network(target: str, site: Site, chance: random.Random) -> _Steps:
    network = site.network
    if target == "agent":
        return network.cut_link, network.restore_link, PAST_THE_LEASE
    port = site.live.ports[target]
    return (lambda: network.cut_port(port)), (lambda: network.restore_port(port)), PAST_THE_LEASE


def _disk(target: str, site: Site, chance: random.Random) -> _Steps:
    disk = site.disks[target]
    return disk.fill, disk.free, FULL_SECONDS


_KINDS: dict[str, Callable[[str, Site, random.Random], _Steps]] = {
    KILL: _kill,
    FREEZE: _freeze,
    NETWORK: _network,
    DISK: _disk,
}


def _pid(target: str, site: Site, chance: random.Random) -> int:
    if target == "container":
        return _container(site, chance)
    pid = site.pid(target)
    assert pid is not None, f"{target} does not run"
    return pid


def _container(site: Site, chance: random.Random) -> int:
    """The first process of a container that is an attempt's; where there is none just now, of the next one."""
    client = site.engine.client()
    try:
        give_up = time.monotonic() + 15
        while time.monotonic() < give_up:
            if found := _running(client):
                return chance.choice(found)
            time.sleep(0.01)
    finally:
        client.close()
    raise AssertionError("there was no container to break")


def _running(client: APIClient) -> list[int]:
    """First processes of the containers in which a program works; those that wait for one are not meant."""
    found = []
    for one in client.containers(filters={"label": "podium"}):
        with suppress(DockerException, OSError):  # it has gone meanwhile
            pid = int(client.inspect_container(one["Id"])["State"]["Pid"])
            if pid and any(_name(inner) == "python3" for inner in tree(pid)):
                found.append(pid)
    return found


def waits(client: APIClient, container: str) -> bool:
    """Whether a container runs, and no program in it."""
    with suppress(DockerException, OSError):
        pid = int(client.inspect_container(container)["State"]["Pid"])
        return bool(pid) and all(_name(inner) != "python3" for inner in tree(pid))
    return False


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]


def tree(pid: int) -> list[int]:
    """A process and all that come of it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
