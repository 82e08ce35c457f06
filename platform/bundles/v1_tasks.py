"""Tasks of a CodaLab bundle: each phase names its own programs and data."""

from __future__ import annotations

from dataclasses import replace

from podium.platform.bundles.content import Protocol, StoredDataset, TaskContent
from podium.platform.bundles.fields import Section
from podium.platform.bundles.findings import shown
from podium.platform.bundles.sources import Sources

_NO_PROGRAM = StoredDataset("")


class Tasks:
    """Makes tasks of what phases name, each once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._made: dict[TaskContent, TaskContent] = {}

    @property
    def found(self) -> tuple[TaskContent, ...]:
        """The tasks so far."""
        return tuple(self._made.values())

    def of(self, section: Section, label: str, *, own: bool) -> str:
        """Give the index of a phase's task; with `own`, one that it shares only with phases of its name."""
        dataset = self._sources.dataset
        scoring = section.required("scoring_program", "Every phase needs a program that scores its submissions.")
        if section.value("reference_data") is None:
            section.place_of("reference_data").warning(
                f"Phase {shown(label)} has no `reference_data`; CodaLab refuses this.",
                "Name what scores are made from.",
            )
        only_during_scoring = section.flag("ingestion_program_only_during_scoring", default=False)
        if only_during_scoring and section.value("ingestion_program") is None:
            section.place_of("ingestion_program_only_during_scoring").warning(
                "This does nothing without an `ingestion_program`.", "Add the program, or leave this out."
            )
        task = TaskContent(
            index="",
            name=label if own else "",
            description="",
            scoring_program=dataset(scoring, is_program=True) or _NO_PROGRAM,
            ingestion_program=dataset(section.value("ingestion_program"), is_program=True),
            input_data=dataset(section.value("input_data")),
            reference_data=dataset(section.value("reference_data")),
            ingestion_only_during_scoring=only_during_scoring,
            protocol=Protocol.V1_5,
        )
        return self._made.setdefault(task, replace(task, index=str(len(self._made)), name=label)).index
