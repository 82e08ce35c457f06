"""One slice as a picture: in a window, of square pixels, perhaps with the labels of a segmentation over it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from podium.platform.errors import InvalidInput
from podium.platform.images.bricks import BrickedVoxels
from podium.platform.images.metadata import Grid
from podium.platform.images.rescaling import Pixels
from podium.platform.viewing.label_colours import colour_of
from podium.platform.viewing.orientation import View, VoxelAxis, are_same, mapping, views
from podium.platform.viewing.windowing import Window, brightness, window_of

LARGEST_SIDE = 2048
"""Of a picture, in pixels."""
RENDERING = "1"
"""Another one whenever the same slice would come out otherwise."""
_READ_SIDE = 4096
"""Of a larger plane, every so manieth row and column is read."""
_MOST_LABELS = 256


@dataclass(frozen=True, slots=True)
class OpenImage:
    """An image that slices can be read of.

    Attributes:
        grid: As it was imported; a pyramid's voxels may be those of a smaller level.
        is_placed: Whether its directions are those of a body.
        suggested: The window that its header suggests.
        auto: The window that shows nearly all of its values.
        labels: The labels that occur, of what may be a segmentation; of one that is a series of masks, their numbers.
    """

    voxels: BrickedVoxels
    grid: Grid
    is_placed: bool
    suggested: Window | None = None
    auto: Window | None = None
    labels: tuple[int, ...] | None = None

    @property
    def is_masks(self) -> bool:
        """Whether each of its time points is the mask of one segment."""
        return self.labels is not None and len(self.grid.size) == 4


@dataclass(frozen=True, slots=True)
class Cut:
    """Which slice, and how it is to be seen.

    Attributes:
        axis: What it lies across.
        index: Which one, from 0 in the order of the voxels.
        window: `None` for the one that the image suggests, or where it does not, that of its values.
        is_auto: Whether that of its values is wanted in any case.
        side: The longer side of the picture is at most so long, in pixels.
    """

    axis: VoxelAxis
    index: int
    time: int = 0
    window: Window | None = None
    is_auto: bool = False
    side: int = 1024


@dataclass(frozen=True, slots=True)
class Overlay:
    """A segmentation to lay over a slice; `opacity` is from 0 for nothing to 1."""

    image: OpenImage
    opacity: float = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """A slice as PNG.

    Attributes:
        window: The one that it is shown in; none for colours.
        labels: Those that lie over it, up to 256 of them.
        is_resampled: Whether the overlay is on another grid: what is shown is its nearest voxels.
    """

    content: bytes
    width: int
    height: int
    window: Window | None
    labels: tuple[int, ...] = ()
    is_resampled: bool = False


def draw(image: OpenImage, cut: Cut, overlay: Overlay | None = None) -> Picture:
    """Draw a slice.

    Raises:
        InvalidInput: There is no such slice, or the overlay does not fit; the message says why.
    """
    view = require_slice(image.grid, cut, is_placed=image.is_placed)
    steps = _steps(image, view)
    plane = image.voxels.plane(view.axis.number, cut.index, cut.time, steps=steps)
    window = None if image.voxels.layout.channels > 1 else _window(image, cut)
    shown = Image.fromarray(_turned(_shown(plane, window), view))
    size = _size(view, (shown.width, shown.height), cut.side)
    if shown.size != size:
        way = Image.Resampling.NEAREST if image.labels is not None else Image.Resampling.BILINEAR
        shown = shown.resize(size, way)
    if overlay is None:
        return Picture(_png(shown), *size, window)
    labels, is_resampled = _labels(image, cut, overlay.image, steps)
    shown, present = _laid_over(shown, _turned(labels, view), overlay.opacity)
    return Picture(_png(shown), *size, window, present, is_resampled)


def require_slice(grid: Grid, cut: Cut, *, is_placed: bool) -> View:
    """The way in which a slice is shown, if there is such a one.

    Raises:
        InvalidInput: There is none.
    """
    found = next((view for view in views(grid, is_placed=is_placed) if view.axis is cut.axis), None)
    if found is None:
        raise InvalidInput(f"The image is flat: it has no slices across {cut.axis}.", remedy="Ask for those across z.")
    if not 0 <= cut.index < found.count:
        raise InvalidInput(
            f"There is no slice {cut.index} across {cut.axis}: they are numbered from 0 to {found.count - 1}."
        )
    times = grid.size[3] if len(grid.size) > 3 else 1
    if not 0 <= cut.time < times:
        raise InvalidInput(f"There is no time point {cut.time}: they are numbered from 0 to {times - 1}.")
    return found


def _window(image: OpenImage, cut: Cut) -> Window:
    chosen = cut.window or (None if cut.is_auto else image.suggested)
    return chosen or image.auto or window_of(0, 1)


def _steps(image: OpenImage, view: View) -> tuple[int, int]:
    across, down = (image.voxels.layout.size[axis] for axis in range(3) if axis != view.axis.number)
    return max(1, down // _READ_SIDE), max(1, across // _READ_SIDE)


def _shown(plane: Pixels, window: Window | None) -> NDArray[np.uint8]:
    if window is not None:
        return brightness(plane[..., 0], window)
    colours = plane[..., :3]
    if colours.dtype == np.uint8:
        return np.ascontiguousarray(colours)
    if colours.dtype == np.uint16:
        return (colours >> 8).astype(np.uint8)
    numbers = colours[np.isfinite(colours)]
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
    return brightness(colours.astype(np.float64), window_of(low, high))


def _turned(plane: Pixels, view: View) -> Pixels:
    """A plane, as it was read, the way that it is shown."""
    if view.across > view.down:
        plane = plane.swapaxes(0, 1)
    if view.turned_down:
        plane = plane[::-1]
    if view.turned_across:
        plane = plane[:, ::-1]
    return np.ascontiguousarray(plane)


def _size(view: View, pixels: tuple[int, int], most: int) -> tuple[int, int]:
    """Of a picture with square pixels that loses nothing of the finer axis, unless that were too large."""
    fineness = min(view.width / pixels[0], view.height / pixels[1])
    width, height = view.width / fineness, view.height / fineness
    scale = min(1.0, min(most, LARGEST_SIDE) / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _labels(image: OpenImage, cut: Cut, over: OpenImage, steps: tuple[int, int]) -> tuple[Pixels, bool]:
    """The labels over the pixels that were read, and whether they come from another grid."""
    layout = over.voxels.layout
    if layout.channels > 1 or np.dtype(layout.type).kind not in "iu":
        raise InvalidInput(
            "What is to lie over the image is no segmentation: its voxels are no whole numbers.",
            remedy="Choose an image whose voxels are labels.",
        )
    times = layout.size[3]
    if not over.is_masks and times not in (1, image.voxels.layout.size[3]):
        raise InvalidInput(
            f"The segmentation has {times} time points, and the image {image.voxels.layout.size[3]}: "
            "nothing says which belong together."
        )
    both_placed = image.is_placed and over.is_placed
    if are_same(image.grid, over.grid, are_placed=both_placed):
        return _over_time(over, cut.time, lambda time: _same_plane(over, cut, time, steps)), False
    if not both_placed:
        raise InvalidInput(
            f"The segmentation has {_sizes(over.grid)} voxels, and the image {_sizes(image.grid)}; "
            "and not both say where they lie.",
            remedy="Choose a segmentation of the same size.",
        )
    return _over_time(over, cut.time, lambda time: _resampled(image, cut, over, time, steps)), True


def _over_time(over: OpenImage, time: int, read: object) -> Pixels:
    assert callable(read)
    if not over.is_masks:
        found: Pixels = read(time if over.voxels.layout.size[3] > 1 else 0)
        return found
    merged: Pixels | None = None
    for number in range(over.voxels.layout.size[3]):
        mask = read(number) != 0
        if merged is None:
            merged = np.zeros(mask.shape, np.uint8)
        merged[mask] = number + 1
    assert merged is not None
    return merged


def _same_plane(over: OpenImage, cut: Cut, time: int, steps: tuple[int, int]) -> Pixels:
    return over.voxels.plane(cut.axis.number, cut.index, time, steps=steps)[..., 0]


def _resampled(image: OpenImage, cut: Cut, over: OpenImage, time: int, steps: tuple[int, int]) -> Pixels:
    """Of each voxel of a slice, the nearest voxel of another image; 0 where that has none."""
    layout = image.voxels.layout
    across, down = (axis for axis in range(3) if axis != cut.axis.number)
    indices: list[NDArray[np.float64]] = [np.full((1, 1), float(cut.index))] * 3
    indices[down] = np.arange(0, layout.size[down], steps[0], dtype=np.float64)[:, None]
    indices[across] = np.arange(0, layout.size[across], steps[1], dtype=np.float64)[None, :]
    way = mapping(image.grid, over.grid)
    shape = (indices[down].shape[0], indices[across].shape[1])
    places, inside = [], np.ones(shape, bool)
    for row, shift, length in zip(way.matrix, way.offset, over.voxels.layout.size, strict=False):
        place = sum((weight * index for weight, index in zip(row, indices, strict=True)), shift)
        place = np.floor(place + 0.5)  # of two that are equally near, always the same side's
        place = np.broadcast_to(place, shape)
        inside &= (place >= 0) & (place < length)
        places.append(place)
    found = np.zeros(shape, over.voxels.layout.type)
    x, y, z = (place[inside].astype(np.intp) for place in places)
    found[inside] = over.voxels.at(x, y, z, time)[:, 0]
    return found


def _laid_over(shown: Image.Image, labels: Pixels, opacity: float) -> tuple[Image.Image, tuple[int, ...]]:
    if labels.dtype == np.uint8:  # counted in a tenth of the time that sorting takes
        present = np.flatnonzero(np.bincount(labels.reshape(-1), minlength=256))
        colours, places = np.zeros((256, 4), np.uint8), labels
        colours[present] = [_painted(int(label)) for label in present]
    else:
        present, places = np.unique(labels, return_inverse=True)
        colours = np.array([_painted(int(label)) for label in present], np.uint8)
    layer = Image.fromarray(colours[places.reshape(labels.shape)])
    if layer.size != shown.size:
        layer = layer.resize(shown.size, Image.Resampling.NEAREST)
    below = shown.convert("RGB")
    strength = layer.getchannel("A").point(lambda value: round(value * opacity))
    below.paste(layer.convert("RGB"), mask=strength)
    return below, tuple(int(label) for label in present if label)[:_MOST_LABELS]


def _painted(label: int) -> tuple[int, int, int, int]:
    return (*colour_of(label), 255) if label else (0, 0, 0, 0)


def _sizes(grid: Grid) -> str:
    return " x ".join(str(length) for length in grid.size[:3])


def _png(picture: Image.Image) -> bytes:
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=1)
    return content.getvalue()
