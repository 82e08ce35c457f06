"""Archives are unpacked under caps, one in another; what is unsafe is refused, and the rest of the session is not."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_files import dataset, ramp, volume, write

from podium.platform.archive_rules import ArchiveLimits


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    path = tmp_path / "image.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)), str(path))
    return path.read_bytes()


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def tarred(members: dict[str, bytes | tarfile.TarInfo], mode: str = "w") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("mode", ["zip", "tar", "tar.gz"])
def test_what_is_in_an_archive_is_imported(mode: str, image: bytes, uploads: Path, imported: Callable[..., Any]):
    members = {"deep/er/ä.mha": image, "notes.txt": b"hello"}
    content = zipped(members) if mode == "zip" else tarred(members, "w:gz" if mode == "tar.gz" else "w")
    (uploads / "archive.bin").write_bytes(content)
    made = imported()
    assert [source.path for source in made.only.sources] == ["archive.bin/deep/er/ä.mha"]
    assert made.reasons == {"archive.bin/notes.txt": "not_an_image"}
    assert [(file.path, file.why) for file in made.report.ignored] == [("archive.bin", "archive of 2 files")]


def test_archives_in_archives_and_the_same_name_ten_times(image: bytes, uploads: Path, imported: Callable[..., Any]):
    inner = {f"{number}.zip": zipped({"same.mha": image}) for number in range(10)}
    (uploads / "a.zip").write_bytes(zipped(inner))
    (uploads / "b.tar").write_bytes(tarred({"same.mha": image, "./same.mha": image}))
    made = imported()
    assert len(made.images) == 12
    assert made.report.rejected == ()


def test_a_series_in_two_archives_is_one_volume(uploads: Path, tmp_path: Path, imported: Callable[..., Any]):
    files = []
    for number in range(4):
        path = write(tmp_path / "d" / str(number), dataset(ramp(number), ImagePositionPatient=[0, 0, number]))
        files.append(path.read_bytes())
    (uploads / "a.zip").write_bytes(zipped({"1": files[0], "2": files[2]}))
    (uploads / "b.tar.gz").write_bytes(tarred({"1": files[1], "2": files[3]}, "w:gz"))
    assert np.array_equal(imported().voxels(), volume(4))


def test_a_header_finds_its_data_beside_it_in_an_archive(uploads: Path, tmp_path: Path, imported: Callable[..., Any]):
    sitk.WriteImage(sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)), str(tmp_path / "a.mhd"))
    members = {f"x/{name}": (tmp_path / name).read_bytes() for name in ("a.mhd", "a.raw")}
    (uploads / "a.zip").write_bytes(zipped(members))
    assert imported().voxels().reshape(-1).tolist() == list(range(24))


@pytest.mark.parametrize(
    "name", ["../up", "/absolute", "a/../../up", "C:/x", "back\\slash", "n" * 300, "/".join("d" * 60)]
)
@pytest.mark.parametrize("mode", ["zip", "tar"])
def test_names_that_lead_out_refuse_the_archive(
    name: str, mode: str, image: bytes, uploads: Path, imported: Callable[..., Any]
):
    members = {"good.mha": image, name: b"x"}
    (uploads / "a.bin").write_bytes(zipped(members) if mode == "zip" else tarred(members))
    (uploads / "good.mha").write_bytes(image)
    made = imported()
    assert made.reasons == {"a.bin": "archive_refused"}
    assert len(made.images) == 1
    assert sorted(path.name for path in uploads.parent.iterdir()) == ["image.mha", "made", "uploads"]


def test_links_and_devices_in_a_tar_are_rejected_one_by_one(image: bytes, uploads: Path, imported: Callable[..., Any]):
    members: dict[str, Any] = {
        "good.mha": image,
        "link": link("link", "/etc/passwd"),
        "hard": link("hard", "good.mha", tarfile.LNKTYPE),
        "pipe": link("pipe", "", tarfile.FIFOTYPE),
    }
    (uploads / "a.tar").write_bytes(tarred(members))
    made = imported()
    assert len(made.images) == 1
    assert made.reasons == dict.fromkeys(("a.tar/link", "a.tar/hard", "a.tar/pipe"), "unsafe_file")


def test_a_link_among_the_uploads_is_rejected(image: bytes, uploads: Path, imported: Callable[..., Any]):
    (uploads / "good.mha").write_bytes(image)
    (uploads / "link.mha").symlink_to(uploads / "good.mha")
    (uploads / "folder").symlink_to("/etc")
    made = imported()
    assert made.reasons == {"link.mha": "unsafe_file", "folder": "unsafe_file"}


@pytest.mark.parametrize("mode", ["zip", "tar.gz"])
def test_bombs_are_refused(mode: str, uploads: Path, imported: Callable[..., Any]):
    members = {"zeros": bytes(90 << 20)}
    (uploads / "bomb").write_bytes(zipped(members) if mode == "zip" else tarred(members, "w:gz"))
    made = imported()
    assert made.reasons == {"bomb": "archive_refused"}


def test_caps_hold_for_all_archives_of_a_session_together(image: bytes, uploads: Path, imported: Callable[..., Any]):
    for number in range(3):
        (uploads / f"{number}.zip").write_bytes(zipped({f"{name}.mha": image for name in range(3)}))
        (uploads / f"{number}.tar").write_bytes(tarred({f"{name}.mha": image for name in range(3)}))
    made = imported(archive=ArchiveLimits(members=7))
    assert len(made.images) == 6
    assert set(made.reasons.values()) == {"archive_refused"}
    assert len(made.reasons) == 4


def test_bytes_are_capped(image: bytes, uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.tar").write_bytes(tarred({"a.mha": image, "b": bytes(5000)}))
    (uploads / "b.zip").write_bytes(zipped({"a.mha": image}))
    made = imported(archive=ArchiveLimits(total_bytes=3000))
    assert made.reasons == {"a.tar": "archive_refused"}
    assert len(made.images) == 1


def test_depth_is_capped(image: bytes, uploads: Path, imported: Callable[..., Any]):
    content = zipped({"image.mha": image})
    for _ in range(4):
        content = zipped({"a.zip": content})
    (uploads / "a.zip").write_bytes(content)
    made = imported(archive_depth=3)
    assert made.reasons == {"a.zip/a.zip/a.zip/a.zip": "archive_refused"}


@pytest.mark.parametrize("mode", ["zip", "tar", "tar.gz"])
def test_a_damaged_or_empty_archive_is_refused_alone(
    mode: str, image: bytes, uploads: Path, imported: Callable[..., Any]
):
    def pack(members: dict[str, Any]) -> bytes:
        return zipped(members) if mode == "zip" else tarred(members, "w:gz" if mode == "tar.gz" else "w")

    whole = pack({"a.mha": np.random.default_rng(1).bytes(5000), "b": image})
    (uploads / f"cut.{mode}").write_bytes(whole[: len(whole) // 2])
    (uploads / f"empty.{mode}").write_bytes(pack({}))
    (uploads / "good.mha").write_bytes(image)
    made = imported()
    assert set(made.reasons.values()) <= {"archive_refused", "not_an_image", "corrupt"}
    assert len(made.reasons) == 2
    assert len(made.images) == 1


def test_an_archive_with_a_password_is_refused(uploads: Path, imported: Callable[..., Any]):
    content = bytearray(zipped({"a.txt": b"x"}))
    for at in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[at] |= 1
    (uploads / "a.zip").write_bytes(content)
    made = imported()
    assert made.reasons == {"a.zip": "archive_refused"}
    assert "encrypted" in made.report.rejected[0].detail


def test_office_files_are_no_archives(uploads: Path, imported: Callable[..., Any]):
    (uploads / "a.docx").write_bytes(zipped({"word/document.xml": b"<x/>"}))
    assert imported().reasons == {"a.docx": "not_an_image"}
