"""What lies on a disk becomes the zip that Podium takes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from podium.platform.client.packing import packed_bundle, packed_submission
from podium.platform.client.progress import Progress, Step, silent
from podium.platform.errors import InvalidInput


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "my bundle"
    for name in ("competition.yaml", "program/score.py", ".git/config", ".DS_Store", "__MACOSX/x", "program/.DS_Store"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    (root / "empty").mkdir()
    (root / "program" / "score.py").chmod(0o755)
    return root


def test_a_folder_is_packed_without_what_systems_put_there(folder: Path):
    with packed_bundle(folder, silent) as parcel:
        assert parcel.name == "my bundle.zip"
        assert sorted(names(parcel.path)) == ["competition.yaml", "empty/", "program/score.py"]
        path = parcel.path
    assert not path.exists()


def test_the_same_folder_is_the_same_zip(folder: Path):
    with packed_bundle(folder, silent) as parcel:
        first = parcel.path.read_bytes()
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    with packed_bundle(folder, silent) as parcel:
        assert parcel.path.read_bytes() == first


def test_a_zip_stays_what_it_is(tmp_path: Path):
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("predictions.csv", "1")
    for packed in (packed_submission, packed_bundle):
        with packed(path, silent) as parcel:
            assert parcel.path == path
    assert path.exists()


def test_a_file_that_is_only_called_a_zip_is_refused(tmp_path: Path):
    broken = tmp_path / "results.zip"
    broken.write_bytes(b"PK\x03\x04 and then the upload broke off")

    with pytest.raises(InvalidInput, match="called a zip but is none"), packed_submission(broken, silent):
        pass


def test_a_file_that_is_no_zip_is_put_into_one(tmp_path: Path):
    path = tmp_path / "predictions.csv"
    path.write_text("1,2", encoding="utf-8")
    told: list[Progress] = []
    with packed_submission(path, told.append) as parcel:
        assert parcel.name == "predictions.csv.zip"
        assert names(parcel.path) == ["predictions.csv"]
    assert told[0] == Progress(Step.PACKING, "predictions.csv.zip", 0, 3)
    assert told[-1].done == 3


def test_the_present_folder_has_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    with packed_submission(Path(), silent) as parcel:
        assert parcel.name == "my bundle.zip"


def test_a_bundle_is_a_folder_or_a_zip(tmp_path: Path):
    path = tmp_path / "competition.yaml"
    path.touch()
    with pytest.raises(InvalidInput, match="neither a folder nor a zip"), packed_bundle(path, silent):
        pass


def test_nothing_there_is_said(tmp_path: Path):
    with pytest.raises(InvalidInput, match="no file or folder"), packed_submission(tmp_path / "x", silent):
        pass
    with pytest.raises(InvalidInput, match="has no files"), packed_submission(tmp_path, silent):
        pass


def test_a_link_to_a_file_is_packed_as_the_file(tmp_path: Path):
    (tmp_path / "data.csv").write_text("1", encoding="utf-8")
    root = tmp_path / "submission"
    root.mkdir()
    (root / "link.csv").symlink_to(tmp_path / "data.csv")
    with packed_submission(root, silent) as parcel:
        assert names(parcel.path) == ["link.csv"]


def test_a_link_to_a_folder_is_refused(tmp_path: Path):
    root = tmp_path / "submission"
    root.mkdir()
    (root / "again").symlink_to(root)
    with pytest.raises(InvalidInput, match="link to a folder"), packed_submission(root, silent):
        pass


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="no regular file"), packed_submission(tmp_path, silent):
        pass
    with pytest.raises(InvalidInput, match="neither a file nor a folder"), packed_submission(tmp_path / "pipe", silent):
        pass


def test_a_name_that_no_zip_holds_is_refused(tmp_path: Path):
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(InvalidInput, match="not UTF-8"), packed_submission(tmp_path, silent):
        pass


def test_a_file_that_is_a_zip_inside_is_one_file(tmp_path: Path):
    path = tmp_path / "arrays.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mean.npy", "x")
    with packed_submission(path, silent) as parcel, zipfile.ZipFile(parcel.path) as sent:
        assert (parcel.name, sent.namelist()) == ("arrays.npz.zip", ["arrays.npz"])
