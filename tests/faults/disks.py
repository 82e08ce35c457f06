"""Small disks, which can be full."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Disk:
    """A file system in memory of its own, mounted on a folder."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._megabytes = megabytes
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "faults", str(folder)], check=True)

    def fill(self) -> None:
        """Leave no room: the disk becomes as large as what is on it, which is quicker than to write gigabytes."""
        for _ in range(100):
            found = os.statvfs(self.folder)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            # Somebody may have written meanwhile; then the kernel refuses.
            if self._resize(str(used)):
                return
        raise AssertionError(f"{self.folder} could not be filled")

    def free(self) -> None:
        assert self._resize(f"{self._megabytes}m")

    @property
    def room(self) -> int:
        """Bytes that are left."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def _resize(self, size: str) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
