"""Bringing a participant's image to the host.

The engine never sees the file that the participant made: it is read and checked, and what the engine loads is a tar
written anew from what was checked, in the one plain layout, under a name of our own. So no image of the host can be
replaced, whatever the file calls itself, and nothing is unpacked that was not counted.
"""

from __future__ import annotations

import json
import re
import tarfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.client import BAD_REQUEST
from pathlib import Path
from typing import Any, cast

from docker import APIClient
from docker.errors import APIError, ImageNotFound

from podium.agents.executors.container_config import MARK
from podium.agents.executors.container_run import remove_container
from podium.agents.executors.engine import connect, inspect_image
from podium.agents.executors.engine_errors import engine_call, engine_words
from podium.agents.images.cache import ImageCache, submitted_name
from podium.platform.image_archives import ImageArchive, ImageLimits, read_image_archive
from podium.platform.image_layers import check_layers, layer_bytes, unpack_gzip
from podium.platform.image_layouts import ImageRefused, packing_of
from podium.tasks.programs import ExecutorFault, Holder, Image

LOAD_SECONDS = 600
_OF_THE_CONFIGURATION = re.compile(r"unmarshal|invalid character|json:", re.IGNORECASE)


class ImageLoader:
    """Loads participants' images, each once at a time.

    Args:
        owner: Whose containers are made here, for a sweep to find them by.
        architecture: What the host's programs are compiled for.
        cache: What counts the images and removes them when nobody holds them any more.
    """

    def __init__(self, *, owner: str, base_url: str, architecture: str, limits: ImageLimits, cache: ImageCache) -> None:
        self._owner = owner
        self._base_url = base_url
        self._architecture = architecture
        self._limits = limits
        self._cache = cache
        self._loading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def load(self, archive: Path, holder: Holder) -> Image:
        """Check an image and load it; a file that is packed is replaced by what was in it.

        Raises:
            ImageRefused: It is not one that can be run here; the message has every reason.
            ExecutorFault: The engine failed.
        """
        self._unpack(archive)
        image = read_image_archive(archive, architecture=self._architecture, limits=self._limits)
        sizes = check_layers(archive, image, self._limits)
        name = submitted_name(image.id)
        with self._loading[image.id]:
            image_id = self._present(image, name, holder) or self._load(archive, image, sizes, name, holder)
        return Image(
            asked=name,
            name=name,
            digest=f"sha256:{image.id}",
            id=image_id,
            volumes=image.volumes,
            submitted=True,
            command=image.command,
        )

    def _unpack(self, archive: Path) -> None:
        with archive.open("rb") as file:
            is_packed = packing_of(file.read(8)) == "gzip"
        if is_packed:
            plain = archive.with_suffix(".plain")
            unpack_gzip(archive, plain, max_bytes=self._limits.bytes)
            plain.replace(archive)

    def _present(self, image: ImageArchive, name: str, holder: Holder) -> str:
        """The id of the image where the host has it: of another attempt, or because it is one of the host's own."""
        for known in (name, f"sha256:{image.id}"):
            found = self._inspect(known)
            if found and _is_same(found, image) and self._cache.hold(found["Id"], holder.key):
                return str(found["Id"])
        return ""

    def _load(self, archive: Path, image: ImageArchive, sizes: tuple[int, ...], name: str, holder: Holder) -> str:
        holder.say(f"loading the submitted image, {sum(sizes) / 1e6:.0f} MB in {len(sizes)} layers")
        client = connect(self._base_url, call_seconds=LOAD_SECONDS)
        try:
            with engine_call("while it loaded a submitted image"):
                lines = cast("Any", client).load_image(_tar(archive, image, sizes, name))
                said = [" ".join(str(line["error"]).split())[:500] for line in lines if "error" in line]
            if said and _OF_THE_CONFIGURATION.search(said[-1]):
                raise ImageRefused([f"the engine can't read its configuration ({said[-1].rstrip('.')})"])
            found = self._inspect(name)
            if said or found is None or not _is_same(found, image):
                why = said[-1] if said else "what came of it is not what was in the file"
                raise ExecutorFault(f"The Docker engine could not load a submitted image: {why}.")
            self._cache.arrived(str(found["Id"]), name, sum(sizes), holder.key, submitted=True)
            self._try(client, str(found["Id"]))
        finally:
            client.close()
        return str(found["Id"])

    def _try(self, client: APIClient, image_id: str) -> None:
        """Make a container of it, which is never started: what the engine refuses is the image's own doing."""
        labels = {MARK: "1", f"{MARK}.owner": self._owner, f"{MARK}.step": "trial"}
        with engine_call("while it tried a submitted image"):
            try:
                made = client.create_container(image_id, labels=labels, network_disabled=True)
            except APIError as error:
                if error.status_code != BAD_REQUEST and "not a directory" not in engine_words(error):
                    raise
                raise ImageRefused([f"the engine makes no container of it ({engine_words(error)})"]) from error
        remove_container(client, str(made["Id"]))

    def _inspect(self, name: str) -> dict[str, Any] | None:
        client: APIClient = connect(self._base_url)
        try:
            with engine_call("while the agent looked for a submitted image"):
                try:
                    return inspect_image(client, name)
                except ImageNotFound:
                    return None
        finally:
            client.close()


def _is_same(found: dict[str, Any], image: ImageArchive) -> bool:
    layers = [f"sha256:{layer.diff_id}" for layer in image.layers]
    # An engine that keeps its images in containerd calls them by another digest than that of the configuration.
    is_named_otherwise = "Descriptor" in found
    return (found.get("RootFS") or {}).get("Layers") == layers and (
        is_named_otherwise or found.get("Id") == f"sha256:{image.id}"
    )


def _tar(archive: Path, image: ImageArchive, sizes: tuple[int, ...], name: str) -> Iterator[bytes]:
    """The image in Docker's own layout, with nothing in it but what was checked, and no name but ours."""
    config = f"{image.id}.json"
    layers = [f"layer-{number}.tar" for number in range(len(sizes))]
    manifest = json.dumps([{"Config": config, "RepoTags": [name], "Layers": layers}]).encode()
    yield from _file(config, len(image.config), iter([image.config]))
    for layer, size, target in zip(image.layers, sizes, layers, strict=True):
        yield from _file(target, size, layer_bytes(archive, layer))
    yield from _file("manifest.json", len(manifest), iter([manifest]))
    yield bytes(2 * tarfile.BLOCKSIZE)


def _file(name: str, size: int, content: Iterator[bytes]) -> Iterator[bytes]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    yield entry.tobuf(tarfile.GNU_FORMAT)
    yield from content
    yield bytes(-size % tarfile.BLOCKSIZE)
