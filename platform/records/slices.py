"""What the API answers about looking at images: how they can be cut, and in which windows."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ViewRecord:
    """Slices across one axis of an image's voxels.

    Attributes:
        axis: `x`, `y` or `z`.
        name: `Axial`, `Coronal` or `Sagittal` by the nearest axis of the body; else how they lie in the file.
        slices: How many there are, from 0 on.
        left: What of a body lies to the left of a slice: `R`, `L`, `A`, `P`, `S`, `I`, or empty where nobody knows. So
            are `right`, `top` and `bottom`.
        width: Of a slice, in mm, or in voxels where their size is not known; so is `height`.
    """

    axis: str
    name: str
    slices: int
    left: str
    right: str
    top: str
    bottom: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class WindowRecord:
    """A range of values to be told apart: `center` is a middle grey, `width` reaches from black to white."""

    name: str
    center: float
    width: float


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A label of a segmentation, and the colour that it is shown in, such as `#e69f00`."""

    label: int
    colour: str


@dataclass(frozen=True, slots=True)
class ImageViews:
    """How an image can be looked at.

    Attributes:
        views: One for a flat image, three for a volume.
        timepoints: How many there are, 1 for what has no time.
        is_colour: Whether its voxels are colours, which no window changes.
        is_measured: Whether sizes are in mm.
        is_labels: Whether it may lie over other images as a segmentation.
        windows: By name: `suggested` by its header where that does, and what radiologists use for a CT.
        low: The least finite value, where they were all looked at; and the largest, `high`.
        segments: The labels that occur, of what may be a segmentation, without 0, which is no label.
    """

    image: UUID
    views: tuple[ViewRecord, ...]
    timepoints: int
    is_colour: bool
    is_measured: bool
    is_labels: bool
    windows: tuple[WindowRecord, ...]
    low: float | None
    high: float | None
    segments: tuple[SegmentRecord, ...]
