"""What the API answers of what a competition and its participants offer to others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from podium.platform.records.submissions import ScoreRecord


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file that a competition offers to who takes part.

    Attributes:
        kind: `starting_kit`, `public_data`, `input_data`, `ingestion_program` or `scoring_program`.
        phases: The phases that it belongs to, in their order.
        task: The name of the task that it belongs to; empty for a file of the phase.
        size: In bytes.
    """

    id: UUID
    kind: str
    phases: tuple[str, ...]
    task: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SharedSubmission:
    """A submission whose participant lets everybody have its file.

    Attributes:
        scores: Of the leaderboard's visible columns; none where participants may not see them.
        size: Of its file, in bytes.
    """

    id: UUID
    number: int
    participant: str
    phase: str
    filename: str
    size: int
    message: str
    submitted: datetime
    scores: tuple[ScoreRecord, ...]
