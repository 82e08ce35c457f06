"""Logs on a terminal: the streams of a submission one after the other as they come, each said by its name."""

from __future__ import annotations

import typer

from podium.platform.cli.terminal import printable
from podium.platform.client.log_text import LogText
from podium.platform.records.submissions import LogPiece


class LogView:
    """Writes log pieces to stdout, with a line that names the stream wherever another one goes on.

    Args:
        with_heads: Whether to name the streams; not where there is one alone.
    """

    def __init__(self, *, with_heads: bool) -> None:
        self._with_heads = with_heads
        self._texts: dict[tuple[int, str, str], LogText] = {}
        self._source: tuple[int, str, str] | None = None
        self._at_line_start = True

    def add(self, piece: LogPiece) -> None:
        """Write a piece."""
        source = (piece.attempt, piece.task, piece.stream)
        self._write(source, self._texts.setdefault(source, LogText()).add(piece.text))

    def end(self) -> None:
        """Write what the streams left unfinished."""
        for source, text in self._texts.items():
            self._write(source, text.rest())

    def _write(self, source: tuple[int, str, str], text: str) -> None:
        if not text:
            return
        if source != self._source:
            if not self._at_line_start:
                typer.echo()
            if self._with_heads:
                attempt, task, stream = source
                typer.echo(printable(f"==> {stream} (task {task}, attempt {attempt}) <=="))
        self._source = source
        typer.echo(text, nl=False)
        self._at_line_start = text.endswith("\n")
