"""Bodies of calls, and what may stand in them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from podium.platform.bundles.dates import InvalidDate, parse_date
from podium.platform.bundles.destinations import MAX_DESTINATIONS
from podium.platform.identifiers import SLUG_PATTERN
from podium.platform.jobs import Sha256
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.models.competitions import NOW
from podium.platform.models.reruns import Adoption
from podium.platform.records.exports import TableForm
from podium.platform.records.organizing import BulkAct


def _plain_path(path: str) -> str:
    """A path below some folder, whatever was given: without roots, control characters and ways up."""
    parts = [
        re.sub(r"[\x00-\x1f\x7f]", "_", part)[:255]
        for part in path.replace("\\", "/").split("/")
        if part not in {"", ".", ".."}
    ]
    return "/".join(parts)[-1000:].lstrip("/") or "file"


def _plain_filename(name: str) -> str:
    """The last part of a path, without control characters; never empty."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = re.sub(r"[\x00-\x1f\x7f]", "_", last)[:255]
    return "file" if plain in {"", ".", ".."} else plain


Filename = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_plain_filename)]


def _start(text: str) -> str:
    """`now`, or a date as bundles write them."""
    try:
        return text if text == NOW else parse_date(text).isoformat()
    except InvalidDate as error:
        raise ValueError(str(error)) from None


Start = Annotated[str, Field(max_length=100), AfterValidator(_start)]
"""When the first phase is to begin, with all the others moved alike."""
Wait = Annotated[float, Field(ge=0, le=30)]


class Body(BaseModel):
    """Base of all bodies: a field that is not known is an error, since it is a typing mistake."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class NewPerson(Body):
    """A person to register."""

    username: str = Field(max_length=200)
    email: str = Field(max_length=400)
    name: str = Field(default="", max_length=200)
    may_organize: bool = False
    email_confirmed: bool = True


class NewToken(Body):
    """A token to issue."""

    name: str = Field(min_length=1, max_length=100)
    days: int | None = Field(default=None, ge=1, le=3650)


class NewSignIn(Body):
    """A sign-in to begin: the SHA-256 of a secret that stays in the browser which begins it."""

    binding_sha256: Sha256


class ReturnedSignIn(Body):
    """What a browser brings back from the provider, with the secret that stayed in it."""

    state: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=4000)
    binding: str = Field(min_length=1, max_length=200)


class NewIdentity(Body):
    """Who somebody is at the provider."""

    subject: str = Field(min_length=1, max_length=255)


class CompetitionChange(Body):
    """What an organizer may change; what is not given stays as it is."""

    published: bool | None = None
    pool: str | None = Field(default=None, max_length=200)


class ContentWish(Body):
    """New values of a competition's content by their fields; its own rules say what may stand in them."""

    # Spaces at the ends of a text are the organizer's: Markdown means something by them.
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    changes: dict[Annotated[str, Field(max_length=200)], Any]


class ContentChange(ContentWish):
    """The same, with the version that whoever changes it has seen."""

    version: str = Field(max_length=60)


class ParticipantDecisions(Body):
    """Deciding about several participants at once."""

    usernames: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(min_length=1, max_length=500)
    status: ParticipantStatus
    reason: str = Field(default="", max_length=500)


class BulkWish(Body):
    """An act on submissions by their numbers."""

    act: BulkAct
    submissions: list[Annotated[int, Field(ge=1, le=2**31 - 1)]] = Field(min_length=1, max_length=500)


class BulkChange(BulkWish):
    """The same, with why."""

    reason: str = Field(min_length=1, max_length=500)


class RelaxationsChange(Body):
    """Rules of the sandbox to do without; what is not given stays as it is."""

    network: list[Annotated[str, Field(max_length=300)]] | None = Field(default=None, max_length=MAX_DESTINATIONS)
    root: bool | None = None


class PoolChange(Body):
    """What its owner may change of a pool; what is not given stays as it is."""

    runtime: str | None = Field(default=None, max_length=200)
    public: bool | None = None
    cordoned: bool | None = None


class NewPool(Body):
    """A pool for one's own hosts."""

    name: str = Field(min_length=1, max_length=200)
    public: bool = False


class Rotation(Body):
    """A token in the place of another, which stays good for some hours."""

    hours: float = Field(default=24, ge=0, le=24 * 90)


class AgentChange(Body):
    """Whether an agent takes anything new."""

    cordoned: bool


class ScalingChange(Body):
    """How a pool is scaled; what is left out stays as it is. Durations are in seconds."""

    provider: str | None = Field(default=None, min_length=1, max_length=60)
    minimum: int | None = Field(default=None, ge=0, le=1000)
    maximum: int | None = Field(default=None, ge=0, le=1000)
    target_wait: float | None = Field(default=None, ge=1, le=7 * 86400)
    cool_down_up: float | None = Field(default=None, ge=0, le=86400)
    cool_down_down: float | None = Field(default=None, ge=0, le=7 * 86400)
    slots: int | None = Field(default=None, ge=1, le=1000)
    patience: float | None = Field(default=None, ge=30, le=86400)


class Joining(Body):
    """Taking part: the SHA-256 of the terms that were read and are accepted."""

    terms_sha256: Sha256


class NewTeam(Body):
    """A team to make."""

    name: str = Field(min_length=1, max_length=200)


class TeamChange(Body):
    """What its captain may change of a team; what is not given stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    captain: str | None = Field(default=None, max_length=200)


class Joined(Body):
    """The code of a team to join."""

    code: str = Field(min_length=1, max_length=100)


class ParticipantChange(Body):
    """Approving or denying."""

    status: ParticipantStatus


class NewBundle(Body):
    """A bundle to upload."""

    filename: Filename
    size: int = Field(gt=0)
    sha256: Sha256
    start: Start | None = None
    slug: str | None = Field(default=None, pattern=SLUG_PATTERN)
    draft: bool = False


class PartNumbers(Body):
    """Parts of an upload, by their numbers from 1."""

    numbers: list[Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=100)


class StorageQuota(Body):
    """What somebody's files may take, in bytes; null for what everybody's may."""

    quota: int | None = Field(default=None, ge=0, le=2**60)


class NewSubmission(Body):
    """A submission to upload."""

    filename: Filename
    size: int = Field(gt=0)
    sha256: Sha256
    phase: str | None = Field(default=None, max_length=256)
    message: str = Field(default="", max_length=1000)
    fact_sheet: dict[str, str] = Field(default={}, max_length=100)


class RerunSelection(Body):
    """What is to be scored again: a phase, submissions by number, or what the platform failed."""

    phase: str | None = Field(default=None, max_length=256)
    submissions: list[Annotated[int, Field(ge=1)]] | None = Field(default=None, max_length=1000)
    platform_failures: bool = False
    parallel: int | None = Field(default=None, ge=1, le=10_000)


class NewRerun(RerunSelection):
    """A rerun to start."""

    reason: str = Field(min_length=1, max_length=1000)
    adoption: Adoption = Adoption.AUTOMATIC


class NewDataset(Body):
    """A program or data of a task, to be uploaded as a zip."""

    kind: Literal["scoring_program", "ingestion_program", "input_data", "reference_data"]
    filename: Filename
    size: int = Field(gt=0)
    sha256: Sha256


class NewImportUpload(Body):
    """A file to send to an import session; a pack only holds others."""

    path: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_plain_path)]
    size: int = Field(gt=0)
    sha256: Sha256
    is_pack: bool = False


class NewImportUploads(Body):
    """Files to send to an import session."""

    files: list[NewImportUpload] = Field(min_length=1, max_length=100)


class NewTaskVersion(Body):
    """What a task is to be made of from now on; what is not given stays as it is."""

    reason: str = Field(min_length=1, max_length=1000)
    scoring_program: UUID | None = None
    ingestion_program: UUID | None = None
    input_data: UUID | None = None
    reference_data: UUID | None = None


def _date(text: object) -> datetime:
    """A date as bundles write them."""
    if not isinstance(text, str):
        raise ValueError("Write the date as a text, such as '2026-01-30T14:00:00Z'.")  # noqa: TRY004  # pydantic's way
    try:
        return parse_date(text)
    except InvalidDate as error:
        raise ValueError(str(error)) from None


When = Annotated[datetime, BeforeValidator(_date)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class PhaseChange(Body):
    """What an organizer may change of a phase; what is not given stays as it is."""

    start: When | None = None
    end: When | None = None
    without_end: bool = False
    max_submissions_per_day: Count | None = None
    max_submissions: Count | None = None
    max_concurrent_submissions: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    without_limits: list[Literal["max_submissions_per_day", "max_submissions", "max_concurrent_submissions"]] | None = (
        Field(default=None, max_length=3)
    )
    paused: bool | None = None
    pause_message: str = Field(default="", max_length=1000)


class WindowsChange(Body):
    """When a competition takes submissions and participants; what is not given stays as it is."""

    start: When | None = None
    end: When | None = None
    registration_start: When | None = None
    registration_end: When | None = None
    unbounded: list[Literal["start", "end", "registration_start", "registration_end"]] | None = Field(
        default=None, max_length=4
    )


class SubmissionsExport(Body):
    """Which submissions to write as a table, and how."""

    form: TableForm = TableForm.CSV
    phase: str | None = Field(default=None, max_length=300)


class ExtraAllowanceChange(Body):
    """What a participant may do beyond a phase's limits."""

    per_window: Count = 0
    total: Count = 0
    concurrent: Count = 0
    reason: str = Field(min_length=1, max_length=1000)
