"""That a run of one of the platform's own flows is alive: a lease, renewed from a thread while the flow runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from podium.platform.database import Database
from podium.platform.errors import PodiumError
from podium.platform.models import FlowLease, now

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=30)
RENEW_SECONDS = 5.0


@contextmanager
def alive(database: Database, flow_run_id: UUID, flow: str) -> Iterator[None]:
    """Hold the lease of a flow run while the block runs; without it `reconcile` takes the run for dead."""
    over = threading.Event()
    _renew(database, flow_run_id, flow)

    def renew_forever() -> None:
        while not over.wait(RENEW_SECONDS):
            try:
                _renew(database, flow_run_id, flow)
            except PodiumError as error:
                logger.warning("the lease of flow run %s could not be renewed: %s", flow_run_id, error)

    thread = threading.Thread(target=renew_forever, name=f"lease-{flow_run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)
        with database.session() as session:
            session.execute(delete(FlowLease).where(FlowLease.flow_run_id == flow_run_id))


def _renew(database: Database, flow_run_id: UUID, flow: str) -> None:
    expires = now() + LEASE
    with database.session() as session:
        session.execute(
            insert(FlowLease)
            .values(flow_run_id=flow_run_id, flow=flow, expires=expires)
            .on_conflict_do_update(index_elements=["flow_run_id"], set_={"expires": expires})
        )
