"""Steps of the import of images. They need the database and the storage: they run on the platform's own pool."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from sqlalchemy import CursorResult, select, update

from podium.platform.database import Database, notify
from podium.platform.errors import PlatformFault
from podium.platform.events import import_topic
from podium.platform.image_imports import UNDER_WAY, skipped_paths
from podium.platform.image_records import StoredImage, write_report
from podium.platform.images.limits import ImportLimits
from podium.platform.images.problems import Reason
from podium.platform.images.report import ImportReport
from podium.platform.images.session import import_files
from podium.platform.lifecycle import IllegalTransition, ImportStatus
from podium.platform.models import ImportSession, ImportUpload, now
from podium.platform.settings import ServerSettings
from podium.platform.storage import Storage, StoredContent
from podium.platform.stored import store
from podium.platform.transitions import move_import
from podium.tasks.workplace import AGENT_LEAVES

logger = logging.getLogger(__name__)
ACTOR = "flow:import-images"
TOLD_SECONDS = 1.0
"""How often watchers are told how far it is."""
NEEDED_LIBRARY = "SimpleITK"
LEFT_SECONDS = 3 * 86400
"""A folder that is so old belongs to a run that was killed."""


class Superseded(Exception):
    """Another run imports the session now, or it is gone."""


class AgentLeaves(Exception):
    """This agent has to end: another will import it anew."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of the store that is to be imported."""

    path: str
    key: str
    is_pack: bool


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What one run imports.

    Attributes:
        run: Its number in the session.
        done: Files that are part of images already, and are left aside.
    """

    session_id: UUID
    run: int
    uploads: tuple[UploadedFile, ...]
    done: frozenset[str]


class Telling:
    """Tells watchers how far a run is, and finds out whether it should go on."""

    def __init__(self, database: Database, plan: ImportPlan) -> None:
        self._database = database
        self._plan = plan
        self._told = float("-inf")
        self._step = ""

    def __call__(self, step: str, done: int, total: int) -> None:
        """Tell of a step.

        Raises:
            Superseded: The session is another run's now.
            AgentLeaves: This agent has to end.
        """
        if AGENT_LEAVES.is_set():
            raise AgentLeaves
        present = time.monotonic()
        if step == self._step and done < total and present - self._told < TOLD_SECONDS:
            return
        self._told, self._step = present, step
        with self._database.session() as session:
            result = session.execute(
                update(ImportSession)
                .where(
                    ImportSession.id == self._plan.session_id,
                    ImportSession.runs == self._plan.run,
                    ImportSession.status == ImportStatus.IMPORTING,
                )
                .values(step=step, done=done, total=total, version=ImportSession.version + 1)
            )
            assert isinstance(result, CursorResult)
            if result.rowcount != 1:
                raise Superseded
            notify(session, import_topic(self._plan.session_id))


@task(cache_policy=NO_CACHE)
def begin_import(database: Database, session_id: UUID) -> ImportPlan | None:
    """Mark the session as being imported, and say what is to be; `None` where there is nothing to do for this run."""
    context = FlowRunContext.get()
    mine = context.flow_run.id if context is not None and context.flow_run is not None else None
    with database.session() as session:
        row = session.get(ImportSession, session_id, with_for_update={"of": ImportSession})
        if row is None or row.status not in UNDER_WAY or (mine and row.flow_run_id not in {None, mine}):
            return None
        uploads = session.scalars(
            select(ImportUpload)
            .where(ImportUpload.session_id == session_id, ImportUpload.removed.is_(None))
            .order_by(ImportUpload.created, ImportUpload.id)
        ).all()
        if missing := [one.path for one in uploads if one.content is None]:
            raise PlatformFault(f"The session was queued before {len(missing)} of its files had arrived.")
        run = row.runs + 1
        move_import(
            session, row, ImportStatus.IMPORTING, actor=ACTOR, runs=run, started=now(), step="", done=0, total=0
        )
        return ImportPlan(
            session_id,
            run,
            tuple(UploadedFile(one.path, one.content or "", one.is_pack) for one in uploads),
            skipped_paths(session, row),
        )


@task(cache_policy=NO_CACHE)
def import_uploads(
    settings: ServerSettings, storage: Storage, plan: ImportPlan, folder: Path, tell: Callable[[str, int, int], None]
) -> ImportReport:
    """Fetch what was uploaded, and make images of it in the folder `images`.

    Raises:
        PlatformFault: They can't be fetched or read here, which is no fault of the files.
    """
    if find_spec(NEEDED_LIBRARY) is None:
        raise PlatformFault(
            "This host of the pool 'cpu' can't read images.", remedy="Install `podium[server,images]` on it."
        )
    sources = folder / "sources"
    sources.mkdir()
    names: dict[str, str] = {}
    for number, upload in enumerate(plan.uploads):
        with storage.local_file(upload.key) as path:
            # A copy, so that whoever reads it can't reach what is stored.
            shutil.copyfile(path, sources / str(number))
        names[str(number)] = upload.path
        tell("fetched", number + 1, len(plan.uploads))
    report = import_files(
        sources,
        folder / "images",
        limits=limits_of(settings),
        progress=tell,
        names=names,
        packs={upload.path for upload in plan.uploads if upload.is_pack},
        done=plan.done,
    )
    if any(file.reason is Reason.NO_ROOM for file in report.rejected):
        raise PlatformFault("The platform's disk was full while images were imported.")
    return report


def limits_of(settings: ServerSettings) -> ImportLimits:
    """What the operator allows."""
    return ImportLimits(
        voxel_bytes=settings.import_voxel_bytes,
        memory_bytes=settings.import_memory_bytes,
        cpu_seconds=settings.import_seconds,
        wall_seconds=settings.import_seconds,
        file_bytes=settings.import_voxel_bytes + (1 << 30),
    )


@task(cache_policy=NO_CACHE)
def store_images(
    database: Database,
    storage: Storage,
    report: ImportReport,
    folder: Path,
    tell: Callable[[str, int, int], None],
) -> dict[str, StoredImage]:
    """Put the images into the store, by their folders in the report; nothing refers to them yet."""
    stored: dict[str, StoredImage] = {}
    for number, made in enumerate(report.images):
        here = folder / "images" / made.folder
        names = (made.image.file, made.image.thumbnail, made.image.preview)
        file, thumbnail, preview = (_stored(database, storage, here / name) for name in names)
        if file.sha256 != made.image.sha256:
            raise PlatformFault("An image changed between being made and being stored.")
        stored[made.folder] = StoredImage(file, thumbnail, preview)
        tell("stored", number + 1, len(report.images))
    return stored


def _stored(database: Database, storage: Storage, path: Path) -> StoredContent:
    # The store takes files from its own disk, which this one need not be on.
    with storage.new_file() as file:
        shutil.move(path, file)
        return store(database, storage, file)


@task(cache_policy=NO_CACHE)
def record_report(
    database: Database, plan: ImportPlan, report: ImportReport, stored: dict[str, StoredImage], *, quota_bytes: int
) -> str:
    """Write images and report in one transaction, and show the report in Prefect's pages; return it in a sentence.

    Raises:
        Superseded: The session is another run's now.
        StorageFull: The images have no room; nothing was written.
    """
    with database.session() as session:
        row = session.get(ImportSession, plan.session_id, with_for_update={"of": ImportSession})
        if row is None or row.runs != plan.run:
            raise Superseded
        try:
            write_report(session, row, report, stored, run=plan.run, actor=ACTOR, quota_bytes=quota_bytes)
        except IllegalTransition as error:
            raise Superseded from error
        told = row.message
    _publish(plan, report, told)
    return told


@task(cache_policy=NO_CACHE)
def fail_import(database: Database, plan: ImportPlan, reason: str) -> bool:
    """Mark the session as failed, through no fault of its files; all that was uploaded is kept.

    Returns:
        Whether it was still this run's.
    """
    with database.session() as session:
        row = session.get(ImportSession, plan.session_id, with_for_update={"of": ImportSession})
        is_ours = row is not None and row.status is ImportStatus.IMPORTING and row.runs == plan.run
        if row is not None and is_ours:
            move_import(session, row, ImportStatus.FAILED, actor=ACTOR, reason=reason, run=plan.run)
        return is_ours


@task(cache_policy=NO_CACHE)
def say_why_it_waits(database: Database, plan: ImportPlan, reason: str) -> None:
    """Say in the session why it is not done yet; it is imported again when Podium gets to it."""
    with database.session() as session:
        session.execute(
            update(ImportSession)
            .where(
                ImportSession.id == plan.session_id,
                ImportSession.runs == plan.run,
                ImportSession.status == ImportStatus.IMPORTING,
            )
            .values(message=reason, version=ImportSession.version + 1)
        )
        notify(session, import_topic(plan.session_id))


def import_folder(settings: ServerSettings, plan: ImportPlan) -> Path:
    """A fresh folder for a run. What runs before have left here, when they were killed, is removed."""
    parent = settings.import_folder or Path(tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob("podium-import-*"):
        with suppress(OSError):
            is_own = old.name.startswith(f"podium-import-{plan.session_id}-")
            if is_own or time.time() - old.lstat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"podium-import-{plan.session_id}-", dir=parent))


def _publish(plan: ImportPlan, report: ImportReport, told: str) -> None:
    """Show the report in Prefect's pages. No names: Prefect's database is the operators', and paths may name people."""
    try:
        create_markdown_artifact(
            key=f"import-{plan.session_id}",
            markdown=report_in_markdown(plan, report, told),
            description=f"Import session {plan.session_id}, run {plan.run}",
        )
    except Exception:  # whatever Prefect has against it, the images are there
        logger.exception("the report of import session %s was not shown in Prefect", plan.session_id)


def report_in_markdown(plan: ImportPlan, report: ImportReport, told: str) -> str:
    """The report as Prefect's pages show it: counts and reasons, without what files are called."""
    lines = [
        f"# Import session {plan.session_id}",
        "",
        told,
        "",
        f"* run {plan.run}, {len(plan.uploads)} uploads, {len(plan.done)} files imported before",
        f"* {report.seconds:.1f} s, of processors {report.cpu_seconds:.1f} s",
        f"* {report.peak_bytes / 2**20:.0f} MiB at most in one process",
        f"* processes held by {report.isolation}",
        "",
    ]
    for title, counted in (
        ("rejected for", Counter(file.reason.value for file in report.rejected)),
        ("flagged", Counter(flag.kind.value for made in report.images for flag in made.image.flags)),
        ("image", Counter(f"{made.image.type.value} {made.image.value_type}" for made in report.images)),
    ):
        if counted:
            lines += [f"| {title} | count |", "| --- | --- |"]
            lines += [f"| {name} | {count} |" for name, count in counted.most_common()]
            lines.append("")
    return "\n".join(lines)
