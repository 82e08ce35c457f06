"""`podium images`: medical images, and `podium images build` for those that containers are started from."""

from __future__ import annotations

from typing import Annotated

import typer

from podium.platform.cli import image_imports
from podium.platform.cli.options import ORGANIZING
from podium.platform.cli.terminal import note, say
from podium.platform.cli.transfers import size_text


def build(
    *,
    force: Annotated[bool, typer.Option("--force", help="Make them again, also where nothing has changed.")] = False,
    agent: Annotated[
        bool, typer.Option("--agent", help="Make the image of an agent instead, for agents that run as containers.")
    ] = False,
) -> None:
    """Make a Python image and a scientific one from this machine's own packages, without a registry."""
    # Imported here: it needs a Docker client, which only agents have.
    from podium.agents.images.build import build_images  # noqa: PLC0415

    for image in build_images(note, force=force, agent=agent):
        say(image.name)
        note(f"  {size_text(image.size_bytes)}, {'made' if image.built else 'there already'} ({image.seconds:.1f} s)")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    group = typer.Typer(help="Medical images of datasets and submissions; and images that containers start from.")
    image_imports.register(group)
    group.command("build", rich_help_panel="Images of containers, on a host that runs an agent")(build)
    app.add_typer(group, name="images", no_args_is_help=True, rich_help_panel=ORGANIZING)
