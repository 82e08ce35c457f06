"""Vectors in space, as plain tuples of three numbers."""

from __future__ import annotations

import math

Vector = tuple[float, float, float]


def dot(one: Vector, other: Vector) -> float:
    """The scalar product."""
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def cross(one: Vector, other: Vector) -> Vector:
    """The vector product."""
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def norm(one: Vector) -> float:
    """The length."""
    return math.sqrt(dot(one, one))


def subtract(one: Vector, other: Vector) -> Vector:
    """The difference."""
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2])


def scaled(one: Vector, factor: float) -> Vector:
    """The vector, so many times as long."""
    return (one[0] * factor, one[1] * factor, one[2] * factor)
