"""Images as an import leaves them, unpacked for slices."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from podium.platform.errors import InvalidInput, TooLarge, TooManyRequests
from podium.platform.images.bricks import BrickedVoxels, layout_for, write_bricks
from podium.platform.images.child_work import answer_to
from podium.platform.images.job_kinds import Answer, Unpacked, UnpackJob
from podium.platform.images.limits import ImportLimits
from podium.platform.images.metadata import ImageType
from podium.platform.images.problems import Reason, Refusal
from podium.platform.viewing import unpacked_images
from podium.platform.viewing.unpacked_images import UnpackedImages, Wanted


def unpack(path: Path, kind: ImageType, *, side: int = 4096, **limits: Any) -> tuple[Unpacked | Refusal, Path]:
    target = path.with_suffix(".bricks")
    answer = answer_to(UnpackJob(str(path), kind, str(target), side, ImportLimits(**limits)))
    assert isinstance(answer, Unpacked | Refusal)
    return answer, target


@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
@pytest.mark.parametrize("packed", [True, False])
def test_volumes(kind: type[np.generic], *, packed: bool, tmp_path: Path):
    array = np.random.default_rng(1).integers(0, 100, (19, 70, 65)).astype(kind)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(tmp_path / "image.mha"), useCompression=packed)
    unpacked, target = unpack(tmp_path / "image.mha", ImageType.MHD)
    assert isinstance(unpacked, Unpacked)
    voxels = BrickedVoxels(target, unpacked.layout)
    for index in (0, 16, 18):
        np.testing.assert_array_equal(voxels.plane(2, index)[..., 0], array[index])
    assert (unpacked.low, unpacked.high) == tuple(np.percentile(array, (0.5, 99.5)))


def test_of_a_pyramid_the_level_that_is_large_enough(tmp_path: Path):
    levels = [np.full((side, side * 2, 3), side // 8, np.uint8) for side in (512, 256, 128, 64)]
    with tifffile.TiffWriter(tmp_path / "image.tif") as writer:
        for number, level in enumerate(levels):
            writer.write(level, tile=(64, 64), subfiletype=int(number > 0), photometric="rgb")
    unpacked, target = unpack(tmp_path / "image.tif", ImageType.TIFF, side=300)
    assert isinstance(unpacked, Unpacked)
    assert unpacked.layout.size == (512, 256, 1, 1)
    assert unpacked.low is None
    np.testing.assert_array_equal(BrickedVoxels(target, unpacked.layout).plane(2, 0), levels[1])


def test_what_is_damaged_or_too_large_is_refused(tmp_path: Path):
    path = tmp_path / "image.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.ones((8, 64, 64), np.int16)), str(path))
    refusal, _ = unpack(path, ImageType.MHD, file_bytes=1000)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TOO_LARGE
    path.write_bytes(path.read_bytes()[:-100])
    refusal, _ = unpack(path, ImageType.MHD)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TRUNCATED


def test_bricks_fill_images_with_little_to_spare():
    assert layout_for((65, 64, 17), 1, "uint8").brick == (33, 64, 9)
    assert layout_for((512, 512, 1000), 1, "int16").brick == (64, 64, 16)
    assert layout_for((20_000, 20_000, 30), 1, "uint16").brick[2] == 1
    for side in range(1, 300):
        assert layout_for((side, 1, 1), 1, "uint8").bytes < side + 5


def test_planes_are_counted():
    layout = layout_for((4, 4, 2), 1, "uint8")
    plane = np.zeros((4, 4), np.uint8)
    for count in (1, 3):
        with pytest.raises(ValueError, match="planes than there should be"):
            write_bricks(iter([plane] * count), layout, io.BytesIO())  # type: ignore[arg-type]


class _Store:
    """The one file that all keys lead to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fetched = 0

    @contextmanager
    def local_file(self, key: str) -> Iterator[Path]:
        self.fetched += 1
        yield self.path


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "image.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(8 * 16 * 16, dtype=np.int16).reshape(8, 16, 16)), str(path))
    return path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are done here, and not in a child process."""

    class Hands:
        def do(self, jobs: list[UnpackJob]) -> list[tuple[int, Answer | Refusal]]:
            return [(number, answer_to(job)) for number, job in enumerate(jobs)]

    @contextmanager
    def children(*_: object, **__: object) -> Iterator[Hands]:
        yield Hands()

    monkeypatch.setattr(unpacked_images, "children", children)


def wanted(name: str, slices: int = 8) -> Wanted:
    return Wanted(f"content/{name}", name * 64, ImageType.MHD, (16, 16, slices), 1, "int16")


def test_an_image_is_unpacked_once_by_a_child(volume: Path, tmp_path: Path):
    store = _Store(volume)
    images = UnpackedImages(tmp_path / "kept", most_bytes=1 << 20)
    for _ in range(2):
        voxels, unpacked = images.open(wanted("a"), store)  # type: ignore[arg-type]
        assert voxels.plane(0, 3)[5, 7, 0] == 5 * 256 + 7 * 16 + 3
        assert unpacked.layout.size == (16, 16, 8, 1)
    assert store.fetched == 1
    assert [place.name for place in (tmp_path / "kept").iterdir()] == ["a" * 64]
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_those_that_nobody_looks_at_go_first(here: None, volume: Path, tmp_path: Path):
    store = _Store(volume)
    images = UnpackedImages(tmp_path / "kept", most_bytes=10_000)
    images.open(wanted("a"), store)  # type: ignore[arg-type]
    time.sleep(0.02)
    first, _ = images.open(wanted("b"), store)  # type: ignore[arg-type]
    time.sleep(0.02)
    images.open(wanted("a"), store)  # type: ignore[arg-type]
    images.open(wanted("c"), store)  # type: ignore[arg-type]
    assert {place.name[0] for place in (tmp_path / "kept").iterdir()} == {"a", "c"}
    assert first.plane(2, 0)[0, 1, 0] == 1  # whoever looks at it still does
    with pytest.raises(TooLarge, match="10000 may be unpacked here"):
        images.open(wanted("d", slices=80), store)  # type: ignore[arg-type]


def test_what_can_t_be_unpacked_is_not_tried_all_the_time(here: None, volume: Path, tmp_path: Path):
    volume.write_bytes(volume.read_bytes()[:-100])
    store = _Store(volume)
    images = UnpackedImages(None, most_bytes=1 << 20)
    for _ in range(3):
        with pytest.raises(InvalidInput, match="can't be shown: It has"):
            images.open(wanted("a"), store)  # type: ignore[arg-type]
    assert store.fetched == 1
    images.close()


def test_a_child_that_lies_is_not_believed(here: None, volume: Path, tmp_path: Path):
    images = UnpackedImages(tmp_path / "kept", most_bytes=1 << 20)
    with pytest.raises(InvalidInput, match="not what was imported"):
        images.open(wanted("a", slices=9), _Store(volume))  # type: ignore[arg-type]
    slide = Wanted("content/a", "a" * 64, ImageType.TIFF, (16, 16), 1, "uint8")
    assert slide.may_be(layout_for((8, 8), 3, "uint8"))
    assert not slide.may_be(layout_for((8, 8), 1, "object"))
    assert not slide.may_be(layout_for((8, 8), 7, "uint8"))
    assert not slide.may_be(layout_for((8, 8, 2), 1, "uint8"))


def test_who_comes_while_it_is_unpacked_waits_for_so_long_and_no_longer(here: None, volume: Path, tmp_path: Path):
    images = UnpackedImages(tmp_path / "kept", most_bytes=1 << 20, patience=0.05)
    with images._alone("a" * 64), pytest.raises(TooManyRequests, match="being unpacked") as refused:
        images.open(wanted("a"), _Store(volume))  # type: ignore[arg-type]
    assert refused.value.retry_after == 3
    images.open(wanted("a"), _Store(volume))  # type: ignore[arg-type]


def test_what_is_damaged_on_the_disk_is_made_anew(here: None, volume: Path, tmp_path: Path):
    store = _Store(volume)
    images = UnpackedImages(tmp_path / "kept", most_bytes=1 << 20)
    images.open(wanted("a"), store)  # type: ignore[arg-type]
    (tmp_path / "kept" / ("a" * 64) / "voxels").write_bytes(b"x")
    voxels, _ = images.open(wanted("a"), store)  # type: ignore[arg-type]
    assert voxels.plane(2, 7)[15, 15, 0] == 2047
    assert store.fetched == 2
