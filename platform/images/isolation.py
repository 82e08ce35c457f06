"""A wall around the processes that read files of strangers: no network, no sight of other files, nothing to write to.

It is bubblewrap's, where that is there and may make namespaces; limits on memory, time and files hold in any case.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@cache
def bubblewrap() -> str | None:
    """The program, if it works here."""
    found = shutil.which("bwrap")
    if found is None:
        return None
    tried = subprocess.run(
        [found, *_namespaces(), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--", "/bin/true"],
        capture_output=True,
        check=False,
        timeout=30,
    )
    return found if tried.returncode == 0 else None


def wall(read_only: list[Path], writable: Path) -> list[str]:
    """The beginning of a command line, after which the program follows; empty where there is no wall.

    Args:
        read_only: Folders that it may read.
        writable: The folder that it may write to.
    """
    program = bubblewrap()
    if program is None:
        return []
    arguments = [program, *_namespaces(), "--cap-drop", "ALL", "--tmpfs", "/", "--dev", "/dev", "--proc", "/proc"]
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    arguments += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--tmpfs", "/tmp"]  # noqa: S108 -- its own
    for path in [*_python(), *read_only]:
        arguments += ["--ro-bind", str(path), str(path)]
    return [*arguments, "--bind", str(writable), str(writable), "--chdir", str(writable), "--"]


def _namespaces() -> list[str]:
    return ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]


def _python() -> list[Path]:
    """Where Python, its packages and this program are, outermost first, outside of what everybody sees."""
    here = Path(__file__).resolve().parents[1]
    wanted = {Path(sys.prefix), Path(sys.base_prefix), here, *(Path(part) for part in sys.path if part)}
    wanted |= {path.resolve() for path in wanted}
    folders = sorted(path for path in wanted if path.is_dir() and not str(path).startswith("/usr/"))
    return [path for path in folders if not any(other in path.parents for other in folders)]


def environment() -> dict[str, str]:
    """The environment of the processes: one thread in libraries that would start some by themselves."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "MKL_NUM_THREADS")
    return kept | dict.fromkeys(threads, "1") | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
