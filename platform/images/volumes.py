"""An image on its way from the files that it came in to the one that it is kept in: never whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from podium.platform.images.metadata import EyeChoice, Grid
from podium.platform.images.problems import Flag
from podium.platform.images.rescaling import Pixels, ValueType


def no_planes() -> Iterator[Pixels]:
    """The planes of a volume before it is known how to read them."""
    return iter(())


@dataclass(slots=True)
class Volume:
    """An image whose pixels are read as they are asked for.

    Attributes:
        grid: Two, three or four axes.
        type: Of the values, in this machine's byte order.
        channels: Values for each voxel: 1, 3 or 4.
        planes: Gives the planes, as rows, columns and for colours channels: slice after slice, for each time point.
            It raises `ImageRefused` where a file turns out to be damaged.
        spacing_known: Whether the grid's spacing means anything.
        headers: What is kept in the header of the file besides the geometry, by panimg's names.
        attributes: What else its files tell, after whatever may identify a person was removed.
        removed: Names of what was removed.
    """

    name: str
    grid: Grid
    type: ValueType
    channels: int
    planes: Callable[[], Iterator[Pixels]] = no_planes
    spacing_known: bool = True
    window: tuple[float, float] | None = None
    eye: EyeChoice = EyeChoice.NOT_APPLICABLE
    headers: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    flags: list[Flag] = field(default_factory=list)

    @property
    def plane_count(self) -> int:
        """How many planes there are."""
        return self.grid.voxels // (self.grid.size[0] * self.grid.size[1])

    @property
    def plane_shape(self) -> tuple[int, ...]:
        """Of one plane."""
        flat = (self.grid.size[1], self.grid.size[0])
        return flat if self.channels == 1 else (*flat, self.channels)

    @property
    def bytes(self) -> int:
        """Of all its values."""
        return self.grid.voxels * self.channels * self.type.itemsize
