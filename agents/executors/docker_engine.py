"""Runs programs in containers of a Docker engine, one fresh container for each, hardened by default."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from docker.errors import ImageNotFound

from podium.agents.executors import folders
from podium.agents.executors.container_config import MARK, Confinement, container_config
from podium.agents.executors.container_run import ContainerRun, remove_container
from podium.agents.executors.engine import CALL_SECONDS, EngineFacts, connect, facts, inspect_image
from podium.agents.executors.engine_errors import ENGINE_ERRORS, engine_call
from podium.agents.executors.image_finder import ImageFinder, PullPolicy
from podium.agents.executors.isolation import Proof, prove_no_network
from podium.agents.executors.measuring import Meter, NoMeter, meter_for, owned_groups, remove_empty_groups
from podium.agents.images.names import PYTHON_IMAGE, SCIENTIFIC_IMAGE
from podium.tasks.programs import ExecutorFault, Image, ImageUnavailable, OnOutput, Program, ProgramEnd

log = logging.getLogger(__name__)

_STARTS_PER_CPU = 2  # beyond this, more containers starting at once only make each of them slower
_REMOVERS = 2


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """How an agent uses its Docker engine.

    Attributes:
        owner: Whose containers these are; agents that share an engine differ in it, and a sweep keeps to its own.
        base_url: The engine's address; empty for DOCKER_HOST or the usual socket.
        user: The uid that programs run as, and its group. By default 65534 (nobody) where the agent is root, and
            otherwise the agent's own, so that it can remove what they wrote.
        image_aliases: Names that bundles ask for, or shell patterns of them, to names of images on the host.
        pull: Whether to pull an image: when it is `missing`, `always`, or `never`.
        network: `prove` runs containers with the network switched off where a self-test shows that this isolates
            them, and otherwise in network mode `none`, which is slower; `none` always takes the latter.
        gpus: GPUs that every program gets: `all`, ids separated by commas, or nothing.
        runtime: Another runtime of the engine, such as `runsc`.
    """

    owner: str = "agent"
    base_url: str = ""
    user: int | None = None
    image_aliases: Mapping[str, str] = field(default_factory=dict)
    pull: PullPolicy = "missing"
    pull_seconds: float = 900.0
    call_seconds: int = CALL_SECONDS
    network: Literal["prove", "none"] = "prove"
    gpus: str = ""
    runtime: str = ""


class DockerExecutor:
    """Runs programs in containers. Safe to use from many threads; `close` it at the end."""

    name = "docker"

    def __init__(self, settings: DockerSettings | None = None) -> None:
        """Connect to the engine.

        Raises:
            ExecutorFault: No engine answers.
        """
        self._settings = settings or DockerSettings()
        self._client = connect(self._settings.base_url, call_seconds=self._settings.call_seconds)
        self._facts = facts(self._client)
        self._user = folders.program_user() if self._settings.user is None else self._settings.user
        if self._user == 0:
            raise ExecutorFault("Programs may not run as root.", remedy="Set another `user` for the executor.")
        self._finder = ImageFinder(
            self._client,
            aliases=self._settings.image_aliases,
            pull=self._settings.pull,
            pull_seconds=self._settings.pull_seconds,
            base_url=self._settings.base_url,
        )
        self._starts = threading.BoundedSemaphore(_STARTS_PER_CPU * self._facts.cpus)
        self._removers = ThreadPoolExecutor(_REMOVERS, thread_name_prefix="podium-remove")
        self._alive: set[str] = set()
        self._proving = threading.Lock()
        self._proof: Proof | None = None
        self._images_without_python: set[str] = set()
        self._measures = True

    @property
    def facts(self) -> EngineFacts:
        """What the engine says about its host."""
        return self._facts

    def check(self) -> str:
        """Prove that programs can be run, and how they are isolated; return a line for people.

        Without an image on the host the proof waits for the first program.

        Raises:
            ExecutorFault: They can't; the message says what to do.
        """
        with engine_call("while the agent checked it"):
            self._client.ping()
        for name in (f"{PYTHON_IMAGE}:latest", f"{SCIENTIFIC_IMAGE}:latest"):
            image = self._image_here(name)
            if image and self._proven(image):
                break
        network = "no network, proven" if self._proof else "no network, to be proven by the first program"
        measures = "" if self._measures else "; cannot measure memory and CPU"
        return f"Docker {self._facts.version} on {self._facts.cpus} cores; uid {self._user}, {network}{measures}"

    def labels(self) -> dict[str, str]:
        """What this host has: `cpus`, `memory_bytes`, `engine`, `gpus`, and `images` as long as the engine answers."""
        try:
            images = self._client.images()
        except ENGINE_ERRORS:
            images = []  # `check` is what says that it is gone
        names = sorted({tag for image in images for tag in image.get("RepoTags") or [] if "<none>" not in tag})
        return {
            "cpus": str(self._facts.cpus),
            "memory_bytes": str(self._facts.memory_bytes),
            "engine": f"docker {self._facts.version}",
            "gpus": self._settings.gpus,
            "images": ",".join(names),
        }

    def find_image(self, asked: str) -> Image:
        """Map a bundle's image name to an image on the host, pulling it if the settings say so.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked.
        """
        return self._finder.find(asked)

    def run(self, program: Program, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run a program to its end; `deadline` is on `time.monotonic()`.

        The container is removed in the background, which `close` waits for.

        Raises:
            ExecutorFault: The engine failed, or does not isolate containers.
            ImageUnavailable: The image has gone since it was found.
        """
        disabled = self._proven(program.image)
        try:
            return self._run(program, deadline, stop, on_output, network_disabled=disabled)
        except ImageUnavailable:
            self._finder.forget(program.image)
            raise

    def writable_folder(self, path: Path) -> None:
        """Make an empty folder that programs may write to, in a folder that only the agent may enter."""
        folders.make_writable(path, user=self._user)

    def sweep(self, keep: set[str]) -> int:
        """Remove this owner's containers of attempts that are not in `keep`; say how many there were.

        Raises:
            ExecutorFault: The engine failed.
        """
        mine = {"label": [f"{MARK}=1", f"{MARK}.owner={self._settings.owner}"]}
        with engine_call("while the agent looked for forgotten containers"):
            found = self._client.containers(all=True, filters=mine)
        forgotten = [one for one in found if (one.get("Labels") or {}).get(f"{MARK}.attempt") not in keep]
        for one in forgotten:
            self._remove_now(one["Id"])
        if not keep:
            remove_empty_groups(self._group(), version=self._facts.cgroup_version)
        return len(forgotten)

    def close(self) -> None:
        """Remove what is left and let go of the engine. Programs that still run are killed."""
        for name in list(self._alive):
            self._remove_now(name)
        self._removers.shutdown(wait=True)
        if self._measures:
            remove_empty_groups(self._group(), version=self._facts.cgroup_version)
        self._client.close()

    def _run(
        self, program: Program, deadline: float, stop: threading.Event, on_output: OnOutput, *, network_disabled: bool
    ) -> ProgramEnd:
        meter = meter_for(f"{self._group()}/{program.name}", self._facts) if self._measures else NoMeter()
        config = container_config(
            self._client,
            program,
            self._confinement(network_disabled=network_disabled),
            owner=self._settings.owner,
            cgroup_parent=meter.cgroup_parent,
        )
        self._alive.add(program.name)
        run = ContainerRun(
            self._client,
            program,
            config=config,
            meter=meter,
            starts=self._starts,
            remove=self._remove_soon,
        )
        return run.run(deadline=deadline, stop=stop, on_output=on_output)

    def _confinement(self, *, network_disabled: bool) -> Confinement:
        return Confinement(
            user=self._user,
            network_disabled=network_disabled,
            init=self._facts.init,
            host_cpus=self._facts.cpus,
            gpus=self._settings.gpus,
            runtime=self._settings.runtime,
        )

    def _group(self) -> str:
        return owned_groups(self._settings.owner)

    def _image_here(self, name: str) -> Image | None:
        with engine_call("while the agent looked for an image"):
            try:
                return Image(asked=name, name=name, digest=str(inspect_image(self._client, name)["Id"]))
            except ImageNotFound:
                return None

    def _proven(self, image: Image) -> bool:
        """Whether the network may be switched off the quick way; the first call finds out."""
        if self._unproven(image):
            with self._proving:
                if self._unproven(image):
                    self._prove(image)
        return self._settings.network == "prove" and self._proof is not None and self._proof.holds

    def _unproven(self, image: Image) -> bool:
        return self._proof is None and image.digest not in self._images_without_python

    def _prove(self, image: Image) -> None:
        quick = self._settings.network == "prove"
        proof = self._look_for_ways_out(image, network_disabled=quick)
        if proof.ran and not proof.holds and quick:
            log.warning("Containers with the network switched off are not isolated here: %s", proof.why)
            slow = self._look_for_ways_out(image, network_disabled=False)
            if not slow.holds:
                raise _not_isolated(slow)
            proof = replace(slow, holds=False)  # what holds is mode `none`, not the quick way
        elif proof.ran and not proof.holds:
            raise _not_isolated(proof)
        if not proof.ran:
            self._images_without_python.add(image.digest)
            return
        # The engine makes its groups elsewhere: in another cgroup namespace, or on another machine.
        self._measures = proof.end.peak_memory_bytes is not None
        self._proof = proof

    def _look_for_ways_out(self, image: Image, *, network_disabled: bool) -> Proof:
        def run(program: Program, deadline: float, on_output: OnOutput) -> ProgramEnd:
            return self._run(program, deadline, threading.Event(), on_output, network_disabled=network_disabled)

        return prove_no_network(image, run)

    def _remove_soon(self, name: str, meter: Meter) -> None:
        def remove() -> None:
            self._remove_now(name)
            meter.remove()
            self._alive.discard(name)

        self._removers.submit(remove)

    def _remove_now(self, name: str) -> None:
        error = remove_container(self._client, name)
        if error:
            # Its labels are still there, and the next sweep finds it by them.
            log.warning("A container was left behind: %s: %s", name, error)


def _not_isolated(proof: Proof) -> ExecutorFault:
    return ExecutorFault(
        f"Containers of this Docker engine are not cut off from the network: {proof.why}.",
        remedy="Podium runs no program there; use an engine that supports network mode `none`.",
    )
