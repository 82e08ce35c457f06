"""`import-images`: from uploaded files to images of a dataset or submission, and a report that tells of every file."""

from __future__ import annotations

import shutil
from uuid import UUID

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from podium.platform.database import Database
from podium.platform.errors import PlatformFault, StorageFull
from podium.platform.image_imports import TRIED_AGAIN
from podium.platform.orchestration import IMPORT_IMAGES
from podium.platform.settings import ServerSettings, read_settings
from podium.platform.storage import Storage, open_storage
from podium.tasks.images import (
    AgentLeaves,
    ImportPlan,
    Superseded,
    Telling,
    begin_import,
    fail_import,
    import_folder,
    import_uploads,
    record_report,
    say_why_it_waits,
    store_images,
)
from podium.tasks.platform_services import holding_lease

KEPT = "Nothing that was uploaded is lost"


@flow(name=IMPORT_IMAGES)
def import_images(session_id: UUID) -> State[None]:
    """Import what was uploaded to a session. It may be killed at any point, and begun again."""
    settings = read_settings()
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    storage = open_storage(settings)
    try:
        with holding_lease(database, IMPORT_IMAGES):
            plan = begin_import(database, session_id)
            if plan is None:
                return Completed(name="Skipped", message="There is nothing to do: it is over, or gone.")
            return _run(settings, database, storage, plan)
    finally:
        database.close()


def _run(settings: ServerSettings, database: Database, storage: Storage, plan: ImportPlan) -> State[None]:
    try:
        return Completed(message=_import(settings, database, storage, plan))
    except Superseded:
        return _superseded()
    except AgentLeaves:
        return Completed(name="Interrupted", message="The agent has to end; another will import it anew.")
    except StorageFull as full:
        fail_import(database, plan, f"{full.detail} {full.remedy} {KEPT}: then try again.")
        return Completed(name="NoRoom", message="The owner has no room left for the images.")
    except PlatformFault as fault:
        # Left as it is: it is dispatched again by itself, some times.
        say_why_it_waits(database, plan, f"{fault.detail}{TRIED_AGAIN} {KEPT}.")
        raise
    except Exception:  # nobody may wait for an import that has died; Prefect keeps what it died of
        reason = f"Something went wrong on Podium's side. {KEPT}: try again later. The operators find why in Prefect."
        if not fail_import(database, plan, reason):
            return _superseded()  # a later run on this host clears away what an earlier one has
        raise


def _superseded() -> State[None]:
    return Completed(name="Superseded", message="Another run imports the session, or it is gone.")


def _import(settings: ServerSettings, database: Database, storage: Storage, plan: ImportPlan) -> str:
    folder = import_folder(settings, plan)
    tell = Telling(database, plan)
    try:
        report = import_uploads(settings, storage, plan, folder, tell)
        stored = store_images(database, storage, report, folder, tell)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return record_report(database, plan, report, stored, quota_bytes=settings.storage_quota_bytes)
