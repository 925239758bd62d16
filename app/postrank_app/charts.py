"""Charts: Altair with labelled axes, units and UTC. Colours tell apart in both themes and for colour-blind readers."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

# Okabe and Ito's palette ("Color Universal Design"), those of at least 3:1 on white and on near-black alike.
PALETTE = ["#2d8bba", "#d55e00", "#009e73", "#b07aa1", "#8c8c3e", "#8a6d5a"]
_TIME_FORMAT = "%Y-%m-%d %H:%M"
_TICK_FORMAT = "%d %b %H:%M"
_HEIGHT = 280


def time_axis(title: str) -> alt.Axis:
    """An axis of instants in UTC."""
    return alt.Axis(title=f"{title} (UTC)", format=_TICK_FORMAT, labelOverlap=True, tickCount=6)


def course(table: pd.DataFrame, time: str, value: str, *, unit: str, title: str, alt_text: str) -> None:
    """A line over time with a point at each value."""
    chart = (
        alt.Chart(table)
        .mark_line(point=True, color=PALETTE[0])
        .encode(
            x=alt.X(f"utcyearmonthdatehoursminutes({time}):T", axis=time_axis(title)),
            y=alt.Y(f"{value}:Q", title=unit, scale=alt.Scale(zero=True)),
            tooltip=[_when(time), alt.Tooltip(f"{value}:Q", title=unit, format=",")],
        )
    )
    _show(chart, alt_text)


def bars(table: pd.DataFrame, category: str, value: str, *, unit: str, title: str, alt_text: str) -> None:
    """Horizontal bars, the longest first, with their values."""
    base = alt.Chart(table).encode(
        y=alt.Y(f"{category}:N", sort="-x", title=title, axis=alt.Axis(labelLimit=180, labelOverlap=False)),
        x=alt.X(f"{value}:Q", title=unit, scale=alt.Scale(zero=True)),
        tooltip=[alt.Tooltip(f"{category}:N", title=title), alt.Tooltip(f"{value}:Q", title=unit, format=",")],
    )
    _show(base.mark_bar(color=PALETTE[0]), alt_text, height=60 + 26 * len(table))


def columns(table: pd.DataFrame, x: alt.X, value: str, *, unit: str, alt_text: str) -> None:
    """A bar for each value of `x`."""
    tooltip = alt.Tooltip(f"{value}:Q", title=unit, format=",")
    chart = alt.Chart(table).mark_bar(color=PALETTE[0], maxBandSize=40, size=14)
    _show(chart.encode(x=x, y=alt.Y(f"{value}:Q", title=unit), tooltip=[tooltip]), alt_text)


def stacked(table: pd.DataFrame, x: alt.X, value: str, colour: str, *, unit: str, alt_text: str) -> None:
    """Bars of several kinds, stacked; the legend names them."""
    chart = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y(f"{value}:Q", title=unit, stack="zero"),
            color=alt.Color(f"{colour}:N", title=colour, scale=alt.Scale(range=PALETTE)),
            tooltip=[alt.Tooltip(f"{colour}:N"), alt.Tooltip(f"{value}:Q", title=unit, format=",")],
        )
    )
    _show(chart, alt_text)


def _when(time: str) -> alt.Tooltip:
    return alt.Tooltip(f"utcyearmonthdatehoursminutes({time}):T", title="UTC", format=_TIME_FORMAT)


def _show(chart: Any, alt_text: str, height: int = _HEIGHT) -> None:  # Any: Altair's charts share no useful base
    st.altair_chart(chart.properties(height=height), width="stretch", alt=alt_text)
