"""Which rules of the sandbox a competition does without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.orm import Session

from podium.platform import audit
from podium.platform.bundles.content import Relaxations
from podium.platform.bundles.destinations import BadDestination, parse_destination
from podium.platform.database import notify
from podium.platform.errors import InvalidInput
from podium.platform.events import pool_topic, record_event
from podium.platform.models import Competition
from podium.platform.submissions.fitting import relaxations_of


def set_relaxations(
    session: Session, competition: Competition, *, network: Sequence[str] | None, root: bool | None, actor: str
) -> None:
    """Say which rules of the sandbox a competition does without; `None` leaves one as it is.

    It holds for whatever is scored from now on. Submissions wait until an agent allows it.

    Raises:
        InvalidInput: An entry of the allow-list can't stand in it.
    """
    before = relaxations_of(competition)
    after = Relaxations(
        network=before.network if network is None else _destinations(network),
        root=before.root if root is None else root,
    )
    if after == before:
        return
    strict = "Every rule of the sandbox holds."
    was, is_now = (" ".join(one.in_words()) or strict for one in (before, after))
    audit.note(session, "competition", before=was, after=is_now)
    record_event(
        session,
        subject="competition",
        subject_id=competition.id,
        before=_strictness(before),
        after=_strictness(after),
        actor=actor,
        reason=is_now,
    )
    competition.relaxations = asdict(after)
    notify(session, pool_topic(competition.pool.name))


def _destinations(texts: Sequence[str]) -> tuple[str, ...]:
    found, problems = [], []
    for text in texts:
        try:
            found.append(str(parse_destination(text)))
        except BadDestination as bad:
            problems.append(f"'{text[:80]}': {bad}")
    if problems:
        raise InvalidInput(
            f"This can't be allowed: {'; '.join(problems)}.", remedy="Write host:port, such as data.example:443."
        )
    return tuple(dict.fromkeys(found))


def _strictness(relaxations: Relaxations) -> str:
    return "relaxed" if relaxations.in_words() else "strict"
