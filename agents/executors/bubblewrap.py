"""The sandbox that `bwrap` makes: the host's own /usr, read-only, and nothing else of the host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from podium.tasks.programs import Program

_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FROM_ETC = ("ld.so.cache", "alternatives", "mime.types", "debian_version", "os-release")
_NOBODY = "65534"
FILTER_DESCRIPTOR = 9
"""Where bubblewrap finds the filter of system calls, open for reading."""


def sandbox_arguments(
    bwrap: str, program: Program, environment: Mapping[str, str], *, etc: Path, filtered: bool = False
) -> list[str]:
    """The command line up to the program's own command.

    Args:
        etc: A folder with the `passwd` and `group` that the program sees.
        filtered: System calls go through the filter at `FILTER_DESCRIPTOR`.
    """
    shared = str(program.limits.temporary_bytes)
    return [
        bwrap,
        # No network, processes, users or shared memory but its own; and it dies with the agent.
        *("--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--hostname", "podium"),
        *("--uid", _NOBODY, "--gid", _NOBODY, "--disable-userns", "--cap-drop", "ALL"),
        *("--ro-bind", "/usr", "/usr"),
        *_host_links(),
        *("--dir", "/etc"),
        *_host_etc(),
        *("--ro-bind", str(etc / "passwd"), "/etc/passwd", "--ro-bind", str(etc / "group"), "/etc/group"),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--perms", "1777", "--size", shared, "--tmpfs", "/tmp"),  # noqa: S108 -- the sandbox's own /tmp
        *("--perms", "1777", "--size", shared, "--tmpfs", "/dev/shm"),  # noqa: S108 -- the sandbox's own
        *("--dir", "/app"),
        *_binds(program),
        *(("--seccomp", str(FILTER_DESCRIPTOR)) if filtered else ()),
        # /dev too: what was written beside the devices would be memory that nothing limits.
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", program.working_folder, "--clearenv"),
        *(part for name, value in environment.items() for part in ("--setenv", name, value)),
        "--",
    ]


def _host_links() -> list[str]:
    arguments = []
    for name in _LINKS:
        path = Path("/") / name
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def _host_etc() -> list[str]:
    return [part for name in _FROM_ETC for part in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]


def _binds(program: Program) -> list[str]:
    arguments = []
    for mount in sorted(program.mounts, key=lambda mount: mount.target):  # outer folders before those in them
        arguments += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.target]
    return arguments
