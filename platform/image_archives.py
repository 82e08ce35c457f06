"""The image of a container as `docker save` writes it into a tar: looked at, without trusting a word of it.

There are two layouts: Docker's own (`manifest.json`, and a folder for each layer) and OCI's (`index.json`, and blobs
that are named by their SHA-256); newer engines write both into one tar. Nothing is unpacked here and nothing needs an
engine, so that a participant's client finds most mistakes before it uploads anything. What the layers hold is looked
at by the agent (`podium.platform.image_layers`).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import posixpath
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podium.platform.errors import InvalidInput
from podium.platform.tar_walk import BLOCK, Stream, TarDamaged, TarEntry, TarWalk

SUFFIXES = (".tar", ".tar.gz", ".tgz")
"""What the name of a file with an image ends in."""

_SMALL_BYTES = 4 << 20
_SMALL_TOTAL = 64 << 20
_MOST_ENTRIES = 5000
_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i386": "386", "i686": "386"}
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_OF_IMAGES = frozenset({"manifest.json", "index.json", "oci-layout"})
_TAKEN = frozenset({"app", "dev", "input", "output", "proc", "sys", "tmp"})
_SAVE = "Make it with `docker save IMAGE -o image.tar`."


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


class ImageRefused(InvalidInput):
    """A file that is no image that can be run; `faults` has all that is wrong with it."""

    type = "image-refused"
    title = "The image can't be used"

    def __init__(self, faults: Sequence[str], *, remedy: str = "") -> None:
        self.faults = tuple(faults)
        super().__init__(f"The image can't be used: {'; '.join(self.faults)}.", remedy=remedy)


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


def packing_of(head: bytes) -> str:
    """How a file that begins with these bytes is packed; empty where it is not."""
    if head[1:4] == b"*M\x18":
        return "zstd"  # a frame to be skipped, with which such a file may begin
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")


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
        contents = _scan(path, ImageLimits().bytes)
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
    return _read(_scan(path, limits.bytes), architecture, limits)


@dataclass(slots=True)
class _Contents:
    """The entries of a tar by their names, and the bytes of the small ones."""

    entries: dict[str, TarEntry] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)

    def file(self, name: str) -> TarEntry | None:
        """A file of the tar; a link inside it, as older engines write for a layer that is there twice, is followed."""
        entry = self.entries.get(name)
        if entry and entry.kind == "link":
            entry = self.entries.get(posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.target)))
        return entry if entry and entry.kind == "file" else None

    def content(self, name: str) -> bytes | None:
        entry = self.file(name)
        return self.small.get(entry.name.removeprefix("./")) if entry else None


def _read(contents: _Contents, architecture: str, limits: ImageLimits) -> ImageArchive:
    faults = _name_faults(contents.entries)
    found = _find(contents, faults)
    image = _image(contents, found, faults, architecture, limits) if found else None
    if faults or image is None:
        raise ImageRefused(faults or ["what it says about itself can't be understood"], remedy=_SAVE)
    return image


@dataclass(frozen=True, slots=True)
class _Found:
    """Where configuration and layers are; `named` layers are under their own SHA-256."""

    config: str
    layers: tuple[str, ...]


def _scan(path: Path, max_bytes: int) -> _Contents:
    contents, kept = _Contents(), 0
    with path.open("rb") as file:
        packing = packing_of(file.read(8))
        file.seek(0)
        if packing not in {"", "gzip"}:
            raise ImageRefused([f"it is packed with {packing}"], remedy="Pack it with gzip, or leave it unpacked.")
        stream: Stream = gzip.GzipFile(fileobj=file) if packing else file
        walk = TarWalk(stream, length=None if packing else path.stat().st_size)
        try:
            for entry in walk:
                if entry.offset + entry.size > max_bytes:
                    raise ImageRefused([f"it has more than {max_bytes} bytes, unpacked"])
                name = entry.name.removeprefix("./").rstrip("/")
                if name in contents.entries:
                    contents.repeated.append(name)
                contents.entries[name] = entry
                if len(contents.entries) > _MOST_ENTRIES:
                    raise ImageRefused([f"it has more than {_MOST_ENTRIES} files"])
                if entry.kind == "file" and entry.size <= _SMALL_BYTES and kept + entry.size <= _SMALL_TOTAL:
                    kept += entry.size
                    contents.small[name] = walk.read()
        except TarDamaged as damaged:
            raise ImageRefused([str(damaged)], remedy=_SAVE) from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise ImageRefused(["its gzip is damaged, or its end is missing"], remedy=_SAVE) from None
    return contents


def _name_faults(entries: dict[str, TarEntry]) -> list[str]:
    faults = []
    for name, entry in entries.items():
        parts = entry.name.split("/")
        if entry.name.startswith("/") or ".." in parts or len(entry.name) > 500 or "\\" in entry.name:
            faults.append(f"{entry.name[:100]!r} is no name for a file in it")
        elif entry.kind not in {"file", "folder", "link"}:
            faults.append(f"{name[:100]!r} is a {entry.kind}")
    return faults[:10]


def _find(contents: _Contents, faults: list[str]) -> _Found | None:
    if "manifest.json" in contents.entries:
        return _find_by_docker(contents, faults)
    if "index.json" in contents.entries:
        return _find_by_oci(contents, faults)
    faults.append("it has neither `manifest.json` nor `index.json` (`docker export` writes another kind of tar)")
    return None


def _find_by_docker(contents: _Contents, faults: list[str]) -> _Found | None:
    manifest = _json(contents, "manifest.json", faults)
    if manifest is None:
        return None
    images = [one for one in manifest if isinstance(one, dict)] if isinstance(manifest, list) else []
    found = {_Found(str(one.get("Config")), tuple(map(str, _items(one.get("Layers"))))): _tags(one) for one in images}
    if len(found) != 1:
        tags = ", ".join(tag for names in found.values() for tag in names)[:300]
        faults.append(f"it holds {len(found)} images{f' ({tags})' if tags else ''}, and must hold one")
        return None
    return next(iter(found))


def _tags(image: dict[str, Any]) -> list[str]:
    return [str(tag) for tag in _items(image.get("RepoTags"))]


def _find_by_oci(contents: _Contents, faults: list[str]) -> _Found | None:
    manifests = dict(_image_manifests(contents, "index.json", faults, depth=0))
    if len(manifests) != 1:
        platforms = ", ".join(filter(None, manifests.values()))
        faults.append(f"it holds {len(manifests)} images{f' ({platforms})' if platforms else ''}, and must hold one")
        return None
    name = next(iter(manifests))
    manifest = _json(contents, name, faults)
    if not isinstance(manifest, dict):
        return None
    config = _blob(manifest.get("config"))
    layers = [_blob(layer) for layer in _items(manifest.get("layers"))]
    if config is None or None in layers:
        faults.append(f"`{name}` names no configuration and layers")
        return None
    return _Found(config, tuple(layer for layer in layers if layer))


def _image_manifests(contents: _Contents, name: str, faults: list[str], *, depth: int) -> list[tuple[str, str]]:
    """The manifests of images that an index leads to and that are there, each with its platform."""
    index = _json(contents, name, faults)
    if not isinstance(index, dict) or depth > 3:
        return []
    found: list[tuple[str, str]] = []
    for one in _items(index.get("manifests")):
        blob = _blob(one)
        if blob is None or contents.file(blob) is None:
            continue  # other platforms of the image, which were not saved
        platform = _mapping(one.get("platform"))
        if "vnd.docker.reference.type" in _mapping(one.get("annotations")) or platform.get("os") == "unknown":
            continue  # an attestation, which is no image
        if str(one.get("mediaType")) in _INDEX_TYPES:
            found += _image_manifests(contents, blob, faults, depth=depth + 1)
        else:
            found.append((blob, "/".join(str(platform[key]) for key in ("os", "architecture") if platform.get(key))))
    return found


def _blob(descriptor: Any) -> str | None:  # noqa: ANN401 -- JSON
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    known = re.fullmatch(r"sha256:([0-9a-f]{64})", digest) if isinstance(digest, str) else None
    return f"blobs/sha256/{known[1]}" if known else None


def _json(contents: _Contents, name: str, faults: list[str]) -> Any:  # noqa: ANN401 -- JSON
    content = contents.content(name)
    if content is None:
        faults.append(f"`{name}` is missing, or too large")
        return None
    named = _SHA256.fullmatch(posixpath.basename(name).removesuffix(".json"))
    if named and hashlib.sha256(content).hexdigest() != named[1]:
        faults.append(f"the content of `{name}` is not what its name says")
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        faults.append(f"`{name}` is no JSON")
        return None


def _image(
    contents: _Contents, found: _Found, faults: list[str], architecture: str, limits: ImageLimits
) -> ImageArchive | None:
    faults += [f"{name!r} is in it twice" for name in contents.repeated if name in {found.config, *found.layers}]
    config = _json(contents, found.config, faults)
    content = contents.content(found.config)
    if not isinstance(config, dict) or content is None:
        if config is not None:
            faults.append(f"`{found.config}` is no configuration of an image")
        return None
    made_for = f"{config.get('os') or 'linux'}/{config.get('architecture') or 'nothing'}"
    if made_for != f"linux/{architecture or config.get('architecture')}" or not config.get("architecture"):
        wanted = f"linux/{architecture}" if architecture else "Linux"
        faults.append(f"it is made for {made_for}, and is run on {wanted}; build it with `--platform`")
    inner = _mapping(config.get("config"))
    command = (*_words(inner.get("Entrypoint")), *_words(inner.get("Cmd")))
    if not command:
        faults.append("it has neither ENTRYPOINT nor CMD, so that there is nothing to run")
    faults += _start_faults(inner)
    volumes = sorted(_mapping(inner.get("Volumes")))
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
    contents: _Contents, found: _Found, config: dict[str, Any], faults: list[str], limits: ImageLimits
) -> list[Layer]:
    root = config.get("rootfs")
    diff_ids = root.get("diff_ids") if isinstance(root, dict) and root.get("type") == "layers" else None
    if not isinstance(diff_ids, list) or not all(isinstance(one, str) and _SHA256.fullmatch(one) for one in diff_ids):
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


def _mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    return value if isinstance(value, list) else []


def _words(value: Any) -> list[str]:  # noqa: ANN401 -- JSON
    if isinstance(value, str):
        return [value] if value else []
    return [str(word) for word in value] if isinstance(value, list) else []
