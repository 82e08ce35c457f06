"""What those who organize a competition did to it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.markup import Html
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.platform.records.access import AuditRecord
from podium.platform.records.competitions import CompetitionRecord

_LINES = 50


@st.fragment
def show_audit(competition: CompetitionRecord, who: Viewer) -> None:
    """Show the lines, the latest first, by whom and of what the viewer asks for."""
    slug = competition.summary.slug
    with st.container(horizontal=True, key=f"audit-filters-{slug}"):
        actor = st.text_input("By", key=f"audit-actor-{slug}", placeholder="username", autocomplete="off").strip()
        act = st.text_input("Act", key=f"audit-act-{slug}", placeholder="such as phase", autocomplete="off").strip()
    shown = int(st.session_state.get(_shown_key(slug), _LINES))
    answer = source.ask(lambda: who.gateway.audit(slug, actor=actor or None, act=act or None, limit=shown))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="audit log")
        return
    if not answer.value:
        layout.nothing_here("No line", "Nobody who organizes this competition has done such a thing yet.")
        return
    layout.inline(audit_table(answer.value))
    if len(answer.value) == shown < 1000:
        st.button("Show more", key=f"audit-more-{slug}", on_click=_show_more, args=(slug,))
    layout.commands((f"podium audit {slug} --csv",))


def audit_table(lines: Sequence[AuditRecord]) -> Html:
    """When, who, what, of what, before and after, why, and from where."""
    heads = ("When (UTC)", "Who", "Act", "What", "Before", "After", "Why", "Token", "From")
    rows = [
        (
            times.stamp(one.time),
            f"{one.username} ({one.role})",
            one.act,
            one.object,
            one.before,
            one.after,
            one.reason,
            one.token,
            one.address or "",
        )
        for one in lines
    ]
    return scrolled_table("Audit log", heads, rows)


def _shown_key(slug: str) -> str:
    return f"audit-shown-{slug}"


def _show_more(slug: str) -> None:
    st.session_state[_shown_key(slug)] = min(1000, int(st.session_state.get(_shown_key(slug), _LINES)) * 2)
