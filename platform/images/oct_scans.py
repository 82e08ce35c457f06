"""Scans of the retina in their scanners' own formats: Topcon's, and Heidelberg's where what reads them is installed."""

from __future__ import annotations

from pathlib import Path

from podium.platform.images import topcon
from podium.platform.images.oct_parts import OctPart
from podium.platform.images.problems import ImageRefused, Reason
from podium.platform.images.volumes import Volume

_TOPCON = b"FOCT"
_MOST_PARTS = 1000

try:
    # Loaded once, before there are children.
    from podium.platform.images import heidelberg
except ModuleNotFoundError as error:
    if error.name is None or error.name.partition(".")[0] != "eyepy":
        raise
    _has_eyepy = False
else:
    _has_eyepy = True


def part_names(path: Path) -> tuple[str, ...]:
    """Find out how many images a file has, and what is put behind its name to name each of them.

    Raises:
        ImageRefused: It has none, is damaged, or is of a kind for which nothing is installed.
    """
    names, scans, pictures = [], 0, 0
    for part in _parts(path)[:_MOST_PARTS]:
        scans, pictures = scans + (not part.is_fundus), pictures + part.is_fundus
        number = pictures if part.is_fundus else scans
        names.append(("_fundus" if part.is_fundus else "") + (f"_{number}" if number > 1 else ""))
    return tuple(names)


def open_volume(name: str, path: Path, part: int, *, most_bytes: int) -> Volume:
    """Make a volume of one image of a file, by its number.

    Raises:
        ImageRefused: It is damaged or too large.
    """
    return _parts(path)[part].open(name, most_bytes=most_bytes)


def _parts(path: Path) -> list[OctPart]:
    with path.open("rb") as file:
        is_topcon = file.read(len(_TOPCON)) == _TOPCON
    if is_topcon:
        return topcon.parts(path)
    if not _has_eyepy:
        raise ImageRefused(
            Reason.UNSUPPORTED_FORMAT,
            "It is a scan in Heidelberg's own format, and what reads those is not installed here.",
            "Ask the operator to install podium[oct] on the hosts that import images.",
        )
    return heidelberg.parts(path)
