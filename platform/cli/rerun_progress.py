"""Following a rerun on stderr: a bar for a person who watches, a line for each change otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from podium.platform.cli.rerun_text import progress_text
from podium.platform.cli.terminal import is_shown_live, note, printable
from podium.platform.records.reruns import RerunRecord

if TYPE_CHECKING:
    from podium.platform.client import Client


def follow(client: Client, slug: str, number: int, timeout: float | None) -> RerunRecord:
    """Follow a rerun until it goes on only if somebody says so.

    Raises:
        WaitedTooLong: The time is over; the rerun goes on.
    """
    with _bar() if is_shown_live() else _lines() as on_change:
        return client.wait_for_rerun(slug, number, timeout=timeout, on_change=on_change)


@contextmanager
def _lines() -> Iterator[Callable[[RerunRecord], None]]:
    said: list[object] = []

    def show(rerun: RerunRecord) -> None:
        # How long it still takes changes all the time, which is no news.
        news = (rerun.status, rerun.status_message, rerun.ended_ones)
        if said != [news]:
            said[:] = [news]
            note(printable(progress_text(rerun)))

    yield show


@contextmanager
def _bar() -> Iterator[Callable[[RerunRecord], None]]:
    # Imported here: only a watched terminal needs them.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)

        def show(rerun: RerunRecord) -> None:
            text = escape(printable(progress_text(rerun)))
            bars.update(task, description=text, completed=rerun.ended_ones, total=rerun.total)

        yield show
