"""Imports of images driven the way that the gateway and the flow do it, without a Prefect server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import SimpleITK as sitk
from sqlalchemy import select
from world import Known, World, sha256_of

from podium.flows import images as flow
from podium.platform import image_imports
from podium.platform.image_access import Target, dataset_target, submission_target
from podium.platform.images import session
from podium.platform.images.child_work import answer_to
from podium.platform.images.job_kinds import Answer, Job
from podium.platform.images.problems import Refusal
from podium.platform.models import Dataset, Image, ImportedFile, ImportSession, ImportUpload
from podium.platform.storage import incoming_key

STEPS = ("begin_import", "import_uploads", "store_images", "record_report", "fail_import", "say_why_it_waits")
QUOTA = 10**9


class _Hands:
    isolation = "none"
    peak_bytes = 0
    cpu_seconds = 0.0

    def do(self, jobs: Sequence[Job], *, at_once: int = 1) -> Iterator[tuple[int, Answer | Refusal]]:
        for number, job in enumerate(jobs):
            yield number, answer_to(job)


def without_processes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow's steps as plain functions, and what its children do done here."""

    @contextmanager
    def here(*_: object, **__: object) -> Iterator[_Hands]:
        yield _Hands()

    monkeypatch.setattr(session, "children", here)
    for name in STEPS:
        monkeypatch.setattr(flow, name, getattr(flow, name).fn)
    monkeypatch.setattr(flow, "read_settings", lambda: world.settings)
    monkeypatch.setattr("podium.tasks.images._publish", lambda *_: None)


def a_volume(folder: Any, *, seed: int = 0) -> bytes:  # noqa: ANN401  # a path
    """A MetaImage of 4 by 3 by 2 voxels."""
    path = folder / f"volume-{seed}.mha"
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4) + seed
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(path))
    return bytes(path.read_bytes())


def a_dataset(world: World) -> Dataset:
    """The reference data of the one competition that there is."""
    with world.session() as rows:
        return rows.scalars(select(Dataset).where(Dataset.kind == "reference_data")).one()


def send(world: World, who: Known, session_id: UUID, files: Mapping[str, bytes], *, is_pack: bool = False) -> None:
    """Send files to a session."""
    caller = world.caller(who)
    for path, data in files.items():
        with world.session() as rows:
            row = rows.get_one(ImportSession, session_id)
            sent = image_imports.Sent(path, len(data), sha256_of(data), is_pack)
            (upload,) = image_imports.announce_uploads(rows, row, caller, [sent], max_bytes=10**9, quota_bytes=QUOTA)
            place = world.storage.root / incoming_key(upload.id)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            image_imports.complete_upload(rows, row, upload.id, caller, world.storage)


def queued(world: World, who: Known, files: Mapping[str, bytes], *, submission: UUID | None = None) -> UUID:
    """A session with these files, which waits for its flow."""
    with world.session() as rows:
        target: Target = (
            submission_target(rows, submission, world.caller(who))
            if submission
            else dataset_target(rows, a_dataset(world).id, world.caller(who))
        )
        session_id = image_imports.begin_session(rows, target, world.caller(who)).id
    send(world, who, session_id, files)
    with world.session() as rows:
        image_imports.start_import(rows, rows.get_one(ImportSession, session_id), actor="tests")
    return session_id


def retry(world: World, session_id: UUID) -> None:
    """Queue what was rejected once more."""
    with world.session() as rows:
        image_imports.retry_import(rows, rows.get_one(ImportSession, session_id), actor="tests")


def read(world: World, session_id: UUID) -> ImportSession:
    """The session as it is now."""
    with world.session() as rows:
        return rows.get_one(ImportSession, session_id)


def images(world: World) -> list[Image]:
    """All images, the first one first."""
    with world.session() as rows:
        return list(rows.scalars(select(Image).order_by(Image.id)))


def fates(world: World, session_id: UUID) -> dict[str, tuple[str, str]]:
    """What became of each file: the outcome, and the reason."""
    with world.session() as rows:
        found = rows.scalars(select(ImportedFile).where(ImportedFile.session_id == session_id))
        return {one.path: (one.outcome.value, one.reason) for one in found}


def uploads(world: World, session_id: UUID) -> list[ImportUpload]:
    """What was sent to a session, by path."""
    with world.session() as rows:
        found = select(ImportUpload).where(ImportUpload.session_id == session_id).order_by(ImportUpload.path)
        return list(rows.scalars(found))
