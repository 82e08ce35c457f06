"""What the pages show is true: commands exist, links lead somewhere, settings are all there."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from podium.platform.cli.app import create_app

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
INLINE = re.compile(r"`((?:\.venv/bin/)?podium [^`\n]+)`")
BLOCK = re.compile(r"^```(?:console|sh|bash)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
_USAGE_ERROR = typer.BadParameter.__mro__[1]
LINK = re.compile(r"\]\(([^)#:\s]+)(#[^)\s]+)?\)")


def command_lines(text: str) -> Iterator[str]:
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            bare = re.sub(r"^\$ ", "", line.strip())
            # Settings before a command, and a path to it, belong to the shell.
            found = re.match(r"(?:[A-Z_]+=(?:'[^']*'|\S+) )*(?:id=\$\()?(?:\S*/bin/)?(podium .*)$", bare)
            if found:
                yield re.split(r" [|>&] |\s#|\)$|;", found[1])[0]
    for line in INLINE.findall(text):
        yield re.sub(r"^\.venv/bin/", "", line)


def shown_commands() -> list[tuple[str, str]]:
    # An example output names no command; an ellipsis stands for options.
    return [
        (page.name, line.replace(" …", "").replace(" ...", ""))
        for page in PAGES
        for line in command_lines(page.read_text())
    ]


@cache
def program() -> Any:  # noqa: ANN401  a command or a group of typer's own make
    return typer.main.get_command(create_app())


def parse(words: list[str]) -> None:
    """Parse a command line down to its command; what is wrong with it is raised."""
    command = program()
    context = None
    while hasattr(command, "commands"):
        # A group leaves its command's words alone.
        context = command.make_context(words[0], words[1:], parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        words = [str(name), *rest]
    command.make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize(("page", "line"), shown_commands())
def test_a_command_that_is_shown_can_be_typed(page: str, line: str) -> None:
    try:
        parse(["00000000-0000-0000-0000-000000000001" if word == "ID" else word for word in shlex.split(line)])
    except typer.Exit as ended:
        assert ended.exit_code == 0, line  # noqa: PT017
    except typer.BadParameter as error:
        # In a sentence, a command may stand without its arguments.
        if type(error).__name__ != "MissingParameter":
            raise


@pytest.mark.parametrize("line", ["podium nonsense", "podium submit --fiel x", "podium bundle chekc x"])
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    with pytest.raises(_USAGE_ERROR):
        parse(shlex.split(line))


def test_there_are_commands_to_look_at() -> None:
    assert len(shown_commands()) > 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        path = (page.parent / target).resolve()
        assert path.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}
            assert anchor[1:] in slugs, f"{target}{anchor}"


def test_the_tables_of_settings_are_up_to_date() -> None:
    renew = runpy.run_path(str(ROOT / "scripts" / "settings_tables.py"))["with_tables"]
    seen = 0
    for page in (ROOT / "docs").glob("*.md"):
        text = page.read_text()
        seen += text.count("<!-- settings:")
        assert renew(text) == text, f"{page.name}: run make docs"
    assert seen == 2


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 110
