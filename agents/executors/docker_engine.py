"""Runs programs in containers of a Docker engine, one fresh container for each, hardened by default."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from docker.errors import ImageNotFound

from podium.agents.executors import folders
from podium.agents.executors.container_config import MARK, Confinement, container_config, container_labels, owner_labels
from podium.agents.executors.container_run import ContainerRun, remove_container
from podium.agents.executors.engine import CALL_SECONDS, EngineFacts, connect, facts, inspect_image
from podium.agents.executors.engine_errors import ENGINE_ERRORS, engine_call
from podium.agents.executors.forgotten_groups import kill_forgotten, remove_empty_groups
from podium.agents.executors.gpus import Gpus, gpu_ids
from podium.agents.executors.image_finder import ImageFinder, PullPolicy
from podium.agents.executors.image_volumes import remove_loose_volumes
from podium.agents.executors.isolation import Proof, prove_no_network
from podium.agents.executors.measuring import Meter, NoMeter, meter_for, owned_groups
from podium.agents.executors.prepared import NotBegun, PreparedContainers, Ready
from podium.agents.executors.recipes import recipe_of
from podium.agents.executors.relaxing import RelaxationsOffered
from podium.agents.images.cache import ImageCache, Room
from podium.agents.images.loading import ImageLoader
from podium.agents.images.names import PYTHON_IMAGE, SCIENTIFIC_IMAGE, further_names, listed
from podium.agents.images.pulling import PULL_SECONDS, ImagePuller
from podium.platform.image_archives import ImageLimits
from podium.tasks.programs import ExecutorFault, Holder, Image, ImageUnavailable, OnOutput, Program, ProgramEnd

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
        credentials: A file with the logins of private registries.
        images: A file in which the agent remembers the images that it brought to the host.
        room: How much these may take before the ones that nobody uses go.
        submitted: How large a participant's image may be.
        network: `prove` runs containers with the network switched off where a self-test shows that this isolates
            them, and otherwise in network mode `none`, which is slower; `none` always takes the latter.
        gpus: GPUs to hand out: `auto`, `all`, ids separated by commas, or nothing.
        relaxations: What may be relaxed for a competition that asks for it: `network`, `private_network`, `root`.
        prepared: How many containers may wait for programs that are likely to be run again; 0 for none.
        prepared_folder: Where their folders are made, on the disk of the attempts' own; without it none are made.
    """

    owner: str = "agent"
    base_url: str = ""
    user: int | None = None
    image_aliases: Mapping[str, str] = field(default_factory=dict)
    pull: PullPolicy = "missing"
    pull_seconds: float = PULL_SECONDS
    credentials: Path | None = None
    images: Path | None = None
    room: Room = field(default_factory=Room)
    submitted: ImageLimits = field(default_factory=ImageLimits)
    call_seconds: int = CALL_SECONDS
    network: Literal["prove", "none"] = "prove"
    gpus: str = ""
    relaxations: frozenset[str] = frozenset()
    prepared: int = 0
    prepared_folder: Path | None = None


class DockerExecutor:
    """Runs programs in containers. Safe to use from many threads; `close` it at the end."""

    name = "docker"

    def __init__(self, settings: DockerSettings | None = None) -> None:
        """Connect to the engine.

        Raises:
            ExecutorFault: No engine answers.
            InvalidInput: The GPUs that the settings ask for can't be seen.
        """
        self._settings = settings or DockerSettings()
        self._client = connect(self._settings.base_url, call_seconds=self._settings.call_seconds)
        self._facts = facts(self._client)
        self._user = folders.program_user() if self._settings.user is None else self._settings.user
        if self._user == 0:
            raise ExecutorFault("Programs may not run as root.", remedy="Set another `user` for the executor.")
        self._cache = ImageCache(
            self._client,
            file=self._settings.images,
            room=self._settings.room,
            spared=self._settings.image_aliases.values(),
            data=self._facts.data,
        )
        self._finder = ImageFinder(
            self._client,
            aliases=self._settings.image_aliases,
            pull=self._settings.pull,
            puller=ImagePuller(
                base_url=self._settings.base_url,
                credentials=self._settings.credentials,
                seconds=self._settings.pull_seconds,
            ),
            cache=self._cache,
        )
        self._loader = ImageLoader(
            owner=self._settings.owner,
            base_url=self._settings.base_url,
            architecture=self._facts.architecture,
            limits=self._settings.submitted,
            cache=self._cache,
        )
        self._starts = threading.BoundedSemaphore(_STARTS_PER_CPU * self._facts.cpus)
        self._removers = ThreadPoolExecutor(_REMOVERS, thread_name_prefix="podium-remove")
        self._alive: set[str] = set()
        self._proving = threading.Lock()
        self._proof: Proof | None = None
        self._images_without_python: set[str] = set()
        self._measures = True
        self.gpus = Gpus(
            gpu_ids(self._settings.gpus, by_runtime=self._facts.gpus_by_runtime, by_name=self._facts.gpus_by_name)
        )
        self._relaxing = RelaxationsOffered(
            self._client,
            self._settings.relaxations,
            user=self._user,
            is_remapped=self._facts.is_remapped,
            starts=self._starts,
            hold=self._alive.add,
            remove=lambda name: self._remove_soon(name, NoMeter()),
        )
        folder = self._settings.prepared_folder
        self._prepared = PreparedContainers(
            self._client,
            folder=folder or Path(),
            limit=self._settings.prepared if folder else 0,
            starts=self._starts,
            meter_of=self._meter,
            hold=self._alive.add,
            remove=self._remove_soon,
        )

    @property
    def facts(self) -> EngineFacts:
        """What the engine says about its host."""
        return self._facts

    @property
    def waiting(self) -> int:
        """How many prepared containers wait for their program."""
        return self._prepared.waiting

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
            if image and (self._proven(image) or self._proof):
                self._relaxing.prove(image, self._run_probe)
                break
        network = "no network, proven" if self._proof else "no network, to be proven by the first program"
        measures = "" if self._measures else "; cannot measure memory and CPU"
        ahead = f"; up to {self._prepared.limit} containers made ahead" if self._prepared.limit else ""
        relaxed = f"; {words}" if (words := self._relaxing.in_words()) else ""
        return (
            f"Docker {self._facts.version} on {self._facts.cpus} cores; uid {self._user}, "
            f"{network}{measures}{ahead}{relaxed}"
        )

    def labels(self) -> dict[str, str]:
        """What this host has: `cpus`, `memory_bytes`, `engine`, `gpus`, `runtimes`, `relaxations`, and its images."""
        try:
            images = self._client.images()
        except ENGINE_ERRORS:
            images = []  # `check` is what says that it is gone
        names = {tag for image in images for tag in image.get("RepoTags") or [] if "<none>" not in tag}
        digests = {digest for image in images for digest in image.get("RepoDigests") or []}
        return {
            "cpus": str(self._facts.cpus),
            "memory_bytes": str(self._facts.memory_bytes),
            "engine": f"docker {self._facts.version}",
            "gpus": str(self.gpus.count),
            "runtimes": ",".join(self._facts.runtimes),
            "relaxations": ",".join(sorted(self._relaxing.names)),
            "prepared": str(self._prepared.limit),
            "pull": self._settings.pull,
            "images": listed(names),
            "image_aliases": listed(further_names(names, digests, self._settings.image_aliases)),
        }

    def find_image(self, asked: str, holder: Holder | None = None) -> Image:
        """Map a bundle's image name to an image on the host, pulling it if the settings say so.

        Raises:
            ImageUnavailable: There is none and none can be had.
            ExecutorFault: The engine can't be asked, or a registry can't be reached.
        """
        return self._finder.find(asked, holder)

    def load_image(self, archive: Path, holder: Holder) -> Image:
        """Bring a participant's image to the host, as `docker save` wrote it into a file.

        Raises:
            ImageRefused: It is not one that can be run here.
            ExecutorFault: The engine failed.
        """
        return self._loader.load(archive, holder)

    def release_images(self, holder: Holder) -> None:
        """Let go of all images that a holder has found or loaded; participants' ones are removed."""
        self._cache.release(holder.key)

    def tidy(self) -> None:
        """Remove images that the agent brought and nobody uses, where there is too little room."""
        with engine_call("while the agent removed images"):
            self._cache.tidy()

    def run(self, program: Program, *, deadline: float, stop: threading.Event, on_output: OnOutput) -> ProgramEnd:
        """Run a program to its end; `deadline` is on `time.monotonic()`.

        The container is removed in the background, which `close` waits for.

        Raises:
            ExecutorFault: The engine failed, or does not isolate containers; or the program asks for a relaxation, a
                runtime or a GPU that this agent does not have.
            ImageUnavailable: The image has gone since it was found.
        """
        self._relaxing.require(program)
        self._require_runtime(program)
        # What was proven of the engine's default runtime may not hold for another.
        disabled = self._proven(program.image) and not program.runtime
        try:
            with self.gpus.for_program(program) as gpus:
                return self._run(program, deadline, stop, on_output, network_disabled=disabled, gpus=gpus)
        except ImageUnavailable:
            self._finder.forget(program.image)
            raise

    def writable_folder(self, path: Path, *, root: bool = False) -> None:
        """Make an empty folder that programs may write to, in a folder that only the agent may enter."""
        folders.make_writable(path, user=0 if root else self._user)

    def sweep(self, keep: set[str]) -> int:
        """Remove what this owner's dead attempts left; say how many containers it was.

        Those of attempts in `keep` stay, and all that this executor holds itself.

        Raises:
            ExecutorFault: The engine failed.
        """
        self._prepared.trim()
        labels = owner_labels(self._settings.owner)
        with engine_call("while the agent looked for forgotten containers"):
            mine = {"label": [f"{name}={value}" for name, value in labels.items()]}
            found = self._client.containers(all=True, filters=mine)
        # Names are held before anything is made by them, so whatever was found and is alive is among them now.
        forgotten = [one for one in found if not _is_held(one, self._alive, keep)]
        for one in forgotten:
            self._remove_now(one["Id"])
        with engine_call("while the agent looked for forgotten volumes"):
            remove_loose_volumes(self._client, labels=labels)
        self._prepared.sweep_folders(self._alive)
        if self._measures:
            version = self._facts.cgroup_version
            kill_forgotten(self._group(), version=version, held=self._alive)
            remove_empty_groups(self._group(), version=version, keep=self._alive)
        return len(forgotten)

    def close(self) -> None:
        """Remove what is left and let go of the engine. Programs that still run are killed."""
        self._prepared.close()
        for name in list(self._alive):
            self._remove_now(name)
        self._removers.shutdown(wait=True)
        with contextlib.suppress(ExecutorFault):
            self.tidy()  # participants' images, whose containers have only gone now
        with contextlib.suppress(*ENGINE_ERRORS):  # the next sweep finds them
            remove_loose_volumes(self._client, labels=owner_labels(self._settings.owner))
        if self._measures:
            remove_empty_groups(self._group(), version=self._facts.cgroup_version)
        self._client.close()

    def _run(
        self,
        program: Program,
        deadline: float,
        stop: threading.Event,
        on_output: OnOutput,
        *,
        network_disabled: bool,
        gpus: tuple[str, ...] = (),
    ) -> ProgramEnd:
        labels = container_labels(program, owner=self._settings.owner)
        with self._relaxing.way_out(program, network_disabled=network_disabled, labels=labels) as way_out:
            confinement = Confinement(
                user=self._relaxing.user_for(program),
                network_disabled=network_disabled,
                init=self._facts.init,
                host_cpus=self._facts.cpus,
                gpus=gpus,
                network_holder=way_out.holder,
            )
            end = self._run_confined(program, deadline, stop, on_output, confinement)
        return replace(end, notes=(*end.notes, *way_out.notes()))

    def _run_confined(
        self,
        program: Program,
        deadline: float,
        stop: threading.Event,
        on_output: OnOutput,
        confinement: Confinement,
    ) -> ProgramEnd:
        meter = self._meter(program.name)
        config = container_config(
            self._client,
            program,
            confinement,
            owner=self._settings.owner,
            cgroup_parent=meter.cgroup_parent,
        )
        recipe = recipe_of(program, config) if self._prepared.limit else None
        ready = self._prepared.take(recipe) if recipe else None
        try:
            if ready:
                try:
                    return self._container_run(program, config, ready.meter, ready).run(
                        deadline=deadline, stop=stop, on_output=on_output
                    )
                except NotBegun:
                    log.info("A container that was made ahead did not wait any more; another is made.")
                finally:
                    ready.close()
            self._alive.add(program.name)
            return self._container_run(program, config, meter, None).run(
                deadline=deadline, stop=stop, on_output=on_output
            )
        finally:
            if recipe:
                self._prepared.used(recipe)

    def _container_run(
        self, program: Program, config: dict[str, Any], meter: Meter, ready: Ready | None
    ) -> ContainerRun:
        return ContainerRun(
            self._client,
            program,
            config=config,
            meter=meter,
            starts=self._starts,
            remove=self._remove_soon,
            ready=ready,
        )

    def _meter(self, name: str) -> Meter:
        return meter_for(f"{self._group()}/{name}", self._facts) if self._measures else NoMeter()

    def _require_runtime(self, program: Program) -> None:
        # The engine would refuse an unknown one too; it never falls back to another, and neither does the agent.
        if program.runtime and program.runtime not in self._facts.runtimes:
            raise ExecutorFault(
                f"The Docker engine has no runtime `{program.runtime}`; it has {', '.join(self._facts.runtimes)}.",
                remedy="Install it and restart the agent, or set another with `podium pool set`.",
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
        # A participant's image would say whatever its maker likes.
        return self._proof is None and not image.submitted and image.digest not in self._images_without_python

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

    def _run_probe(self, program: Program, deadline: float, on_output: OnOutput) -> ProgramEnd:
        disabled = self._proven(program.image)
        return self._run(program, deadline, threading.Event(), on_output, network_disabled=disabled)

    def _remove_soon(self, name: str, meter: Meter) -> None:
        def remove() -> None:
            self._remove_now(name)
            meter.remove()
            self._alive.discard(name)

        try:
            self._removers.submit(remove)
        except RuntimeError:  # the executor was closed while the program ran
            remove()

    def _remove_now(self, name: str) -> None:
        error = remove_container(self._client, name)
        if error:
            # Its labels are still there, and the next sweep finds it by them.
            log.warning("A container was left behind: %s: %s", name, error)


def _is_held(container: dict[str, Any], held: set[str], keep: set[str]) -> bool:
    names = {name.lstrip("/") for name in container.get("Names") or ()}
    return bool(names & held) or (container.get("Labels") or {}).get(f"{MARK}.attempt") in keep


def _not_isolated(proof: Proof) -> ExecutorFault:
    return ExecutorFault(
        f"Containers of this Docker engine are not cut off from the network: {proof.why}.",
        remedy="Podium runs no program there; use an engine that supports network mode `none`.",
    )
