"""The FastAPI application behind the pages: who may read, what is served, how failures are told."""

from functools import cache
from typing import Annotated, Any

import orjson
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import AwareDatetime

from postrank.ranking.export_reader import NothingExported, Results
from postrank.ranking.request import GRANULARITIES
from postrank.ranking.run_identity import Run
from postrank.report.exports import Exports, NotExported
from postrank.report.store import Report
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import INCLUDE, RESOURCES
from postrank_airflow.ui.leaderboard import rankings

DAG_ID = "rank_authors"
_KINDS = {
    "leaderboard.js": "text/javascript",
    "rows.js": "text/javascript",
    "format.js": "text/javascript",
    "frame.js": "text/javascript",
    "leaderboard.css": "text/css",
}
# The pages show what strangers wrote: nothing but our own files may run, style or frame them.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
_GRANULARITY = f"^({'|'.join(GRANULARITIES)})$"

RunName = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,100}$", description="a run's name in keys, or `latest`")]
Granularity = Annotated[str, Query(pattern=_GRANULARITY)]
Ranks = Annotated[str, Query(pattern=r"^\d{1,9}(,\d{1,9}){0,199}$", description="up to 200 ranks")]


@cache
def application() -> FastAPI:
    """The application. Whoever may read the runs of the ranking DAG may read what they exported; nobody else."""
    reader = Depends(requires_access_dag("GET", DagAccessEntity.RUN, DAG_ID))
    app = FastAPI(title="Postrank", openapi_url=None, dependencies=[reader])
    _add_failures(app)
    _add_pages(app)
    _add_data(app)
    return app


@cache
def exports() -> Exports:
    return Exports(results())


@cache
def results() -> Results:
    return Results(clients.client("s3"), RESOURCES.buckets["results"])


def _add_pages(app: FastAPI) -> None:
    @app.get("/leaderboard")
    def leaderboard() -> Response:
        return _file("leaderboard.html", "text/html", _PAGE_POLICY)

    @app.get("/report")
    def report_of(dag_id: str, run_id: str) -> Response:
        return _report(Run(run_id).slug if dag_id == DAG_ID else None)

    @app.get("/runs/{run}/report")
    def report(run: RunName) -> Response:
        return _report(run)

    @app.get("/{name}")
    def asset(name: str) -> Response:
        if name not in _KINDS:
            raise HTTPException(404, "there is no such page")
        return _file(name, _KINDS[name], _PAGE_POLICY)


def _add_data(app: FastAPI) -> None:
    @app.get("/api/runs/{run}")
    def run(run: RunName) -> Response:
        return _json(rankings.run(_open(run)))

    @app.get("/api/runs/{run}/manifest")
    def manifest(run: RunName) -> Response:
        return _json(_open(run).manifest, orjson.OPT_INDENT_2)

    @app.get("/api/runs/{run}/windows")
    def windows(run: RunName, granularity: Granularity) -> Response:
        return _json(rankings.windows_of(exports(), _open(run), granularity))

    @app.get("/api/runs/{run}/ranking")
    def ranking(run: RunName, granularity: Granularity, window: AwareDatetime) -> Response:
        return _json(rankings.ranking(exports(), _open(run), granularity, window))

    @app.get("/api/runs/{run}/courses")
    def courses(run: RunName, granularity: Granularity, window: AwareDatetime, ranks: Ranks) -> Response:
        requested = {int(rank) for rank in ranks.split(",")}
        return _json(rankings.courses(exports(), _open(run), granularity, window, requested))


def _add_failures(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        """A person without a session is sent to log in; a program is told."""
        if error.status_code == 401 and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(get_auth_manager().get_url_login(next_url=str(request.url)))
        return JSONResponse({"detail": error.detail}, error.status_code)

    @app.exception_handler(NothingExported)
    @app.exception_handler(NotExported)
    def missing(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, 404)

    @app.exception_handler(BotoCoreError)
    @app.exception_handler(ClientError)
    def unreachable(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": f"the results bucket cannot be read: {error}"}, 502)


def _open(run: str) -> Any:
    return exports().open(None if run == "latest" else run)


def _report(run: str | None) -> Response:
    """The stored report of a run, or a page that says that there is none."""
    stored = Report(results(), run).read() if run else None
    if stored is None:
        return _file("no-report.html", "text/html", _REPORT_POLICY, 404)
    return Response(stored, media_type="text/html", headers=_headers(_REPORT_POLICY))


def _file(name: str, kind: str, policy: str, status: int = 200) -> Response:
    return Response((INCLUDE / "pages" / name).read_bytes(), status, media_type=kind, headers=_headers(policy))


def _json(value: Any, option: int = 0) -> Response:
    content = orjson.dumps(value, option=option | orjson.OPT_NON_STR_KEYS)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
