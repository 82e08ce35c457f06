"""The steps of `rerun-phase`: batch after batch, then the comparison, and its report in Prefect's pages."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from podium.platform.batches import dispatch_batch, follow_batches
from podium.platform.errors import PlatformFault
from podium.platform.lifecycle import RerunStatus
from podium.platform.models import Rerun
from podium.platform.records.reruns import RerunReport
from podium.platform.reruns.driving import LOW_WATER, Progress, begin, finish_if_done, progress_of, release_batch
from podium.platform.reruns.views import rerun_report
from podium.tasks.platform_services import PlatformServices
from podium.tasks.workplace import AGENT_LEAVES

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
"""How soon it is looked again how far the rerun is, while batches are put into the queue and at the end."""
CALM_SECONDS = 1.0
"""The same while enough of it waits in the queue: to look costs a little of what scoring needs."""
FOLLOW_SECONDS = 5.0
"""How often Prefect is told how the batches do."""
ROWS_SHOWN = 200
"""Differences that stand in the report in Prefect's pages; Podium's own report has all of them."""


def begin_rerun(services: PlatformServices, rerun_id: UUID) -> bool:
    """Begin, or go on; tell whether there is anything to do."""
    with services.database.session() as session:
        return begin(session, rerun_id)


@task(task_run_name="score {rerun_id} again", cache_policy=NO_CACHE)
def score_all(services: PlatformServices, rerun_id: UUID) -> bool:
    """Put batch after batch into the queue until everything is scored.

    Returns:
        Whether everything is; not if the rerun was paused or cancelled, or this agent has to end.
    """
    pause, followed = 0.0, time.monotonic()
    while not AGENT_LEAVES.wait(pause):
        progress = _step(services, rerun_id)
        if progress is None or progress.everything_ended:
            _follow(services, rerun_id)
            return progress is not None
        is_calm = progress.queued >= LOW_WATER or (progress.queued and not progress.waiting)
        pause = CALM_SECONDS if is_calm else LOOK_SECONDS
        if time.monotonic() - followed >= FOLLOW_SECONDS:
            _follow(services, rerun_id)
            followed = time.monotonic()
    return False


def _step(services: PlatformServices, rerun_id: UUID) -> Progress | None:
    """Count, and release what is missing; `None` where the rerun does not run any more."""
    progress = _progress(services, rerun_id)
    if progress is None or not progress.waiting or progress.queued >= LOW_WATER:
        return progress
    with services.database.session() as session:
        batch_id = release_batch(session, rerun_id)
    if batch_id is not None:
        try:
            with services.database.session() as session:
                dispatch_batch(session, services.orchestration, batch_id)
        except PlatformFault as error:
            logger.warning("batch %s waits for Prefect: %s", batch_id, error)  # the gateway tries it again
    return progress


def _progress(services: PlatformServices, rerun_id: UUID) -> Progress | None:
    with services.database.session() as session:
        rerun = session.get(Rerun, rerun_id)
        return progress_of(session, rerun) if rerun is not None and rerun.status is RerunStatus.RUNNING else None


def _follow(services: PlatformServices, rerun_id: UUID) -> None:
    try:
        with services.database.session() as session:
            follow_batches(session, services.orchestration, rerun_id=rerun_id)
    except PlatformFault as error:
        logger.warning("Prefect was not told how the batches do: %s", error)


@task(cache_policy=NO_CACHE)
def compare_and_adopt(services: PlatformServices, rerun_id: UUID) -> str:
    """Compare the new results with the old, adopt them where that is asked for and safe; return what was done."""
    with services.database.session() as session:
        finish_if_done(session, rerun_id)
    with services.database.session() as session:
        rerun = session.get_one(Rerun, rerun_id)
        report = rerun_report(session, rerun)
    _publish(report)
    return f"{report.rerun.status}: {report.rerun.status_message} {report.rerun.held_back}".strip()


def _publish(report: RerunReport) -> None:
    """Show the report in Prefect's pages. No names: Prefect's database is the operators', not the organizers'."""
    rerun = report.rerun
    try:
        create_markdown_artifact(
            key=f"rerun-{rerun.competition}-{rerun.number}",
            markdown=report_in_markdown(report),
            description=f"Rerun {rerun.number} of {rerun.competition}",
        )
    except Exception:  # whatever Prefect has against it, the rerun is over
        logger.exception("the report of rerun %s of %s was not shown in Prefect", rerun.number, rerun.competition)


def report_in_markdown(report: RerunReport) -> str:
    """The report as Prefect's pages show it: submissions by number, without their participants."""
    rerun = report.rerun
    keys = [_cell(column.key) for column in report.columns]
    lines = [
        f"# Rerun {rerun.number} of {rerun.competition}",
        "",
        f"{rerun.status.capitalize()}: {_line(rerun.status_message)}",
        "",
        f"* {rerun.total} submissions: {rerun.finished} finished, {rerun.failed} failed, {rerun.given_up} not scored",
        f"* {report.changed} have other results, {report.moved} stand at another rank",
        f"* {report.now_failing} that were finished fail now, {report.now_finished} that had failed are finished",
        *([f"* held back: {_line(rerun.held_back)}"] if rerun.held_back else []),
        "",
    ]
    changed = [row for row in report.differences if row.changed]
    if changed:
        lines += [
            f"| submission | phase | {' | '.join(keys)} | rank |",
            f"| --- | --- |{' --- |' * len(keys)} --- |",
        ]
    for row in changed[:ROWS_SHOWN]:
        scores = (f"{_score(old)} → {_score(new)}" for old, new in zip(row.old_scores, row.new_scores, strict=False))
        ranks = f"{row.old_rank or '-'} → {row.new_rank or '-'}"
        lines.append(f"| {row.number} | {_cell(row.phase)} | {' | '.join(scores)} | {ranks} |")
    if len(changed) > ROWS_SHOWN:
        lines.append(f"\n{len(changed) - ROWS_SHOWN} more are in Podium's own report.")
    return "\n".join(lines)


def _line(text: str) -> str:
    """Text that others wrote, on the one line that it has."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    """The same in a table, in which a bar would be the end of the cell."""
    return _line(text).replace("|", "\\|")


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"
