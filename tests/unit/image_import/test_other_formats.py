"""MetaImage, NRRD, NIfTI, PNG, JPEG and TIFF: read as SimpleITK and Pillow read them, or refused for a reason."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
from PIL import Image

KINDS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")


def image_of(kind: str = "int16", size: tuple[int, ...] = (2, 3, 4), channels: int = 1) -> sitk.Image:
    """An image with a value of its own in every voxel, turned and moved."""
    shape = size[::-1] if channels == 1 else (*size[::-1], channels)
    values = (np.arange(np.prod(shape)).reshape(shape) % 251).astype(kind)
    made = sitk.GetImageFromArray(values, isVector=channels > 1)
    made.SetSpacing([0.5 + number for number in range(len(size))])
    made.SetOrigin([-10.25 + number for number in range(len(size))])
    if len(size) == 3:
        made.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
    return made


def assert_same(made: sitk.Image, wanted: sitk.Image) -> None:
    assert made.GetSize() == wanted.GetSize()
    assert np.allclose(made.GetSpacing(), wanted.GetSpacing())
    assert np.allclose(made.GetOrigin(), wanted.GetOrigin())
    assert np.allclose(made.GetDirection(), wanted.GetDirection())
    assert made.GetPixelIDTypeAsString() == wanted.GetPixelIDTypeAsString()
    assert np.array_equal(sitk.GetArrayFromImage(made), sitk.GetArrayFromImage(wanted))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["a.mha", "a.mhd", "a.nrrd", "a.nhdr"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_type_of_value(name: str, kind: str, packed: bool, uploads: Path, imported: Callable[..., Any]):  # noqa: FBT001
    wanted = image_of(kind)
    sitk.WriteImage(wanted, str(uploads / name), useCompression=packed)
    assert_same(imported().read(), wanted)


# SimpleITK writes a fourth axis into NRRD, but does not read it again.
@pytest.mark.parametrize(
    ("name", "size"),
    [
        (name, (5, 4, 3, 2)[:axes])
        for name in ("a.mha", "a.nrrd", "a.nii", "a.nii.gz", "A.NII.GZ")
        for axes in ((2, 3) if name == "a.nrrd" else (2, 3, 4))
    ],
)
def test_every_number_of_axes(name: str, size: tuple[int, ...], uploads: Path, imported: Callable[..., Any]):
    lower = uploads / name.lower()
    sitk.WriteImage(image_of(size=size), str(lower))
    wanted = sitk.ReadImage(str(lower))
    lower.rename(uploads / name)
    assert_same(imported().read(), wanted)


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours(name: str, channels: int, uploads: Path, imported: Callable[..., Any]):
    wanted = image_of("uint8", (5, 4, 3), channels)
    sitk.WriteImage(wanted, str(uploads / name))
    assert_same(imported().read(), wanted)


@pytest.mark.parametrize("channels", [2, 5])
def test_two_and_five_values_are_refused_and_harm_nobody(channels: int, uploads: Path, imported: Callable[..., Any]):
    sitk.WriteImage(image_of("uint8", (5, 4, 3), channels), str(uploads / "bad.mha"))
    sitk.WriteImage(image_of(), str(uploads / "good.mha"))
    made = imported()
    assert made.reasons == {"bad.mha": "unsupported_channels"}
    assert made.only.metadata.name == "good.mha"


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_half_a_file_is_refused(name: str, packed: bool, keep: float, uploads: Path, imported: Callable[..., Any]):  # noqa: FBT001
    path = uploads / name
    random = np.random.default_rng(1).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(random), str(path), useCompression=packed)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert imported().reasons[name] in ("truncated", "corrupt")


def test_a_changed_byte_in_what_is_packed_is_found(uploads: Path, imported: Callable[..., Any]):
    for name in ("a.mha", "a.nrrd", "a.nii.gz", "a.png"):
        path = uploads / name
        random = np.random.default_rng(1).integers(0, 200, (1, 64, 64)).astype(np.uint8)
        sitk.WriteImage(
            sitk.GetImageFromArray(random[0] if name == "a.png" else random), str(path), useCompression=True
        )
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0x10
        path.write_bytes(content)
    made = imported()
    assert made.images == []
    assert set(made.reasons.values()) <= {"corrupt", "truncated"}


def test_a_huge_header_is_refused_before_anything_is_read(uploads: Path, imported: Callable[..., Any]):
    size = "NDims = 3\nDimSize = 100000 100000 100000"
    text = f"ObjectType = Image\n{size}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    (uploads / "huge.mha").write_text(text)
    assert imported().reasons == {"huge.mha": "too_large"}


def test_values_that_are_no_numbers_are_flagged(uploads: Path, imported: Callable[..., Any]):
    sitk.WriteImage(sitk.GetImageFromArray(np.full((2, 3, 4), np.nan, np.float32)), str(uploads / "nan.mha"))
    made = imported()
    assert made.flags == {"not_finite"}
    assert (made.only.low, made.only.high) == (None, None)


@pytest.mark.parametrize(
    "data_file",
    ["/etc/passwd", "../outside.raw", "a/../../outside.raw", "C:\\x.raw", "..", "list.txt\0", "LIST", "a%d.raw 1 2 1"],
)
@pytest.mark.parametrize("kind", ["mhd", "nhdr"])
def test_a_header_may_name_only_what_was_uploaded(
    kind: str, data_file: str, uploads: Path, imported: Callable[..., Any]
):
    (uploads.parent / "outside.raw").write_bytes(bytes(1000))
    if kind == "mhd":
        text = f"ObjectType = Image\nNDims = 2\nDimSize = 2 2\nElementType = MET_UCHAR\nElementDataFile = {data_file}\n"
    else:
        text = f"NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 2\nencoding: raw\ndata file: {data_file}\n\n"
    (uploads / f"evil.{kind}").write_text(text)
    made = imported()
    assert made.images == []
    assert set(made.reasons.values()) <= {"unsafe_file", "missing_data_file", "unsupported_format"}


def test_one_data_file_may_serve_two_headers(uploads: Path, imported: Callable[..., Any]):
    sitk.WriteImage(image_of(), str(uploads / "a.mhd"))
    (uploads / "b.mhd").write_text((uploads / "a.mhd").read_text())
    made = imported()
    assert len(made.images) == 2
    assert made.report.rejected == ()


@pytest.mark.parametrize(
    "header",
    [
        "WindowCenter = [1, 2]\nWindowWidth = [1]",
        "WindowCenter = [1]",
        "WindowCenter = x\nWindowWidth = 1",
        "Exposures = 1 2 3",
        "ContentTimes = 250000x",
        "DimSize = 2 -3",
        "DimSize = 2 0",
        "ElementSpacing = 0 1",
        "ElementSpacing = nan 1",
        "TransformMatrix = 1 1 1 1",
        "NDims = 7",
        "ElementType = MET_STRING",
        "BinaryData = False",
        "ElementNumberOfChannels = x",
    ],
)
def test_headers_that_contradict_themselves_are_refused(header: str, uploads: Path, imported: Callable[..., Any]):
    fields = {"NDims": "2", "DimSize": "2 2", "ElementType": "MET_UCHAR"}
    fields |= dict(line.split(" = ") for line in header.split("\n"))
    text = "".join(f"{name} = {value}\n" for name, value in fields.items())
    (uploads / "a.mha").write_bytes(f"ObjectType = Image\n{text}ElementDataFile = LOCAL\n".encode() + bytes(4))
    made = imported()
    assert made.images == []
    assert made.reasons["a.mha"] in ("bad_header", "bad_geometry", "unsupported_shape", "unsupported_pixels")


def nrrd(lines: str, data: bytes) -> bytes:
    return f"NRRD0005\n{lines}\n\n".encode() + data


def test_nrrd_in_ras_is_turned_into_lps(uploads: Path, imported: Callable[..., Any]):
    lines = (
        "type: uint8\ndimension: 3\nspace: right-anterior-superior\nsizes: 2 2 2\nencoding: raw\n"
        "space directions: (2,0,0) (0,3,0) (0,0,4)\nspace origin: (1,2,3)"
    )
    (uploads / "a.nrrd").write_bytes(nrrd(lines, bytes(range(8))))
    made = imported()
    assert made.only.grid.origin == (-1, -2, 3)
    assert_same(made.read(), sitk.ReadImage(str(uploads / "a.nrrd")))


def test_nrrd_with_time_as_its_last_axis_has_time_points(uploads: Path, imported: Callable[..., Any]):
    lines = (
        "type: uint8\ndimension: 4\nspace: left-posterior-superior\nsizes: 2 2 2 3\nencoding: raw\n"
        "kinds: domain domain domain list\n"
        "space directions: (2,0,0) (0,3,0) (0,0,4) none\nspace origin: (1,2,3)"
    )
    (uploads / "a.nrrd").write_bytes(nrrd(lines, bytes(range(24))))
    made = imported()
    assert made.only.grid.size == (2, 2, 2, 3)
    assert made.only.grid.spacing == (2, 3, 4, 1)
    assert made.voxels().reshape(-1).tolist() == list(range(24))


def test_nrrd_of_big_ends_bzip2_and_planes_of_colours(uploads: Path, imported: Callable[..., Any]):
    import bz2  # noqa: PLC0415

    values = np.arange(24, dtype=">i2")
    (uploads / "a.nrrd").write_bytes(
        nrrd(
            "type: short\ndimension: 3\nsizes: 4 3 2\nendian: big\nencoding: bzip2\nspacings: 1 2 3",
            bz2.compress(values.tobytes()),
        )
    )
    (uploads / "b.nrrd").write_bytes(
        nrrd(
            "type: short\ndimension: 3\nsizes: 4 2 3\nendian: big\nencoding: raw\nkinds: domain domain RGB-color",
            values.tobytes(),
        )
    )
    made = imported()
    assert made.voxels(0).reshape(-1).tolist() == list(range(24))
    assert np.array_equal(made.voxels(1), np.moveaxis(np.arange(24).reshape(3, 2, 4), 0, -1))


def test_nifti_keeps_whole_numbers_that_are_moved(uploads: Path, imported: Callable[..., Any]):
    path = uploads / "a.nii"
    sitk.WriteImage(image_of("int16"), str(path))
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([1, -1024], "<f4").tobytes()
    path.write_bytes(content)
    made = imported()
    assert made.only.value_type == "int16"
    assert np.array_equal(made.voxels(), sitk.GetArrayFromImage(image_of("int16")) - 1024)


def test_nifti_with_a_slope_is_rescaled(uploads: Path, imported: Callable[..., Any]):
    path = uploads / "a.nii.gz"
    sitk.WriteImage(image_of("int16"), str(uploads / "a.nii"))
    content = bytearray((uploads / "a.nii").read_bytes())
    content[112:120] = np.array([0.5, 3], "<f4").tobytes()
    path.write_bytes(gzip.compress(content))
    (uploads / "a.nii").unlink()
    assert np.allclose(imported().voxels(), sitk.GetArrayFromImage(image_of("int16")) * 0.5 + 3)


def save(path: Path, values: np.ndarray[Any, Any], mode: str | None = None, **more: Any) -> None:
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path, **more)


GREY = (np.arange(12, dtype=np.uint8) * 20).reshape(3, 4)
COLOUR = (np.arange(36, dtype=np.uint8) * 7).reshape(3, 4, 3)


def test_every_colour_type_of_png(uploads: Path, imported: Callable[..., Any]):
    save(uploads / "1bit.png", GREY > 100)
    save(uploads / "grey.png", GREY)
    save(uploads / "grey16.png", GREY.astype(np.uint16) * 257)
    save(uploads / "rgb.png", COLOUR)
    save(uploads / "opaque.png", np.dstack([GREY, np.full_like(GREY, 255)]))
    save(uploads / "glass.png", np.dstack([GREY, GREY]))
    save(uploads / "rgba.png", np.dstack([COLOUR, GREY]))
    Image.fromarray(COLOUR).quantize(16).save(uploads / "palette.png")
    (uploads / "rgb16.png").write_bytes(imagecodecs.png_encode(COLOUR.astype(np.uint16) * 257))
    made = imported()
    assert made.report.rejected == ()
    found = {image.metadata.name: made.voxels(number) for number, image in enumerate(made.images)}
    kinds = {image.metadata.name: str(image.metadata.color_space) for image in made.images}
    assert np.array_equal(found["1bit.png"], (GREY > 100) * 255)
    assert np.array_equal(found["grey.png"], GREY)
    assert np.array_equal(found["opaque.png"], GREY)
    assert np.array_equal(found["grey16.png"], GREY.astype(np.uint16) * 257)
    assert np.array_equal(found["rgb16.png"], COLOUR.astype(np.uint16) * 257)
    assert np.array_equal(found["rgba.png"], np.dstack([COLOUR, GREY]))
    assert np.array_equal(found["glass.png"], np.dstack([GREY, GREY, GREY, GREY]))
    assert np.array_equal(found["palette.png"], np.asarray(Image.fromarray(COLOUR).quantize(16).convert("RGB")))
    assert {name for name, kind in kinds.items() if kind == "GRAY"} == {
        "1bit.png",
        "grey.png",
        "opaque.png",
        "grey16.png",
    }
    assert {name for name, kind in kinds.items() if kind == "RGBA"} == {"rgba.png", "glass.png"}


def test_every_colour_type_of_jpeg(uploads: Path, imported: Callable[..., Any]):
    for name, mode in (("grey.jpg", "L"), ("rgb.jpg", "RGB"), ("cmyk.jpg", "CMYK")):
        save(uploads / name, COLOUR, mode)
    made = imported()
    found = {
        image.metadata.name: (str(image.metadata.color_space), made.voxels(n)) for n, image in enumerate(made.images)
    }
    assert {name: kind for name, (kind, _) in found.items()} == {
        "grey.jpg": "GRAY",
        "rgb.jpg": "RGB",
        "cmyk.jpg": "RGB",
    }
    for name, (_, values) in found.items():
        with Image.open(uploads / name) as image:
            assert np.array_equal(values, np.asarray(image if image.mode != "CMYK" else image.convert("RGB")))


def test_an_orientation_turns_the_picture_as_it_is_shown(uploads: Path, imported: Callable[..., Any]):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(GREY).save(uploads / "a.png", exif=exif)
    made = imported()
    assert np.array_equal(made.voxels(), np.rot90(GREY, -1))
    assert "rotated" in made.flags


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_half_a_picture_is_refused(name: str, uploads: Path, imported: Callable[..., Any]):
    random = np.random.default_rng(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    save(uploads / name, random, dpi=(100, 100))
    path = uploads / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert imported().reasons[name] in ("truncated", "corrupt")


def test_kinds_that_are_not_read_are_named(uploads: Path, imported: Callable[..., Any]):
    for name in ("a.bmp", "a.gif", "a.webp"):
        save(uploads / name, COLOUR)
    (uploads / "a.pdf").write_bytes(b"%PDF-1.4")
    (uploads / "empty").touch()
    (uploads / ".DS_Store").write_bytes(b"x")
    made = imported()
    assert made.reasons == {
        "a.bmp": "unsupported_format", "a.gif": "unsupported_format", "a.webp": "unsupported_format",
        "a.pdf": "not_an_image", "empty": "empty",
    }  # fmt: skip
    assert "WebP" in made.rejected("a.webp").detail
    assert [file.path for file in made.report.ignored] == [".DS_Store"]


def test_names_may_be_anything(uploads: Path, imported: Callable[..., Any]):
    for folder, name in (("ä ö", "bild 1.png"), ("x", "bild 1.png"), ("x", "日本.png"), ("x", "-rf.png")):
        (uploads / folder).mkdir(exist_ok=True)
        save(uploads / folder / name, GREY)
    assert len(imported().images) == 4


CENTIMETRE = {"resolutionunit": "CENTIMETER", "resolution": (100.0, 200.0)}


def test_a_flat_tiff_keeps_its_pixels(uploads: Path, imported: Callable[..., Any]):
    values = np.arange(70 * 50, dtype=np.uint16).reshape(70, 50)
    tifffile.imwrite(uploads / "a.tif", values, description="Jane Doe", **CENTIMETRE)
    made = imported()
    path = made.folder / made.report.images[0].folder / made.only.file
    assert np.array_equal(tifffile.imread(path), values)
    assert (made.only.metadata.voxel_width_mm, made.only.metadata.voxel_height_mm) == pytest.approx((0.1, 0.05))
    assert made.only.metadata.resolution_levels == 1
    assert b"Jane" not in path.read_bytes()


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "jpeg"])
@pytest.mark.parametrize("under", [True, False])
def test_a_pyramid_keeps_its_tiles(compression: str | None, under: bool, uploads: Path, imported: Callable[..., Any]):  # noqa: FBT001
    y, x = np.mgrid[:600, :500]
    values = np.dstack([x % 256, y % 256, (x + y) % 256]).astype(np.uint8)
    options: dict[str, Any] = {"tile": (128, 128), "photometric": "rgb", "compression": compression, **CENTIMETRE}
    with tifffile.TiffWriter(uploads / "a.tif") as writer:
        writer.write(values, subifds=2 if under else 0, **options)
        for step in (2, 4):
            writer.write(values[::step, ::step], subfiletype=1, **options)
    made = imported()
    assert made.only.metadata.resolution_levels == 3
    assert str(made.only.metadata.color_space) == ("YCBCR" if compression == "jpeg" else "RGB")
    with tifffile.TiffFile(made.folder / made.report.images[0].folder / made.only.file) as tiff:
        given = tifffile.imread(uploads / "a.tif", series=0, level=0)
        assert np.array_equal(tiff.pages[0].asarray(), given)
        assert [page.shape[:2] for page in tiff.pages] == [(600, 500), (300, 250), (150, 125)]


def test_a_stack_of_pages_is_a_volume(uploads: Path, imported: Callable[..., Any]):
    values = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)
    tifffile.imwrite(uploads / "a.tif", values, photometric="minisblack", **CENTIMETRE)
    made = imported()
    assert np.array_equal(made.voxels(), values)
    assert made.only.grid.spacing == pytest.approx((0.1, 0.05, 1))
    assert made.flags == {"slice_spacing_unknown"}


def test_what_imagej_and_ome_say_of_spacing_is_heard(uploads: Path, imported: Callable[..., Any]):
    values = np.arange(5 * 20 * 30, dtype=np.uint16).reshape(5, 20, 30)
    tifffile.imwrite(
        uploads / "ij.tif",
        values,
        imagej=True,
        resolution=(2, 4),
        metadata={"spacing": 3.0, "unit": "mm", "axes": "ZYX"},
    )
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25, "PhysicalSizeZ": 3000.0, "PhysicalSizeXUnit": "mm"}
    tifffile.imwrite(uploads / "x.ome.tif", values, metadata={"axes": "ZYX", "PhysicalSizeYUnit": "mm", **sizes})
    made = imported()
    assert [image.grid.spacing for image in made.images] == [pytest.approx((0.5, 0.25, 3.0))] * 2
    assert all(np.array_equal(made.voxels(number), values) for number in range(2))


def test_tiffs_that_cannot_be_placed_or_shown_are_refused(uploads: Path, imported: Callable[..., Any]):
    grey = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    tifffile.imwrite(uploads / "noscale.tif", grey)
    tifffile.imwrite(uploads / "channels.tif", np.zeros((20, 30, 5), np.uint8), photometric="minisblack", **CENTIMETRE)
    tifffile.imwrite(
        uploads / "five.tif", np.zeros((20, 30, 5), np.uint8), photometric="rgb", planarconfig="contig", **CENTIMETRE
    )
    tifffile.imwrite(uploads / "cmyk.tif", np.zeros((20, 30, 4), np.uint8), photometric="separated", **CENTIMETRE)
    tifffile.imwrite(uploads / "complex.tif", grey.astype(np.complex64), **CENTIMETRE)
    with tifffile.TiffWriter(uploads / "sizes.tif") as writer:
        for size in ((20, 30), (30, 20), (9, 9)):
            writer.write(np.zeros(size, np.uint8), **CENTIMETRE)
    assert imported().reasons == {
        "noscale.tif": "no_scale", "channels.tif": "unsupported_channels", "five.tif": "unsupported_channels",
        "cmyk.tif": "unsupported_pixels", "complex.tif": "unsupported_pixels", "sizes.tif": "mixed_sizes",
    }  # fmt: skip


def test_white_as_zero_and_palettes_of_tiff(uploads: Path, imported: Callable[..., Any]):
    grey = (np.arange(20 * 30) % 250).reshape(20, 30).astype(np.uint8)
    tifffile.imwrite(uploads / "white.tif", grey, photometric="miniswhite", **CENTIMETRE)
    colours = np.arange(3 * 256, dtype=np.uint16).reshape(3, 256) * 80
    tifffile.imwrite(uploads / "palette.tif", grey, photometric="palette", colormap=colours, **CENTIMETRE)
    made = imported()
    read = {
        image.metadata.name: tifffile.imread(made.folder / of.folder / image.file)
        for image, of in zip(made.images, made.report.images, strict=True)
    }
    assert np.array_equal(read["white.tif"], 255 - grey)
    assert np.array_equal(read["palette.tif"], np.moveaxis(colours, 0, -1)[grey] >> 8)


def test_whole_slides_of_several_files_are_refused_as_one(uploads: Path, imported: Callable[..., Any]):
    picture = io.BytesIO()
    Image.fromarray(COLOUR).save(picture, "JPEG")
    (uploads / "slide.mrxs").write_bytes(picture.getvalue())
    (uploads / "slide").mkdir()
    (uploads / "slide" / "Data0000.dat").write_bytes(picture.getvalue())
    (uploads / "vms").mkdir()
    (uploads / "vms" / "x.vms").write_text(
        "[Virtual Microscope Specimen]\nImageFile=x.jpg\nImageFile(1,0)=y.jpg\nMapFile=map.jpg\n"
    )
    for name in ("x.jpg", "y.jpg", "map.jpg", "other.jpg"):
        (uploads / "vms" / name).write_bytes(picture.getvalue())
    made = imported()
    assert [image.metadata.name for image in made.images] == ["other.jpg"]
    assert made.reasons["slide.mrxs"] == made.reasons["vms/x.vms"] == "corrupt"
    parts = {"slide/Data0000.dat", "vms/x.jpg", "vms/y.jpg", "vms/map.jpg"}
    assert {path for path, reason in made.reasons.items() if reason == "incomplete_set"} == parts
