"""Images in tars as `docker save` writes them, in the layouts of older and newer engines, right and wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Entry = tuple[tarfile.TarInfo, bytes]


def sha256(data: bytes) -> str:
    """The SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def tar_of(entries: Iterable[Entry], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar with these entries."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def file_entry(name: str, content: bytes, *, mode: int = 0o644) -> Entry:
    """A file of a tar."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    return entry, content


def link_entry(name: str, target: str) -> Entry:
    """A symbolic link of a tar."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry, b""


@dataclass
class SavedImage:
    """An image, and how it is written; change what should be wrong.

    Attributes:
        layers: The tar of each layer.
        stored: What is written in place of a layer, by its number: packed, or something else altogether.
    """

    layers: list[bytes] = field(
        default_factory=lambda: [
            tar_of([file_entry("one.txt", b"one")]),
            tar_of([file_entry("two.txt", b"two" * 1000)]),
        ]
    )
    command: dict[str, Any] = field(default_factory=lambda: {"Cmd": ["/bin/predict"]})
    architecture: str | None = "amd64"
    os: str = "linux"
    tags: list[str] = field(default_factory=lambda: ["model:1"])
    stored: dict[int, bytes] = field(default_factory=dict)
    diff_ids: list[str] | None = None

    def config(self) -> bytes:
        """The image's configuration."""
        diff_ids = [f"sha256:{sha256(layer)}" for layer in self.layers] if self.diff_ids is None else self.diff_ids
        content = {
            "os": self.os,
            "config": self.command,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            **({"architecture": self.architecture} if self.architecture else {}),
        }
        return json.dumps(content).encode()

    @property
    def id(self) -> str:
        return sha256(self.config())

    def layer(self, number: int) -> bytes:
        """A layer as it is written."""
        return self.stored.get(number, self.layers[number])

    def docker_entries(self) -> list[Entry]:
        """As engines before 25 write it."""
        names = [f"{sha256(layer)}/layer.tar" for layer in self.layers]
        manifest = [{"Config": f"{self.id}.json", "RepoTags": self.tags, "Layers": names}]
        return [
            file_entry(f"{self.id}.json", self.config()),
            *(file_entry(name, self.layer(number)) for number, name in enumerate(names)),
            file_entry("manifest.json", json.dumps(manifest).encode()),
            file_entry("repositories", b"{}"),
        ]

    def oci_entries(self, *, with_docker: bool = False, more: Iterable[dict[str, Any]] = ()) -> list[Entry]:
        """As OCI's layout has it; newer engines write Docker's manifest beside it."""
        blobs = [self.layer(number) for number in range(len(self.layers))]
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"digest": f"sha256:{self.id}", "size": len(self.config())},
                "layers": [{"digest": f"sha256:{sha256(blob)}", "size": len(blob)} for blob in blobs],
            }
        ).encode()
        platform = {"os": self.os, "architecture": self.architecture or ""}
        descriptor = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{sha256(manifest)}",
            "platform": platform,
        }
        index = {"schemaVersion": 2, "manifests": [descriptor, descriptor, *more]}
        entries = [
            file_entry("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'),
            file_entry("index.json", json.dumps(index).encode()),
            *(_blob(content) for content in dict.fromkeys((self.config(), manifest, *blobs))),
        ]
        if with_docker:
            docker = {
                "Config": f"blobs/sha256/{self.id}",
                "RepoTags": self.tags,
                "Layers": [f"blobs/sha256/{sha256(blob)}" for blob in blobs],
            }
            entries.append(file_entry("manifest.json", json.dumps([docker]).encode()))
        return entries

    def write(self, path: Path, *, layout: str = "docker", packed: bool = False) -> Path:
        """Write it in the layout `docker`, `oci` or `both`."""
        ways: dict[str, Callable[[], list[Entry]]] = {
            "docker": self.docker_entries,
            "oci": self.oci_entries,
            "both": lambda: self.oci_entries(with_docker=True),
        }
        data = tar_of(ways[layout]())
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        return path


def _blob(content: bytes) -> Entry:
    return file_entry(f"blobs/sha256/{sha256(content)}", content)


def python_with(base: Path, code: str, **config: Any) -> SavedImage:  # noqa: ANN401 -- an image's configuration
    """A saved image with Python in it, as its own entry point with a program on top.

    Args:
        base: The image with Python, as an engine saved it.
    """
    with tarfile.open(base) as tar:
        manifest = json.loads(_read(tar, "manifest.json"))[0]
        layers = [_read(tar, name) for name in manifest["Layers"]]
        architecture = json.loads(_read(tar, manifest["Config"]))["architecture"]
    layers.append(tar_of([file_entry("opt/predict.py", code.encode())]))
    command = {"Entrypoint": ["python3", "/opt/predict.py"], "Cmd": ["once"], "Env": ["PATH=/usr/bin:/bin"], **config}
    return SavedImage(layers=layers, command=command, architecture=architecture)


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file is not None
    return file.read()
