"""What is told of an image; the names are those of panimg, which organizers' programs know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColorSpace(StrEnum):
    """How the values of a voxel are meant."""

    GRAY = "GRAY"
    RGB = "RGB"
    RGBA = "RGBA"
    YCBCR = "YCBCR"


class EyeChoice(StrEnum):
    """Which eye an image shows."""

    OCULUS_DEXTER = "OD"
    OCULUS_SINISTER = "OS"
    UNKNOWN = "U"
    NOT_APPLICABLE = "NA"


class ImageType(StrEnum):
    """The form in which an image is kept."""

    MHD = "MHD"  # MetaImage, in one `.mha` file
    TIFF = "TIFF"


COLOR_SPACES = {1: ColorSpace.GRAY, 3: ColorSpace.RGB, 4: ColorSpace.RGBA}
"""By the number of values of a voxel."""
MAXIMUM_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """An image in figures.

    Attributes:
        depth: Slices; none for a flat image.
        voxel_width_mm: Along x; none where it is not known, as also for y and z.
        timepoints: None for what has no time.
        resolution_levels: Of a pyramid; none for a volume.
        window_center: The first of those that the file suggests.
        segments: The values that occur, of an image that may be a segmentation.
    """

    name: str
    width: int
    height: int
    depth: int | None
    voxel_width_mm: float | None
    voxel_height_mm: float | None
    voxel_depth_mm: float | None
    timepoints: int | None
    resolution_levels: int | None
    window_center: float | None
    window_width: float | None
    color_space: ColorSpace
    eye_choice: EyeChoice
    segments: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Where voxels are, in millimetres, in the axes of DICOM (left, posterior, superior).

    Attributes:
        size: Along x, y, and where there are such axes z and time.
        spacing: From voxel to voxel, one for each axis.
        origin: The middle of the first voxel.
        direction: A matrix by rows; its columns are the directions of the axes.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @property
    def voxels(self) -> int:
        """How many voxels there are."""
        product = 1
        for length in self.size:
            product *= length
        return product


def plain_grid(size: tuple[int, ...], spacing: tuple[float, ...] | None = None) -> Grid:
    """The grid of an image that says nothing of where it is."""
    count = len(size)
    identity = tuple(float(row == column) for row in range(count) for column in range(count))
    return Grid(size, spacing or (1.0,) * count, (0.0,) * count, identity)
