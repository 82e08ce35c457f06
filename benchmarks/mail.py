"""A campaign to 5,000 people, beside a bare loop of `smtplib` on as many connections: ratios in one run.

    .venv/bin/python benchmarks/mail.py [--rounds 3] [--connections 8] [--without-many] [--json FILE]

Starts a PostgreSQL and a mail server of its own: one that reads each message (`parse`), then one that throws them away
(`sink`), which no real one does; each also as one that offers to take commands at once (`pipelining`), which those that
people use do, and the bare loop makes no use of. Then, in turns, so that all see the same machine:

- *bare*: a thread for each connection that sends messages which were made before, and writes nothing down;
- *podium*: the sender of a campaign, from the approved campaign until it is sent: it claims rows, fills in and makes
  each message, marks it before it is handed over and writes down the answer.

With a mail server that takes 50 ms for each message the ideal is known: as many messages at a time as connections. The
last part, which `--without-many` leaves out, sends to 100,000 people in a process of its own, and looks at the memory
that it takes as it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import smtplib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from uuid import UUID

from filled_board import make_competition
from sqlalchemy import select, text

from podium.platform.database import Database
from podium.platform.identifiers import new_id
from podium.platform.lifecycle import CampaignStatus, MailStatus
from podium.platform.mail import outbox
from podium.platform.mail.addresses import mail_address
from podium.platform.mail.allowances import Rates
from podium.platform.mail.audience import Audience
from podium.platform.mail.campaigns import approve_campaign, draft_campaign, send_campaign
from podium.platform.mail.configuration import MailConfiguration
from podium.platform.mail.driving import Sending, begin_campaign, end_campaign
from podium.platform.mail.letters import CampaignLetters
from podium.platform.mail.links import MailLinks
from podium.platform.models import Competition, MailCampaign
from podium.platform.supervisor.postgres import PostgresCluster

PEOPLE = 5000
MANY = 100_000
SLOW_SECONDS = 0.05
SLOW_PEOPLE = 1500
LINKS = MailLinks("a key that only this benchmark knows, of 32", "https://podium.example.org", "")
BODY = (
    """# The final phase begins

Dear {{name}},

the final phase of **{{competition}}** begins on Monday. You find your submissions [here]({{submissions_link}}), and how
they stand [on the leaderboard]({{leaderboard_link}}).

* Two submissions a day, ten in all.
* The best one counts.

"""
    + "What counts is what your program makes of data that nobody has seen, so keep it general. " * 8
)
_FILL = """
INSERT INTO people (id, created, username, email, email_confirmed, name, is_administrator, may_organize)
  SELECT gen_random_uuid(), now(), 'participant-' || n, n || '@' || n % 97 || '.example.org', now(), 'Person ' || n,
    false, false
  FROM generate_series(1, :people) n;
INSERT INTO participants (competition_id, person_id, created, status)
  SELECT c.id, p.id, now(), 'approved' FROM competitions c, people p WHERE p.username LIKE 'participant-%'
"""

_FEWER = """
DELETE FROM participants
  WHERE person_id NOT IN (SELECT person_id FROM participants ORDER BY person_id LIMIT :people)
"""


def main() -> int:
    """Run the benchmark and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--without-many", action="store_true", help="without the 100,000 people")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--send", nargs=3, metavar=("URL", "CAMPAIGN", "PORT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        url, campaign, port = arguments.send
        _send_and_watch(Database(url), UUID(campaign), int(port), arguments.connections)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="podium-mail-"))
    folder.chmod(0o711)  # PostgreSQL may run as a user of its own
    try:
        with PostgresCluster(folder / "postgres", databases=()) as cluster:
            found = _measure(cluster, folder, arguments.rounds, arguments.connections)
            if not arguments.without_many:
                found |= _memory(cluster, folder, arguments.connections)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in found.items():
        print(f"{name:62}{value:12.2f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))
    return 0


def _measure(cluster: PostgresCluster, folder: Path, rounds: int, connections: int) -> dict[str, float]:
    database = _database(cluster, folder, "mail", PEOPLE)
    found: dict[str, float] = {}
    for kind, pipelining in (("parse", False), ("parse", True), ("sink", False), ("sink", True)):
        name = f"{kind}, pipelining" if pipelining else kind
        with _mail_server(kind, pipelining=pipelining) as port:
            bare, podium = _in_turns(database, port, connections, rounds, PEOPLE, name)
        found[f"messages a second, bare, to {name}"] = statistics.median(bare)
        found[f"messages a second, podium, to {name}"] = statistics.median(podium)
        ratio = statistics.median(b / a for a, b in zip(bare, podium, strict=True))
        found[f"podium to bare, to {name}{' (at least 0.8)' if kind == 'parse' else ''}"] = ratio
    with database.session() as session:
        session.execute(text(_FEWER), {"people": SLOW_PEOPLE})
    ideal = connections / SLOW_SECONDS
    for pipelining in (False, True):
        name = "50 ms each, pipelining" if pipelining else "50 ms each"
        with _mail_server("sink", SLOW_SECONDS, pipelining=pipelining) as port:
            bare, podium = _in_turns(database, port, connections, rounds, SLOW_PEOPLE, name)
        found[f"bare to the ideal of these connections, {name}"] = statistics.median(bare) / ideal
        found[f"podium to that ideal, {name} (at least 0.9)"] = statistics.median(podium) / ideal
    database.close()
    return found


def _in_turns(
    database: Database, port: int, connections: int, rounds: int, people: int, name: str
) -> tuple[list[float], list[float]]:
    """Messages a second of each round: bare, and of Podium."""
    bare, podium = [], []
    for _ in range(rounds):
        messages = _messages(database, port, connections)
        bare.append(people / _bare(messages, port, connections))
        podium.append(people / _podium(database, port, connections))
        print(f"{name}: bare {bare[-1]:.0f}/s, podium {podium[-1]:.0f}/s, load {os.getloadavg()[0]:.1f}", flush=True)
    return bare, podium


def _database(cluster: PostgresCluster, folder: Path, name: str, people: int) -> Database:
    database = Database(cluster.create_database(name))
    database.migrate()
    make_competition(database, folder / f"files-{name}")
    with database.session() as session:
        for statement in _FILL.split(";"):
            session.execute(text(statement), {"people": people})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return database


@contextmanager
def _mail_server(kind: str, seconds: float = 0, *, pipelining: bool = False) -> Iterator[int]:
    command = [sys.executable, str(Path(__file__).with_name("mail_server.py")), kind, str(seconds)]
    command += ["pipelining"] if pipelining else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def _configuration(port: int, connections: int) -> MailConfiguration:
    sender = mail_address("podium@example.org")
    assert sender is not None
    return MailConfiguration(
        host="127.0.0.1",
        port=port,
        security="none",
        username="",
        password="",
        ca_file=None,
        sender=sender,
        bounces=None,
        connections=connections,
        per_minute=None,
        domain_per_minute=None,
        timeout_seconds=60,
        retry_seconds=60,
        give_up_seconds=3600,
    )


def _campaign(database: Database) -> UUID:
    """One that is approved, and may be sent."""
    with database.session() as session:
        competition = session.scalars(select(Competition)).one()
        author = competition.organizer_id
        campaign = draft_campaign(
            session, competition, author, audience=Audience(), subject="Hello {{name}}", body=BODY, actor="benchmark"
        )
        approve_campaign(session, campaign, author, seen=1, needs_second=False, actor="benchmark")
        send_campaign(session, campaign, actor="benchmark")
        return campaign.id


def _messages(database: Database, port: int, connections: int) -> list[tuple[str, bytes]]:
    """The very messages of a campaign, made before they are sent; that campaign is sent to nobody."""
    campaign_id = _campaign(database)
    with database.session() as session:
        campaign = session.get_one(MailCampaign, campaign_id)
        letters = CampaignLetters(campaign, _configuration(port, connections), LINKS)
        taken = outbox.claim(session, campaign_id, new_id(), Rates(), most=PEOPLE)
        found = [(one.to, one.message) for one in letters.written(session, taken.messages)]
        session.rollback()
    return found


def _bare(messages: list[tuple[str, bytes]], port: int, connections: int) -> float:
    """Seconds that a loop takes."""
    waiting: SimpleQueue[tuple[str, bytes] | None] = SimpleQueue()
    for one in [*messages, *[None] * connections]:
        waiting.put(one)

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port) as server:
            while (one := waiting.get()) is not None:
                server.sendmail("podium@example.org", one[0], one[1])

    threads = [threading.Thread(target=send) for _ in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _podium(database: Database, port: int, connections: int) -> float:
    """Seconds from an approved campaign to one that is sent."""
    campaign_id = _campaign(database)
    started = time.perf_counter()
    _send(database, campaign_id, port, connections)
    return time.perf_counter() - started


def _send(database: Database, campaign_id: UUID, port: int, connections: int) -> None:
    with database.session() as session:
        assert begin_campaign(session, campaign_id)
    ended = Sending(database, _configuration(port, connections), LINKS).campaign(campaign_id)
    with database.session() as session:
        campaign = end_campaign(session, campaign_id, ended, None)
        assert campaign is not None
        assert campaign.status is CampaignStatus.SENT
        assert outbox.counts(session, campaign_id) == {MailStatus.SENT: campaign.total}


def _memory(cluster: PostgresCluster, folder: Path, connections: int) -> dict[str, float]:
    """What a process takes that sends to many: after a twentieth of them, and at the end."""
    database = _database(cluster, folder, "many", MANY)
    started = time.perf_counter()
    campaign_id = _campaign(database)
    found = {f"seconds to approve, {MANY:,} people": time.perf_counter() - started}
    url = database.url.render_as_string(hide_password=False)
    with _mail_server("sink") as port:
        command = [sys.executable, __file__, "--connections", str(connections), "--send", url, str(campaign_id)]
        started = time.perf_counter()
        done = subprocess.run([*command, str(port)], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - started
    early, late = (float(line) for line in done.stdout.split())
    database.close()
    return found | {
        f"messages a second, {MANY:,} people": MANY / seconds,
        "MiB after a twentieth of them": early,
        "MiB at the end": late,
    }


def _send_and_watch(database: Database, campaign_id: UUID, port: int, connections: int) -> None:
    def watch() -> None:
        while True:
            with database.session() as session:
                sent = outbox.counts(session, campaign_id).get(MailStatus.SENT, 0)
            if sent >= MANY / 20:
                print(_resident(), flush=True)
                return
            time.sleep(0.5)

    threading.Thread(target=watch, daemon=True).start()
    _send(database, campaign_id, port, connections)
    print(_resident(), flush=True)


def _resident() -> float:
    """MiB that this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    raise SystemExit(main())
