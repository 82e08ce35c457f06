"""Errors as a person at a terminal should see them: what, why and what to do, and never a traceback."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Mapping
from types import MappingProxyType

import typer

from podium.platform.bundles.problems import BundleRefused
from podium.platform.bundles.report import problems_json, problems_text
from podium.platform.cli.exit_codes import ExitCode, exit_code_of
from podium.platform.cli.terminal import has_colours, note, printable
from podium.platform.errors import PodiumError

# The extra that brings a module which a participant's installation lacks.
_EXTRAS: Mapping[str, str] = MappingProxyType({"yaml": "organizer", "docker": "agent"})
_SERVER_MODULES = frozenset(
    {
        "alembic",
        "fastapi",
        "fsspec",
        "itsdangerous",
        "prefect",
        "psycopg",
        "pydantic",
        "pydantic_settings",
        "sqlalchemy",
    }
    | {"starlette", "streamlit", "uvicorn"}
)


def show_error(error: PodiumError, *, as_json: bool) -> ExitCode:
    """Show an error on stderr and give the exit status for it."""
    code = exit_code_of(error)
    problems = error.problems if isinstance(error, BundleRefused) else ()
    if as_json:
        value: dict[str, object] = {
            "type": error.type,
            "title": error.title,
            "detail": error.detail,
            "remedy": error.remedy,
            "exit_status": code.value,
        }
        if problems:
            value["problems"] = problems_json(problems)["problems"]
        note(json.dumps(value, indent=2))
        return code
    details = problems_text(problems) if problems else error.detail
    _show_block(error.title, details, error.remedy)
    return code


def show_unexpected(error: Exception) -> ExitCode:
    """Show an error that nobody foresaw, in a line; the whole of it with `PODIUM_DEBUG=1`."""
    missing = _missing_extra(error)
    if missing is not None:
        _show_block("Part of Podium is not installed", f"{error}.", f"Install it: pip install 'podium[{missing}]'")
        return ExitCode.USAGE
    if os.environ.get("PODIUM_DEBUG"):
        note(traceback.format_exc())
    if isinstance(error, OSError) and error.filename is not None:
        _show_block("A file can't be used", f"{error.filename}: {error.strerror}.", "")
        return ExitCode.USAGE
    _show_block(
        "The command line failed in a way that nobody foresaw",
        f"{type(error).__name__}: {error}",
        "Run it again with PODIUM_DEBUG=1 to see where, and report it.",
    )
    return ExitCode.FAULT


def _missing_extra(error: Exception) -> str | None:
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    module = error.name.partition(".")[0]
    return _EXTRAS.get(module) or ("server" if module in _SERVER_MODULES else None)


def _show_block(title: str, detail: str, remedy: str) -> None:
    head = typer.style("Error:", fg="red", bold=True) if has_colours() else "Error:"
    note(f"{head} {printable(title)}")
    for text in (detail, remedy):
        for line in printable(text).splitlines():
            note(f"  {line}".rstrip())
