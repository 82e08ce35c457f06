"""The relaxations that an agent offers: what its operator allows, and what this host can really do.

`root` needs an agent that is root itself, or it could not remove what programs leave. `network` needs an agent that can
reach into the network namespaces of its engine's containers, and is offered once a program has tried it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from docker import APIClient

from podium.agents.executors.allow_proxy import AllowProxy
from podium.agents.executors.allowed_network import AllowList
from podium.agents.executors.network_door import PORT
from podium.agents.executors.network_holder import HolderPlan, opened_network
from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import relaxation_names
from podium.platform.errors import PodiumError
from podium.platform.jobs import MIB, Limits
from podium.tasks.programs import ExecutorFault, Image, OnOutput, Program, ProgramEnd

log = logging.getLogger(__name__)

NETWORK, PRIVATE_NETWORK, ROOT = "network", "private_network", "root"
_NEEDS_NETWORK = "it needs `network`"
_SECONDS = 30.0
_PAUSE_SECONDS = 60.0
_PROBE_DESTINATION = "podium-probe.invalid:443"
_PROBE = f"""
import json, socket
def answer(request):
    try:
        with socket.create_connection(("127.0.0.1", {PORT}), 5) as proxy:
            proxy.sendall(request)
            return proxy.recv(100).decode()
    except OSError as error:
        return str(error)
print(json.dumps({{
    "allowed": answer(b"CONNECT {_PROBE_DESTINATION} HTTP/1.1\\r\\n\\r\\n"),
    "other": answer(b"CONNECT other.invalid:443 HTTP/1.1\\r\\n\\r\\n"),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]],
    "routes": len(open("/proc/net/route").read().splitlines()) - 1,
}}))
"""

RunProgram = Callable[[Program, float, OnOutput], ProgramEnd]


@dataclass(slots=True)
class WayOut:
    """The network of one program.

    Attributes:
        holder: The container whose network it joins; empty for a program without an allow-list.
    """

    holder: str = ""
    proxies: list[AllowProxy] = field(default_factory=list)

    def notes(self) -> tuple[str, ...]:
        """What the program reached, for its log."""
        return tuple(f"network: {words}" for proxy in self.proxies if (words := proxy.summary()))


class RelaxationsOffered:
    """What an executor on Docker may relax."""

    def __init__(
        self,
        client: APIClient,
        allowed: frozenset[str],
        *,
        user: int,
        is_remapped: bool,
        starts: AbstractContextManager[object],
        hold: Callable[[str], None],
        remove: Callable[[str], None],
    ) -> None:
        """Begin with what needs no proof.

        Args:
            allowed: What the operator allows, by name.
            user: The uid of programs that are not relaxed.
            is_remapped: The engine's root is another user on the host.
            starts: Caps how many containers start at the same time.
            hold: Told a container's name before it is made; `remove` is told when it is not wanted any more.
        """
        self._client = client
        self._allowed = allowed
        self._user = user
        self._starts = starts
        self._hold = hold
        self._remove = remove
        self._proving = threading.Lock()
        self._holder_image = ""
        self._again_at = 0.0
        self._why_not: dict[str, str] = {}
        if ROOT in allowed and (os.geteuid() != 0 or is_remapped):
            self._why_not[ROOT] = "the agent is not root on its engine's host"
        if allowed & {NETWORK, PRIVATE_NETWORK}:
            self._why_not[NETWORK] = "no image with Python is here to try it with (`podium images build`)"
        if PRIVATE_NETWORK in allowed:
            self._why_not[PRIVATE_NETWORK] = _NEEDS_NETWORK

    @property
    def names(self) -> frozenset[str]:
        """What is offered."""
        return frozenset(self._allowed - set(self._why_not))

    def in_words(self) -> str:
        """What is offered and what is not, for the agent's log; empty where the operator allows nothing."""
        parts = [f"may relax {', '.join(sorted(self.names))}"] if self.names else []
        return "; ".join([*parts, *(f"can't relax {name}: {why}" for name, why in sorted(self._why_not.items()))])

    def prove(self, image: Image, run: RunProgram) -> None:
        """Try the network with a program, if it was not yet; `run` runs it as any other.

        It is tried again when there is another image, and after a while where it failed.
        """
        with self._proving:
            if NETWORK not in self._allowed or self._is_proven_with(image):
                return
            self._holder_image = image.digest
            try:
                trouble = _probe(image, run)
            except PodiumError as error:
                trouble = str(error).rstrip(".")
            if not trouble:
                self._why_not.pop(NETWORK, None)
                self._why_not.pop(PRIVATE_NETWORK, None)
                return
            self._again_at = time.monotonic() + _PAUSE_SECONDS
            if self._why_not.get(NETWORK) != trouble:
                log.warning("The relaxation `network` is not offered: %s", trouble)
            self._why_not[NETWORK] = trouble
            if PRIVATE_NETWORK in self._allowed:
                self._why_not[PRIVATE_NETWORK] = _NEEDS_NETWORK

    def _is_proven_with(self, image: Image) -> bool:
        if self._holder_image != image.digest:
            return False
        return NETWORK not in self._why_not or time.monotonic() < self._again_at

    def require(self, program: Program) -> None:
        """Go on only if all that a program asks for is offered: it is never run with less.

        Raises:
            ExecutorFault: Something is not.
        """
        asked = relaxation_names(program.relaxations)
        lacking = [name for name in asked if name not in self.names]
        if lacking:
            raise ExecutorFault(
                f"This agent does not offer the relaxation{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}.",
                remedy="An operator allows relaxations with PODIUM_AGENT_RELAXATIONS.",
            )

    def user_for(self, program: Program) -> int:
        """The uid that a program runs as."""
        return 0 if program.relaxations.root else self._user

    @contextmanager
    def way_out(self, program: Program, *, network_disabled: bool, labels: dict[str, str]) -> Iterator[WayOut]:
        """The network of a program, while the block runs.

        Raises:
            ExecutorFault: It could not be made.
        """
        if not program.relaxations.network:
            yield WayOut()
            return
        allowed = AllowList.of(program.relaxations.network, private=PRIVATE_NETWORK in self.names)
        plan = HolderPlan(
            name=f"{program.name}-network",
            image=self._holder_image,
            user=self._user,
            labels=labels,
            network_disabled=network_disabled,
        )
        self._hold(plan.name)
        with opened_network(self._client, plan, allowed, starts=self._starts, remove=self._remove) as network:
            yield WayOut(network.holder, [network.proxy])


def _probe(image: Image, run: RunProgram) -> str:
    """Why a program's way out does not work; empty where it does."""
    written: list[bytes] = []
    program = Program(
        name=f"podium-proof-{uuid.uuid4().hex[:12]}",
        image=image,
        command=("python3", "-c", _PROBE),
        mounts=(),
        limits=Limits(memory_bytes=256 * MIB, temporary_bytes=16 * MIB, wall_seconds=_SECONDS),
        working_folder="/",
        labels={"step": "proof"},
        relaxations=Relaxations(network=(_PROBE_DESTINATION,)),
    )
    run(program, time.monotonic() + _SECONDS, lambda _, piece: written.append(piece))
    try:
        saw = json.loads(b"".join(written))
        if saw["interfaces"] != ["lo"] or saw["routes"]:
            return "a program with a proxy has other ways out"
        # The name leads nowhere: the proxy tried it, and refused the other one without trying.
        if " 502 " not in saw["allowed"] or " 403 " not in saw["other"]:
            return f"a program did not find its proxy ({saw['allowed'][:80]!a})"
    except (ValueError, KeyError, TypeError):
        return "the program that was to try it did not run"
    return ""
