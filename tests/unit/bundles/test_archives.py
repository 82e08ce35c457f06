"""No archive writes outside its folder, and none is larger than it may be."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.platform.archives import ArchiveLimits, ArchiveRefused, extract_archive, is_platform_junk, open_archive


def zip_of(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def refusal(data: bytes, tmp_path: Path, limits: ArchiveLimits | None = None) -> ArchiveRefused:
    source, destination = tmp_path / "a.zip", tmp_path / "out"
    source.write_bytes(data)
    destination.mkdir(exist_ok=True)
    with pytest.raises(ArchiveRefused) as caught:
        extract_archive(source, destination, limits)
    assert list(destination.iterdir()) == []
    return caught.value


def test_files_folders_and_executable_bits_are_unpacked(tmp_path: Path):
    data = zip_of(
        ("a.txt", b"hello"),
        ("empty/", b""),
        (with_mode("deep/er/run", stat.S_IFREG | 0o4755), b"#!/bin/sh"),
        ("é", b""),
    )
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "out").mkdir()
    assert extract_archive(tmp_path / "a.zip", tmp_path / "out") == 14
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert found == {"a.txt", "empty", "deep", "deep/er", "deep/er/run", "é"}
    assert stat.S_IMODE((tmp_path / "out/deep/er/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "out/a.txt").stat().st_mode) == 0o644


def test_what_macos_adds_is_left_out(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zip_of(("a", b"1"), ("__MACOSX/._a", b"2"), ("b/.DS_Store", b"3"), ("._c", b"4")))
    (tmp_path / "out").mkdir()
    extract_archive(tmp_path / "a.zip", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert not is_platform_junk("a/b.DS_Store.txt")


def test_a_destination_in_use_is_a_mistake_of_the_caller(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zip_of(("a", b"1")))
    with pytest.raises(ValueError, match="not an empty folder"):
        extract_archive(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil", "leads out"),
        ("a/../../evil", "leads out"),
        ("/etc/passwd", "leads out"),
        ("//etc/passwd", "leads out"),
        ("C:evil", "leads out"),
        ("..\\evil", "backslash"),
        ("a\nb", "control character"),
        ("a\x9bb", "control character"),
        ("x" * 256, "too long"),
        ("/".join(["y" * 200] * 6), "too long"),
        ("/".join("d" * 41), "too deep"),
    ],
)
def test_unsafe_names_are_refused(name: str, reason: str, tmp_path: Path):
    assert reason in refusal(zip_of(("fine", b""), (name, b"evil")), tmp_path).detail


def test_a_name_cut_by_a_nul_is_refused(tmp_path: Path):
    data = zip_of(("aXb", b"1")).replace(b"aXb", b"a\0b")
    assert "control character" in refusal(data, tmp_path).detail


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFIFO | 0o644, "neither"),
        (stat.S_IFCHR | 0o644, "neither"),
        (stat.S_IFSOCK | 0o644, "neither"),
        (stat.S_IFDIR | 0o755, "neither"),
    ],
)
def test_only_regular_files_are_unpacked(mode: int, reason: str, tmp_path: Path):
    assert reason in refusal(zip_of((with_mode("x", mode), b"/etc")), tmp_path).detail


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_repeated_with_the_same_content_is_taken_once(tmp_path: Path):
    archive = tmp_path / "again.zip"
    archive.write_bytes(zip_of(("a", b"1"), ("b", b"2"), ("a", b"1")))
    with open_archive(archive) as opened:
        assert [member.path for member in opened.members] == ["a", "b"]


def test_names_that_clash_are_refused(tmp_path: Path):
    assert "twice" in refusal(zip_of(("a", b"1"), ("./a", b"2")), tmp_path).detail
    assert "file and as a folder" in refusal(zip_of(("a", b"1"), ("a/b", b"2")), tmp_path).detail
    assert "file and as a folder" in refusal(zip_of(("a/", b""), ("a", b"2")), tmp_path).detail


def test_every_fault_is_told(tmp_path: Path):
    caught = refusal(zip_of(("../a", b""), ("b\\c", b""), (with_mode("d", stat.S_IFLNK), b"x")), tmp_path)
    assert len(caught.faults) == 3
    assert "2 more" in caught.detail


def test_encrypted_members_are_refused(tmp_path: Path):
    data = bytearray(zip_of(("a", b"1")))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refusal(bytes(data), tmp_path).detail


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_bounded_reads_are_refused(method: int, tmp_path: Path):
    assert "unusual" in refusal(zip_of(("a", b"1" * 100), method=method), tmp_path).detail


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"not a zip at all" * 10,
        b"PK\x05\x06" + b"\xff" * 18,
        b"PK\x05\x06" + b"\0" * 8 + b"\xff" * 8 + b"\0\0",
    ],
)
def test_what_is_no_zip_is_refused(data: bytes, tmp_path: Path):
    refusal(data, tmp_path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path):
    data = zip_of(("é", b"1")).replace("é".encode(), b"\xff\xfe")
    assert "UTF-8" in refusal(data, tmp_path).detail


def test_utf8_names_without_the_flag_are_understood(tmp_path: Path):
    data = bytearray(zip_of(("é", b"1")))
    data[7] &= ~8
    data[data.index(b"PK\x01\x02") + 9] &= ~8
    with open_archive(io.BytesIO(bytes(data))) as archive:
        assert [member.path for member in archive.members] == ["é"]


def test_damage_is_found_while_reading_and_nothing_is_left(tmp_path: Path):
    data = bytearray(zip_of(("first", b"fine"), ("second", b"hello" * 100), method=zipfile.ZIP_STORED))
    data[data.index(b"hello")] ^= 1
    assert "damaged" in refusal(bytes(data), tmp_path).detail


def test_a_declared_size_is_not_believed(tmp_path: Path):
    data = bytearray(zip_of(("a", b"\0" * 5000)))
    for at in (22, data.index(b"PK\x01\x02") + 24):
        struct.pack_into("<L", data, at, 10)
    refusal(bytes(data), tmp_path)


def test_too_much_is_refused_before_anything_is_written(tmp_path: Path):
    data = zip_of(("a", b"\0" * 60), ("b", b"\0" * 60))
    caught = refusal(data, tmp_path, ArchiveLimits(total_bytes=100))
    assert caught.detail == "Unpacked, the zip has 120 bytes."


def test_a_bomb_is_refused_and_a_small_file_of_zeros_is_not(tmp_path: Path):
    data = zip_of(("zeros", b"\0" * (1 << 20)))
    assert "zip bomb" in refusal(data, tmp_path, ArchiveLimits(ratio_from_bytes=1 << 19)).detail
    extract_archive(tmp_path / "a.zip", tmp_path / "out")


def test_too_many_members_are_refused(tmp_path: Path):
    data = zip_of(*((str(number), b"") for number in range(11)))
    assert "more than 10" in refusal(data, tmp_path, ArchiveLimits(members=10)).detail
    assert "more than 100" in refusal(data, tmp_path, ArchiveLimits(members=100, directory_bytes=100)).detail


def overlapping_bomb(count: int) -> bytes:
    """Several names in the list for one and the same compressed file."""
    kernel = zlib.compress(b"\0" * 100_000)[2:-4]
    crc = zlib.crc32(b"\0" * 100_000)
    sizes = struct.pack("<LLL", crc, len(kernel), 100_000)
    local = b"PK\x03\x04" + struct.pack("<5H", 20, 0, 8, 0, 33) + sizes + struct.pack("<2H", 1, 0) + b"a" + kernel
    directory = b"".join(
        b"PK\x01\x02"
        + struct.pack("<6H", 20, 20, 0, 8, 0, 33)
        + sizes
        + struct.pack("<5HLL", 1, 0, 0, 0, 0, 0, 0)
        + bytes([97 + number])
        for number in range(count)
    )
    return local + directory + b"PK\x05\x06" + struct.pack("<4HLLH", 0, 0, count, count, len(directory), len(local), 0)


def test_overlapping_members_are_refused(tmp_path: Path):
    assert "shares bytes" in refusal(overlapping_bomb(5), tmp_path).detail


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_zip_is_read_or_refused(data: st.DataObject):
    whole = bytearray(zip_of(("a/b", b"hello" * 50), ("c", b"x"), ("d/", b"")))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    with suppress(ArchiveRefused), open_archive(io.BytesIO(bytes(whole[: cut or None]))) as archive:
        for member in archive.members:
            assert not member.path.startswith("/")
            if not member.is_folder:
                assert sum(map(len, archive.chunks(member))) <= member.size
