"""The steps of `reconcile` and `tick`. They are no tasks of Prefect's: that would double what they cost."""

from __future__ import annotations

from podium.platform import phase_clock, reconciliation
from podium.tasks.platform_services import PlatformServices

RECENT_SECONDS = 10.0
"""After an agent was away, all runs that were planned meanwhile come at once; one is enough."""


def compare_with_prefect(services: PlatformServices) -> str:
    """Reconcile, unless that was done a moment ago; return what was repaired."""
    with services.database.session() as session:
        since = reconciliation.seconds_since(session, "reconcile")
    if since is not None and since < RECENT_SECONDS:
        return f"It was done {since:.0f} s ago."
    repairs = reconciliation.reconcile(services.database, services.orchestration, by="flow:reconcile")
    return "Somebody else is at it." if repairs is None else str(repairs)


def follow_the_clock(services: PlatformServices) -> str:
    """Announce what phases have opened or ended, and begin migrations; return what was done."""
    with services.database.session() as session:
        ticked = phase_clock.tick(session)
        reconciliation.note_chore(
            session, "tick", by="flow:tick", outcome={"opened": ticked.opened, "ended": ticked.ended}
        )
    return f"{ticked.opened} opened, {ticked.ended} ended, {len(ticked.migrating)} migrate"
