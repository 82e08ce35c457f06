"""What a long step of the client tells while it works. Nothing here prints: who calls decides what to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Step(StrEnum):
    """What the client is doing with a file."""

    PACKING = "packing"  # a folder, or a file that is no zip, becomes one
    FINGERPRINTING = "fingerprinting"  # its SHA-256 is computed
    UPLOADING = "uploading"
    DOWNLOADING = "downloading"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is.

    Attributes:
        name: The file that this is about.
        done: Bytes so far. An upload that is tried again begins at 0 again.
        total: Bytes in all; `None` where that is not known.
    """

    step: Step
    name: str
    done: int
    total: int | None


OnProgress: TypeAlias = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Tell nobody."""
