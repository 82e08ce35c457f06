"""What an organizer starts and then watches, a list of it and more of one: reruns and campaigns of mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import streamlit as st

from podium.dashboards import layout, session, source
from podium.dashboards.markup import Html
from podium.dashboards.session import Viewer
from podium.dashboards.source import Answer

_CARDS = 5
"""Cards that stand on the page, the latest first; an older one shows where it is chosen."""


class Numbered(Protocol):
    """What bears a number within its competition."""

    @property
    def number(self) -> int:
        """From 1."""


RecordT = TypeVar("RecordT", bound=Numbered)


@dataclass(frozen=True, slots=True)
class NumberedList(Generic[RecordT]):
    """How one kind is listed.

    Attributes:
        kind: What one is called, for the keys of the page.
        fetch: Gives all of a competition, the latest first.
        cards: Shows some of them, each with a bar that moves.
        name: What one is called where it is chosen among the others.
        face: What the page looks like for one, save the bars: an equal one needs no new drawing.
        seconds: Between two looks.
        width: Of the field in which one is chosen, in pixels.
    """

    kind: str
    fetch: Callable[[str, Viewer], tuple[RecordT, ...]]
    cards: Callable[[Sequence[RecordT]], Html]
    name: Callable[[RecordT], str]
    face: Callable[[RecordT], object]
    seconds: float
    width: int

    def show(
        self,
        slug: str,
        who: Viewer,
        *,
        new: Callable[[bool], None],
        none: tuple[str, str],
        one: Callable[[RecordT], None],
    ) -> None:
        """Show the form for a new one, all of them, and one in full.

        Args:
            slug: The competition's.
            who: Looks.
            new: Shows the form; told whether there is nothing else to see.
            none: What is said where there is nothing yet: the heading, and what it is for.
            one: Shows one in full.
        """
        answer = self._ask(slug, who)
        keep_up = st.fragment(self._keep_up, run_every=self.seconds)
        if answer.value is None:
            keep_up(slug, self._face(answer))
            if answer.trouble is not None:
                layout.trouble(answer.trouble, what="competition", every=f"every {round(self.seconds)} seconds")
            return
        new(not answer.value)
        with st.container(key=f"no-{self.kind}-{slug}"):
            if not answer.value:
                layout.nothing_here(*none)
        keep_up(slug, self._face(answer))
        if answer.value:
            one(self._chosen(slug, answer.value))

    def _keep_up(self, slug: str, drawn: object) -> None:
        """Move the bars; draw the page again when something can be done that could not, or no longer."""
        who = session.viewer()
        if who is None:
            return
        answer = self._ask(slug, who)
        if self._face(answer) != drawn:
            st.rerun()
        if answer.value:
            layout.inline(self.cards(answer.value[:_CARDS]))

    def _ask(self, slug: str, who: Viewer) -> Answer[tuple[RecordT, ...]]:
        return source.ask(lambda: self.fetch(slug, who))

    def _face(self, answer: Answer[tuple[RecordT, ...]]) -> object:
        return [self.face(one) for one in answer.value or ()], type(answer.trouble)

    def _chosen(self, slug: str, records: tuple[RecordT, ...]) -> RecordT:
        by_number = {record.number: record for record in records}
        number = st.selectbox(
            "Details of",
            list(by_number),
            format_func=lambda number: self.name(by_number[number]),
            key=f"{self.kind}-of-{slug}",
            width=self.width,
        )
        record = by_number[number]
        with st.container(key=f"older-{self.kind}-{slug}"):
            if record not in records[:_CARDS]:
                layout.inline(self.cards([record]))
        return record
