"""What a submission needs of an agent, what an agent has, and why the one does not fit the other. Pure functions.

An agent says in its labels what it has (`podium.platform.jobs.AgentHello`). It is only offered, and only granted, what
it can run; what no agent can run waits, and says for what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

GIB = 1024**3
CONTAINERS = "docker"
"""The executor that runs containers."""
HOST_NETWORK_RUNTIMES = frozenset({"runc", "crun", "youki", "nvidia", "io.containerd.runc.v2"})
"""Runtimes whose containers use the host's kernel for their network; an agent reaches into no other."""
PLACEMENT_LABELS = ("relaxations", "runtimes", "gpus", "cpus", "memory_bytes", "images", "image_aliases", "pull")
"""Labels that decide what an agent may run."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a submission needs beyond what every agent has.

    Attributes:
        relaxations: Rules of the sandbox that the agent's operator must allow to be relaxed, by name.
        runtime: The engine's runtime; empty for whatever the host's default is.
        gpus: For each program.
        cpus: Cores that the phase asks for by itself; 0 where it takes what there is.
        memory_bytes: Memory that the phase asks for by itself; 0 where it takes what there is.
        containers: The submission is an image.
        image: What the competition's programs run in; empty where that does not matter.
    """

    relaxations: tuple[str, ...] = ()
    runtime: str = ""
    gpus: int = 0
    cpus: float = 0
    memory_bytes: int = 0
    containers: bool = False
    image: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What an agent has.

    Attributes:
        name: The agent's, for people.
        executor: `docker`, `process` or `none`.
        images: Names of all images that it can run, and shell patterns of them; `None` where it can pull others.
    """

    name: str = ""
    executor: str = ""
    relaxations: frozenset[str] = frozenset()
    runtimes: frozenset[str] = frozenset()
    gpus: int = 0
    cpus: float = 0
    memory_bytes: int = 0
    images: frozenset[str] | None = None


def offer_of(name: str, executor: str, labels: Mapping[str, str]) -> Offer:
    """Read an agent's labels; one that says nothing of a thing has none of it."""
    return Offer(
        name=name,
        executor=executor,
        relaxations=_words(labels.get("relaxations", "")),
        runtimes=_words(labels.get("runtimes", "")),
        gpus=_whole(labels.get("gpus", "")),
        cpus=_whole(labels.get("cpus", "")),
        memory_bytes=_whole(labels.get("memory_bytes", "")),
        images=_images(labels),
    )


def _images(labels: Mapping[str, str]) -> frozenset[str] | None:
    """What an agent that pulls nothing can run. One that had to leave some names out may have others too."""
    if labels.get("pull") != "never" or labels.get("images", "").endswith(","):
        return None
    return _words(labels.get("images", "")) | _words(labels.get("image_aliases", ""))


def missing(needs: Needs, offer: Offer) -> tuple[str, ...]:
    """What an agent lacks for a submission, each as the end of a sentence that begins with `No agent ...`."""
    lacks = [f"allows the relaxation `{name}`" for name in needs.relaxations if name not in offer.relaxations]
    if needs.runtime and needs.runtime not in offer.runtimes:
        lacks.append(f"has the runtime `{needs.runtime}`")
    if "network" in needs.relaxations and needs.runtime and needs.runtime not in HOST_NETWORK_RUNTIMES:
        lacks.append(f"can relax the network under the runtime `{needs.runtime}`, which has one of its own")
    if needs.containers and offer.executor != CONTAINERS:
        lacks.append("runs containers")
    if needs.image and not _has_image(needs.image, offer):
        lacks.append(f"has the image `{needs.image}`, or may pull it")
    if needs.gpus > offer.gpus:
        lacks.append(f"has {needs.gpus} GPU{'' if needs.gpus == 1 else 's'}")
    if needs.cpus > offer.cpus:
        lacks.append(f"has {needs.cpus:g} cores")
    if needs.memory_bytes > offer.memory_bytes:
        lacks.append(f"has {needs.memory_bytes / GIB:.3g} GiB of memory")
    return tuple(lacks)


def _has_image(asked: str, offer: Offer) -> bool:
    if offer.images is None:
        return True
    # As the engine reads it: without a registry it is Docker's, and without a tag it is `latest`.
    plain = asked.removeprefix("docker.io/").removeprefix("library/")
    tagged = plain if ":" in plain.rpartition("/")[2] or "@" in plain else f"{plain}:latest"
    return bool({asked, plain, tagged} & offer.images) or any(fnmatchcase(asked, name) for name in offer.images)


def fits(needs: Needs, offer: Offer) -> bool:
    """Whether an agent can run a submission."""
    return not missing(needs, offer)


def why_unplaced(pool: str, needs: Needs, offers: Sequence[Offer]) -> str:
    """Why none of a pool's live agents can run a submission; empty where one can."""
    lacks = [missing(needs, offer) for offer in offers]
    if not lacks or not all(lacks):
        return ""
    nobody_has = [thing for thing in lacks[0] if all(thing in one for one in lacks)]
    if nobody_has:
        return f"No agent of pool '{pool}' {_listed(nobody_has)}; it is scored as soon as one does."
    things = list(dict.fromkeys(thing for one in lacks for thing in one))
    return f"No agent of pool '{pool}' does all of this: it {_listed(things)}; it is scored as soon as one does."


def _listed(things: Sequence[str]) -> str:
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in text.split(",") if word)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
