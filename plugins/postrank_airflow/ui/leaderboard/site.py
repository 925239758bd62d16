"""The site's application: who may read it, which parts it has, how failures are reported. It needs no Airflow."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from postrank.ranking.export_reader import Exports as Reader
from postrank.ranking.export_reader import NoSuchRun, NothingExported
from postrank.report.exports import Exports, NotExported
from postrank_airflow.ui.leaderboard import api, live_routes, page_routes
from postrank_airflow.ui.leaderboard.library import Library

DAG_ID = "rank_authors"


def site(
    *,
    reader: Callable[[], Reader],
    pages: Path,
    access: Callable[..., object],
    login: Callable[[str], str],
    live: live_routes.Board = live_routes.no_board,
) -> FastAPI:
    """The pages and the API over the exports that `reader` opens at the first request.

    `pages` holds the page files, `access` is the dependency that raises for those who may not read, `login` gives
    the address at which a person logs in and returns to a URL, `live` the board of the newest 60 seconds.
    """

    @cache
    def library() -> Library:
        return Library(Exports(reader()))

    app = FastAPI(title="Postrank", openapi_url=None, dependencies=[Depends(access)])
    _add_failures(app, login)
    app.include_router(live_routes.router(live), prefix="/api/v1")
    app.include_router(api.router(library), prefix="/api/v1")
    _add_schema(app)
    app.include_router(page_routes.router(library, pages, DAG_ID))
    return app


def _add_schema(app: FastAPI) -> None:
    @app.get("/api/v1/openapi.json")
    def schema() -> Response:
        """The description of the API in OpenAPI's form."""
        routes = [route for route in app.routes if getattr(route, "path", "").startswith("/api/v1/")]
        return JSONResponse(api.description(routes))


def _add_failures(app: FastAPI, login: Callable[[str], str]) -> None:
    @app.exception_handler(HTTPException)
    def rejected(request: Request, error: HTTPException) -> Response:
        """A person without a session is sent to log in; a program gets the status."""
        if error.status_code == 401 and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(login(str(request.url)))
        return JSONResponse({"detail": error.detail}, error.status_code)

    @app.exception_handler(NoSuchRun)
    @app.exception_handler(NothingExported)
    @app.exception_handler(NotExported)
    def missing(_request: Request, error: Exception) -> Response:
        code = _CODES.get(type(error), "not_exported")
        return JSONResponse({"detail": str(error), "code": code}, 404)

    @app.exception_handler(BotoCoreError)
    @app.exception_handler(ClientError)
    def unreachable(_request: Request, error: Exception) -> Response:
        detail = f"the results bucket cannot be read: {error}"
        return JSONResponse({"detail": detail, "code": "unreadable"}, 502)


_CODES: dict[type[Exception], str] = {NoSuchRun: "unknown_run", NothingExported: "nothing_exported"}
