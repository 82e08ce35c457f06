"""Layers: what an engine would do with them is known before it sees them."""

from __future__ import annotations

import bz2
import gzip
import struct
import tarfile
import zlib
from pathlib import Path

import pytest
from saved_images import SavedImage, file_entry, sha256, tar_of

from podium.platform.image_archives import ImageLimits, read_image_archive
from podium.platform.image_layers import check_layers, layer_bytes
from podium.platform.image_layouts import ImageRefused

LAYER = tar_of([file_entry("model.bin", b"weights" * 1000)])


def check(folder: Path, saved: SavedImage, *, layout: str = "docker", limits: ImageLimits | None = None) -> list[bytes]:
    path = saved.write(folder / "image.tar", layout=layout)
    image = read_image_archive(path)
    sizes = check_layers(path, image, limits or ImageLimits())
    found = [b"".join(layer_bytes(path, layer)) for layer in image.layers]
    assert list(map(len, found)) == list(sizes)
    return found


@pytest.mark.parametrize("layout", ["docker", "oci", "both"])
def test_layers_come_out_unpacked(tmp_path: Path, layout: str) -> None:
    saved = SavedImage(layers=[LAYER, tar_of([])], stored={0: gzip.compress(LAYER)})
    assert check(tmp_path, saved, layout=layout) == saved.layers


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_all_kinds_of_tars_and_entries_are_read(tmp_path: Path, form: int) -> None:
    device = tarfile.TarInfo("dev/null")
    device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "a"
    long_name = "x" * 90 + "/" + "y" * 90
    entries = [(folder, b""), (device, b""), file_entry("a", b"a"), (hard, b""), file_entry(long_name, b"b" * 600)]
    if form != tarfile.USTAR_FORMAT:
        entries.append(file_entry("f/" * 150 + "\N{LATIN SMALL LETTER U WITH DIAERESIS}", b"c"))
    layer = tar_of(entries, form=form)
    assert check(tmp_path, SavedImage(layers=[layer])) == [layer]


def refusal(folder: Path, saved: SavedImage, *, layout: str = "docker", limits: ImageLimits | None = None) -> str:
    with pytest.raises(ImageRefused) as refused:
        check(folder, saved, layout=layout, limits=limits)
    return str(refused.value)


@pytest.mark.parametrize("layout", ["docker", "oci"])
def test_content_that_is_not_what_its_digest_says(tmp_path: Path, layout: str) -> None:
    other = tar_of([file_entry("model.bin", b"others!" * 1000)])
    assert "layer 2 of 2: its content is not" in refusal(
        tmp_path, SavedImage(layers=[tar_of([]), LAYER], stored={1: other}), layout=layout
    )


def test_every_wrong_layer_is_told(tmp_path: Path) -> None:
    said = refusal(tmp_path, SavedImage(layers=[LAYER, tar_of([])], stored={0: b"x" * 600, 1: gzip.compress(b"")}))
    assert "layer 1 of 2" in said
    assert "layer 2 of 2" in said


def test_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    layer = tar_of([file_entry("zeros", bytes(50_000_000))])
    saved = SavedImage(layers=[layer], stored={0: gzip.compress(layer)})
    assert "more than 1000000 bytes, unpacked" in refusal(tmp_path, saved, limits=ImageLimits(bytes=1_000_000))


def test_number_of_files_is_capped(tmp_path: Path) -> None:
    saved = SavedImage(layers=[tar_of([file_entry(str(number), b"") for number in range(101)])])
    assert "more than 100 files" in refusal(tmp_path, saved, limits=ImageLimits(files=100))


def test_packed_in_ways_that_an_engine_would_unpack_by_itself(tmp_path: Path) -> None:
    twice = gzip.compress(LAYER)
    saved = SavedImage(layers=[twice], stored={0: gzip.compress(twice)})
    assert "packed twice" in refusal(tmp_path, saved)
    saved = SavedImage(layers=[LAYER], stored={0: bz2.compress(LAYER)})
    assert "packed with bzip2" in refusal(tmp_path, saved)


def test_tar_that_is_a_gzip_too_is_refused(tmp_path: Path) -> None:
    """A tar whose first name is the beginning of a gzip, whose packed content is the first file's: a true polyglot."""
    packed = zlib.compressobj(wbits=-15)
    hidden = tar_of([file_entry("bomb", bytes(1_000_000))])
    stream = packed.compress(hidden) + packed.flush() + struct.pack("<II", zlib.crc32(hidden), len(hidden))
    head = tarfile.TarInfo("placeholder")
    head.size = len(stream)
    block = bytearray(head.tobuf(tarfile.USTAR_FORMAT))
    block[:12] = b"\x1f\x8b\x08\x04" + bytes(6) + struct.pack("<H", 500)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    polyglot = bytes(block) + stream
    assert gzip.decompress(polyglot) == hidden
    polyglot += bytes(-len(polyglot) % 512 + 1024)
    saved = SavedImage(layers=[polyglot])
    assert "layer 1 of 1" in refusal(tmp_path, saved)


def sparse(how: str) -> bytes:
    """A layer with a file of a terabyte that takes a block."""
    entry = tarfile.TarInfo("hole")
    if how == "gnu":
        block = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
        block[156:157] = b"S"
        block[483:495] = b"%011o\0" % (1 << 32)
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return bytes(block) + bytes(1024)
    entry.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40)}
    return tar_of([(entry, b"")])


@pytest.mark.parametrize("how", ["gnu", "pax"])
def test_sparse_files_are_refused(tmp_path: Path, how: str) -> None:
    assert "'hole' is a sparse file" in refusal(tmp_path, SavedImage(layers=[sparse(how)]))


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (b"", "it is empty"),
        (b"x" * 1024, "it is no tar"),
        (LAYER[:1000], "its end is missing"),
        (LAYER[:-1024].rstrip(b"\0")[:100], "it is no tar"),
        (tar_of([])[:512] + LAYER, "it goes on after its end"),
    ],
)
def test_damaged_tars(tmp_path: Path, layer: bytes, says: str) -> None:
    assert says in refusal(tmp_path, SavedImage(layers=[layer]))


def test_digest_of_a_blob_counts_also_where_what_it_holds_is_right(tmp_path: Path) -> None:
    saved = SavedImage(layers=[LAYER])
    path = saved.write(tmp_path / "image.tar", layout="oci")
    other = gzip.compress(LAYER)  # unpacks to the same, but is not what the manifest names
    content = path.read_bytes()
    assert content.count(LAYER) == 1
    entries = [(entry, data) for entry, data in saved.oci_entries() if data != LAYER]
    entries.append(file_entry(f"blobs/sha256/{sha256(LAYER)}", other))
    path.write_bytes(tar_of(entries))
    with pytest.raises(ImageRefused, match="its content is not what its digest says"):
        check_layers(path, read_image_archive(path), ImageLimits())
