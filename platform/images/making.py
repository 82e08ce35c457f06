"""One group of files made into one image, with its pictures. Runs in a child process."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from podium.platform.images.job_kinds import GroupFile, ImportJob, Made
from podium.platform.images.kinds import Kind
from podium.platform.images.metadata import COLOR_SPACES, ImageMetadata, ImageType
from podium.platform.images.metaimage_writing import Written, write_volume
from podium.platform.images.previews import write_pictures
from podium.platform.images.problems import Flag, FlagKind, ImageRefused
from podium.platform.images.report import MadeImage, SourceFile
from podium.platform.images.volumes import Volume

if TYPE_CHECKING:
    from podium.platform.images.tiff_slides import Slide

_OF_SCANNERS = frozenset({".svs", ".ndpi", ".scn"})
_OVERLAPPING = frozenset({".bif"})
"""Whose tiles overlap: side by side, as in a TIFF, they are not the slide."""


def make(job: ImportJob) -> Made:
    """Make an image, in the job's folder."""
    folder = Path(job.folder)
    try:
        with ThreadPoolExecutor(max(1, job.limits.threads)) as executor:
            sources = executor.map(_source, job.files)
            if job.kind in (Kind.TIFF, Kind.WHOLE_SLIDE):
                opened = _open_slide(job)
                image = (
                    _write(opened, job, folder)
                    if isinstance(opened, Volume)
                    else opened.write(folder, most_bytes=job.limits.voxel_bytes)
                )
            else:
                image = _write(_volume(job), job, folder)
            _tidy(folder)
            return Made(_with_sources(image, sources))
    except ImageRefused as error:
        return Made(refusal=error.refusal, culprit=error.culprit)


def _open_slide(job: ImportJob) -> Volume | Slide:
    """Open a TIFF file by itself, and by OpenSlide what is none or makes no sense as one."""
    # Imported where it is needed: few sessions have such files, and every child would load the libraries.
    from podium.platform.images import tiff, whole_slides  # noqa: PLC0415

    most = job.limits.voxel_bytes
    ending = Path(job.files[0].shown).suffix.lower()
    if job.kind is Kind.WHOLE_SLIDE or ending in _OVERLAPPING:
        return whole_slides.open_slide(job.name, job.files, Path(job.folder), most_bytes=most)
    try:
        return tiff.open_tiff(job.name, Path(job.files[0].path), most_bytes=most)
    except ImageRefused:
        if ending not in _OF_SCANNERS or not whole_slides.is_installed:
            raise
        return whole_slides.open_slide(job.name, job.files, Path(job.folder), most_bytes=most)


def _tidy(folder: Path) -> None:
    """Remove what was needed on the way."""
    for name in ("unpacked.nii", "converted.tif"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "slide", ignore_errors=True)


def _volume(job: ImportJob) -> Volume:
    # Each format is imported where it is needed: their libraries take a while to load.
    header = Path(job.files[0].path)
    most = job.limits.voxel_bytes
    if job.kind is Kind.DICOM:
        from podium.platform.images import dicom_series  # noqa: PLC0415
        from podium.platform.images.dicom_pixels import DicomFile  # noqa: PLC0415

        assert job.stack is not None
        files = [DicomFile(Path(file.path), found) for file, found in zip(job.files, job.headers, strict=True)]
        return dicom_series.open_volume(job.name, job.stack, files, most_bytes=most)
    if job.kind is Kind.METAIMAGE:
        from podium.platform.images import metaimage  # noqa: PLC0415

        return metaimage.open_volume(job.name, header, Path(job.files[-1].path), most_bytes=most)
    if job.kind is Kind.NRRD:
        from podium.platform.images import nrrd  # noqa: PLC0415

        return nrrd.open_volume(job.name, header, Path(job.files[-1].path), most_bytes=most)
    if job.kind is Kind.NIFTI:
        from podium.platform.images import nifti  # noqa: PLC0415

        return nifti.open_volume(job.name, header, Path(job.folder), most_bytes=most)
    if job.kind is Kind.RASTER:
        from podium.platform.images import raster  # noqa: PLC0415

        return raster.open_volume(job.name, header, most_bytes=most)
    if job.kind is Kind.OCT:
        from podium.platform.images import oct_scans  # noqa: PLC0415

        return oct_scans.open_volume(job.name, header, job.part, most_bytes=most)
    raise ValueError(f"{job.kind} is no kind of image")


def _source(file: GroupFile) -> SourceFile:
    path = Path(file.path)
    with path.open("rb") as content:
        return SourceFile(file.shown, path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())


def _write(volume: Volume, job: ImportJob, folder: Path) -> MadeImage:
    path = folder / "image.mha"
    written = write_volume(volume, path, threads=job.limits.threads)
    metadata = _metadata(volume, written)
    assert written.planes.middle is not None
    thumbnail, preview = write_pictures(
        written.planes.middle,
        folder,
        window=volume.window,
        aspect=volume.grid.spacing[1] / volume.grid.spacing[0],
        labels=metadata.segments is not None and len(metadata.segments) > 1,
    )
    values = written.statistics
    if values.not_finite:
        detail = f"{values.not_finite} of its values are no finite numbers."
        volume.flags.append(Flag(FlagKind.NOT_FINITE, detail))
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    known = values.low <= values.high
    return MadeImage(
        metadata=metadata,
        type=ImageType.MHD,
        file=path.name,
        size=path.stat().st_size,
        sha256=digest,
        value_type=volume.type.name,
        channels=volume.channels,
        grid=volume.grid,
        low=values.low if known else None,
        high=values.high if known else None,
        flags=tuple(volume.flags),
        headers=volume.headers,
        attributes=volume.attributes,
        removed=volume.removed,
        sources=(),
        thumbnail=thumbnail,
        preview=preview,
    )


def _metadata(volume: Volume, written: Written) -> ImageMetadata:
    size = volume.grid.size
    spacing = volume.grid.spacing if volume.spacing_known else (None,) * len(size)
    segments = written.statistics.segments()
    return ImageMetadata(
        name=volume.name,
        width=size[0],
        height=size[1],
        depth=size[2] if len(size) > 2 else None,
        voxel_width_mm=spacing[0],
        voxel_height_mm=spacing[1],
        voxel_depth_mm=spacing[2] if len(size) > 2 else None,
        timepoints=size[3] if len(size) > 3 and segments is None else None,
        resolution_levels=None,
        window_center=volume.window[0] if volume.window else None,
        window_width=volume.window[1] if volume.window else None,
        color_space=COLOR_SPACES[volume.channels],
        eye_choice=volume.eye,
        segments=segments,
    )


def _with_sources(image: MadeImage, sources: Iterable[SourceFile]) -> MadeImage:
    # A file may be named twice, as header and as data.
    return replace(image, sources=tuple(dict.fromkeys(sources)))
