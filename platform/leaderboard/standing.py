"""A whole board out of all that was scored, as of now or of any moment: pure.

An entrant is who has a place on the board: a participant, or the team that stands in the place of its members.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from podium.platform.bundles.content import Ranking, SubmissionRule
from podium.platform.leaderboard.columns import ColumnRule
from podium.platform.leaderboard.rank_columns import with_rank_values
from podium.platform.leaderboard.ranking import Entry, Ranked, rank
from podium.platform.leaderboard.selection import select_entries

E = TypeVar("E", bound=Hashable)
T = TypeVar("T", bound=Hashable)


class BoardRules(NamedTuple):
    """All that says how a board comes about."""

    columns: Sequence[ColumnRule]
    primary_index: int
    submission_rule: SubmissionRule
    ranking: Ranking = Ranking.LEXICOGRAPHIC


class Candidate(NamedTuple, Generic[E, T]):
    """A scored submission, and whose it is."""

    entrant: E
    entry: Entry[T]


def standing_entries(
    rules: BoardRules,
    candidates: Iterable[Candidate[E, T]],
    chosen: frozenset[T] = frozenset(),
    withdrawn: frozenset[E] = frozenset(),
) -> list[Candidate[E, T]]:
    """Those that stand on the board by its rule, of each entrant's.

    Args:
        chosen: Items that stand there now, for the rules under which participants choose.
        withdrawn: Entrants who have taken off what stood there, for the same rules.
    """
    by_entrant: dict[E, list[Candidate[E, T]]] = {}
    for candidate in candidates:
        by_entrant.setdefault(candidate.entrant, []).append(candidate)
    standing: list[Candidate[E, T]] = []
    for entrant, own in by_entrant.items():
        selected = select_entries(
            rules.submission_rule,
            [candidate.entry for candidate in own],
            standing=chosen,
            columns=rules.columns,
            primary_index=rules.primary_index,
            is_withdrawn=entrant in withdrawn,
        )
        standing += [candidate for candidate in own if candidate.entry.item in selected]
    return standing


def ranked_entries(rules: BoardRules, entries: Sequence[Entry[T]]) -> list[Ranked[T]]:
    """What stands on a board, in order; columns over ranks are filled in."""
    counted = [not entry.is_baseline for entry in entries]
    filled = with_rank_values(rules.columns, [entry.values for entry in entries], counted)
    whole = [entry._replace(values=values) for entry, values in zip(entries, filled, strict=True)]
    return rank(whole, rules.columns, rules.primary_index, rules.ranking)


def ranks_of_entrants(rules: BoardRules, standing: Sequence[Candidate[E, T]]) -> dict[E, int | None]:
    """The best rank of each entrant on a board, in its order; baselines give nobody one."""
    entrants = {candidate.entry.item: candidate.entrant for candidate in standing}
    ranks: dict[E, int | None] = {}
    for row in ranked_entries(rules, [candidate.entry for candidate in standing]):
        if not row.entry.is_baseline:
            ranks.setdefault(entrants[row.entry.item], row.rank)
    return ranks


def made_by(candidates: Iterable[Candidate[E, T]], moment: datetime) -> list[Candidate[E, T]]:
    """Those that had been submitted at a moment."""
    return [candidate for candidate in candidates if candidate.entry.submitted <= moment]


def window_border(submitted: Iterable[datetime], hours: float) -> datetime | None:
    """The moment that rank changes are told from: so long before the newest submission, not before now.

    So a board that has become quiet goes on to show what its last days changed. `None` for a board without any.
    """
    newest = max(submitted, default=None)
    return None if newest is None else newest - timedelta(hours=hours)


def previous_ranks(
    rules: BoardRules,
    candidates: Sequence[Candidate[E, T]],
    hours: float,
    chosen: frozenset[T] = frozenset(),
) -> dict[E, int | None]:
    """The rank that each entrant had at the border of the window; those who were not there yet are left out."""
    border = window_border((candidate.entry.submitted for candidate in candidates), hours)
    if border is None:
        return {}
    return ranks_of_entrants(rules, standing_entries(rules, made_by(candidates, border), chosen))


def rank_change(previous: int | None, present: int | None) -> int | None:
    """By how many ranks an entrant has risen, negative for a fall; `None` where there is no rank to compare with."""
    return None if previous is None or present is None else previous - present


def entrants_of(people: Iterable[E], teams: Mapping[E, E]) -> dict[E, E]:
    """Who each person enters as: the team they are in, else they themselves."""
    return {person: teams.get(person, person) for person in people}


def frozen_since(
    ends: datetime | None, freeze_hours: float | None, at: datetime, unfrozen: datetime | None = None
) -> datetime | None:
    """The moment whose board everyone but organizers sees; `None` where they see the live one.

    A board freezes some hours before its phase ends, and is live again when the phase is over, or from the moment on
    that an organizer unfroze it. A phase without an end never freezes.
    """
    if ends is None or freeze_hours is None:
        return None
    freezes = ends - timedelta(hours=freeze_hours)
    is_over = at >= ends or (unfrozen is not None and unfrozen >= freezes and at >= unfrozen)
    return freezes if freezes <= at and not is_over else None
