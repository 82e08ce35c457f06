"""What every store can do, whichever it is."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar, Literal

from podium.platform.errors import InvalidInput, NotAllowed, NotFound
from podium.platform.jobs import SignedRequest
from podium.platform.storage.keys import content_key

READ_BYTES = 8 << 20
"""How much is read at once of a large object."""


class SignatureRefused(NotAllowed):
    """A signed request that was altered, has expired, or is for something else."""

    type = "signature-refused"
    title = "This signed request is not good"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed request to the gateway allows.

    Attributes:
        key: The object.
        filename: What a download is called.
        max_bytes: The largest body of a PUT.
    """

    method: Literal["GET", "PUT"]
    key: str
    filename: str
    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoredContent:
    """An object that has its final place."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FoundFile:
    """An object as it is now; `version` is another one whenever its content is, and `modified` is aware UTC."""

    size: int
    version: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a list of what there is. `modified` is aware UTC: accepting the same content again renews it."""

    key: str
    size: int
    modified: datetime


class Storage(ABC):
    """A store.

    Keys are those of `podium.platform.storage.keys`. Every method may be called by several threads at once, and raises
    `PlatformFault` when the store can't be reached or does not do what it should.

    Attributes:
        kind: `file`, `s3` or `abfs`.
        bounds_uploads: Whether the store itself refuses a body that is longer than what was signed. Where it does not,
            `accept` throws it away.
        checksum: By what the store checks a part on its arrival, as in `PartsRecord`.
        signed_seconds: How long a signed request is good.
    """

    kind: ClassVar[str]
    bounds_uploads: ClassVar[bool]
    checksum: ClassVar[str] = "md5"
    signed_seconds: int

    @abstractmethod
    def sign_put(self, key: str, *, max_bytes: int, is_exact: bool = False, work_seconds: float = 0) -> SignedRequest:
        """A request that stores one object.

        Args:
            key: Where.
            max_bytes: The largest body; where it `is_exact`, its very size, which more stores can hold people to.
            is_exact: Whether the size is known by now.
            work_seconds: Work that comes before: the request is good for so much longer.
        """

    @abstractmethod
    def sign_get(self, key: str, *, filename: str, work_seconds: float = 0) -> SignedRequest:
        """A request that reads one object, or a range of it, under a name that is for people."""

    @abstractmethod
    def begin_parts(self, key: str) -> str:
        """Begin an upload in parts; return the store's own reference to it, which may be empty."""

    @abstractmethod
    def sign_part(self, key: str, reference: str, number: int, *, size: int) -> SignedRequest:
        """A request that stores a part: the first is number 1. The same part may be sent again."""

    @abstractmethod
    def parts(self, key: str, reference: str) -> dict[int, int]:
        """The parts that have arrived: number to size. None where the upload is not known (any more)."""

    @abstractmethod
    def join_parts(self, key: str, reference: str, sizes: Sequence[int]) -> None:
        """Make one object of the parts, which are gone then; done before, it is done.

        Raises:
            InvalidInput: Parts are missing, or have another size.
        """

    @abstractmethod
    def forget_parts(self, key: str, reference: str) -> None:
        """Drop the parts of an upload that was joined, or that nobody wants; safe to repeat."""

    @abstractmethod
    def find(self, key: str) -> FoundFile | None:
        """What there is under a key, if anything."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """An object, to be read from anywhere: whole as it is now, though another may take its place meanwhile.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def local_file(self, key: str) -> AbstractContextManager[Path]:
        """An object as a file of this host, while the block runs.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def accept(self, key: str, *, sha256: str, size: int) -> StoredContent:
        """Check an upload and give it its final place; safe to repeat until it is discarded.

        Raises:
            NotFound: Nothing was uploaded.
            InvalidInput: What was uploaded is not what was announced; it is thrown away.
        """

    @abstractmethod
    def _keep(self, key: str, content: bytes) -> None:
        """Write a small object, unless it is there."""

    @abstractmethod
    def store(self, source: Path, sha256: str) -> StoredContent:
        """Keep a file of this host that has this SHA-256; the file itself is moved or removed."""

    @abstractmethod
    def discard(self, key: str) -> None:
        """Forget an upload that was accepted, or that nobody wants; safe to repeat."""

    @abstractmethod
    def new_file(self) -> AbstractContextManager[Path]:
        """A path for a new file, for `store` to take; removed if it is still there."""

    @abstractmethod
    def content(self, shard: str) -> Iterator[StoredObject]:
        """All content of one of the `SHARDS`."""

    @abstractmethod
    def remove_content(self, key: str) -> None:
        """Remove content for good; safe to repeat. Who calls this knows that nothing refers to it."""

    @abstractmethod
    def remove_uploads(self, before: datetime) -> int:
        """Remove what was uploaded before then and not accepted, parts included; return how many there were."""

    def keep(self, content: bytes, *, sha256: str, size: int) -> StoredContent:
        """Give a small file its place that came in a message, and was never uploaded.

        Raises:
            InvalidInput: It is not what was announced.
        """
        if (len(content), hashlib.sha256(content).hexdigest()) != (size, sha256):
            raise InvalidInput("A file in a message is not what is announced there.")
        self._keep(content_key(sha256), content)
        return StoredContent(content_key(sha256), sha256, size)

    def read_small(self, key: str, *, size: int, max_bytes: int) -> bytes | None:
        """An object's content, if it is small; `None` for one that is not, or is not there."""
        if size > max_bytes:
            return None
        try:
            with self.open(key) as file:
                return file.read(max_bytes)
        except NotFound:
            return None


def require_announced(found_size: int, size: int, sha256_is_right: bool | None) -> None:  # noqa: FBT001  # its name says it
    """Go on only if an upload is what was announced; a checksum that is `None` was not computed.

    Raises:
        InvalidInput: It is not.
    """
    if found_size == size and sha256_is_right:
        return
    what = f"{found_size} bytes arrived, {size} were announced" if found_size != size else "its SHA-256 differs"
    raise InvalidInput(f"The upload is not what was announced: {what}.", remedy="Upload it again.")


def require_parts(there: dict[int, int], sizes: Sequence[int]) -> None:
    """Go on only if every part has arrived, whole.

    Raises:
        InvalidInput: Some have not.
    """
    wanted = dict(enumerate(sizes, start=1))
    wrong = [number for number, size in wanted.items() if there.get(number) != size]
    if wrong:
        shown = ", ".join(map(str, wrong[:10])) + (", ..." if len(wrong) > 10 else "")
        raise InvalidInput(
            f"{len(wrong)} of {len(sizes)} parts of the upload are missing or have another size: {shown}.",
            remedy="Upload these parts again.",
        )


def not_there() -> NotFound:
    """What is said where nothing is stored."""
    return NotFound("There is nothing stored under this address.")


def nothing_uploaded() -> NotFound:
    """What is said to who completes an upload that was never made."""
    return NotFound("Nothing has been uploaded yet.", remedy="Make the signed PUT request first.")
