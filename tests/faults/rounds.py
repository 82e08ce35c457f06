"""One round: some submissions on their way, something breaks at a point of one's life, and all must end well."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg

from . import checks
from .breakages import break_and_mend
from .competition import QUESTIONS, write_code, write_results
from .participants import Participant, new_participants
from .plan import Planned
from .podium_site import LEASE_SECONDS, Site
from .points import Point, point_at, wait_for_point
from .report import Round

TICK_SECONDS = 5.0
RUN_SECONDS = 6.0
"""Three submissions of two seconds in two slots, on a busy machine."""
MARGIN_SECONDS = 4.0
ALLOWED_SECONDS = LEASE_SECONDS + TICK_SECONDS + RUN_SECONDS + MARGIN_SECONDS
"""Within this, from when all parts were well again, every submission has ended."""
WELL_SECONDS = 30.0


def play(planned: Planned, site: Site, folder: Path, seed: int) -> Round:
    """Play a round; called in the platform's network."""
    began = time.monotonic()
    chance = random.Random(f"{seed}-{planned.number}")
    played = Round(planned.number, planned.breakage.kind, planned.breakage.target, planned.point)
    with site.client(site.admin_token) as admin, site.database() as database:
        for left, _ in checks.unfinished(database):  # of a round that failed
            admin.cancel(left)
        people = new_participants(admin, site.gateway, 2)
    try:
        with ThreadPoolExecutor(3, thread_name_prefix="submit") as threads:
            _play(planned, site, chance, played, _submit(threads, planned, people, folder, chance))
    except Exception as error:  # noqa: BLE001  whatever it is, the round has failed, and others follow
        played.problems.append(f"{type(error).__name__}: {error}")
    with site.database() as database, site.client(site.admin_token) as admin:
        played.problems += checks.submissions(database, people)
        played.problems += checks.files(database, site.folder / "store" / "files", people)
        played.problems += checks.logs(database, people)
        played.problems += checks.quotas(database, people)
        played.problems += checks.leaderboard(database, admin)
        played.attempts = _attempts(database, people)
        played.hasty = checks.hasty_attempts(database, people)
        if played.hasty:
            played.problems.append(f"{played.hasty} attempts began before the pause after trouble was over")
    played.seconds = time.monotonic() - began
    return played


Submitting = Callable[[], list[Future[UUID]]]


def _submit(
    threads: ThreadPoolExecutor, planned: Planned, people: Sequence[Participant], folder: Path, chance: random.Random
) -> Submitting:
    linger = chance.uniform(0.05, 0.15) if planned.point is Point.SUBMITTED else 0
    parcels: list[tuple[Participant, Path, int]] = []
    for at, (person, write) in enumerate(
        ((people[0], write_code), (people[1], write_code), (people[0], write_results))
    ):
        right = chance.randint(1, QUESTIONS)
        parcels.append((person, write(folder / f"submission-{at}", right), right))

    def start() -> list[Future[UUID]]:
        return [threads.submit(person.submit, path, right, linger=linger) for person, path, right in parcels]

    return start


def _play(planned: Planned, site: Site, chance: random.Random, played: Round, submit: Submitting) -> None:
    with site.database() as database:
        before = {row[0] for row in checks.rows(database, "SELECT id FROM submissions")}
        submitting = submit()
        attempts = site.folder / "agent" / "attempts"
        aimed = wait_for_point(planned.point, database, attempts, before, chance)
    broken, undone = break_and_mend(planned.breakage, site, chance, is_over=lambda: _no_attempt(site))
    _mend(site, played, undone)
    for future in submitting:
        future.result()
    with site.database() as database:
        left = _wait_for_the_ends(database, until=undone + played.mended + ALLOWED_SECONDS)
        played.problems += [f"submission {one} is still {status}" for one, status in left]
        ended = checks.rows(database, "SELECT max(extract(epoch FROM ended)) FROM submissions")[0][0]
        played.recovered = max(0.0, float(ended or 0) - undone)
        if aimed:
            played.found_at = point_at(database, aimed, broken)


def _no_attempt(site: Site) -> bool:
    """Whether no attempt is under way, as far as the gateway knows."""
    with site.database() as database:
        return checks.rows(database, "SELECT count(*) FROM attempts WHERE status = 'active'") == [(0,)]


def _mend(site: Site, played: Round, undone: float) -> None:
    """Wait until all parts are well again."""
    while not site.is_well():
        assert time.time() < undone + WELL_SECONDS, f"not all parts are well after {WELL_SECONDS:.0f} s"
        time.sleep(0.1)
    played.mended = time.time() - undone


def _wait_for_the_ends(database: psycopg.Connection, *, until: float) -> list[tuple[UUID, str]]:
    """Wait until no submission is on its way; those that still are when the time is over have got stuck.

    Where the platform itself waits before it tries again, the time counts from the end of that.
    """
    while (left := checks.unfinished(database)) and time.time() < until:
        until = max(until, _next_try(database) + ALLOWED_SECONDS)
        time.sleep(0.05)
    return left


def _next_try(database: psycopg.Connection) -> float:
    """When the last of the submissions that are to be tried again will be; the platform waits longer each time."""
    query = "SELECT max(extract(epoch FROM not_before)) FROM submissions WHERE ended IS NULL"
    return float(checks.rows(database, query)[0][0] or 0)


def _attempts(database: psycopg.Connection, people: Sequence[Participant]) -> dict[str, int]:
    ids = [one for person in people for one in person.expected]
    found = checks.rows(database, "SELECT status::text FROM attempts WHERE submission_id = ANY(%s)", ids)
    return dict(Counter(str(row[0]) for row in found))
