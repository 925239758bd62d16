"""The app: `streamlit run app/main.py`, with the warehouse named in the environment (docs/app.md)."""

from pathlib import Path

import streamlit as st

from postrank_app import permalinks
from postrank_app.pages import author, lake, leaderboard, moods, now, trends, words
from postrank_app.states import explained

PAGES = [
    st.Page(explained(now.show), title="Now", default=True),
    st.Page(explained(leaderboard.show), title="Leaderboard", url_path="leaderboard"),
    st.Page(explained(author.show), title="Author", url_path="author"),
    st.Page(explained(trends.show), title="Trends", url_path="trends"),
    st.Page(explained(moods.show), title="Moods", url_path="moods"),
    st.Page(explained(words.show), title="Words", url_path="words"),
    st.Page(explained(lake.show), title="Lake", url_path="lake"),
]

page = st.navigation(PAGES)
icon = Path(__file__).parent / "icon.svg"  # icons of Material are fetched from another host
st.set_page_config(page_title=f"{page.title}, Postrank", page_icon=str(icon), layout="wide")
permalinks.enter(page.title)
page.run()
