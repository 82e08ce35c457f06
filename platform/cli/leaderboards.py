"""`podium leaderboard`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from podium.platform.bundles.content import Sorting
from podium.platform.cli.listings import Field, Form, broken_table_text, form_of, json_text, show_list, shown_time
from podium.platform.cli.moments import moment_from
from podium.platform.cli.options import TAKING_PART, CompetitionArgument, CsvOption, JsonOption, PhaseOption
from podium.platform.cli.session import competition_slug, open_client
from podium.platform.cli.terminal import note, printable, say
from podium.platform.errors import Conflict
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRecord, LeaderboardRow, RankPoint

if TYPE_CHECKING:
    from podium.platform.client import Client

_ROWS = 50
_ARROWS = {Sorting.DESC: "↑", Sorting.ASC: "↓"}  # the way that is better


class _ShownByDefault(typer.core.TyperGroup):
    """Takes `podium leaderboard SLUG` for `podium leaderboard show SLUG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # its type is typer's own
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


group = typer.Typer(cls=_ShownByDefault, help="Leaderboards: as they stand, as they stood, and whether they are right.")
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="What stood there then.", show_default=False)
]


@group.command("show")
def leaderboard(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    phase: PhaseOption = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"The best so many; by default {_ROWS}, in CSV all.", show_default=False),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="Only participants in whose name this is.", show_default=False)
    ] = None,
    as_of: AsOfOption = None,
    by_task: Annotated[
        bool,
        typer.Option("--by-task", help="What each task gave, where there are several; JSON and CSV have it anyway."),
    ] = False,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to a file.", show_default=False)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Show a leaderboard, best first. An arrow by a score says which way is better."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    moment = None if as_of is None else moment_from(as_of, "--as-of")
    if search and form is Form.CSV:
        raise typer.BadParameter("a CSV has the whole leaderboard: search in it.", param_hint="--search")
    if output is not None and output.exists() and not overwrite:
        raise Conflict(f"{output} is there already.", remedy="Choose another name, or give --overwrite.")
    with open_client(context) as client:
        competition = competition_slug(slug)
        if form is Form.CSV:
            text = _first_records(client.leaderboard_csv(competition, phase, as_of=moment), limit)
        else:
            board = client.whole_leaderboard(competition, phase, limit=limit or _ROWS, search=search, as_of=moment)
            text = json_text(board) if form is Form.JSON else board_text(board, search or "", by_task=by_task)
    if output is None:
        say(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        note(f"Written to {output}")


@group.command("history")
def history(
    context: typer.Context,
    slug: CompetitionArgument = None,
    *,
    phase: PhaseOption = None,
    participant: Annotated[
        str | None,
        typer.Option("--participant", help="Whose; by default the best of the board.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
) -> None:
    """Show how a participant came to their rank, or how the best of the board became better."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with open_client(context) as client:
        competition = competition_slug(slug)
        columns = client.leaderboard(competition, phase, limit=1).columns
        points = client.leaderboard_history(competition, phase, participant=participant)
    fields: tuple[Field[RankPoint], ...] = (
        Field("date", lambda point: point.moment),
        Field("rank", lambda point: point.rank, is_number=True),
        *(_point_field(column, index) for index, column in enumerate(columns)),
        Field("submission", lambda point: point.submission_number, is_number=True),
    )
    show_list(points, fields, form, empty="Nobody has been on it yet.")


def _point_field(column: ColumnRecord, index: int) -> Field[RankPoint]:
    title = column_title(column)
    return Field(title, lambda point: point.scores[index], is_number=True, precision=column.precision)


@group.command("verify")
def verify(
    context: typer.Context,
    slug: Annotated[str | None, typer.Argument(help="By default all that you may see.", show_default=False)] = None,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Make them what they should be.")] = False,
) -> None:
    """Compare leaderboards with what all scored submissions make of them. Ends with 1 where one is not so."""
    count = 0
    with open_client(context) as client:
        for one in [slug] if slug else _every_slug(client):
            found = client.repair_leaderboard(one) if repair else client.verify_leaderboard(one)
            count += len(found)
            for difference in found:
                number = difference.submission_number
                what = "The board" if number is None else f"Submission {number}"
                say(printable(f"{one}, phase {difference.phase}: {what} {difference.message}."))
            if not found:
                note(f"{one}: as it should be")
    if count and not repair:
        raise typer.Exit(1)
    if count:
        note(f"Repaired: {count}")


def _every_slug(client: Client) -> list[str]:
    found: list[str] = []
    while page := client.competitions(limit=_ROWS, offset=len(found)):
        found += [one.slug for one in page]
    return found


def board_text(board: LeaderboardRecord, search: str = "", *, by_task: bool = False) -> str:
    """A leaderboard for a person, or those of its rows that were searched for.

    Args:
        by_task: With what each of its tasks gave, where there are several, in place of answers, entries and dates.
    """
    head = printable(f"{board.title}: {board.competition_title}, phase {board.phase}")
    if board.as_of is not None:
        head += f", as it stood at {shown_time(board.as_of)}"
    if not board.rows:
        nobody = f"Nobody on it has '{printable(search)}' in their name." if search else "Nobody is on it yet."
        return f"{head}\n\n{nobody if board.as_of is None or search else 'Nobody was on it.'}"
    shown = len(board.rows)
    more = f", the first {shown} of {board.total} rows" if shown < board.total else ""
    frozen = f"\nFrozen: what stood there at {shown_time(board.frozen_since)}" if board.frozen_since else ""
    tasks = f"\nOf {len(board.tasks)} tasks: --by-task shows what each gave" if board.tasks and not by_task else ""
    table = broken_table_text(board.rows, _WHO, _groups(board, by_task=by_task))
    return f"{head}\n\n{table}\nUpdated {shown_time(board.updated)}{more}{frozen}{tasks}"


_WHO: Sequence[Field[LeaderboardRow]] = (
    Field("rank", lambda row: "baseline" if row.is_baseline else row.rank, is_number=True),
    Field("participant", lambda row: row.participant),
)


def _groups(board: LeaderboardRecord, *, by_task: bool) -> Sequence[Sequence[Field[LeaderboardRow]]]:
    """What stands beside who it is, in groups that may stand below each other."""
    scores = [_score_field(board, index) for index in range(len(board.columns))]
    if by_task and board.tasks:
        places = board.task_columns
        return (
            scores,
            *([_task_field(board, *at) for at in places if at[0] == task] for task in range(len(board.tasks))),
        )
    rest = (
        *(_answer_field(question.key, question.title) for question in board.questions),
        Field("entries", lambda row: row.entries, is_number=True),
        Field("date", lambda row: row.submitted, may_wrap=True),
    )
    return ((*scores, *rest),)


def _task_field(board: LeaderboardRecord, task: int, index: int) -> Field[LeaderboardRow]:
    column = board.columns[index]
    return Field(
        column_title(column),
        lambda row: board.task_score(row, task, index),
        is_number=True,
        precision=column.precision,
        above=printable(board.tasks[task]),
    )


def _score_field(board: LeaderboardRecord, index: int) -> Field[LeaderboardRow]:
    column = board.columns[index]
    return Field(column_title(column), lambda row: row.scores[index], is_number=True, precision=column.precision)


def column_title(column: ColumnRecord) -> str:
    """The heading of a column of scores, with an arrow to what is better."""
    return f"{printable(column.title)} {_ARROWS[column.sorting]}"


def _answer_field(key: str, title: str) -> Field[LeaderboardRow]:
    return Field(printable(title) or key, lambda row: row.fact_sheet.get(key), may_wrap=True)


def _first_records(text: str, limit: int | None) -> str:
    """The heading and the first records of a CSV; a record may span lines."""
    if limit is None:
        return text
    kept = io.StringIO()
    csv.writer(kept, lineterminator="\n").writerows(islice(csv.reader(io.StringIO(text)), limit + 1))
    return kept.getvalue()


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.add_typer(group, name="leaderboard", rich_help_panel=TAKING_PART)
