"""A slice of an image as a figure: with letters that say which way it lies, and the colours of what is over it."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from podium.dashboards.markup import Html, element, text, unseen
from podium.platform.client.slices import SlicePicture
from podium.platform.records.slices import SegmentRecord, ViewRecord

_SIDES = {
    "R": "right",
    "L": "left",
    "A": "front",
    "P": "back",
    "S": "head",
    "I": "feet",
}
TIMES = "\u00d7"
"""Between lengths, and between a count and what is counted."""
_SHARP_BELOW = 300
_WIDTH_AT = slice(16, 20)  # in a PNG, after its signature and the head of its first chunk


def slice_figure(picture: SlicePicture, view: ViewRecord, words: str) -> Html:
    """A slice, with what lies on each side of it.

    Args:
        words: What is shown, such as `Axial slice 12 of 30`.
    """
    letters = [
        element("span", text(letter), class_=f"letter {side}", aria_hidden="true")
        for side, letter in zip(("left", "right", "top", "bottom"), _letters(view), strict=True)
        if letter
    ]
    width = int.from_bytes(picture.content[_WIDTH_AT])
    image = element(
        "img",
        src=f"data:image/png;base64,{base64.b64encode(picture.content).decode('ascii')}",
        alt=f"{words}{_lies(view)}",
        class_="sharp" if width < _SHARP_BELOW else None,
    )
    frame = element("div", Html(image.removesuffix("</img>")), *letters, class_="frame")
    return element("figure", frame, element("figcaption", text(_caption(picture, words))), class_="podium-slice")


def empty_figure(words: str) -> Html:
    """The frame of a slice that can't be shown, with why."""
    return element(
        "figure", element("div", element("p", text(words)), class_="frame", role="status"), class_="podium-slice"
    )


def legend(segments: Iterable[SegmentRecord], present: Iterable[SegmentRecord]) -> Html:
    """The colours of labels; those that are in the slices shown stand out."""
    here = {segment.label for segment in present}
    known = {segment.label: segment for segment in (*segments, *present)}
    items = [
        element(
            "li",
            element("span", class_="swatch", style=f"background:{segment.colour}", aria_hidden="true"),
            text(f"Label {label}"),
            unseen(" is in this slice") if label in here else "",
            class_="here" if label in here else None,
        )
        for label, segment in sorted(known.items())
    ]
    return element("ul", *items, class_="podium-labels", aria_label="Legend") if items else Html("")


def _letters(view: ViewRecord) -> tuple[str, str, str, str]:
    return view.left, view.right, view.top, view.bottom


def _lies(view: ViewRecord) -> str:
    if not view.left:
        return ""
    return f"; {_SIDES.get(view.left, view.left)} on the left, {_SIDES.get(view.top, view.top)} at the top"


def _caption(picture: SlicePicture, words: str) -> str:
    if picture.window is None:
        return words
    return f"{words}; level {number_text(picture.window.center)}, width {number_text(picture.window.width)}"


def number_text(number: float) -> str:
    """A value of a voxel, or a length, as short as it may be read."""
    return f"{number:,.0f}" if number == round(number) and abs(number) < 1e9 else f"{number:.4g}"
