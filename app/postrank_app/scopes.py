"""Choosing what was ranked: networks, metric, granularity, window."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from postrank_app import permalinks
from postrank_app.states import empty
from postrank_app.warehouse import rows

GRANULARITIES = ("hour", "day", "minute", "all")
METRICS = {
    "posts": "posts",
    "peak_60s": "most posts within 60 s",
    "reposts_received": "reposts received",
    "likes_received": "likes received",
    "reposts_made": "reposts made",
    "engagement": "engagement",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """A ranking: of which networks, by which metric, per which length of time."""

    networks: str
    metric: str
    granularity: str

    @property
    def values(self) -> dict[str, str]:
        """As the parameters of a query."""
        return {"scope": self.networks, "metric": self.metric, "granularity": self.granularity}


def choose_scope() -> Scope | None:
    """The scope that the visitor chose; None, explained, while nothing is ranked."""
    ranked = rows("ranking_scopes")
    if ranked.empty:
        empty("No ranking is loaded yet.", "The DAGs rank_authors and load_warehouse fill this page.")
        return None
    networks, metric, granularity = st.columns(3)
    with networks:
        scope = permalinks.select("Ranked networks", "scope", list(ranked["scope"].unique()), shown=networks_text)
    ranked = ranked[ranked["scope"] == scope]
    with metric:
        order = permalinks.select("Ranked by", "metric", list(ranked["metric"].unique()), shown=metric_text)
    ranked = ranked[ranked["metric"] == order]
    lengths = [name for name in GRANULARITIES if name in set(ranked["granularity"])]
    with granularity:
        length = permalinks.select("Per", "granularity", lengths)
    return Scope(scope, order, length)


def choose_window(windows: pd.DataFrame) -> "pd.Series":
    """One of the ranked windows; the newest complete one where the address names none."""
    texts = {window_text(row): index for index, row in windows.iterrows()}
    complete = windows[~windows["is_incomplete"]]
    usual = window_text((complete if len(complete) else windows).iloc[0])
    names = [usual, *(name for name in texts if name != usual)]
    chosen = permalinks.select("Window (UTC)", "window", names, help_text="The newest complete window comes first.")
    return windows.loc[texts[chosen]]


def window_text(row: "pd.Series") -> str:
    """A window in a list."""
    start, end = row["window_start"], row["window_end"]
    same_day = start.date() == end.date()
    text = f"{start:%Y-%m-%d %H:%M} to {end:%H:%M}" if same_day else f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
    return f"{text}, incomplete" if row["is_incomplete"] else text


def networks_text(scope: str) -> str:
    """A scope's networks as words."""
    return "all networks" if scope == "*" else scope


def metric_text(metric: str) -> str:
    """A metric as words."""
    return METRICS.get(metric, metric)
