"""`podium config`: the gateway and the competition that are used where none is named."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from podium.platform.cli.options import SIGNING_IN
from podium.platform.cli.terminal import note, say
from podium.platform.client.addresses import normalized_gateway
from podium.platform.client.saved_login import Settings, load_settings, save_settings
from podium.platform.errors import NotFound


class Setting(StrEnum):
    """What can be set."""

    COMPETITION = "competition"
    GATEWAY = "gateway"


Name = Annotated[Setting, typer.Argument(metavar="competition|gateway")]


def set_value(name: Name, value: Annotated[str, typer.Argument(metavar="VALUE")]) -> None:
    """Use a competition or a gateway where none is named."""
    kept = normalized_gateway(value) if name is Setting.GATEWAY else value
    save_settings(_changed(name, kept))
    note(f"{name.value} is now {kept}")


def get_value(name: Name) -> None:
    """Show what is set."""
    settings = load_settings()
    value = settings.gateway if name is Setting.GATEWAY else settings.competition
    if value is None:
        raise NotFound(f"No {name.value} is set.", remedy=f"Set one: podium config set {name.value} VALUE")
    say(value)


def unset_value(name: Name) -> None:
    """Forget what is set."""
    save_settings(_changed(name, None))
    note(f"{name.value} is no longer set")


def _changed(name: Setting, value: str | None) -> Settings:
    settings = load_settings()
    return replace(settings, gateway=value) if name is Setting.GATEWAY else replace(settings, competition=value)


def register(app: typer.Typer) -> None:
    """Add the commands to an application."""
    group = typer.Typer(help="Set the gateway and the competition that are used where none is named.")
    group.command("set")(set_value)
    group.command("get")(get_value)
    group.command("unset")(unset_value)
    app.add_typer(group, name="config", no_args_is_help=True, rich_help_panel=SIGNING_IN)
