"""How much an import may take: of the disk, of memory, of time."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from podium.platform.archive_rules import ArchiveLimits

LARGEST_PICTURE = 1 << 26
"""Up to how many pixels of a level of a slide a picture of it is made of; of larger ones, of every so manieth."""


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """Caps on one import session, on each image of it, and on each child process.

    Attributes:
        archive: Caps on all archives of a session together; `total_bytes` and `members` are shared by them.
        archive_depth: How many archives may lie inside each other.
        voxel_bytes: Bytes of one image's voxels, unpacked.
        memory_bytes: Address space of a child that reads one group of files.
        cpu_seconds: Processor time of a child.
        wall_seconds: Time that a child may take.
        file_bytes: Size of any file that a child writes.
        children: How many children run at once.
        threads: How many threads pack the voxels of one image.
    """

    archive: ArchiveLimits = field(default_factory=ArchiveLimits)
    archive_depth: int = 5
    voxel_bytes: int = 8 << 30
    memory_bytes: int = 6 << 30
    cpu_seconds: int = 1800
    wall_seconds: int = 1800
    file_bytes: int = 9 << 30
    children: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
    threads: int = field(default_factory=lambda: min(4, os.cpu_count() or 1))
