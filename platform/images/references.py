"""Which other file a header means, of those that were uploaded. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from podium.platform.images.problems import ImageRefused, Reason


def find_referred(header: str, named: str, files: Mapping[str, int]) -> int:
    """Find a file that a header names, relative to itself, in whatever case it was written.

    Args:
        header: The header's path in the session.
        named: What it names.
        files: The number of every file of the session, by its path; those of the lower-case paths too.

    Raises:
        ImageRefused: It leads out of the session, or is not there.
    """
    if named.startswith("/") or "\\" in named or (len(named) > 1 and named[1] == ":"):
        raise ImageRefused(
            Reason.UNSAFE_FILE, f"It refers to {named[:100]!r}, which is not relative to it.", "Use relative names."
        )
    folder = posixpath.dirname(header)
    path = posixpath.normpath(posixpath.join(folder, named))
    if path.startswith("../") or path == ".." or not path or "\0" in path:
        detail = f"It refers to {named[:100]!r}, outside of what was uploaded."
        raise ImageRefused(Reason.UNSAFE_FILE, detail)
    found = files.get(path, files.get(path.lower()))
    if found is None:
        raise ImageRefused(
            Reason.MISSING_DATA_FILE,
            f"The file with its voxels, {named[:100]!r}, was not uploaded.",
            "Upload both together, in one folder.",
        )
    return found
