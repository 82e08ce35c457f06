"""The steps of `reconcile` and `tick`. They are no tasks of Prefect's: that would double what they cost."""

from __future__ import annotations

from datetime import timedelta

from podium.platform import phase_clock, reconciliation, storage_quotas, stored
from podium.platform.models import Chore
from podium.platform.storage import open_storage
from podium.platform.storage.keys import SHARDS
from podium.tasks.platform_services import PlatformServices

RECENT_SECONDS = 10.0
"""After an agent was away, all runs that were planned meanwhile come at once; one is enough."""

TIDYING = "tidy-storage"
TIDYING_SECONDS = 300.0
SHARDS_AT_ONCE = 16
"""Of 256: all are seen to within an hour and a half."""


def compare_with_prefect(services: PlatformServices) -> str:
    """Reconcile, unless that was done a moment ago; return what was repaired."""
    with services.database.session() as session:
        since = reconciliation.seconds_since(session, "reconcile")
    if since is not None and since < RECENT_SECONDS:
        return f"It was done {since:.0f} s ago."
    repairs = reconciliation.reconcile(services.database, services.orchestration, by="flow:reconcile")
    if repairs is None:
        return "Somebody else is at it."
    return ". ".join(filter(None, (str(repairs), tidy_up(services))))


def tidy_up(services: PlatformServices) -> str:
    """Go on with removing what nothing in the store is needed for any more; return what was removed, if anything.

    A part of the store at a time: it is seen to as a whole within some hours, and no run takes long.
    """
    settings = services.settings
    with services.database.session() as session:
        since = reconciliation.seconds_since(session, TIDYING)
        if since is not None and since < TIDYING_SECONDS:
            return ""
        chore = session.get(Chore, TIDYING)
        first = int(chore.outcome.get("next", 0)) if chore is not None else 0
        # Whoever comes meanwhile finds it done: the same part need not be seen to twice.
        reconciliation.note_chore(
            session, TIDYING, by="flow:reconcile", outcome={"next": (first + SHARDS_AT_ONCE) % len(SHARDS)}
        )
        storage_quotas.put_together(session)
    storage = open_storage(settings)
    grace = timedelta(seconds=settings.storage_grace_seconds)
    swept = stored.Swept()
    for shard in stored.shards_from(first, SHARDS_AT_ONCE):
        part = stored.sweep_content(services.database, storage, shard, grace=grace)
        swept.content += part.content
        swept.bytes += part.bytes
    if first == 0:
        swept.uploads = stored.sweep_uploads(
            services.database, storage, upload_seconds=settings.upload_seconds, grace=grace
        )
    return str(swept) if swept.content or swept.uploads else ""


def follow_the_clock(services: PlatformServices) -> str:
    """Announce what phases have opened or ended, and begin migrations; return what was done."""
    with services.database.session() as session:
        ticked = phase_clock.tick(session)
        reconciliation.note_chore(
            session, "tick", by="flow:tick", outcome={"opened": ticked.opened, "ended": ticked.ended}
        )
    return f"{ticked.opened} opened, {ticked.ended} ended, {len(ticked.migrating)} migrate"
