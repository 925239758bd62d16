"""Author: one author's course over the ranked windows."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.scopes import choose_scope, metric_text
from postrank_app.states import empty, plain
from postrank_app.warehouse import rows


def show() -> None:
    """The page."""
    st.title("Author")
    network, author_id = st.query_params.get("network"), st.query_params.get("id")
    search = permalinks.text("Find an author", "search", "start of a handle, part of a name, or an id")
    if search:
        matches = rows("authors", search=search)
        if matches.empty:
            empty(f"No ranked author matches {plain(search)}.", "Authors are those of exported rankings.")
            return
        _matches(matches)
        return
    if not (network and author_id):
        empty("No author is chosen.", "Search for one, or open one from the leaderboard.")
        return
    _author(network, author_id)


def _author(network: str, author_id: str) -> None:
    known = rows("authors", search=author_id)
    known = known[(known["network"] == network) & (known["author_id"] == author_id)]
    if known.empty:
        empty(f"No ranked author of {plain(network)} has the id {plain(author_id)}.", "Were their posts deleted?")
        return
    author = known.iloc[0]
    handle = f"@{author['handle']}, " if author["handle"] else ""
    st.header(plain(author["author"]))
    st.caption(
        f"{plain(handle + network)}, id {plain(author_id)}, "
        f"last ranked in the window from {author['ranked_at']:%Y-%m-%d %H:%M} UTC"
    )
    scope = choose_scope()
    if scope is None:
        return
    course = rows("author_course", network=network, author_id=author_id, **scope.values)
    if course.empty:
        empty("This author is in no such window.", "Choose another length or another ranking.")
        return
    best, most, peak = st.columns(3)
    best.metric("Best rank", f"{course['rank'].min():,}")
    most.metric(f"Most {metric_text(scope.metric)} in a window", f"{course['posts'].max():,}")
    peak.metric("Most posts in 60 s", f"{course['peak_60s'].max():,}")
    charts.course(
        course, "window_start", "posts", unit="posts", title=f"start of the {scope.granularity}",
        alt_text=f"Posts per {scope.granularity}, as a line over time.",
    )  # fmt: skip
    st.dataframe(
        course,
        hide_index=True,
        key="course",
        alt="The author's windows, the newest first.",
        column_config={
            "window_start": st.column_config.DatetimeColumn("From (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "window_end": st.column_config.DatetimeColumn("To (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
            "rank": st.column_config.NumberColumn("Rank"),
            "posts": st.column_config.NumberColumn("Posts", format="localized"),
            "share": st.column_config.NumberColumn("Share of all posts", format="percent"),
            "peak_60s": st.column_config.NumberColumn("Most posts in 60 s"),
        },
    )
    offer(course, "author")


def _matches(matches: pd.DataFrame) -> None:
    """Authors of a search, each with a link to the page."""
    matches["page"] = [author_address(row["network"], row["author_id"]) for _, row in matches.iterrows()]
    st.dataframe(
        matches[["author", "handle", "network", "page", "ranked_at"]],
        hide_index=True,
        key="matches",
        alt="The authors that match, those ranked last first.",
        column_config={
            "author": "Author",
            "handle": "Handle",
            "network": "Network",
            "page": st.column_config.LinkColumn("Page", display_text="open", width="small"),
            "ranked_at": st.column_config.DatetimeColumn("Ranked (UTC)", format="YYYY-MM-DD HH:mm", timezone="UTC"),
        },
    )


def author_address(network: str, author_id: str, scope: str = "*", metric: str = "posts") -> str:
    """The address of an author's page, relative to any page of the app."""
    about = {"network": network, "id": author_id}
    about |= {"scope": scope} if scope != "*" else {}
    about |= {"metric": metric} if metric != "posts" else {}
    return f"author?{urlencode(about)}"
