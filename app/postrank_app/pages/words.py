"""Words: what posts of a language are about, as a cloud, as counts, and over days."""

import math
from html import escape

import altair as alt
import pandas as pd
import streamlit as st

from postrank_app import charts, permalinks
from postrank_app.downloads import offer
from postrank_app.states import empty
from postrank_app.warehouse import rows

_CLOUD = 80
_BARS = 25
_SMALLEST, _LARGEST = 0.9, 3.2  # rem
_ALL = "all days"


def show() -> None:
    """The page."""
    st.title("Words")
    languages = rows("word_languages")
    if languages.empty:
        empty("No words are counted.", "The DAG label_posts counts them where that is configured.")
        return
    left, right = st.columns(2)
    with left:
        language = permalinks.select("Language", "language", list(languages["language"]))
    days = [f"{day:%Y-%m-%d}" for day in rows("word_days", language=language)["posted_date"]]
    with right:
        day = permalinks.select("Day (UTC)", "day", [_ALL, *days])
    first, last = (days[-1], days[0]) if day == _ALL else (day, day)
    table = rows("words", language=language, first_day=first, last_day=last)
    st.caption(
        f"Posts that hold a word, of {day}. Stop words, hashtags, mentions and links are left out; a deleted post's "
        "words leave within the day."
    )
    _cloud(table.head(_CLOUD))
    charts.bars(
        table.head(_BARS), "word", "posts", unit="posts", title="word",
        alt_text=f"The {_BARS} words in most posts, as bars.",
    )  # fmt: skip
    st.dataframe(
        table,
        hide_index=True,
        key="words",
        alt="Words by the number of posts that hold them.",
        column_config={"word": "Word", "posts": st.column_config.NumberColumn("Posts", format="localized")},
    )
    offer(table, "words")
    word = permalinks.select("History of", "word", list(table["word"]))
    history = rows("word_course", language=language, word=word)
    x = alt.X("day:T", title="day (UTC)", axis=alt.Axis(format="%Y-%m-%d", labelOverlap=True))
    charts.columns(history, x, "posts", unit="posts per day", alt_text=f"Posts per day with the word {word}, as bars.")


def _cloud(table: pd.DataFrame) -> None:
    """The words in the order of the alphabet, larger the more posts hold them."""
    most = math.sqrt(int(table["posts"].max()))
    spans = []
    for _, row in table.sort_values("word").iterrows():
        share = math.sqrt(row["posts"]) / most
        size = _SMALLEST + (_LARGEST - _SMALLEST) * share
        title = f"{row['posts']:,} posts"
        spans.append(f'<span style="font-size:{size:.2f}rem" title="{title}">{escape(row["word"])}</span>')
    st.html(f'<p style="line-height:1.5;text-align:center;overflow-wrap:anywhere">{"&ensp;".join(spans)}</p>')
