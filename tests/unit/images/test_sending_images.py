"""What a participant's client does with an image, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from saved_images import SavedImage, file_entry, tar_of

from podium.platform.client.packing import packed_submission
from podium.platform.client.progress import silent
from podium.platform.image_layouts import ImageRefused


@pytest.mark.parametrize(("name", "sent"), [("image.tar", "image.tar"), ("a.tgz", "a.tgz"), ("saved", "saved.tar")])
def test_image_is_sent_as_it_is(tmp_path: Path, name: str, sent: str) -> None:
    path = SavedImage().write(tmp_path / name, packed=name.endswith("tgz"))
    before = path.read_bytes()
    with packed_submission(path, silent) as parcel:
        assert (parcel.path, parcel.name) == (path, sent)
    assert path.read_bytes() == before


def test_mistakes_are_told_all_together(tmp_path: Path) -> None:
    path = SavedImage(os="windows", command={}).write(tmp_path / "image.tar")
    with pytest.raises(ImageRefused, match=r"windows.*neither ENTRYPOINT nor CMD"), packed_submission(path, silent):
        pass


def test_tar_that_is_cut_off_is_not_packed_into_a_zip(tmp_path: Path) -> None:
    path = SavedImage().write(tmp_path / "image.tar")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ImageRefused, match="its end is missing"), packed_submission(path, silent):
        pass


def test_other_tars_are_packed_like_any_file(tmp_path: Path) -> None:
    (tmp_path / "results.tar").write_bytes(tar_of([file_entry("results.csv", b"1")]))
    with packed_submission(tmp_path / "results.tar", silent) as parcel:
        assert parcel.name == "results.tar.zip"
