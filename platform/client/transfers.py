"""Files to and from the store, by signed requests. The token is never sent along: the signature is all they need."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx

from podium.platform.client.connection import Connection
from podium.platform.client.progress import OnProgress, Progress, Step
from podium.platform.client.refusals import error_from_response, problem_from_response, unreachable
from podium.platform.client.retries import LONGEST_RETRY_AFTER
from podium.platform.errors import InvalidInput, PlatformFault, PodiumError, TooLarge, TooManyRequests
from podium.platform.records.storage import SignedRequestRecord

CHUNK_BYTES = 1 << 20
# The HTTP library copies what is left of a piece each time that the connection has taken some of it.
SENT_BYTES = 1 << 18
# The store may look at the whole file before it answers.
ANSWER_SECONDS = 300
PASSING_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the gateway is told of a file before it arrives: its size in bytes and its SHA-256 in hex."""

    size: int
    sha256: str


def fingerprint(path: Path, name: str, on_progress: OnProgress) -> Fingerprint:
    """Read a file once for its size and checksum."""
    digest = hashlib.sha256()
    total = path.stat().st_size
    done = 0
    with path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            on_progress(Progress(Step.FINGERPRINTING, name, done, total))
    return Fingerprint(done, digest.hexdigest())


def upload(connection: Connection, signed: SignedRequestRecord, path: Path, name: str, on_progress: OnProgress) -> None:
    """Send a file just as the signed request says; the whole of it again when the connection breaks.

    Raises:
        TooLarge: The store takes no file of this size.
        InvalidInput: The file changed while it was sent.
        PlatformFault: The store can't be reached, or refused the upload.
    """
    sending = _Sending(path, name, path.stat().st_size, on_progress)
    if signed.max_bytes is not None and sending.size > signed.max_bytes:
        raise TooLarge(f"{name} has {sending.size:,} bytes; no more than {signed.max_bytes:,} can be uploaded.")
    pauses = connection.patience.pauses()
    while True:
        failure, may_pass = _try_upload(connection, signed, sending)
        if failure is None:
            return
        pause = next(pauses, None)
        if pause is None or not may_pass:
            raise failure
        asked = failure.retry_after if isinstance(failure, TooManyRequests) else 0
        if asked > LONGEST_RETRY_AFTER:
            raise failure
        connection.patience.pause(max(pause, asked), failure.detail)


@dataclass(frozen=True, slots=True)
class _Sending:
    """A file on its way, which can be begun again."""

    path: Path
    name: str
    size: int
    on_progress: OnProgress

    def pieces(self) -> Iterator[bytes]:
        done = 0
        with self.path.open("rb") as source:
            # No more than was announced, whatever has been added since.
            while chunk := source.read(min(SENT_BYTES, self.size - done)):
                yield chunk
                done += len(chunk)
                self.on_progress(Progress(Step.UPLOADING, self.name, done, self.size))
        if done != self.size or self.path.stat().st_size != self.size:
            raise InvalidInput(
                f"{self.name} changed while it was uploaded.", remedy="Submit it again once it is complete."
            )


def _try_upload(
    connection: Connection, signed: SignedRequestRecord, sending: _Sending
) -> tuple[PodiumError | None, bool]:
    """Make the request once; what went wrong, and whether that may pass."""
    url = urljoin(f"{connection.gateway}/", signed.url)
    headers = httpx.Headers(signed.headers)
    headers["Content-Length"] = str(sending.size)
    try:
        response = connection.http.request(
            signed.method,
            url,
            content=sending.pieces(),
            headers=headers,
            timeout=httpx.Timeout(connection.timeout, read=ANSWER_SECONDS),
        )
    except httpx.TransportError as error:
        return unreachable(store_of(url), error, who="store"), True
    if response.is_success:
        return None, False
    return transfer_fault(response, url, f"the upload of {sending.name}"), response.status_code in PASSING_STATUSES


def transfer_fault(response: httpx.Response, url: str, what: str) -> PodiumError:
    """The error of a store that answered a signed request with a refusal; the answer must have been read."""
    if problem_from_response(response) is not None:
        return error_from_response(response, store_of(url))
    if response.status_code == 413:
        return TooLarge(f"{store_of(url)} refused {what}: it is too large.")
    return PlatformFault(
        f"{store_of(url)} refused {what} with {response.status_code} ({response.reason_phrase or 'no reason'}).",
        remedy="Links to the store hold for a short time: try it again from the beginning.",
    )


def store_of(url: str) -> str:
    """The part of a signed address that may be shown: without the signature."""
    parts = httpx.URL(url)
    return f"{parts.scheme}://{parts.netloc.decode('ascii')}"
