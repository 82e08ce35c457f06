"""Files of images as they are sent: small ones in packs, large ones alone, all by the paths that people know."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from podium.platform.client import image_packing
from podium.platform.client.image_packing import files_in, pieces_of
from podium.platform.client.progress import silent
from podium.platform.errors import InvalidInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "scan"
    for name, size in {"a/1.dcm": 10, "a/2.dcm": 20, "b/1.dcm": 30, "big.mha": 5000}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_packing, "ALONE_BYTES", 1000)


def sent(paths: list[Path]) -> dict[str, list[str]]:
    found = {}
    for piece in pieces_of(paths, silent):
        if piece.is_pack:
            with zipfile.ZipFile(piece.path) as archive:
                assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
                found[piece.shown] = archive.namelist()
        else:
            assert piece.path.stat().st_size
            found[piece.shown] = []
    return found


def test_small_files_are_packed_and_large_ones_sent_alone(folder: Path):
    found = sent([folder])
    (pack,) = (name for name in found if name.startswith("pack-"))
    assert found == {"scan/big.mha": [], pack: ["scan/a/1.dcm", "scan/a/2.dcm", "scan/b/1.dcm"]}


def test_the_same_files_make_the_same_pack(folder: Path):
    def digests() -> list[tuple[str, bytes]]:
        return [(piece.shown, piece.path.read_bytes()) for piece in pieces_of([folder], silent)]

    assert digests() == digests()


@pytest.mark.parametrize(("what", "most"), [("PACK_BYTES", 45), ("PACK_FILES", 2)])
def test_a_pack_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch, what: str, most: int):
    monkeypatch.setattr(image_packing, what, most)
    packs = [names for name, names in sent([folder / "a", folder / "b"]).items() if name.startswith("pack-")]
    # What is left over is one file, and sent alone.
    assert packs == [["a/1.dcm", "a/2.dcm"]]


def test_one_file_is_sent_as_it_is_unless_it_is_empty(folder: Path, tmp_path: Path):
    assert sent([folder / "a" / "1.dcm"]) == {"1.dcm": []}
    (tmp_path / "none.mha").write_bytes(b"")
    ((name, names),) = sent([tmp_path / "none.mha"]).items()
    assert (name.startswith("pack-"), names) == (True, ["none.mha"])


def test_two_of_one_name_are_told_apart(folder: Path):
    shown = [file.shown for file in files_in([folder / "a" / "1.dcm", folder / "b" / "1.dcm"])]
    assert shown == ["1.dcm", "1.dcm (2)"]


def test_a_pack_is_gone_once_it_is_sent(folder: Path):
    paths = [piece.path for piece in pieces_of([folder], silent) if piece.is_pack]
    assert [path.exists() for path in paths] == [False]


def test_what_can_not_be_sent_is_said(folder: Path, tmp_path: Path):
    with pytest.raises(InvalidInput, match="There is no file or folder"):
        list(pieces_of([tmp_path / "nothing"], silent))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="There are no files in"):
        list(pieces_of([tmp_path / "empty"], silent))
    (folder / "link").symlink_to(folder / "a")
    with pytest.raises(InvalidInput, match="is a link to a folder"):
        list(pieces_of([folder], silent))
    (folder / "link").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidInput, match="is no regular file"):
        list(pieces_of([folder], silent))
