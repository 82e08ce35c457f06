"""What must be there before Podium serves: tables, pools, deployments, the first administrator, agents' tokens.

`python -m podium.platform.provision` makes all of it, as often as it is run; what is there stays as it is. Secrets go
to files of mode 0600 in the state folder and are never printed.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.errors import NotAuthenticated, PlatformFault, PodiumError
from podium.platform.identifiers import new_id
from podium.platform.identity import add_person, authenticate, issue_token
from podium.platform.models import Person, Pool, now
from podium.platform.orchestration import PLATFORM_POOL, Orchestration
from podium.platform.pool_registration import register_pools
from podium.platform.settings import ServerSettings, read_settings

ADMINISTRATOR = "admin"
POOLS = (PLATFORM_POOL, "docker", "gpu")
AGENT_POOLS = (PLATFORM_POOL, "docker")
"""Pools whose agents `podium up` runs itself."""


def provision(settings: ServerSettings) -> list[str]:
    """Make everything that must be there; return a line for each thing.

    Raises:
        PlatformFault: The database or Prefect can't be reached.
    """
    if settings.state is None:
        raise PlatformFault("There is no folder for first tokens.", remedy="Set PODIUM_STATE.")
    database = Database(settings.database_url.get_secret_value(), pool_size=1)
    orchestration = Orchestration(settings.prefect_api_url, timeout=60)
    try:
        database.migrate()
        lines = ["tables are at the newest version"]
        with database.session() as session:
            pools = ensure_pools(session)
            lines += _first_administrator(session, settings.state)
            for name in AGENT_POOLS:
                lines += _agent_token(session, pools[name], settings.state)
        return [*lines, *orchestration.register(), *register_pools(database, orchestration)]
    finally:
        orchestration.close()
        database.close()


def ensure_pools(session: Session) -> dict[str, Pool]:
    """Podium's own rows of its pools, by name."""
    for name in POOLS:
        session.execute(
            insert(Pool)
            .values(id=new_id(), created=now(), name=name)
            .on_conflict_do_nothing(constraint="uq_pools_name")
        )
    return {pool.name: pool for pool in session.scalars(select(Pool))}


def _first_administrator(session: Session, state: Path) -> list[str]:
    file = state / "admin-token"
    administrator = session.scalar(select(Person).where(Person.is_administrator).order_by(Person.created))
    if administrator is None:
        administrator = add_person(
            session, username=ADMINISTRATOR, email="admin@localhost.localdomain", is_administrator=True
        )
    elif _is_good(session, file):
        return [f"administrator's token is in {file}"]
    secret, _ = issue_token(session, administrator, name="podium up")
    _write_secret(file, secret)
    return [f"wrote the administrator's token to {file}"]


def _agent_token(session: Session, pool: Pool, state: Path) -> list[str]:
    file = state / f"agent-{pool.name}-token"
    if _is_good(session, file):
        return [f"token of pool {pool.name} is in {file}"]
    secret, _ = issue_token(session, pool, name="podium up")
    _write_secret(file, secret)
    return [f"wrote the token of pool {pool.name} to {file}"]


def _is_good(session: Session, file: Path) -> bool:
    try:
        authenticate(session, file.read_text().strip())
    except (OSError, NotAuthenticated):
        return False
    return True


def _write_secret(file: Path, secret: str) -> None:
    """Write a secret that nobody else can read, not even for a moment."""
    new = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{secret}\n")
    new.replace(file)


def main() -> int:
    """Provision, and say what was done."""
    try:
        lines = provision(read_settings())
    except PodiumError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
