"""Files in a folder, and requests to them that the gateway serves."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import BinaryIO, ClassVar, Protocol
from urllib.parse import quote

import anyio
from itsdangerous import BadSignature, URLSafeSerializer

from podium.platform.errors import InvalidInput, PlatformFault, TooLarge
from podium.platform.jobs import SignedRequest
from podium.platform.models.base import now
from podium.platform.storage.interface import (
    READ_BYTES,
    FoundFile,
    Grant,
    SignatureRefused,
    Storage,
    StoredContent,
    StoredObject,
    not_there,
    nothing_uploaded,
    require_announced,
    require_parts,
)
from podium.platform.storage.keys import content_key, require_key

WRITE_BYTES = 1 << 20
"""What is gathered of a body before it is written: each write is a trip to another thread; more leaves its cache."""
_PART = "-part-"


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


class FileStorage(Storage):
    """Files in a folder, and requests to them that the gateway serves.

    Args:
        root: The folder.
        public_url: The gateway's address as clients and agents reach it.
        secret_key: Signs the requests.
        signed_seconds: How long a signed request is good.
    """

    kind: ClassVar[str] = "file"
    bounds_uploads: ClassVar[bool] = True
    checksum: ClassVar[str] = "sha-256"  # twice as quick as MD5 where the processor helps

    def __init__(self, root: Path, *, public_url: str, secret_key: str, signed_seconds: int = 3600) -> None:
        self.root = root
        self._public_url = public_url.rstrip("/")
        self._signer = URLSafeSerializer(secret_key, salt="podium-storage")
        self.signed_seconds = signed_seconds
        (self.root / "incoming").mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.root / "content").mkdir(exist_ok=True, mode=0o700)

    def sign_put(self, key: str, *, max_bytes: int, is_exact: bool = False, work_seconds: float = 0) -> SignedRequest:
        """A token for the gateway; it holds the body to `max_bytes`, exact or not."""
        del is_exact
        return self._sign(Grant(method="PUT", key=key, filename="", max_bytes=max_bytes), work_seconds)

    def sign_get(self, key: str, *, filename: str, work_seconds: float = 0) -> SignedRequest:
        """A token for the gateway."""
        return self._sign(Grant(method="GET", key=key, filename=filename, max_bytes=None), work_seconds)

    def _sign(self, grant: Grant, work_seconds: float) -> SignedRequest:
        expires = now() + timedelta(seconds=self.signed_seconds + work_seconds)
        token = self._signer.dumps([grant.method, grant.key, grant.filename, grant.max_bytes, int(expires.timestamp())])
        return SignedRequest(
            method=grant.method,
            url=f"{self._public_url}/api/v1/storage/{quote(token)}",
            expires=expires.replace(microsecond=0),
            max_bytes=grant.max_bytes,
        )

    def grant(self, token: str, method: str) -> Grant:
        """What a token allows.

        Raises:
            SignatureRefused: It was altered, has expired, or is for another method.
        """
        try:
            signed_method, key, filename, max_bytes, expires = self._signer.loads(token)
        except BadSignature:
            raise SignatureRefused("The signature is wrong.", remedy="Ask for a new request.") from None
        if expires < now().timestamp():
            raise SignatureRefused("The request has expired.", remedy="Ask for a new one.")
        if method not in ({"GET", "HEAD"} if signed_method == "GET" else {signed_method}):
            raise SignatureRefused(f"This request is for {signed_method}, not for {method}.")
        return Grant(method=signed_method, key=key, filename=filename, max_bytes=max_bytes)

    def begin_parts(self, key: str) -> str:
        """Nothing is to be begun: parts are files beside each other."""
        require_key(key)
        return ""

    def sign_part(self, key: str, reference: str, number: int, *, size: int) -> SignedRequest:
        """A token for a part's own file."""
        del reference
        return self.sign_put(_part_key(key, number), max_bytes=size)

    def parts(self, key: str, reference: str) -> dict[int, int]:
        """The parts' files."""
        del reference
        found = {}
        for path in self._part_paths(key):
            with suppress(FileNotFoundError):
                found[int(path.name.rpartition(_PART)[2])] = path.stat().st_size
        return found

    def join_parts(self, key: str, reference: str, sizes: Sequence[int]) -> None:
        """Copy the parts one behind the other, within the kernel."""
        there, found = self.parts(key, reference), self.find(key)
        if not there and found is not None and found.size == sum(sizes):
            return
        require_parts(there, sizes)
        target = self.path_of(key)
        with _storing(target), NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as joined:
            try:
                for number, size in enumerate(sizes, start=1):
                    _append(self.path_of(_part_key(key, number)), size, joined.fileno())
                Path(joined.name).replace(target)
            except BaseException:
                Path(joined.name).unlink(missing_ok=True)
                raise
        self.forget_parts(key, reference)

    def forget_parts(self, key: str, reference: str) -> None:
        """Remove the parts' files."""
        del reference
        for path in self._part_paths(key):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.path_of(key).parent.rmdir()

    def _part_paths(self, key: str) -> list[Path]:
        path = self.path_of(key)
        return sorted(path.parent.glob(f"{path.name}{_PART}*"))

    def path(self, key: str) -> Path:
        """The file of an object.

        Raises:
            NotFound: There is none.
        """
        path = self.path_of(key)
        if not path.is_file():
            raise not_there()
        return path

    def path_of(self, key: str) -> Path:
        """Where an object lies or will lie."""
        return self.root / require_key(key)

    def find(self, key: str) -> FoundFile | None:
        """The file's size; its version is made of when it was written and where on the disk."""
        try:
            status = self.path_of(key).stat()
        except FileNotFoundError:
            return None
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        return FoundFile(status.st_size, f"{status.st_mtime_ns:x}-{status.st_ino:x}", modified)

    def open(self, key: str) -> BinaryIO:
        """The file itself."""
        try:
            return self.path_of(key).open("rb")
        except FileNotFoundError:
            raise not_there() from None

    @contextmanager
    def local_file(self, key: str) -> Iterator[Path]:
        """The file itself."""
        yield self.path(key)

    async def receive(
        self, grant: Grant, body: AsyncIterator[bytes], *, checksum: tuple[str, str] | None = None
    ) -> int:
        """Store the body of a PUT, whole or not at all, and return its size.

        Args:
            grant: What was signed.
            body: Its pieces.
            checksum: What the sender says it has: the name of `hashlib`, and the sum in base64.

        Raises:
            TooLarge: The body is longer than was granted; nothing is stored.
            InvalidInput: It was damaged on its way; nothing is stored.
        """
        target = self.path_of(grant.key)
        await anyio.to_thread.run_sync(lambda: target.parent.mkdir(parents=True, exist_ok=True, mode=0o700))
        digest = hashlib.new(checksum[0], usedforsecurity=False) if checksum is not None else None
        size = 0
        with NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False, buffering=0) as part:
            try:
                async for pieces in _gathered(body):
                    size += sum(map(len, pieces))
                    if grant.max_bytes is not None and size > grant.max_bytes:
                        raise TooLarge(f"The upload is larger than the {grant.max_bytes} bytes that were announced.")
                    await anyio.to_thread.run_sync(_write, part.fileno(), pieces, digest)
                if digest and checksum and base64.b64encode(digest.digest()).decode() != checksum[1]:
                    raise InvalidInput(
                        "What arrived is not what was sent: its checksum differs.", remedy="Send it again."
                    )
                await anyio.Path(part.name).replace(target)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await anyio.Path(part.name).unlink(missing_ok=True)
                raise
        return size

    def accept(self, key: str, *, sha256: str, size: int) -> StoredContent:
        """Check an upload and link it into its final place."""
        final = self.path_of(content_key(sha256))
        source = self.path_of(key)
        if not source.is_file():
            raise nothing_uploaded()
        found_size = source.stat().st_size
        try:
            # What has another size need not be read.
            require_announced(found_size, size, found_size == size and _sha256_of(source) == sha256)
        except InvalidInput:
            source.unlink(missing_ok=True)
            raise
        with _storing(final):
            source.chmod(0o400)
            _link(source, final)
        return StoredContent(content_key(sha256), sha256, size)

    def _keep(self, key: str, content: bytes) -> None:
        final = self.path_of(key)
        with _storing(final), suppress(FileNotFoundError):
            os.utime(final)
            return
        with _storing(final), NamedTemporaryFile(dir=self.root / "incoming", prefix=".part-") as part:
            part.write(content)
            part.flush()
            Path(part.name).chmod(0o400)
            _link(Path(part.name), final)

    def discard(self, key: str) -> None:
        """Remove the file, and its folder unless another part of the same upload is still there."""
        source = self.path_of(key)
        source.unlink(missing_ok=True)
        with suppress(OSError):
            source.parent.rmdir()

    def store(self, source: Path, sha256: str) -> StoredContent:
        """Move a file of this host into its final place."""
        size = source.stat().st_size
        final = self.path_of(content_key(sha256))
        with _storing(final):
            source.chmod(0o400)
            source.replace(final)
            os.utime(final)
        return StoredContent(content_key(sha256), sha256, size)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """A path on the store's own disk, so that storing is no copy."""
        with TemporaryDirectory(dir=self.root / "incoming", prefix=".new-") as folder:
            yield Path(folder, "file")

    def content(self, shard: str) -> Iterator[StoredObject]:
        """The files of a folder of content."""
        with suppress(FileNotFoundError), os.scandir(self.root / "content" / shard) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    modified = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield StoredObject(f"content/{shard}/{entry.name}", status.st_size, modified)

    def remove_content(self, key: str) -> None:
        """Remove the file."""
        self.path_of(key).unlink(missing_ok=True)

    def remove_uploads(self, before: datetime) -> int:
        """Remove old files and the folders that they leave empty; also what a crash has left unfinished."""
        removed = 0
        for path in (self.root / "incoming").rglob("*"):
            with suppress(OSError):
                if datetime.fromtimestamp(path.lstat().st_mtime, UTC) >= before:
                    continue
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
                    removed += 1
        return removed


def _part_key(key: str, number: int) -> str:
    return f"{key}{_PART}{number:05}"


async def _gathered(body: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """The same bytes, some pieces at a time."""
    pieces: list[bytes] = []
    size = 0
    async for piece in body:
        pieces.append(piece)
        size += len(piece)
        if size >= WRITE_BYTES:
            yield pieces
            pieces, size = [], 0
    if pieces:
        yield pieces


def _write(descriptor: int, pieces: Sequence[bytes], digest: _Digest | None) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view) :]
        if digest is not None:
            digest.update(piece)


def _append(source: Path, size: int, target: int) -> None:
    """Copy a file to the end of another; its size is the one that was checked."""
    with source.open("rb") as part:
        left = size
        while left:
            try:
                copied = os.copy_file_range(part.fileno(), target, left)
            except OSError:  # a file system that can't
                shutil.copyfileobj(part, os.fdopen(target, "ab", closefd=False), READ_BYTES)
                return
            if not copied:
                raise InvalidInput("A part of the upload became shorter.", remedy="Upload it again.")
            left -= copied


def _link(source: Path, final: Path) -> None:
    """Give a file its final name, or renew the age of the equal one that has it."""
    with suppress(FileExistsError):
        final.hardlink_to(source)
    os.utime(final)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _storing(final: Path) -> Iterator[None]:
    try:
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield
    except OSError as error:
        raise PlatformFault(f"The file could not be stored: {error.strerror}.") from error
