"""Seconds and memory of looking at an image: unpacking it once, and then slices along its three axes.

    .venv/bin/python benchmarks/slices.py [--slices 1000] [--each 20]

The CT is synthetic, of 512 x 512 pixels of 16 bits with noise in a body, and packed as imports keep images. A child
process unpacks it, as for the gateway. Slices are drawn as PNG in this process, at places spread over each
axis, first alone and then with a segmentation over them. Memory is what this process holds of its own; the pages of the
file that it has mapped are the system's, which takes them back when it needs them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import SimpleITK as sitk

from podium.platform.images.metadata import ImageType, plain_grid
from podium.platform.storage import Storage
from podium.platform.viewing.orientation import VoxelAxis
from podium.platform.viewing.slices import Cut, OpenImage, Overlay, draw
from podium.platform.viewing.unpacked_images import UnpackedImages, Wanted
from podium.platform.viewing.windowing import Window

MB = 1_000_000
SIZE = 512


class Folder:
    """A store of which a key is a path."""

    @contextmanager
    def local_file(self, key: str) -> Iterator[Path]:
        yield Path(key)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--each", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_ct(work / "ct.mha", work / "labels.mha", arguments.slices)
        images = UnpackedImages(work / "kept", most_bytes=20 << 30)
        ct = unpack(images, work / "ct.mha", "a", "int16", arguments.slices)
        labels = unpack(images, work / "labels.mha", "b", "uint8", arguments.slices)
        before = own_memory()
        for words, over in (("alone", None), ("with labels", Overlay(labels, 0.5))):
            for axis in VoxelAxis:
                count = ct.grid.size[axis.number]
                draw_some(words, ct, axis, np.linspace(0, count - 1, arguments.each).astype(int), over)
        print(f"own memory {before / MB:.0f} MB before, {own_memory() / MB:.0f} MB after")
    return 0


def unpack(images: UnpackedImages, path: Path, name: str, kind: str, slices: int) -> OpenImage:
    size = (SIZE, SIZE, slices)
    began = time.perf_counter()
    voxels, unpacked = images.open(
        Wanted(str(path), name * 64, ImageType.MHD, size, 1, kind), cast("Storage", Folder())
    )
    seconds = time.perf_counter() - began
    print(f"{path.name}: {unpacked.layout.bytes / MB:.0f} MB unpacked in {seconds:.2f} s")
    return OpenImage(voxels, plain_grid(size, (0.7, 0.7, 1.0)), is_placed=True, suggested=Window(40, 400))


def draw_some(words: str, image: OpenImage, axis: VoxelAxis, places: Any, over: Overlay | None) -> None:
    times, sizes = [], []
    for index in places:
        began = time.perf_counter()
        picture = draw(image, Cut(axis, int(index)), over)
        times.append((time.perf_counter() - began) * 1000)
        sizes.append(len(picture.content))
    print(
        f"{words}, across {axis}: {statistics.median(times):.1f} ms, at most {max(times):.1f} ms, "
        f"PNG of {statistics.median(sizes) / 1000:.0f} kB"
    )


def own_memory() -> int:
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))


def make_ct(ct: Path, labels: Path, slices: int) -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    inside = x**2 + (1.4 * y) ** 2 < 220**2
    voxels = np.empty((slices, SIZE, SIZE), np.int16)
    for plane in voxels:
        plane[:] = np.where(inside, 40, -1000) + rng.normal(0, 12, inside.shape)
    write(voxels, ct)
    organs = np.zeros(voxels.shape, np.uint8)
    organs[:, 200:300, 150:250], organs[:, 220:280, 300:380] = 1, 2
    write(organs, labels)


def write(voxels: Any, path: Path) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.7, 0.7, 1.0))
    sitk.WriteImage(image, str(path), useCompression=True)


if __name__ == "__main__":
    raise SystemExit(main())
