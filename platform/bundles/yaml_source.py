"""YAML as a tree that remembers its lines, read with the safe loader and nothing more.

Scalars keep the text that the organizer wrote, so that no date loses its time and no `yes` turns into `True`
before someone has asked what the field is. Nothing is ever constructed from a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from podium.platform.bundles.findings import plain

MAX_YAML_BYTES = 1 << 20
MAX_YAML_NODES = 50_000
MAX_YAML_DEPTH = 50

_PLAIN_TAGS = frozenset({"str", "int", "float", "bool", "null", "timestamp", "value", "seq", "map"})
_TAG_PREFIX = "tag:yaml.org,2002:"
_TOO_MANY = f"The file has more than {MAX_YAML_NODES} values, aliases counted in full."

# What to do about a syntax error: the first line whose words are in PyYAML's own message.
_HINTS = (
    ("'\\t'", "Indent with spaces: YAML allows no tabs there."),
    ("mapping values are not allowed", "Put a text that has a colon in it in quotes, and check the indentation."),
    ("expected <block end>", "Check the indentation and quotes here and in the lines above."),
    ("could not find expected ':'", "Check the indentation and quotes here and in the lines above."),
    ("found undefined alias", "Put a text that begins with `*` in quotes."),
    ("cannot start any token", "Put a text that begins with a special character in quotes."),
    ("but found another document", "Keep one document: delete the `---` in the middle."),
    ("end of stream", "Close the quotes or brackets that are still open here."),
    ("<stream end>", "Close the quotes or brackets that are still open here."),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `tag` is what YAML takes it for: str, int, float, bool, null or timestamp."""

    line: int
    text: str
    tag: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    line: int
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping, the line it stands on, and its value."""

    key: str
    line: int
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys with values, in the file's order; every key is there once."""

    line: int
    entries: tuple[Entry, ...]

    def get(self, key: str) -> Entry | None:
        """Give the entry of a key, or `None`."""
        return next((entry for entry in self.entries if entry.key == key), None)


Node = Scalar | Items | Mapping


@dataclass(frozen=True, slots=True)
class YamlFault:
    """Something that is wrong with a file as YAML.

    Attributes:
        message: What is wrong, in a sentence.
        line: Where, from 1; `None` for the whole file.
        suggestion: What to do about it, in a sentence, or an empty string.
        is_harmless: Whether the file can be read all the same.
    """

    message: str
    line: int | None = None
    suggestion: str = ""
    is_harmless: bool = False


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file that was read: `root` is `None` for an empty file, and for one with a fault that hides the rest."""

    root: Node | None
    faults: tuple[YamlFault, ...]


def load_yaml(data: bytes) -> YamlDocument:
    """Read a YAML file; what is wrong with it is returned, never raised."""
    try:
        return _load(data)
    except _Refused as refusal:
        return YamlDocument(None, (refusal.fault,))


class _Refused(Exception):
    def __init__(self, message: str, line: int | None = None, suggestion: str = "") -> None:
        self.fault = YamlFault(message, line, suggestion)
        super().__init__(message)


class _Loader(yaml.SafeLoader):
    """The safe loader's scanner, parser and composer, which stops at deep nesting and at too many values."""

    depth = 0
    count = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        self.count += 1
        line = parent.start_mark.line + 1 if parent else None
        if self.depth > MAX_YAML_DEPTH:
            raise _Refused(f"Values are nested more than {MAX_YAML_DEPTH} deep.", line, "Make it flatter.")
        if self.count > MAX_YAML_NODES:
            raise _Refused(_TOO_MANY, line)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _load(data: bytes) -> YamlDocument:
    if len(data) > MAX_YAML_BYTES:
        raise _Refused(
            f"The file is larger than {MAX_YAML_BYTES >> 10} KiB.", None, "Move long texts to pages of their own."
        )
    text = _decoded(data)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _Refused(
            f"The character U+{int(error.character):04X} is not allowed in YAML.", line, "Delete it."
        ) from error
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error, text) from error
    except (ValueError, OverflowError) as error:
        raise _Refused("The file has an escape like `\\UFFFFFFFF` that names no character.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _Refused(f"The file is not valid YAML ({error}).") from error
    if root is None:
        return YamlDocument(None, ())
    conversion = _Conversion()
    converted = conversion.node(root)
    return YamlDocument(converted, tuple(conversion.faults))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            line = 1
        raise _Refused("The file is not UTF-8.", line, "Save it as UTF-8 in your editor.") from error


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> _Refused:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it can't be understood"
    if mark is None:
        return _Refused(f"The file is not valid YAML: {problem}.")
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    shown = f", at {line.strip()[:100]!r}" if line.strip() else ""
    said = problem.replace("'\\t'", "tab")[:200]
    message = f"The file is not valid YAML: {said} (column {mark.column + 1}{shown})."
    return _Refused(message, mark.line + 1, _hint(problem, line))


def _hint(problem: str, line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        return "Indent with spaces: YAML allows no tabs there."
    return next((hint for words, hint in _HINTS if words in problem), "")


@dataclass(slots=True)
class _Conversion:
    """Makes our nodes of PyYAML's, counting them as if no alias were shared."""

    faults: list[YamlFault] = field(default_factory=list)
    count: int = 0
    open_nodes: set[int] = field(default_factory=set)

    def node(self, node: yaml.Node) -> Node:
        line = node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_YAML_NODES:
            raise _Refused(_TOO_MANY, line)
        if id(node) in self.open_nodes:
            raise _Refused("A value contains itself, through an alias.", line, "Write the value out.")
        tag = str(node.tag).removeprefix(_TAG_PREFIX)
        if tag not in _PLAIN_TAGS:
            self.faults.append(YamlFault(f"The tag `!{plain(tag)}` is not allowed here.", line, "Write a plain value."))
        if isinstance(node, yaml.ScalarNode):
            return Scalar(line, str(node.value), tag)
        self.open_nodes.add(id(node))
        converted: Node
        if isinstance(node, yaml.MappingNode):
            converted = Mapping(line, tuple(self._entries(node).values()))
        else:
            converted = Items(line, tuple(self.node(item) for item in node.value))
        self.open_nodes.discard(id(node))
        return converted

    def _entries(self, node: yaml.MappingNode) -> dict[str, Entry]:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == f"{_TAG_PREFIX}merge":
                merged = {**dict(self._merged(value_node)), **merged}
            elif not isinstance(key_node, yaml.ScalarNode):
                self.faults.append(YamlFault("A key must be a word, not a list or a mapping.", line))
            else:
                entry = Entry(str(key_node.value), line, self.node(value_node))
                if before := own.get(entry.key):
                    self.faults.append(_duplicate(before, entry))
                own[entry.key] = entry
        return {**merged, **own}

    def _merged(self, node: yaml.Node) -> Iterator[tuple[str, Entry]]:
        """Give what `<<:` brings in; of several mappings, the first one to have a key wins."""
        converted = self.node(node)
        sources = converted.items if isinstance(converted, Items) else (converted,)
        for source in reversed(sources):
            if isinstance(source, Mapping):
                yield from ((entry.key, entry) for entry in source.entries)
            else:
                self.faults.append(YamlFault("`<<` takes a mapping, or a list of mappings.", source.line))


def _duplicate(before: Entry, entry: Entry) -> YamlFault:
    """Two values for one key are a mistake, unless the first is empty: `solutions: []`, and later the real ones."""
    message = f"`{plain(entry.key)}` stands here and on line {before.line} already"
    if is_empty(before.value):
        return YamlFault(f"{message}, where it is empty.", entry.line, "Delete the empty one.", is_harmless=True)
    return YamlFault(f"{message}.", entry.line, "Keep one of them.")


def is_empty(node: Node) -> bool:
    """Whether a value is null, an empty text, an empty list or an empty mapping."""
    match node:
        case Scalar():
            return node.tag == "null" or not node.text.strip()
        case Items():
            return not node.items
        case Mapping():
            return not node.entries
