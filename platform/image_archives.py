"""The image of a container as `docker save` writes it into a tar: looked at, without trusting a word of it.

Nothing is unpacked here and nothing needs an engine, so that a participant's client finds most mistakes before it
uploads anything. What the layers hold is looked at by the agent (`podium.platform.image_layers`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podium.platform.image_layouts import (
    SAVE,
    SHA256,
    Contents,
    Found,
    ImageRefused,
    find,
    mapping,
    name_faults,
    packing_of,
    read_json,
    scan,
)
from podium.platform.tar_walk import BLOCK, TarEntry

SUFFIXES = (".tar", ".tar.gz", ".tgz")
"""What the name of a file with an image ends in."""

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i386": "386", "i686": "386"}
_OF_IMAGES = frozenset({"manifest.json", "index.json", "oci-layout"})
_TAKEN = frozenset({"app", "dev", "input", "output", "proc", "sys", "tmp"})


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large an image may be.

    Attributes:
        bytes: Of the tar, unpacked.
        layers: Docker's own limit is the default.
        files: Entries of all layers together.
    """

    bytes: int = 16 << 30
    layers: int = 127
    files: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an image.

    Attributes:
        entry: Where it is in the tar.
        diff_id: SHA-256 of the layer's own tar, unpacked, as the image's configuration has it.
        digest: SHA-256 of the layer as it stands in the tar, where the layout says it.
    """

    entry: TarEntry
    diff_id: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """An image in a tar.

    Attributes:
        id: SHA-256 of its configuration, in hexadecimal digits: what Docker calls the image's id.
        config: Its configuration, byte for byte.
        architecture: Such as `amd64`.
        command: Entry point and command together.
        volumes: Paths that it declares as volumes.
    """

    id: str
    config: bytes = field(repr=False)
    architecture: str
    layers: tuple[Layer, ...]
    command: tuple[str, ...]
    volumes: tuple[str, ...]


def architecture_of(machine: str) -> str:
    """The name that images have for a kind of machine: `amd64` for `x86_64`."""
    return _MACHINES.get(machine, machine)


def is_image_name(filename: str) -> bool:
    """Whether a file of this name may hold an image."""
    return filename.lower().endswith(SUFFIXES)


def is_image(path: Path) -> bool:
    """Whether a file is an image that could be run somewhere; another kind of file is no mistake.

    Raises:
        ImageRefused: It is meant to be an image, and could not be run; the message has every reason.
        OSError: It can't be read.
    """
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if packing_of(head) != "gzip" and head[257:262] != b"ustar":
        return False
    try:
        contents = scan(path, ImageLimits().bytes)
    except ImageRefused:
        if is_image_name(path.name):
            raise
        return False
    if _OF_IMAGES.isdisjoint(contents.entries):
        return False
    _read(contents, "", ImageLimits())
    return True


def read_image_archive(path: Path, *, architecture: str = "", limits: ImageLimits | None = None) -> ImageArchive:
    """Read what a tar, plain or packed with gzip, says about the image in it.

    Args:
        path: The file.
        architecture: What the image must be made for; without one, it must only say what it is made for.
        limits: Caps; the defaults of `ImageLimits` without it.

    Raises:
        ImageRefused: It holds no image that could be run; the message has every reason that was found.
    """
    limits = limits or ImageLimits()
    return _read(scan(path, limits.bytes), architecture, limits)


def _read(contents: Contents, architecture: str, limits: ImageLimits) -> ImageArchive:
    faults = name_faults(contents.entries)
    found = find(contents, faults)
    image = _image(contents, found, faults, architecture, limits) if found else None
    if faults or image is None:
        raise ImageRefused(faults or ["what it says about itself can't be understood"], remedy=SAVE)
    return image


def _image(
    contents: Contents, found: Found, faults: list[str], architecture: str, limits: ImageLimits
) -> ImageArchive | None:
    faults += [f"{name!r} is in it twice" for name in contents.repeated if name in {found.config, *found.layers}]
    config = read_json(contents, found.config, faults)
    content = contents.content(found.config)
    if not isinstance(config, dict) or content is None:
        if config is not None:
            faults.append(f"`{found.config}` is no configuration of an image")
        return None
    made_for = f"{config.get('os') or 'linux'}/{config.get('architecture') or 'nothing'}"
    if made_for != f"linux/{architecture or config.get('architecture')}" or not config.get("architecture"):
        wanted = f"linux/{architecture}" if architecture else "Linux"
        faults.append(f"it is made for {made_for}, and is run on {wanted}; build it with `--platform`")
    inner = mapping(config.get("config"))
    command = (*_words(inner.get("Entrypoint")), *_words(inner.get("Cmd")))
    if not command:
        faults.append("it has neither ENTRYPOINT nor CMD, so that there is nothing to run")
    faults += _start_faults(inner)
    volumes = sorted(mapping(inner.get("Volumes")))
    faults += [f"it declares the volume {path[:100]!r}, where none may be" for path in volumes if _is_taken(path)]
    return ImageArchive(
        id=hashlib.sha256(content).hexdigest(),
        config=content,
        architecture=str(config.get("architecture")),
        layers=tuple(_layers(contents, found, config, faults, limits)),
        command=command,
        volumes=tuple(volumes),
    )


def _start_faults(inner: dict[str, Any]) -> list[str]:
    """What an engine would only stumble over when it starts the image."""
    faults = []
    folder = inner.get("WorkingDir") or "/"
    if not isinstance(folder, str) or not folder.startswith("/"):
        faults.append(f"its WORKDIR {str(folder)[:100]!r} is no absolute path")
    words = [*_words(inner.get("Entrypoint")), *_words(inner.get("Cmd")), *_words(inner.get("Env")), str(folder)]
    if any("\0" in word for word in words):
        faults.append("its command or environment has a zero byte in it")
    return faults


def _is_taken(path: str) -> bool:
    """Whether a volume there would be in the way of what the platform shows a program, or is no path at all."""
    parts = (path.rstrip("/") or path).split("/")
    is_plain = len(path) < 200 and parts[0] == "" and not {".", "..", ""}.intersection(parts[1:])
    return not is_plain or parts[1] in _TAKEN


def _layers(
    contents: Contents, found: Found, config: dict[str, Any], faults: list[str], limits: ImageLimits
) -> list[Layer]:
    root = config.get("rootfs")
    diff_ids = root.get("diff_ids") if isinstance(root, dict) and root.get("type") == "layers" else None
    if not isinstance(diff_ids, list) or not all(isinstance(one, str) and SHA256.fullmatch(one) for one in diff_ids):
        faults.append("its configuration does not say which layers it has")
        return []
    if len(diff_ids) != len(found.layers):
        faults.append(f"it has {len(found.layers)} layers, and its configuration names {len(diff_ids)}")
        return []
    if len(diff_ids) > limits.layers:
        faults.append(f"it has {len(diff_ids)} layers, and may have {limits.layers}")
    layers = []
    for name, diff_id in zip(found.layers, diff_ids, strict=True):
        entry = contents.file(name)
        if entry is None:
            faults.append(f"the layer `{name[:100]}` is missing")
            continue
        named = re.fullmatch(r"blobs/sha256/([0-9a-f]{64})", entry.name)
        layers.append(Layer(entry, diff_id.removeprefix("sha256:"), named[1] if named else ""))
    return layers


def _words(value: Any) -> list[str]:  # noqa: ANN401 -- JSON
    if isinstance(value, str):
        return [value] if value else []
    return [str(word) for word in value] if isinstance(value, list) else []
