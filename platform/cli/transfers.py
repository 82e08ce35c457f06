"""Progress of files on stderr: bars for a person who watches, a line for each file otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from podium.platform.cli.terminal import is_shown_live, note, printable
from podium.platform.client.progress import OnProgress, Progress, Step, silent

_VERBS = {
    Step.PACKING: "Packing",
    Step.FINGERPRINTING: "Checksum of",
    Step.UPLOADING: "Uploading",
    Step.DOWNLOADING: "Downloading",
}


@contextmanager
def shown_progress(*, quietly: bool = False) -> Iterator[OnProgress]:
    """What to give to a step of the client as `on_progress`.

    Args:
        quietly: Show nothing at all.
    """
    if quietly:
        yield silent
    elif is_shown_live():
        with _bars() as on_progress:
            yield on_progress
    else:
        yield _Lines()


class _Lines:
    """One line for each file and step, when it begins."""

    def __init__(self) -> None:
        self._begun: set[tuple[Step, str]] = set()

    def __call__(self, progress: Progress) -> None:
        key = (progress.step, progress.name)
        if progress.step is Step.FINGERPRINTING or key in self._begun:
            return
        self._begun.add(key)
        size = f" ({size_text(progress.total)})" if progress.total is not None else ""
        note(f"{_VERBS[progress.step]} {printable(progress.name)}{size} ...")


@contextmanager
def _bars() -> Iterator[OnProgress]:
    # Imported here: only a watched terminal needs them.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[tuple[Step, str], TaskID] = {}

        def show(progress: Progress) -> None:
            key = (progress.step, progress.name)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{_VERBS[progress.step]} {escape(printable(progress.name))}", total=None)
            bars.update(tasks[key], completed=progress.done, total=progress.total)

        yield show


def size_text(size: int) -> str:
    """A number of bytes as people read it."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
