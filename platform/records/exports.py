"""What the API answers about a competition that is taken out as a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TableForm(StrEnum):
    """How a table is written."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class BundleText:
    """A text of a bundle, to be written as UTF-8 under this path."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A stored file of a bundle: its path there, its size in bytes, and its SHA-256, by which it is asked for."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CompetitionExport:
    """A competition as a bundle of version 2, in its parts.

    Attributes:
        texts: `competition.yaml`, the terms and the pages.
        files: The picture and the datasets, each by itself in the store.
        warnings: What the bundle does not say of the competition, a sentence each.
    """

    competition: str
    texts: tuple[BundleText, ...]
    files: tuple[BundleFile, ...]
    warnings: tuple[str, ...]
