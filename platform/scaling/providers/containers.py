"""Agents as containers over one or several Docker hosts. Labels say whose a container is."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests
from docker import APIClient
from docker.errors import APIError, DockerException, NotFound
from docker.tls import TLSConfig
from docker.types import LogConfig

from podium.platform.scaling.providers.hosts import ask_each
from podium.platform.scaling.providers.orders import AgentOrder, Listing, ProviderFault
from podium.platform.scaling.providers.settings import DockerSettings

SITE, POOL, NAME = "podium.site", "podium.scaled.pool", "podium.scaled.agent"
"""Labels."""
CALL_SECONDS = 30
ANSWER_SECONDS = 15.0
"""A host that has not said within these which containers it has is taken to be down."""
STOP_SECONDS = 25
LAST_LINES = 3
LAST_WORDS = 400
SOCKET = "/var/run/docker.sock"
TOKEN = "/podium/token"  # noqa: S105  # where its file is


class DockerProvider:
    """Starts agents as containers.

    Args:
        site: Tells this Podium's containers from another's on the same hosts.
    """

    def __init__(self, settings: DockerSettings, site: str) -> None:
        self._settings = settings
        self._site = site

    def start(self, order: AgentOrder) -> None:
        """Start an agent on the host that has the fewest."""
        counted: list[tuple[int, str]] = []
        there, silent = self._own_by_host()
        troubles = list(silent.values())
        for host, own in there.items():
            if any(one["Labels"][NAME] == order.name for one in own if one["State"] == "running"):
                return
            if self._settings.per_host is None or len(own) < self._settings.per_host:
                counted.append((len(own), host))
            else:
                troubles.append(f"{host} has {len(own)} agents, the most that one host may have.")
        if not counted:
            raise ProviderFault(f"No Docker host takes another agent. {' '.join(troubles)}")
        with self._engine(min(counted)[1]) as engine:
            self._run(engine, order)

    def stop(self, pool: str, name: str) -> None:
        """Stop an agent on whichever host it is, and remove its container; a host that is down keeps no other waiting.

        Raises:
            ProviderFault: It is on none of the hosts that answer, and may be on another; or could not be stopped.
        """
        there, silent = self._own_by_host(pool)
        found = [(host, one["Id"]) for host, own in there.items() for one in own if one["Labels"][NAME] == name]
        for host, container in found:
            try:
                with self._engine(host) as engine:
                    self._remove(engine, container, name)
            except ProviderFault as fault:
                silent[host] = fault.detail
        if silent and (not found or any(host in silent for host, _ in found)):
            raise ProviderFault(f"Agent {name} may not have been stopped. {' '.join(silent.values())}")

    def list_own(self, pool: str) -> Listing:
        """The agents of a pool on all hosts that answer; what has ended is removed, with its last words kept."""
        running: set[str] = set()
        ended: dict[str, str] = {}
        there, silent = self._own_by_host(pool)
        unreachable = list(silent)
        for host, own in there.items():
            alive = {one["Labels"][NAME] for one in own if one["State"] in {"running", "restarting", "paused"}}
            running |= alive
            try:
                self._clear(host, [one for one in own if one["Labels"][NAME] not in alive], ended)
            except ProviderFault:
                unreachable.append(host)
        if len(unreachable) == len(self._settings.hosts):
            raise ProviderFault(f"No Docker host answers: {', '.join(unreachable)}.")
        return Listing(frozenset(running), ended, tuple(unreachable))

    def _clear(self, host: str, containers: list[dict[str, Any]], ended: dict[str, str]) -> None:
        """Remove what has ended on a host; note its last words by the agents' names."""
        if not containers:
            return
        with self._engine(host) as engine:
            for one in containers:
                name = one["Labels"][NAME]
                words = engine.logs(one["Id"], tail=LAST_LINES).decode(errors="replace")
                ended[name] = " ".join(words.split())[-LAST_WORDS:]
                self._remove(engine, one["Id"], name)

    def _own_by_host(self, pool: str = "") -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
        """The containers by host, of one pool or all; and by host why there is no answer."""

        def ask(host: str) -> list[dict[str, Any]]:
            with self._engine(host) as engine:
                return self._containers(engine, pool)

        return ask_each(self._settings.hosts, ask, seconds=ANSWER_SECONDS)

    @contextmanager
    def _engine(self, host: str) -> Iterator[APIClient]:
        engine = None
        try:
            engine = APIClient(
                base_url=host, version="auto", timeout=CALL_SECONDS, use_ssh_client=True, tls=self._tls(host)
            )
            yield engine
        except (DockerException, requests.RequestException, OSError) as error:
            said = error.explanation if isinstance(error, APIError) and error.explanation else error
            raise ProviderFault(f"Docker host {host}: {str(said)[:LAST_WORDS].rstrip('.')}.") from error
        finally:
            if engine is not None:
                engine.close()

    def _tls(self, host: str) -> TLSConfig | bool:
        folder = self._settings.tls_folder
        if folder is None or not host.startswith("tcp://"):
            return False
        pair = (str(folder / "cert.pem"), str(folder / "key.pem"))
        return TLSConfig(client_cert=pair, ca_cert=str(folder / "ca.pem"), verify=True)

    def _containers(self, engine: APIClient, pool: str = "") -> list[dict[str, Any]]:
        labels = [f"{SITE}={self._site}", *([f"{POOL}={pool}"] if pool else [])]
        found: list[dict[str, Any]] = engine.containers(all=True, filters={"label": labels})
        return [one for one in found if NAME in one["Labels"]]

    def _run(self, engine: APIClient, order: AgentOrder) -> None:
        name = f"podium-{self._site[:8]}-{order.name}"
        with suppress(NotFound):
            engine.remove_container(name, force=True, v=True)  # what a start that was cut off has left
        folder = self._settings.folder / order.name
        binds = [f"{SOCKET}:{SOCKET}", f"{folder}:{folder}"] if self._settings.docker_socket else []
        made = engine.create_container(
            self._settings.image,
            command=["python3", "-m", "podium.agents"],
            name=name,
            environment=self._environment(order, folder),
            labels={SITE: self._site, POOL: order.pool, NAME: order.name},
            stop_signal="SIGTERM",
            host_config=engine.create_host_config(
                network_mode=self._settings.network,
                binds=binds,
                init=True,
                security_opt=["no-new-privileges"],
                log_config=LogConfig(type="json-file", config={"max-size": "10m", "max-file": "2"}),
            ),
        )
        try:
            # In a file, since whoever may look at a container sees its environment.
            engine.put_archive(made["Id"], "/", _token_archive(order.token))
            engine.start(made["Id"])
        except (DockerException, requests.RequestException):
            engine.remove_container(made["Id"], force=True, v=True)
            raise

    def _environment(self, order: AgentOrder, folder: Path) -> dict[str, str]:
        return {
            # Without an engine there are no containers to run programs in.
            "PODIUM_AGENT_EXECUTOR": "docker" if self._settings.docker_socket else "process",
            **self._settings.environment,
            "PODIUM_GATEWAY": order.gateway,
            "PREFECT_API_URL": order.prefect,
            "PODIUM_AGENT_TOKEN_FILE": TOKEN,
            "PODIUM_AGENT_FOLDER": str(folder),
            "PODIUM_AGENT_POOL": order.pool,
            "PODIUM_AGENT_NAME": order.name,
            "PODIUM_AGENT_SLOTS": str(order.slots),
            "HOME": str(folder),
        }

    def _remove(self, engine: APIClient, container: str, name: str) -> None:
        with suppress(NotFound):
            engine.stop(container, timeout=STOP_SECONDS)
            engine.remove_container(container, force=True, v=True)
        if self._settings.docker_socket:
            self._remove_folder(engine, self._settings.folder / name)

    def _remove_folder(self, engine: APIClient, folder: Path) -> None:
        """Remove what an agent kept on its host, which only a container there can reach."""
        parent = self._settings.folder
        made = engine.create_container(
            self._settings.image,
            command=["rm", "-rf", "--", str(folder)],
            host_config=engine.create_host_config(network_mode="none", binds=[f"{parent}:{parent}"]),
        )
        try:
            engine.start(made["Id"])
            engine.wait(made["Id"], timeout=CALL_SECONDS)
        finally:
            engine.remove_container(made["Id"], force=True, v=True)


def _token_archive(token: str) -> bytes:
    archive = io.BytesIO()
    data = f"{token}\n".encode()
    path = Path(TOKEN)
    with tarfile.open(fileobj=archive, mode="w") as tar:
        folder = tarfile.TarInfo(path.parent.name)
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        file = tarfile.TarInfo(str(path).lstrip("/"))
        file.size, file.mode = len(data), 0o600
        tar.addfile(file, io.BytesIO(data))
    return archive.getvalue()
