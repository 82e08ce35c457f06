"""Values of DICOM pixels: rescaled without loss, turned around, unpacked and decoded as others do."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicom_files import dataset, ramp, volume, write, write_series
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

from podium.platform.images.rescaling import Linear, inverted, low_bits, rescaled, value_type

U12 = {"BitsStored": 12, "HighBit": 11}


def test_hounsfield_units_stay_whole(uploads: Path, imported: Callable[..., Any]):
    for number in range(3):
        given = {"ImagePositionPatient": [0, 0, number], "RescaleSlope": 1, "RescaleIntercept": -1024, **U12}
        write(uploads / f"{number}.dcm", dataset(ramp(number, kind="uint16"), **given))
    made = imported()
    assert made.voxels().dtype == np.int16
    assert np.array_equal(made.voxels(), volume(3) - 1024)


def test_all_sixteen_bits_become_short_where_the_values_fit(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "1.dcm", dataset(ramp(3, kind="uint16"), RescaleIntercept=-1000, RescaleSlope=1))
    made = imported()
    assert made.only.value_type == "int16"
    assert np.array_equal(made.voxels()[0], ramp(3) - 1000)


def test_what_is_too_large_for_short_becomes_long(uploads: Path, imported: Callable[..., Any]):
    pixels = np.array([[0, 65535]], np.uint16)
    write(uploads / "1.dcm", dataset(pixels, RescaleIntercept=-1000, RescaleSlope=1))
    made = imported()
    assert made.only.value_type == "int32"
    assert made.voxels().tolist() == [[[-1000, 64535]]]


def test_slopes_that_are_no_whole_numbers_make_floats_of_each_slice(uploads: Path, imported: Callable[..., Any]):
    for number, slope in enumerate((0.5, 1.25)):
        given = {
            "ImagePositionPatient": [0, 0, number],
            "RescaleSlope": slope,
            "RescaleIntercept": number,
            "Modality": "PT",
        }
        write(uploads / f"{number}.dcm", dataset(ramp(number), **given))
    voxels = imported().voxels()
    assert voxels.dtype == np.float32
    assert np.allclose(voxels, np.stack([ramp(0) * 0.5, ramp(1) * 1.25 + 1]))


def test_low_values_as_white_are_turned_around_and_the_window_too(uploads: Path, imported: Callable[..., Any]):
    given = {"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": [5, 9], "WindowWidth": [4, 8]}
    write(uploads / "1.dcm", dataset(ramp(0, kind="uint16"), **given, **U12))
    made = imported()
    assert np.array_equal(made.voxels()[0], 19 - ramp(0))
    assert (made.only.metadata.window_center, made.only.metadata.window_width) == (14, 4)
    assert made.flags == {"inverted", "slice_spacing_unknown"}


def test_signed_pixels_as_white_are_turned_around(uploads: Path, imported: Callable[..., Any]):
    pixels = np.array([[-5, 0, 20]], np.int16)
    write(uploads / "1.dcm", dataset(pixels, PhotometricInterpretation="MONOCHROME1"))
    assert imported().voxels().tolist() == [[[20, 15, -5]]]


def test_bits_beside_the_stored_ones_are_dropped(uploads: Path, imported: Callable[..., Any]):
    pixels = (ramp(0, kind="uint16") | 0xA000).astype(np.uint16)
    write(uploads / "1.dcm", dataset(pixels, **U12))
    assert np.array_equal(imported().voxels()[0], ramp(0))


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_in_either_order(planar: int, uploads: Path, imported: Callable[..., Any]):
    pixels = np.arange(60, dtype=np.uint8).reshape(5, 4, 3)
    given = dataset(pixels, PlanarConfiguration=planar)
    given.PixelData = (np.moveaxis(pixels, 2, 0) if planar else pixels).tobytes()
    write(uploads / "1.dcm", given)
    made = imported()
    assert made.only.metadata.color_space == "RGB"
    assert np.array_equal(made.voxels()[0], pixels)


def test_big_and_little_ends_and_words_of_32_bits(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "1.dcm", dataset(ramp(0, kind="uint32") + 70000))
    assert np.array_equal(imported().voxels()[0], ramp(0, kind="uint32") + 70000)


@pytest.mark.parametrize(("keep", "reason"), [(0.5, "truncated"), (0.999, "truncated")])
def test_pixels_that_are_cut_off_refuse_the_file(keep: float, reason: str, uploads: Path, imported: Callable[..., Any]):
    path = write(uploads / "1.dcm", dataset(ramp(0, rows=64, columns=64)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    assert imported().reasons == {"1.dcm": reason}


def test_dicom_without_pixels_is_rejected_by_what_it_is(uploads: Path, imported: Callable[..., Any]):
    (uploads / "report.dcm").write_bytes(Path(str(get_testdata_file("test-SR.dcm"))).read_bytes())
    made = imported()
    assert made.reasons == {"report.dcm": "no_pixels"}
    assert "SR" in made.report.rejected[0].detail


def test_slices_of_several_kinds_of_pixels_are_refused(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2])
    write(uploads / "x.dcm", dataset(ramp(0, kind="uint16"), ImagePositionPatient=[0, 0, 3]))
    assert set(imported().reasons.values()) == {"mixed_sizes"}


DECODED = (
    "693_J2KI.dcm", "CT_small.dcm", "ExplVR_BigEnd.dcm", "GDCMJ2K_TextGBR.dcm", "J2K_pixelrep_mismatch.dcm",
    "JPEG2000.dcm", "JPEGLSNearLossless_08.dcm", "JPEGLSNearLossless_16.dcm", "MR_small.dcm", "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm", "SC_jpeg_no_color_transform.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_small_odd.dcm",
    "SC_ybr_full_422_uncompressed.dcm", "examples_jpeg2k.dcm", "examples_rgb_color.dcm",
    "image_dfl.dcm",
)  # fmt: skip


@pytest.mark.parametrize("name", DECODED)
def test_every_way_of_packing_gives_what_pydicom_decodes(name: str, uploads: Path, imported: Callable[..., Any]):
    source = Path(str(get_testdata_file(name, read=False)))
    (uploads / "file.dcm").write_bytes(source.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = imported()
        given = pydicom.dcmread(source, force=True)
        if "TransferSyntaxUID" not in given.file_meta:
            given.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2" if given.is_implicit_VR else "1.2.840.10008.1.2.1"
        wanted = pixel_array(given)
        slope, intercept = float(given.get("RescaleSlope", 1)), float(given.get("RescaleIntercept", 0))
    if slope != 1 or intercept:
        wanted = wanted * slope + intercept
    assert np.array_equal(made.voxels()[0], wanted)


def test_a_palette_is_expanded_to_colours(uploads: Path, imported: Callable[..., Any]):
    source = Path(str(get_testdata_file("examples_palette.dcm", read=False)))
    (uploads / "file.dcm").write_bytes(source.read_bytes())
    made = imported()
    assert made.only.metadata.color_space == "RGB"
    assert "colours_converted" in made.flags


def test_a_dose_grid_has_the_places_of_its_offsets(uploads: Path, imported: Callable[..., Any]):
    source = Path(str(get_testdata_file("rtdose.dcm", read=False)))
    (uploads / "file.dcm").write_bytes(source.read_bytes())
    given = pydicom.dcmread(source)
    made = imported()
    assert made.only.grid.size == (given.Columns, given.Rows, given.NumberOfFrames)
    assert made.only.grid.spacing[2] == pytest.approx(
        abs(given.GridFrameOffsetVector[1] - given.GridFrameOffsetVector[0])
    )
    assert np.allclose(made.voxels(), given.pixel_array * float(given.DoseGridScaling), rtol=1e-6)


def test_types_are_the_smallest_that_hold_every_value():
    u16, i16 = np.dtype(np.uint16), np.dtype(np.int16)
    assert value_type(u16, [Linear()], 0, 65535) == u16
    assert value_type(u16, [Linear(1, -1024)], 0, 4095) == i16
    assert value_type(u16, [Linear(2, 0)], 0, 4095) == u16
    assert value_type(u16, [Linear(1, -1024)], 0, 65535) == np.int32
    assert value_type(i16, [Linear(1, 0), Linear(1, 5)], 0, 10) == i16
    assert value_type(i16, [Linear(1, 0.5)], 0, 10) == np.float32
    assert value_type(i16, [Linear(-70000, 1)], -32768, 32767) == np.float64


@pytest.mark.parametrize("linear", [Linear(1, -1024), Linear(3, 7), Linear(-2, 0), Linear(1, 40000)])
@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16"])
def test_rescaling_equals_plain_arithmetic(linear: Linear, kind: str):
    pixels = np.arange(np.iinfo(kind).min, np.iinfo(kind).max + 1, 7).astype(kind)
    target = value_type(pixels.dtype, [linear], int(pixels.min()), int(pixels.max()))
    values = rescaled(pixels, linear, target)
    assert values.dtype == target
    assert np.array_equal(values.astype(np.int64), pixels.astype(np.int64) * int(linear.slope) + int(linear.intercept))


def test_turning_around_twice_changes_nothing():
    pixels = np.array([-3, 0, 12], np.int16)
    assert np.array_equal(inverted(inverted(pixels, -3, 12), -3, 12), pixels)


def test_a_sign_is_that_of_the_highest_stored_bit():
    pixels = np.array([0x0FFF, 0x0801, 0x07FF], np.uint16).view(np.int16)
    assert low_bits(pixels, allocated=16, stored=12, high_bit=11, signed=True).tolist() == [-1, -2047, 2047]
