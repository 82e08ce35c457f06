"""Messages from template files, into the outbox: however many people, one statement, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from uuid import UUID

from sqlalchemy import DateTime as Moment
from sqlalchemy import Dialect, Table, Text, Uuid, and_, bindparam, case, cast, column, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert

from podium.platform.identifiers import new_id
from podium.platform.lifecycle import MailStatus
from podium.platform.mail.eligibility import why_not
from podium.platform.mail.template_files import TemplateName
from podium.platform.models import MailFrequency, MailKind, MailPreference, OutboxMessage, Person, now

_AT_ONCE = 5000
"""Messages that one statement queues."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """What one person is told.

    Attributes:
        key: There is one message of a kind and key to a person, however often it is queued; `None` where whoever
            queues it sees to that.
        filled_in: What stands in the place of variables.
    """

    person_id: UUID
    key: str | None = None
    competition_id: UUID | None = None
    filled_in: Mapping[str, str] = field(default_factory=dict)


def queue_from_template(
    session: Session,
    kind: MailKind,
    template: TemplateName,
    addressed: Sequence[Addressed],
    *,
    digest: datetime | None = None,
) -> int:
    """Queue messages; if the caller's transaction is rolled back, there are none.

    Whoever must not get any has none queued. Whoever wants the kind daily has it in their next digest.

    Args:
        digest: When that is sent; `None` where all are to be sent at once.

    Returns:
        How many are new.
    """
    moment, made = now(), 0
    session.flush()  # what is told of may be new
    connection = session.connection()
    written = _written(kind, connection.dialect)
    for start in range(0, len(addressed), _AT_ONCE):
        part = addressed[start : start + _AT_ONCE]
        told = {
            "template": str(template),
            "moment": moment,
            "digest": digest,
            "ids": [new_id() for _ in part],
            "people": [one.person_id for one in part],
            "competitions": [one.competition_id for one in part],
            "keys": [one.key for one in part],
            "filled": [json.dumps(dict(one.filled_in)) for one in part],
        }
        made += len(connection.exec_driver_sql(written.sql, {**written.values, **told}).all())
    return made


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement as the driver wants it, and what it has besides the messages."""

    sql: str
    values: Mapping[str, object]


@cache
def _written(kind: MailKind, dialect: Dialect) -> _Written:
    """The statement for a kind, written once: SQLAlchemy would take longer to find it again than Postgres to do it."""
    compiled = _statement(kind).compile(dialect=dialect)
    fixed = {name: value.value if isinstance(value, Enum) else value for name, value in compiled.params.items()}
    return _Written(str(compiled), fixed)


def _statement(kind: MailKind) -> Insert:
    told = (
        func.unnest(
            bindparam("ids", type_=ARRAY(Uuid(as_uuid=True))),
            bindparam("people", type_=ARRAY(Uuid(as_uuid=True))),
            bindparam("competitions", type_=ARRAY(Uuid(as_uuid=True))),
            bindparam("keys", type_=ARRAY(Text)),
            bindparam("filled", type_=ARRAY(Text)),
        )
        .table_valued(
            column("id", Uuid(as_uuid=True)),
            column("person_id", Uuid(as_uuid=True)),
            column("competition_id", Uuid(as_uuid=True)),
            column("key", Text),
            column("filled", Text),
        )
        .render_derived(name="told")
    )
    moment = bindparam("moment", type_=Moment(timezone=True))
    digest = bindparam("digest", type_=Moment(timezone=True))
    daily = exists().where(
        MailPreference.person_id == Person.id,
        MailPreference.kind == kind,
        MailPreference.frequency == MailFrequency.DAILY,
    )
    is_for_digest = and_(cast(digest, Moment(timezone=True)).is_not(None), daily)
    table = OutboxMessage.__table__
    assert isinstance(table, Table)
    row = table.c
    values = {
        row.id: told.c.id,
        row.created: cast(moment, Moment(timezone=True)),
        row.kind: literal(kind, row.kind.type),
        row.competition_id: told.c.competition_id,
        row.person_id: Person.id,
        row.key: told.c.key,
        row.template: cast(bindparam("template"), row.template.type),
        row.filled_in: cast(told.c.filled, JSONB),
        row.status: literal(MailStatus.QUEUED, row.status.type),
        row.address: literal(""),
        row.domain: func.lower(func.split_part(Person.email, "@", 2)),
        row.attempts: literal(0),
        row.due: case((is_for_digest, digest), else_=moment),
        row.for_digest: is_for_digest,
        row.reply: literal(""),
    }
    chosen = (
        select(*values.values())
        .select_from(told.join(Person, Person.id == told.c.person_id))
        .where(why_not(kind, told.c.competition_id).is_(None))
    )
    return (
        # Of the table, not the class: a session would take what is filled in for rows to insert.
        insert(table).from_select(list(values), chosen).on_conflict_do_nothing().returning(row.id)
    )
