"""What must hold after each round, by Postgres itself and by what the gateway says. Each check lists what is wrong."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from podium.platform.client import Client
from podium.platform.client.transfers import Fingerprint
from podium.platform.errors import QuotaExceeded

from .competition import PER_DAY, SLUG, TOTAL
from .participants import Participant

TERMINAL = frozenset({"finished", "failed", "cancelled"})
_NOT_THE_SUBMISSIONS_DOING = frozenset({"lost", "platform_error"})
_MOST_ATTEMPTS = 3
_PAUSE_SECONDS = 2.9
_NOTHING = Fingerprint(size=1, sha256="0" * 64)


def rows(connection: psycopg.Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values).fetchall()


def unfinished(connection: psycopg.Connection) -> list[tuple[UUID, str]]:
    """Submissions that are on their way, and their status."""
    return [(row[0], str(row[1])) for row in rows(connection, "SELECT id, status FROM submissions WHERE ended IS NULL")]


def submissions(connection: psycopg.Connection, people: Sequence[Participant]) -> Iterator[str]:
    """None is lost, each has ended as it should, and was scored once and rightly."""
    expected = {one: score for person in people for one, score in person.expected.items()}
    given_up = {one for person in people for one in person.given_up}
    names = [person.name for person in people]
    found = rows(
        connection,
        "SELECT s.id, s.status::text, s.status_message, s.counts FROM submissions s JOIN people p ON p.id = s.person_id"
        " WHERE p.username = ANY(%s)",
        names,
    )
    for gone in (expected.keys() | given_up) - {row[0] for row in found}:
        yield f"submission {gone} is lost"
    for submission, status, message, counts in found:
        if submission in given_up:
            if (status, counts) != ("cancelled", False):
                yield f"{submission}, which its participant gave up, is {status}, and counts: {counts}"
        elif submission not in expected:
            yield f"submission {submission} is nobody's"
        elif status != "finished":
            yield f"submission {submission} is {status}: {message}"
        else:
            yield from _scored_once(connection, submission, expected[submission])
        if status != "finished":
            yield from _not_scored(connection, submission)


def _scored_once(connection: psycopg.Connection, submission: UUID, expected: float) -> Iterator[str]:
    attempts = rows(
        connection, "SELECT id, status::text FROM attempts WHERE submission_id = %s ORDER BY number", submission
    )
    good = [row[0] for row in attempts if row[1] == "succeeded"]
    if len(good) != 1 or any(row[1] not in {"succeeded", *_NOT_THE_SUBMISSIONS_DOING} for row in attempts):
        yield f"submission {submission} is finished, with attempts {[row[1] for row in attempts]}"
    if len(attempts) > _MOST_ATTEMPTS:
        yield f"submission {submission} had {len(attempts)} attempts"
    ends = rows(
        connection, "SELECT after FROM events WHERE subject_id = %s AND after = ANY(%s)", submission, [*TERMINAL]
    )
    if len(ends) != 1:
        yield f"submission {submission} ended {len(ends)} times: {ends}"
    evaluations = rows(
        connection,
        "SELECT e.id, e.status::text, e.verdict::text, e.attempt_id, array_agg(c.key || '=' || c.value)"
        " FROM evaluations e LEFT JOIN scores c ON c.evaluation_id = e.id WHERE e.submission_id = %s GROUP BY e.id",
        submission,
    )
    wanted = [("succeeded", None, *good[:1], [f"accuracy={expected:g}"])]
    if [row[1:] for row in evaluations] != wanted:
        yield f"evaluations of submission {submission} are {evaluations}; expected {wanted}"


def hasty_attempts(connection: psycopg.Connection, people: Sequence[Participant]) -> int:
    """Attempts that began too soon after trouble of the platform: the pause is there to outlast the trouble."""
    query = (
        "SELECT count(*) FROM attempts a JOIN attempts b ON b.submission_id = a.submission_id"
        " AND b.number = a.number + 1 AND b.started < a.ended + %s * interval '1 second'"
        " WHERE a.status = 'platform_error' AND a.submission_id = ANY(%s)"
    )
    ids = [one for person in people for one in person.expected]
    return int(rows(connection, query, _PAUSE_SECONDS, ids)[0][0])


def _not_scored(connection: psycopg.Connection, submission: UUID) -> Iterator[str]:
    query = "SELECT count(*) FROM scores c JOIN evaluations e ON e.id = c.evaluation_id WHERE e.submission_id = %s"
    if rows(connection, query, submission) != [(0,)]:
        yield f"submission {submission} is not finished, and has scores"


def files(connection: psycopg.Connection, store: Path, people: Sequence[Participant]) -> Iterator[str]:
    """What was submitted and what came of it is in the store, whole."""
    ids = [one for person in people for one in person.expected]
    kept = rows(
        connection,
        "SELECT content, sha256, size FROM submissions WHERE id = ANY(%s) UNION"
        " SELECT o.content, o.sha256, o.size FROM outputs o JOIN evaluations e ON e.id = o.evaluation_id"
        " WHERE e.submission_id = ANY(%s)",
        ids,
        ids,
    )
    for key, sha256, size in kept:
        content = (store / str(key)).read_bytes() if (store / str(key)).is_file() else b""
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            yield f"{key} is not whole in the store"
    outputs = rows(
        connection,
        "SELECT e.submission_id, count(*) FILTER (WHERE o.kind IN ('prediction_output', 'scoring_output'))"
        " FROM evaluations e JOIN submissions s ON s.id = e.submission_id LEFT JOIN outputs o ON o.evaluation_id = e.id"
        " WHERE s.status = 'finished' AND s.id = ANY(%s) GROUP BY 1",
        ids,
    )
    yield from (f"submission {row[0]} has {row[1]} of 2 outputs" for row in outputs if row[1] != 2)


def logs(connection: psycopg.Connection, people: Sequence[Participant]) -> Iterator[str]:
    """The log of the attempt that counts has no hole, and no piece twice."""
    ids = [one for person in people for one in person.expected]
    pieces = rows(
        connection,
        "SELECT a.id, l.stream::text, l.offset, l.text FROM log_texts l JOIN attempts a ON a.id = l.attempt_id"
        " WHERE a.status = 'succeeded' AND a.submission_id = ANY(%s) ORDER BY 1, 2, 3",
        ids,
    )
    ends: dict[tuple[UUID, str], int] = defaultdict(int)
    texts: dict[UUID, str] = defaultdict(str)
    for attempt, stream, offset, text in pieces:
        if offset != ends[attempt, stream]:
            yield f"log {stream} of attempt {attempt} goes on at {offset} after {ends[attempt, stream]}"
        ends[attempt, stream] += len(text.encode())
        texts[attempt] += text
    query = "SELECT id FROM attempts WHERE status = 'succeeded' AND submission_id = ANY(%s)"
    yield from (
        f"the log of attempt {one} lacks its score"
        for (one,) in rows(connection, query, ids)
        if "right:" not in texts[one]
    )


def quotas(connection: psycopg.Connection, people: Iterable[Participant]) -> Iterator[str]:
    """What is left is what was allowed less what counts: in Postgres, by the API, and when one tries."""
    for person in people:
        query = (
            "SELECT s.created FROM submissions s JOIN people p ON p.id = s.person_id WHERE s.counts AND p.username = %s"
        )
        created = [row[0] for row in rows(connection, query, person.name)]
        if len(created) != len(person.expected):
            yield f"{len(created)} submissions of {person.name} count, {len(person.expected)} should"
        today = sum(one.astimezone(UTC).date() == datetime.now(UTC).date() for one in created)
        total = TOTAL - len(person.expected)
        left = (max(0, min(PER_DAY - today, total)), total)
        with person.client() as client:
            allowed = client.allowance(SLUG)
            if (allowed.left_in_window, allowed.left_total) != left:
                yield f"{person.name} has {allowed} left; expected {left}"
            yield from _tries(client, person, left[0])


def _tries(client: Client, person: Participant, left: int) -> Iterator[str]:
    """Take what is left and one more, which is refused; give all of it back."""
    taken = []
    try:
        while len(taken) < left:
            taken.append(client.start_submission(SLUG, "one-more.zip", _NOTHING).submission.id)
        try:
            taken.append(client.start_submission(SLUG, "one-too-many.zip", _NOTHING).submission.id)
        except QuotaExceeded:
            pass
        else:
            yield f"{person.name} could submit more than was left"
    except QuotaExceeded:
        yield f"{person.name} could submit {len(taken)} more; {left} were left"
    for one in taken:
        client.cancel(one)
        person.given_up.add(one)


def leaderboard(connection: psycopg.Connection, client: Client) -> Iterator[str]:
    """The board is the one that the scores give: the best of each participant, the earlier one of equals."""
    scored = rows(
        connection,
        "SELECT p.username, s.id, c.value, s.created FROM submissions s JOIN people p ON p.id = s.person_id"
        " JOIN evaluations e ON e.submission_id = s.id JOIN scores c ON c.evaluation_id = e.id"
        " WHERE s.status = 'finished' ORDER BY c.value DESC, s.created",
    )
    best: dict[str, tuple[UUID, float]] = {}
    for name, submission, value, _ in scored:
        best.setdefault(name, (submission, value))
    values = [value for _, value in best.values()]
    wanted = [(1 + values.index(value), name, one, (value,)) for name, (one, value) in best.items()]
    shown = [(row.rank, row.participant, row.submission_id, row.scores) for row in client.each_leaderboard_row(SLUG)]
    if shown != wanted:
        yield f"the leaderboard differs: {[pair for pair in zip(shown, wanted, strict=False) if pair[0] != pair[1]]}"
    stored = rows(connection, "SELECT submission_id, scores FROM leaderboard_entries WHERE until IS NULL")
    marked = rows(connection, "SELECT id FROM submissions WHERE on_leaderboard")
    if {(one, *scores) for one, scores in stored} != set(best.values()) or {one for (one,) in marked} != {
        one for one, _ in best.values()
    }:
        yield "the entries in Postgres are not those of the leaderboard"
