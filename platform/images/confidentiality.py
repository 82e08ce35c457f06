"""What of a DICOM header is kept: nothing that may identify a person.

This follows the Basic Application Level Confidentiality Profile of DICOM PS3.15, annex E. All attributes of its table
are removed, whether the profile would remove, empty or replace them, since what is kept is no DICOM object that has to
have them; UIDs too. So are private attributes, sequences with all that is in them, overlays and curves, names of
persons, dates, times and whatever is longer than a description needs to be. Pixels are not looked at.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import pydicom
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from podium.platform.images.bounded_files import BoundedFile

# Codes, short texts and numbers; no names of persons (PN), dates and times (DA, DT, TM), ages (AS), UIDs or long texts.
_KEPT_KINDS = frozenset({"CS", "DS", "FD", "FL", "IS", "LO", "SH", "SL", "SS", "UL", "US"})
_FIRST_GRAPHIC_GROUP = 0x5000
_LONGEST = 200
_MOST = 300


@cache
def profile() -> frozenset[int]:
    """The tags of the profile's table; groups of curves and overlays, which it gives as patterns, are not in it."""
    text = resources.files("podium.platform.images").joinpath("basic_profile.csv").read_text()
    tags = (line.partition(",")[0] for line in text.splitlines() if line and not line.startswith("#"))
    return frozenset(int(tag, 16) for tag in tags if "x" not in tag)


def kept_attributes(path: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is kept of a file's header, by the standard's keywords, and the names of what was removed, sorted."""
    kept: dict[str, str] = {}
    removed: set[str] = set()
    private = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag, element in _elements(path):
            if tag.is_private:
                private += 1
            elif element is not None and (text := _kept(element)) is not None:
                kept[element.keyword] = text
            elif element is not None and element.keyword and not element.is_empty:
                removed.add(element.keyword)
    names = sorted(removed)
    if private:
        names.append(f"{private} private attributes")
    return dict(sorted(kept.items())[:_MOST]), tuple(names)


def _elements(path: Path) -> Iterator[tuple[pydicom.tag.BaseTag, DataElement | None]]:
    """Give each attribute; none for those that can't be read."""
    with BoundedFile(path) as file:
        dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    for tag in dataset.keys():  # noqa: SIM118 -- iterating over it would read every attribute, and fail on a bad one
        try:
            yield tag, None if tag.is_private else dataset[tag]
        except Exception:  # noqa: BLE001 -- pydicom raises whatever a value runs it into; it is left out then
            yield tag, None


def _kept(element: DataElement) -> str | None:
    if (
        not element.keyword
        or element.tag in profile()
        or element.tag.group >= _FIRST_GRAPHIC_GROUP
        or element.VR not in _KEPT_KINDS
        or element.is_empty
    ):
        return None
    value = element.value
    text = "\\".join(str(part) for part in value) if isinstance(value, MultiValue) else str(value)
    return text.strip() if len(text) <= _LONGEST and text.isprintable() else None
