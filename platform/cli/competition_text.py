"""A competition and its phases, in words and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.platform.bundles.content import FactSheetQuestion
from podium.platform.cli.listings import Field, shown_time, table_text
from podium.platform.cli.terminal import printable
from podium.platform.lifecycle import MigrationStatus
from podium.platform.records.competitions import CompetitionRecord, PhaseRecord


def _takes(phase: PhaseRecord) -> str:
    if phase.container_submissions:
        return "container images"
    return "results" if phase.only_result_submissions else "code or results"


def limits_text(phase: PhaseRecord) -> str:
    """What each participant may submit to a phase."""
    given_back = phase.failed_submissions_given_back
    failed = f"; {given_back} failed not counted" if given_back else ""
    return f"{phase.quota_in_words() or 'no limit'}{failed}"


PHASE_FIELDS: Sequence[Field[PhaseRecord]] = (
    Field("#", lambda one: one.number, is_number=True),
    Field("phase", lambda one: one.name),
    Field("status", lambda one: f"{one.status}, paused" if one.paused else one.status),
    Field("start", lambda one: one.start, may_wrap=True),
    Field("end", lambda one: one.end, may_wrap=True),
    Field("limits", limits_text, may_wrap=True),
    Field("takes", _takes),
)
_QUESTION_FIELDS: Sequence[Field[FactSheetQuestion]] = (
    Field("key", lambda one: one.key),
    Field("question", lambda one: one.title, may_wrap=True),
    Field("answer", lambda one: " | ".join(one.selection) or one.type.value, may_wrap=True),
    Field("required", lambda one: one.is_required),
)


def described(record: CompetitionRecord) -> str:
    """A competition, whole."""
    summary = record.summary
    lines = [
        f"{summary.title} ({summary.slug}), organized by {summary.organizer}",
        summary.description,
        "",
        f"{summary.participants} participants, {summary.submissions} submissions. {_your_part(record)}",
    ]
    if not summary.published:
        lines.append("It is not published.")
    if summary.deadline:
        lines.append(f"The phase {summary.phase} ends {shown_time(summary.deadline)}.")
    lines += windows_text(record)
    lines += record.relaxations.in_words()
    lines += ["", table_text(record.phases, PHASE_FIELDS), *notices(record.phases), *record.limits_in_words()]
    lines += formats_in_words(record.phases)
    if record.columns:
        lines.append("Scores: " + ", ".join(f"{column.title} ({column.key})" for column in record.columns))
    if record.fact_sheet:
        lines += ["", "Questions, answered with `podium submit --fact KEY=ANSWER`:"]
        lines.append(table_text(record.fact_sheet, _QUESTION_FIELDS))
    # Tables are safe to show already, and may have colours.
    return "\n".join(line if line.endswith("\n") else printable(line) for line in lines).rstrip("\n")


def formats_in_words(phases: Sequence[PhaseRecord]) -> list[str]:
    """What results look like, in a sentence for all phases in which it is the same."""
    names: dict[str, list[str]] = {}
    for phase in phases:
        if phase.submission_format is not None:
            names.setdefault(phase.submission_format.in_words(), []).append(phase.name)
    of = {words: "" if len(named) == len(phases) else f" of {', '.join(named)}" for words, named in names.items()}
    return [f"Results{of[words]} are {words}." for words in names]


def windows_text(record: CompetitionRecord) -> Iterator[str]:
    """When a competition takes submissions and participants, where it says so itself."""
    for what, start, end in (
        ("Submissions are taken", record.start, record.end),
        ("One may join", record.registration_start, record.registration_end),
    ):
        bounds = [f"{word} {shown_time(moment)}" for word, moment in (("from", start), ("until", end)) if moment]
        if bounds:
            yield f"{what} {' '.join(bounds)}."


def notices(phases: Sequence[PhaseRecord]) -> Iterator[str]:
    """What else there is to know of phases at the moment: those that are paused, and what moves from one to another."""
    for phase in phases:
        if phase.paused:
            yield f"{phase.name} takes no submissions at the moment: {phase.pause_message}"
        if phase.auto_migrate:
            yield f"{phase.name}: {_migration_text(phase)}"


def _migration_text(phase: PhaseRecord) -> str:
    migration = phase.migration
    if migration is None:
        return "what is on the leaderboard of the phase before is scored in it when it begins."
    if migration.status is MigrationStatus.RUNNING:
        text = f"submissions of the phase before are being taken over, {migration.copied} so far."
    elif migration.copied == 1:
        text = "1 submission of the phase before was taken over."
    else:
        text = f"{migration.copied} submissions of the phase before were taken over."
    return f"{text} {migration.message}".rstrip()


def _your_part(record: CompetitionRecord) -> str:
    if record.may_organize:
        return "You organize it."
    if record.participation is None:
        return f"Take part: podium join {record.summary.slug}"
    return f"Your participation is {record.participation.value}."
