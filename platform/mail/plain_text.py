"""Markdown as plain text: what the tokens of markdown-it say, without any markup."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from markdown_it.token import Token

_RULE = "-" * 40


def plain_text(tokens: Sequence[Token]) -> str:
    """The tokens of a text, as plain text; the address of a link stands behind it."""
    made = _PlainText()
    for token in tokens:
        made.take(token)
    return "\n".join(made.lines).strip("\n") + "\n"


class _PlainText:
    """Lines with what stands before them: quotes, bullets, and the room that bullets take."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._before: list[str] = []
        self._bullet = ""
        self._numbers: list[int | None] = []
        self._cells: list[str] | None = None
        self._steps: dict[str, Callable[[Token], None]] = {
            "bullet_list_open": self._open_list,
            "ordered_list_open": self._open_list,
            "bullet_list_close": lambda _: self._close_list(),
            "ordered_list_close": lambda _: self._close_list(),
            "list_item_open": lambda _: self._open_item(),
            "list_item_close": lambda _: self._close(),
            "blockquote_open": lambda _: self._open_quote(),
            "blockquote_close": lambda _: self._close(),
            "heading_open": lambda _: self._gap(),
            "table_open": lambda _: self._gap(),
            "paragraph_open": lambda token: None if token.hidden else self._gap(),
            "hr": lambda _: self._block(_RULE),
            "fence": lambda token: self._block(token.content.rstrip("\n"), indent="    "),
            "code_block": lambda token: self._block(token.content.rstrip("\n"), indent="    "),
            "tr_open": lambda _: self._open_row(),
            "tr_close": lambda _: self._close_row(),
            "inline": self._inline,
        }

    def take(self, token: Token) -> None:
        """Write what a token says."""
        step = self._steps.get(token.type)
        if step is not None:
            step(token)

    def _add(self, text: str, *, indent: str = "") -> None:
        for line in text.split("\n"):
            start = "".join(self._before)
            if self._bullet:
                start = start[: -len(self._bullet)] + self._bullet
                self._bullet = ""
            self.lines.append(f"{start}{indent}{line}".rstrip())

    def _gap(self) -> None:
        if self.lines and not self._bullet and self.lines[-1].strip(" >"):
            self.lines.append("".join(self._before).rstrip())

    def _block(self, text: str, *, indent: str = "") -> None:
        self._gap()
        self._add(text, indent=indent)

    def _open_list(self, token: Token) -> None:
        if not self._numbers:
            self._gap()
        self._numbers.append(int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None)

    def _close_list(self) -> None:
        self._numbers.pop()

    def _open_item(self) -> None:
        number = self._numbers[-1]
        self._bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._numbers[-1] = number + 1
        self._before.append(" " * len(self._bullet))

    def _open_quote(self) -> None:
        self._gap()
        self._before.append("> ")

    def _close(self) -> None:
        self._before.pop()
        self._bullet = ""

    def _open_row(self) -> None:
        self._cells = []

    def _close_row(self) -> None:
        self._add(" | ".join(self._cells or []))
        self._cells = None

    def _inline(self, token: Token) -> None:
        text = "".join(_words(token.children or []))
        if self._cells is None:
            self._add(text)
        else:
            self._cells.append(text)


def _words(children: Sequence[Token]) -> Iterator[str]:
    """Words of a line. A link is its words and its address, unless these are the same."""
    address, words = "", list[str]()
    for child in children:
        if child.type == "link_open":
            address, words = str(child.attrs["href"]), []
        elif child.type == "link_close":
            said, plain = "".join(words), address.removeprefix("mailto:")
            yield said if said in {address, plain} else f"{said} ({plain})"
            address = ""
        else:
            text = "\n" if child.type in {"softbreak", "hardbreak"} else child.content
            if address:
                words.append(text)
            else:
                yield text
