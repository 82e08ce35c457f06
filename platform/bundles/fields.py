"""Reading the fields of a YAML tree: every method gives a value or notes what is wrong with it.

A `Value` is one value with its place; a `Section` is a mapping with the fields that it may have. A reader asks
for all it needs and goes on with a stand-in where something is wrong, so that one reading finds every problem;
what it made is thrown away when there was an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from podium.platform.bundles.findings import Findings, plain, shown
from podium.platform.bundles.yaml_source import Entry, Items, Mapping, Node, Scalar

LARGEST_NUMBER = 2**31 - 1
NO_LINE = 0
"""The line of what was read from no file."""

_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "0"})
_WHOLE_NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.0*)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,4})?", re.ASCII)
_KINDS = {
    "null": "nothing",
    "int": "the number",
    "float": "the number",
    "timestamp": "the date",
    "bool": "the truth value",
}

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a file of the bundle: what it is, where it stands, and where to note its problems."""

    node: Node
    file: str
    line: int
    path: str
    findings: Findings

    @property
    def where(self) -> str:
        """Where it stands, for messages about other values: its line, or its field where it has none."""
        return f"line {self.line}" if self.line != NO_LINE else f"`{self.path}`"

    def error(self, message: str, suggestion: str = "") -> None:
        """Note an error at this value."""
        self.findings.error(message, file=self.file, line=self._line, field=self.path, suggestion=suggestion)

    def warning(self, message: str, suggestion: str = "") -> None:
        """Note a warning at this value."""
        self.findings.warning(message, file=self.file, line=self._line, field=self.path, suggestion=suggestion)

    @property
    def _line(self) -> int | None:
        return None if self.line == NO_LINE else self.line

    def expected(self, what: str, suggestion: str = "") -> None:
        """Note that something else is needed here."""
        self.error(f"Expected {what}, got {described(self.node)}.", suggestion)

    def text(self, *, max_length: int | None = None) -> str | None:
        """Read a text. Numbers, dates and truth values are texts as they are written."""
        if not isinstance(self.node, Scalar) or self.node.tag == "null":
            self.expected("a text")
            return None
        text = self.node.text.strip()
        if any(character == "\0" or 0xD800 <= ord(character) < 0xE000 for character in text):
            self.error("The text has a character that can't be stored.", "Delete NUL characters and lone surrogates.")
        elif max_length is not None and len(text) > max_length:
            self.error(f"The text has {len(text)} characters; up to {max_length} are allowed.")
        else:
            return text
        return None

    def flag(self) -> bool | None:
        """Read a truth value, written as a truth value, a word in quotes, or 0 and 1."""
        word = self.node.text.strip().lower() if isinstance(self.node, Scalar) else ""
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        self.expected("true or false")
        return None

    def number(self, *, minimum: int = 0, maximum: int = LARGEST_NUMBER) -> int | None:
        """Read a whole number of a range."""
        text = self.node.text.strip() if isinstance(self.node, Scalar) else ""
        if not _WHOLE_NUMBER.fullmatch(text):
            self.expected("a whole number")
            return None
        number = int(text.split(".", maxsplit=1)[0])
        if not minimum <= number <= maximum:
            self.error(f"{number} is out of range: it may be {minimum} to {maximum}.")
            return None
        return number

    def decimal(self, *, minimum: float = -math.inf, maximum: float = math.inf) -> float | None:
        """Read a number of a range that need not be whole; neither infinite nor `nan`."""
        text = self.node.text.strip() if isinstance(self.node, Scalar) else ""
        number = float(text) if _NUMBER.fullmatch(text) else math.inf
        if not math.isfinite(number):
            self.expected("a number")
            return None
        if not minimum <= number <= maximum:
            bounds = f"at least {minimum:g}" if math.isinf(maximum) else f"{minimum:g} to {maximum:g}"
            self.error(f"{number:g} is out of range: it may be {bounds}.")
            return None
        return number

    def choice(self, choices: type[Choice]) -> Choice | None:
        """Read one of the words of an enumeration."""
        text = self.node.text.strip() if isinstance(self.node, Scalar) else ""
        words = [choice.value for choice in choices]
        if text in words:
            return choices(text)
        self.expected(f"one of {', '.join(words)}", did_you_mean(text, words))
        return None

    def index(self) -> str | None:
        """Read a name that is a number or a text; `0` and `"0"` are the same."""
        if not isinstance(self.node, Scalar) or self.node.tag == "null":
            self.expected("a number or a name")
            return None
        text = self.text(max_length=256)
        if text is not None and self.node.tag == "int" and _WHOLE_NUMBER.fullmatch(text):
            return str(int(text))
        return text

    def items(self) -> tuple[Value, ...]:
        """Read a list; nothing for what is not one."""
        if isinstance(self.node, Items):
            return tuple(
                Value(item, self.file, item.line, f"{self.path}[{position}]", self.findings)
                for position, item in enumerate(self.node.items)
            )
        suggestion = ""
        if isinstance(self.node, Scalar):
            suggestion = f"Write `[{plain(self.node.text.strip())}]`."
        elif isinstance(self.node, Mapping):
            suggestion = "Begin each of its items with `- `."
        self.expected("a list", suggestion)
        return ()

    def section(self, what: str, known: Collection[str], ignored: Collection[str] = ()) -> Section | None:
        """Read a mapping with fields.

        Args:
            what: What it describes, such as `a task`.
            known: The fields that it may have; others get a warning.
            ignored: Fields that are no mistake, and are not used.
        """
        if not isinstance(self.node, Mapping):
            self.expected(f"the fields of {what}")
            return None
        section = Section(self, self.node)
        for entry in self.node.entries:
            if entry.key not in known and entry.key not in ignored:
                section.at(entry).warning(
                    f"{shown(entry.key)} is not a field of {what}, and is ignored.", did_you_mean(entry.key, known)
                )
        return section


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping whose fields are read by name. A field that is null counts as absent."""

    whole: Value
    mapping: Mapping

    def at(self, entry: Entry) -> Value:
        """Give the value of an entry. A list or mapping has its problems where its key stands."""
        whole = self.whole
        line = entry.value.line if isinstance(entry.value, Scalar) else entry.line
        path = f"{whole.path}.{plain(entry.key)}" if whole.path else plain(entry.key)
        return Value(entry.value, whole.file, line, path, whole.findings)

    def value(self, name: str) -> Value | None:
        """Give a field's value; `None` where it is absent or null."""
        entry = self.mapping.get(name)
        if entry is None or (isinstance(entry.value, Scalar) and entry.value.tag == "null"):
            return None
        return self.at(entry)

    def required(self, name: str, suggestion: str = "") -> Value | None:
        """Give a field's value, and note an error where it is absent or null."""
        value = self.value(name)
        if value is None:
            entry = self.mapping.get(name)
            place = self.at(entry) if entry else self.place_of(name)
            place.error(f"`{name}` is {'empty' if entry else 'missing'}.", suggestion)
        return value

    def place_of(self, name: str) -> Value:
        """Give a value that stands for a field, whether it is there or not: for problems of several fields."""
        entry = self.mapping.get(name)
        return self.at(entry) if entry else self.at(Entry(name, self.whole.line, Scalar(self.whole.line, "", "null")))

    def text(self, name: str, *, default: str = "", max_length: int | None = None) -> str:
        """Read a text that may be absent."""
        value = self.value(name)
        text = value.text(max_length=max_length) if value else None
        return default if text is None else text

    def required_text(self, name: str, *, max_length: int | None = None, suggestion: str = "") -> str:
        """Read a text that must be there; `""` stands in for one that is not."""
        value = self.required(name, suggestion)
        text = value.text(max_length=max_length) if value else None
        if value and text == "":
            value.error(f"`{name}` is empty.", suggestion)
        return text or ""

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a truth value that may be absent."""
        value = self.value(name)
        flag = value.flag() if value else None
        return default if flag is None else flag

    def number(self, name: str, *, default: int, minimum: int = 0, maximum: int = LARGEST_NUMBER) -> int:
        """Read a whole number that may be absent."""
        value = self.value(name)
        number = value.number(minimum=minimum, maximum=maximum) if value else None
        return default if number is None else number

    def decimal(self, name: str, *, default: float, minimum: float = -math.inf, maximum: float = math.inf) -> float:
        """Read a number that need not be whole, and may be absent."""
        value = self.value(name)
        number = value.decimal(minimum=minimum, maximum=maximum) if value else None
        return default if number is None else number

    def choice(self, name: str, choices: type[Choice], *, default: Choice) -> Choice:
        """Read one of some words that may be absent."""
        value = self.value(name)
        choice = value.choice(choices) if value else None
        return default if choice is None else choice

    def items(self, name: str) -> tuple[Value, ...]:
        """Read a list that may be absent."""
        value = self.value(name)
        return value.items() if value else ()

    def required_items(self, name: str, suggestion: str = "") -> tuple[Value, ...]:
        """Read a list that must be there and have something in it."""
        value = self.required(name, suggestion)
        if value and isinstance(value.node, Items) and not value.node.items:
            value.error(f"`{name}` is empty.", suggestion)
        return value.items() if value else ()


def described(node: Node) -> str:
    """Say what a value is, in a few words."""
    if isinstance(node, Scalar):
        kind = _KINDS.get(node.tag, "the text")
        if node.tag == "null":
            return kind
        return f"{kind} {shown(node.text) if kind == 'the text' else plain(node.text)}"
    return "a list" if isinstance(node, Items) else "a mapping"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Suggest the known word that looks most like another one; `""` where none does."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold()[:80].replace("-", "_").replace(" ", "_"), folded, n=1, cutoff=0.65)
    return f"Did you mean `{folded[near[0]]}`?" if near else ""
