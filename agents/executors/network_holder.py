"""The network of a program that has an allow-list: a namespace with nothing but loopback, and a proxy on it.

An idle container without any network holds the namespace, and the program's container joins it. So the proxy listens
there before the program begins, and everything goes with the program's end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from docker import APIClient
from docker.errors import APIError
from docker.types import LogConfig

from podium.agents.executors.allow_proxy import AllowProxy
from podium.agents.executors.allowed_network import AllowList
from podium.agents.executors.engine_errors import died_before_start, engine_call
from podium.agents.executors.network_door import PORT, listen_inside
from podium.platform.jobs import MIB
from podium.tasks.programs import ExecutorFault

_IDLE = ("sleep", "2147483647")
_ADDRESS = f"http://127.0.0.1:{PORT}"
PROXY_VARIABLES: Mapping[str, str] = {
    **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"), _ADDRESS),
    **dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1"),
}
"""What tells programs of their proxy."""


@dataclass(frozen=True, slots=True)
class HolderPlan:
    """How the container that holds a namespace is made.

    Attributes:
        image: One that has `sleep`, and that is the operator's.
        network_disabled: Without network by the container's own switch, where that was proven to isolate.
    """

    name: str
    image: str
    user: int
    labels: Mapping[str, str]
    network_disabled: bool


@dataclass(frozen=True, slots=True)
class OpenNetwork:
    """A network that a program may join.

    Attributes:
        holder: The id of the container that holds it.
        proxy: Its way out.
    """

    holder: str
    proxy: AllowProxy


@contextmanager
def opened_network(
    client: APIClient,
    plan: HolderPlan,
    allowed: AllowList,
    *,
    starts: AbstractContextManager[object],
    remove: Callable[[str], None],
) -> Iterator[OpenNetwork]:
    """Have a network with a way out while the block runs.

    Args:
        starts: Caps how many containers start at the same time.
        remove: Called with the holder's name at the end, whatever became of it.

    Raises:
        ExecutorFault: The engine failed, or the agent can't reach into the namespace.
    """
    try:
        with starts, engine_call("while it made the network of a program"):
            holder = _started_holder(client, plan)
        listener = listen_inside(_pid(client, holder))
        if not _pid(client, holder):  # what was entered may be another's, if the holder has ended
            listener.close()
        proxy = AllowProxy(listener, allowed)
        proxy.start()
        try:
            yield OpenNetwork(holder, proxy)
        finally:
            proxy.close()
    finally:
        remove(plan.name)


def _started_holder(client: APIClient, plan: HolderPlan) -> str:
    """Make the container and start it; once more if its process was gone before the engine could start it."""
    config = _holder_config(client, plan)
    holder = str(client.create_container(**config)["Id"])
    try:
        client.start(holder)
    except APIError as error:
        if not died_before_start(error):
            raise
        client.remove_container(holder, force=True)
        holder = str(client.create_container(**config)["Id"])
        client.start(holder)
    return holder


def _pid(client: APIClient, holder: str) -> int:
    with engine_call("while it made the network of a program"):
        state = client.inspect_container(holder)["State"]
    if not state.get("Running") or not state.get("Pid"):
        raise ExecutorFault("The container that holds a program's network has ended.")
    return int(state["Pid"])


def _holder_config(client: APIClient, plan: HolderPlan) -> dict[str, Any]:
    host_config = client.create_host_config(
        network_mode=None if plan.network_disabled else "none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges=true"],
        ipc_mode="private",
        # The runtime's own process starts within these, before it becomes `sleep`.
        mem_limit=64 * MIB,
        memswap_limit=64 * MIB,
        pids_limit=32,
        log_config=LogConfig(type=LogConfig.types.NONE),
    )
    return {
        "image": plan.image,
        "command": list(_IDLE),
        "entrypoint": [],
        "name": plan.name,
        "user": f"{plan.user}:{plan.user}",
        "working_dir": "/",
        "labels": dict(plan.labels),
        "network_disabled": plan.network_disabled,
        "healthcheck": {"test": ["NONE"]},
        "host_config": host_config,
    }
