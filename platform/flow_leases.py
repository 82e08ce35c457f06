"""That a run of one of the platform's own flows is alive: a lease, renewed from a thread while the flow runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.database import Database
from podium.platform.models import Bundle, FlowLease, ImportSession, MailCampaign, MailRound, PhaseMigration, Rerun, now

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=15)
RENEW_SECONDS = 3.0


@contextmanager
def alive(database: Database, flow_run_id: UUID, flow: str) -> Iterator[None]:
    """Hold the lease of a flow run while the block runs; without it `reconcile` takes the run for dead."""
    over = threading.Event()
    _renew(database, flow_run_id, flow)

    def renew_forever() -> None:
        while not over.wait(RENEW_SECONDS):
            try:
                _renew(database, flow_run_id, flow)
            except Exception:  # the thread must outlive whatever the database has: without it the run is taken for dead
                logger.exception("the lease of flow run %s could not be renewed", flow_run_id)

    thread = threading.Thread(target=renew_forever, name=f"lease-{flow_run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)
        with database.session() as session:
            session.execute(delete(FlowLease).where(FlowLease.flow_run_id == flow_run_id))


def let_go_of_dead(session: Session) -> int:
    """Let whatever waits for a flow run that is dead be dispatched again; return how many runs were dead.

    Prefect may take such a run for running; `reconcile` tells it better.
    """
    dead = session.scalars(select(FlowLease.flow_run_id).where(FlowLease.expires < now())).all()
    if dead:
        for model in (Bundle, Rerun, PhaseMigration, ImportSession, MailCampaign, MailRound):
            session.execute(update(model).where(model.flow_run_id.in_(dead)).values(flow_run_id=None))
        session.execute(delete(FlowLease).where(FlowLease.flow_run_id.in_(dead), FlowLease.expires < now()))
    return len(dead)


def _renew(database: Database, flow_run_id: UUID, flow: str) -> None:
    expires = now() + LEASE
    with database.session() as session:
        session.execute(
            insert(FlowLease)
            .values(flow_run_id=flow_run_id, flow=flow, expires=expires)
            .on_conflict_do_update(index_elements=["flow_run_id"], set_={"expires": expires})
        )
