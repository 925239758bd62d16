"""Lake: how fresh everything is, what hops took and gave, which gaps sources left, what each ranking run cost."""

from datetime import timedelta

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from postrank.lake.costs import Price
from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.scopes import networks_text
from postrank_app.states import empty, freshness
from postrank_app.warehouse import rows

_STALE = timedelta(hours=2)
_COUNTS = ("received", "delivered", "rejected", "ignored", "spooled", "in_flight")


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
    _hops()
    _gaps()
    _runs()


def _moment(title: str) -> ColumnConfig:
    return st.column_config.DatetimeColumn(title, format="YYYY-MM-DD HH:mm", timezone="UTC")


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


def _hops() -> None:
    st.header("Hops")
    table = rows("hops")
    if table.empty:
        st.caption("No export has counts of hops yet: rank_authors adds them with its report.")
        return
    titles = {name: name.capitalize().replace("_", " ") for name in _COUNTS}
    numbers = {name: st.column_config.NumberColumn(title, format="localized") for name, title in titles.items()}
    st.dataframe(
        table,
        hide_index=True,
        key="hops",
        alt="Hops of each collector with what they received, delivered, rejected, ignored and hold.",
        column_config={
            "collector": "Collector",
            "hop": "Hop",
            **numbers,
            "noted_at": _moment("Counted (UTC)"),
        },
    )
    st.caption("Received is the sum of the other counts. What is spooled or in flight is still to be delivered.")


def _gaps() -> None:
    st.header("Gaps")
    table = rows("gaps")
    if table.empty:
        st.caption("No ranked interval has a gap.")
        return
    open_gaps = int(table["recovered_by"].isna().sum())
    if open_gaps:
        st.warning(
            f"{open_gaps:,} spans may lack posts. The DAG backfill_posts reads them again from their sources.",
            icon=":material/warning:",
        )
    st.dataframe(
        table,
        hide_index=True,
        key="gaps",
        alt="Spans that sources may have missed, those that nothing has recovered first.",
        column_config={
            "source": "Source",
            "collector": "Collector",
            "gap_from": _moment("From (UTC)"),
            "gap_to": _moment("To (UTC)"),
            "seconds": st.column_config.NumberColumn("Seconds", format="localized"),
            "reason": "Reason",
            "recovered_by": "Recovered by",
            "noted_at": _moment("Noted (UTC)"),
        },
    )
    offer(table, "gaps")


def _runs() -> None:
    st.header("Ranking runs")
    table = rows("ranking_runs")
    if table.empty:
        st.caption("No run is loaded.")
        return
    price = Price.of_list()
    table["cost"] = table["scanned_bytes"].map(price.of)
    st.dataframe(
        table,
        hide_index=True,
        key="runs",
        alt="Ranking runs, the newest first, with what each took in, left out, counted and scanned.",
        column_config={
            "run": "Run",
            "scope": "Networks",
            "metric": "Ranked by",
            "interval_start": _moment("From (UTC)"),
            "interval_end": _moment("To (UTC)"),
            "exported_at": _moment("Exported (UTC)"),
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
