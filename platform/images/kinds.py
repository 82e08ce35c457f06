"""What a file is, from its first bytes and, where those don't say, from its name. Reads no more than a few of them."""

from __future__ import annotations

import struct
import zlib
from enum import StrEnum
from pathlib import PurePosixPath

HEAD_BYTES = 4096
_DICOM_AT = 128
_TAR_AT = 257
_NIFTI_1 = frozenset({b"n+1\0"})
_NIFTI_2_MAGIC = b"n+2\0\r\n\x1a\n"
_OFFICE = frozenset(
    {"docx", "xlsx", "pptx", "odt", "ods", "odp", "jar", "apk", "epub", "npz", "whl", "xpi", "mrml", "kmz", "pptm"}
)
_OTHER_IMAGES = (
    (b"BM", "a BMP image"),
    (b"GIF8", "a GIF image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xffO\xffQ", "a JPEG 2000 image"),
    (b"\x89HDF", "an HDF5 file"),
    (b"# vtk", "a VTK file"),
)


class Kind(StrEnum):
    """What a file is."""

    METAIMAGE = "metaimage"
    NRRD = "nrrd"
    NIFTI = "nifti"
    DICOM = "dicom"
    TIFF = "tiff"
    RASTER = "raster"  # PNG or JPEG
    OCT = "oct"  # a scan of a retina in its scanner's own format
    WHOLE_SLIDE = "whole_slide"  # one of the formats of several files
    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar_gz"
    JUNK = "junk"  # what systems leave behind: nobody means to upload it
    EMPTY = "empty"
    UNSUPPORTED = "unsupported"  # an image that isn't read here
    MISNAMED = "misnamed"  # named like an image, with the content of none
    OTHER = "other"


_MAGIC = (
    (_DICOM_AT, b"DICM", Kind.DICOM),
    (0, b"NRRD000", Kind.NRRD),
    (0, b"\x89PNG\r\n\x1a\n", Kind.RASTER),
    (0, b"\xff\xd8\xff", Kind.RASTER),
    (0, b"II*\0", Kind.TIFF),
    (0, b"MM\0*", Kind.TIFF),
    (0, b"II+\0", Kind.TIFF),
    (0, b"MM\0+", Kind.TIFF),
    (0, b"FOCT", Kind.OCT),
    (0, b"CMDb", Kind.OCT),
    (0, b"PK\x03\x04", Kind.ZIP),
    (0, b"PK\x05\x06", Kind.ZIP),
    (_TAR_AT, b"ustar", Kind.TAR),
    (0, b"\x1f\x8b", Kind.TAR_GZ),
)
_BY_NAME = {
    "nii": Kind.NIFTI,
    "mha": Kind.METAIMAGE,
    "mhd": Kind.METAIMAGE,
    "nrrd": Kind.NRRD,
    "nhdr": Kind.NRRD,
    "dcm": Kind.DICOM,
    "dicom": Kind.DICOM,
}
_MAKERS_OWN = dict.fromkeys(("mrxs", "vms", "vmu"), (Kind.WHOLE_SLIDE, "")) | {
    "isyntax": (Kind.UNSUPPORTED, "a whole slide of Philips")
}
_MAGIC_NAMES = {
    "png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "tif": "TIFF", "tiff": "TIFF", "zip": "zip", "tar": "tar",
    "fds": "Topcon", "fda": "Topcon", "e2e": "Heidelberg",
}  # fmt: skip
ARCHIVES = frozenset({Kind.ZIP, Kind.TAR, Kind.TAR_GZ})
SCANNED = frozenset({Kind.DICOM, Kind.METAIMAGE, Kind.NRRD, Kind.OCT, Kind.WHOLE_SLIDE})
"""Kinds whose headers say which other files they belong with, or how many images they have."""
_JUNK_NAMES = frozenset({".ds_store", "desktop.ini", "thumbs.db", "ehthumbs.db", ".directory", "dicomdir"})


def kind_of(path: str, head: bytes) -> tuple[Kind, str]:
    """Say what a file is, and for images that aren't read here what they are called.

    Args:
        path: Its name, or a path that ends in it.
        head: Its first bytes, up to `HEAD_BYTES`.
    """
    pure = PurePosixPath(path)
    name, ending = pure.name.lower(), pure.suffix.lower().removeprefix(".")
    if "__MACOSX" in pure.parts or name in _JUNK_NAMES or name.startswith("._"):
        return Kind.JUNK, ""
    if not head:
        return Kind.EMPTY, ""
    if ending in _MAKERS_OWN:
        return _MAKERS_OWN[ending]
    kind = _by_magic(head, name, ending) or _by_structure(head, ending)
    return (kind, "") if kind is not None else _otherwise(head, ending)


def _by_magic(head: bytes, name: str, ending: str) -> Kind | None:
    kind = next((kind for at, magic, kind in _MAGIC if head.startswith(magic, at)), None)
    if kind is Kind.ZIP and ending in _OFFICE:
        return Kind.OTHER
    return _of_gzip(_beginning(head), name) if kind is Kind.TAR_GZ else kind


def _by_structure(head: bytes, ending: str) -> Kind | None:
    if _is_nifti(head):
        return Kind.NIFTI
    if b"\nElementDataFile" in head or head.startswith(b"ObjectType = Image"):
        return Kind.METAIMAGE
    if ending in _BY_NAME:
        return _BY_NAME[ending]
    return Kind.DICOM if _is_bare_dicom(head) else None


def _otherwise(head: bytes, ending: str) -> tuple[Kind, str]:
    called = next((called for magic, called in _OTHER_IMAGES if head.startswith(magic)), "")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        called = "a WebP image"
    if _is_nifti_pair(head):
        called = "a NIfTI or Analyze image in two files"
    if called:
        return Kind.UNSUPPORTED, called
    return (Kind.MISNAMED, _MAGIC_NAMES[ending]) if ending in _MAGIC_NAMES else (Kind.OTHER, "")


def _of_gzip(inside: bytes, name: str) -> Kind:
    if _is_nifti(inside) or name.endswith(".nii.gz"):
        return Kind.NIFTI
    if inside[_TAR_AT : _TAR_AT + 5] == b"ustar" or name.endswith((".tar.gz", ".tgz")):
        return Kind.TAR_GZ
    return Kind.OTHER


def _beginning(head: bytes) -> bytes:
    """Unpack the first bytes of a gzip file."""
    try:
        return zlib.decompressobj(31).decompress(head, 1024)
    except zlib.error:
        return b""


def _is_nifti(head: bytes) -> bool:
    if len(head) < 348:
        return False
    sizes = {struct.unpack_from(order + "i", head)[0] for order in "<>"}
    return (348 in sizes and head[344:348] in _NIFTI_1) or (540 in sizes and head[4:12] == _NIFTI_2_MAGIC)


def _is_nifti_pair(head: bytes) -> bool:
    return len(head) >= 348 and 348 in {struct.unpack_from(order + "i", head)[0] for order in "<>"}


def _is_bare_dicom(head: bytes) -> bool:
    """Whether it begins with the attributes of an object, without the 128 bytes that should come first."""
    if len(head) < 16:
        return False
    group, element = struct.unpack_from("<HH", head)
    if group not in (0x0002, 0x0008) or element > 0x0100:
        return False
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    return explicit or struct.unpack_from("<I", head, 4)[0] <= 256
