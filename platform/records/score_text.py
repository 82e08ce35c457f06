"""Scores as they are written wherever people read them: pure."""

from __future__ import annotations

import math

MISSING = "\N{EN DASH}"
"""What stands where nothing is."""

_HUGE = 1e9


def score_text(value: float | None, precision: int) -> str:
    """A score with its column's digits.

    A score that those digits would show as zero, or that has no end of them, is written in scientific notation.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    digits = max(precision, 0)
    text = f"{value:.{digits}f}"
    if (value != 0 and float(text) == 0) or abs(value) >= _HUGE:
        return f"{value:.{max(digits, 1)}e}"
    return text.removeprefix("-") if float(text) == 0 else text
