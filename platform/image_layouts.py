"""Where in a tar with an image its configuration and layers are: Docker's layout, OCI's, or both in one.

There are two layouts: Docker's own (`manifest.json`, and a folder for each layer) and OCI's (`index.json`, and blobs
that are named by their SHA-256); newer engines write both into one tar.
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
from podium.platform.tar_walk import Stream, TarDamaged, TarEntry, TarWalk

_SMALL_BYTES = 4 << 20
_SMALL_TOTAL = 64 << 20
_MOST_ENTRIES = 5000
SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_INDEX_TYPES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
SAVE = "Make it with `docker save IMAGE -o image.tar`."


class ImageRefused(InvalidInput):
    """A file that is no image that can be run; `faults` has all that is wrong with it."""

    type = "image-refused"
    title = "The image can't be used"

    def __init__(self, faults: Sequence[str], *, remedy: str = "") -> None:
        self.faults = tuple(faults)
        super().__init__(f"The image can't be used: {'; '.join(self.faults)}.", remedy=remedy)


def packing_of(head: bytes) -> str:
    """How a file that begins with these bytes is packed; empty where it is not."""
    if head[1:4] == b"*M\x18":
        return "zstd"  # a frame to be skipped, with which such a file may begin
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")


@dataclass(slots=True)
class Contents:
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
        """The bytes of a small file of the tar."""
        entry = self.file(name)
        return self.small.get(entry.name.removeprefix("./")) if entry else None


@dataclass(frozen=True, slots=True)
class Found:
    """Where an image's configuration and layers are in a tar, by their names."""

    config: str
    layers: tuple[str, ...]


def scan(path: Path, max_bytes: int) -> Contents:
    """Go through a tar, plain or packed with gzip.

    Raises:
        ImageRefused: It is damaged, packed in another way, or larger than `max_bytes`, unpacked.
    """
    contents, kept = Contents(), 0
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
            raise ImageRefused([str(damaged)], remedy=SAVE) from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise ImageRefused(["its gzip is damaged, or its end is missing"], remedy=SAVE) from None
    return contents


def name_faults(entries: dict[str, TarEntry]) -> list[str]:
    """What is wrong with the names and kinds of a tar's entries."""
    faults = []
    for name, entry in entries.items():
        parts = entry.name.split("/")
        if entry.name.startswith("/") or ".." in parts or len(entry.name) > 500 or "\\" in entry.name:
            faults.append(f"{entry.name[:100]!r} is no name for a file in it")
        elif entry.kind not in {"file", "folder", "link"}:
            faults.append(f"{name[:100]!r} is a {entry.kind}")
    return faults[:10]


def find(contents: Contents, faults: list[str]) -> Found | None:
    """Find the one image in a tar; what keeps it from being found is added to the faults."""
    if "manifest.json" in contents.entries:
        return _find_by_docker(contents, faults)
    if "index.json" in contents.entries:
        return _find_by_oci(contents, faults)
    faults.append("it has neither `manifest.json` nor `index.json` (`docker export` writes another kind of tar)")
    return None


def _find_by_docker(contents: Contents, faults: list[str]) -> Found | None:
    manifest = read_json(contents, "manifest.json", faults)
    if manifest is None:
        return None
    images = [one for one in manifest if isinstance(one, dict)] if isinstance(manifest, list) else []
    found = {Found(str(one.get("Config")), tuple(map(str, items(one.get("Layers"))))): _tags(one) for one in images}
    if len(found) != 1:
        tags = ", ".join(tag for names in found.values() for tag in names)[:300]
        faults.append(f"it holds {len(found)} images{f' ({tags})' if tags else ''}, and must hold one")
        return None
    return next(iter(found))


def _tags(image: dict[str, Any]) -> list[str]:
    return [str(tag) for tag in items(image.get("RepoTags"))]


def _find_by_oci(contents: Contents, faults: list[str]) -> Found | None:
    manifests = dict(_image_manifests(contents, "index.json", faults, depth=0))
    if len(manifests) != 1:
        platforms = ", ".join(filter(None, manifests.values()))
        faults.append(f"it holds {len(manifests)} images{f' ({platforms})' if platforms else ''}, and must hold one")
        return None
    name = next(iter(manifests))
    manifest = read_json(contents, name, faults)
    if not isinstance(manifest, dict):
        return None
    config = _blob(manifest.get("config"))
    layers = [_blob(layer) for layer in items(manifest.get("layers"))]
    if config is None or None in layers:
        faults.append(f"`{name}` names no configuration and layers")
        return None
    return Found(config, tuple(layer for layer in layers if layer))


def _image_manifests(contents: Contents, name: str, faults: list[str], *, depth: int) -> list[tuple[str, str]]:
    """The manifests of images that an index leads to and that are there, each with its platform."""
    index = read_json(contents, name, faults)
    if not isinstance(index, dict) or depth > 3:
        return []
    found: list[tuple[str, str]] = []
    for one in items(index.get("manifests")):
        blob = _blob(one)
        if blob is None or contents.file(blob) is None:
            continue  # other platforms of the image, which were not saved
        platform = mapping(one.get("platform"))
        if "vnd.docker.reference.type" in mapping(one.get("annotations")) or platform.get("os") == "unknown":
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


def read_json(contents: Contents, name: str, faults: list[str]) -> Any:  # noqa: ANN401 -- JSON
    """What a file of a tar says; `None`, and a fault, where it says nothing or is not what its name says."""
    content = contents.content(name)
    if content is None:
        faults.append(f"`{name}` is missing, or too large")
        return None
    named = SHA256.fullmatch(posixpath.basename(name).removesuffix(".json"))
    if named and hashlib.sha256(content).hexdigest() != named[1]:
        faults.append(f"the content of `{name}` is not what its name says")
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        faults.append(f"`{name}` is no JSON")
        return None


def mapping(value: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
