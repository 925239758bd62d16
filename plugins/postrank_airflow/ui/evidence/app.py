"""The FastAPI application behind the pages: who may read them, and their HTML."""

from collections.abc import Iterable
from functools import cache
from html import escape
from string import Template
from typing import Annotated
from urllib.parse import urlencode

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Path, Query, Request, Response

from postrank.aws.athena import ORIGIN
from postrank_airflow.connections import clients
from postrank_airflow.connections.environment import INCLUDE
from postrank_airflow.ui.evidence import objects
from postrank_airflow.ui.evidence.objects import NotShown

# Nothing of what the pages repeat may run or load anything.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

# A query that Athena does not know is in no workgroup, so that the role may not be allowed to ask for it.
_UNKNOWN_QUERY = ("InvalidRequestException", "AccessDeniedException")

DagId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,250}$")]
QueryId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,128}$")]
Uri = Annotated[str, Query(pattern=r"^s3://[a-z0-9.-]{3,63}/.{0,1024}$")]


@cache
def application() -> FastAPI:
    """The application. Only users who may read the runs of a DAG see its queries and objects."""
    reader = Depends(requires_access_dag("GET", DagAccessEntity.RUN))  # of the `dag_id` in the path
    app = FastAPI(title="Postrank on AWS", openapi_url=None)

    @app.get("/{dag_id}/queries/{query_id}", dependencies=[reader])
    def query(dag_id: DagId, query_id: QueryId) -> Response:
        return query_page(dag_id, query_id)

    @app.get("/{dag_id}/objects", dependencies=[reader])
    def listing(dag_id: DagId, uri: Uri) -> Response:
        return objects_page(dag_id, uri)

    @app.get("/{dag_id}/object", dependencies=[reader])
    def content(dag_id: DagId, uri: Uri) -> Response:
        return object_page(dag_id, uri)

    @app.exception_handler(NotShown)
    def missing(_request: Request, error: Exception) -> Response:
        return _page("Not shown", f"<p>{escape(str(error))}.</p>", 404)

    @app.exception_handler(BotoCoreError)
    @app.exception_handler(ClientError)
    def unreachable(_request: Request, error: Exception) -> Response:
        return _page("AWS did not answer", f"<p>{escape(str(error))}</p>", 502)

    return app


def query_page(dag_id: str, query_id: str) -> Response:
    """The page of a statement that a run of a DAG started. Raises NotShown."""
    client = clients.client("athena")
    try:
        execution = client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN_QUERY:
            raise
        raise NotShown(f"Athena does not know query {query_id}; it forgets queries after 45 days") from error
    statement = execution["Query"]
    if not statement.rpartition(ORIGIN)[2].startswith(f"{dag_id}/"):
        raise NotShown(f"query {query_id} is not one of {dag_id}")
    status = execution["Status"]
    statistics = execution.get("Statistics", {})
    facts = [
        ("State", status["State"]),
        ("Reason", status.get("StateChangeReason", "")),
        ("Submitted", f"{status['SubmissionDateTime']:%Y-%m-%d %H:%M:%S %Z}"),
        ("Duration", f"{statistics.get('TotalExecutionTimeInMillis', 0) / 1000:.1f} s"),
        ("Scanned", f"{statistics.get('DataScannedInBytes', 0):,} bytes"),
        ("Result", execution.get("ResultConfiguration", {}).get("OutputLocation", "")),
    ]
    table = _table((escape(name), escape(text)) for name, text in facts if text)
    return _page(f"Athena query {query_id}", f"{table}<pre>{escape(statement)}</pre>")


def objects_page(dag_id: str, uri: str) -> Response:
    """The page that lists the objects at or below `uri`. Raises NotShown."""
    entries = objects.listing(dag_id, uri)
    if not entries:
        raise NotShown(f"there is no object at or below {uri}; its retention may be over")
    rows = [
        (
            _link(entry.uri, entry.uri.removeprefix(uri) or uri),
            f"{entry.bytes:,} bytes",
            f"{entry.written_at:%Y-%m-%d %H:%M:%S %Z}",
        )
        for entry in entries
    ]
    more = f"<p>The first {objects.LISTED} are shown.</p>" if len(entries) == objects.LISTED else ""
    return _page(f"Objects at {uri}", f"{_table(rows)}{more}")


def object_page(dag_id: str, uri: str) -> Response:
    """The page that shows the beginning of an object. Raises NotShown."""
    content = objects.beginning(dag_id, uri)
    if b"\0" in content:
        return _page(uri, "<p>The object is binary.</p>")
    more = "<p>The rest is not shown.</p>" if len(content) == objects.SHOWN_BYTES else ""
    return _page(uri, f"<pre>{escape(content.decode('utf-8', errors='replace'))}</pre>{more}")


def _link(uri: str, text: str) -> str:
    return f'<a href="object?{escape(urlencode({"uri": uri}))}">{escape(text)}</a>'


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows of escaped cells; the first is the row's heading."""
    lines = (f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows)
    return f"<table>{''.join(lines)}</table>"


def _page(title: str, body: str, status: int = 200) -> Response:
    template = Template((INCLUDE / "pages" / "evidence.html").read_text(encoding="utf-8"))
    return Response(
        template.substitute(title=escape(title), body=body), status, media_type="text/html", headers=_HEADERS
    )
