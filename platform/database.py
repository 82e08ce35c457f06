"""The connection to Postgres: one engine for a process, one session for a unit of work."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from podium.platform.errors import InvalidInput, PlatformFault

logger = logging.getLogger(__name__)
CHANNEL = "podium"
"""The Postgres notification channel on which changes are told (see `podium.platform.notices`)."""


class Database:
    """Sessions on one Postgres database.

    Args:
        url: `postgresql://user:password@host:port/name`; the driver is always psycopg 3.
        pool_size: Connections that are kept.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        self.engine: Engine = create_engine(
            self.url, pool_size=pool_size, max_overflow=20, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._known: dict[object, object] = {}

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back when anything is raised.

        Raises:
            PlatformFault: Postgres can't be reached.
            InvalidInput: A value is none that Postgres can hold: a number out of its range, a text with a U+0000.
        """
        try:
            with self._sessions.begin() as session:
                yield session
        except OperationalError as error:
            raise PlatformFault(
                "The database can't be reached.", remedy="Try again in a moment; operators see `podium status`."
            ) from error
        except DataError as error:
            logger.warning("a value was refused by the database: %s", error.orig)
            raise InvalidInput(
                "A number is out of range, or a text has a character that can't be stored (U+0000)."
            ) from error

    def before_commit(self, listener: Callable[[Session], None]) -> None:
        """Have each transaction seen just before it is committed; what the listener adds is committed with it."""
        event.listen(self._sessions, "before_commit", listener)

    def keep_in_sessions(self, name: str, value: object) -> None:
        """Have each session from now on know something, by a name in its `info`."""
        self._known[name] = value
        self._sessions.configure(info=self._known)

    def answers(self) -> bool:
        """Whether Postgres can be reached now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (OperationalError, PoolTimeout):
            return False
        return True

    def migrate(self) -> None:
        """Bring the tables to the newest version; safe to call by several processes at once."""
        config = Config()
        config.set_main_option("script_location", "podium.platform:migrations")
        with self.engine.begin() as connection:
            # Others that migrate at the same time wait here and then find nothing to do.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('podium-migrations'))"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def notify(session: Session, topic: str) -> None:
    """Tell watchers of `topic`, at commit, that something about it has changed."""
    session.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": CHANNEL, "topic": topic})


def notify_all(session: Session, topics: Iterable[str]) -> None:
    """Tell watchers of many topics, in one statement."""
    session.execute(
        text("SELECT pg_notify(:channel, topic) FROM unnest(CAST(:topics AS text[])) AS topic"),
        {"channel": CHANNEL, "topics": list(topics)},
    )


def violated_constraint(error: IntegrityError) -> str:
    """The name of the constraint that refused a write, or an empty string."""
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or "")
