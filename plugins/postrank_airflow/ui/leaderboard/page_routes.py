"""The HTML pages, what they load, the reports and the files of an export."""

from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import RedirectResponse

from postrank.ranking.run_identity import Run
from postrank.report.exports import REPORT
from postrank_airflow.ui.leaderboard.api import RunName
from postrank_airflow.ui.leaderboard.library import Library

# The pages show what strangers wrote: nothing but our own files may run, style or frame them.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-downloads allow-top-navigation-by-user-activation"
)
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_FILE_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
}


def router(library: Callable[[], Library], pages: Path, ranking_dag: str) -> APIRouter:
    """The routes over the files in `pages` and the exports of the DAG `ranking_dag`."""
    routes = APIRouter()
    _add_reports(routes, library, pages, ranking_dag)
    _add_files(routes, library)
    _add_pages(routes, pages)
    return routes


def _add_reports(routes: APIRouter, library: Callable[[], Library], pages: Path, ranking_dag: str) -> None:
    @routes.get("/report")
    def report_of(dag_id: str, run_id: str) -> Response:
        """The report of a DAG run, at the address from which its links to files work."""
        if dag_id != ranking_dag:
            return _no_report(pages)
        return RedirectResponse(f"runs/{Run(run_id).slug}/report")

    @routes.get("/runs/{run}/report")
    def report(run: RunName) -> Response:
        stored = library().stored(run, REPORT)
        if stored is None:
            return _no_report(pages)
        return Response(stored, media_type="text/html", headers=_headers(_REPORT_POLICY))


def _add_files(routes: APIRouter, library: Callable[[], Library]) -> None:
    @routes.get("/runs/{run}/{path:path}")
    def exported_file(run: RunName, path: str) -> Response:
        """A file of an export, under the name that the manifest lists."""
        content = library().file(run, path)
        if content is None:
            raise HTTPException(404, f"run {run} has no file {path}")
        name = f"{run}-{path.replace('/', '-')}"
        headers = {**_headers(_REPORT_POLICY), "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=_FILE_TYPES.get(Path(path).suffix, "text/plain"), headers=headers)


def _add_pages(routes: APIRouter, pages: Path) -> None:
    names = [path.stem for path in pages.glob("*.html") if path.stem != "no-report"]
    assets = {path.name: path for path in (pages / "assets").iterdir() if path.suffix in _TYPES}

    @routes.get("/assets/{name}")
    def asset(name: str) -> Response:
        if name not in assets:
            raise HTTPException(404, "there is no such file")
        return _file(assets[name], _TYPES[assets[name].suffix], _PAGE_POLICY)

    @routes.get("/{name}")
    def page(name: str) -> Response:
        if name not in names:
            raise HTTPException(404, "there is no such page")
        return _file(pages / f"{name}.html", "text/html", _PAGE_POLICY)


def _no_report(pages: Path) -> Response:
    return _file(pages / "no-report.html", "text/html", _REPORT_POLICY, 404)


def _file(path: Path, kind: str, policy: str, status: int = 200) -> Response:
    return Response(path.read_bytes(), status, media_type=kind, headers=_headers(policy))


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
