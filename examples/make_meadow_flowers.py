"""Makes the data and the logo of the example competition, always the same; needs Python alone.

    python examples/make_meadow_flowers.py

The flowers are made up. Each species has a typical plant, plants differ from it at random, and two of the species
are easily mistaken for each other: a good model is right on about nine plants in ten, and a perfect one does not exist.
"""

from __future__ import annotations

import csv
import random
import struct
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "meadow-flowers"
MEASUREMENTS = ("stem_cm", "leaf_mm", "petal_mm", "bloom_day")
# Typical plant, and how much plants differ from it.
SPECIES = {
    "cornflower": ((52, 9, 20, 174), (8, 2.0, 2.6, 9)),
    "field_scabious": ((60, 12, 16, 188), (9, 2.4, 2.6, 10)),
    "oxeye_daisy": ((44, 15, 25, 162), (8, 2.6, 3.0, 9)),
}
TRAINING, EXAMINATION = 240, 120

Flower = tuple[str, tuple[float, ...]]
Colour = tuple[int, int, int]

BLUE: Colour = (63, 94, 192)
DARK: Colour = (30, 48, 110)
GREEN: Colour = (86, 140, 84)
SKY: Colour = (239, 244, 252)


def grow(count: int, chance: random.Random) -> list[Flower]:
    """Flowers of all species, in random order."""
    flowers = []
    for _ in range(count):
        species = chance.choice(list(SPECIES))
        typical, spread = SPECIES[species]
        flowers.append((species, tuple(round(chance.gauss(*pair), 1) for pair in zip(typical, spread, strict=True))))
    return flowers


def write_table(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file."""
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def by_petals_alone(measured: Sequence[float]) -> str:
    """The rule behind the example of a result submission: it looks at the petals, and at nothing else."""
    petal = measured[2]
    return "oxeye_daisy" if petal > 22.5 else "cornflower" if petal > 18 else "field_scabious"


def logo_pixel(x: float, y: float) -> Colour:
    """The logo's colour at a point; both coordinates go from -1 to 1, upwards."""
    blossom_y = y - 0.25
    radius = (x * x + blossom_y * blossom_y) ** 0.5
    if radius < 0.19:
        return DARK
    # Eight petals: round ones, around the centre.
    for turn in range(8):
        across, along = _turned(x, blossom_y, turn)
        if (across / 0.13) ** 2 + ((along - 0.36) / 0.22) ** 2 < 1:
            return BLUE
    if abs(x - 0.06 * y) < 0.035 and -0.95 < y < 0.25:
        return GREEN
    leaf_across, leaf_along = x + y + 0.62, x - y - 0.86
    if (leaf_across / 0.16) ** 2 + (leaf_along / 0.42) ** 2 < 1:
        return GREEN
    return SKY


def _turned(x: float, y: float, eighths: int) -> tuple[float, float]:
    half = 0.5**0.5
    for _ in range(eighths):
        x, y = half * (x - y), half * (x + y)
    return x, y


def write_logo(name: str, *, size: int = 192, finer: int = 3) -> None:
    """Draw the logo as a PNG; each pixel is the mean of several points."""
    rows = bytearray()
    steps = [(index + 0.5) / (size * finer) * 2 - 1 for index in range(size * finer)]
    for row in range(size):
        rows.append(0)
        for column in range(size):
            points = [
                logo_pixel(x, -y)
                for y in steps[row * finer : (row + 1) * finer]
                for x in steps[column * finer : (column + 1) * finer]
            ]
            rows += bytes(sum(point[channel] for point in points) // len(points) for channel in range(3))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def main() -> None:
    """Make everything."""
    chance = random.Random("meadow")  # noqa: S311  flowers, not secrets
    training, examination = grow(TRAINING, chance), grow(EXAMINATION, chance)
    write_table(
        "bundle/input_data/training.csv",
        (*MEASUREMENTS, "species"),
        [(*measured, species) for species, measured in training],
    )
    write_table("bundle/input_data/flowers.csv", MEASUREMENTS, [measured for _, measured in examination])
    write_table("bundle/reference_data/species.csv", ("species",), [(species,) for species, _ in examination])
    write_table(
        "submissions/predictions/predictions.csv",
        ("species",),
        [(by_petals_alone(measured),) for _, measured in examination],
    )
    write_logo("bundle/logo.png")


if __name__ == "__main__":
    main()
