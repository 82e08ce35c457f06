"""Files that panimg was tried with become what it made of them, where it was right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FAMILIES = (
    "dicom_2d_cxr", "dicom_4d", "dicom_4d_missing_one_reject", "dicom_slope", "dicom_window_level",
    "fallback_jpg_rgb", "fallback_png_corrupt_reject", "fallback_png_gray", "fallback_png_rgba", "gc_pdf_reject",
    "mha_3d_double", "mha_5d_reject", "mhd_2d_rgb", "mhd_3d_double", "mhd_3d_spacing_variants",
    "mhd_missing_zraw_reject", "mhd_window_ok", "mixed_session", "nifti_gz", "nifti_nii", "not_an_image_reject",
    "nrrd_detached_reject", "nrrd_gz", "segments_0_10_UInt8", "tiff_pyramid_valid",
)  # fmt: skip


@pytest.fixture(scope="module")
def expected(cases: Path) -> dict[str, dict[str, Any]]:
    found = json.loads((cases / "images" / "expected.json").read_text())
    return {family["family"]: family for family in found}


def test_every_family_is_tried(expected: dict[str, Any]):
    assert set(expected) == set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_becomes_what_is_expected(
    name: str, cases: Path, expected: dict[str, dict[str, Any]], imported: Callable[..., Any]
):
    family = expected[name]
    if name == "nrrd_detached_reject":
        # Panimg reads no detached headers; what is in them is the image of `nrrd_gz`.
        (plain,) = expected["nrrd_gz"]["images"]
        family = family | {"rejected": [], "images": [plain]}
    made = imported(cases / "images" / name)
    assert sorted(made.reasons) == sorted(family["rejected"])
    found = [_of_image(image, _sum(made, number)) for number, image in enumerate(made.images)]
    assert sorted(map(str, found)) == sorted(map(str, map(_of_expected, family["images"])))


def _of_expected(image: dict[str, Any]) -> tuple[Any, ...]:
    volume = "sitk_spacing" in image
    return (
        tuple(image["size"]),
        image["t"],
        tuple(image["spacing"]),
        image["cs"],
        image["levels"],
        tuple(image["window"]),
        image["eye"],
        tuple(image["segments"]) if image["segments"] else None,
        image.get("sha"),
        tuple(image["sitk_spacing"]) if volume else None,
        tuple(image["origin"]) if volume else None,
        tuple(image["direction"]) if volume else None,
        tuple(image["minmax"]) if volume else None,
    )


def _sum(made: Any, number: int) -> str:
    volume = made.images[number].type == "MHD"
    return hashlib.sha256(made.voxels(number).tobytes()).hexdigest()[:16] if volume else ""


def _of_image(image: Any, voxels: str) -> tuple[Any, ...]:
    told, volume = image.metadata, image.type == "MHD"
    return (
        (told.width, told.height, told.depth),
        told.timepoints,
        (told.voxel_width_mm, told.voxel_height_mm, told.voxel_depth_mm),
        str(told.color_space),
        told.resolution_levels,
        (told.window_center, told.window_width),
        str(told.eye_choice),
        told.segments,
        voxels or None,
        image.grid.spacing if volume else None,
        image.grid.origin if volume else None,
        image.grid.direction if volume else None,
        (float(image.low), float(image.high)) if volume else None,
    )
