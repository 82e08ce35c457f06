"""Which gateway a command speaks to, as whom, about which competition and submission."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from podium.platform.cli.terminal import note
from podium.platform.client import saved_login
from podium.platform.errors import InvalidInput
from podium.platform.records.submissions import SubmissionRecord

if TYPE_CHECKING:
    from podium.platform.client import Client


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the options before the command say; `None` where they say nothing."""

    gateway: str | None = None
    token_file: Path | None = None


@contextmanager
def open_client(context: typer.Context) -> Iterator[Client]:
    """A client for the chosen gateway, with the token for it if there is one.

    Raises:
        NotAuthenticated: No gateway is known.
        InvalidInput: The settings or the token's file can't be read.
    """
    # Imported here: the HTTP library takes longer to load than `podium --help` should take.
    from podium.platform.client import Client  # noqa: PLC0415

    chosen = context.find_root().obj or Chosen()
    token = token_from(chosen.token_file) if chosen.token_file else None
    login = saved_login.load_login(gateway=chosen.gateway, token=token)
    if saved_login.is_readable_for_others():
        path = saved_login.settings_path()
        note(f"Warning: others on this machine can read your tokens in {path}. Mend it: chmod 600 {path}")
    with Client(login.require_gateway(), login.token) as client:
        yield client


def token_from(path: Path) -> str:
    """The token in a file.

    Raises:
        InvalidInput: The file can't be read, or has no single line.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"The token's file {path} can't be read: {reason}.") from error
    return checked_token(text)


def checked_token(text: str) -> str:
    """A token as it was typed or read, without the white space around it.

    Raises:
        InvalidInput: It can't be one.
    """
    token = text.strip()
    if not token or not token.isascii() or len(token.split()) != 1:
        raise InvalidInput("That is not a token.", remedy="It is one word; `podium token create` shows it once.")
    return token


def competition_slug(explicit: str | None) -> str:
    """The competition to use: the one that was named, else the default, which is then said on stderr.

    Raises:
        BadParameter: None was named, and there is no default.
    """
    if explicit:
        return explicit
    slug = default_competition()
    if slug is None:
        raise typer.BadParameter(
            "Name the competition, or set one for all commands: podium config set competition SLUG."
        )
    note(f"Using competition: {slug}")
    return slug


def competition_and(words: Sequence[str], what: str) -> tuple[str, str]:
    """The competition and the thing in it that `[SLUG] THING` names.

    Args:
        words: What was typed: one word or two.
        what: What the last word is, as its metavar says it.

    Raises:
        BadParameter: There are more words, or no competition was named and there is no default.
    """
    if len(words) > 2:
        raise typer.BadParameter(f"{' '.join(words)!r} is more than [SLUG] {what}; quote what has spaces in it.")
    return competition_slug(words[0] if len(words) == 2 else None), words[-1]


def competition_and_number(words: Sequence[str]) -> tuple[str, int]:
    """The competition and the rerun in it that `[SLUG] NUMBER` names.

    Raises:
        BadParameter: The last word is no number; or as for `competition_and`.
    """
    if not words[-1].removeprefix("#").isdecimal():
        raise typer.BadParameter(f"{words[-1]!r} is not a rerun's number: `podium rerun list` has them.")
    slug, number = competition_and(words, "NUMBER")
    return slug, int(number.removeprefix("#"))


def default_competition() -> str | None:
    """The competition of `PODIUM_COMPETITION`, else of `podium config`."""
    return os.environ.get("PODIUM_COMPETITION") or saved_login.load_settings().competition


def find_submission(client: Client, text: str, competition: str | None) -> SubmissionRecord:
    """A submission by its id, or by its number in a competition.

    Raises:
        BadParameter: It is neither.
        NotFound: There is none that one may see.
    """
    if text.isdecimal():
        numbered = client.numbered_submission(competition_slug(competition), int(text))
        return client.submission(numbered.id)
    return client.submission(_uuid(text))


def submission_id(client: Client, text: str, competition: str | None) -> UUID:
    """The id of a submission, without asking for the submission where that is not needed.

    Raises:
        BadParameter: It is neither an id nor a number.
        NotFound: There is none of this number that one may see.
    """
    return find_submission(client, text, competition).id if text.isdecimal() else _uuid(text)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither the id of a submission nor its number in a competition."
        ) from None
