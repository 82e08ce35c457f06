"""`create-competition`: from an uploaded bundle to a competition, or to everything that is wrong with the bundle."""

from __future__ import annotations

from uuid import UUID

from prefect import flow

from podium.platform.bundles.problems import BundleRefused
from podium.platform.bundles.reader import read_bundle
from podium.platform.database import Database
from podium.platform.errors import PodiumError
from podium.platform.models import now
from podium.platform.orchestration import CREATE_COMPETITION
from podium.platform.settings import read_settings
from podium.platform.storage import open_storage
from podium.tasks.competitions import begin_reading, fail_bundle, refuse_bundle, store_files, write_competition
from podium.tasks.platform_services import holding_lease


@flow(name=CREATE_COMPETITION)
def create_competition(bundle_id: UUID) -> str | None:
    """Make a competition of a bundle.

    Returns:
        The competition's slug; `None` when the bundle was refused, and its problems are stored with it.
    """
    settings = read_settings()
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    storage = open_storage(settings)
    try:
        with (
            holding_lease(database, CREATE_COMPETITION),
            storage.local_file(begin_reading(database, bundle_id)) as path,
            read_bundle(path) as reading,
        ):
            if reading.content is None or reading.files is None:
                raise BundleRefused(reading.problems)
            stored = store_files(database, storage, reading.files, reading.content)
            return write_competition(
                database,
                bundle_id,
                reading.content,
                stored,
                reading.problems,
                now(),
                settings.limit_maxima,
                settings.storage_quota_bytes,
            )
    except BundleRefused as refused:
        refuse_bundle(database, bundle_id, refused.problems)
        return None
    except Exception as error:
        reason = str(error) if isinstance(error, PodiumError) else "Something went wrong on Podium's side."
        fail_bundle(database, bundle_id, f"{reason} The operators find it in Prefect; upload the bundle again later.")
        raise
    finally:
        database.close()
