"""Whole slides in their scanners' own formats: one image of all their files, or all refused together."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from podium.platform.images import whole_slides

HEIGHT, WIDTH = 700, 1100


def picture() -> np.ndarray[Any, Any]:
    """Slow changes of colour, which JPEG keeps well; every place has its own."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([rows * 255 // HEIGHT, columns * 255 // WIDTH, (rows + columns) * 255 // 1800], -1).astype(np.uint8)


def ngr(values: np.ndarray[Any, Any]) -> bytes:
    """Pixels of twelve bits, in one column, as Hamamatsu keeps them without packing."""
    height, width, _ = values.shape
    head = b"GN\0\0" + struct.pack("<3I", width, height, width) + bytes(8) + struct.pack("<I", 28)
    return head + (values.astype("<u2") << 4).tobytes()


def index(**more: str) -> str:
    told = {"ImageFile": "x.ngr", "MapFile": "map.ngr", "BitsPerPixel": "36", "PixelOrder": "RGB"}
    told |= {"PhysicalWidth": f"{WIDTH * 250}", "PhysicalHeight": f"{HEIGHT * 500}", **more}
    return "[Uncompressed Virtual Microscope Specimen]\n" + "".join(f"{name}={value}\n" for name, value in told.items())


@pytest.fixture
def vmu(uploads: Path) -> Path:
    (uploads / "x.vmu").write_text(index())
    (uploads / "x.ngr").write_bytes(ngr(picture()))
    (uploads / "map.ngr").write_bytes(ngr(picture()[::4, ::4]))
    return uploads


def assert_is_the_picture(made: Any) -> None:
    path = made.folder / made.report.images[0].folder / made.only.file
    assert {file.name for file in path.parent.iterdir()} == {"image.tif", "preview.jpg", "thumbnail.jpg"}
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages[0].aspage()
        assert page.is_tiled
        assert int(page.compression) == 7
        # Beyond its edge there is white, which JPEG lets shine in.
        difference = np.abs(page.asarray().astype(int) - picture())[:-16, :-16]
        assert difference.max() <= 8


def test_a_slide_of_several_files(vmu: Path, imported: Callable[..., Any]):
    made = imported()
    metadata = made.only.metadata
    assert (metadata.width, metadata.height, metadata.resolution_levels) == (WIDTH, HEIGHT, 2)
    assert (metadata.voxel_width_mm, metadata.voxel_height_mm) == pytest.approx((0.00025, 0.0005))
    assert {source.path for source in made.only.sources} == {"x.vmu", "x.ngr", "map.ngr"}
    assert made.flags == {"lossy"}
    assert_is_the_picture(made)


def test_its_files_may_lie_elsewhere(vmu: Path, imported: Callable[..., Any]):
    (vmu / "more").mkdir()
    (vmu / "x.ngr").rename(vmu / "more" / "x.ngr")
    assert_is_the_picture(imported())


def test_a_part_is_missing(vmu: Path, imported: Callable[..., Any]):
    (vmu / "x.ngr").unlink()
    made = imported()
    assert made.reasons == {"x.vmu": "corrupt", "map.ngr": "incomplete_set"}
    assert str(vmu.parent) not in made.rejected("x.vmu").detail


@pytest.mark.parametrize("named", ["../../x.ngr", "/etc/passwd", "a/../../x.ngr", "..\\x.ngr"])
def test_an_index_leads_nowhere_else(named: str, vmu: Path, imported: Callable[..., Any]):
    (vmu / "x.vmu").write_text(index(ImageFile=named))
    assert imported().reasons["x.vmu"] == "unsafe_file"


def test_an_index_of_mirax_leads_nowhere_else(uploads: Path, imported: Callable[..., Any]):
    (uploads / "x.mrxs").write_bytes(b"\xff\xd8\xff")
    (uploads / "elsewhere" / "x").mkdir(parents=True)
    (uploads / "elsewhere" / "x" / "Slidedat.ini").write_text("[DATAFILE]\nFILE_0 = ../../Data0000.dat\n")
    reasons = imported().reasons
    assert reasons == {"x.mrxs": "unsafe_file", "elsewhere/x/Slidedat.ini": "incomplete_set"}


def test_without_a_scale(vmu: Path, imported: Callable[..., Any]):
    (vmu / "x.vmu").write_text(index(PhysicalWidth="0"))
    assert imported().reasons["x.vmu"] == "no_scale"


def test_a_slide_whose_tiles_may_overlap_is_left_to_openslide(uploads: Path, imported: Callable[..., Any]):
    scale = {"resolution": (40000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(uploads / "a.bif", picture(), tile=(256, 256), photometric="rgb", compression="zlib", **scale)
    made = imported()
    assert (made.only.metadata.voxel_width_mm, made.only.metadata.voxel_height_mm) == pytest.approx((0.00025, 0.0005))
    assert_is_the_picture(made)


@pytest.mark.parametrize("name", ["a.svs", "a.scn"])
def test_what_tifffile_reads_stays_with_it(name: str, uploads: Path, imported: Callable[..., Any]):
    scale = {"resolution": (40000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(uploads / name, picture(), tile=(256, 256), photometric="rgb", compression="zlib", **scale)
    made = imported()
    path = made.folder / made.report.images[0].folder / made.only.file
    assert np.array_equal(tifffile.imread(path), picture())


def test_what_tifffile_refuses_is_tried_with_openslide(uploads: Path, imported: Callable[..., Any]):
    scale = {"resolution": (40000, 20000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(uploads / "a.ndpi", picture(), tile=(256, 256), photometric="rgb", compression="zlib", **scale)
    assert_is_the_picture(imported())


@pytest.mark.parametrize("name", ["a.bif", "a.svs"])
def test_damage(name: str, uploads: Path, imported: Callable[..., Any]):
    (uploads / name).write_bytes(b"II*\0" + bytes(100))
    assert imported().reasons == {name: "corrupt"}


def test_where_openslide_is_missing(vmu: Path, imported: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(whole_slides, "is_installed", False)
    made = imported()
    assert made.reasons == {"x.vmu": "unsupported_format", "x.ngr": "incomplete_set", "map.ngr": "incomplete_set"}
    assert "podium[slides]" in made.rejected("x.vmu").remedy
