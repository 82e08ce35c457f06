"""Importing medical images on the command line, and reading what became of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Gateway, Podium

ID = "00000000-0000-0000-0000-000000000007"
SESSION = "00000000-0000-0000-0000-000000000009"
NOW = "2026-01-02T03:04:05+00:00"
DATASETS = f"/datasets/{ID}"
SESSIONS = f"/import-sessions/{SESSION}"
RECORD: dict[str, Any] = {
    "id": SESSION,
    "dataset": ID,
    "submission": None,
    "of": "dataset truth.zip",
    "status": "imported",
    "message": "1 image of 4 files, 3 files rejected",
    "version": 4,
    "imported_by": "olga",
    "uploads": 1,
    "bytes": 100,
    "kept": True,
    "step": "",
    "done": 0,
    "total": 0,
    "images": 1,
    "rejected": 3,
    "ignored": 0,
    "reasons": {"missing_slices": 2, "not_an_image": 1},
    "runs": 1,
    "seconds": 1.5,
    "created": NOW,
    "started": NOW,
    "ended": NOW,
    "accepted": None,
}
IMAGE: dict[str, Any] = {
    "id": ID,
    "session": SESSION,
    "dataset": ID,
    "submission": None,
    "name": "CT-1",
    "type": "MHD",
    "size": 2000,
    "sha256": "a" * 64,
    "created": NOW,
    "width": 512,
    "height": 256,
    "depth": 40,
    "voxel_width_mm": 0.5,
    "voxel_height_mm": 0.5,
    "voxel_depth_mm": 2.0,
    "timepoints": 3,
    "resolution_levels": None,
    "window_center": 40.0,
    "window_width": 400.0,
    "color_space": "GRAY",
    "eye_choice": "NA",
    "segments": None,
    "value_type": "int16",
    "channels": 1,
    "low": -1000.0,
    "high": 3000.0,
    "flags": [{"kind": "burned_in", "detail": "Its header says that text is burned into it."}],
}
DETAIL = {
    "image": IMAGE,
    "of": "dataset truth.zip",
    "grid": {"size": [512, 256, 40], "spacing": [0.5, 0.5, 2], "origin": [0, -1, 2], "direction": [1, 0, 0, 0]},
    "headers": {},
    "attributes": {"Modality": "CT", "PhotometricInterpretation": "MONOCHROME2"},
    "removed": ["PatientName", "StudyDate"],
    "sources": [{"path": f"ct/{number}.dcm", "size": 5, "sha256": "b" * 64} for number in range(25)],
}
SLICE = {
    "path": "ct/1.dcm",
    "size": 5,
    "sha256": None,
    "outcome": "rejected",
    "image": None,
    "image_name": "",
    "reason": "missing_slices",
    "detail": "There is a gap of 2 slices after 1.dcm.",
    "remedy": "Upload all slices.",
    "others": [],
}
LETTER = {**SLICE, "path": "\x1b[31mletter.txt", "reason": "not_an_image", "detail": "It is no image.", "remedy": ""}
NOTHING: dict[str, Any] = {**RECORD, "images": 0, "message": "no images of 3 files, 3 files rejected"}


@pytest.fixture
def sent(gateway: Gateway, tmp_path: Path) -> Path:
    """A folder to import, and a gateway that takes it."""
    folder = tmp_path / "ct"
    folder.mkdir()
    (folder / "1.dcm").write_bytes(b"slice")
    (folder / "2.dcm").write_bytes(b"another")
    signed = {"method": "PUT", "url": f"{gateway.url}/api/v1/storage/x", "headers": {}, "expires": NOW}
    upload = {"id": ID, "filename": "pack.zip", "size": 5, "sha256": "0", "upload": {**signed, "max_bytes": None}}
    gateway.on(f"POST {DATASETS}/import-sessions", {**RECORD, "status": "uploading", "images": 0})
    gateway.on(f"POST {SESSIONS}/uploads", [{"id": ID, "path": "pack.zip", "upload": {**upload, "parts": None}}])
    gateway.on("PUT /storage/x", "")
    gateway.on(f"POST {SESSIONS}/uploads/{ID}/complete", "")
    gateway.on(f"POST {SESSIONS}/start", {**RECORD, "status": "queued"})
    gateway.on(f"POST {SESSIONS}/retry", {**RECORD, "status": "queued"})
    gateway.on(f"GET {SESSIONS}", RECORD)
    gateway.on(f"GET {DATASETS}/images", {"images": [IMAGE], "total": 1})
    pages = [{"files": [SLICE, {**SLICE, "path": "ct/2.dcm"}, LETTER], "total": 3}, {"files": [], "total": 3}]
    gateway.on(f"GET {SESSIONS}/files", *pages)
    return folder


def test_a_folder_is_sent_as_one_pack_and_the_report_is_shown(podium: Podium, gateway: Gateway, sent: Path) -> None:
    importing = {**RECORD, "status": "importing", "message": "", "step": "scanned", "done": 1, "total": 2, "version": 3}
    gateway.on(f"GET {SESSIONS}", importing, RECORD)
    ran = podium("images", "import", str(sent), "--dataset", ID)
    assert ran.code == 0, ran.err
    (announced,) = gateway.called(f"POST {SESSIONS}/uploads")
    (file,) = json.loads(announced.body)["files"]
    assert (file["is_pack"], bool(re.fullmatch(r"pack-[0-9a-f]{16}\.zip", file["path"]))) == (True, True)
    assert len(gateway.called("PUT /storage/x")[0].body) == file["size"]
    assert "importing: scanned 1 of 2" in ran.err
    assert "  imported: 1 image of 4 files, 3 files rejected" in ran.out
    assert "512x256x40, 3 times  0.5x0.5x2  int16" in ran.out
    assert "ct/1.dcm and 1 more" in ran.out, "what was rejected alike is told once"
    assert "There is a gap of 2 slices after 1.dcm." in ran.out
    assert "\x1b" not in ran.out
    assert f"podium images accept {SESSION}" in ran.err
    assert f"podium images retry {SESSION} [PATH]..." in ran.err


def test_what_arrived_before_is_not_sent_again(podium: Podium, gateway: Gateway, sent: Path) -> None:
    gateway.on(f"POST {SESSIONS}/uploads", [{"id": ID, "path": "pack.zip", "upload": None}])
    gateway.on(f"GET {SESSIONS}", {**RECORD, "status": "uploading"}, RECORD)
    assert podium("images", "retry", SESSION, str(sent)).code == 0
    assert not gateway.called("PUT /storage/x")
    assert gateway.called(f"POST {SESSIONS}/start")


def test_an_upload_that_breaks_off_says_how_to_go_on(podium: Podium, gateway: Gateway, sent: Path) -> None:
    gateway.on(f"POST {SESSIONS}/uploads", (413, "storage-full", "There is no room."))
    ran = podium("images", "import", str(sent), "-d", ID)
    assert ran.code == 1
    assert f"To go on: podium images retry {SESSION} {sent}" in ran.err


@pytest.mark.parametrize(
    ("record", "code", "told"),
    [
        (NOTHING, 1, "no images of 3 files"),
        ({**RECORD, "status": "failed", "message": "The disk was full."}, 7, "To try again: podium images retry"),
    ],
)
def test_how_an_import_ends(
    podium: Podium, gateway: Gateway, sent: Path, record: dict[str, Any], code: int, told: str
) -> None:
    gateway.on(f"GET {SESSIONS}", record)
    ran = podium("images", "import", str(sent), "-d", ID)
    assert (ran.code, told in ran.out + ran.err) == (code, True)


def test_only_a_report_without_rejections_is_accepted_by_itself(podium: Podium, gateway: Gateway, sent: Path) -> None:
    assert podium("images", "import", str(sent), "-d", ID, "--accept").code == 0
    assert not gateway.called(f"POST {SESSIONS}/accept")
    gateway.on(f"GET {SESSIONS}", {**RECORD, "rejected": 0, "reasons": {}})
    gateway.on(f"POST {SESSIONS}/accept", {**RECORD, "rejected": 0, "reasons": {}, "status": "accepted"})
    ran = podium("images", "retry", SESSION, "--accept", "--json")
    assert json.loads(ran.out)["status"] == "accepted"


def test_one_has_to_say_whose_they_are(podium: Podium, gateway: Gateway, sent: Path) -> None:
    for words in ([], ["-d", ID, "-s", ID]):
        ran = podium("images", "import", str(sent), *words)
        assert (ran.code, "--dataset ID, or --submission ID" in ran.err) == (2, True)


def test_a_dataset_may_be_named(podium: Podium, gateway: Gateway) -> None:
    file = {"kind": "dataset", "size": 1, "created": NOW, "in_use": ""}
    gateway.on("GET /me/storage/files", [{**file, "id": ID, "name": "reference_data: truth.zip"}])
    gateway.on(f"GET {DATASETS}/images", {"images": [], "total": 0})
    assert podium("images", "list", "-d", "truth.zip").out.strip() == "There are no images."
    ran = podium("images", "list", "-d", "other.zip")
    assert (ran.code, "You have no dataset called 'other.zip'" in ran.err) == (2, True)
    two = [{**file, "id": one, "name": f"{kind}: truth.zip"} for one, kind in ((ID, "input_data"), (SESSION, "x"))]
    gateway.on("GET /me/storage/files", two)
    assert "Say which by its id" in podium("images", "list", "-d", "truth.zip").err


def test_images_of_a_submission_are_listed(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"GET /submissions/{ID}/images", {"images": [IMAGE], "total": 1})
    assert "CT-1" in podium("images", "list", "-s", ID, "--csv").out
    gateway.on(f"GET /submissions/{ID}/import-sessions", [RECORD])
    assert "olga" in podium("images", "sessions", "-s", ID).out


def test_an_image_is_shown_with_all_that_is_known(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"GET /import-sessions/{ID}", (404, "not-found", "There is none."))
    gateway.on(f"GET /images/{ID}", DETAIL)
    lines = podium("images", "show", ID).out.splitlines()
    assert lines[0] == "CT-1"
    assert "  voxel_depth_mm   2.0" in lines
    assert "    PhotometricInterpretation  MONOCHROME2" in lines
    assert "  note: burned_in: Its header says that text is burned into it." in lines
    assert "  removed from its headers: PatientName, StudyDate" in lines
    assert lines[-1] == "    and 5 more; --json names all"
    assert json.loads(podium("images", "show", ID, "--json").out) == DETAIL


def test_the_report_of_a_session_is_a_list_of_its_files(podium: Podium, gateway: Gateway, sent: Path) -> None:
    assert "reference" not in podium("images", "show", SESSION).out
    pages = [{"files": [SLICE], "total": 1}, {"files": [], "total": 1}]
    gateway.on(f"GET {SESSIONS}/files", *pages)
    assert podium("images", "show", SESSION, "--csv").out.splitlines()[1].startswith("ct/1.dcm,5,rejected,,missing")


def test_accepting_and_removing(podium: Podium, gateway: Gateway) -> None:
    gateway.on(f"POST {SESSIONS}/accept", {**RECORD, "status": "accepted"})
    assert "Accepted: 1 images of dataset truth.zip" in podium("images", "accept", SESSION).err
    gateway.on(f"GET {SESSIONS}", RECORD)
    gateway.on(f"DELETE {SESSIONS}", "")
    assert podium("images", "remove", SESSION).code == 2, "there is nobody to ask"
    assert podium("images", "remove", SESSION, "--yes").code == 0
