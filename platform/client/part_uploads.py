"""Large files in parts: several at a time, each checked by the store, and only those that are not there yet."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpx

from podium.platform.client.connection import Connection
from podium.platform.client.progress import OnProgress, Progress, Step
from podium.platform.client.refusals import unreachable
from podium.platform.client.transfers import ANSWER_SECONDS, PASSING_STATUSES, SENT_BYTES, store_of, transfer_fault
from podium.platform.errors import InvalidInput, PodiumError
from podium.platform.records.storage import PartsRecord, SignedRequestRecord

AT_ONCE = 4
"""Parts that are under way at the same time."""
# An expired signature is answered with one of these; the next try has a fresh one.
_PASSING = PASSING_STATUSES | {401, 403}

Sign = Callable[[int], SignedRequestRecord]
"""Asks for a fresh request for a part, by its number."""


@dataclass(slots=True)
class _Sent:
    """How much has arrived, counted by all threads."""

    name: str
    total: int
    on_progress: OnProgress
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int) -> None:
        with self.lock:
            self.done += size
            self.on_progress(Progress(Step.UPLOADING, self.name, self.done, self.total))


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a file."""

    path: Path
    number: int
    begin: int
    size: int

    def pieces(self, on_piece: Callable[[int], None]) -> Iterator[bytes]:
        left = self.size
        with self.path.open("rb") as source:
            source.seek(self.begin)
            while piece := source.read(min(SENT_BYTES, left)):
                yield piece
                left -= len(piece)
                on_piece(len(piece))

    def checksum(self, name: str) -> dict[str, str]:
        """The header by which the store checks it on arrival."""
        digest = hashlib.sha256() if name == "sha-256" else hashlib.md5(usedforsecurity=False)
        buffer, left = memoryview(bytearray(SENT_BYTES)), self.size
        with self.path.open("rb", buffering=0) as source:
            source.seek(self.begin)
            while count := source.readinto(buffer[:left]):
                digest.update(buffer[:count])
                left -= count
        written = base64.b64encode(digest.digest()).decode()
        return {"Content-Digest": f"sha-256=:{written}:"} if name == "sha-256" else {"Content-MD5": written}


def upload_parts(
    connection: Connection, parts: PartsRecord, sign: Sign, path: Path, name: str, on_progress: OnProgress
) -> None:
    """Send the parts that are not there yet.

    What has arrived stays there when this is interrupted: called again with what the gateway says by then, it goes on.

    Raises:
        InvalidInput: The file changed while it was sent.
        PodiumError: The store can't be reached, or refuses a part.
    """
    total = path.stat().st_size
    there = set(parts.there)
    waiting = [
        _Part(path, number, begin, min(parts.part_bytes, total - begin))
        for number, begin in enumerate(range(0, total, parts.part_bytes), start=1)
        if number not in there
    ]
    sent = _Sent(name, total, on_progress)
    sent.add(total - sum(part.size for part in waiting))
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="podium-part") as threads:
        results = [threads.submit(_send, connection, sign, part, parts.checksum, sent, stop) for part in waiting]
        try:
            for result in results:
                result.result()
        except BaseException:
            stop.set()
            for result in results:
                result.cancel()
            raise
    if path.stat().st_size != total:
        raise InvalidInput(f"{name} changed while it was uploaded.", remedy="Submit it again once it is complete.")


def _send(connection: Connection, sign: Sign, part: _Part, checksum: str, sent: _Sent, stop: threading.Event) -> None:
    pauses = connection.patience.pauses()
    checked_by = part.checksum(checksum)
    while not stop.is_set():
        fault, may_pass = _try(connection, sign(part.number), part, checked_by, sent)
        if fault is None:
            return
        pause = next(pauses, None)
        if pause is None or not may_pass:
            raise fault
        connection.patience.pause(pause, fault.detail)


def _try(
    connection: Connection, signed: SignedRequestRecord, part: _Part, checked_by: Mapping[str, str], sent: _Sent
) -> tuple[PodiumError | None, bool]:
    """Send a part once; what went wrong, and whether that may pass."""
    url = urljoin(f"{connection.gateway}/", signed.url)
    headers = httpx.Headers(signed.headers)
    headers["Content-Length"] = str(part.size)
    headers.update(checked_by)
    told = 0

    def tell(size: int) -> None:
        nonlocal told
        told += size
        sent.add(size)

    try:
        response = connection.http.request(
            signed.method,
            url,
            content=part.pieces(tell),
            headers=headers,
            timeout=httpx.Timeout(connection.timeout, read=ANSWER_SECONDS),
        )
    except httpx.TransportError as error:
        sent.add(-told)
        return unreachable(store_of(url), error, who="store"), True
    if response.is_success:
        return None, False
    sent.add(-told)
    return transfer_fault(response, url, f"a part of {sent.name}"), response.status_code in _PASSING
