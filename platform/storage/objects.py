"""What S3 and Azure have in common: objects behind fsspec, which the store itself serves by signed requests."""

from __future__ import annotations

import hashlib
import io
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

from podium.platform.errors import InvalidInput, PlatformFault
from podium.platform.models.base import now
from podium.platform.storage.interface import (
    READ_BYTES,
    FoundFile,
    Storage,
    StoredContent,
    not_there,
    nothing_uploaded,
    require_announced,
)
from podium.platform.storage.keys import content_key, require_key

_WHOLE_BYTES = READ_BYTES
"""An object of at most this size is read at once: it is one object then, even if another takes its place."""


class ObjectStorage(Storage):
    """Objects behind fsspec.

    Args:
        files: The file system of fsspec.
        place: The bucket or container.
        prefix: What all keys begin with in there; empty for none.
        signed_seconds: How long a signed request is good.
    """

    def __init__(self, files: Any, *, place: str, prefix: str, signed_seconds: int) -> None:  # noqa: ANN401  # untyped
        self._files = files
        self._place = place
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.signed_seconds = signed_seconds

    @abstractmethod
    def _faults(self) -> Any:  # noqa: ANN401  # a context manager
        """While the block runs, what the store's library raises becomes Podium's own errors."""

    @abstractmethod
    def _copy(self, source: str, target: str, *, version: str) -> None:
        """Copy an object within the store, only if the source still has that version."""

    def _name(self, key: str) -> str:
        """The object's whole name within its bucket."""
        return f"{self._prefix}{require_key(key)}"

    def _path(self, key: str) -> str:
        """The object as fsspec names it."""
        return f"{self._place}/{self._name(key)}"

    def _expires_in(self, work_seconds: float) -> timedelta:
        return timedelta(seconds=int(self.signed_seconds + work_seconds))

    def open(self, key: str) -> BinaryIO:
        """A small object as it is now, or a reader of a large one."""
        found = self.find(key)
        if found is None:
            raise not_there()
        with self._faults():
            if found.size <= _WHOLE_BYTES:
                return io.BytesIO(self._files.cat_file(self._path(key)))
            return self._reader(key, found)

    def _reader(self, key: str, found: FoundFile) -> BinaryIO:
        del found
        opened = self._files.open(self._path(key), "rb", block_size=READ_BYTES, cache_type="readahead")
        return cast("BinaryIO", opened)

    @contextmanager
    def local_file(self, key: str) -> Iterator[Path]:
        """A copy on this host, which is gone after the block."""
        if self.find(key) is None:
            raise not_there()
        with TemporaryDirectory(prefix="podium-") as folder:
            path = Path(folder, "file")
            with self._faults():
                self._files.get_file(self._path(key), str(path))
            yield path

    def accept(self, key: str, *, sha256: str, size: int) -> StoredContent:
        """Read an upload to check it, and have the store copy just what was read."""
        found = self.find(key)
        if found is None:
            raise nothing_uploaded()
        try:
            # What has another size need not be read.
            is_right = found.size == size and self._sha256_of(key, found) == sha256
            require_announced(found.size, size, is_right)
        except InvalidInput:
            self.discard(key)
            raise
        with self._faults():
            self._copy(self._name(key), self._name(content_key(sha256)), version=found.version)
        return StoredContent(content_key(sha256), sha256, size)

    def _sha256_of(self, key: str, found: FoundFile) -> str:
        digest = hashlib.sha256()
        with self._faults(), self._reader(key, found) as file:
            while piece := file.read(READ_BYTES):
                digest.update(piece)
        return digest.hexdigest()

    def _keep(self, key: str, content: bytes) -> None:
        with self._faults():
            self._files.pipe_file(self._path(key), content)

    def store(self, source: Path, sha256: str) -> StoredContent:
        """Upload a file of this host, and remove it here."""
        stored = StoredContent(content_key(sha256), sha256, source.stat().st_size)
        with self._faults():
            self._files.put_file(str(source), self._path(stored.key))
        source.unlink()
        return stored

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """A path in a folder that is gone after the block."""
        with TemporaryDirectory(prefix="podium-") as folder:
            yield Path(folder, "file")

    def remove_content(self, key: str) -> None:
        """Remove the object."""
        self._remove(key)

    def discard(self, key: str) -> None:
        """Remove the object, if it is there."""
        self._remove(key)

    @abstractmethod
    def _remove(self, key: str) -> None:
        """Remove an object, whether it is there or not."""

    def _key_of(self, name: str) -> str:
        """The key of an object by its whole name."""
        return name.removeprefix(self._prefix)

    def _require_kept(self, is_kept: bool) -> None:  # noqa: FBT001  # its name says it
        """Go on only if an upload stayed what was checked, until it was copied."""
        if not is_kept:
            raise InvalidInput("The upload changed while it was checked.", remedy="Upload it once, and complete it.")


def store_fault(where: str, what: object) -> PlatformFault:
    """What is said when a store does not do what it should."""
    return PlatformFault(f"The store at {where} is in trouble: {what}.", remedy="Try `podium storage check`.")


def utc_now_plus(span: timedelta) -> Any:  # noqa: ANN401  # a datetime
    """A moment to come, in whole seconds."""
    return (now() + span).replace(microsecond=0)
