"""A bundle's files are the same from a zip and from a folder."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.platform.archives import ArchiveLimits, ArchiveRefused, extract_archive
from podium.platform.bundles.archive import open_bundle


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_zip_and_its_folder_have_the_same_files(make_bundle: Callable[..., Path], zipped: Callable[..., Path]):
    folder = make_bundle(files={"__MACOSX/._logo.png": "", ".DS_Store": ""})
    with open_bundle(folder) as left, open_bundle(zipped(folder)) as right:
        assert left.files == right.files
        assert left.folders == right.folders == {"pages", "scoring_program", "reference_data"}
        assert list(left.files) == sorted(left.files)
        assert left.read("terms.md", max_bytes=100) == right.read("terms.md", max_bytes=100) == b"Be fair."
        assert right.read("terms.md", max_bytes=2) == b"Be"
        assert left.is_folder("pages")
        assert not left.is_file("pages")


def test_a_folder_becomes_the_same_zip_wherever_it_came_from(
    make_bundle: Callable[..., Path], zipped: Callable[..., Path], tmp_path: Path
):
    folder = make_bundle(files={"scoring_program/lib/a.py": "a", "scoring_program/b.sh": "b"})
    (folder / "scoring_program/empty/inner").mkdir(parents=True)
    (folder / "scoring_program/b.sh").chmod(0o700)
    archive = zipped(folder)
    inside = zipped(folder, "parent/").rename(tmp_path / "parent.zip")
    zipped(folder)
    os.utime(folder / "scoring_program/score.py", (0, 0))
    (folder / "scoring_program/score.py").chmod(0o600)
    for number, source in enumerate((folder, archive)):
        with open_bundle(source) as files:
            files.write_folder_zip("scoring_program", tmp_path / f"{number}.zip")
    with open_bundle(inside) as files:
        size = files.rooted_at("parent").write_folder_zip("scoring_program", tmp_path / "2.zip")
    assert len({sha256(tmp_path / f"{number}.zip") for number in range(3)}) == 1
    assert size == (tmp_path / "2.zip").stat().st_size
    with zipfile.ZipFile(tmp_path / "0.zip") as made:
        assert made.namelist() == ["empty/inner/", "b.sh", "lib/a.py", "metadata.yaml", "score.py"]
        assert made.getinfo("b.sh").external_attr >> 16 == 0o100755
        assert made.getinfo("score.py").external_attr >> 16 == 0o100644
    (tmp_path / "out").mkdir()
    extract_archive(tmp_path / "0.zip", tmp_path / "out")
    assert os.access(tmp_path / "out/b.sh", os.X_OK)


def test_different_content_is_another_zip(make_bundle: Callable[..., Path], tmp_path: Path):
    for number in range(2):
        with open_bundle(make_bundle(files={"scoring_program/a": str(number)}, name=f"b{number}")) as files:
            files.write_folder_zip("scoring_program", tmp_path / f"{number}.zip")
    assert sha256(tmp_path / "0.zip") != sha256(tmp_path / "1.zip")


def test_files_are_copied_and_nothing_is_replaced(make_bundle: Callable[..., Path], tmp_path: Path):
    with open_bundle(make_bundle()) as files:
        assert files.copy_file("terms.md", tmp_path / "copy") == 8
        assert (tmp_path / "copy").read_text() == "Be fair."
        with pytest.raises(FileExistsError):
            files.copy_file("terms.md", tmp_path / "copy")


def test_a_failed_copy_leaves_nothing(make_bundle: Callable[..., Path], zipped: Callable[..., Path], tmp_path: Path):
    archive = zipped(make_bundle())
    data = bytearray(archive.read_bytes())
    data[data.index(b"Be fair.")] ^= 1
    data[data.index(b"print('scored')")] ^= 1
    archive.write_bytes(data)
    with open_bundle(archive) as files:
        with pytest.raises(ArchiveRefused, match="damaged"):
            files.copy_file("terms.md", tmp_path / "copy")
        with pytest.raises(ArchiveRefused, match="damaged"):
            files.write_folder_zip("scoring_program", tmp_path / "made.zip")
    assert not (tmp_path / "copy").exists()
    assert not (tmp_path / "made.zip").exists()


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("pages/overview.md", "pages/overview.md"),
        ("./pages//overview.md", "pages/overview.md"),
        ("pages/", "pages"),
        ("Pages", None),
        ("/pages", None),
        ("", None),
        (".", None),
        ("pages/../pages", None),
        ("caf\u00e9.md", "cafe\u0301.md"),
    ],
)
def test_paths_are_found_as_people_write_them(written: str, found: str | None, make_bundle: Callable[..., Path]):
    with open_bundle(make_bundle(files={"cafe\u0301.md": ""})) as files:
        assert files.find(written) == found


def test_links_in_a_folder_are_refused(make_bundle: Callable[..., Path]):
    folder = make_bundle()
    (folder / "pages/link").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    with pytest.raises(ArchiveRefused) as caught:
        open_bundle(folder)
    assert sorted(fault.message for fault in caught.value.faults) == [
        "'loop' is a symbolic link.",
        "'pages/link' is a symbolic link.",
        "'pipe' is neither a regular file nor a folder.",
    ]


def test_a_file_that_becomes_a_link_is_not_followed(make_bundle: Callable[..., Path]):
    folder = make_bundle()
    with open_bundle(folder) as files:
        (folder / "terms.md").unlink()
        (folder / "terms.md").symlink_to("/etc/passwd")
        with pytest.raises(OSError, match="symbolic"):
            files.read("terms.md", max_bytes=10)


def test_a_folder_has_the_limits_of_a_zip(make_bundle: Callable[..., Path]):
    folder = make_bundle(files={"a\\b": ""})
    for limits, reason in (
        (ArchiveLimits(members=5), "more than 5"),
        (ArchiveLimits(total_bytes=10), "more than 10 bytes"),
        (ArchiveLimits(), "backslash"),
    ):
        with pytest.raises(ArchiveRefused) as caught:
            open_bundle(folder, limits)
        assert any(reason in fault.message for fault in caught.value.faults)
