"""Agents and pools, for organizers with hosts of their own and for administrators."""

from __future__ import annotations

import streamlit as st

from podium.dashboards import layout, session, source, times
from podium.dashboards.markup import plain_markdown
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.pool_cards import others_table, pool_card
from podium.dashboards.session import Viewer
from podium.platform.records.pools import PoolRecord

_KEY = "agents-pool"
_REFRESH = "3s"


def show() -> None:
    """Show the pools that the viewer sees into, one at a time."""
    layout.page_head("Agents and pools")
    who = session.viewer()
    if who is None:
        layout.nothing_here("Sign in to see agents", "Pools are seen by their owners, with a token of theirs.")
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    answer = source.ask(who.gateway.pools)
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="pool")
        return
    seen = [pool for pool in answer.value if pool.sees_agents]
    if seen:
        _show_chosen(seen)
    else:
        layout.nothing_here("You have no pool yet", "One for hosts of your own is made in a terminal.")
        layout.commands(
            ("podium pool create my-hosts", "podium agent token create --pool my-hosts --name my-first-host")
        )
    others = [pool for pool in answer.value if not pool.sees_agents]
    if others:
        layout.inline(others_table(others))


def _show_chosen(seen: list[PoolRecord]) -> None:
    names = [pool.name for pool in seen]
    if st.session_state.get(_KEY) not in names:
        asked = st.query_params.get("pool")
        busiest = max(seen, key=lambda pool: (pool.agents, pool.queued)).name
        st.session_state[_KEY] = asked if asked in names else busiest
    if len(names) > 1:
        st.segmented_control(
            "Pool", names, format_func=plain_markdown, required=True, key=_KEY, label_visibility="collapsed"
        )
    chosen = str(st.session_state[_KEY])
    st.query_params["pool"] = chosen
    _show_pool(chosen)
    if next(pool for pool in seen if pool.name == chosen).is_yours:
        layout.commands(
            (
                f"podium agent drain NAME --pool {chosen}",
                f"podium pool cordon {chosen}",
                f"podium agent token list --pool {chosen}",
            )
        )


@st.fragment(run_every=_REFRESH)
def _show_pool(name: str) -> None:
    who: Viewer | None = session.viewer()
    if who is None:
        return
    answer = source.ask(lambda: who.gateway.pool(name))
    if answer.value is not None:
        layout.inline(pool_card(answer.value, times.now()))
    elif answer.trouble is not None:
        layout.trouble(answer.trouble, what="pool", every="every 3 seconds")
