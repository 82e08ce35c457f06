"""Datasets that are uploaded by themselves: programs and data for new versions of tasks."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from podium.platform.archives import open_archive
from podium.platform.bundles.fields import Value
from podium.platform.bundles.findings import Findings
from podium.platform.bundles.problems import BundleRefused, Severity
from podium.platform.bundles.programs import check_program
from podium.platform.bundles.yaml_source import Scalar
from podium.platform.errors import NotFound, TooLarge
from podium.platform.identifiers import new_id
from podium.platform.models import Dataset, DatasetUpload, now
from podium.platform.storage import Storage, incoming_key
from podium.platform.storage_quotas import require_room
from podium.platform.stored import accept
from podium.platform.uploads import join_parts


def announce_dataset(
    session: Session,
    person_id: UUID,
    *,
    kind: str,
    filename: str,
    size: int,
    sha256: str,
    max_bytes: int,
    quota_bytes: int,
) -> DatasetUpload:
    """Remember that a dataset is on its way, which takes its room.

    Raises:
        TooLarge: It is larger than the platform takes.
        StorageFull: There is no room left for it.
    """
    if size > max_bytes:
        raise TooLarge(f"A dataset may have {max_bytes} bytes; this one has {size}.")
    require_room(session, person_id, size, default=quota_bytes)
    upload = DatasetUpload(owner_id=person_id, kind=kind, filename=filename, size=size, sha256=sha256)
    session.add(upload)
    session.flush()
    return upload


def upload_key(upload: DatasetUpload) -> str:
    """Where a dataset's file is uploaded to."""
    return incoming_key(upload.id)


def complete_dataset(
    session: Session, upload_id: UUID, person_id: UUID, storage: Storage
) -> tuple[DatasetUpload, Dataset]:
    """Check what was uploaded and keep it; the same content again is the same dataset.

    Raises:
        NotFound: There is no such upload of this person's, or nothing has arrived.
        InvalidInput: What arrived is not what was announced, or can't be used; every fault is named.
    """
    upload = session.get(DatasetUpload, upload_id, with_for_update=True)
    if upload is None or upload.owner_id != person_id:
        raise NotFound("You have no upload of that id.")
    if upload.dataset_id is not None:
        return upload, session.get_one(Dataset, upload.dataset_id)
    join_parts(session, storage, upload.id)
    stored = accept(session, storage, upload_key(upload), sha256=upload.sha256, size=upload.size)
    require_usable(storage, stored.key, upload.kind, upload.filename)
    session.execute(
        insert(Dataset)
        .values(
            id=new_id(),
            created=now(),
            owner_id=person_id,
            kind=upload.kind,
            name=upload.filename,
            content=stored.key,
            sha256=stored.sha256,
            size=stored.size,
        )
        .on_conflict_do_nothing(constraint="uq_datasets_owner_id_kind_sha256")
    )
    dataset = session.scalars(
        select(Dataset).where(
            Dataset.owner_id == person_id, Dataset.kind == upload.kind, Dataset.sha256 == stored.sha256
        )
    ).one()
    upload.dataset_id = dataset.id
    return upload, dataset


PROGRAMS = frozenset({"scoring_program", "ingestion_program"})


def require_usable(storage: Storage, key: str, kind: str, filename: str) -> None:
    """Go on only if a dataset can be unpacked and, where it is a program, says how it is run.

    A bundle only warns of a program without a command, for there may be more to come; what takes the place of a program
    that works has to work.

    Raises:
        ArchiveRefused: It is no zip that can be used, with every fault.
        BundleRefused: The program has faults, all of them named.
    """
    with storage.open(key) as file, open_archive(file) as archive:
        members = {member.path: member for member in archive.members}

        def read(name: str, most: int) -> bytes:
            data = b""
            for chunk in archive.chunks(members[name]):
                data += chunk
                if len(data) >= most:
                    break
            return data[:most]

        if kind in PROGRAMS:
            findings = Findings()
            value = Value(Scalar(1, filename, "str"), filename, 1, kind, findings)
            check_program(value, filename, sorted(members), read)
            if problems := findings.in_order():
                raise BundleRefused([replace(problem, severity=Severity.ERROR) for problem in problems])
