"""Small charts as SVG: a course over time, a heat map. Colours come from the page's style sheet, by class."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from unicodedata import east_asian_width

from postrank.report.markup import Markup, joined, tag
from postrank.report.wording import moment

WIDTH = 960
_LEFT = 64
_TOP = 34
_BOTTOM = 40
_TICKS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600)
)
_MOST_TICKS = 10
_CELL = 22
_LABEL = 200
_LABEL_WIDTH = (
    22  # characters of the label's 12 pixels, the widest of them some 8 wide; those of wide scripts count twice
)
_DAY = timedelta(days=1)
LEVELS = 5  # colours of a heat map, each readable on the page and below its value
_DIGIT = 7.5  # width of a digit in a cell, at most
_KEY = 130  # width of an entry of the legend


def course_chart(values: Sequence[float], start: datetime, step: timedelta, name: str, height: int = 240) -> Markup:
    """Values of steps that follow each other, as a filled line over time with its peak marked.

    `name` is the accessible name of the chart.
    """
    top = nice_ceiling(max(values, default=0))
    wide = (WIDTH - _LEFT) / max(len(values), 1)
    tall = height - _TOP - _BOTTOM
    points = []
    for at, value in enumerate(values):
        y = f"{_TOP + tall * (1 - value / top):.1f}"
        points += [f"{_LEFT + at * wide:.1f},{y}", f"{_LEFT + (at + 1) * wide:.1f},{y}"]
    base = _TOP + tall
    area = f"M{_LEFT},{base} L{' '.join(points)} L{WIDTH},{base} Z" if points else ""
    parts = [_levels(top, tall), tag("path", d=area, class_="area"), _times(start, step, len(values), wide, base)]
    if values and max(values) > 0:
        parts.append(_peak(values, start, step, (wide, tall, top)))
    return _picture(name, WIDTH, height, parts)


def _peak(values: Sequence[float], start: datetime, step: timedelta, scale: tuple[float, float, float]) -> Markup:
    """The highest step with its value and time; `scale`: width of a step, height of the chart, its top value."""
    wide, tall, top = scale
    place = max(range(len(values)), key=values.__getitem__)
    x = _LEFT + (place + 0.5) * wide
    y = _TOP + tall * (1 - values[place] / top)
    text = f"peak: {values[place]:,.4g} a minute, {moment(start + place * step)}"
    left = x > WIDTH / 2
    name = "end strong" if left else "strong"
    label = tag("text", text, x=f"{x - 9 if left else x + 9:.1f}", y=f"{y - 8:.1f}", class_=name)
    return joined(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=4, class_="peak"), label)


def heat_map(labels: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[int]], name: str) -> Markup:
    """A row a label, a column a name; `cells[row][column]` is shown and coloured by its share of the greatest."""
    most = max((value for row in cells for value in row), default=0) or 1
    wide = (WIDTH - _LABEL) / max(len(columns), 1)
    every = max(1, -(-len(columns) // 24))
    parts = [
        tag("text", text, x=f"{_LABEL + (at + 0.5) * wide:.1f}", y=14, class_="mid")
        for at, text in enumerate(columns)
        if at % every == 0
    ]
    for place, (label, row) in enumerate(zip(labels, cells, strict=True)):
        y = 22 + place * _CELL
        parts.append(tag("text", _fitting(label), x=_LABEL - 10, y=y + 15, class_="end"))
        for at, value in enumerate(row):
            x = _LABEL + at * wide
            title = tag("title", f"{label}, {columns[at]}: {value:,} posts")
            parts.append(_cell(x, y, wide, _level(value, most), title))
            if value and wide >= _DIGIT * len(f"{value}"):
                parts.append(_value(f"{value}", x + (wide - 1) / 2, y + 15, _level(value, most)))
    height = 26 + len(labels) * _CELL
    parts.append(_legend(most, height + 6))
    return _picture(name, WIDTH, height + 6 + _CELL, parts)


def _level(value: int, most: int) -> int:
    """The colour of a value: 1 to LEVELS by its share of the greatest, 0 for nothing."""
    return -(-value * LEVELS // most)


def _cell(x: float, y: float, wide: float, level: int, *children: Markup) -> Markup:
    return tag(
        "rect",
        *children,
        x=f"{x:.1f}",
        y=y,
        width=f"{max(wide - 1, 0.5):.1f}",
        height=_CELL - 1,
        class_=f"cell level-{level}" if level else "none",
    )


def _value(text: str, x: float, y: float, level: int) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=y, class_=f"mid value on-{level}", aria_hidden="true")


def _legend(most: int, y: float) -> Markup:
    """What the colours stand for."""
    parts = [tag("text", "posts:", x=_LABEL - 10, y=y + 15, class_="end")]
    bounds = [0, *sorted({most * level // LEVELS for level in range(1, LEVELS + 1)} - {0})]
    for place, (below, upper) in enumerate(pairwise(bounds)):
        x = _LABEL + place * _KEY
        text = f"{below + 1:,}" if below + 1 == upper else f"{below + 1:,} to {upper:,}"
        parts += [_cell(x, y, _CELL, _level(upper, most)), tag("text", text, x=x + _CELL + 6, y=y + 15)]
    return joined(*parts)


def nice_ceiling(value: float) -> float:
    """The next 1, 2, 2.5 or 5 times a power of ten: the top of an axis that can be read."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power < value:
        power *= 10
    while power / 10 >= value:
        power /= 10
    return next((power * part for part in (0.2, 0.25, 0.5) if power * part >= value), power)


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _fitting(label: str) -> str:
    """A label that is no wider than its column: where scripts are wide, fewer characters fit."""
    width = 0
    fits = 0
    for character in label:
        width += 2 if east_asian_width(character) in "WF" else 1
        fits += width <= _LABEL_WIDTH
    return label if fits == len(label) else label[: fits - 1] + "…"


def _levels(top: float, tall: float) -> Markup:
    lines = [tag("text", "posts a minute", x=_LEFT, y=12)]
    for part in (0, 0.5, 1):
        y = _TOP + tall * (1 - part)
        lines.append(tag("path", d=f"M{_LEFT},{y:.1f} H{WIDTH}", class_="grid"))
        lines.append(
            tag(
                "text", f"{top * part:,.4g}" if top < 1000 else f"{top * part:,.0f}", x=_LEFT - 8, y=y + 4, class_="end"
            )
        )
    return joined(*lines)


def _times(start: datetime, step: timedelta, steps: int, wide: float, base: float) -> Markup:
    """Marks at round times, as close as they can stand without touching; the date below the first of each day."""
    length = step * steps
    apart = next((tick for tick in _TICKS if length / tick <= _MOST_TICKS), _TICKS[-1])
    epoch = datetime.min.replace(tzinfo=start.tzinfo)
    at = epoch + -((epoch - start) // apart) * apart
    marks = []
    date = None
    while at <= start + length:
        x = _LEFT + (at - start) / step * wide
        marks.append(tag("path", d=f"M{x:.1f},{base} v5", class_="tick"))
        if x < WIDTH - 40:
            if apart < _DAY:
                marks.append(tag("text", f"{at:%H:%M}", x=f"{x:.1f}", y=base + 18, class_="mid"))
            if at.date() != date:
                text = f"{at.day} {at:%b}" if date and date.year == at.year else f"{at.day} {at:%b %Y}"
                marks.append(tag("text", text, x=f"{x:.1f}", y=base + (34 if apart < _DAY else 18), class_="mid"))
                date = at.date()
        at += apart
    return joined(*marks)


def _picture(name: str, width: int, height: int, parts: Sequence[Markup]) -> Markup:
    return tag("svg", tag("title", name), *parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=name)
