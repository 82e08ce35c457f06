"""Steps of competition creation. They need the database and the storage: they run on the platform's own pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from prefect import task
from prefect.cache_policies import NO_CACHE

from podium.platform.bundles.archive import BundleFiles
from podium.platform.bundles.content import CompetitionContent, FileInBundle
from podium.platform.bundles.dates import shift_schedule
from podium.platform.bundles.problems import BundleRefused, Problem, Severity
from podium.platform.competition_creation import CompetitionWriter, dataset_sources
from podium.platform.database import Database
from podium.platform.errors import PlatformFault, StorageFull
from podium.platform.lifecycle import BundleStatus
from podium.platform.models import Bundle
from podium.platform.models.competitions import NOW
from podium.platform.storage import Storage, StoredContent
from podium.platform.storage_quotas import require_within
from podium.platform.stored import store
from podium.platform.transitions import move_bundle

ACTOR = "flow:create-competition"


@task(cache_policy=NO_CACHE)
def begin_reading(database: Database, bundle_id: UUID) -> str:
    """Mark the bundle as being read, and return its key in the store.

    Raises:
        IllegalTransition: It was created, refused or failed already.
    """
    with database.session() as session:
        bundle = session.get_one(Bundle, bundle_id)
        move_bundle(session, bundle, BundleStatus.READING, actor=ACTOR)
        if bundle.content is None:
            raise PlatformFault("The bundle was queued before it was uploaded.")
        return bundle.content


@task(cache_policy=NO_CACHE)
def store_files(
    database: Database, storage: Storage, files: BundleFiles, content: CompetitionContent
) -> dict[str, StoredContent]:
    """Keep every dataset and the logo; folders are zipped. Return where, by path in the bundle."""
    wanted = {source.path: source for _, source in dataset_sources(content) if isinstance(source, FileInBundle)}
    wanted[content.image] = FileInBundle(content.image, is_folder=False)
    stored = {}
    for path, source in wanted.items():
        with storage.new_file() as file:
            if source.is_folder:
                files.write_folder_zip(path, file)
            else:
                files.copy_file(path, file)
            stored[path] = store(database, storage, file)
    return stored


@task(cache_policy=NO_CACHE)
def write_competition(
    database: Database,
    bundle_id: UUID,
    content: CompetitionContent,
    stored: dict[str, StoredContent],
    warnings: Sequence[Problem],
    moment: datetime,
    maxima: Mapping[str, float],
    quota_bytes: int,
) -> str:
    """Make the competition and mark the bundle as created, in one transaction; return the competition's slug.

    Raises:
        BundleRefused: The bundle names something that is not there, asks for more than the operator allows by
            `maxima`, or its files take more room than its organizer has; nothing was made.
    """
    with database.session() as session:
        bundle = session.get_one(Bundle, bundle_id, with_for_update=True)
        if bundle.start is not None:
            content = shift_schedule(content, moment if bundle.start == NOW else datetime.fromisoformat(bundle.start))
        competition, more = CompetitionWriter(session, bundle, content, stored, maxima=maxima).write()
        try:
            require_within(session, bundle.owner_id, default=quota_bytes)
        except StorageFull as full:
            raise BundleRefused([Problem(Severity.ERROR, full.detail, suggestion=full.remedy)]) from None
        move_bundle(
            session,
            bundle,
            BundleStatus.CREATED,
            actor=ACTOR,
            competition_id=competition.id,
            problems=[asdict(problem) for problem in (*warnings, *more)],
        )
        return competition.slug


@task(cache_policy=NO_CACHE)
def refuse_bundle(database: Database, bundle_id: UUID, problems: Sequence[Problem]) -> None:
    """Mark the bundle as refused, with everything that is wrong with it."""
    with database.session() as session:
        bundle = session.get_one(Bundle, bundle_id)
        move_bundle(
            session,
            bundle,
            BundleStatus.REFUSED,
            actor=ACTOR,
            reason="The bundle has problems.",
            problems=[asdict(problem) for problem in problems],
        )


@task(cache_policy=NO_CACHE)
def fail_bundle(database: Database, bundle_id: UUID, reason: str) -> None:
    """Mark the bundle as failed through no fault of its own."""
    with database.session() as session:
        move_bundle(session, session.get_one(Bundle, bundle_id), BundleStatus.FAILED, actor=ACTOR, reason=reason)
