"""What images belong to, as an address names it: a dataset or a submission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict
from uuid import UUID

import streamlit as st


class Named(TypedDict, total=False):
    """The same, as the client's calls are given it."""

    dataset: UUID
    submission: UUID


@dataclass(frozen=True, slots=True)
class ImageTarget:
    """A dataset or a submission."""

    kind: Literal["dataset", "submission"]
    id: UUID

    @property
    def named(self) -> Named:
        """For the client's calls."""
        return {"dataset": self.id} if self.kind == "dataset" else {"submission": self.id}

    @property
    def query(self) -> dict[str, str]:
        """For an address."""
        return {self.kind: str(self.id)}


def target_of_address() -> ImageTarget | None:
    """What the address names; `None` where it names nothing that could be one."""
    dataset, submission = uuid_in_address("dataset"), uuid_in_address("submission")
    if dataset is not None:
        return ImageTarget("dataset", dataset)
    return None if submission is None else ImageTarget("submission", submission)


def target_of(dataset: UUID | None, submission: UUID | None) -> ImageTarget | None:
    """What an image or an import says that it belongs to."""
    if dataset is not None:
        return ImageTarget("dataset", dataset)
    return None if submission is None else ImageTarget("submission", submission)


def uuid_in_address(name: str) -> UUID | None:
    """An id that is a parameter of the address."""
    try:
        return UUID(st.query_params.get(name, ""))
    except ValueError:
        return None
