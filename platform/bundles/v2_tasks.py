"""Tasks and solutions of a version 2 bundle."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from podium.platform.bundles.content import Protocol, SolutionContent, StoredDataset, StoredTask, TaskContent
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import shown
from podium.platform.bundles.sources import Sources, is_key

MAX_NAME_LENGTH = 256

TASK_FIELDS = (
    "index",
    "key",
    "name",
    "description",
    "scoring_program",
    "ingestion_program",
    "input_data",
    "reference_data",
    "ingestion_only_during_scoring",
    "protocol",
)
SOLUTION_FIELDS = ("index", "key", "name", "description", "tasks", "path")

# Written by exports of Codabench, and of no use when a competition is made.
_IGNORED_TASK_FIELDS = ("is_public", "solutions")

_NO_PROGRAM = StoredDataset("")


def read_tasks(values: Collection[Value], sources: Sources) -> tuple[TaskContent | StoredTask, ...]:
    """Read the list of tasks."""
    tasks: list[TaskContent | StoredTask] = []
    indexes = Indexes("task")
    for value in values:
        if section := value.section("a task", TASK_FIELDS, _IGNORED_TASK_FIELDS):
            index = indexes.read(section)
            key = section.value("key")
            tasks.append(_stored_task(index, key) if key else _task(index, section, sources))
    return tuple(tasks)


def read_solutions(values: Collection[Value], tasks: Collection[str], sources: Sources) -> tuple[SolutionContent, ...]:
    """Read the list of solutions; `tasks` are the indexes of the bundle's tasks."""
    indexes = Indexes("solution")
    sections = [value.section("a solution", SOLUTION_FIELDS) for value in values]
    return tuple(_solution(indexes.read(section), section, tasks, sources) for section in sections if section)


def read_task_references(values: Collection[Value], tasks: Collection[str]) -> tuple[str, ...]:
    """Read a list of indexes of tasks, each of which must be one of `tasks`."""
    references: list[str] = []
    for value in values:
        index = value.index()
        if index is None:
            continue
        # Without any readable task, each reference would only repeat what is wrong with the tasks.
        if tasks and index not in tasks:
            value.error(f"There is no task {shown(index)}.", f"The tasks are {_some(tasks)}.")
        elif index in references:
            value.warning(f"Task {shown(index)} is listed twice, and is taken once.")
        else:
            references.append(index)
    return tuple(references)


class Indexes:
    """The indexes of one list's items, which are to be different."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lines: dict[str, int] = {}

    def read(self, section: Section) -> str:
        """Read an item's index; `""` stands in for a missing or wrong one."""
        value = section.required("index", "Number them from 0.")
        index = value.index() if value else None
        if value is None or index is None:
            return ""
        if index in self._lines:
            value.error(
                f"The index {shown(index)} is taken by the {self._what} on line {self._lines[index]}.",
                "Give each its own index.",
            )
        self._lines.setdefault(index, value.line)
        return index


def _stored_task(index: str, key: Value) -> StoredTask:
    text = key.text() or ""
    if is_key(text):
        return StoredTask(index, str(UUID(text)))
    key.error(f"{shown(text)} is not the key of a task: a key is a UUID.", "Leave `key` out to describe a new task.")
    return StoredTask(index, "")


def _task(index: str, section: Section, sources: Sources) -> TaskContent:
    scoring = section.required("scoring_program", "Every task needs a program that scores its submissions.")
    ingestion = sources.dataset(section.value("ingestion_program"), is_program=True)
    only_during_scoring = section.flag("ingestion_only_during_scoring", default=False)
    if only_during_scoring and section.value("ingestion_program") is None:
        section.place_of("ingestion_only_during_scoring").warning(
            "This does nothing without an `ingestion_program`.", "Add the program, or leave this out."
        )
    return TaskContent(
        index=index,
        name=section.required_text("name", max_length=MAX_NAME_LENGTH),
        description=section.text("description"),
        scoring_program=sources.dataset(scoring, is_program=True) or _NO_PROGRAM,
        ingestion_program=ingestion,
        input_data=sources.dataset(section.value("input_data")),
        reference_data=sources.dataset(section.value("reference_data")),
        ingestion_only_during_scoring=only_during_scoring,
        protocol=section.choice("protocol", Protocol, default=Protocol.V2),
    )


def _solution(index: str, section: Section, tasks: Collection[str], sources: Sources) -> SolutionContent:
    source = section.value("path") or section.value("key")
    if source is None:
        section.required("path", "Name the zip or folder of the solution.")
    return SolutionContent(
        index=index,
        name=section.text("name", default=f"Solution {index}", max_length=MAX_NAME_LENGTH),
        description=section.text("description"),
        tasks=read_task_references(section.required_items("tasks", "List the indexes of its tasks."), tasks),
        source=sources.dataset(source) or _NO_PROGRAM,
    )


def _some(names: Collection[str]) -> str:
    return ", ".join(shown(name) for name in list(names)[:10]) + (", …" if len(names) > 10 else "")
