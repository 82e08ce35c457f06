"""How many submissions there may be, and how many are left, in words."""

from __future__ import annotations

from podium.dashboards import times
from podium.dashboards.markup import sentence
from podium.platform.bundles.content import SubmissionWindow
from podium.platform.records.competitions import PhaseRecord
from podium.platform.records.people import Allowance, ExtraAllowanceRecord


def allowance_words(allowance: Allowance) -> str:
    """Whether one may submit now and how often, in a sentence."""
    if not allowance.can:
        until = f" That may change on {times.clock(allowance.changes)}." if allowance.changes is not None else ""
        return f"{allowance.reason}{until}"
    left = _counted(
        (allowance.left_in_window, window_words(allowance.window)),
        (allowance.left_total, "in all"),
        (allowance.left_at_once, "at a time"),
    )
    where = f"{allowance.phase} is open" if allowance.phase is not None else "You may submit"
    until = f" This may change on {times.clock(allowance.changes)}." if allowance.changes is not None else ""
    return f"{where}. Left for you: {left}.{until}" if left else f"{where}, without a limit.{until}"


def window_words(window: str) -> str:
    """What is left in a window is left today where it is a day, such as `today (UTC)`."""
    return window.replace("a day", "today", 1) if window.startswith("a day") else window


def extra_words(extra: ExtraAllowanceRecord, window: str) -> str:
    """What organizers have granted, to the person who has it."""
    more = more_words(extra, window)
    if not more:
        return ""
    return f"The organizers allow you more than the phase does: {more}. {sentence(extra.reason)}".strip()


def more_words(extra: ExtraAllowanceRecord, window: str) -> str:
    """What is granted on top, such as `2 more a day (UTC), 5 more in all`; empty for nothing."""
    counts = ((extra.per_window, window), (extra.total, "in all"), (extra.concurrent, "at a time"))
    return ", ".join(f"{count} more {span}" for count, span in counts if count)


def phase_window_words(phase: PhaseRecord) -> str:
    """What a phase's window is, as an allowance says it: `a day (UTC)`, `within 24 hours`."""
    return SubmissionWindow(phase.submission_window).in_words(phase.time_zone)


def limits_words(phase: PhaseRecord) -> str:
    """What each participant may submit in a phase."""
    return phase.quota_in_words() or "no limit"


def given_back_words(phase: PhaseRecord) -> str:
    """Which failures cost nothing; empty where all do."""
    count = phase.failed_submissions_given_back
    if not count:
        return ""
    which = "the first submission that fails does" if count == 1 else f"the first {count} submissions that fail do"
    return f"In {phase.name} {which} not count."


def paused_words(phase: PhaseRecord) -> str:
    """That a phase is paused and why; empty where it isn't."""
    if not phase.paused:
        return ""
    why = f" The organizers say: {sentence(phase.pause_message)}" if phase.pause_message.strip() else ""
    return f"{phase.name} is paused and takes no submissions at the moment.{why}"


def migration_words(phase: PhaseRecord, before: str) -> str:
    """What a phase takes over from the one before it, by that one's name; empty where it takes nothing over."""
    if phase.migration is None:
        return f"Takes over what stands on the leaderboard of {before}." if phase.auto_migrate and before else ""
    count = phase.migration.copied
    submissions = f"{count} submission{'' if count == 1 else 's'}"
    source = f" from phase {before}" if before else ""
    if phase.migration.ended is None:
        words = f"Takes over submissions{source}: {count} so far."
    else:
        words = f"{submissions} {'was' if count == 1 else 'were'} taken over{source}."
    return f"{words} {sentence(phase.migration.message)}".strip()


def _counted(*counts: tuple[int | None, str]) -> str:
    return ", ".join(f"{count} {span}" for count, span in counts if count is not None)
