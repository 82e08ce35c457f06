"""Taking part with others: the viewer's team in a competition, and how to make, join, lead and leave one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from podium.dashboards import layout, source, times
from podium.dashboards.deeds import Deed, refuse, show_deeds, show_outcome, try_to
from podium.dashboards.markup import element, text
from podium.dashboards.session import Viewer
from podium.platform.client.api import Client
from podium.platform.errors import NotFound
from podium.platform.lifecycle import ParticipantStatus
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.teams import TeamRecord

_CODE = "podium-team-code"


def show_team(competition: CompetitionRecord, who: Viewer | None) -> None:
    """Show the viewer's team, or what it takes to be in one."""
    layout.inline(element("p", text(team_rules(competition)), class_="podium-quiet"))
    if who is None or competition.participation is not ParticipantStatus.APPROVED:
        layout.nothing_here("Take part first", "Teams are made of participants: sign in, and accept the terms.")
        return
    slug = competition.summary.slug
    answer = source.ask(lambda: who.gateway.team(slug))
    if answer.value is not None:
        _show_own(slug, answer.value, who)
    elif isinstance(answer.trouble, NotFound):
        _show_ways_in(slug, who)
    elif answer.trouble is not None:
        layout.trouble(answer.trouble, what="team")
    show_outcome(_place(slug))


def team_rules(competition: CompetitionRecord) -> str:
    """What holds for teams here, in sentences."""
    rules = [
        f"Up to {competition.max_team_members} participants may be a team.",
        "It stands on the leaderboard as one, and its members share the limits of one.",
        "What you have submitted to phases that go on becomes the team's when you join, and stays so when you leave.",
    ]
    if competition.team_deadline is not None:
        rules.append(f"Teams stay as they are from {times.clock(competition.team_deadline)} on.")
    return " ".join(rules)


def _show_own(slug: str, team: TeamRecord, who: Viewer) -> None:
    members = ", ".join(f"{name} (captain)" if name == team.captain else name for name in team.members)
    layout.inline(layout.facts((("Team", team.name), ("Members", members))))
    is_captain = team.captain == who.username
    if is_captain:
        _show_code(slug, who)
        with st.form(f"rename-{_place(slug)}", width=520):
            st.text_input("Name", value=team.name, key=f"name-{_place(slug)}", max_chars=60, autocomplete="off")
            st.form_submit_button("Rename", on_click=_rename, args=(slug, who))
    others = [name for name in team.members if name != who.username] if is_captain else []
    show_deeds(f"leave-{_place(slug)}", [_leaving(slug, who), *(_removal(slug, name, who) for name in others)])


def _show_code(slug: str, who: Viewer) -> None:
    made = st.session_state.get(_CODE)
    if isinstance(made, tuple) and made[0] == slug:
        st.markdown("**Code for others to join.** It is shown once, and the one before is good no more.")
        st.code(made[1], language=None)
        st.caption(f"Good until {times.clock(made[2])}. Give it to those alone who are to be in your team.")
    else:
        st.button(
            "Make a code for others to join",
            icon=":material/group_add:",
            key=f"code-{slug}",
            on_click=_make_code,
            args=(slug, who),
        )


def _show_ways_in(slug: str, who: Viewer) -> None:
    place = _place(slug)
    with st.form(f"create-{place}", width=520):
        st.markdown("**Make a team**")
        st.text_input("Name", key=f"name-{place}", max_chars=60, autocomplete="off")
        st.form_submit_button("Make the team", on_click=_create, args=(slug, who))
    with st.form(f"join-{place}", width=520):
        st.markdown("**Join one**")
        st.text_input("Code", key=f"code-{place}", type="password", autocomplete="off", help="From the team's captain.")
        st.form_submit_button("Join the team", on_click=_join, args=(slug, who))


def _create(slug: str, who: Viewer) -> None:
    _with_text(
        slug, "name", "Name the team.", lambda name: who.patient_gateway.create_team(slug, name), "Your team is there."
    )


def _join(slug: str, who: Viewer) -> None:
    _with_text(
        slug, "code", "Paste the code.", lambda code: who.patient_gateway.join_team(slug, code), "You are in the team."
    )


def _rename(slug: str, who: Viewer) -> None:
    _with_text(
        slug,
        "name",
        "Name the team.",
        lambda name: who.patient_gateway.change_team(slug, name=name),
        "The team has its new name.",
    )


def _with_text(slug: str, field: str, missing: str, call: Callable[[str], object], done: str) -> None:
    written = str(st.session_state.get(f"{field}-{_place(slug)}") or "").strip()
    if not written:
        refuse(_place(slug), missing)
    elif try_to(_place(slug), lambda: call(written), done) and field == "code":
        st.session_state[f"{field}-{_place(slug)}"] = ""


def _make_code(slug: str, who: Viewer) -> None:
    def make(gateway: Client) -> None:
        made = gateway.create_team_code(slug)
        st.session_state[_CODE] = (slug, made.code, made.expires)

    try_to(_place(slug), lambda: make(who.patient_gateway), "The code is there.")


def _leaving(slug: str, who: Viewer) -> Deed:
    return Deed(
        key="leave",
        label="Leave the team",
        icon=":material/logout:",
        call=lambda: who.patient_gateway.leave_team(slug, who.username),
        done="You take part alone now.",
        question="What was made for the team stays the team's. You start anew on the leaderboard, not in your limits.",
        yes="Leave the team",
    )


def _removal(slug: str, username: str, who: Viewer) -> Deed:
    return Deed(
        key=f"remove-{username}",
        label=f"Remove {username}",
        icon=":material/person_remove:",
        call=lambda: who.patient_gateway.leave_team(slug, username),
        done=f"{username} is in your team no more.",
        question=f"{username} will take part alone. What was made for the team stays the team's.",
        yes=f"Remove {username}",
    )


def _place(slug: str) -> str:
    return f"team-{slug}"
