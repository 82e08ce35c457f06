"""The leading scores as a chart: a dot each, so that the axis may begin where the scores do."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from podium.dashboards.scores import direction_words, is_higher_better, score_text
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import LeaderboardRow

LEADING = 20


def primary_position(columns: Sequence[ColumnRecord]) -> int | None:
    """Where the column stands that ranks first."""
    return next((position for position, column in enumerate(columns) if column.is_primary), 0 if columns else None)


def leading_scores_chart(
    columns: Sequence[ColumnRecord], rows: Sequence[LeaderboardRow], viewer: str | None
) -> alt.Chart | None:
    """The first rows by the column that ranks first; `None` where there is nothing to draw."""
    position = primary_position(columns)
    if position is None:
        return None
    column = columns[position]
    values = [
        {
            "participant": f"{row.participant} (you)" if row.participant == viewer else row.participant,
            "order": order,
            "score": row.scores[position],
            "shown": score_text(row.scores[position], column.precision),
            "whose": "you" if row.participant == viewer else "others",
        }
        for order, row in enumerate(rows[:LEADING])
        if row.rank is not None and row.scores[position] is not None
    ]
    if len(values) < 2:
        return None
    chart: alt.Chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_circle(size=110, opacity=1)
        .encode(
            x=alt.X(
                "score:Q",
                title=f"{column.title} ({direction_words(column)})",
                scale=alt.Scale(zero=False, nice=True, padding=12, reverse=not is_higher_better(column)),
                axis=alt.Axis(grid=True, tickCount=6),
            ),
            y=alt.Y(
                "participant:N",
                title=None,
                sort=alt.EncodingSortField("order", order="ascending"),
                axis=alt.Axis(grid=True, labelLimit=180, ticks=False),
            ),
            color=alt.Color(
                "whose:N", legend=None, scale=alt.Scale(domain=["others", "you"], range=["#5b8def", "#e08a00"])
            ),
            tooltip=[alt.Tooltip("participant:N", title="Participant"), alt.Tooltip("shown:N", title=column.title)],
        )
        .properties(height=26 * len(values) + 40)
    )
    return chart
