"""Choosing what a page is about."""

from __future__ import annotations

from dataclasses import replace

from stand_in import make_competition

from podium.dashboards.choice import distinct_titles


def test_competitions_of_one_title_are_told_apart() -> None:
    summaries = [make_competition(slug, title).summary for slug, title in (("a", "Iris"), ("b", "Iris"), ("c", "Wine"))]
    assert distinct_titles(summaries) == {"a": "Iris (a)", "b": "Iris (b)", "c": "Wine"}
    assert distinct_titles([replace(summaries[0], title="")]) == {"a": ""}
