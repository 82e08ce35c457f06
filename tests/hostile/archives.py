"""Submissions whose zip is the attack: none of them is unpacked, and none is run."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence

from case import Case

from podium.platform.lifecycle import Verdict

Entry = tuple[zipfile.ZipInfo, bytes]
ZEROS = bytes(1 << 20)


def zip_of(*entries: tuple[str, bytes], mode: int = 0) -> bytes:
    """A zip of names as they are, good or bad, all with the same mode."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, content in entries:
            info = zipfile.ZipInfo()
            info.filename = name  # the constructor would make it harmless
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return data.getvalue()


def bomb(mebibytes: int) -> bytes:
    """Zeros, a thousandth of their size."""
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("zeros", "w") as file,
    ):
        for _ in range(mebibytes):
            file.write(ZEROS)
    return data.getvalue()


def nested_bomb() -> bytes:
    """Zips within zips, as those that only a recursive unpacker would open."""
    inner = bomb(64)
    for level in range(3):
        inner = zip_of(*((f"{level}-{number}.zip", inner) for number in range(4)))
    return zip_of(("predictions.txt", b"a guess"), ("nested.zip", inner))


def raw_zip(members: Sequence[tuple[bytes, int, int, int, int]], body: bytes) -> bytes:
    """A zip whose list says what one likes: name, offset, packed size, size and checksum of each member."""
    count = min(len(members), 0xFFFF)
    listed = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, at)
        + name
        for name, at, packed, size, crc in members
    )
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), len(body), 0)
    return body + listed + end


def member(name: bytes, content: bytes, *, size: int | None = None) -> tuple[bytes, int, int]:
    """A member as it stands in a zip; with its packed size and its checksum."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    crc = zlib.crc32(content)
    size = len(content) if size is None else size
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(packed), size, len(name), 0)
    return header + name + packed, len(packed), crc


def overlapping() -> bytes:
    """Many members that are all the same bytes."""
    body, packed, crc = member(b"a", ZEROS)
    return raw_zip([(f"{number}".encode(), 0, packed, len(ZEROS), crc) for number in range(50)], body)


def longer_than_it_says() -> bytes:
    """A member of a MiB that is listed with ten bytes."""
    body, packed, crc = member(b"a", ZEROS, size=10)
    return raw_zip([(b"a", 0, packed, 10, crc)], body)


def shorter_than_it_says() -> bytes:
    """A member of ten bytes that is listed with a GiB, and another one's checksum."""
    body, packed, _ = member(b"a", b"0123456789")
    return raw_zip([(b"a", 0, packed, 10, 1)], body)


def too_many_members() -> bytes:
    """A list of members that is larger than what it lists."""
    body, packed, crc = member(b"a", b"")
    return raw_zip([(b"%d" % number, 0, packed, 0, crc) for number in range(100_001)], body)


def encrypted() -> bytes:
    """A zip that asks for a password."""
    data = bytearray(zip_of(("predictions.txt", b"a guess")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def refused(name: str, tries: str, make: Callable[[], bytes], *says: str) -> Case:
    """A zip that is refused."""
    return Case(name, tries, archive=make, verdict=Verdict.BAD_SUBMISSION, says=says, executors=("docker",))


CASES = (
    refused("zip-bomb", "grows a thousandfold", lambda: bomb(128), "zip bomb"),
    Case(
        "nested-zip-bomb",
        "holds zips of zips of zips; nobody opens them",
        archive=nested_bomb,
        outputs=("nested.zip",),
        executors=("docker",),
    ),
    refused("overlapping-entries", "has fifty members in the space of one", overlapping, "shares bytes"),
    refused(
        "absolute-name",
        "unpacks to /etc",
        lambda: zip_of(("/etc/cron.d/owned", b"")),
        "leads out of the archive",
    ),
    refused("name-that-leads-upwards", "unpacks above its folder", lambda: zip_of(("a/../../x", b"")), "leads out"),
    refused("windows-name", "unpacks upwards on Windows", lambda: zip_of(("..\\x", b"")), "backslash"),
    refused("drive-letter", "unpacks to a drive", lambda: zip_of(("C:/x", b"")), "leads out"),
    refused(
        "symlink-entry",
        "has a symbolic link, and a file that goes through it",
        lambda: zip_of(("a", b"/etc"), mode=0o120777),
        "'a' is a symbolic link",
    ),
    refused(
        "metadata-as-a-symlink",
        "has metadata that is a link to a file of the host",
        lambda: zip_of(("metadata", b"/etc/passwd"), mode=0o120777),
        "'metadata' is a symbolic link",
    ),
    refused("device-entry", "has a device", lambda: zip_of(("a", b""), mode=0o060666), "neither a regular file"),
    refused("pipe-entry", "has a named pipe", lambda: zip_of(("a", b""), mode=0o010666), "neither a regular file"),
    refused("duplicate-names", "has a name twice", lambda: zip_of(("a", b"1"), ("a", b"2")), "in the zip twice"),
    refused(
        "file-and-folder", "has a file that is a folder too", lambda: zip_of(("a", b"1"), ("a/b", b"2")), "as a folder"
    ),
    refused("longer-than-it-says", "unpacks to more than it declares", longer_than_it_says, "'a'"),
    refused("wrong-checksum", "is not what it declares", shorter_than_it_says, "damaged"),
    refused("too-many-members", "lists more files than a folder should hold", too_many_members, "more than 100000"),
    refused("encrypted", "asks for a password", encrypted, "encrypted"),
    refused("nul-in-a-name", "hides the end of a name", lambda: zip_of(("a\0.txt", b"")), "control character"),
    refused("newline-in-an-entry", "hides a line in a name", lambda: zip_of(("a\nb", b"")), "control character"),
    refused("long-entry", "has a name that no file system takes", lambda: zip_of(("a" * 5000, b"")), "too long"),
    refused("deep-entry", "has folders without end", lambda: zip_of(("a/" * 400 + "b", b"")), "too (deep|long)"),
    refused("no-zip", "is no zip", lambda: b"#!/bin/sh\nrm -rf /\n", "not a zip file"),
    refused("cut-off", "is a zip without its beginning", lambda: bomb(1)[100:], "before its own first byte|damaged"),
    Case(
        "setuid-entry",
        "brings a setuid program",
        archive=lambda: zip_of(("predictions.txt", b"a guess"), ("su", b"#!/bin/sh\n"), mode=0o104755),
        outputs=("su",),
        executors=("docker",),
    ),
)
