"""How images of the database can be looked at, by what is known of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from podium.platform.images.metadata import ImageType, plain_grid
from podium.platform.models import Image
from podium.platform.records.slices import SegmentRecord
from podium.platform.viewing.image_rows import image_views, viewed
from podium.platform.viewing.windowing import Window

PLAIN = list(plain_grid((1, 1, 1)).direction)


def row(size: tuple[int, ...] = (5, 4, 3), *, flag: str = "", **changes: Any) -> Image:
    count = len(size)
    grid = {
        "size": list(size),
        "spacing": [0.5, 0.5, 2.0, 1.0][:count],
        "origin": [-10.0, 0.0, 0.0, 0.0][:count],
        "direction": list(plain_grid(size).direction),
    }
    values: dict[str, Any] = {
        "id": UUID(int=1),
        "type": ImageType.MHD,
        "content": "content/x",
        "sha256": "0" * 64,
        "voxel_width_mm": 0.5,
        "window_center": None,
        "window_width": None,
        "segments": None,
        "value_type": "int16",
        "channels": 1,
        "low": 0.0,
        "high": 59.0,
        "grid": grid | {name: changes.pop(name) for name in ("origin", "direction") if name in changes},
        "flags": [{"kind": flag, "detail": "x"}] if flag else [],
        "attributes": {},
    }
    return Image(**values | changes)


@pytest.mark.parametrize(
    ("image", "is_placed"),
    [
        (row(), True),
        (row(origin=[0, 0, 0]), False),  # as formats have it where nobody has said anything
        (row(origin=[0, 0, 0], attributes={"Modality": "CT"}), True),
        (row((5, 4, 1), origin=[0, 0, 0], attributes={"Modality": "CR"}), False),  # a radiograph
        (row(origin=[0, 0, 0], direction=[-1, 0, 0, 0, -1, 0, 0, 0, 1]), True),
        (row(flag="no_positions"), False),
        (row(flag="spacing_unknown"), False),
        (row(flag="inverted"), True),
        (row((5, 4)), False),
    ],
)
def test_letters_stand_only_where_something_says_how_an_image_lies(image: Image, is_placed: bool):  # noqa: FBT001
    assert viewed(image).is_placed is is_placed
    assert bool(image_views(image).views[0].left) is is_placed


def test_windows_of_a_ct_are_offered_for_what_may_be_one():
    def names(**changes: Any) -> list[str]:
        return [window.name for window in image_views(row(**changes)).windows]

    assert names() == []
    assert names(window_center=40.0, window_width=400.0) == ["suggested"]
    assert names(attributes={"Modality": "CT"}) == ["brain", "lung", "bone", "abdomen"]
    assert names(low=-1024.0) == ["brain", "lung", "bone", "abdomen"]
    assert names(window_center=40.0, window_width=0.0) == []
    colours = image_views(row((5, 4), channels=3, value_type="uint8", window_center=40.0, window_width=400.0))
    assert (colours.windows, colours.is_colour, colours.is_labels) == ((), True, False)


def test_labels_are_shown_from_the_least_to_the_largest_and_0_is_none():
    one = row(segments=[0, 1, 5], value_type="uint8")
    assert viewed(one).labels == (0, 1, 5)
    views = image_views(one)
    assert views.segments == (SegmentRecord(1, "#e69f00"), SegmentRecord(5, "#d55e00"))
    assert views.is_labels
    opened = viewed(one).opened(None, _Unpacked())  # type: ignore[arg-type]
    assert opened.auto == Window(2.5, 5)
    masks = viewed(row((5, 4, 3, 2), segments=[1, 2], value_type="uint8"))
    assert masks.is_masks
    assert masks.opened(None, _Unpacked()).auto == Window(5, 10)  # type: ignore[arg-type]


class _Unpacked:
    low, high = 0.0, 10.0
