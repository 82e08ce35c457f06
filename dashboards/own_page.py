"""Pages of what is a viewer's own in one competition: they sign in, choose the competition, and see it."""

from __future__ import annotations

from collections.abc import Callable

from podium.dashboards import layout, session
from podium.dashboards.choice import choose_competition, listed_competitions
from podium.dashboards.navigation import PageName, link_to
from podium.dashboards.session import Viewer


def show_for_viewer(show: Callable[[str, Viewer], None], *, title: str, key: str, visitors: tuple[str, str]) -> None:
    """Show what is a viewer's own in the competition that they choose.

    Args:
        show: Shows it, for a slug.
        title: The page's.
        key: Of the box in which the competition is chosen.
        visitors: What who has not signed in is told: a headline, and a sentence.
    """
    who = session.viewer()
    layout.page_head(title, below="" if who is None else f"Signed in as {who.username}")
    if who is None:
        layout.nothing_here(*visitors)
        link_to(PageName.SIGN_IN, "Sign in", icon=":material/person:")
        return
    listed = listed_competitions(who)
    choice = choose_competition(listed.value or (), key=key)
    if choice is not None:
        choice.show_box()
        show(choice.slug, who)
    elif listed.trouble is not None:
        layout.trouble(listed.trouble, what="competition")
    else:
        layout.nothing_here("No competition yet", "There is nothing to submit to.")
