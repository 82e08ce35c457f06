"""Organizers' Markdown as mail: parsed once, then filled in for each recipient.

What is filled in never becomes markup: the places where it goes are found after the text was parsed, and each value is
escaped as the place wants it. Organizers' own HTML is text like any other, and there are no links but to web pages and
addresses of mail.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from podium.platform.errors import InvalidInput
from podium.platform.mail.addresses import one_line
from podium.platform.mail.plain_text import plain_text
from podium.platform.mail.variables import VARIABLES, WRITTEN, Variable, used_in

MOST_SUBJECT = 200
MOST_BODY = 50_000
"""Characters."""
_LINK = re.compile(r"(?:https?://[^\s/?#]+|mailto:[^\s@]+@)[^\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """A message as one recipient gets it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every message; variables may be in it."""

    html_before: str = ""
    html_after: str = ""
    text_after: str = ""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text in pieces: what is the same for all, and the name of a variable between each two of them."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> str:
        if not self.names:
            return self.pieces[0]
        found = [self.pieces[0]]
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            found.append(values[name])
            found.append(piece)
        return "".join(found)

    def settled(self, values: Mapping[str, str]) -> _Text:
        """The text with some of its variables filled in for good."""
        pieces, names = [self.pieces[0]], list[str]()
        for name, piece in zip(self.names, self.pieces[1:], strict=True):
            if name in values:
                pieces[-1] += values[name] + piece
            else:
                names.append(name)
                pieces.append(piece)
        return _Text(tuple(pieces), tuple(names))


@dataclass(frozen=True, slots=True)
class Wording:
    """A message with places for what differs.

    Attributes:
        uses: The names of all variables in it.
    """

    subject: _Text
    text: _Text
    html: _Text
    uses: frozenset[str]

    def settled(self, values: Mapping[str, str]) -> Wording:
        """The message with values that are the same for all; there may be some that it does not use."""
        lines, escaped = self._lines(values.keys() & self.uses, values)
        return Wording(
            self.subject.settled(lines),
            self.text.settled(lines),
            self.html.settled(escaped),
            frozenset(self.uses - values.keys()),
        )

    def written(self, values: Mapping[str, str]) -> Written:
        """The message with these values, of which there must be one for each name in `uses`."""
        lines, escaped = self._lines(self.uses, values)
        subject = one_line(self.subject.filled(lines), most=2 * MOST_SUBJECT)
        return Written(subject, self.text.filled(lines), self.html.filled(escaped))

    @staticmethod
    def _lines(names: Collection[str], values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Values as plain text and as HTML."""
        lines = {name: one_line(values[name], most=1000) for name in names}
        return lines, {name: escape(line, quote=True) for name, line in lines.items()}


def wording(
    subject: str, body: str, frame: Frame | None = None, *, variables: Mapping[str, Variable] = VARIABLES
) -> Wording:
    """Read what organizers wrote.

    Args:
        subject: One line; variables may be in it.
        body: Markdown; variables may be in it.
        frame: What stands around it.
        variables: Those that there are.

    Raises:
        InvalidInput: All that is wrong with it.
    """
    if faults := _faults(subject, body, variables):
        raise InvalidInput(" ".join(faults), remedy=f"There are {', '.join(f'{{{{{name}}}}}' for name in variables)}.")
    frame = frame or Frame()
    marks = _Marks(variables)
    tokens = _parser(marks).parse(marks.put(body.replace("\r\n", "\n")))
    html = _Renderer(marks).render(tokens, _parser(marks).options, {})
    text = plain_text(tokens)
    whole_html = f"{marks.put(frame.html_before)}{html}{marks.put(frame.html_after)}"
    whole_text = f"{text}{marks.put(frame.text_after)}"
    return Wording(
        subject=marks.split(marks.put(one_line(subject, most=MOST_SUBJECT))),
        text=marks.split(whole_text),
        html=marks.split(whole_html),
        uses=used_in(subject, body, frame.html_before, frame.html_after, frame.text_after),
    )


def _faults(subject: str, body: str, variables: Mapping[str, Variable]) -> list[str]:
    faults = []
    if not subject.strip():
        faults.append("The subject is empty.")
    if len(subject) > MOST_SUBJECT:
        faults.append(f"The subject has more than {MOST_SUBJECT} characters.")
    if any(not one.isprintable() for one in subject):
        faults.append("The subject has a line break, or another character that nobody sees.")
    if not body.strip():
        faults.append("The message is empty.")
    if len(body) > MOST_BODY:
        faults.append(f"The message has more than {MOST_BODY} characters.")
    faults += [f"There is no variable '{name}'." for name in sorted(used_in(subject, body) - set(variables))]
    if not faults:
        faults += _faults_of_links(body, variables)
    return faults


def _faults_of_links(body: str, variables: Mapping[str, Variable]) -> list[str]:
    """Addresses of links into which something is filled in that is no address."""
    marks = _Marks(variables)
    found = []
    for token in _parser(marks, every_link=True).parse(marks.put(body)):
        for child in token.children or []:
            href = str(child.attrs.get("href", "")) if child.type == "link_open" else ""
            names = marks.names_in(href)
            if names and not marks.is_link(href):
                found.append(f"A variable can't be a part of a link's address, as '{names[0]}' is.")
    return found


class _Marks:
    """Words that nobody can have written, in the place of variables while Markdown is read."""

    def __init__(self, variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self._secret = secrets.token_hex(8)
        self._pattern = re.compile(f"v{self._secret}([A-Za-z_][A-Za-z0-9_]*?)z{self._secret}")

    def put(self, text: str) -> str:
        return WRITTEN.sub(lambda found: f"v{self._secret}{found[1]}z{self._secret}", text)

    def split(self, text: str) -> _Text:
        parts = self._pattern.split(text)
        return _Text(tuple(parts[::2]), tuple(parts[1::2]))

    def names_in(self, text: str) -> list[str]:
        return self._pattern.findall(text)

    def is_link(self, address: str) -> bool:
        """Whether an address is a variable that is one, and nothing else."""
        found = self._pattern.fullmatch(address)
        return found is not None and self._variables[found[1]].is_link

    def linked(self, escaped: str) -> str:
        """Text as HTML, where variables that are addresses become links."""

        def link(found: re.Match[str]) -> str:
            return f'<a href="{found[0]}">{found[0]}</a>' if self._variables[found[1]].is_link else found[0]

        return self._pattern.sub(link, escaped)


def _parser(marks: _Marks, *, every_link: bool = False) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough").disable("image")

    def is_allowed(address: str) -> bool:
        return every_link or marks.is_link(address) or _LINK.fullmatch(address) is not None

    parser.validateLink = is_allowed  # type: ignore[method-assign, assignment]  # how markdown-it is told
    return parser


class _Renderer(RendererHTML):
    """HTML in which variables that are addresses become links, unless they stand in one."""

    def __init__(self, marks: _Marks) -> None:
        super().__init__()
        self._marks = marks

    def renderInline(  # noqa: N802  # markdown-it's name
        self, tokens: Sequence[Token], options: OptionsDict, env: MutableMapping[str, Any]
    ) -> str:
        depth, found = 0, []
        for index, token in enumerate(tokens):
            depth += token.nesting if token.type in {"link_open", "link_close"} else 0
            if token.type == "text" and not depth:
                found.append(self._marks.linked(escape(token.content, quote=True)))
            elif token.type in self.rules:
                found.append(self.rules[token.type](tokens, index, options, env))
            else:
                found.append(self.renderToken(tokens, index, options, env))
        return "".join(found)
