"""A private PostgreSQL cluster in one folder: made, configured, started, stopped, and healed after a crash.

Layout of the folder, which belongs to the user that PostgreSQL runs as:

    data/            the cluster
    socket/          its Unix socket, unless the path is too long for one
    passwords.json   of the administrator and of Podium's own role; 0600, and only ours to read

It listens on 127.0.0.1 and asks everyone for a password. Nothing about durability is relaxed for Podium's data: a
committed row is on disk. Prefect's database alone may lose its last half second when the machine itself goes down.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from podium.platform.errors import PlatformFault
from podium.platform.supervisor.launch import dying_with_parent
from podium.platform.supervisor.ports import free_port
from podium.platform.supervisor.postgres_leftovers import end_server_in
from podium.platform.supervisor.postgres_programs import PostgresPrograms, find_programs
from podium.platform.supervisor.secret_files import write_secret

OWNER = "podium"
ADMINISTRATOR = "postgres"
PODIUM_DATABASE = "podium"
PREFECT_DATABASE = "prefect"

_LONGEST_SOCKET_PATH = 100
_ANNOUNCED_STATUS_LINE = 7
_SETTINGS = """\
# Written by `podium up` at every start: changes belong into postgresql.conf, below the line that includes this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '256MB'
max_wal_size = '2GB'
checkpoint_timeout = '15min'
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""
_ACCESS = """\
# Written by `podium up`: everyone has a password, and nobody comes from another machine.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class PostgresCluster:
    """A PostgreSQL cluster that lives in a folder.

    Use it on its own (`start`, `stop`, or as a context manager), or let a supervisor run its `command` between
    `prepare` and `create_databases`.

    Args:
        folder: Where everything about the cluster is; made when missing. One user at a time: the caller sees to that.
        port: The TCP port on 127.0.0.1; None for any free one.
        programs: The installation to use; None for the newest one that fits the cluster's files.
        databases: The databases to make.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        programs: PostgresPrograms | None = None,
        databases: Sequence[str] = (PODIUM_DATABASE, PREFECT_DATABASE),
    ) -> None:
        self.folder = folder.absolute().resolve()
        self.data = self.folder / "data"
        self.port = port or free_port()
        self.databases = tuple(databases)
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @cached_property
    def programs(self) -> PostgresPrograms:
        """The installation that it runs with; a PlatformFault when this machine has none that fits its files."""
        return self._programs or find_programs(self._major())

    @property
    def has_trigrams(self) -> bool:
        """Whether `pg_trgm` is there, without which Prefect cannot use this cluster."""
        return not self.programs.bundled

    def url(self, database: str = PODIUM_DATABASE, *, driver: str = "psycopg") -> str:
        """Return SQLAlchemy's address of a database, as its owner; it holds the password.

        Args:
            database: The database's name.
            driver: `psycopg` or `asyncpg`; empty for the form that libpq and psycopg themselves understand.
        """
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{OWNER}:{self._password(OWNER)}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none, write its settings, and end what a crash has left running.

        Raises:
            PlatformFault: The folder can't be used by the user that PostgreSQL must run as, or `initdb` failed.
        """
        self._make_folder()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        end_server_in(self.data)
        socket = self.folder / "socket"
        socket.mkdir(mode=0o700, exist_ok=True)
        self._give_to_account(socket)
        short_enough = len(str(socket / f".s.PGSQL.{self.port}")) <= _LONGEST_SOCKET_PATH
        self._write(self.data / "podium.conf", _SETTINGS.format(port=self.port, socket=socket if short_enough else ""))
        self._write(self.data / "pg_hba.conf", _ACCESS)

    def command(self) -> list[str]:
        """Return the command line of the server in the foreground; it dies with its parent."""
        line = [self.programs.program("postgres"), "-D", str(self.data)]
        return dying_with_parent(line, death_signal=signal.SIGINT, account=self.programs.account())

    def start(self, *, timeout: float = 60) -> None:
        """Start the server, wait until it answers, and make the databases.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            PlatformFault: It did not start; the message ends with its last words.
        """
        self.prepare()
        if self._process is not None:
            # Killed by somebody: as long as nobody has asked how it ended, its number is taken.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/"
            )
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                last_words = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
                raise PlatformFault(f"PostgreSQL did not start in {self.folder}.", remedy=f"It said:\n{last_words}")
            time.sleep(0.02)
        self.create_databases()

    def stop(self, *, timeout: float = 30) -> None:
        """Stop the server: its clients are cut off, what they committed is safe.

        Args:
            timeout: Seconds after which it is stopped the hard way, and recovers at its next start.
        """
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.send_signal(number)
                process.wait(timeout)
                return

    def is_ready(self) -> bool:
        """Whether the server answers queries now."""
        # Its own announcement first: a connection that comes too early is an error line in the server's log.
        with contextlib.suppress(OSError, IndexError, psycopg.Error):
            announced = (self.data / "postmaster.pid").read_text().splitlines()[_ANNOUNCED_STATUS_LINE]
            if announced.strip() == "ready":
                with self._administrate() as connection:
                    connection.execute("SELECT 1")
                return True
        return False

    def create_databases(self) -> None:
        """Make Podium's role and the databases, those that are not there yet.

        Raises:
            PlatformFault: The server refuses.
        """
        try:
            self._create_role()
            for database in self.databases:
                self.create_database(database)
            self._relax_prefect()
        except psycopg.Error as error:
            raise PlatformFault(f"PostgreSQL refuses to make the databases: {str(error).strip()}") from error

    def _create_role(self) -> None:
        with self._administrate() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
                verifier = connection.pgconn.encrypt_password(
                    self._password(OWNER).encode(), OWNER.encode(), b"scram-sha-256"
                )
                # The verifier and not the password: a statement that fails is written into the server's log.
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                        sql.Identifier(OWNER), sql.Literal(verifier.decode())
                    )
                )

    def _relax_prefect(self) -> None:
        """Let Prefect's database, and no other, say "committed" before it is on disk."""
        if PREFECT_DATABASE in self.databases:
            with self._administrate() as connection:
                connection.execute(
                    sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(PREFECT_DATABASE))
                )

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database that Podium's role owns, unless it exists.

        Args:
            name: Its name.
            template: The database to copy; nobody may be connected to it.

        Returns:
            Its address for SQLAlchemy.
        """
        with self._administrate() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                        sql.Identifier(name), sql.Identifier(OWNER), sql.Identifier(template)
                    )
                )
        if self.has_trigrams:
            with self._administrate(name) as connection:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, cutting off whoever is connected to it."""
        with self._administrate() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def _administrate(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ADMINISTRATOR,
            password=self._password(ADMINISTRATOR),
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            # Another session's message ("already exists, skipping") is no news to whoever runs this.
            connection.execute("SET client_min_messages = warning")
            yield connection

    def _major(self) -> int | None:
        with contextlib.suppress(OSError):
            return int((self.data / "PG_VERSION").read_text())
        return None

    def _initialize(self) -> None:
        """Make the cluster aside and move it into its place, so that there is never half a cluster."""
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        password_file = self.folder / "initial-password"
        self._write(password_file, self._password(ADMINISTRATOR))
        command = [
            *(self.programs.program("initdb"), "-D", str(new), "-U", ADMINISTRATOR, f"--pwfile={password_file}"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--auth=scram-sha-256"),
        ]
        line = dying_with_parent(command, account=self.programs.account())
        try:
            answer = subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")
        finally:
            password_file.unlink()
        if answer.returncode != 0:
            raise PlatformFault(f"initdb failed: {answer.stderr.strip()}", remedy="See that the folder is writable.")
        with (new / "postgresql.conf").open("a") as settings:
            settings.write("\ninclude_if_exists = 'podium.conf'\n")
        new.rename(self.data)

    def _password(self, role: str) -> str:
        file = self.folder / "passwords.json"
        if not file.exists():
            if (self.data / "PG_VERSION").exists():
                raise PlatformFault(
                    f"{file} is gone, and with it the way into the database.", remedy="Restore it from a backup."
                )
            self._make_folder()
            passwords = {name: secrets.token_urlsafe(24) for name in (ADMINISTRATOR, OWNER)}
            write_secret(file, json.dumps(passwords))
        return str(json.loads(file.read_text())[role])

    def _make_folder(self) -> None:
        account = self.programs.account()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if account is not None:
            account.require_reach(self.programs.folder)
            account.require_reach(self.folder)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._give_to_account(self.folder)

    def _write(self, file: Path, text: str) -> None:
        write_secret(file, text)
        self._give_to_account(file)

    def _give_to_account(self, path: Path) -> None:
        account = self.programs.account()
        if account is not None:
            os.chown(path, account.uid, account.gid)
