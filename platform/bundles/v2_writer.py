"""A competition's content as a bundle of version 2: the inverse of its reader.

What is written reads back as what it was written from. Fields of Codabench's are always there, also with their
defaults, so that nobody has to know these; Podium's own are there where they say something. The same content gives the
same text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from podium.platform.bundles.content import (
    ColumnContent,
    CompetitionContent,
    FactSheetQuestion,
    FactSheetType,
    FileInBundle,
    LeaderboardContent,
    PhaseContent,
    Protocol,
    Ranking,
    Relaxations,
    SolutionContent,
    StoredDataset,
    StoredTask,
    SubmissionWindow,
    TaskContent,
    TeamRules,
)
from podium.platform.bundles.submission_formats import CellType, FormatColumn, SubmissionFormat
from podium.platform.bundles.time_zones import DEFAULT_TIME_ZONE
from podium.platform.bundles.v2_leaderboards import DEFAULT_RANK_CHANGE_HOURS
from podium.platform.bundles.v2_quotas import NONE_ALLOWED
from podium.platform.limits import LIMITS
from podium.platform.quantities import Unit

Fields = dict[str, Any]
"""Fields of a mapping in the document, in the order in which they are written."""

_BYTE_ORDER_MARK = "\ufeff"
_SIZES = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """The parts of a bundle that are text.

    Attributes:
        document: `competition.yaml`.
        texts: Terms and pages, by their paths in the bundle.
    """

    document: str
    texts: Mapping[str, str]


def write_v2(content: CompetitionContent) -> WrittenBundle:
    """Write a competition; its image and its datasets are to lie where the content says."""
    texts = {content.terms_file: content.terms, **{page.file: page.text for page in content.pages}}
    return WrittenBundle(_dumped(competition_fields(content)), {path: _encodable(text) for path, text in texts.items()})


def competition_fields(content: CompetitionContent) -> Fields:
    """The whole document, as plain values."""
    return {
        "version": 2,
        "title": content.title,
        "description": content.description,
        "image": content.image,
        "terms": content.terms_file,
        "competition_type": content.competition_type.value,
        **_known("reward", content.reward),
        **_known("contact_email", content.contact_email),
        "registration_auto_approve": content.registration_auto_approve,
        "docker_image": content.docker_image,
        **_known("queue", content.queue),
        "enable_detailed_results": content.enable_detailed_results,
        "show_detailed_results_in_submission_panel": content.show_detailed_results_in_submission_panel,
        "show_detailed_results_in_leaderboard": content.show_detailed_results_in_leaderboard,
        "auto_run_submissions": content.auto_run_submissions,
        "can_participants_make_submissions_public": content.can_participants_make_submissions_public,
        "make_programs_available": content.make_programs_available,
        "make_input_data_available": content.make_input_data_available,
        "forum_enabled": content.forum_enabled,
        **_known("start", _date(content.start)),
        **_known("end", _date(content.end)),
        **_known("registration_start", _date(content.registration_start)),
        **_known("registration_end", _date(content.registration_end)),
        **_known("teams", _teams(content.teams)),
        **_known("relaxations", _relaxations(content.relaxations)),
        "pages": [{"title": page.title, "file": page.file} for page in content.pages],
        **_known("fact_sheet", {question.key: _question(question) for question in content.fact_sheet}),
        "tasks": [_task(task) for task in content.tasks],
        **_known("solutions", [_solution(solution) for solution in content.solutions]),
        "phases": [_phase(index, phase) for index, phase in enumerate(content.phases)],
        "leaderboards": [_leaderboard(board) for board in content.leaderboards],
    }


def _teams(rules: TeamRules | None) -> Fields:
    if rules is None:
        return {}
    return {"max_members": rules.max_members, **_known("deadline", _date(rules.deadline))}


def _task(task: TaskContent | StoredTask) -> Fields:
    if isinstance(task, StoredTask):
        return {"index": _index(task.index), "key": task.key}
    return {
        "index": _index(task.index),
        "name": task.name,
        "description": task.description,
        "scoring_program": _source(task.scoring_program),
        **_known("ingestion_program", _source(task.ingestion_program)),
        **_known("input_data", _source(task.input_data)),
        **_known("reference_data", _source(task.reference_data)),
        "ingestion_only_during_scoring": task.ingestion_only_during_scoring,
        **_unless(Protocol.V2, "protocol", task.protocol),
    }


def _solution(solution: SolutionContent) -> Fields:
    field = "key" if isinstance(solution.source, StoredDataset) else "path"
    return {
        "index": _index(solution.index),
        "name": solution.name,
        "description": solution.description,
        "tasks": [_index(task) for task in solution.tasks],
        field: _source(solution.source),
    }


def _phase(index: int, phase: PhaseContent) -> Fields:
    return {
        "index": index,
        "name": phase.name,
        "description": phase.description,
        "start": _date(phase.start),
        **_known("end", _date(phase.end)),
        "tasks": [_index(task) for task in phase.tasks],
        "max_submissions_per_day": _quota(phase.max_submissions_per_day),
        "max_submissions": _quota(phase.max_submissions),
        **_unless(None, "max_concurrent_submissions", phase.max_concurrent_submissions, _quota),
        **_unless(SubmissionWindow.CALENDAR_DAY, "submission_window", phase.submission_window),
        **_unless(DEFAULT_TIME_ZONE, "time_zone", phase.time_zone),
        **_unless(0, "failed_submissions_given_back", phase.failed_submissions_given_back),
        "execution_time_limit": phase.execution_time_limit,
        **_known("limits", {LIMITS[name].key: _amount(name, amount) for name, amount in sorted(phase.limits.items())}),
        "auto_migrate_to_this_phase": phase.auto_migrate_to_this_phase,
        "hide_output": phase.hide_output,
        "hide_prediction_output": phase.hide_prediction_output,
        "hide_score_output": phase.hide_score_output,
        "accepts_only_result_submissions": phase.accepts_only_result_submissions,
        **_known("accepts_container_submissions", phase.accepts_container_submissions or None),
        **_known("starting_kit", _source(phase.starting_kit)),
        **_known("public_data", _source(phase.public_data)),
        **_known("submission_format", phase.submission_format and _submission_format(phase.submission_format)),
    }


def _submission_format(form: SubmissionFormat) -> Fields:
    return {
        **_unless("", "file", form.file),
        "kind": form.kind.value,
        **_known("columns", [_format_column(column) for column in form.columns]),
        **_known("rows", form.rows),
        **_known("shape", list(form.shape)),
        **_known("files", list(form.files)),
    }


def _format_column(column: FormatColumn) -> Fields | str:
    if column == FormatColumn(column.name):
        return column.name
    return {
        "name": column.name,
        **_unless(CellType.ANY, "type", column.type),
        **_known("values", list(column.values)),
        **_known("may_be_empty", column.may_be_empty or None),
    }


def _question(question: FactSheetQuestion) -> Fields:
    # Codabench wants all of these fields, the truth values as texts, and an empty text where nothing is chosen from.
    return {
        # The reader cuts blanks off here, and not off the key under which the question stands.
        **({"key": question.key} if question.key == question.key.strip() else {}),
        "type": question.type.value,
        "title": question.title,
        "selection": list(question.selection) if question.type is FactSheetType.SELECT else "",
        "is_required": str(question.is_required).lower(),
        "is_on_leaderboard": str(question.is_on_leaderboard).lower(),
    }


def _leaderboard(board: LeaderboardContent) -> Fields:
    return {
        "title": board.title,
        "key": board.key,
        "submission_rule": board.submission_rule.value,
        "hidden": board.hidden,
        "primary_index": board.primary_index,
        "columns": [_column(column) for column in board.columns],
        **_unless(Ranking.LEXICOGRAPHIC, "ranking", board.ranking),
        **_known("anonymous", board.anonymous or None),
        **_known("freeze_hours", board.freeze_hours),
        **_unless(DEFAULT_RANK_CHANGE_HOURS, "rank_change_hours", board.rank_change_hours),
        **_known("organizers_are_baselines", board.organizers_are_baselines or None),
    }


def _column(column: ColumnContent) -> Fields:
    return {
        "index": column.index,
        "title": column.title,
        "key": column.key,
        "sorting": column.sorting.value,
        **_known("computation", column.computation and column.computation.value),
        **_known("computation_indexes", list(column.computation_indexes)),
        **_known("computation_weights", list(column.computation_weights)),
        "precision": column.precision,
        "hidden": column.hidden,
        **_known("ranking_precision", column.ranking_precision),
        **_unless(0.0, "tie_tolerance", column.tie_tolerance),
        **_known("exclude_from_ranking", column.exclude_from_ranking or None),
    }


def _relaxations(relaxations: Relaxations) -> Fields:
    return {
        **_known("network", list(relaxations.network)),
        **_known("root", relaxations.root or None),
    }


def _known(name: str, value: object) -> Fields:
    """A field that is left out where there is nothing to say."""
    return {} if value is None or value in ({}, []) else {name: value}


def _unless(default: object, name: str, value: Any, written: Any = None) -> Fields:  # noqa: ANN401  # any plain value
    """A field that is left out where it has its default."""
    if value == default:
        return {}
    return {name: written(value) if written else getattr(value, "value", value)}


def _index(index: str) -> int | str:
    """A number as a number, as most bundles have it."""
    return int(index) if index.isascii() and index.isdecimal() and str(int(index)) == index else index


def _source(source: FileInBundle | StoredDataset | None) -> str | None:
    if source is None:
        return None
    return source.path if isinstance(source, FileInBundle) else source.key


def _date(moment: datetime | None) -> str | None:
    """A text, which Codabench reads whole: of what YAML takes for a date, it loses the time of day."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _quota(limit: int | None) -> int | str:
    if limit is None:
        return 0
    return limit or NONE_ALLOWED


def _amount(name: str, amount: float) -> int | float | str:
    """An amount exactly: of bytes in the largest unit of which it is a whole number."""
    if LIMITS[name].unit is Unit.CORES:
        return amount
    if LIMITS[name].unit is Unit.BYTES:
        for size, unit in _SIZES:
            if amount >= size and amount % size == 0:
                return f"{int(amount) // size} {unit}"
    return int(amount)


def _encodable(text: str) -> str:
    """A page's text as it is stored: the reader takes one byte order mark off."""
    return _BYTE_ORDER_MARK + text if text.startswith(_BYTE_ORDER_MARK) else text


class _Dumper(yaml.SafeDumper):
    """Plain YAML without anchors, and with long texts as people write them."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the name of the base class
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    lines = text.split("\n")
    style = None
    if not all(line.isprintable() for line in lines):
        style = '"'  # the only style in which nothing is lost of other line breaks than `\n`
    elif len(lines) > 1 and all(line == line.rstrip() for line in lines):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _dumped(fields: Fields | Sequence[Fields]) -> str:
    return str(yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
