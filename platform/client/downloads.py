"""Files from the store: resumed where they broke off, checked, and never in the way of a file that is there."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx

from podium.platform.client.connection import Connection
from podium.platform.client.progress import OnProgress, Progress, Step
from podium.platform.client.refusals import unreachable
from podium.platform.client.transfers import CHUNK_BYTES, store_of, transfer_fault
from podium.platform.errors import Conflict, InvalidInput, PlatformFault, PodiumError
from podium.platform.large_bodies import large_pieces
from podium.platform.records.storage import SignedRequestRecord

_RANGE_IS_BEYOND_THE_END = 416
# An expired signature is answered with one of these; the next try has a fresh one.
_PASSING_STATUSES = frozenset({401, 403, 408, 429, 500, 502, 503, 504})


class _BrokenOff(Exception):
    """A try that did not bring the whole file; `fault` is what to say when no other follows."""

    def __init__(self, fault: PodiumError) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(slots=True)
class _Part:
    """The file that grows until it is whole. `version` is the store's mark of the file that it is a part of."""

    path: Path
    version: str | None = None

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0


def download(
    connection: Connection,
    sign: Callable[[], SignedRequestRecord],
    destination: Path,
    *,
    sha256: str | None,
    overwrite: bool,
    on_progress: OnProgress,
) -> Path:
    """Fetch a file to a temporary name beside its destination, check it, and put it in place at once.

    With a known checksum, what an interrupted call has fetched is used by the next one.

    Args:
        connection: Where the address is relative to, and how patient to be.
        sign: Gives a fresh signed request for each try, since they hold for a short time.
        destination: The file to be.
        sha256: What it must have, in hex.
        overwrite: Replace a file that is there.
        on_progress: Told of every piece.

    Raises:
        Conflict: There is a file at the destination, and it was not to be overwritten.
        InvalidInput: The destination's folder is not there.
        PlatformFault: The store can't be reached, refused, or sent something else than was stored.
    """
    require_free(destination, overwrite=overwrite)
    key = sha256[:16] if sha256 else secrets.token_hex(8)
    part = _Part(destination.with_name(f".{destination.name}.{key}.part"))
    try:
        _fetch_whole(connection, sign, part, destination.name, on_progress)
        if sha256 is not None:
            _require_checksum(part, sha256, destination.name)
        put_in_place(part.path, destination, overwrite=overwrite)
    finally:
        if sha256 is None:
            part.path.unlink(missing_ok=True)
    return destination


def require_free(destination: Path, *, overwrite: bool) -> None:
    """Go on only if a file may be written there.

    Raises:
        Conflict: There is something at the destination, and it was not to be overwritten.
        InvalidInput: The destination's folder is not there.
    """
    if not destination.parent.is_dir():
        raise InvalidInput(f"There is no folder {destination.parent}.", remedy="Make it, or choose another place.")
    if destination.is_dir():
        raise Conflict(f"{destination} is a folder.", remedy="Name the file to write.")
    if destination.exists() and not overwrite:
        raise _occupied(destination)


def _occupied(destination: Path) -> Conflict:
    return Conflict(f"{destination} is there already.", remedy="Choose another name, or ask to overwrite it.")


def _fetch_whole(
    connection: Connection,
    sign: Callable[[], SignedRequestRecord],
    part: _Part,
    name: str,
    on_progress: OnProgress,
) -> None:
    pauses = connection.patience.pauses()
    while True:
        before = part.size
        try:
            _fetch(connection, sign(), part, name, on_progress)
        except _BrokenOff as broken:
            if part.size > before:
                # It gets on, if in pieces: only tries that bring nothing count.
                pauses = connection.patience.pauses()
            pause = next(pauses, None)
            if pause is None:
                raise broken.fault from broken
            connection.patience.pause(pause, broken.fault.detail)
        else:
            return


def _fetch(
    connection: Connection, signed: SignedRequestRecord, part: _Part, name: str, on_progress: OnProgress
) -> None:
    url = urljoin(f"{connection.gateway}/", signed.url)
    headers = httpx.Headers(signed.headers)
    # Offsets count the stored bytes, so nothing on the way may compress them.
    headers["Accept-Encoding"] = "identity"
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.version is not None:
            headers["If-Range"] = part.version
    try:
        with connection.http.stream(signed.method, url, headers=headers, follow_redirects=True) as response:
            _receive(response, part, name, url, on_progress)
    except httpx.TransportError as error:
        raise _BrokenOff(unreachable(store_of(url), error, who="store")) from error


def _receive(response: httpx.Response, part: _Part, name: str, url: str, on_progress: OnProgress) -> None:
    if response.status_code == _RANGE_IS_BEYOND_THE_END and part.size:
        if response.headers.get("content-range") == f"bytes */{part.size}":
            return
        part.path.unlink()
        raise _BrokenOff(PlatformFault(f"What is stored of {name} has changed.", remedy="Download it again."))
    if not response.is_success:
        response.read()
        fault = transfer_fault(response, url, f"the download of {name}")
        if response.status_code in _PASSING_STATUSES:
            raise _BrokenOff(fault)
        raise fault
    begin = part.size if _goes_on(response, part.size) else 0
    part.version = response.headers.get("etag", "") if _is_strong(response.headers.get("etag")) else None
    length = response.headers.get("content-length", "")
    total = begin + int(length) if length.isdecimal() else None
    with part.path.open("ab" if begin else "wb") as target:
        done = begin
        for piece in large_pieces(response):
            target.write(piece)
            done += len(piece)
            on_progress(Progress(Step.DOWNLOADING, name, done, total))


def _is_strong(etag: str | None) -> bool:
    return etag is not None and etag.startswith('"')


def _goes_on(response: httpx.Response, offset: int) -> bool:
    return response.status_code == 206 and response.headers.get("content-range", "").startswith(f"bytes {offset}-")


def _require_checksum(part: _Part, sha256: str, name: str) -> None:
    # Of what lies there, and not of what came: another call may have written to the same part.
    digest = hashlib.sha256()
    with part.path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        part.path.unlink()
        raise PlatformFault(
            f"What arrived as {name} is not what was stored: its SHA-256 is another.", remedy="Download it again."
        )


def put_in_place(part: Path, destination: Path, *, overwrite: bool) -> None:
    """Give a whole file its name at once.

    Raises:
        Conflict: A file came there in the meantime, and it was not to be overwritten.
    """
    if overwrite:
        part.replace(destination)
        return
    try:
        # Unlike a rename, a link never replaces a file that came there in the meantime.
        os.link(part, destination)
    except FileExistsError:
        raise _occupied(destination) from None
    except OSError:
        # A file system without links.
        if destination.exists():
            raise _occupied(destination) from None
        part.replace(destination)
    else:
        part.unlink()
