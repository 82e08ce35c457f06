"""The teams of a competition, for organizers: who is in which."""

from __future__ import annotations

from collections.abc import Sequence

from podium.dashboards import layout, source, times
from podium.dashboards.markup import Html, element, text
from podium.dashboards.rerun_cards import scrolled_table
from podium.dashboards.session import Viewer
from podium.dashboards.team_panel import team_rules
from podium.platform.records.competitions import CompetitionRecord
from podium.platform.records.teams import TeamRecord


def show_teams(competition: CompetitionRecord, who: Viewer) -> None:
    """Show them, where participants may be teams."""
    if competition.max_team_members is None:
        return
    layout.inline(element("h2", text("Teams"), class_="podium-section"))
    layout.inline(element("p", text(team_rules(competition)), class_="podium-quiet"))
    answer = source.ask(lambda: who.gateway.teams(competition.summary.slug))
    if answer.value is None:
        if answer.trouble is not None:
            layout.trouble(answer.trouble, what="competition")
    elif answer.value:
        layout.inline(teams_table(answer.value))
    else:
        layout.nothing_here("No team yet", "Participants make teams on the competition's page, under “Team”.")


def teams_table(teams: Sequence[TeamRecord]) -> Html:
    """What they are called, and who is in them, their captains first."""
    lines = [(one.name, str(len(one.members)), _members(one), times.stamp(one.created)) for one in teams]
    return scrolled_table("Teams", ("Team", "Members", "Who", "Made (UTC)"), lines)


def _members(team: TeamRecord) -> str:
    others = [name for name in team.members if name != team.captain]
    return ", ".join([f"{team.captain} (captain)", *others] if team.captain in team.members else others)
