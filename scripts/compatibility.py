"""Tries Podium on public bundles and writes what came of it: `python scripts/compatibility.py FOLDER`.

FOLDER holds checkouts of public repositories, each under its name. Every bundle in them is read; those that
`compatibility.toml` has submissions for are made into competitions of a running Podium (`podium up`), and the
submissions are scored. The sign-in must be an administrator's. docs/compatibility.md is what it writes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from podium.platform.bundles.content import CompetitionContent, FactSheetQuestion, FactSheetType
from podium.platform.bundles.problems import Severity
from podium.platform.bundles.reader import read_bundle
from podium.platform.client import Client
from podium.platform.client.waiting import WaitedTooLong
from podium.platform.errors import Conflict, PodiumError
from podium.platform.lifecycle import ParticipantStatus, SubmissionStatus
from podium.platform.records.submissions import SubmissionRecord

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "compatibility.md"
PAIRS = Path(__file__).with_suffix(".toml")
PATIENCE_SECONDS = 600.0
PARTICIPANT = "compatibility"
HEAD = """# Compatibility

What Podium makes of bundles that others wrote: each bundle below is read, and where the repository has a submission
for it, the submission is scored on a running Podium, in every phase. `scripts/compatibility.py FOLDER` writes this
page, where FOLDER holds checkouts of the repositories that the paths begin with; which submissions belong to which
bundle says `scripts/compatibility.toml`. Images that a bundle names on a registry are mapped to
`podium/scientific:3.11` by the built-in aliases or are not there, as the result says.

"""


@dataclass(frozen=True, slots=True)
class Pair:
    """A submission to be tried with a bundle; both are paths below the folder of checkouts."""

    bundle: str
    submission: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a submission in a phase."""

    bundle: str
    phase: str
    submission: str
    outcome: str


def find_bundles(folder: Path) -> Iterator[Path]:
    """Every bundle below a folder: folders and zips with a `competition.yaml` at their top."""
    yield from sorted(path.parent for path in folder.rglob("competition.yaml"))
    for path in sorted(folder.rglob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                if "competition.yaml" in archive.namelist():
                    yield path
        except zipfile.BadZipFile:
            continue


def read_line(folder: Path, path: Path) -> str:
    """A line of the table of what was read."""
    with read_bundle(path) as reading:
        errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
        warnings = len(reading.problems) - len(errors)
        said = f"read, {warnings} warnings" if warnings else "read"
        if errors:
            first = f"{errors[0].file}: {errors[0].message}" if errors[0].file else errors[0].message
            said = f"refused, {len(errors)} errors; the first: {first}"
    return f"| `{path.relative_to(folder)}` | {cell(said)} |"


def cell(text: str) -> str:
    """Text that fits into a table's cell."""
    return " ".join(text.replace("|", "\\|").split())


def starts_of_phases(content: CompetitionContent, now: datetime) -> list[datetime]:
    """For each phase, when the first one must begin so that this one is open a minute ago."""
    first = content.phases[0].start
    return [now - (phase.start - first) - timedelta(minutes=1) for phase in content.phases]


def answers(questions: Sequence[FactSheetQuestion]) -> dict[str, str]:
    """An answer to every question of a fact sheet."""
    return {
        question.key: question.selection[0]
        if question.type is FactSheetType.SELECT
        else "true"
        if question.type is FactSheetType.CHECKBOX
        else "tried"
        for question in questions
    }


def outcome_of(submission: SubmissionRecord) -> str:
    """What came of a submission, in a cell."""
    if submission.status is SubmissionStatus.FINISHED:
        scores = ", ".join(f"{score.key} {score.value!r}" for score in submission.scores)
        return scores or "finished, no score in a column"
    if submission.status is SubmissionStatus.FAILED:
        verdicts = sorted({evaluation.verdict.value for evaluation in submission.evaluations if evaluation.verdict})
        message = next((one.message for one in submission.evaluations if one.message), submission.status_message)
        return f"failed ({', '.join(verdicts)}): {message}"
    return f"{submission.status}: {submission.status_message}"


class Trial:
    """Tries submissions on a running Podium, as an organizer and a participant."""

    def __init__(self, organizer: Client, folder: Path) -> None:
        self._organizer = organizer
        self._folder = folder
        self._participant = Client(organizer.gateway, self._token())

    def run(self, pair: Pair) -> Iterator[Result]:
        """Score the submission in each phase of the bundle."""
        bundle = self._folder / pair.bundle
        with read_bundle(bundle) as reading:
            content = reading.content
        if content is None:
            yield Result(pair.bundle, "", pair.submission, "the bundle is refused")
            return
        for position, start in enumerate(starts_of_phases(content, datetime.now(UTC))):
            phase = content.phases[position].name
            try:
                outcome = outcome_of(self._score(bundle, start, position + 1, self._folder / pair.submission))
            except PodiumError as error:
                outcome = f"not taken: {error}"
            print(f"{pair.bundle} | {phase} | {pair.submission} | {outcome}", flush=True)
            yield Result(pair.bundle, phase, pair.submission, outcome)

    def close(self) -> None:
        """End the participant's connections."""
        self._participant.close()

    def _score(self, bundle: Path, start: datetime, phase: int, submission: Path) -> SubmissionRecord:
        made = self._organizer.create_competition(bundle, start=start.isoformat())
        assert made.competition is not None
        competition = self._organizer.competition(made.competition)
        slug = competition.summary.slug
        self._participant.join(slug, competition.terms_sha256)
        if not competition.registration_auto_approve:
            self._approve(slug)
        sent = self._participant.submit(slug, submission, phase=phase, fact_sheet=answers(competition.fact_sheet))
        try:
            return self._participant.wait(sent.id, timeout=PATIENCE_SECONDS)
        except WaitedTooLong:
            waiting = self._participant.submission(sent.id)
            self._participant.cancel(sent.id)
            return waiting

    def _approve(self, slug: str) -> None:
        self._organizer.decide_participant(slug, PARTICIPANT, ParticipantStatus.APPROVED)

    def _token(self) -> str:
        with contextlib.suppress(Conflict):
            self._organizer.add_person(PARTICIPANT, f"{PARTICIPANT}@example.org")
        return self._organizer.issue_token(PARTICIPANT, "compatibility", days=1).secret


def main() -> int:
    """Read and try everything; write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of checkouts")
    parser.add_argument("--only", default="", help="only bundles whose path has this text in it; writes no page")
    options = parser.parse_args()
    folder = options.folder.absolute()
    pairs = [Pair(**entry) for entry in tomllib.loads(PAIRS.read_text())["try"] if options.only in entry["bundle"]]
    with Client.from_saved_login() as organizer:
        trial = Trial(organizer, folder)
        try:
            results = [result for pair in pairs for result in trial.run(pair)]
        finally:
            trial.close()
    if options.only:
        return 0
    tried = [
        f"| `{result.bundle}` | {cell(result.phase)} | `{result.submission}` | {cell(result.outcome)} |"
        for result in results
    ]
    read = [read_line(folder, path) for path in find_bundles(folder)]
    PAGE.write_text(
        HEAD
        + "\n".join(["## Scored", "", "| bundle | phase | submission | result |", "| --- | --- | --- | --- |", *tried])
        + "\n\n"
        + "\n".join(["## Read", "", "| bundle | result |", "| --- | --- |", *read])
        + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
