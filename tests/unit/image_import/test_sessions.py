"""What a session's flow says beside the files: what they are called, which only hold others, which are done."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import dataset, ramp, write, write_series

from podium.platform.images import session
from podium.platform.images.report import ImportReport


@pytest.fixture
def act(tmp_path: Path, uploads: Path, imported: Any) -> Any:  # only for its processes
    def act(**more: Any) -> ImportReport:
        return session.import_files(uploads, tmp_path / "made", **more)

    return act


@pytest.fixture
def volume(tmp_path: Path) -> bytes:
    path = tmp_path / "volume.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)), str(path))
    return path.read_bytes()


def paths(report: ImportReport) -> list[str]:
    return [source.path for made in report.images for source in made.image.sources]


def test_files_are_called_what_is_said(uploads: Path, act: Any, volume: bytes):
    (uploads / "0").write_bytes(volume)
    (uploads / "1").write_bytes(b"no image")
    report = act(names={"0": "a/ä brain.mha", "1": "a"})
    assert paths(report) == ["a/ä brain.mha"]
    assert report.images[0].image.metadata.name == "ä brain.mha"
    assert [file.path for file in report.rejected] == ["a"]


def test_of_a_pack_only_what_is_in_it_is_told(uploads: Path, act: Any, volume: bytes):
    with zipfile.ZipFile(uploads / "0", "w") as pack:
        pack.writestr("scan/a.mha", volume)
        inner = uploads.parent / "inner.zip"
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("b.mha", volume)
        pack.write(inner, "scan/more.zip")
    report = act(names={"0": "pack-1.zip"}, packs={"pack-1.zip"})
    assert sorted(paths(report)) == ["scan/a.mha", "scan/more.zip/b.mha"]
    assert [file.path for file in report.ignored] == ["scan/more.zip"]


def test_what_came_later_takes_the_place_of_what_came_before(uploads: Path, act: Any, volume: bytes):
    for name, members in {
        "0": {"a.mha": b"cut off", "b.zip": b"PK\x03\x04 cut off", "c.mha": volume},
        "1": {"a.mha": volume, "b.zip": b"not even that"},
    }.items():
        with zipfile.ZipFile(uploads / name, "w") as pack:
            for path, content in members.items():
                pack.writestr(path, content)
    report = act(names={"0": "pack-2.zip", "1": "pack-1.zip"}, packs={"pack-1.zip", "pack-2.zip"}, done={"c.mha"})
    assert paths(report) == ["a.mha"]
    assert [(file.path, file.size) for file in report.rejected] == [("b.zip", len(b"not even that"))]


def test_a_pack_that_is_none_is_rejected(uploads: Path, act: Any):
    (uploads / "0").write_bytes(b"PK\x03\x04 cut off")
    report = act(names={"0": "pack-1.zip"}, packs={"pack-1.zip"})
    assert [(file.path, file.reason.value) for file in report.rejected] == [("pack-1.zip", "archive_refused")]


def test_what_is_done_is_left_aside(uploads: Path, act: Any, volume: bytes):
    with zipfile.ZipFile(uploads / "0", "w") as archive:
        archive.writestr("a.mha", volume)
        archive.writestr("b.mha", volume)
        archive.writestr("c.txt", "no image")
    report = act(names={"0": "x.zip"}, done={"x.zip/a.mha"})
    assert paths(report) == ["x.zip/b.mha"]
    assert [file.path for file in report.rejected] == ["x.zip/c.txt"]


def test_a_slice_that_comes_late_is_not_an_image_of_its_own(uploads: Path, act: Any):
    write_series(uploads, [0, 1, 2, 3])
    every = {file.name: file.name for file in sorted(uploads.iterdir())}
    late = list(every)[-1]
    report = act(names=every, done=set(every) - {late})
    assert paths(report) == []
    assert [(file.path, file.reason.value) for file in report.rejected] == [(late, "late_slice")]
    assert "another session" in report.rejected[0].remedy


def test_what_was_refused_of_a_series_is_refused_for_the_same_when_it_is_tried_again(uploads: Path, act: Any):
    write_series(uploads, [0, 1, 2])
    write(uploads / "small.dcm", dataset(ramp(3)[:-1], ImagePositionPatient=[0, 0, 3]))
    every = {file.name: file.name for file in sorted(uploads.iterdir())}
    report = act(names=every, done=set(every) - {"small.dcm"})
    assert [(file.path, file.reason.value) for file in report.rejected] == [("small.dcm", "mixed_sizes")]


def test_another_image_of_a_series_can_be_made_later(uploads: Path, act: Any):
    write_series(uploads, [0, 1, 2])
    for number in range(3):
        across = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "ImagePositionPatient": [-number, 0, 0]}
        write(uploads / f"across-{number}.dcm", dataset(ramp(number), **across))
    every = {file.name: file.name for file in sorted(uploads.iterdir())}
    report = act(names=every, done={name for name in every if not name.startswith("across")})
    assert paths(report) == ["across-0.dcm", "across-1.dcm", "across-2.dcm"]
    assert report.rejected == ()


def test_a_header_that_comes_late_finds_its_data_file(uploads: Path, act: Any):
    first = "ObjectType = Image\nNDims = 2\nDimSize = 3 2\nElementType = MET_UCHAR\nElementDataFile = data.raw\n"
    (uploads / "first.mhd").write_text(first)
    (uploads / "second.mhd").write_text(first.replace("3 2", "2 3"))
    (uploads / "data.raw").write_bytes(bytes(range(6)))
    names = {name: name for name in ("first.mhd", "second.mhd", "data.raw")}
    report = act(names=names, done={"first.mhd", "data.raw"})
    assert paths(report) == ["second.mhd", "data.raw"]
    assert report.rejected == ()
