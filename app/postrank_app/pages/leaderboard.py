"""Leaderboard: one ranked window, page by page, narrowed by network or by a search."""

import math
from datetime import timedelta

import pandas as pd
import streamlit as st

from postrank_app import permalinks
from postrank_app.downloads import offer
from postrank_app.pages.author import author_address
from postrank_app.scopes import Scope, choose_scope, choose_window, metric_text, networks_text, window_text
from postrank_app.states import empty, freshness
from postrank_app.warehouse import rows

PAGE_ROWS = 50
_STALE = timedelta(hours=2)
_ALL_ROWS = 100_000


def show() -> None:
    """The page."""
    st.title("Leaderboard")
    scope = choose_scope()
    if scope is None:
        return
    windows = rows("ranked_windows", **scope.values)
    window = choose_window(windows)
    network, search = st.columns([1, 2])
    where = {
        **scope.values,
        "window_start": window["window_start"].isoformat(),
        "window_end": window["window_end"].isoformat(),
    }
    with network:
        networks = list(rows("ranked_networks", **where)["network"])
        chosen = permalinks.select("Network", "network", ["", *networks], shown=lambda name: name or "all networks")
    with search:
        typed = permalinks.text("Search", "search", "name, handle or id")
    where |= {"network": chosen, "search": typed}
    _ranking(scope, window, where)


def _ranking(scope: Scope, window: "pd.Series", where: dict[str, str]) -> None:
    st.header(f"Authors by {metric_text(scope.metric)}, {networks_text(scope.networks)}, {window_text(window)} UTC")
    freshness(
        f"Revision {window['revision']}: {window['posts']:,} posts of all authors, exported",
        window["exported_at"], _STALE, "Newer posts are not in it: see the runs of rank_authors.",
    )  # fmt: skip
    page = permalinks.number("Page", "page", _pages(where))
    table = rows("rankings", **where, page_rows=PAGE_ROWS, first_row=(page - 1) * PAGE_ROWS)
    if table.empty:
        narrowed = where["network"] or where["search"]
        cause = (
            "Clear the search or choose all networks." if narrowed else "Nobody wrote in it, or every post was deleted."
        )
        empty("No author of this window matches.", cause)
        return
    matches = int(table["matches"].iloc[0])
    st.caption(f"{matches:,} authors, page {page} of {math.ceil(matches / PAGE_ROWS)}.")
    table["author_page"] = [
        author_address(row["network"], row["author_id"], scope.networks, scope.metric) for _, row in table.iterrows()
    ]
    _table(table)
    offer(rows("rankings", **where, page_rows=_ALL_ROWS, first_row=0).drop(columns="matches"), "ranking")


def _pages(where: dict[str, str]) -> int:
    head = rows("rankings", **where, page_rows=1, first_row=0)
    return max(1, math.ceil(int(head["matches"].iloc[0]) / PAGE_ROWS)) if len(head) else 1


def _table(table: pd.DataFrame) -> None:
    st.dataframe(
        table[["rank", "movement", "author", "author_page", "network", "posts", "share", "peak_60s"]],
        hide_index=True,
        key="ranking",
        height=min(38 + 35 * len(table), 800),
        alt="The ranked authors of the window, by rank.",
        column_config={
            "rank": st.column_config.NumberColumn("Rank", width="small"),
            "movement": st.column_config.NumberColumn(
                "Movement", format="%+d", width="small", help="Ranks gained since the window before; empty: not in it."
            ),
            "author": "Author",
            "author_page": st.column_config.LinkColumn("Page", display_text="open", width="small"),
            "network": "Network",
            "posts": st.column_config.NumberColumn("Posts", format="localized"),
            "share": st.column_config.NumberColumn("Share of all posts", format="percent"),
            "peak_60s": st.column_config.NumberColumn("Most posts in 60 s", format="localized"),
        },
    )
