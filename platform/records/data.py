"""What the API answers of the data of a competition."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from podium.platform.records.storage import SignedRequestRecord


@dataclass(frozen=True, slots=True)
class DataFileRecord:
    """A zip that participants may download.

    Attributes:
        kind: `public_data`, `starting_kit`, `input_data`, `scoring_program` or `ingestion_program`.
        phases: The phases that it belongs to, by their names.
        task: The task that it belongs to; empty for what belongs to phases alone.
        sha256: In hex.
        request: How to fetch it, for a short time.
    """

    id: UUID
    kind: str
    name: str
    size: int
    sha256: str
    phases: tuple[str, ...]
    task: str
    request: SignedRequestRecord
