"""Images of the database, as they are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from podium.platform.images.bricks import BrickedVoxels
from podium.platform.images.job_kinds import Unpacked
from podium.platform.images.metadata import Grid, plain_grid
from podium.platform.images.problems import FlagKind
from podium.platform.models import Image
from podium.platform.records.slices import ImageViews, SegmentRecord, ViewRecord, WindowRecord
from podium.platform.viewing.label_colours import colour_of, written
from podium.platform.viewing.orientation import views
from podium.platform.viewing.slices import OpenImage
from podium.platform.viewing.unpacked_images import Wanted
from podium.platform.viewing.windowing import PRESETS, Window, window_of

_UNPLACED = frozenset({FlagKind.SPACING_UNKNOWN, FlagKind.NO_POSITIONS})
_HOUNSFIELD_LOW = -100
"""Where values of whole numbers go below this, they may be Hounsfield's."""


@dataclass(frozen=True, slots=True)
class Viewed:
    """All that is known of an image before its voxels are read."""

    wanted: Wanted
    grid: Grid
    is_placed: bool
    suggested: Window | None
    labels: tuple[int, ...] | None

    def opened(self, voxels: BrickedVoxels, unpacked: Unpacked) -> OpenImage:
        """The image with its voxels."""
        auto = None
        if unpacked.low is not None and unpacked.high is not None:
            auto = window_of(unpacked.low, unpacked.high)
        if self.labels and not self.is_masks:
            auto = window_of(min(self.labels), max(self.labels))
        return OpenImage(voxels, self.grid, self.is_placed, self.suggested, auto, self.labels)

    @property
    def is_masks(self) -> bool:
        """Whether each of its time points is the mask of one segment."""
        return self.labels is not None and len(self.grid.size) == 4


def viewed(row: Image) -> Viewed:
    """An image of the database."""
    grid = _grid(row)
    window = None
    if row.window_center is not None and row.window_width is not None and row.window_width > 0:
        window = Window(row.window_center, row.window_width)
    return Viewed(
        Wanted(row.content, row.sha256, row.type, grid.size, row.channels, row.value_type),
        grid,
        _is_placed(row, grid),
        window,
        None if row.segments is None else tuple(row.segments),
    )


def image_views(row: Image) -> ImageViews:
    """How an image of the database can be looked at."""
    one = viewed(row)
    is_colour = row.channels > 1
    segments = tuple(label for label in one.labels or () if label)
    return ImageViews(
        image=row.id,
        views=tuple(
            ViewRecord(view.axis.value, view.name, view.count, *view.letters, view.width, view.height)
            for view in views(one.grid, is_placed=one.is_placed)
        ),
        timepoints=one.grid.size[3] if len(one.grid.size) > 3 else 1,
        is_colour=is_colour,
        is_measured=row.voxel_width_mm is not None,
        is_labels=not is_colour and np.dtype(row.value_type).kind in "iu",
        windows=() if is_colour else tuple(_windows(row, one)),
        low=row.low,
        high=row.high,
        segments=segment_records(segments),
    )


def segment_records(labels: tuple[int, ...]) -> tuple[SegmentRecord, ...]:
    """Labels with their colours."""
    return tuple(SegmentRecord(label, written(colour_of(label))) for label in labels)


def _windows(row: Image, one: Viewed) -> list[WindowRecord]:
    found = [] if one.suggested is None else [WindowRecord("suggested", one.suggested.center, one.suggested.width)]
    if row.attributes.get("Modality") == "CT" or (row.low is not None and row.low < _HOUNSFIELD_LOW):
        found += [WindowRecord(name, window.center, window.width) for name, window in PRESETS.items()]
    return found


def _grid(row: Image) -> Grid:
    size, spacing, origin, direction = (row.grid[name] for name in ("size", "spacing", "origin", "direction"))
    return Grid(
        tuple(int(length) for length in size),
        tuple(float(step) for step in spacing),
        tuple(float(place) for place in origin),
        tuple(float(part) for part in direction),
    )


def _is_placed(row: Image, grid: Grid) -> bool:
    """Whether anything says how an image lies in a body.

    Formats have an origin of zero and plain directions where nobody has said anything. A series of DICOM says it, or is
    flagged; a single slice, such as a radiograph, need not.
    """
    if len(grid.size) < 3 or {flag["kind"] for flag in row.flags} & {kind.value for kind in _UNPLACED}:
        return False
    if grid.size[2] > 1 and "Modality" in row.attributes:
        return True
    return any(grid.origin[:3]) or grid.direction != plain_grid(grid.size).direction
