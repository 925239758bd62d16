"""Trends: the hashtags that burst in an hour, and what X trends at places, with history."""

from datetime import timedelta

import streamlit as st

from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.states import empty, freshness
from postrank_app.warehouse import rows

_STALE = timedelta(hours=3)
_TOP = 20


def show() -> None:
    """The page."""
    st.title("Trends")
    hashtags, places = st.tabs(["Hashtags", "Places"])
    with hashtags:
        _hashtags()
    with places:
        _places()


def _hashtags() -> None:
    hours = list(rows("trend_hours")["window_start"])
    if not hours:
        empty("No hashtag trends are loaded yet.", "The DAGs trending_topics and load_warehouse fill this page.")
        return
    freshness("The newest hour began", hours[0], _STALE, "See the runs of trending_topics.")
    names = {f"{hour:%Y-%m-%d %H:%M}": hour for hour in hours}
    hour = names[permalinks.select("Hour (UTC)", "hour", list(names))]
    table = rows("hashtag_trends", window_start=hour.isoformat())
    charts.bars(
        table.head(_TOP), "hashtag", "burst", unit="times the usual posts", title="hashtag",
        alt_text="The hashtags that rise most above the week before, as bars.",
    )  # fmt: skip
    st.dataframe(
        table,
        hide_index=True,
        key="hashtags",
        alt="The hashtags of the hour by burst.",
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "hashtag": "Hashtag",
            "posts": st.column_config.NumberColumn("Posts", format="localized"),
            "authors": st.column_config.NumberColumn("Authors", format="localized"),
            "usual_posts": st.column_config.NumberColumn(
                "Usual posts", help="Mean per hour of the week before.", format="%.1f"
            ),
            "burst": st.column_config.NumberColumn("Burst", help="Posts of this hour by usual posts.", format="%.1f"),
        },
    )
    offer(table, "hashtags")
    hashtag = permalinks.select("History of", "hashtag", list(table["hashtag"]), shown=lambda name: f"#{name}")
    charts.course(
        rows("hashtag_course", hashtag=hashtag), "window_start", "posts", unit="posts per hour", title="hour",
        alt_text=f"Posts per hour with #{hashtag}, in the hours in which it was among the trends.",
    )  # fmt: skip


def _places() -> None:
    places = rows("places")
    if places.empty:
        empty("No trends of places are loaded yet.", "trending_topics asks X for them where its connection is set up.")
        return
    names = {f"{row.place} ({row.woeid})": row for row in places.itertuples()}
    place = names[permalinks.select("Place", "place", list(names))]
    freshness("The newest trends are of", place.window_start, _STALE, "See the runs of trending_topics.")
    history = rows("place_trends", woeid=int(place.woeid))
    newest = history[history["window_start"] == place.window_start]
    st.dataframe(
        newest[["rank", "name", "posts"]],
        hide_index=True,
        key="places",
        alt="What is trending at the place, by rank.",
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "name": "Trend",
            "posts": st.column_config.NumberColumn(
                "Posts", format="localized", help="As X tells; empty where it does not."
            ),
        },
    )
    offer(newest, "places")
    name = permalinks.select("History of", "trend", list(newest["name"]))
    charts.course(
        history[history["name"] == name], "window_start", "rank", unit="rank", title="hour",
        alt_text=f"The rank of {name} over the last two days.",
    )  # fmt: skip
