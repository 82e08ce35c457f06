"""What an organizer has changed of a competition and not saved yet: in the session, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypedDict, TypeVar

import streamlit as st

from podium.dashboards.first_values import give_first
from podium.platform.bundles.problems import Problem
from podium.platform.records.competitions import PageRecord
from podium.platform.records.content import ContentEdit, ContentPreview, ContentRecord, LeaderboardEdit, PhaseEdit

ValueT = TypeVar("ValueT")
PHASE_WORDS = ("name", "description", "time_zone")
PHASE_NUMBERS = (
    "max_submissions_per_day",
    "max_submissions",
    "max_concurrent_submissions",
)
PHASE_FLAGS = ("hide_output", "hide_prediction_output", "hide_score_output")


class Box(TypedDict, Generic[ValueT]):
    """What every box takes."""

    key: str
    value: ValueT


@dataclass
class Draft:
    """What is edited, and what the gateway last said of it.

    Attributes:
        base: The content as it was read.
        pages: Which pages there are now: positions in the base, and numbers beyond them for new ones.
        problems: What was wrong with it when it was last looked at.
        preview: What it would do.
        overtaken: Why it could not be saved: somebody else has saved another change.
        typed: What the boxes held when they were last drawn: Streamlit forgets those that are not drawn.
    """

    base: ContentRecord
    pages: list[int]
    problems: tuple[Problem, ...] = ()
    preview: ContentPreview | None = None
    overtaken: str = ""
    added: int = 0
    typed: dict[str, Any] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Where the session keeps a field's value: another place for every version that was read."""
        return f"edit-{self.base.competition}-{self.base.version}-{name}"

    def value(self, name: str) -> Any:  # noqa: ANN401 - whatever a box holds
        """What a box holds, or held when it was last drawn."""
        return st.session_state.get(self.key(name), self.typed.get(name))

    def holds(self, name: str) -> bool:
        """Whether there is, or was, a box for a field."""
        return self.key(name) in st.session_state or name in self.typed

    def keep(self) -> None:
        """Keep what the boxes hold, for when they are drawn again."""
        prefix = self.key("")
        for key in st.session_state:
            if key.startswith(prefix):
                self.typed[key.removeprefix(prefix)] = st.session_state[key]

    def box(self, name: str, value: ValueT) -> Box[ValueT]:
        """The key and the first value of a box that always holds something."""
        return Box(key=self.key(name), value=self.typed.get(name, value))

    def emptied(self, name: str, value: object) -> str:
        """The key of a box that can be emptied; gives it its first value."""
        return give_first(self.key(name), self.typed.get(name, value))

    def says(self, path: str) -> list[Problem]:
        """What is wrong with a field, and with what is in it."""
        return [one for one in self.problems if one.field == path or one.field.startswith((f"{path}.", f"{path}["))]


def changes_of(draft: Draft) -> dict[str, object]:
    """What differs from what was read, by the fields of the content; lists are whole."""
    before = draft.base.content
    after = edited(draft)
    return {
        one.name: getattr(after, one.name)
        for one in fields(ContentEdit)
        if getattr(after, one.name) != getattr(before, one.name)
    }


def edited(draft: Draft) -> ContentEdit:
    """The content as the boxes have it; what has no box yet is as it was read."""
    base = draft.base.content
    windows: dict[str, Any] = {
        name: _moment(draft, name, getattr(base, name))
        for name in ("start", "end", "registration_start", "registration_end")
    }
    known = {name: _known(draft, name, getattr(base, name)) for name in ("title", "description", "docker_image")}
    return replace(
        base,
        **known,
        contact_email=_known(draft, "contact_email", base.contact_email) or None,
        reward=_known(draft, "reward", base.reward) or None,
        registration_auto_approve=_known(draft, "registration_auto_approve", base.registration_auto_approve),
        terms=_known(draft, "terms", base.terms),
        pages=tuple(_page(draft, at) for at in draft.pages),
        phases=tuple(_phase(draft, at, phase) for at, phase in enumerate(base.phases)),
        leaderboards=tuple(_board(draft, at, board) for at, board in enumerate(base.leaderboards)),
        **windows,
    )


def _known(draft: Draft, name: str, otherwise: Any) -> Any:  # noqa: ANN401 - of a box
    """What a box holds, unless it holds what was read: spaces at its ends are no change."""
    if not draft.holds(name):
        return otherwise
    value = draft.value(name)
    return otherwise if value == (otherwise if otherwise is not None else "") else value


def _page(draft: Draft, at: int) -> PageRecord:
    pages = draft.base.content.pages
    was = pages[at] if at < len(pages) else PageRecord("", "", is_html=False)
    return PageRecord(
        title=_known(draft, f"page-{at}-title", was.title),
        text=_known(draft, f"page-{at}-text", was.text),
        is_html=_known(draft, f"page-{at}-is_html", was.is_html),
    )


def _phase(draft: Draft, at: int, phase: PhaseEdit) -> PhaseEdit:
    kept = {name: _known(draft, f"phase-{at}-{name}", getattr(phase, name)) for name in (*PHASE_WORDS, *PHASE_FLAGS)}
    numbers: dict[str, Any] = {
        name: _number(draft, f"phase-{at}-{name}", getattr(phase, name)) for name in PHASE_NUMBERS
    }
    seconds = _known(draft, f"phase-{at}-execution_time_limit", phase.execution_time_limit)
    return replace(
        phase,
        **kept,
        **numbers,
        execution_time_limit=phase.execution_time_limit if seconds is None else seconds,
        start=_moment(draft, f"phase-{at}-start", phase.start) or phase.start,
        end=_moment(draft, f"phase-{at}-end", phase.end),
    )


def _board(draft: Draft, at: int, board: LeaderboardEdit) -> LeaderboardEdit:
    columns = tuple(
        replace(
            column,
            title=_known(draft, f"board-{at}-{column.key}-title", column.title),
            precision=_known(draft, f"board-{at}-{column.key}-precision", column.precision),
            hidden=_known(draft, f"board-{at}-{column.key}-hidden", column.hidden),
        )
        for column in board.columns
    )
    return replace(
        board,
        title=_known(draft, f"board-{at}-title", board.title),
        hidden=_known(draft, f"board-{at}-hidden", board.hidden),
        columns=columns,
    )


def _number(draft: Draft, name: str, otherwise: int | None) -> int | None:
    if not draft.holds(name):
        return otherwise
    value = draft.value(name)
    return None if value is None else int(value)


def _moment(draft: Draft, name: str, otherwise: datetime | None) -> datetime | None:
    """A moment of a box, which has minutes alone: one that was not touched keeps its seconds."""
    if not draft.holds(name):
        return otherwise
    value = draft.value(name)
    if value == in_box(otherwise):
        return otherwise
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


def in_box(moment: datetime | None) -> datetime | None:
    """A moment as a box shows it: UTC, to the minute."""
    return None if moment is None else moment.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)


def others_changes(mine: Mapping[str, object], seen: ContentEdit, now: ContentEdit) -> Sequence[str]:
    """Which fields somebody else has changed, in words, with those first that are changed here too."""
    theirs = [one.name for one in fields(ContentEdit) if getattr(seen, one.name) != getattr(now, one.name)]
    both = [name for name in theirs if name in mine]
    return [*(f"{name} (you changed it too)" for name in both), *(name for name in theirs if name not in mine)]
