"""What the API answers of uploads, and of what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SignedRequestRecord:
    """A request that may be made until it expires, without a token. `max_bytes` bounds the body of a PUT."""

    method: str
    url: str
    headers: dict[str, str]
    expires: datetime
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class PartsRecord:
    """A large file's parts, which may be sent one by one and at the same time.

    Attributes:
        part_bytes: The size of each but the last.
        count: How many there are; the first is number 1.
        there: Those that have arrived.
        checksum: By what the store checks a part on its arrival: `md5` in a header `Content-MD5`, or `sha-256` in
            `Content-Digest`.
    """

    part_bytes: int
    count: int
    there: tuple[int, ...] = ()
    checksum: str = "md5"


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file that was announced, and how to send it: whole, or where there are `parts`, part by part."""

    id: UUID
    filename: str
    size: int
    sha256: str
    upload: SignedRequestRecord
    parts: PartsRecord | None = None


@dataclass(frozen=True, slots=True)
class StorageRecord:
    """How much room a person's files take, in bytes.

    Attributes:
        own_quota: What was set for this person; `None` where everybody's quota holds.
        by_kind: What takes it: `submissions`, `bundles`, `datasets`, `outputs` of one's competitions, `competitions`
            for their logos, `images` with what was uploaded for them.
    """

    username: str
    quota: int
    used: int
    own_quota: int | None = None
    by_kind: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredFileRecord:
    """A file that takes room of a person's.

    Attributes:
        kind: `submission`, `bundle`, `dataset`, or `images` of an import session.
        name: What it is called, for people.
        in_use: Why it can't be removed; empty if it can.
    """

    kind: str
    id: UUID
    name: str
    size: int
    created: datetime
    in_use: str = ""
