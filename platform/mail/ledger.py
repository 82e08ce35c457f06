"""What one sender writes down: which messages a mail server gets now, and what became of them.

All of its connections write through one ledger, many messages in a transaction: the disk takes as long for one as for
many. Whoever hands a message over asks when the conversation about it begins, and waits before the message itself.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from podium.platform.database import Database
from podium.platform.errors import PlatformFault
from podium.platform.lifecycle import WAITING_MAIL, MailStatus
from podium.platform.models import now

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.005
"""How long what is told waits for more to be told, which is then written with it."""
AGAIN_SECONDS = 0.5
"""How soon it is tried again while the database is away."""
GIVE_UP_SECONDS = 60.0
"""How long it is tried after the sender has ended. What is not written down by then is settled as left behind."""
_WRITE = text(
    # One statement, and so one way to the database and back, for whatever many connections have to say.
    "WITH told AS (SELECT * FROM jsonb_to_recordset(CAST(:told AS jsonb))"
    " AS told(id uuid, status mail_status, reply text, tried int, due timestamptz, ended timestamptz)),"
    " recorded AS (UPDATE mail_outbox AS mail SET status = told.status, reply = told.reply,"
    " attempts = attempts + told.tried, due = COALESCE(told.due, mail.due), ended = told.ended,"
    " handed = CASE WHEN told.status = 'unsettled' THEN handed END"
    " FROM told WHERE mail.id = told.id AND claim_id = :claim AND mail.status IN ('sending', 'unsettled'))"
    # What is marked already was asked for before the connection to the database broke.
    " UPDATE mail_outbox SET handed = now() WHERE id = ANY(CAST(:handing AS uuid[])) AND claim_id = :claim"
    " AND status = 'sending' RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        due: When it is to be tried again.
        tried: Whether the mail server has had a say.
    """

    message_id: UUID
    status: MailStatus
    reply: str = ""
    due: datetime | None = None
    tried: bool = True
    ended: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        """Note when it ended, where it has."""
        is_over = self.status not in {*WAITING_MAIL, MailStatus.UNSETTLED}
        object.__setattr__(self, "ended", now() if is_over else None)

    def told(self) -> dict[str, str | int | None]:
        """As it is told to the database."""
        return {
            "id": str(self.message_id),
            "status": str(self.status),
            "reply": self.reply[:500],
            "tried": int(self.tried),
            "due": self.due.isoformat() if self.due is not None else None,
            "ended": self.ended.isoformat() if self.ended is not None else None,
        }


class Ledger:
    """Writes for one sender, in a thread of its own: used with `with`, at the end of which the rest is written.

    Args:
        claim_id: Of the sender: of what others have claimed, nothing is changed.
        enough: So many messages that are to be handed over are not kept waiting for more.
    """

    def __init__(self, database: Database, claim_id: UUID, *, enough: int = 1) -> None:
        self._database = database
        self._claim_id = claim_id
        self._enough = enough
        self._changed = threading.Condition()
        self._handing: list[tuple[UUID, Future[bool]]] = []
        self._outcomes: list[Outcome] = []
        self._closed = self._is_writing = False
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="mail-ledger", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def hand_over(self, message_id: UUID) -> Future[bool]:
        """Say that a mail server is about to get a message.

        Returns:
            Whether it may: not if the message is not this sender's any more, or was stopped. It is committed by then,
            and what was not, no mail server has.
        """
        answer: Future[bool] = Future()
        with self._changed:
            self._handing.append((message_id, answer))
            if len(self._handing) == self._enough or self._is_first:
                self._changed.notify()
        return answer

    def record(self, outcome: Outcome) -> None:
        """Write down what became of a message, soon. A sender that was taken for dead may still tell what it knows."""
        with self._changed:
            self._outcomes.append(outcome)
            if self._is_first:
                self._changed.notify()

    @property
    def _is_first(self) -> bool:
        return len(self._handing) + len(self._outcomes) == 1

    @property
    def is_written(self) -> bool:
        """Whether all that was told is written down."""
        with self._changed:
            return not (self._handing or self._outcomes or self._is_writing)

    def _run(self) -> None:
        closed_since: float | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._handing or self._outcomes or self._closed)
                self._changed.wait_for(lambda: len(self._handing) >= self._enough or self._closed, GATHER_SECONDS)
                if self._closed:
                    closed_since = closed_since or time.monotonic()
                    if not (self._handing or self._outcomes):
                        break
                handing, outcomes = self._handing, self._outcomes
                self._handing, self._outcomes = [], []
                self._is_writing = True
            try:
                handed = self._write(self._connected(), [one for one, _ in handing], outcomes)
            except (SQLAlchemyError, PlatformFault) as error:
                self._forget_connection()
                # Without the statement: what servers said stands in it.
                why = str(getattr(error, "orig", error)).partition("\n")[0]
                logger.warning("what became of %d messages is not written down yet: %s", len(outcomes), why)
                with self._changed:
                    self._handing, self._outcomes = handing + self._handing, outcomes + self._outcomes
                if closed_since is not None and time.monotonic() - closed_since > GIVE_UP_SECONDS:
                    break
                time.sleep(AGAIN_SECONDS)
            else:
                for message_id, answer in handing:
                    answer.set_result(message_id in handed)
            with self._changed:
                self._is_writing = False
        self._forget_connection()

    def _connected(self) -> Connection:
        if self._connection is None:
            made = self._database.engine.connect()
            self._connection = made.execution_options(isolation_level="AUTOCOMMIT")
        return self._connection

    def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _write(self, connection: Connection, handing: list[UUID], outcomes: list[Outcome]) -> set[UUID]:
        over = {one.message_id for one in outcomes}
        said = {
            "claim": self._claim_id,
            "handing": [one for one in handing if one not in over],
            "told": json.dumps([one.told() for one in outcomes]),
        }
        return set(connection.execute(_WRITE, said).scalars())
