"""Scans of the retina in their scanners' own formats: every image of a file, of the right size, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from oct_files import (
    HEIGHT,
    MM_PER_DEGREE,
    Heidelberg,
    fds,
    packed_picture,
    packed_scan,
    place,
    ramp,
    raw_picture,
    raw_scan,
    scale,
    topcon,
)
from panimg import convert

from podium.platform.images import oct_scans

COLOURS = ramp(5, 4, 3, kind="uint8")
PLACES = [place((-3, -2 + 0.5 * number), (3, -2 + 0.5 * number), 4, 3, number) for number in range(3)]


def flags(image: Any) -> set[str]:
    return {flag.kind.value for flag in image.flags}


def test_a_raw_scan_of_topcon(uploads: Path, imported: Callable[..., Any]):
    values = ramp(5, 3, 4)
    (uploads / "a.fds").write_bytes(fds(values))
    made = imported()
    assert np.array_equal(made.voxels(), values)
    assert made.read().GetSpacing() == pytest.approx((6 / 4, 0.0035, 4.5 / 5))
    assert made.only.metadata.eye_choice == "OD"
    assert not made.flags


def test_a_packed_scan_and_a_picture_of_topcon(uploads: Path, imported: Callable[..., Any]):
    values = ramp(2, 8, 9, kind="uint8")
    chunks = {"@IMG_JPEG": packed_scan(values), "@IMG_FUNDUS": packed_picture(COLOURS)}
    (uploads / "A.FDA").write_bytes(topcon({**chunks, "@PARAM_SCAN_04": scale(9, 6, 2.6)}, b"FDA"))
    made = imported()
    assert [image.metadata.name for image in made.images] == ["A.FDA", "A_fundus.FDA"]
    assert np.array_equal(made.voxels(0), values)
    assert made.read(0).GetSpacing() == pytest.approx((1, 0.0026, 3))
    assert np.array_equal(made.voxels(1), COLOURS)
    assert made.images[1].metadata.voxel_width_mm is None
    assert flags(made.images[1]) == {"spacing_unknown"}


def test_a_raw_picture_of_topcon(uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.fds").write_bytes(fds(ramp(1, 2, 2), IMG_OBS=raw_picture(COLOURS)))
    assert np.array_equal(imported().voxels(1), COLOURS)


@pytest.mark.parametrize(("mode", "told"), [(2, set()), (3, {"not_parallel"}), (4, {"not_parallel"})])
def test_slices_that_are_not_side_by_side(mode: int, told: set[str], uploads: Path, imported: Callable[..., Any]):
    chunks = {"@IMG_MOT_COMP_03": raw_scan(ramp(2, 3, 4), mode), "@PARAM_SCAN_04": scale(6, 6, 3)}
    (uploads / "a.fda").write_bytes(topcon(chunks))
    made = imported()
    assert made.flags == told
    assert made.read().GetSpacing()[2] == (1.0 if told else 3.0)


def test_without_a_scale(uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.fda").write_bytes(topcon({"@IMG_SCAN_03": raw_scan(ramp(2, 3, 4))}))
    made = imported()
    assert made.flags == {"spacing_unknown"}
    assert made.only.metadata.voxel_depth_mm is None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole[:-1], "truncated"),
        (lambda whole: whole[:180], "truncated"),
        (lambda whole: whole[:15], "truncated"),
        (lambda whole: b"FOCTFDS" + bytes(9), "no_pixels"),
        (lambda whole: whole[:16] + b"x" + whole[17:], "corrupt"),
        (lambda whole: b"JUNK" + whole[4:], "corrupt"),
        (lambda whole: whole.replace(b"\x04\0\0\0\x03\0\0\0\x10", b"\xff\xff\xff\0\xff\xff\xff\0\x10"), "too_large"),
        (lambda whole: whole.replace(b"\x04\0\0\0\x03\0\0\0\x10", b"\x04\0\0\0\0\0\0\0\x10"), "bad_header"),
        (lambda whole: whole.replace(b"\x04\0\0\0\x03\0\0\0\x10", b"\x05\0\0\0\x03\0\0\0\x10"), "corrupt"),
        (lambda whole: whole.replace(b"\x03\0\0\0\x10", b"\x03\0\0\0\x20"), "unsupported_pixels"),
    ],
)
def test_damage_is_refused(damage: Callable[[bytes], bytes], reason: str, uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.fds").write_bytes(damage(fds(ramp(5, 3, 4))))
    (uploads / "good.fds").write_bytes(fds(ramp(5, 3, 4)))
    made = imported()
    assert made.reasons == {"a.fds": reason}
    assert len(made.images) == 1


def test_a_packed_slice_that_is_damaged(uploads: Path, imported: Callable[..., Any]):
    whole = packed_scan(ramp(2, 8, 9, kind="uint8"))
    (uploads / "a.fda").write_bytes(topcon({"@IMG_JPEG": whole[:-30] + bytes(30)}))
    (uploads / "b.fda").write_bytes(topcon({"@IMG_JPEG": whole[:9] + b"\x08" + whole[10:]}))
    (uploads / "c.fda").write_bytes(topcon({"@IMG_JPEG": whole[:17] + b"\xff\xff\xff" + whole[20:]}))
    assert set(imported().reasons.values()) == {"corrupt"}


def test_a_file_of_heidelberg(uploads: Path, imported: Callable[..., Any]):
    stored = ramp(3, 5, 4) * 1000
    written = Heidelberg().scan(stored, places=PLACES).picture(ramp(6, 7)).written()
    (uploads / "a.e2e").write_bytes(written)
    made = imported()
    assert [image.metadata.name for image in made.images] == ["a.e2e", "a_fundus.e2e"]
    assert made.voxels(0).shape == (3, 5, 4)
    assert np.array_equal(made.voxels(0)[1], oct_scans.heidelberg._BRIGHTNESS[stored[1]])
    wanted = (6 / 4 * MM_PER_DEGREE, HEIGHT, 0.5 * MM_PER_DEGREE)
    assert made.read(0).GetSpacing() == pytest.approx(wanted)
    assert made.images[0].metadata.eye_choice == "OD"
    assert flags(made.images[0]) == {"spacing_assumed"}
    assert np.array_equal(made.voxels(1), ramp(6, 7))


def test_reflectivity_becomes_brightness_as_panimg_makes_it():
    # Six bits of exponent and ten of mantissa, of which the lowest counts most: 1.5, 1 and the largest.
    found = oct_scans.heidelberg._BRIGHTNESS[[0xFC01, 0xFC00, 0xFFFF, 0]]
    wanted = [65535 * (value / 2) ** (1 / 2.4) for value in (1.5, 1, 2 - 1 / 1024, 0)]
    assert np.allclose(found, wanted, atol=1.01)


def test_panimg_gives_the_same(tmp_path: Path, uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(3, 5, 4) * 1000).written())
    (uploads / "b.fds").write_bytes(fds(ramp(5, 3, 4), IMG_OBS=raw_picture(COLOURS)))
    (tmp_path / "theirs").mkdir()
    theirs = convert(input_directory=uploads, output_directory=tmp_path / "theirs")
    made = imported()
    found = {image.metadata.name: made.read(number) for number, image in enumerate(made.images)}
    assert {image.name for image in theirs.new_images} == {"a.e2e", "b.fds"}
    for file in theirs.new_image_files:
        wanted = sitk.ReadImage(str(file.file))
        (name,) = [image.name for image in theirs.new_images if image.pk == file.image_id]
        assert np.array_equal(sitk.GetArrayFromImage(found[name]), sitk.GetArrayFromImage(wanted))
        assert found[name].GetSpacing() == pytest.approx(wanted.GetSpacing())


def test_several_scans_of_one_file_are_several_images(uploads: Path, imported: Callable[..., Any]):
    made = Heidelberg().scan(ramp(2, 5, 4), 1).scan(ramp(3, 5, 4), 2, eye=b"L").scan(ramp(3, 6, 4), 2)
    (uploads / "a.e2e").write_bytes(made.written())
    found = imported()
    assert [image.metadata.name for image in found.images] == ["a.e2e", "a_2.e2e", "a_3.e2e"]
    assert [found.voxels(number).shape for number in range(3)] == [(2, 5, 4), (3, 5, 4), (3, 6, 4)]


def test_what_heidelberg_does_not_say_is_assumed_and_told(uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(3, 5, 4)).written())
    made = imported()
    assert made.flags == {"spacing_assumed"}
    assert made.read().GetSpacing() == pytest.approx((6 / 4, 0.0039, 4.5 / 3))


def test_without_its_directory(uploads: Path, imported: Callable[..., Any]):
    values = ramp(3, 5, 4)
    whole = Heidelberg().scan(values, places=PLACES).written(listed=False)
    (uploads / "a.e2e").write_bytes(whole)
    (uploads / "b.e2e").write_bytes(whole[:-10])
    made = imported()
    assert made.flags == {"spacing_assumed", "incomplete_series"}
    assert made.voxels().shape == values.shape
    assert made.reasons == {"b.e2e": "truncated"}


@pytest.mark.parametrize("third", [place((0, -5), (0, 5), 4, 3), place((-3, 4), (3, 4), 4, 3)])
def test_a_star_and_uneven_slices(third: bytes, uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(3, 5, 4), places=[*PLACES[:2], third]).written())
    made = imported()
    assert made.flags == {"spacing_assumed", "not_parallel"}
    assert made.read().GetSpacing()[2] == 1


def test_slices_that_are_missing(uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(2, 5, 4), places=PLACES[:2]).written())
    assert imported().reasons == {"a.e2e": "missing_slices"}


def test_one_image_of_a_file_that_is_refused_is_told_with_the_others(uploads: Path, imported: Callable[..., Any]):
    made = Heidelberg().scan(ramp(2, 5, 4), 1, places=PLACES[:2]).scan(ramp(3, 5, 4), 2)
    (uploads / "a.e2e").write_bytes(made.written())
    found = imported()
    assert found.flags == {"spacing_assumed", "incomplete_file"}
    assert not found.report.rejected


@pytest.mark.parametrize("cut", [20, 60, 100, 300, -1])
def test_a_file_that_is_cut_off(cut: int, uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(3, 5, 4)).written()[:cut])
    assert imported().reasons["a.e2e"] in {"truncated", "corrupt", "no_pixels"}


def test_where_eyepy_is_missing(uploads: Path, imported: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(oct_scans, "_has_eyepy", False)
    (uploads / "a.e2e").write_bytes(Heidelberg().scan(ramp(3, 5, 4)).written())
    (uploads / "a.fds").write_bytes(fds(ramp(5, 3, 4)))
    made = imported()
    assert made.reasons == {"a.e2e": "unsupported_format"}
    assert "podium[oct]" in made.rejected("a.e2e").remedy
    assert len(made.images) == 1
