"""What a `competition.yaml` says of the content of a competition that is there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from podium.platform.bundles.yaml_source import Items, Mapping, Node, Scalar, load_yaml
from podium.platform.client.conversion import record_to_json
from podium.platform.errors import InvalidInput
from podium.platform.records.content import ColumnEdit, ContentEdit, PhaseEdit

_PLAIN = (
    "title",
    "description",
    "contact_email",
    "reward",
    "docker_image",
    "registration_auto_approve",
    "start",
    "end",
    "registration_start",
    "registration_end",
)
_PHASE = tuple(one.name for one in fields(PhaseEdit))
_COLUMN = tuple(one.name for one in fields(ColumnEdit))


def changes_in_file(path: Path, present: ContentEdit) -> dict[str, Any]:
    """The fields that can be edited, of a file; what it does not have, and what can't be edited, is left out.

    Phases are taken in their order, columns by their keys. Texts are read from beside the file.

    Raises:
        InvalidInput: It can't be read, or is none.
    """
    root = _root(path)
    changes: dict[str, Any] = {name: _value(entry.value) for name in _PLAIN if (entry := root.get(name))}
    if (entry := root.get("terms")) and isinstance(entry.value, Scalar):
        changes["terms"], changes["terms_is_html"] = _text(path.parent, entry.value.text)
    if (entry := root.get("pages")) and isinstance(entry.value, Items):
        changes["pages"] = [_page(path.parent, one) for one in entry.value.items if isinstance(one, Mapping)]
    if (entry := root.get("phases")) and isinstance(entry.value, Items):
        changes["phases"] = _phases(entry.value, present)
    if (entry := root.get("leaderboards")) and isinstance(entry.value, Items):
        changes["leaderboards"] = _boards(entry.value, present)
    return changes


def _root(path: Path) -> Mapping:
    try:
        document = load_yaml(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}.") from None
    if faults := [fault for fault in document.faults if not fault.is_harmless]:
        said = "; ".join(f"line {fault.line}: {fault.message}" for fault in faults[:10])
        raise InvalidInput(f"{path} is no YAML that can be read: {said}")
    if not isinstance(document.root, Mapping):
        raise InvalidInput(f"{path} has no fields of a competition.", remedy="Give the file of a bundle.")
    return document.root


def _phases(written: Items, present: ContentEdit) -> list[Any]:
    made: list[Any] = []
    for at, one in enumerate(written.items):
        was = record_to_json(present.phases[at]) if at < len(present.phases) else {}
        assert isinstance(was, dict)
        new = {name: _value(entry.value) for name in _PHASE if isinstance(one, Mapping) and (entry := one.get(name))}
        made.append({**was, **new})
    return made


def _boards(written: Items, present: ContentEdit) -> list[Any]:
    made = []
    for at, board in enumerate(present.leaderboards):
        new = written.items[at] if at < len(written.items) else None
        kept: Any = record_to_json(board)
        if isinstance(new, Mapping):
            kept |= {name: _value(entry.value) for name in ("title", "hidden") if (entry := new.get(name))}
            columns = new.get("columns")
            kept["columns"] = [_column(one, columns.value if columns else None) for one in kept["columns"]]
        made.append(kept)
    return made


def _column(was: dict[str, Any], written: Node | None) -> dict[str, Any]:
    for one in written.items if isinstance(written, Items) else ():
        key = one.get("key") if isinstance(one, Mapping) else None
        if isinstance(one, Mapping) and key is not None and _value(key.value) == was["key"]:
            return {**was, **{name: _value(entry.value) for name in _COLUMN if (entry := one.get(name))}}
    return was


def _page(folder: Path, page: Mapping) -> dict[str, Any]:
    title, file = page.get("title"), page.get("file")
    text, is_html = _text(folder, file.value.text) if file and isinstance(file.value, Scalar) else ("", False)
    return {"title": _value(title.value) if title else "", "text": text, "is_html": is_html}


def _text(folder: Path, name: str) -> tuple[str, bool]:
    path = (folder / name.strip()).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InvalidInput(f"`{name}` leads out of the folder of the file.", remedy="Name it relative to that file.")
    try:
        return path.read_text(encoding="utf-8-sig"), path.suffix.lower() in {".html", ".htm"}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The page `{name}` can't be read: {error}.") from None


def _value(node: Node) -> Any:  # noqa: ANN401 - JSON
    """A value as JSON has it; the gateway reads numbers and truth values from words, as it does from bundles."""
    if isinstance(node, Items):
        return [_value(one) for one in node.items]
    if isinstance(node, Mapping):
        return {entry.key: _value(entry.value) for entry in node.entries}
    if node.tag == "null":
        return None
    words = node.text.strip()
    if node.tag == "bool":
        return words.lower() in {"true", "yes", "on", "y"}
    if node.tag == "int" and words.lstrip("+-").isdecimal():
        return int(words)
    return node.text
