"""Images to look at, unpacked as the platform does it, without a child process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from podium.platform.images.bricks import BrickedVoxels, layout_for, write_bricks
from podium.platform.images.metadata import Grid
from podium.platform.viewing.slices import OpenImage, Picture
from podium.platform.viewing.windowing import Window

Array = np.ndarray[Any, Any]


@pytest.fixture
def open_array(tmp_path: Path) -> Callable[..., OpenImage]:
    """Opens an array (time, z, y, x, perhaps values), on a grid."""
    made = 0

    def act(array: Array, grid: Grid, *, channels: int = 1, is_placed: bool = True, **more: Any) -> OpenImage:
        nonlocal made
        made += 1
        layout = layout_for(grid.size, channels, array.dtype.name)
        path = tmp_path / f"{made}.bricks"
        planes = array.reshape(-1, *((grid.size[1], grid.size[0], channels)[: 2 + (channels > 1)]))
        with path.open("xb") as file:
            write_bricks(iter(planes), layout, file)
        return OpenImage(BrickedVoxels(path, layout), grid, is_placed=is_placed, **more)

    return act


@pytest.fixture
def open_sitk(open_array: Callable[..., OpenImage]) -> Callable[..., OpenImage]:
    """Opens an image of SimpleITK's."""

    def act(image: sitk.Image, **more: Any) -> OpenImage:
        grid = Grid(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
        return open_array(sitk.GetArrayFromImage(image), grid, **more)

    return act


@pytest.fixture
def as_they_are() -> Window:
    """The window in which whole numbers from 0 to 255 are shown as themselves."""
    return Window(128, 256)


def pixels(picture: Picture) -> Array:
    return np.asarray(Image.open(io.BytesIO(picture.content)))


@pytest.fixture(name="pixels")
def pixels_of() -> Callable[[Picture], Array]:
    return pixels


@pytest.fixture
def moved() -> Callable[..., OpenImage]:
    """The same image with other words about it."""
    return replace
