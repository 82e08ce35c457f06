"""The tar archive that an image is imported from: written to a file, so that it never has to fit in memory."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Self

_LINKED_FOLDERS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")

_FOLDERS = {
    "app": 0o755,
    "dev": 0o755,
    "etc": 0o755,
    "home": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "run": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "usr": 0o755,
    "usr/local": 0o755,
    "var": 0o755,
    "var/tmp": 0o1777,
}
_TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_LINKS = {"usr/bin/python": "python3"}


class ImageArchive:
    """Writes a root file system: everything in it belongs to root and nothing in it is writable by others."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 -- closed by __exit__
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def add_skeleton(self) -> None:
        """Add the folders, users and links that every image has."""
        for name in _LINKED_FOLDERS:
            if (Path("/") / name).is_symlink():
                self._add_link(name, str((Path("/") / name).readlink()))
        for name, mode in _FOLDERS.items():
            self._add_folder(name, mode)
        for name, text in _TEXTS.items():
            self._add_text(name, text)
        for name, target in _LINKS.items():
            self._add_link(name, target)

    def add_host_files(self, paths: Iterable[Path]) -> None:
        """Add files of the host under their own paths."""
        for path in paths:
            self.add(path, str(path).lstrip("/"))

    def add_tree(self, source: Path, target: str) -> None:
        """Add the folder `source` as `target`, a path without a leading slash."""
        parts = target.split("/")
        for depth in range(1, len(parts) + 1):
            self._add_folder("/".join(parts[:depth]), 0o755)
        for folder, _, names in os.walk(source):
            inside = Path(folder).relative_to(source)
            self.add(Path(folder), str(target / inside))
            for name in sorted(names):
                self.add(Path(folder) / name, str(target / inside / name))

    def add(self, path: Path, name: str) -> None:
        """Add one file, folder or link as `name`; what an image can't use (a socket, a device) is left out."""
        status = path.lstat()
        if name in self._known or not _is_for_images(status.st_mode):
            return
        self._known.add(name)
        entry = tarfile.TarInfo(name)
        entry.mode = _tidy_mode(status.st_mode)
        # Whole seconds: compiled Python files are valid for the exact second of their source.
        entry.mtime = int(status.st_mtime)
        if stat.S_ISLNK(status.st_mode):
            entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
            self._tar.addfile(entry)
        elif stat.S_ISDIR(status.st_mode):
            entry.type = tarfile.DIRTYPE
            self._tar.addfile(entry)
        else:
            entry.size = status.st_size
            with path.open("rb") as content:
                self._tar.addfile(entry, content)

    def _add_folder(self, name: str, mode: int) -> None:
        if name not in self._known:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            self._known.add(name)
            self._tar.addfile(entry)

    def _add_link(self, name: str, target: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        self._known.add(name)
        self._tar.addfile(entry)

    def _add_text(self, name: str, text: str) -> None:
        entry = tarfile.TarInfo(name)
        entry.mode, entry.size = 0o644, len(text.encode())
        self._known.add(name)
        self._tar.addfile(entry, io.BytesIO(text.encode()))


def _is_for_images(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _tidy_mode(mode: int) -> int:
    # Nothing in an image needs set-user-id, and a umask of the host must not make it unreadable.
    if stat.S_ISLNK(mode):
        return 0o777
    return 0o755 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o644
