"""Now: who wrote most in the last 60 seconds, refreshed every few seconds, with the lag of the stream."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from postrank.warehouse.live.board import TOP
from postrank_app import charts, permalinks
from postrank_app.states import ago, empty, freshness
from postrank_app.warehouse import live_rows

_EVERY = "3s"
_STALE = timedelta(minutes=2)


def show() -> None:
    """The page."""
    st.title("Who wrote most in the last 60 seconds")
    networks = live_rows("live_networks")
    if networks.empty:
        empty(
            "No author window has arrived yet.", "`postrank live` copies them from the stream, seconds after the posts."
        )
        return
    names = list(networks["network"])
    network = permalinks.select("Network", "network", ["", *names], shown=lambda name: name or "all networks")
    _board(network)


@st.fragment(run_every=_EVERY)
def _board(network: str) -> None:
    newest = live_rows("live_networks")
    chosen = newest if not network else newest[newest["network"] == network]
    freshness(
        "The newest window was emitted", chosen["emitted_at"].max(), _STALE, "Is the streamer up, and `postrank live`?"
    )
    event_time = chosen["window_end"].max()
    if datetime.now(UTC) - event_time > _STALE:
        st.info(
            f"Windows are in event time: the newest post was written {ago(datetime.now(UTC) - event_time)}. "
            "A replay shows the past, as it went.",
            icon=":material/history:",
        )
    board = live_rows("live_board", network=network, top=TOP)
    minutes = live_rows("live_minutes", network=network)
    left, right = st.columns([3, 2])
    with left:
        _table(board)
    with right:
        st.header("Posts per minute")
        if minutes.empty:
            st.caption("No whole minute has ended yet.")
        else:
            charts.course(
                minutes, "minute", "posts", unit="posts per minute", title="minute",
                alt_text="Posts per minute over the last three hours, as a line.",
            )  # fmt: skip


def _table(board: pd.DataFrame) -> None:
    st.header("Last 60 seconds")
    st.dataframe(
        board[["rank", "author", "network", "posts", "window_end"]],
        hide_index=True,
        key="board",
        alt="Authors by posts in the 60 seconds up to their newest post.",
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "author": "Author",
            "network": "Network",
            "posts": st.column_config.ProgressColumn(
                "Posts in 60 s", format="%d", min_value=0, max_value=int(board["posts"].max() if len(board) else 1)
            ),
            "window_end": st.column_config.DatetimeColumn("Up to (UTC)", format="HH:mm:ss", timezone="UTC"),
        },
    )
    st.caption(
        "Posts in the 60 seconds up to each author's newest post. Who wrote nothing in the last 60 s is not listed."
    )
