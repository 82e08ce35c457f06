"""Changes to a competition that is there, read by the very rules that read a bundle: pure.

What is to be edited is put together as the fields of a `competition.yaml`, with its texts in the fields themselves, and
read as one. So an editor refuses what a bundle would be refused for, in the same words, all at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from podium.platform.bundles import yaml_source
from podium.platform.bundles.archive import NO_FILES
from podium.platform.bundles.content import ColumnContent, CompetitionContent, LeaderboardContent
from podium.platform.bundles.fields import NO_LINE, Value, did_you_mean
from podium.platform.bundles.findings import EnoughFound, Findings, shown
from podium.platform.bundles.problems import Problem, Severity
from podium.platform.bundles.sources import MAX_PAGE_BYTES, Sources
from podium.platform.bundles.v2 import read_competition
from podium.platform.bundles.v2_limits import limits_beyond
from podium.platform.bundles.yaml_source import Entry, Items, Node, Scalar
from podium.platform.records.content import ContentEdit, FieldChange

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document: TypeAlias = dict[str, Json]

EDITABLE = tuple(ContentEdit.__dataclass_fields__)
MAX_DEPTH = 12
MAX_VALUES = 20_000
MAX_PAGES = 100
_SHOWN_CHARACTERS = 300
_MARKDOWN, _HTML = "page.md", "page.html"


@dataclass(frozen=True, slots=True)
class Fixed:
    """What stays of a competition whatever is edited.

    Attributes:
        tasks: Indexes and keys of its tasks.
        phase_tasks: For each phase, the indexes of its tasks.
        migrating: For each phase, whether submissions of the one before are taken over.
        leaderboards: With all that is not edited of their columns.
    """

    tasks: tuple[tuple[str, str], ...]
    phase_tasks: tuple[tuple[str, ...], ...]
    migrating: tuple[bool, ...]
    leaderboards: tuple[LeaderboardContent, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of reading a change.

    Attributes:
        before: The content as it was.
        after: As it would be; of no use where there is an error among the `problems`.
        changes: What differs, field by field.
    """

    before: CompetitionContent | None
    after: CompetitionContent | None
    changes: tuple[FieldChange, ...]
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether there is an error."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)


def document_of(content: ContentEdit) -> Document:
    """The content as JSON has it."""
    plain = _plain(asdict(content))
    assert isinstance(plain, dict)
    return plain


def read_edit(present: ContentEdit, change: Mapping[str, Json], fixed: Fixed, *, maxima: Mapping[str, float]) -> Edited:
    """Read a change, and find everything that is wrong with it.

    Args:
        present: What there is.
        change: New values by their fields; what is not named stays. A list is given whole.
        maxima: What the operator allows at most of limits.
    """
    was = document_of(present)
    wanted = was | {name: value for name, value in change.items() if name in was}
    shape = [*_unknown(change), *_shape_problems(wanted, was)]
    if any(problem.severity is Severity.ERROR for problem in shape):
        return Edited(None, None, (), tuple(shape))
    before, known = _read(was, fixed, maxima)
    after, found = _read(wanted, fixed, maxima)
    # Nobody is kept from mending one thing because another was wrong already.
    standing = {(problem.field, problem.message) for problem in known}
    problems = [
        replace(one, severity=Severity.WARNING) if (one.field, one.message) in standing else one for one in found
    ]
    return Edited(before, after, tuple(_differences(was, wanted)), (*shape, *problems))


def _unknown(change: Mapping[str, Json]) -> Iterator[Problem]:
    for name in change:
        if name not in EDITABLE:
            yield Problem(
                Severity.ERROR,
                f"{shown(name)} is no field that can be edited.",
                field=name[:80],
                suggestion=did_you_mean(name, EDITABLE),
            )


def _shape_problems(wanted: Document, was: Document) -> Iterator[Problem]:
    """What is wrong before anything can be read: values of another make, and phases or columns that come or go."""
    if _size(wanted) > MAX_VALUES:
        yield _error("", f"There are more than {MAX_VALUES} values, or they are nested too deep.", "Make it shorter.")
        return
    for name in ("terms", "title"):
        if not isinstance(wanted[name], str):
            yield _error(name, "Expected a text.")
    if not isinstance(wanted["terms_is_html"], bool):
        yield _error("terms_is_html", "Expected true or false.")
    yield from _page_problems(wanted["pages"])
    yield from _same_items("phases", wanted["phases"], was["phases"], "phase")
    yield from _same_items("leaderboards", wanted["leaderboards"], was["leaderboards"], "leaderboard")
    boards, old_boards = wanted["leaderboards"], was["leaderboards"]
    if not (isinstance(boards, list) and isinstance(old_boards, list) and len(boards) == len(old_boards)):
        return
    for at, (board, old) in enumerate(zip(boards, old_boards, strict=True)):
        if isinstance(board, dict) and isinstance(old, dict):
            yield from _same_columns(f"leaderboards[{at}].columns", board.get("columns"), old["columns"])


def _page_problems(pages: Json) -> Iterator[Problem]:
    if not isinstance(pages, list):
        yield _error("pages", "Expected a list of pages.")
        return
    if len(pages) > MAX_PAGES:
        yield _error("pages", f"There are {len(pages)} pages; up to {MAX_PAGES} are kept.")
    for at, page in enumerate(pages):
        if not isinstance(page, dict):
            yield _error(f"pages[{at}]", "Expected the fields of a page: `title`, `text` and `is_html`.")
            continue
        if not isinstance(page.get("text"), str):
            yield _error(f"pages[{at}].text", "Expected a text.")
        if not isinstance(page.get("is_html", False), bool):
            yield _error(f"pages[{at}].is_html", "Expected true or false.")
        for name in sorted(set(page) - {"title", "text", "is_html"}):
            yield _error(f"pages[{at}].{name[:80]}", f"{shown(name)} is not a field of a page.")


def _same_items(field: str, wanted: Json, was: Json, what: str) -> Iterator[Problem]:
    assert isinstance(was, list)
    if not isinstance(wanted, list):
        yield _error(field, f"Expected a list with each {what}.")
        return
    if len(wanted) != len(was):
        yield _error(
            field,
            f"There are {len(was)} of these, and {len(wanted)} in the change: a {what} can be neither added nor "
            "removed once there may be submissions.",
            f"Send each {what}, in its order.",
        )
    for at, (one, old) in enumerate(zip(wanted, was, strict=False)):
        assert isinstance(old, dict)
        if not isinstance(one, dict):
            yield _error(f"{field}[{at}]", f"Expected the fields of a {what}.")
            continue
        for name in sorted(set(one) - set(old)):
            yield _error(
                f"{field}[{at}].{name[:80]}",
                f"{shown(name)} is no field of a {what} that can be edited.",
                did_you_mean(name, old),
            )
        for name in sorted(set(old) - set(one)):
            yield _error(f"{field}[{at}].{name}", f"`{name}` is missing.", "Send it as it is to leave it as it is.")


def _same_columns(field: str, wanted: Json, was: Json) -> Iterator[Problem]:
    yield from _same_items(field, wanted, was, "column")
    if isinstance(wanted, list) and isinstance(was, list):
        keys = [[one.get("key") if isinstance(one, dict) else None for one in columns] for columns in (wanted, was)]
        if keys[0] != keys[1]:
            yield _error(field, "The keys of columns can't be changed: scores stand under them.")


def _read(
    document: Document, fixed: Fixed, maxima: Mapping[str, float]
) -> tuple[CompetitionContent | None, tuple[Problem, ...]]:
    findings = Findings()
    root = Value(_node(_as_bundle(document, fixed)), "", NO_LINE, "", findings)
    content = None
    try:
        content = read_competition(root, _Texts(findings), phases_may_touch=True)
        if content is not None:
            for at, phase in enumerate(content.phases):
                for problem in limits_beyond(at, phase, maxima):
                    findings.add(replace(problem, file=""))
    except EnoughFound:
        pass
    return content, tuple(replace(problem, field=_edited_field(problem.field)) for problem in findings.in_order())


def _edited_field(field: str) -> str:
    return field.removesuffix(".file") + ".text" if field.endswith(".file") else field


def _as_bundle(document: Document, fixed: Fixed) -> Document:
    """All fields of a bundle; a text stands where the bundle names a file, after a letter that says what it is."""
    made: Document = {name: value for name, value in document.items() if name != "terms_is_html"}
    pages, phases, boards = document["pages"], document["phases"], document["leaderboards"]
    assert isinstance(pages, list)
    assert isinstance(phases, list)
    assert isinstance(boards, list)
    made["terms"] = _text(document["terms"], document["terms_is_html"])
    made["image"] = "logo"
    made["version"] = 2
    made["tasks"] = [{"index": index, "key": key} for index, key in fixed.tasks]
    made["pages"] = [
        {"title": page.get("title"), "file": _text(page["text"], page.get("is_html", False))}
        for page in pages
        if isinstance(page, dict)
    ]
    made["phases"] = [
        {**phase, "tasks": list(tasks), "auto_migrate_to_this_phase": migrating, "index": at}
        for at, (phase, tasks, migrating) in enumerate(zip(phases, fixed.phase_tasks, fixed.migrating, strict=True))
        if isinstance(phase, dict)
    ]
    made["leaderboards"] = [
        _board(board, kept) for board, kept in zip(boards, fixed.leaderboards, strict=True) if isinstance(board, dict)
    ]
    return made


def _text(text: Json, is_html: Json) -> str:
    return f"{'h' if is_html else 'm'}{text}"


def _board(board: dict[str, Json], fixed: LeaderboardContent) -> Json:
    columns = board["columns"]
    assert isinstance(columns, list)
    kept = _plain(asdict(replace(fixed, columns=())))
    assert isinstance(kept, dict)
    merged: list[Json] = [
        _column(column, old) for column, old in zip(columns, fixed.columns, strict=True) if isinstance(column, dict)
    ]
    return {**kept, **board, "columns": merged}


def _column(column: dict[str, Json], fixed: ColumnContent) -> Json:
    kept = _plain(asdict(fixed))
    assert isinstance(kept, dict)
    return {name: value for name, value in {**kept, **column}.items() if value is not None and value != []}


class _Texts(Sources):
    """Texts that stand in their fields, in the place of a bundle's files."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(NO_FILES, findings)

    def file(self, value: Value | None) -> str:
        """The logo, which is not edited here."""
        return value.node.text if value and isinstance(value.node, Scalar) else ""

    def page(self, value: Value | None) -> tuple[str, str]:
        """A text, with a name that says whether it is HTML."""
        text = value.node.text if value and isinstance(value.node, Scalar) else ""
        name, text = _HTML if text[:1] == "h" else _MARKDOWN, text[1:]
        if value is None:
            return name, ""
        if any(character == "\0" or 0xD800 <= ord(character) < 0xE000 for character in text):
            value.error("The text has a character that can't be stored.", "Delete NUL characters and lone surrogates.")
            return name, ""
        if len(text.encode()) > MAX_PAGE_BYTES:
            value.error(f"The text is larger than {MAX_PAGE_BYTES >> 10} KiB.", "Link to large things.")
        elif not text.strip():
            value.error("The text is empty.", "Write something in it.")
        return name, text


def _differences(was: Json, wanted: Json, path: str = "") -> Iterator[FieldChange]:
    if was == wanted and type(was) is type(wanted):
        return
    if isinstance(was, dict) and isinstance(wanted, dict):
        for name in {**was, **wanted}:
            yield from _differences(was.get(name), wanted.get(name), f"{path}.{name}" if path else name)
    elif isinstance(was, list) and isinstance(wanted, list):
        for at in range(max(len(was), len(wanted))):
            old, new = (items[at] if at < len(items) else None for items in (was, wanted))
            if old is None or new is None:
                yield FieldChange(f"{path}[{at}]", _titled(old), _titled(new))
            else:
                yield from _differences(old, new, f"{path}[{at}]")
    else:
        yield FieldChange(path, _in_words(was), _in_words(wanted))


def _titled(value: Json) -> str:
    return _in_words(value.get("title")) if isinstance(value, dict) else _in_words(value)


def _in_words(value: Json) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = value if isinstance(value, str) else str(value)
    if len(words) <= _SHOWN_CHARACTERS:
        return words
    return f"{words[:_SHOWN_CHARACTERS]}… ({len(words)} characters)"


def _plain(value: object) -> Json:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    assert value is None or isinstance(value, (bool, int, float, str))
    return value


def _node(value: Json) -> Node:
    if isinstance(value, dict):
        return yaml_source.Mapping(NO_LINE, tuple(Entry(name, NO_LINE, _node(one)) for name, one in value.items()))
    if isinstance(value, list):
        return Items(NO_LINE, tuple(_node(one) for one in value))
    if value is None:
        return Scalar(NO_LINE, "", "null")
    if isinstance(value, bool):
        return Scalar(NO_LINE, "true" if value else "false", "bool")
    return Scalar(NO_LINE, str(value), "int" if isinstance(value, int) else type(value).__name__)


def _size(value: Json, depth: int = 0) -> int:
    """How many values there are in one; more than are read where they are nested too deep."""
    if depth > MAX_DEPTH:
        return MAX_VALUES + 1
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(_size(one, depth + 1) for one in inner)


def _error(field: str, message: str, suggestion: str = "") -> Problem:
    return Problem(Severity.ERROR, message, field=field, suggestion=suggestion)
