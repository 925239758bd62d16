"""The app: `streamlit run app/main.py`, with the warehouse named in the environment (docs/app.md)."""

from pathlib import Path

import streamlit as st

from postrank_app import permalinks
from postrank_app.pages import author, lake, leaderboard, moods, now, trends
from postrank_app.states import explained

PAGES = [
    st.Page(explained(now.show), title="Now", icon=":material/bolt:", default=True),
    st.Page(explained(leaderboard.show), title="Leaderboard", icon=":material/leaderboard:", url_path="leaderboard"),
    st.Page(explained(author.show), title="Author", icon=":material/person:", url_path="author"),
    st.Page(explained(trends.show), title="Trends", icon=":material/trending_up:", url_path="trends"),
    st.Page(explained(moods.show), title="Moods", icon=":material/mood:", url_path="moods"),
    st.Page(explained(lake.show), title="Lake", icon=":material/water:", url_path="lake"),
]

page = st.navigation(PAGES)
icon = Path(__file__).parent / "icon.svg"
st.set_page_config(page_title=f"{page.title}, Postrank", page_icon=str(icon), layout="wide")
permalinks.enter(page.title)
page.run()
