"""The JSON API, version 1 (docs/api.md): the routes below `/api/v1`. Within a version, members are only added."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import orjson
import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.openapi.utils import get_openapi
from pydantic import AwareDatetime
from starlette.routing import BaseRoute

from postrank.documents import Document
from postrank.ranking.request import GRANULARITIES, NETWORK_PATTERN
from postrank.report.api import authors, comparison, rankings, run_list, trends
from postrank.report.api.selection import FILES, SORTS, Selection
from postrank.report.exports import Export
from postrank.report.windows import Window
from postrank_airflow.ui.leaderboard.library import Library

VERSION = "1"
_NAME = r"^[A-Za-z0-9-]{1,100}$"

RunName = Annotated[str, Path(pattern=_NAME, description="a run's name in keys, or `latest`")]
RunQuery = Annotated[str, Query(pattern=_NAME, description="a run's name in keys, or `latest`")]
Granularity = Annotated[str, Query(pattern=f"^({'|'.join(GRANULARITIES)})$")]
Start = Annotated[AwareDatetime | None, Query(description="start of the window; the newest complete one by default")]
Ranks = Annotated[str, Query(pattern=r"^\d{1,9}(,\d{1,9}){0,199}$", description="up to 200 ranks")]
Network = Annotated[str, Query(pattern=f"^$|{NETWORK_PATTERN}", description="only authors of this network")]
Search = Annotated[str, Query(alias="q", max_length=200, description="part of a name, handle or id")]
Sort = Annotated[str, Query(pattern=f"^({'|'.join(SORTS)})$")]


@dataclass(frozen=True, slots=True)
class RequestedRanking:
    """The parameters that name a window of a run, and narrow and sort its ranking."""

    run: RunName
    granularity: Granularity
    window: Start = None
    network: Network = ""
    query: Search = ""
    sort: Sort = "rank"
    descending: bool = False

    @property
    def selection(self) -> Selection:
        return Selection(self.network, self.query, self.sort, self.descending)

    def load(self, library: Library) -> tuple[Export, Window, pa.Table]:
        """The run, the window and all rows of its ranking. Raises NotExported."""
        export = library.open(self.run)
        window = rankings.window_at(library.exports, export, self.granularity, self.window)
        return export, window, rankings.rows_of(library.exports, export, self.granularity, window)


def router(library: Callable[[], Library]) -> APIRouter:
    """The routes over a library of exports."""
    routes = APIRouter()
    _add_runs(routes, library)
    _add_rankings(routes, library)
    _add_comparison(routes, library)
    _add_courses(routes, library)
    return routes


def description(routes: Sequence[BaseRoute]) -> Document:
    """The OpenAPI document of the routes."""
    return get_openapi(title="Postrank", version=VERSION, routes=routes)


def _add_runs(routes: APIRouter, library: Callable[[], Library]) -> None:
    @routes.get("/runs")
    def runs(
        limit: Annotated[int, Query(ge=1, le=run_list.MOST)] = 25,
        before: Annotated[str | None, Query(pattern=_NAME, description="`next` of the page before")] = None,
    ) -> Response:
        """The exported runs, newest first."""
        return _json(run_list.runs(library().exports, library().reader, limit, before))

    @routes.get("/runs/{run}")
    def run(run: RunName) -> Response:
        """One run."""
        return _json(rankings.run(library().open(run)))

    @routes.get("/runs/{run}/manifest")
    def manifest(run: RunName) -> Response:
        """The manifest of a run's export, as the data contract describes it."""
        return _json(library().open(run).manifest, orjson.OPT_INDENT_2)


def _add_rankings(routes: APIRouter, library: Callable[[], Library]) -> None:
    @routes.get("/runs/{run}/windows")
    def windows(run: RunName, granularity: Granularity) -> Response:
        """The windows of a granularity, oldest first."""
        return _json(rankings.windows_of(library().exports, library().open(run), granularity))

    @routes.get("/runs/{run}/ranking")
    def ranking(requested: Annotated[RequestedRanking, Depends()]) -> Response:
        """The ranked authors of a window, narrowed and sorted."""
        export, window, rows = requested.load(library())
        return _json(rankings.ranking(export, window, rows, requested.selection.of(rows)))

    @routes.get("/runs/{run}/ranking.{form}")
    def ranking_file(
        requested: Annotated[RequestedRanking, Depends()],
        form: Annotated[str, Path(pattern=f"^({'|'.join(FILES)})$")],
    ) -> Response:
        """The same rows as a file, with the columns of the export."""
        _, window, rows = requested.load(library())
        write, kind = FILES[form]
        name = f"ranked_authors-{requested.granularity}-{window.start:%Y%m%dT%H%MZ}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        selected = requested.selection.of(rows).drop_columns([rankings.BUSIEST_STEP])
        return Response(write(selected), media_type=kind, headers=headers)

    @routes.get("/runs/{run}/courses")
    def courses(run: RunName, granularity: Granularity, ranks: Ranks, window: Start = None) -> Response:
        """Posts per step of the authors at some ranks of a window."""
        exports = library().exports
        export = library().open(run)
        place = rankings.window_at(exports, export, granularity, window)
        requested = {int(rank) for rank in ranks.split(",")}
        return _json(rankings.courses(exports, export, granularity, place, requested))


def _add_comparison(routes: APIRouter, library: Callable[[], Library]) -> None:
    @routes.get("/comparison")
    def compare(
        first: RunQuery,
        second: RunQuery,
        granularity: Granularity,
        window: Start = None,
        top: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """A window that two runs ranked, side by side."""
        earlier = library().open(first)
        later = library().open(second)
        return _json(comparison.comparison(library().exports, earlier, later, granularity, window, top))


def _add_courses(routes: APIRouter, library: Callable[[], Library]) -> None:
    @routes.get("/runs/{run}/author")
    def author(
        run: RunName,
        network: Annotated[str, Query(pattern=NETWORK_PATTERN)],
        author_id: Annotated[str, Query(alias="id", min_length=1, max_length=1000)],
    ) -> Response:
        """One author: their windows, peaks and where their posts can be read."""
        return _json(authors.author(library().exports, library().open(run), network, author_id))

    @routes.get("/runs/{run}/trends")
    def recent(
        run: RunName,
        granularity: Granularity,
        windows: Annotated[int, Query(ge=2, le=366)] = 12,
        top: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        """Authors over the newest windows."""
        return _json(trends.trends(library().exports, library().open(run), granularity, windows, top))


def _json(value: object, option: int = 0) -> Response:
    content = orjson.dumps(value, option=option | orjson.OPT_NON_STR_KEYS)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})
