"""Where files are kept, and signed requests to put and get them.

Everything is content-addressed: an upload goes to `incoming/<id>`, and once its size and SHA-256 are checked it
stands under `content/<sha256>` too and never changes again. So a signed request that is used twice can't alter what
was accepted, and equal files are kept once. The upload itself is discarded when the database knows that it was
accepted: until then accepting can be repeated, and who only knows a checksum never gets the content of others by it.

`file://` is served by the gateway itself with tokens of itsdangerous. Object stores sign their own requests.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import BinaryIO, Literal
from urllib.parse import quote, urlsplit
from uuid import UUID

import anyio
from itsdangerous import BadSignature, URLSafeSerializer

from podium.platform.errors import InvalidInput, NotAllowed, NotFound, PlatformFault, TooLarge
from podium.platform.jobs import SignedRequest
from podium.platform.models.base import now
from podium.platform.settings import ServerSettings

KEY = re.compile(r"(?:incoming|content)(?:/[A-Za-z0-9_-]+){2}")
"""What keys look like: two folders and a name, none of which leads elsewhere."""


class SignatureRefused(NotAllowed):
    """A signed request that was altered, has expired, or is for something else."""

    type = "signature-refused"
    title = "This signed request is not good"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed request allows.

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
    """An object as it is now; `version` is another one whenever its content is."""

    size: int
    version: str


def content_key(sha256: str) -> str:
    """Where content of that SHA-256 lies; spread over folders, which file systems like."""
    return f"content/{sha256[:2]}/{sha256}"


def incoming_key(upload_id: UUID, name: str = "file") -> str:
    """Where an upload lies until it is checked."""
    return f"incoming/{upload_id}/{name}"


class Storage:
    """Files in a folder, and requests to them that the gateway serves.

    Args:
        url: `file:///folder`.
        public_url: The gateway's address as clients and agents reach it.
        secret_key: Signs the requests.
        signed_seconds: How long a signed request is good.

    Raises:
        InvalidInput: The URL names a store that this version does not have.
    """

    def __init__(self, url: str, *, public_url: str, secret_key: str, signed_seconds: int = 3600) -> None:
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc:
            raise InvalidInput(
                f"'{parts.scheme}://' is not a store that Podium can use.", remedy="Use file:///an/absolute/folder."
            )
        self.root = Path(parts.path)
        self._public_url = public_url.rstrip("/")
        self._signer = URLSafeSerializer(secret_key, salt="podium-storage")
        self._signed_seconds = signed_seconds
        (self.root / "incoming").mkdir(parents=True, exist_ok=True, mode=0o700)
        (self.root / "content").mkdir(exist_ok=True, mode=0o700)

    def sign_put(self, key: str, *, max_bytes: int, work_seconds: float = 0) -> SignedRequest:
        """A request that stores one object of at most `max_bytes`; good for so much longer as there is work before."""
        return self._sign(Grant(method="PUT", key=key, filename="", max_bytes=max_bytes), work_seconds)

    def sign_get(self, key: str, *, filename: str, work_seconds: float = 0) -> SignedRequest:
        """A request that reads one object; good for so much longer as there is work before."""
        return self._sign(Grant(method="GET", key=key, filename=filename, max_bytes=None), work_seconds)

    def _sign(self, grant: Grant, work_seconds: float) -> SignedRequest:
        expires = now() + timedelta(seconds=self._signed_seconds + work_seconds)
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

    def path(self, key: str) -> Path:
        """The file of an object.

        Raises:
            NotFound: There is none.
        """
        path = self._inside(key)
        if not path.is_file():
            raise NotFound("There is nothing stored under this address.")
        return path

    def find(self, key: str) -> FoundFile | None:
        """What there is under a key, if anything."""
        try:
            status = self._inside(key).stat()
        except FileNotFoundError:
            return None
        return FoundFile(status.st_size, f"{status.st_mtime_ns:x}-{status.st_ino:x}")

    def open(self, key: str) -> BinaryIO:
        """An object, to be read: whole as it is now, though another may take its place meanwhile.

        Raises:
            NotFound: There is none.
        """
        try:
            return self._inside(key).open("rb")
        except FileNotFoundError:
            raise NotFound("There is nothing stored under this address.") from None

    def _inside(self, key: str) -> Path:
        """Where an object lies or will lie; keys are Podium's own, and this holds should one ever not be."""
        path = self.root / key
        if not KEY.fullmatch(key):
            raise NotFound("There is nothing stored under this address.")
        return path

    async def receive(self, grant: Grant, body: AsyncIterator[bytes]) -> int:
        """Store the body of a PUT, whole or not at all, and return its size.

        Raises:
            TooLarge: The body is longer than was granted; nothing is stored.
        """
        target = self._inside(grant.key)
        await anyio.to_thread.run_sync(lambda: target.parent.mkdir(parents=True, exist_ok=True, mode=0o700))
        size = 0
        with NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False) as part:
            try:
                async for chunk in body:
                    size += len(chunk)
                    if grant.max_bytes is not None and size > grant.max_bytes:
                        raise TooLarge(f"The upload is larger than the {grant.max_bytes} bytes that were announced.")
                    await anyio.to_thread.run_sync(part.write, chunk)
                part.close()
                await anyio.Path(part.name).replace(target)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await anyio.Path(part.name).unlink(missing_ok=True)
                raise
        return size

    def accept(self, key: str, *, sha256: str, size: int) -> StoredContent:
        """Check an upload and give it its final place; safe to repeat until it is discarded.

        Raises:
            NotFound: Nothing was uploaded.
            InvalidInput: What was uploaded is not what was announced; it is thrown away.
        """
        final = self._inside(content_key(sha256))
        source = self._inside(key)
        if not source.is_file():
            raise NotFound("Nothing has been uploaded yet.", remedy="Make the signed PUT request first.")
        found_size, found_sha256 = source.stat().st_size, _sha256_of(source)
        if (found_size, found_sha256) != (size, sha256):
            source.unlink(missing_ok=True)
            what = f"{found_size} bytes arrived, {size} were announced" if found_size != size else "its SHA-256 differs"
            raise InvalidInput(f"The upload is not what was announced: {what}.", remedy="Upload it again.")
        with _storing(final):
            source.chmod(0o400)
            with suppress(FileExistsError):
                final.hardlink_to(source)
        return StoredContent(content_key(sha256), sha256, size)

    def keep(self, content: bytes, *, sha256: str, size: int) -> StoredContent:
        """Give a small file its place that came in a message, and was never uploaded.

        Raises:
            InvalidInput: It is not what was announced.
        """
        if (len(content), hashlib.sha256(content).hexdigest()) != (size, sha256):
            raise InvalidInput("A file in a message is not what is announced there.")
        final = self._inside(content_key(sha256))
        if not final.is_file():
            with _storing(final), NamedTemporaryFile(dir=final.parent, prefix=".part-") as part:
                part.write(content)
                part.flush()
                Path(part.name).chmod(0o400)
                with suppress(FileExistsError):
                    final.hardlink_to(part.name)
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

    def discard(self, key: str) -> None:
        """Forget an upload that was accepted, or that nobody wants; safe to repeat."""
        source = self._inside(key)
        source.unlink(missing_ok=True)
        with suppress(OSError):
            source.parent.rmdir()  # unless another part of the same upload is still there

    def store(self, source: Path) -> StoredContent:
        """Keep a file of this host; the file itself is moved."""
        sha256, size = _sha256_of(source), source.stat().st_size
        final = self._inside(content_key(sha256))
        with _storing(final):
            source.chmod(0o400)
            source.replace(final)
        return StoredContent(content_key(sha256), sha256, size)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """A path for a new file on the store's own disk, for `store` to move; removed if it is still there."""
        with TemporaryDirectory(dir=self.root / "incoming", prefix=".new-") as folder:
            yield Path(folder, "file")


def open_storage(settings: ServerSettings) -> Storage:
    """The storage that the settings name."""
    return Storage(
        settings.storage_url,
        public_url=settings.public_url,
        secret_key=settings.secret_key.get_secret_value(),
        signed_seconds=settings.signed_seconds,
    )


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
