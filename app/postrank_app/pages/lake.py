"""Lake: how fresh everything is, what each ranking run took in and left out, and what its queries scanned."""

from datetime import timedelta

import altair as alt
import pandas as pd
import streamlit as st

from postrank.lake.costs import Price
from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.scopes import networks_text
from postrank_app.states import empty, freshness
from postrank_app.warehouse import rows

_STALE = timedelta(hours=2)


def show() -> None:
    """The page."""
    st.title("Lake")
    fresh = rows("lake_freshness").iloc[0]
    if pd.isna(fresh["loaded_at"]):
        empty("Nothing is loaded yet.", "The DAG load_warehouse loads what rank_authors and trending_topics export.")
        return
    freshness("The warehouse was last loaded", fresh["loaded_at"], _STALE, "See the runs of load_warehouse.")
    if not pd.isna(fresh["exported_at"]):
        freshness("The newest ranking was exported", fresh["exported_at"], _STALE, "See the runs of rank_authors.")
    if not pd.isna(fresh["live_at"]):
        freshness(
            "The stream's newest window was emitted", fresh["live_at"], timedelta(minutes=2), "Is the streamer up?"
        )
    st.caption(f"{fresh['objects']:,} objects with {fresh['rows']:,} rows were loaded.")
    _totals()
    _runs()


def _totals() -> None:
    scopes = list(rows("ranking_scopes")["scope"].unique())
    if not scopes:
        return
    scope = permalinks.select("Networks", "scope", scopes, shown=networks_text)
    totals = rows("hourly_totals", scope=scope)
    if totals.empty:
        st.caption("No hour is ranked: only rankings per hour have totals.")
    else:
        charts.course(
            totals, "hour", "posts", unit="posts per hour", title="hour",
            alt_text="Posts of all authors per hour over the last 30 ranked days, as a line.",
        )  # fmt: skip
    types = rows("posts_by_type", scope=scope)
    if len(types):
        charts.stacked(
            types, alt.X("posted_date:T", title="day (UTC)"), "posts", "type", unit="posts per day",
            alt_text="Posts per day by type, as stacked bars.",
        )  # fmt: skip


def _runs() -> None:
    st.subheader("Ranking runs")
    table = rows("ranking_runs")
    if table.empty:
        st.caption("No run is loaded.")
        return
    price = Price.of_list()
    table["cost"] = table["scanned_bytes"].map(price.of)
    time = {"format": "YYYY-MM-DD HH:mm", "timezone": "UTC"}
    st.dataframe(
        table,
        hide_index=True,
        key="runs",
        alt="Ranking runs, the newest first, with what each took in, left out, counted and scanned.",
        column_config={
            "run": "Run",
            "scope": "Networks",
            "metric": "Ranked by",
            "interval_start": st.column_config.DatetimeColumn("From (UTC)", **time),
            "interval_end": st.column_config.DatetimeColumn("To (UTC)", **time),
            "exported_at": st.column_config.DatetimeColumn("Exported (UTC)", **time),
            "lines": st.column_config.NumberColumn("Lines in", format="localized"),
            "duplicates": st.column_config.NumberColumn("Duplicates", format="localized"),
            "tombstones": st.column_config.NumberColumn("Deleted", format="localized"),
            "rejects": st.column_config.NumberColumn("Rejected", format="localized"),
            "posts": st.column_config.NumberColumn("Posts counted", format="localized"),
            "scanned_bytes": st.column_config.NumberColumn("Scanned", format="bytes"),
            "cost": st.column_config.NumberColumn(f"Scan at list price ({price.currency})", format="%.6f"),
        },
    )
    offer(table, "runs")
