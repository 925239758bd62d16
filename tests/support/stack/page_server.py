"""The plug-in's pages alone, without Airflow: the site over any exports, at the prefix that it has in Airflow."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from localaws.testing.waiting import wait_for
from postrank.laptop.setup.ports import any_free
from postrank.ranking.export_reader import Exports
from postrank_airflow.ui.leaderboard import URL_PREFIX
from postrank_airflow.ui.leaderboard.live_routes import Board, no_board
from postrank_airflow.ui.leaderboard.site import site

PAGES = Path(__file__).resolve().parents[3] / "include" / "pages"


@contextmanager
def page_server(reader: Exports, live: Board = no_board) -> Iterator[str]:
    """A running server that lets everybody read; yields the address below which the pages are."""
    port = any_free()
    app = FastAPI(openapi_url=None)
    application = site(reader=lambda: reader, pages=PAGES, access=lambda: None, login=lambda url: url, live=live)
    app.mount(URL_PREFIX, application)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, what="the page server")
    try:
        yield f"http://127.0.0.1:{port}{URL_PREFIX}"
    finally:
        server.should_exit = True
        thread.join()
