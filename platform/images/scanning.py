"""What the header of a file says of the files that it belongs with. Runs in a child process."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from podium.platform.images import dicom_headers, metaimage, nrrd
from podium.platform.images.job_kinds import Scanned, ScanJob
from podium.platform.images.kinds import Kind
from podium.platform.images.problems import ImageRefused

SCANNED = frozenset({Kind.DICOM, Kind.METAIMAGE, Kind.NRRD, Kind.WHOLE_SLIDE})
"""Kinds whose headers refer to other files."""
_LONGEST_INDEX = 1 << 20
_INDEX_FILE = re.compile(r"^\s*(?:ImageFile|MapFile|OptimisationFile|AuthCode|MacroImage)[^=\n]*=\s*(\S.*?)\s*$", re.M)


def scan(job: ScanJob) -> Scanned:
    """Read a header."""
    path = Path(job.path)
    try:
        if job.kind is Kind.DICOM:
            return Scanned(dicom=dicom_headers.read_header(path))
        if job.kind is Kind.METAIMAGE:
            return Scanned(refers_to=metaimage.read_header(path).data_file)
        if job.kind is Kind.NRRD:
            return Scanned(refers_to=nrrd.read_header(path).data_file)
        return Scanned(companions=_companions(path))
    except dicom_headers.DicomDirectory:
        return Scanned(ignored="table of contents of a disc")
    except ImageRefused as error:
        return Scanned(refusal=error.refusal)


def _companions(path: Path) -> tuple[str, ...]:
    """The files that the index of a whole slide names, which is a text for Hamamatsu's slides."""
    with path.open("rb") as file:
        text = file.read(_LONGEST_INDEX).decode("latin-1")
    if not text.lstrip().startswith("["):
        return ()
    return tuple(PurePosixPath(name.replace("\\", "/")).name for name in _INDEX_FILE.findall(text))[:1000]
