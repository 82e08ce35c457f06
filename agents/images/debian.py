"""The files of Debian packages that are installed on this host: what a base image is made from."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from podium.platform.errors import PodiumError

PYTHON = Path("/usr/bin/python3")
"""Debian's own Python; another one on PATH (pyenv, conda) can't be taken apart into packages."""

PACKAGES = ("base-files", "bash", "coreutils", "dash", "findutils", "grep", "libc-bin", "libgomp1", "libstdc++6")
"""What an image has besides `python3` and what these depend on. Wheels link to the two libraries."""

_INSTALLATION_ONLY = frozenset({"cdebconf", "debconf", "dpkg", "gawk", "install-info", "mawk", "original-awk", "tar"})
"""Dependencies for installing a package, which an image that is never changed can do without."""

_LEFT_OUT = re.compile(r"/usr/share/(doc|man|info|locale|lintian|bug|doc-base|debhelper|menu|pixmaps|applications)/")
_ALLOWED_IN_ETC = frozenset(
    {
        "/etc/debian_version",
        "/etc/ld.so.conf",
        "/etc/ld.so.conf.d",
        "/etc/ld.so.conf.d/libc.conf",
        "/etc/mime.types",
        "/etc/os-release",
    }
)
"""The only files of the host's /etc that go into an image: they hold nothing of this host."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package.

    Attributes:
        needs: One tuple of alternatives for each dependency, names alone.
        provides: Virtual names that it stands for.
    """

    name: str
    version: str
    needs: tuple[tuple[str, ...], ...]
    provides: tuple[str, ...]


def python_minor() -> str:
    """The version of Debian's Python, such as `3.11`.

    Raises:
        PodiumError: The host has none.
    """
    _require_debian_python()
    return _output([str(PYTHON), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()


def closure(roots: Iterable[str] = ("python3", *PACKAGES)) -> list[Package]:
    """The installed packages that `roots` need, themselves included, by name.

    Raises:
        PodiumError: The host is not a Debian, or lacks one of the roots.
    """
    _require_debian_python()
    installed = _installed()
    names: dict[str, Package] = {virtual: package for package in installed.values() for virtual in package.provides}
    names.update(installed)
    found: dict[str, Package] = {}
    wanted = list(roots)
    missing = [root for root in wanted if root not in installed]
    if missing:
        raise PodiumError(
            f"The host lacks the packages {', '.join(missing)}, which an image is made from.",
            remedy=f"Install them: apt-get install {' '.join(missing)}.",
        )
    while wanted:
        package = names[wanted.pop()]
        if package.name in found:
            continue
        found[package.name] = package
        for alternatives in package.needs:
            chosen = next((name for name in alternatives if name in names), None)
            if chosen and chosen not in _INSTALLATION_ONLY:
                wanted.append(chosen)
    return [found[name] for name in sorted(found)]


def files(packages: Iterable[Package]) -> Iterator[Path]:
    """Every path of the packages that goes into an image, each once, with its folder's symbolic links resolved.

    Python's compiled files, which Debian makes when it installs a package, come with their sources.
    """
    listed = _output(["dpkg-query", "--listfiles", *(package.name for package in packages)]).splitlines()
    seen: set[Path] = set()
    for line in sorted(set(listed)):
        if not line.startswith("/") or not _wanted(line):
            continue
        for path in _with_compiled(_resolved(line)):
            if path not in seen and os.path.lexists(path):
                seen.add(path)
                yield path


def _wanted(path: str) -> bool:
    if path == "/." or _LEFT_OUT.match(f"{path}/"):
        return False
    return not path.startswith("/etc/") or path in _ALLOWED_IN_ETC


def _resolved(path: str) -> Path:
    # The package says /bin/sh where the host has /usr/bin/sh: /bin is a link since Debian merged the two.
    folder, name = os.path.split(path)
    return _real_folder(folder) / name


@cache
def _real_folder(folder: str) -> Path:
    return Path(os.path.realpath(folder))


def _with_compiled(path: Path) -> Iterator[Path]:
    yield path
    if path.suffix == ".py":
        cached = path.parent / "__pycache__"
        yield from sorted(cached.glob(f"{path.stem}.cpython-*[0-9].pyc"))


def _installed() -> dict[str, Package]:
    form = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    packages = {}
    for line in _output(["dpkg-query", "--show", f"--showformat={form}"]).splitlines():
        status, name, version, needs, provides = line.split("\t")
        if status.startswith("ii"):
            packages[name] = Package(name, version, tuple(_alternatives(needs)), tuple(_names(provides)))
    return packages


def _alternatives(needs: str) -> Iterator[tuple[str, ...]]:
    for need in needs.split(","):
        names = tuple(_names(need.replace("|", ",")))
        if names:
            yield names


def _names(names: str) -> Iterator[str]:
    for name in names.split(","):
        bare = re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", name)
        if bare:
            yield bare[1]


def _require_debian_python() -> None:
    remedy = "Pull an image with Python from a registry instead, or build the images on a Debian host with python3."
    try:
        owner = _output(["dpkg-query", "--search", str(PYTHON)])
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise PodiumError(
            f"This host has no {PYTHON} from a Debian package, and images are made from those.", remedy=remedy
        ) from error
    if not owner.startswith("python3"):
        raise PodiumError(f"{PYTHON} is not from Debian's own package on this host: {owner.strip()}.", remedy=remedy)


def _output(command: list[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
