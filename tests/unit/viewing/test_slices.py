"""Slices with a value of its own in each voxel: where each lies in the picture is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from podium.platform.errors import InvalidInput
from podium.platform.images.metadata import Grid, plain_grid
from podium.platform.viewing.label_colours import colour_of
from podium.platform.viewing.orientation import VoxelAxis, views
from podium.platform.viewing.slices import Cut, OpenImage, Overlay, Picture, draw
from podium.platform.viewing.windowing import Window

Array = np.ndarray[Any, Any]
Open = Callable[..., OpenImage]
Pixels = Callable[[Picture], Array]
CODES = ["".join(code) for axes in permutations(("LR", "PA", "SI")) for code in product(*axes)]
OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))


def numbered(x: int, y: int, z: int) -> sitk.Image:
    """An image in the axes of DICOM whose voxels are all different."""
    image = sitk.GetImageFromArray(np.arange(x * y * z, dtype=np.uint8).reshape(z, y, x))
    image.SetOrigin((-10, 20, -30))
    return image


@pytest.mark.parametrize("code", CODES)
def test_however_voxels_lie_a_body_is_shown_the_same_way(
    code: str, open_sitk: Open, as_they_are: Window, pixels: Pixels
):
    upright = numbered(5, 4, 3)
    voxels = sitk.GetArrayFromImage(upright)
    image = open_sitk(sitk.DICOMOrient(upright, code))
    found = {view.name: view for view in views(image.grid, is_placed=True)}
    assert list(found) == ["Axial", "Coronal", "Sagittal"]
    expected = {
        "Axial": (2, list(voxels), ("R", "L", "A", "P")),
        "Coronal": (1, [voxels[::-1, y] for y in range(4)], ("R", "L", "S", "I")),
        "Sagittal": (0, [voxels[::-1, :, x] for x in range(5)], ("A", "P", "S", "I")),
    }
    for name, (body, planes, letters) in expected.items():
        view = found[name]
        assert view.letters == letters
        assert view.count == len(planes)
        # Where the axis runs the other way, the first slice is the last one.
        order = planes if code[view.axis.number] == "LPS"[body] else planes[::-1]
        for index, plane in enumerate(order):
            drawn = pixels(draw(image, Cut(view.axis, index, window=as_they_are)))
            np.testing.assert_array_equal(drawn, plane)


def test_a_tilted_image_goes_by_the_nearest_axes(open_sitk: Open, as_they_are: Window, pixels: Pixels):
    image = numbered(5, 4, 3)
    turn = sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.25)
    image.SetDirection(turn.GetMatrix())
    opened = open_sitk(image)
    assert [view.name for view in views(opened.grid, is_placed=True)] == ["Axial", "Coronal", "Sagittal"]
    drawn = pixels(draw(opened, Cut(VoxelAxis.Z, 1, window=as_they_are)))
    np.testing.assert_array_equal(drawn, sitk.GetArrayFromImage(image)[1])


def test_every_voxel_is_found_among_bricks(open_array: Open):
    size = (67, 130, 35, 2)
    array = np.arange(np.prod(size), dtype=np.uint32).reshape(2, 35, 130, 67)
    voxels = open_array(array, plain_grid(size)).voxels
    for time, index in ((0, 0), (1, 17), (1, 34)):
        np.testing.assert_array_equal(voxels.plane(2, index, time)[..., 0], array[time, index])
        np.testing.assert_array_equal(voxels.plane(1, 3 * index, time)[..., 0], array[time, :, 3 * index])
        np.testing.assert_array_equal(voxels.plane(0, index, time)[..., 0], array[time, :, :, index])
        np.testing.assert_array_equal(voxels.plane(2, index, time, steps=(3, 7))[..., 0], array[time, index, ::3, ::7])
        np.testing.assert_array_equal(voxels.plane(0, index, time, steps=(2, 5))[..., 0], array[time, ::2, ::5, index])
    x, y, z = np.array([0, 66, 5]), np.array([129, 0, 64]), np.array([34, 1, 16])
    np.testing.assert_array_equal(voxels.at(x, y, z, 1)[:, 0], array[1, z, y, x])


def test_pixels_are_square_in_millimetres(open_array: Open):
    array = np.zeros((1, 10, 20, 40), np.int16)
    grid = Grid((40, 20, 10), (0.5, 1.0, 4.0), (0, 0, 0), plain_grid((1, 1, 1)).direction)
    image = open_array(array, grid)
    sizes = {axis: draw(image, Cut(axis, 0)) for axis in VoxelAxis}
    assert {axis: (one.width, one.height) for axis, one in sizes.items()} == {
        VoxelAxis.Z: (40, 40),
        VoxelAxis.Y: (40, 80),
        VoxelAxis.X: (20, 40),
    }
    small = draw(image, Cut(VoxelAxis.Y, 0, side=40))
    assert (small.width, small.height) == (20, 40)


def test_what_says_not_where_it_lies_is_shown_as_stored(open_sitk: Open, as_they_are: Window, pixels: Pixels):
    image = open_sitk(numbered(5, 4, 3), is_placed=False)
    found = views(image.grid, is_placed=False)
    assert [(view.name, view.letters) for view in found] == [
        ("Across z", ("", "", "", "")),
        ("Across y", ("", "", "", "")),
        ("Across x", ("", "", "", "")),
    ]
    drawn = pixels(draw(image, Cut(VoxelAxis.Y, 2, window=as_they_are)))
    np.testing.assert_array_equal(drawn, np.arange(60).reshape(3, 4, 5)[:, 2])


def test_a_flat_image_has_one_slice(open_array: Open, pixels: Pixels):
    colours = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(1, 1, 4, 5, 3)
    image = open_array(colours, plain_grid((5, 4)), channels=3, is_placed=False)
    picture = draw(image, Cut(VoxelAxis.Z, 0, window=Window(1, 1)))
    np.testing.assert_array_equal(pixels(picture), colours[0, 0])
    assert picture.window is None
    with pytest.raises(InvalidInput, match="no slices across x"):
        draw(image, Cut(VoxelAxis.X, 0))


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (Cut(VoxelAxis.Z, 3), "numbered from 0 to 2"),
        (Cut(VoxelAxis.X, -1), "numbered from 0 to 4"),
        (Cut(VoxelAxis.Z, 0, time=1), "no time point 1"),
    ],
)
def test_slices_that_are_not_there_are_refused(cut: Cut, words: str, open_sitk: Open):
    with pytest.raises(InvalidInput, match=words):
        draw(open_sitk(numbered(5, 4, 3)), cut)


def test_a_time_point_is_that_one(open_array: Open, as_they_are: Window, pixels: Pixels):
    array = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    image = open_array(array, plain_grid((5, 4, 3, 2)))
    drawn = pixels(draw(image, Cut(VoxelAxis.Z, 1, time=1, window=as_they_are)))
    np.testing.assert_array_equal(drawn, array[1, 1])


def test_the_window_is_the_chosen_one_or_the_header_s_or_that_of_the_values(open_sitk: Open):
    image = open_sitk(numbered(5, 4, 3), suggested=Window(40, 400), auto=Window(10, 20))
    assert draw(image, Cut(VoxelAxis.Z, 0)).window == Window(40, 400)
    assert draw(image, Cut(VoxelAxis.Z, 0, is_auto=True)).window == Window(10, 20)
    assert draw(image, Cut(VoxelAxis.Z, 0, window=Window(1, 2), is_auto=True)).window == Window(1, 2)
    assert draw(open_sitk(numbered(5, 4, 3)), Cut(VoxelAxis.Z, 0)).window == Window(0.5, 1)


def test_labels_lie_over_their_voxels(open_sitk: Open, pixels: Pixels):
    image = open_sitk(numbered(5, 4, 3))
    labels = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.uint8))
    labels.CopyInformation(numbered(5, 4, 3))
    labels[0, 1, 2] = 3
    labels[4, 3, 2] = 200
    picture = draw(image, Cut(VoxelAxis.Z, 2, window=Window(1e6, 1)), Overlay(open_sitk(labels), opacity=1))
    drawn = pixels(picture)
    assert picture.labels == (3, 200)
    assert not picture.is_resampled
    assert tuple(drawn[1, 0]) == colour_of(3)
    assert tuple(drawn[3, 4]) == colour_of(200)
    assert drawn.any(axis=2).sum() == 2
    half = pixels(draw(image, Cut(VoxelAxis.Z, 2, window=Window(1e6, 1)), Overlay(open_sitk(labels), opacity=0.5)))
    np.testing.assert_allclose(half[1, 0], np.array(colour_of(3)) / 2, atol=1)


def test_labels_of_the_same_places_in_another_order_are_resampled(open_sitk: Open, pixels: Pixels):
    upright = numbered(5, 4, 3)
    labels = sitk.Cast(upright, sitk.sitkInt32) + 1
    expected = draw(open_sitk(upright), Cut(VoxelAxis.Y, 2), Overlay(open_sitk(labels), 1))
    assert not expected.is_resampled
    turned = draw(open_sitk(upright), Cut(VoxelAxis.Y, 2), Overlay(open_sitk(sitk.DICOMOrient(labels, "SAR")), 1))
    assert turned.is_resampled
    assert turned.labels == expected.labels
    np.testing.assert_array_equal(pixels(turned), pixels(expected))


def test_where_a_segmentation_has_no_voxels_there_is_no_label(open_sitk: Open, pixels: Pixels):
    upright = numbered(5, 4, 3)
    part = sitk.Cast(upright[2:4, 1:3, 1:3], sitk.sitkUInt8)
    picture = draw(open_sitk(upright), Cut(VoxelAxis.Z, 1, window=Window(1e6, 1)), Overlay(open_sitk(part), 1))
    assert picture.is_resampled
    assert picture.labels == tuple(int(value) for value in np.arange(60).reshape(3, 4, 5)[1, 1:3, 2:4].flat)
    assert pixels(picture).any(axis=2).sum() == 4
    outside = draw(open_sitk(upright), Cut(VoxelAxis.Z, 0), Overlay(open_sitk(part), 1))
    assert outside.labels == ()


def test_a_series_of_masks_is_one_segmentation(open_array: Open, open_sitk: Open):
    masks = np.zeros((3, 3, 4, 5), np.uint8)
    masks[0, 1, 0, 0] = masks[2, 1, 1, 1] = 1
    grid = Grid((5, 4, 3, 3), (1,) * 4, (-10, 20, -30, 0), plain_grid((1, 1, 1, 1)).direction)
    over = open_array(masks, grid, labels=(1, 2, 3))
    assert draw(open_sitk(numbered(5, 4, 3)), Cut(VoxelAxis.Z, 1), Overlay(over)).labels == (1, 3)


def test_what_is_no_segmentation_of_the_image_is_refused(open_array: Open, open_sitk: Open):
    image = open_sitk(numbered(5, 4, 3))
    fractions = open_array(np.zeros((1, 3, 4, 5), np.float32), image.grid)
    with pytest.raises(InvalidInput, match="no segmentation"):
        draw(image, Cut(VoxelAxis.Z, 0), Overlay(fractions))
    times = open_array(np.zeros((2, 3, 4, 5), np.uint8), plain_grid((5, 4, 3, 2)))
    with pytest.raises(InvalidInput, match="2 time points, and the image 1"):
        draw(image, Cut(VoxelAxis.Z, 0), Overlay(times))
    flat = open_array(np.zeros((1, 1, 4, 5), np.uint8), plain_grid((5, 4)), is_placed=False)
    with pytest.raises(InvalidInput, match="5 x 4 voxels, and the image 5 x 4 x 3"):
        draw(image, Cut(VoxelAxis.Z, 0), Overlay(flat))


def test_a_large_plane_is_read_in_steps(open_array: Open):
    array = np.zeros((1, 1, 9000, 100), np.uint8)
    picture = draw(open_array(array, plain_grid((100, 9000)), is_placed=False), Cut(VoxelAxis.Z, 0, side=5000))
    assert (picture.width, picture.height) == (23, 2048)
