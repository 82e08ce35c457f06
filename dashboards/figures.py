"""Small figures as images of SVG: no library to load and no script, in the colours of the page around them."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from podium.dashboards.markup import Html, element, join, text
from podium.dashboards.scores import is_higher_better, score_text
from podium.platform.records.competitions import ColumnRecord
from podium.platform.records.leaderboards import RankPoint

_WIDTH, _HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 30
_SPARK = (120, 30)
_BINS = 24
# An image follows the colour scheme of the page that it stands in.
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #515c6b; }
.level { stroke: #515c6b; opacity: .3; stroke-dasharray: 3 4; }
.line { fill: none; stroke: #1f5fbf; stroke-width: 2; stroke-linejoin: round; }
.dot { fill: #1f5fbf; }
.bar { fill: #1f5fbf; opacity: .7; }
line.own { stroke: #8a5200; stroke-width: 2.5; }
text.own { fill: #8a5200; font-weight: 700; }
@media (prefers-color-scheme: dark) {
  text, .level { fill: #a5b0bf; } .level { stroke: #a5b0bf; }
  .line { stroke: #8ab8ff; } .dot, .bar { fill: #8ab8ff; }
  line.own { stroke: #ffc069; } text.own { fill: #ffc069; }
}"""


class _Scale(NamedTuple):
    """Values onto a stretch of pixels; a single value lies in the middle."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = 0.5 if self.high == self.low else (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def sparkline(points: Sequence[RankPoint], column: ColumnRecord, position: int) -> Html:
    """A participant's scores in one column, the oldest first; empty where there are not two of them."""
    scores = [point.scores[position] for point in points]
    values = [score for score in scores if score is not None and math.isfinite(score)]
    if len(values) < 2:
        return Html("")
    width, height = _SPARK
    across = _Scale(0, len(values) - 1, 3, width - 3)
    up = _vertical(values, column, 3, height - 3)
    path = " ".join(f"{across.at(place)},{up.at(value)}" for place, value in enumerate(values))
    first, last = (score_text(value, column.precision) for value in (values[0], values[-1]))
    return _svg(
        f"{column.title} over {len(values)} steps, from {first} to {last}",
        (width, height),
        element("polyline", points=path, class_="line"),
        element("circle", cx=str(across.at(len(values) - 1)), cy=str(up.at(values[-1])), r="3", class_="dot"),
        class_="podium-spark",
    )


def score_over_time(points: Sequence[RankPoint], column: ColumnRecord, position: int) -> Html:
    """Steps of a score over time, better ones higher; empty where there are none."""
    steps = [
        (point.moment, score)
        for point in points
        if (score := point.scores[position]) is not None and math.isfinite(score)
    ]
    if not steps:
        return Html("")
    moments, values = [moment.timestamp() for moment, _ in steps], [score for _, score in steps]
    across = _Scale(moments[0], moments[-1], _LEFT, _WIDTH - _RIGHT)
    up = _vertical(values, column, _TOP, _HEIGHT - _BOTTOM)
    path = [f"M{across.at(moments[0])} {up.at(values[0])}"]
    path += [f"H{across.at(moment)}V{up.at(value)}" for moment, value in zip(moments[1:], values[1:], strict=True)]
    dots = [
        element("circle", cx=str(across.at(moment.timestamp())), cy=str(up.at(value)), r="4", class_="dot")
        for moment, value in steps
    ]
    words = (
        f"{column.title} over time: from {score_text(values[0], column.precision)} on {_day(steps[0][0])} "
        f"to {score_text(values[-1], column.precision)} on {_day(steps[-1][0])}, {len(steps)} steps"
    )
    return _figure(
        words, _levels(values, column, up), element("path", d="".join(path), class_="line"), *dots,
        _along(_day(steps[0][0]), _day(steps[-1][0]) if len(steps) > 1 else ""),
    )  # fmt: skip


def score_distribution(scores: Sequence[float], column: ColumnRecord, own: float | None) -> Html:
    """How many rows have which score, worse ones left, with a mark at the viewer's own; empty for less than two."""
    values = sorted(score for score in scores if math.isfinite(score))
    if len(values) < 2 or values[0] == values[-1]:
        return Html("")
    low, high = values[0], values[-1]
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - low) / (high - low) * _BINS), _BINS - 1)] += 1
    ends = (low, high) if is_higher_better(column) else (high, low)
    across = _Scale(*ends, _LEFT, _WIDTH - _RIGHT)
    up = _Scale(0, max(counts), _HEIGHT - _BOTTOM, _TOP)
    step = (high - low) / _BINS
    bars = []
    for place, count in enumerate(counts):
        one, other = sorted((across.at(low + place * step), across.at(low + (place + 1) * step)))
        bars.append(
            element(
                "rect",
                x=str(one + 1),
                y=str(up.at(count)),
                width=str(round(max(other - one - 2, 1), 1)),
                height=str(round(up.at(0) - up.at(count), 1)),
                class_="bar",
            )
        )
    words = (
        f"Distribution of {column.title} over {len(values)} rows, from {_score(low, column)} to {_score(high, column)}"
    )
    mark = Html("")
    if own is not None and low <= own <= high:
        at = str(across.at(own))
        better = sum(1 for value in values if (value > own) == is_higher_better(column) and value != own)
        words += f"; yours is {_score(own, column)}, {better} are better"
        mark = join(
            element("line", x1=at, x2=at, y1=str(_TOP - 6), y2=str(_HEIGHT - _BOTTOM), class_="own"),
            _label("you", float(at), _TOP - 2, anchor="end" if float(at) > _WIDTH / 2 else "start", class_="own"),
        )
    count_label = _label(str(max(counts)), _LEFT - 8, up.at(max(counts)) + 4, anchor="end")
    return _figure(words, count_label, *bars, mark, _along(_score(ends[0], column), _score(ends[1], column)))


def _score(value: float, column: ColumnRecord) -> str:
    return score_text(value, column.precision)


def _vertical(values: Sequence[float], column: ColumnRecord, top: float, bottom: float) -> _Scale:
    low, high = min(values), max(values)
    return _Scale(low, high, bottom, top) if is_higher_better(column) else _Scale(low, high, top, bottom)


def _levels(values: Sequence[float], column: ColumnRecord, up: _Scale) -> Html:
    lines = []
    for value in sorted({min(values), max(values)}):
        y = up.at(value)
        lines.append(element("line", x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=str(y), y2=str(y), class_="level"))
        lines.append(_label(_score(value, column), _LEFT - 8, y + 4, anchor="end"))
    return join(*lines)


def _along(first: str, last: str) -> Html:
    y = _HEIGHT - 8
    return join(_label(first, _LEFT, y, anchor="start"), _label(last, _WIDTH - _RIGHT, y, anchor="end"))


def _label(words: str, x: float, y: float, *, anchor: str, class_: str | None = None) -> Html:
    placed = {"text-anchor": anchor}
    return element("text", text(words), x=str(x), y=str(y), class_=class_, **placed)


def _day(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}"


def _figure(words: str, *parts: str) -> Html:
    drawing = _svg(words, (_WIDTH, _HEIGHT), *parts, class_="podium-figure")
    return element("figure", drawing, element("figcaption", text(f"{words}.")), class_="podium-drawn")


def _svg(words: str, size: tuple[int, int], *parts: str, class_: str) -> Html:
    """A drawing as an image: of SVG among HTML, Streamlit lets nothing through."""
    drawing = element(
        "svg",
        element("style", _STYLE),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {size[0]} {size[1]}",
        width=str(size[0]),
        height=str(size[1]),
    )
    data = base64.b64encode(drawing.encode()).decode("ascii")
    image = element("img", src=f"data:image/svg+xml;base64,{data}", alt=words, class_=class_)
    return Html(image.removesuffix("</img>"))
