"""`podium images build`: a Python image and a scientific one, made from this host's packages without a registry."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from docker import APIClient
from docker.errors import ImageNotFound

from podium.agents.executors.engine import connect, inspect_image
from podium.agents.executors.engine_errors import engine_call
from podium.agents.images import debian, itself, scientific
from podium.agents.images.archive import ImageArchive
from podium.agents.images.names import AGENT_IMAGE, INPUTS_LABEL, PYTHON_IMAGE, SCIENTIFIC_IMAGE

Progress = Callable[[str], None]

_RECIPE = "1"
"""Change it when an image made from the same packages would come out different."""

_IMPORT_SECONDS = 600
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image that is now on the host.

    Attributes:
        digest: The image's id.
        built: It was made by this call; otherwise it was there already.
    """

    name: str
    digest: str
    size_bytes: int
    built: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made from.

    Attributes:
        inputs: A digest of all that goes in.
        site: It has the scientific packages.
        agent: It has Podium's agent.
    """

    repository: str
    minor: str
    packages: list[debian.Package]
    inputs: str
    site: bool
    agent: bool = False

    @property
    def name(self) -> str:
        """Repository and tag."""
        return f"{self.repository}:{self.minor}"


def build_images(
    progress: Progress, *, force: bool = False, base_url: str = "", agent: bool = False
) -> list[BuiltImage]:
    """Make `podium/python` and `podium/scientific`, tagged with Debian's Python version and `latest`.

    With `agent`, make `podium/agent` instead, for agents that run as containers.

    An image that was made from the same packages before is left as it is, unless `force`.

    Raises:
        PodiumError: The host is not a Debian with its own python3, or the Python packages can't be had.
        ExecutorFault: No Docker engine answers.
    """
    client = connect(base_url, call_seconds=_IMPORT_SECONDS)
    try:
        wanted = [agent_recipe()] if agent else recipes()
        return [_build(client, recipe, progress, force=force) for recipe in wanted]
    finally:
        client.close()


def recipes() -> list[Recipe]:
    """What both images are made from on this host.

    Raises:
        PodiumError: The host is not a Debian with its own python3.
    """
    minor = debian.python_minor()
    packages = debian.closure()
    base = _digest(_RECIPE, *(f"{package.name}={package.version}" for package in packages))
    return [
        Recipe(PYTHON_IMAGE, minor, packages, base, site=False),
        Recipe(SCIENTIFIC_IMAGE, minor, packages, _digest(base, scientific.LOCK.read_text()), site=True),
    ]


def agent_recipe() -> Recipe:
    """What the image of an agent is made from on this host.

    Raises:
        PodiumError: The host is not a Debian with its own python3.
    """
    base = recipes()[0]
    return Recipe(AGENT_IMAGE, base.minor, base.packages, _digest(base.inputs, itself.digest()), site=False, agent=True)


def _build(client: APIClient, recipe: Recipe, progress: Progress, *, force: bool) -> BuiltImage:
    began = time.monotonic()
    present = None if force else _present(client, recipe)
    if present:
        progress(f"{recipe.name} is already built.")
        return BuiltImage(recipe.name, *present, built=False, seconds=time.monotonic() - began)
    progress(f"Building {recipe.name} from {len(recipe.packages)} Debian packages ...")
    with tempfile.TemporaryDirectory(prefix="podium-image-") as folder:
        tar = _write_tar(Path(folder), recipe)
        progress(f"Importing {recipe.name}, {tar.stat().st_size / 1e6:.0f} MB ...")
        _import(client, recipe, tar)
    digest, size = _inspect(client, recipe.name)
    seconds = time.monotonic() - began
    progress(f"{recipe.name} is built: {size / 1e6:.0f} MB in {seconds:.1f} s.")
    return BuiltImage(recipe.name, digest, size, built=True, seconds=seconds)


def _write_tar(folder: Path, recipe: Recipe) -> Path:
    tar = folder / "image.tar"
    with ImageArchive(tar) as archive:
        archive.add_skeleton()
        archive.add_host_files(debian.files(recipe.packages))
        if recipe.site:
            site = folder / "site"
            scientific.install(site, minor=recipe.minor)
            archive.add_tree(site, scientific.site_packages(recipe.minor))
        if recipe.agent:
            site = folder / "site"
            itself.install(site, minor=recipe.minor)
            archive.add_tree(site, scientific.site_packages(recipe.minor))
    return tar


def _import(client: APIClient, recipe: Recipe, tar: Path) -> None:
    changes = [f"ENV {name}={value}" for name, value in _ENVIRONMENT.items()]
    changes += [f"LABEL {INPUTS_LABEL}={recipe.inputs}", "WORKDIR /app", 'CMD ["python3"]']
    with engine_call("while it imported an image"):
        client.import_image(str(tar), repository=recipe.repository, tag=recipe.minor, changes=changes)
        client.tag(recipe.name, recipe.repository, "latest")


def _present(client: APIClient, recipe: Recipe) -> tuple[str, int] | None:
    with engine_call("while the agent looked for an image"):
        try:
            image = inspect_image(client, recipe.name)
            latest = inspect_image(client, f"{recipe.repository}:latest")
        except ImageNotFound:
            return None
    labels = image["Config"].get("Labels") or {}
    same = labels.get(INPUTS_LABEL) == recipe.inputs and latest["Id"] == image["Id"]
    return (image["Id"], image["Size"]) if same else None


def _inspect(client: APIClient, name: str) -> tuple[str, int]:
    with engine_call("while the agent looked for an image"):
        image = inspect_image(client, name)
    return image["Id"], image["Size"]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
