"""Going through a tar without believing it, one header after the other.

This reads what Docker's engine reads, and refuses whatever two readers could understand differently: sparse files,
which are larger than the bytes that they come with, kinds of entries that need a guess, and damaged headers. It works
on the standard library alone, holds no more than a header in memory, and never unpacks anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

BLOCK = 512
_PIECE = 1 << 18
_LARGEST_HEADER = 1 << 20
_FILES = frozenset({b"0", b"\0", b"7"})
_KINDS = {b"1": "hard link", b"2": "link", b"3": "device", b"4": "device", b"5": "folder", b"6": "pipe"}


class TarDamaged(Exception):
    """It is no tar, is cut off, or has something in it that is not read here; the words say what."""


class Stream(Protocol):
    """What a tar is read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class TarEntry:
    """One entry.

    Attributes:
        kind: `file`, `folder`, `link`, `hard link`, `device` or `pipe`.
        offset: Where its bytes begin, counted from the beginning of the tar.
        target: Where a link leads.
    """

    name: str
    kind: str
    size: int
    offset: int
    target: str = ""


class TarWalk:
    """Goes through the entries of a tar; `read` gives the bytes of the entry that was given last.

    Args:
        length: How long the stream is, for a file: what nobody reads is passed over then, rather than read.
    """

    def __init__(self, stream: Stream, *, length: int | None = None) -> None:
        self._stream = stream
        self._length = length
        self._at = 0
        self._left = 0

    def __iter__(self) -> Iterator[TarEntry]:
        pax: dict[str, str] = {}
        name = target = ""
        while (header := self._header()) is not None:
            kind = header[156:157]
            size = _number(header[124:136])
            if kind in b"xgLK":
                content = self._small(size)
                if kind == b"x":
                    pax = _pax(content)
                elif kind == b"L":
                    name = _text(content)
                elif kind == b"K":
                    target = _text(content)
                continue
            yield self._entry(header, kind, size, pax, name, target)
            self._pass()
            pax, name, target = {}, "", ""

    def read(self, size: int = -1) -> bytes:
        """Bytes of the entry that was given last; none at its end."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._exactly(wanted)
        self._left -= len(data)
        return data

    def _entry(self, header: bytes, kind: bytes, size: int, pax: dict[str, str], name: str, target: str) -> TarEntry:
        name = pax.get("path") or name or _name(header)
        target = pax.get("linkpath") or target or _text(header[157:257])
        if any(key.startswith("GNU.sparse") for key in pax) or kind == b"S":
            raise TarDamaged(f"{name[:200]!r} is a sparse file")
        if "size" in pax:
            if not pax["size"].isascii() or not pax["size"].isdigit():
                raise TarDamaged(f"{name[:200]!r} has no size that can be read")
            size = int(pax["size"])
        if kind in _FILES:
            if kind == b"\0" and name.endswith("/") and size:
                raise TarDamaged(f"{name[:200]!r} is a folder with content")
            self._left = size
            return TarEntry(name, "file", size, self._at)
        if kind not in _KINDS:
            raise TarDamaged(f"{name[:200]!r} is of a kind that is not known ({kind!r})")
        if size:
            raise TarDamaged(f"{name[:200]!r} is a {_KINDS[kind]} with content")
        self._left = 0
        return TarEntry(name, _KINDS[kind], 0, self._at, target)

    def _header(self) -> bytes | None:
        header = self._block()
        if not header:
            if not self._at:
                raise TarDamaged("it is empty")
            return None
        if len(header) < BLOCK:
            raise TarDamaged("it is no tar, or its end is missing")
        if not any(header):
            if any(self._block()):
                raise TarDamaged("it goes on after its end")
            return None
        if sum(header[:148]) + sum(header[156:]) + 8 * 32 != _number(header[148:156]):
            raise TarDamaged("it is no tar, or a header in it is damaged")
        return header

    def _block(self) -> bytes:
        block = self._stream.read(BLOCK)
        while block and len(block) < BLOCK and (more := self._stream.read(BLOCK - len(block))):
            block += more
        self._at += len(block)
        return block

    def _small(self, size: int) -> bytes:
        if size > _LARGEST_HEADER:
            raise TarDamaged("it has a header of more than 1 MB")
        content = self._exactly(size)
        self._skip(-size % BLOCK)
        return content

    def _pass(self) -> None:
        """Pass over what is left of an entry, and what fills its last block."""
        left, self._left = self._left, 0
        self._skip(left + -(self._at + left) % BLOCK)

    def _skip(self, size: int) -> None:
        seek = getattr(self._stream, "seek", None)
        if self._length is not None and seek is not None and size > _PIECE:
            if self._at + size > self._length:
                raise TarDamaged("its end is missing")
            seek(size, 1)
            self._at += size
            return
        while size:
            size -= len(self._exactly(min(size, _PIECE)))

    def _exactly(self, size: int) -> bytes:
        pieces = []
        while size:
            piece = self._stream.read(min(size, _PIECE))
            if not piece:
                raise TarDamaged("its end is missing")
            self._at += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)


def _number(field: bytes) -> int:
    if field[0] == 0x80:
        return int.from_bytes(field[1:])
    text = field.strip(b" \0")
    if not text:
        return 0
    if text.strip(b"01234567"):
        raise TarDamaged("it is no tar, or a header in it is damaged")
    return int(text, 8)


def _name(header: bytes) -> str:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        return f"{_text(header[345:500])}/{name}"
    return name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def _pax(content: bytes) -> dict[str, str]:
    records = {}
    while content:
        length, _, _ = content.partition(b" ")
        if not length.isdigit() or not len(length) + 3 <= int(length) <= len(content):
            raise TarDamaged("a header in it is damaged")
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise TarDamaged("a header in it is damaged")
        records[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "replace")
    return records
