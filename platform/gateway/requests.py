"""Bodies of calls, and what may stand in them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from podium.platform.bundles.dates import InvalidDate, parse_date
from podium.platform.bundles.destinations import MAX_DESTINATIONS
from podium.platform.identifiers import SLUG_PATTERN
from podium.platform.jobs import Sha256
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.models.competitions import NOW


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


class NewToken(Body):
    """A token to issue."""

    name: str = Field(min_length=1, max_length=100)
    days: int | None = Field(default=None, ge=1, le=3650)


class CompetitionChange(Body):
    """What an organizer may change."""

    published: bool


class RelaxationsChange(Body):
    """Rules of the sandbox to do without; what is not given stays as it is."""

    network: list[Annotated[str, Field(max_length=300)]] | None = Field(default=None, max_length=MAX_DESTINATIONS)
    root: bool | None = None


class PoolChange(Body):
    """What an administrator may change of a pool."""

    runtime: str = Field(max_length=200)


class Joining(Body):
    """Taking part: the SHA-256 of the terms that were read and are accepted."""

    terms_sha256: Sha256


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


class NewSubmission(Body):
    """A submission to upload."""

    filename: Filename
    size: int = Field(gt=0)
    sha256: Sha256
    phase: str | None = Field(default=None, max_length=256)
    message: str = Field(default="", max_length=1000)
    fact_sheet: dict[str, str] = Field(default={}, max_length=100)
