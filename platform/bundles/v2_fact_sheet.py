"""The fact sheet of a version 2 bundle: questions that every submission answers."""

from __future__ import annotations

from podium.platform.bundles.content import FactSheetQuestion, FactSheetType
from podium.platform.bundles.fields import Section, Value
from podium.platform.bundles.findings import shown
from podium.platform.bundles.v2_tasks import MAX_NAME_LENGTH
from podium.platform.bundles.yaml_source import Items, Mapping, Scalar

QUESTION_FIELDS = ("key", "type", "title", "selection", "is_required", "is_on_leaderboard")


def read_fact_sheet(value: Value | None) -> tuple[FactSheetQuestion, ...]:
    """Read the mapping of questions by their keys."""
    if value is None:
        return ()
    if not isinstance(value.node, Mapping):
        value.expected("questions by their keys", "Write each one as `its_key:` with its fields below.")
        return ()
    sheet = Section(value, value.node)
    questions = [_question(entry.key, sheet.at(entry)) for entry in value.node.entries]
    return tuple(question for question in questions if question)


def _question(name: str, value: Value) -> FactSheetQuestion | None:
    section = value.section("a question", QUESTION_FIELDS)
    if section is None:
        return None
    key = section.text("key", default=name)
    if key != name:
        section.place_of("key").error(
            f"The key {shown(key)} differs from {shown(name)}, under which the question stands.",
            "Write the same twice.",
        )
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        value.error(f"A question's key has 1 to {MAX_NAME_LENGTH} characters.")
    kind = section.required("type", "It is checkbox, text or select.")
    kind_read = (kind.choice(FactSheetType) if kind else None) or FactSheetType.TEXT
    return FactSheetQuestion(
        key=name,
        type=kind_read,
        title=section.required_text("title"),
        selection=_selection(section) if kind_read is FactSheetType.SELECT else (),
        is_required=section.flag("is_required", default=False),
        is_on_leaderboard=section.flag("is_on_leaderboard", default=False),
    )


def _selection(section: Section) -> tuple[str, ...]:
    value = section.value("selection")
    if value is None or (isinstance(value.node, Scalar) and not value.node.text.strip()):
        section.place_of("selection").error("A select question needs answers to choose from.", "List them here.")
        return ()
    if isinstance(value.node, Items) and not value.node.items:
        value.error("A select question needs answers to choose from.", "List them here.")
    answers: list[str] = []
    for item in value.items():
        answer = item.text()
        if answer in answers:
            item.warning(f"The answer {shown(answer or '')} is listed twice, and is offered once.")
        elif answer is not None:
            answers.append(answer)
    return tuple(answers)
