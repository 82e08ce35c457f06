"""Slices get to the place where they belong, and what belongs nowhere is refused: a voxel of each slice tells."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import COLUMNS, ROWS, dataset, enhanced, ramp, volume, write, write_series


def by_gdcm(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def test_spacing_of_rows_is_the_spacing_along_y(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2], PixelSpacing=[2.0, 0.5])
    made = imported()
    assert made.only.grid.spacing == (0.5, 2.0, 1.0)
    assert by_gdcm(uploads).GetSpacing() == (0.5, 2.0, 1.0)
    assert (made.only.metadata.voxel_width_mm, made.only.metadata.voxel_height_mm) == (0.5, 2.0)


@pytest.mark.parametrize("instance", [None, 1, "shuffled"])
def test_slices_are_ordered_by_position_whatever_their_numbers(
    instance: int | str | None, uploads: Path, imported: Callable[..., Any]
):
    for number, place in enumerate([3, 0, 4, 1, 2]):
        given = (number * 3) % 5 if instance == "shuffled" else instance
        write(
            uploads / f"{number}.dcm",
            dataset(ramp(place), ImagePositionPatient=[0, 0, place * 2.5], InstanceNumber=given),
        )
    made = imported()
    assert np.array_equal(made.voxels(), volume(5))
    assert made.only.grid.spacing[2] == 2.5
    assert made.only.flags == ()


def test_slices_that_go_down_are_turned_into_going_along_their_normal(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [-1.0, -2.0, -3.0])
    made = imported()
    assert made.only.grid.origin == (0, 0, -3)
    assert np.array_equal(made.voxels(), sitk.GetArrayFromImage(by_gdcm(uploads)))


@pytest.mark.parametrize(
    "orientation",
    [
        (0, 1, 0, 0, 0, -1),
        (1, 0, 0, 0, 0, -1),
        (0.8, 0.6, 0, 0, 0, 1),
        (0.6, 0.8, 0, -0.48, 0.36, 0.8),
        (-1, 0, 0, 0, 1, 0),
    ],
)
def test_an_oblique_volume_lies_where_gdcm_has_it(
    orientation: tuple[float, ...], uploads: Path, imported: Callable[..., Any]
):
    normal = np.cross(orientation[:3], orientation[3:])
    for number in range(4):
        place = np.array([10.0, -20.0, 30.0]) + normal * 1.25 * (3 - number)
        attributes = {
            "ImageOrientationPatient": list(orientation),
            "ImagePositionPatient": [f"{part:.6f}" for part in place],
        }
        write(uploads / f"{number}.dcm", dataset(ramp(number), PixelSpacing=[0.5, 0.75], **attributes))
    made, other = imported().read(), by_gdcm(uploads)
    assert np.allclose(made.GetDirection(), other.GetDirection(), atol=1e-6)
    assert np.allclose(made.GetOrigin(), other.GetOrigin(), atol=1e-5)
    assert np.allclose(made.GetSpacing(), other.GetSpacing(), atol=1e-5)
    assert np.array_equal(sitk.GetArrayFromImage(made), sitk.GetArrayFromImage(other))


def test_a_missing_slice_refuses_the_series_and_says_where(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2, 4, 5, 6])
    made = imported()
    assert set(made.reasons.values()) == {"missing_slices"}
    assert "1 of 7 slices are missing" in made.report.rejected[0].detail
    assert "between the 3. and the 4." in made.report.rejected[0].detail


def test_uneven_slices_are_refused(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 3.4, 7])
    assert set(imported().reasons.values()) == {"uneven_slices"}


def test_positions_rounded_in_the_header_are_no_unevenness(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [round(number * 0.625, 2) for number in range(40)])
    made = imported()
    assert made.only.grid.spacing[2] == pytest.approx(0.625, abs=1e-3)
    assert made.flags <= {"slices_slightly_uneven"}


def test_slices_a_little_off_are_taken_and_said(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2.05, 3, 4])
    assert imported().flags == {"slices_slightly_uneven"}


def test_a_slice_that_is_there_again_is_dropped(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2, 3])
    write(uploads / "again.dcm", dataset(ramp(1), ImagePositionPatient=[0, 0, 1], InstanceNumber=9))
    made = imported()
    assert np.array_equal(made.voxels(), volume(4))
    assert made.flags == {"duplicates_dropped"}
    assert made.report.rejected == ()


def test_two_different_slices_at_one_place_are_not_chosen_from(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2, 3])
    write(uploads / "again.dcm", dataset(ramp(7), ImagePositionPatient=[0, 0, 1], InstanceNumber=9))
    made = imported()
    assert made.images == []
    assert set(made.reasons.values()) == {"ambiguous_slices"}


def test_a_folder_uploaded_twice_is_one_volume(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads / "one", [0, 1, 2])
    (uploads / "two").mkdir()
    for file in (uploads / "one").iterdir():
        (uploads / "two" / file.name).write_bytes(file.read_bytes())
    made = imported()
    assert np.array_equal(made.voxels(), volume(3))
    assert made.flags == {"duplicates_dropped"}
    assert len(made.only.sources) == 6


def test_a_localizer_in_the_series_is_an_image_of_its_own(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2])
    across = dataset(
        ramp(9, rows=8, columns=8), ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[0, -4, 4]
    )
    write(uploads / "localizer.dcm", across)
    made = imported()
    assert sorted(image.grid.size for image in made.images) == [(COLUMNS, ROWS, 3), (8, 8, 1)]
    assert all({flag.kind.value for flag in image.flags} >= {"split_series"} for image in made.images)


@pytest.mark.parametrize("degrees", [5, 20, 63])
def test_a_tilted_gantry_is_refused(degrees: float, uploads: Path, imported: Callable[..., Any]):
    for number in range(6):
        place = [0, number * math.tan(math.radians(degrees)), number]
        write(uploads / f"{number}.dcm", dataset(ramp(number), ImagePositionPatient=place))
    made = imported()
    assert made.images == []
    assert set(made.reasons.values()) == {"tilted"}


def test_a_series_in_two_folders_is_one_volume(uploads: Path, imported: Callable[..., Any]):
    for number in range(6):
        given = dataset(ramp(number), ImagePositionPatient=[0, 0, number], InstanceNumber=number)
        write(uploads / ("a" if number % 2 else "b/c") / "image.dcm" / str(number), given)
    assert np.array_equal(imported().voxels(), volume(6))


def test_two_series_and_two_studies_are_not_mixed(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads / "1", [0, 1, 2])
    write_series(uploads / "2", [0, 1, 2], SeriesInstanceUID="1.2.3.4")
    write_series(uploads / "3", [0, 1], StudyInstanceUID="1.2.3.5")
    made = imported()
    assert sorted(image.grid.size[2] for image in made.images) == [2, 3, 3]


def test_of_mixed_sizes_the_majority_is_taken(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2, 3])
    write(uploads / "larger.dcm", dataset(ramp(9, rows=8, columns=8), ImagePositionPatient=[0, 0, 4]))
    made = imported()
    assert np.array_equal(made.voxels(), volume(4))
    assert made.reasons == {"larger.dcm": "mixed_sizes"}
    assert "8 x 8" in made.report.rejected[0].detail


def test_without_a_majority_nothing_is_taken(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1])
    for number in (2, 3):
        given = dataset(ramp(9, rows=8, columns=8), ImagePositionPatient=[0, 0, number])
        write(uploads / f"larger{number}.dcm", given)
    made = imported()
    assert made.images == []
    assert set(made.reasons.values()) == {"mixed_sizes"}


def test_of_mixed_spacings_the_majority_is_taken(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2, 3])
    write(uploads / "other.dcm", dataset(ramp(9), ImagePositionPatient=[0, 0, 4], PixelSpacing=[2, 2]))
    assert imported().reasons == {"other.dcm": "mixed_sizes"}


@pytest.mark.parametrize(
    "key",
    ["TemporalPositionIndex", "TemporalPositionIdentifier", "TriggerTime", "AcquisitionNumber", "AcquisitionTime"],
)
def test_several_slices_at_each_place_are_time_points(key: str, uploads: Path, imported: Callable[..., Any]):
    for number in range(12):
        time, place = number % 4, number // 4
        value = f"1200{time:02}" if key == "AcquisitionTime" else time + 1
        given = {"ImagePositionPatient": [0, 0, place], "InstanceNumber": 12 - number, key: value}
        write(uploads / f"{number}.dcm", dataset(ramp(10 * time + place), **given))
    made = imported()
    assert made.only.grid.size == (COLUMNS, ROWS, 3, 4)
    assert made.only.metadata.timepoints == 4
    wanted = np.stack([[ramp(10 * time + place) for place in range(3)] for time in range(4)])
    assert np.array_equal(made.voxels(), wanted)


def test_a_time_point_without_a_slice_refuses_the_series(uploads: Path, imported: Callable[..., Any]):
    for number in range(11):
        given = {"ImagePositionPatient": [0, 0, number // 4], "TemporalPositionIdentifier": number % 4}
        write(uploads / f"{number}.dcm", dataset(ramp(number), **given))
    assert set(imported().reasons.values()) == {"uneven_time_points"}


@pytest.mark.parametrize(
    ("key", "values"), [("EchoTime", [2.3, 4.6]), ("ImageType", [["ORIGINAL", "M"], ["ORIGINAL", "P"]])]
)
def test_echoes_and_kinds_are_images_of_their_own(
    key: str, values: list[Any], uploads: Path, imported: Callable[..., Any]
):
    for number in range(6):
        given = {"ImagePositionPatient": [0, 0, number // 2], key: values[number % 2]}
        write(uploads / f"{number}.dcm", dataset(ramp(number), **given))
    made = imported()
    assert [image.grid.size for image in made.images] == [(COLUMNS, ROWS, 3)] * 2
    assert np.array_equal(made.voxels(0), np.stack([ramp(number) for number in (0, 2, 4)]))


def test_one_file_of_many_frames_equals_its_slices(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "enhanced.dcm", enhanced(5, intercept=-1024))
    made = imported()
    assert np.array_equal(made.voxels(), volume(5) - 1024)
    assert made.only.value_type == "int16"
    assert made.only.grid.spacing == (0.5, 2.0, 1.5)
    assert made.only.grid.origin == (1, 2, 0)


def test_frames_are_ordered_by_position_too(uploads: Path, imported: Callable[..., Any]):
    write(uploads / "enhanced.dcm", enhanced(5, reverse=True))
    assert np.array_equal(imported().voxels(), volume(5))


def test_time_points_in_files_and_series_of_their_own_are_one_image(uploads: Path, imported: Callable[..., Any]):
    for time in range(3):
        given = enhanced(4)
        given.PixelData = np.stack([ramp(10 * time + number) for number in range(4)]).tobytes()
        given.SeriesInstanceUID, given.StackID, given.TemporalPositionIndex = f"1.2.{time + 1}", "A", time + 1
        write(uploads / f"{2 - time}.dcm", given)
    made = imported()
    assert made.only.grid.size == (COLUMNS, ROWS, 4, 3)
    wanted = np.stack([[ramp(10 * time + number) for number in range(4)] for time in range(3)])
    assert np.array_equal(made.voxels(), wanted)


def test_frames_without_a_place_are_time_points(uploads: Path, imported: Callable[..., Any]):
    given = dataset(ramp(0), ImagePositionPatient=None, ImageOrientationPatient=None, Modality="US")
    given.NumberOfFrames, given.PixelData = 3, volume(3).tobytes()
    write(uploads / "cine.dcm", given)
    made = imported()
    assert made.only.grid.size == (COLUMNS, ROWS, 1, 3)
    assert made.flags == {"no_positions"}


def test_a_flat_image_has_one_slice(uploads: Path, imported: Callable[..., Any]):
    given = dataset(ramp(0), ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, Modality="DX")
    given.ImagerPixelSpacing = [0.2, 0.1]
    write(uploads / "chest", given)
    made = imported()
    assert made.only.grid.size == (COLUMNS, ROWS, 1)
    assert made.only.grid.spacing == (0.1, 0.2, 1)
    assert made.flags == {"spacing_unknown"}


def test_a_slice_without_a_position_is_refused_among_those_that_have_one(uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2])
    write(uploads / "lost.dcm", dataset(ramp(9), ImagePositionPatient=None))
    made = imported()
    assert made.reasons == {"lost.dcm": "no_position"}
    assert made.flags == {"incomplete_series"}


@pytest.mark.parametrize("orientation", [[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 1, 0]])
def test_directions_that_cannot_be_are_refused(orientation: list[float], uploads: Path, imported: Callable[..., Any]):
    write_series(uploads, [0, 1, 2], ImageOrientationPatient=orientation)
    assert set(imported().reasons.values()) == {"bad_geometry"}


@pytest.mark.parametrize(("bad", "left"), [(0, 4), (4, 4), (2, 0)])
def test_a_damaged_slice_takes_no_other_with_it_but_leaves_no_gap(
    bad: int, left: int, uploads: Path, imported: Callable[..., Any]
):
    write_series(uploads, [0, 1, 2, 3, 4])
    path = uploads / f"{bad:03}.dcm"
    path.write_bytes(path.read_bytes()[:-7])
    made = imported()
    assert made.reasons[path.name] == "truncated"
    if left:
        assert made.only.grid.size[2] == left
        assert made.flags == {"incomplete_series"}
        assert np.array_equal(made.voxels(), np.delete(volume(5), bad, axis=0))
        assert len(made.reasons) == 1
    else:
        others = {reason for name, reason in made.reasons.items() if name != path.name}
        assert others == {"missing_slices"}
