"""What was unpacked is brought into the shape that its protocol expects."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from podium.platform.archives import ArchiveLimits, ArchiveRefused, extract_archive
from podium.platform.bundles.content import Protocol
from podium.tasks.arrangement import arrange

RUN = "command: python run.py"
Files = Mapping[str, str | bytes]


def zip_of(files: Files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def unpacked(tmp_path: Path, files: Files) -> Path:
    archive, folder = tmp_path / "submission.zip", tmp_path / "submission"
    archive.write_bytes(zip_of(files))
    folder.mkdir()
    extract_archive(archive, folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("protocol", Protocol)
def test_a_program_one_folder_too_deep_is_moved_up(tmp_path: Path, protocol: Protocol) -> None:
    files = {
        "my code/metadata": RUN,
        "my code/run.py": "",
        "my code/my code/x": "1",
        "__MACOSX/my code/._run.py": "junk",
    }
    folder = unpacked(tmp_path, files)
    assert arrange(folder, protocol) == ["everything was in the folder 'my code', and is taken from there"]
    assert names(folder) == ["metadata", "my code/x", "run.py"]


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize(
    "files",
    [
        {"metadata": RUN, "run.py": ""},
        {"predictions/one.csv": "1"},
        {"predictions/one.csv": "1", "notes.txt": ""},
        {"a/metadata": RUN, "b/metadata": RUN},
        {"a/metadata": RUN, "notes.txt": ""},
        {"a/b/metadata": RUN},
        {"metadata": ""},
        {},
    ],
)
def test_everything_else_stays_as_it_is(tmp_path: Path, protocol: Protocol, files: Files) -> None:
    folder = unpacked(tmp_path, files)
    assert arrange(folder, protocol) == []
    assert names(folder) == sorted(files)


@pytest.mark.parametrize(("protocol", "moved"), [(Protocol.V1_5, True), (Protocol.V2, False)])
@pytest.mark.parametrize("metadata", ["description: a model", "just words", "command:"])
def test_metadata_without_a_command_is_a_sign_for_codalab_alone(
    tmp_path: Path,
    protocol: Protocol,
    moved: bool,  # noqa: FBT001
    metadata: str,
) -> None:
    folder = unpacked(tmp_path, {"model/metadata": metadata, "model/model.py": ""})
    arrange(folder, protocol)
    assert (folder / "metadata").is_file() is moved


def test_inner_zips_are_unpacked_for_codalab(tmp_path: Path) -> None:
    inner = zip_of({"a.txt": "1", "deep/b.zip": zip_of({"c": "2"})})
    folder = unpacked(tmp_path, {"data.zip": inner, "kept/other.zip": inner, "taken.zip": inner, "taken": "x"})
    assert arrange(folder, Protocol.V1_5) == [
        "'data.zip' was unpacked into the folder 'data'",
        "'taken.zip' was not unpacked: there is something else of the name 'taken'",
    ]
    assert names(folder) == ["data.zip", "data/a.txt", "data/deep/b.zip", "kept/other.zip", "taken", "taken.zip"]


def test_inner_zips_stay_for_codabench(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, {"data.zip": zip_of({"a.txt": "1"})})
    assert arrange(folder, Protocol.V2) == []
    assert names(folder) == ["data.zip"]


def test_a_program_in_a_folder_may_have_inner_zips(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, {"code/metadata": RUN, "code/weights.zip": zip_of({"w": "1"})})
    assert len(arrange(folder, Protocol.V1_5)) == 2
    assert names(folder) == ["metadata", "weights.zip", "weights/w"]


@pytest.mark.parametrize(
    "content",
    [b"no zip", zip_of({"../out": "x"}), zip_of({"zeros": b"\0" * (128 << 20)})],
    ids=["broken", "leads out", "bomb"],
)
def test_an_inner_zip_that_can_not_be_unpacked(tmp_path: Path, content: bytes) -> None:
    folder = unpacked(tmp_path, {"data.zip": content, "fine": "1"})
    with pytest.raises(ArchiveRefused, match=r"In 'data\.zip': "):
        arrange(folder, Protocol.V1_5)
    assert names(folder) == ["data.zip", "fine"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("limits", [ArchiveLimits(total_bytes=25), ArchiveLimits(members=3)])
def test_all_inner_zips_together_are_capped(tmp_path: Path, limits: ArchiveLimits) -> None:
    inner = zip_of({"a": "x" * 6, "b": "y" * 6})
    folder = unpacked(tmp_path, {"1.zip": inner})
    arrange(folder, Protocol.V1_5, limits)
    (folder / "2.zip").write_bytes(inner)
    (folder / "3.zip").write_bytes(inner)
    with pytest.raises(ArchiveRefused, match=r"In '[23]\.zip'"):
        arrange(unpacked_again(tmp_path, folder), Protocol.V1_5, limits)


def unpacked_again(tmp_path: Path, folder: Path) -> Path:
    again = tmp_path / "again"
    again.mkdir()
    for path in folder.glob("*.zip"):
        (again / path.name).write_bytes(path.read_bytes())
    return again
