"""Organizers' pools in Prefect: made when somebody makes one, and again when Prefect has lost them."""

from __future__ import annotations

import logging

from sqlalchemy import select

from podium.platform.database import Database
from podium.platform.models import Pool
from podium.platform.orchestration import Orchestration

logger = logging.getLogger(__name__)


def register_pools(database: Database, orchestration: Orchestration) -> list[str]:
    """Make Prefect have what scores in every pool of an organizer's; return a line for each thing that was missing.

    Raises:
        PlatformFault: Prefect or Postgres can't be reached; what was made until then stays so.
    """
    with database.session() as session:
        wanted = set(session.scalars(select(Pool.name).where(Pool.owner_id.is_not(None))))
    if not wanted:
        return []
    missing = wanted - orchestration.scoring_pools()
    lines = [line for name in sorted(missing) for line in orchestration.register_scoring_pool(name)]
    if missing:
        logger.warning("Prefect lacked pools of organizers, made again: %s", ", ".join(sorted(missing)))
    return lines
