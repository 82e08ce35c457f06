"""`scale-pool`: start and stop agents by what waits. Planned every 20 seconds, for all pools that are scaled."""

from __future__ import annotations

import logging
import re

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.models import now
from podium.platform.orchestration import SCALE_POOL
from podium.platform.records.scaling import ScalingRecord
from podium.platform.scaling.report import report_in_markdown
from podium.tasks.platform_services import platform_services
from podium.tasks.scaling import scale_pools

logger = logging.getLogger(__name__)


@flow(name=SCALE_POOL, flow_run_name=lambda: f"{SCALE_POOL} {now():%Y-%m-%d %H:%M:%S}")
def scale_pool(pool: str = "") -> State[None]:
    """Look after the pools that are scaled, or after one; a report in Prefect's pages for all that was changed."""
    with platform_services(SCALE_POOL) as services:
        changed = scale_pools(services, pool)
    for record in changed:
        _publish(record)
    return Completed(message="; ".join(_summary(record) for record in changed) or "Nothing to change.")


def _publish(record: ScalingRecord) -> None:
    try:
        create_markdown_artifact(
            key=f"scaling-{re.sub('[^a-z0-9]+', '-', record.pool.lower())}",
            markdown=report_in_markdown(record),
            description=f"Agents of pool {record.pool}",
        )
    except Exception:  # whatever Prefect has against it, what was decided is done
        logger.exception("the report of pool %s was not shown in Prefect", record.pool)


def _summary(record: ScalingRecord) -> str:
    if record.failure:
        return f"{record.pool}: {record.failure}"
    latest = record.decisions[0]
    return f"{record.pool}: {latest.action}, {len(record.agents)} agents"
