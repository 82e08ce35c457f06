"""Medical images on a whole Podium: imported, seen, tried again and accepted, from the command line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import NewUser, Podium

ROOT = Path(__file__).parents[3]
CASES = Path(os.environ.get("PODIUM_CASES") or ROOT.parent / "shared" / "cases") / "images"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """What a hospital may upload: two images, a header without its data, and a letter."""
    folder = tmp_path / "scans"
    for name in ("dicom_2d_cxr", "nifti_gz", "mhd_missing_zraw_reject", "not_an_image_reject"):
        shutil.copytree(CASES / name, folder / name)
    return folder


def test_images_are_imported_and_what_failed_is_tried_again(
    podium: Podium, competition: str, new_user: NewUser, scans: Path, tmp_path: Path
) -> None:
    dataset = ("--dataset", "reference_data.zip", "-c", competition)
    ran = podium.admin.good("images", "import", str(scans), *dataset)
    assert "imported: 2 images of 4 files, 2 files rejected" in ran.out
    assert "was not uploaded" in ran.out
    assert "not_an_image" in ran.out
    (session,) = (line.split()[-1] for line in ran.out.splitlines() if line.startswith("Import session"))

    shutil.copy(CASES / "mhd_3d_double" / "image10x10x10.zraw", scans / "mhd_missing_zraw_reject")
    again = podium.admin.good("images", "retry", session, str(scans))
    assert "tried again: 1 image of 3 files, 1 file rejected" in again.out
    images = json.loads(podium.admin.good("images", "list", *dataset, "--json").out)
    expected = {"CR-1": (440, 440, 1), "image10x11x12.nii.gz": (10, 11, 12), "image10x10x10.mhd": (10, 10, 10)}
    assert {one["name"]: (one["width"], one["height"], one["depth"]) for one in images} == expected

    image = next(one for one in images if one["name"] == "CR-1")
    target = tmp_path / "chest.mha"
    podium.admin.good("images", "download", image["id"], "-o", str(target))
    assert hashlib.sha256(target.read_bytes()).hexdigest() == image["sha256"]
    assert "PatientName" in podium.admin.good("images", "show", image["id"]).out
    assert podium.admin.good("images", "accept", session).err.startswith("Accepted: 3 images")

    refused = new_user(competition)("images", "show", image["id"])
    assert (refused.code, "You have no image of that id." in refused.err) == (5, True), refused.err
