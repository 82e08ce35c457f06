"""How far things are, for a person who watches: bars in a terminal, a line of HTML in a notebook, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import Any, Protocol

from podium.platform.client.log_text import readable
from podium.platform.client.progress import Progress, Step
from podium.platform.lifecycle import TERMINAL_SUBMISSION_STATUSES
from podium.platform.records.submissions import SubmissionRecord

_VERBS = {
    Step.PACKING: "Packing",
    Step.FINGERPRINTING: "Checksum of",
    Step.UPLOADING: "Uploading",
    Step.DOWNLOADING: "Downloading",
}
_REDRAW_SECONDS = 0.2


class Display(Protocol):
    """What shows a person how far things are."""

    def progress(self, progress: Progress) -> None:
        """A file is on its way."""

    def status(self, record: SubmissionRecord) -> None:
        """A submission is where it is."""

    def note(self, text: str) -> None:
        """There is something to know."""

    def close(self) -> None:
        """It is over."""


def is_notebook() -> bool:
    """Whether this code runs in a cell of a notebook. Loads nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


@contextmanager
def shown(wanted: bool | None) -> Iterator[Display]:  # noqa: FBT001  # what callers were told, passed on
    """What shows how far things are.

    Args:
        wanted: `None` for where somebody watches: a notebook or a terminal.
    """
    display = _display(wanted)
    try:
        yield display
    finally:
        display.close()


def _display(wanted: bool | None) -> Display:  # noqa: FBT001
    if wanted is False:
        return Nothing()
    if is_notebook():
        return InNotebook()
    if sys.stderr is not None and sys.stderr.isatty():
        return InTerminal()
    return Lines() if wanted else Nothing()


class Nothing:
    """Shows nothing."""

    def progress(self, progress: Progress) -> None:
        """Nobody watches."""

    def status(self, record: SubmissionRecord) -> None:
        """Nobody watches."""

    def note(self, text: str) -> None:
        """Nobody watches."""

    def close(self) -> None:
        """Nobody watched."""


class Lines(Nothing):
    """Lines on stderr: one for each file and step, and for each state."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def progress(self, progress: Progress) -> None:
        """A line when a step begins."""
        if progress.step is not Step.FINGERPRINTING:
            self.note(f"{_VERBS[progress.step]} {progress.name} ...")

    def status(self, record: SubmissionRecord) -> None:
        """A line for each state."""
        self.note(_status_text(record))

    def note(self, text: str) -> None:
        """A line, once."""
        if text not in self._said:
            self._said.add(text)
            print(readable(text), file=sys.stderr)


class InTerminal:
    """Bars, and a line that changes."""

    def __init__(self) -> None:
        # Only a watched terminal needs them.
        console = import_module("rich.console").Console(stderr=True)
        bars = import_module("rich.progress")
        self._escape = import_module("rich.markup").escape
        columns = (
            bars.SpinnerColumn(),
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=24),
            bars.TimeElapsedColumn(),
        )
        self._bars: Any = bars.Progress(*columns, console=console, transient=True)
        self._tasks: dict[str, Any] = {}
        self._bars.start()

    def progress(self, progress: Progress) -> None:
        """A bar for each file and step."""
        text = f"{_VERBS[progress.step]} {progress.name}"
        self._bars.update(self._task(text), completed=progress.done, total=progress.total)

    def status(self, record: SubmissionRecord) -> None:
        """A line that says where it is."""
        task = self._task(f"Submission {record.number}")
        self._bars.update(task, description=self._escape(readable(_status_text(record))))

    def note(self, text: str) -> None:
        """A line that stays."""
        self._bars.console.print(self._escape(readable(text)), highlight=False)

    def close(self) -> None:
        """Give the terminal back."""
        self._bars.stop()

    def _task(self, name: str) -> Any:  # noqa: ANN401  # rich's own
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(self._escape(readable(name)), total=None)
        return self._tasks[name]


class InNotebook:
    """One piece of HTML under the cell, which changes; no widgets, so that it works wherever notebooks do."""

    def __init__(self) -> None:
        self._module = import_module("IPython.display")
        self._handle: Any = None
        self._notes: list[str] = []
        self._line = ""
        self._drawn = 0.0

    def progress(self, progress: Progress) -> None:
        """A bar, drawn a few times a second."""
        name = f"{_VERBS[progress.step]} {escape(progress.name)}"
        total = progress.total or 0
        bar = f' <progress value="{progress.done}" max="{total}"></progress>' if total else ""
        share = f" {progress.done / total:.0%}" if total else ""
        self._line = f"{name}{bar}{share}"
        self._draw(at_once=progress.done == progress.total)

    def status(self, record: SubmissionRecord) -> None:
        """Where it is."""
        self._line = escape(_status_text(record))
        self._draw(at_once=True)

    def note(self, text: str) -> None:
        """A line that stays."""
        self._notes.append(escape(text))
        self._draw(at_once=True)

    def close(self) -> None:
        """Show the last state."""
        if self._line:
            self._draw(at_once=True)

    def _draw(self, *, at_once: bool) -> None:
        now = time.monotonic()
        if not at_once and now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        lines = "".join(f"<div>{line}</div>" for line in (*self._notes, self._line) if line)
        page = self._module.HTML(f'<div role="status">{lines}</div>')
        if self._handle is None:
            self._handle = self._module.display(page, display_id=True)
        else:
            self._handle.update(page)


def _status_text(record: SubmissionRecord) -> str:
    ahead = f", {record.ahead} before it" if record.ahead else ""
    message = f": {record.status_message}" if record.status_message else ""
    scores = f", {', '.join(map(str, record.scores))}" if record.scores else ""
    ended = record.status in TERMINAL_SUBMISSION_STATUSES
    return f"Submission {record.number}: {record.status.value}{ahead}{message}{scores if ended else ''}"
