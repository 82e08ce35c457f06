"""Real files with some bytes changed: whatever becomes of them, the session ends, and a good file is imported."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oct_files import Heidelberg, fds, packed_scan, place, ramp, scale, topcon
from PIL import Image
from pydicom.data import get_testdata_file

from podium.platform.images.limits import ImportLimits
from podium.platform.images.session import import_files

CASES = (
    "dicom_slope/1.dcm", "fallback_jpg_rgb/test_rgb.jpg", "fallback_png_rgba/test_rgba.png",
    "mha_3d_double/image10x10x10.mha", "mhd_3d_double/image10x10x10.mhd", "nifti_gz/image10x11x12.nii.gz",
    "nifti_nii/image10x11x12.nii", "nrrd_gz/image10x11x12_compressed.nrrd", "segments_0_10_UInt8/0_10_UInt8.mha",
)  # fmt: skip
DICOM = (
    "JPEG2000.dcm", "JPEGLSNearLossless_16.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_small_odd_jpeg.dcm", "image_dfl.dcm", "liver_1frame.dcm", "rtdose.dcm", "test-SR.dcm",
)  # fmt: skip
FILES_OF_A_SESSION = 60
Mutation = Callable[[bytes], bytes]


def made_here() -> dict[str, bytes]:
    """Kinds of which there are no small real files."""
    tiled, paged, picture, packed, taped = (io.BytesIO() for _ in range(5))
    values = np.arange(200 * 100, dtype=np.uint16).reshape(200, 100)
    scale = {"resolution": (100, 100), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tiled, values, tile=(64, 64), compression="zlib", **scale)
    tifffile.imwrite(paged, values.reshape(4, 50, 100), photometric="minisblack", **scale)
    Image.fromarray(values.astype(np.uint8)).save(picture, "JPEG")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/picture.jpg", picture.getvalue())
    with tarfile.open(fileobj=taped, mode="w:gz") as tape:
        info = tarfile.TarInfo("a/picture.jpg")
        info.size = len(picture.getvalue())
        tape.addfile(info, io.BytesIO(picture.getvalue()))
    kinds = (("a.tif", tiled), ("b.tif", paged), ("a.jpg", picture), ("a.zip", packed), ("a.tar.gz", taped))
    return {name: content.getvalue() for name, content in kinds}


def scans_of_retinas() -> dict[str, bytes]:
    packed = packed_scan(ramp(2, 8, 9, kind="uint8"))
    placed = Heidelberg().scan(ramp(3, 5, 4), places=[place((0, 0), (1, 0), 4, 3)] * 3)
    return {
        "a.fds": fds(ramp(5, 3, 4)),
        "a.fda": topcon({"@IMG_JPEG": packed, "@PARAM_SCAN_04": scale(9, 6, 2.6)}, b"FDA"),
        "a.e2e": placed.picture(ramp(6, 7)).written(),
    }


@pytest.fixture(scope="module")
def seeds(cases: Path) -> list[tuple[str, bytes]]:
    found = {name.replace("/", "-"): (cases / "images" / name).read_bytes() for name in CASES}
    found |= {name: Path(str(get_testdata_file(name, read=False))).read_bytes() for name in DICOM}
    return sorted((found | made_here() | scans_of_retinas()).items())


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """A change of a few bytes, most often near the beginning, where headers are."""
    within = draw(st.sampled_from([64, 512, 4096, 1 << 30]))
    place = draw(st.floats(0, 1, exclude_max=True))
    new = draw(st.one_of(st.binary(max_size=8), st.sampled_from([b"\xff" * 4, bytes(4), b"\xff\xff\xff\x7f", b"-1"])))
    removed = draw(st.sampled_from([0, 1, 2, 4, 40, 1 << 30]))

    def mutate(content: bytes) -> bytes:
        at = int(place * min(within, len(content)))
        return content[:at] + new + content[at + (len(new) if removed == 0 else removed) :]

    return mutate


@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 1 << 16), st.lists(mutations(), min_size=1, max_size=4)),
        min_size=FILES_OF_A_SESSION,
        max_size=FILES_OF_A_SESSION,
    )
)
def test_no_file_ends_the_session(changes: list[tuple[int, list[Mutation]]], seeds: list[tuple[str, bytes]]):
    with tempfile.TemporaryDirectory() as folder:
        uploads = Path(folder, "uploads")
        uploads.mkdir()
        for number, (which, many) in enumerate(changes):
            name, content = seeds[which % len(seeds)]
            for mutate in many:
                content = mutate(content)
            (uploads / f"{number:02}-{name}").write_bytes(content)
        Image.fromarray(np.zeros((3, 4), np.uint8)).save(uploads / "good.png")
        limits = ImportLimits(memory_bytes=2 << 30, cpu_seconds=20, wall_seconds=40, voxel_bytes=256 << 20)
        report = import_files(uploads, Path(folder, "made"), limits=limits)
    names = [made.image.metadata.name for made in report.images]
    fates = [*(file.path for file in report.rejected), *(file.path for file in report.ignored)]
    used = {source.path for made in report.images for source in made.image.sources}
    assert "good.png" in names
    assert len({*fates, *used}) == len(fates) + len(used)
    assert report.files >= FILES_OF_A_SESSION + 1
