"""What the formats of retina scanners have in common: a file has several images, scans and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.volumes import Volume


class OpenPart(Protocol):
    """Makes a volume of one image of a file, by a name, with at most so many bytes of voxels."""

    def __call__(self, name: str, *, most_bytes: int) -> Volume:
        """Open it, or raise `ImageRefused`."""


@dataclass(frozen=True, slots=True)
class OctPart:
    """One image of a file.

    Attributes:
        open: Makes a volume of it.
        is_fundus: It is a picture of the fundus, and not a scan in depth.
    """

    open: OpenPart
    is_fundus: bool = False


def check_room(volume: Volume, most_bytes: int) -> Volume:
    """Give a volume back that is neither empty nor larger than allowed.

    Raises:
        ImageRefused: It is.
    """
    if not volume.bytes:
        raise ImageRefused(Reason.BAD_HEADER, "Its header speaks of an image without pixels.")
    if volume.bytes > most_bytes:
        raise ImageRefused(Reason.TOO_LARGE, f"Its voxels have {volume.bytes} bytes; at most {most_bytes} are allowed.")
    return volume


def truncated(what: str) -> ImageRefused:
    """The refusal of a file that ends before something does."""
    return ImageRefused(Reason.TRUNCATED, f"The end of it is missing: {what}.", "Upload it again, whole.")
