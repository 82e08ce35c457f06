"""Windows by the formulas of the standard, PS3.3 C.11.2.1.2, and its examples."""

from __future__ import annotations

import numpy as np
import pytest

from podium.platform.viewing.label_colours import colour_of, written
from podium.platform.viewing.windowing import PRESETS, Window, brightness


def linear(value: float, center: float, width: float) -> float:
    """C.11.2.1.2.1, word for word."""
    if value <= center - 0.5 - (width - 1) / 2:
        return 0
    if value > center - 0.5 + (width - 1) / 2:
        return 255
    return ((value - (center - 0.5)) / (width - 1) + 0.5) * 255


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32])
@pytest.mark.parametrize("window", [Window(0, 100), Window(0, 1), Window(40, 80), Window(100.5, 33), Window(0, 4096)])
def test_whole_numbers_go_by_the_standard_s_function(kind: type[np.generic], window: Window):
    values = np.arange(-128 if np.dtype(kind).kind == "i" else 0, 128).astype(kind)
    expected = [linear(float(value), window.center, window.width) for value in values]
    np.testing.assert_allclose(brightness(values, window), np.rint(expected), atol=1)
    assert brightness(values, window).dtype == np.uint8


def test_the_standard_s_examples():
    # "Center 2048, width 4096" and "center 2048, width 1" of C.11.2.1.2.1, scaled to eight bits.
    values = np.array([-1, 0, 2047, 2048, 4095], np.int16)
    assert brightness(values, Window(2048, 4096)).tolist() == [0, 0, 127, 128, 255]
    assert brightness(values, Window(2048, 1)).tolist() == [0, 0, 0, 255, 255]
    assert brightness(np.array([-50, -1, 0, 49], np.int16), Window(0, 100)).tolist() == [0, 126, 129, 255]


def test_fractions_go_by_the_exact_function():
    values = np.array([-1, 0.25, 0.5, 0.75, 2, np.nan, np.inf, -np.inf], np.float32)
    assert brightness(values, Window(0.5, 0.5)).tolist() == [0, 0, 128, 255, 255, 0, 255, 0]
    assert brightness(np.array([0.5]), Window(0.5, 0)).tolist() == [128]


def test_presets_are_those_of_radiologists():
    assert PRESETS["lung"] == Window(-600, 1500)
    assert set(PRESETS) == {"brain", "lung", "bone", "abdomen"}


def test_labels_have_colours_of_their_own():
    colours = [colour_of(label) for label in range(1, 65)]
    assert len(set(colours)) == 64
    apart = min(
        sum(abs(one - other) for one, other in zip(first, second, strict=True))
        for place, first in enumerate(colours[:20])
        for second in colours[:place]
    )
    assert apart > 80
    assert written(colour_of(1)) == "#e69f00"
    assert colour_of(-1) != colour_of(1)
