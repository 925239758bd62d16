"""Moods: the labels that a model gave posts, over time, by hashtag and by author."""

import altair as alt
import pandas as pd
import streamlit as st

from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.states import empty
from postrank_app.warehouse import rows

_TOP = 20


def show() -> None:
    """The page."""
    st.title("Moods")
    models = rows("label_models")
    if models.empty:
        empty("No post is labelled.", "The DAG label_posts labels posts where a model is configured.")
        return
    chosen, tagged = st.columns(2)
    with chosen:
        model = permalinks.select("Model", "model", list(models["model"]))
    by_hashtag = rows("label_hashtags", model=model)
    with tagged:
        hashtag = permalinks.select(
            "Hashtag",
            "hashtag",
            ["", *dict.fromkeys(by_hashtag["hashtag"])],
            shown=lambda name: f"#{name}" if name else "all posts",
        )
    about = models[models["model"] == model].iloc[0]
    st.caption(
        f"{about['posts']:,} posts, last labelled {about['labelled_at']:%Y-%m-%d %H:%M} UTC. "
        "A label is a model's guess about a text, not a fact about a person."
    )
    course = rows("label_course", model=model, hashtag=hashtag)
    x = alt.X("utcyearmonthdatehours(hour):T", axis=charts.time_axis("hour"))
    charts.stacked(
        course, x, "posts", "label", unit="posts per hour",
        alt_text="Posts per hour by label, as stacked bars.",
    )  # fmt: skip
    offer(course, "labels")
    left, right = st.columns(2)
    with left:
        _by("hashtag", by_hashtag, "Hashtags with most labelled posts, by label.")
    with right:
        _by(
            "author", rows("label_authors", model=model, hashtag=hashtag), "Authors with most labelled posts, by label."
        )


def _by(what: str, table: pd.DataFrame, alt_text: str) -> None:
    st.header(f"By {what}")
    if table.empty:
        st.caption(f"No labelled post has a {what}.")
        return
    most = table.groupby(what)["posts"].sum().nlargest(_TOP).index
    x = alt.X(f"{what}:N", sort="-y", title=what, axis=alt.Axis(labelAngle=-40, labelLimit=120))
    charts.stacked(table[table[what].isin(most)], x, "posts", "label", unit="posts", alt_text=alt_text)
