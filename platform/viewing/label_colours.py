"""A colour for each label of a segmentation: the same in every picture, and told apart by most eyes. Pure."""

from __future__ import annotations

import colorsys

Colour = tuple[int, int, int]
# Okabe and Ito's, which the colour-blind tell apart too, without the black, which nobody sees on an image.
_FIRST: tuple[Colour, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
    (0, 114, 178),
)
_TURN = 0.618033988749895
"""Of the circle of hues, from one label to the next: no two come near each other for long."""
_BEGINNING = 0.85
"""Far from the first ones."""
_KINDS = ((0.9, 1.0), (0.9, 0.55), (0.4, 0.95))
"""Saturation and brightness, in turn."""


def colour_of(label: int) -> Colour:
    """The colour of a label that is not 0."""
    place = abs(label) - 1
    if 0 <= place < len(_FIRST) and label > 0:
        return _FIRST[place]
    saturation, brightness = _KINDS[place % len(_KINDS)]
    hue = (_BEGINNING + place * _TURN + (0.5 if label < 0 else 0.0)) % 1.0
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, brightness)
    return round(red * 255), round(green * 255), round(blue * 255)


def written(colour: Colour) -> str:
    """A colour as CSS has it, such as `#e69f00`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
