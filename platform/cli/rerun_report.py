"""`podium rerun report`: the new results beside the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from podium.platform.cli.leaderboards import column_title
from podium.platform.cli.listings import Field, Form, form_of, show_json, show_table
from podium.platform.cli.options import CsvOption, JsonOption, RerunWords
from podium.platform.cli.rerun_text import counted
from podium.platform.cli.session import competition_and_number, open_client
from podium.platform.cli.terminal import say
from podium.platform.records.reruns import RerunDifference, RerunReport


def report(
    context: typer.Context,
    number: RerunWords,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Those that are as before too, as JSON and CSV do.")
    ] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show what a rerun changes, the largest changes of rank first."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    competition, which = competition_and_number(number)
    with open_client(context) as client:
        if form is Form.CSV:
            say(client.rerun_report_csv(competition, which).rstrip("\n"))
            return
        found = client.rerun_report(competition, which)
    if form is Form.JSON:
        show_json(found)
        return
    rows = [one for one in found.differences if everything or one.changed or one.old_rank != one.new_rank]
    if rows:
        show_table(rows, _fields(found))
        say()
    say(totals_text(found))


def totals_text(found: RerunReport) -> str:
    """What changes in all, in a line."""
    rerun = found.rerun
    parts = [
        f"{found.changed:,} of {counted(rerun.total)} {'has' if found.changed == 1 else 'have'} other results"
        if found.changed
        else f"All of {counted(rerun.ended_ones)} that were scored have the same results"
    ]
    counts = (
        (found.moved, "is of a participant whose rank changes", "are of participants whose rank changes"),
        (found.now_failing, "was finished and fails now", "were finished and fail now"),
        (found.now_finished, "had failed and is finished now", "had failed and are finished now"),
        (rerun.given_up, "was given up by Podium and stays", "were given up by Podium and stay"),
        (rerun.total - rerun.ended_ones, "is not scored yet", "are not scored yet"),
    )
    parts += [f"{number:,} {one if number == 1 else many}" for number, one, many in counts if number]
    return f"{'; '.join(parts)}."


def _fields(found: RerunReport) -> Sequence[Field[RerunDifference]]:
    return (
        Field("submission", lambda one: one.number, is_number=True),
        Field("participant", lambda one: one.participant),
        Field("phase", lambda one: one.phase),
        Field("rank", lambda one: _change(_shown(one.old_rank), _shown(one.new_rank))),
        *(_score_field(found, index) for index in range(len(found.columns))),
        Field("status", _status),
        Field("message", lambda one: one.message, may_wrap=True),
    )


def _score_field(found: RerunReport, index: int) -> Field[RerunDifference]:
    column = found.columns[index]

    def value(one: RerunDifference) -> str:
        old = _shown(one.old_scores[index], column.precision)
        if one.new_status is None:
            return old
        new = _shown(one.new_scores[index], column.precision)
        if old == new and one.old_scores[index] != one.new_scores[index]:
            # Rounded they are the same; what has changed must be seen.
            old, new = f"{one.old_scores[index]!r}", f"{one.new_scores[index]!r}"
        return _change(old, new)

    return Field(column_title(column), value)


def _status(one: RerunDifference) -> str:
    new = one.old_status if one.new_status is None else one.new_status
    return _change(one.old_status.value, new.value)


def _change(old: str, new: str) -> str:
    return old if old == new else f"{old} → {new}"


def _shown(number: float | None, precision: int = 0) -> str:
    return "-" if number is None else f"{number:.{precision}f}"
