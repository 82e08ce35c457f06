"""What the header of a file says of the files that it belongs with. Runs in a child process."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from podium.platform.images.job_kinds import ScanJob, Scanned
from podium.platform.images.kinds import Kind
from podium.platform.images.problems import ImageRefused

_LONGEST_INDEX = 1 << 20
_INDEX_FILE = re.compile(
    r"^\s*(?:ImageFile|MapFile|OptimisationFile|AuthCode|MacroImage)[^=\n]*=\s*(\S.*?)\s*$", re.MULTILINE
)


def scan(job: ScanJob) -> Scanned:
    """Read a header."""
    path = Path(job.path)
    try:
        # Each format is imported where it is needed: their libraries take a while to load.
        if job.kind is Kind.DICOM:
            from podium.platform.images.dicom_headers import read_header as read_dicom  # noqa: PLC0415

            header = read_dicom(path)
            return Scanned(dicom=header) if header else Scanned(ignored="table of contents of a disc")
        if job.kind is Kind.METAIMAGE:
            from podium.platform.images.metaimage import read_header as read_metaimage  # noqa: PLC0415

            return Scanned(refers_to=read_metaimage(path).data_file)
        if job.kind is Kind.NRRD:
            from podium.platform.images.nrrd import read_header as read_nrrd  # noqa: PLC0415

            return Scanned(refers_to=read_nrrd(path).data_file)
        if job.kind is Kind.OCT:
            from podium.platform.images.oct_scans import part_names  # noqa: PLC0415

            return Scanned(parts=part_names(path))
        return Scanned(companions=_companions(path))
    except ImageRefused as error:
        return Scanned(refusal=error.refusal)


def _companions(path: Path) -> tuple[str, ...]:
    """The files that the index of a whole slide names, which is a text for Hamamatsu's slides."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_INDEX).decode("latin-1")
    if not text.lstrip().startswith("["):
        return ()
    return tuple(PurePosixPath(name.replace("\\", "/")).name for name in _INDEX_FILE.findall(text))[:1000]
